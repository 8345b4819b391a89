#include "store/schema.h"

enum result schema_check(struct db *db, const char **ret_problem)
{
    static const struct db_stmt stmt = { "schema_newest", "SELECT coalesce(max(number), 0) FROM schema_migration" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);

    if (r == RES_OK)
        *ret_problem = db_get_int(&rows, 0, 0) >= CORREIO_SCHEMA ? NULL : "the schema is older than this version: run correiod migrate";
    return r;
}
