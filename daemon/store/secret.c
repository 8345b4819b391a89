#include "store/secret.h"

enum result secret_get(struct db *db, struct str name, struct arena *a, struct str *ret)
{
    static const struct db_stmt stmt = { "secret_get", "SELECT value FROM secret WHERE name = $1" };
    const struct db_param params[] = { db_text(name) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query_row(db, &stmt, params, ARRAY_LEN(params), &rows);

    if (r != RES_OK)
        return r;
    *ret = arena_str(a, db_get_str(&rows, 0, 0));
    return RES_OK;
}
