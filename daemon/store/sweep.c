#include "store/sweep.h"
#include "base/macros.h"

static enum result sweep(struct db *db, const struct db_stmt *stmt, int64_t keep_s, int most, bool (*stop)(void *arg), void *arg,
                         int64_t *ret_swept)
{
    const struct db_param params[] = { db_int8(keep_s), db_int4(most) };
    int64_t swept = 0, now = 1;

    while (now > 0 && !stop(arg)) {
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
        enum result r = db_query(db, stmt, params, ARRAY_LEN(params), &rows);

        if (r != RES_OK)
            return r;
        now = db_get_int(&rows, 0, 0);
        swept += now;
    }
    *ret_swept = swept;
    return RES_OK;
}

enum result sweep_mail(struct db *db, int most, bool (*stop)(void *arg), void *arg, int64_t *ret_swept)
{
    static const struct db_stmt stmt = { "mail_sweep", "SELECT mail_sweep(make_interval(secs => $1::bigint), $2)" };

    return sweep(db, &stmt, SWEEP_KEEP_DAYS * INT64_C(86400), most, stop, arg, ret_swept);
}

enum result sweep_accounts(struct db *db, int64_t keep_s, int most, bool (*stop)(void *arg), void *arg, int64_t *ret_swept)
{
    static const struct db_stmt stmt = { "account_purge", "SELECT account_purge(make_interval(secs => $1::bigint), $2)" };

    return sweep(db, &stmt, keep_s, most, stop, arg, ret_swept);
}
