#include "store/ids.h"

#define BLOCK 64

enum result ids_take_email(struct db *db, int64_t *ret_id)
{
    static const struct db_stmt stmt = { "ids_email",
        "SELECT nextval('email_id_seq') FROM generate_series(1, 64)" };
    static int64_t ids[BLOCK];
    static size_t left;

    while (left == 0) {
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

        if (db_query(db, &stmt, NULL, 0, &rows) != RES_OK)
            return RES_TEMPFAIL;
        if (left > 0)
            break; /* another coroutine was faster; a gap does no harm */
        left = MIN(db_count(&rows), (size_t)BLOCK);
        for (size_t i = 0; i < left; i++)
            ids[left - 1 - i] = db_get_int(&rows, i, 0);
    }
    *ret_id = ids[--left];
    return RES_OK;
}
