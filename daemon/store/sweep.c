#include "store/sweep.h"

enum result sweep_mail(struct db *db, int most, bool (*stop)(void *arg), void *arg, int64_t *ret_swept)
{
    static const struct db_stmt stmt = { "mail_sweep", "SELECT mail_sweep(make_interval(days => $1), $2)" };
    const struct db_param params[] = { db_int4(SWEEP_KEEP_DAYS), db_int4(most) };
    int64_t swept = 0, now = 1;

    while (now > 0 && !stop(arg)) {
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
        enum result r = db_query(db, &stmt, params, ARRAY_LEN(params), &rows);

        if (r != RES_OK)
            return r;
        now = db_get_int(&rows, 0, 0);
        swept += now;
    }
    *ret_swept = swept;
    return RES_OK;
}
