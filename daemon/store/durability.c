#include "store/durability.h"
#include "base/log.h"

#define LOOK_MS 60000
#define RETRY_MS 1000

static const char unknown[] = "the database has not answered yet", *problem = unknown;

enum result durability_check(struct db *db, const char **ret_problem)
{
    static const struct db_stmt stmt = { "durability",
        "SELECT current_setting('fsync') = 'on', current_setting('full_page_writes') = 'on', "
        "current_setting('synchronous_commit') <> 'off', NOT pg_is_in_recovery(), "
        "current_setting('server_version_num')::int >= 150000, current_setting('server_encoding') = 'UTF8'" };
    static const char *const problems[] = {
        "fsync is off in PostgreSQL: accepted mail could be lost",
        "full_page_writes is off in PostgreSQL: accepted mail could be lost",
        "synchronous_commit is off in PostgreSQL: accepted mail could be lost",
        "PostgreSQL is a standby: it takes no mail",
        "PostgreSQL is older than version 15",
        "the database's encoding is not UTF8",
    };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);

    if (r != RES_OK)
        return r;
    *ret_problem = NULL;
    for (size_t i = 0; i < ARRAY_LEN(problems) && *ret_problem == NULL; i++) {
        if (db_get_int(&rows, 0, (int)i) == 0)
            *ret_problem = problems[i];
    }
    return RES_OK;
}

static enum result look(struct db *db)
{
    const char *found;
    enum result r = durability_check(db, &found);

    if (r == RES_OK) {
        if (found != NULL && found != problem)
            log_error("storage-unsafe", F_C("why", found));
        problem = found;
    }
    return r;
}

static void watch(void *arg)
{
    while (!coroutine_cancelled()) {
        coroutine_sleep(problem == unknown ? RETRY_MS : LOOK_MS);
        while (look(arg) != RES_OK && !coroutine_cancelled())
            coroutine_sleep(RETRY_MS);
    }
}

void durability_watch(struct db *db)
{
    (void)!look(db);
    (void)coroutine_spawn("durability", watch, db);
}

const char *durability_problem(void)
{
    return problem;
}
