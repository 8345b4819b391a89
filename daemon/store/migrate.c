#include "store/migrate.h"
#include "base/arena.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/strbuf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_KEY "4711"

const char *const migrate_kinds[] = { "auth", "smtp", "access", "relay", "mda", "api" };
const size_t migrate_kinds_count = ARRAY_LEN(migrate_kinds);

static void say_error(const char *step, const PGconn *pg)
{
    log_error("migrate", F_C("step", step), F_STR("error", str_trim(str_c(PQerrorMessage(pg)))));
}

static bool run(PGconn *pg, const char *what, const char *sql)
{
    PGresult *res = PQexec(pg, sql);
    bool ok = PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK;

    if (!ok)
        say_error(what, pg);
    PQclear(res);
    return ok;
}

/* One text value of a one-row answer, in the arena; NULL: no row or NULL. */
static char *ask(PGconn *pg, struct arena *a, const char *sql, const char *p1, const char *p2)
{
    const char *params[] = { p1, p2 };
    PGresult *res = PQexecParams(pg, sql, p2 != NULL ? 2 : p1 != NULL ? 1 : 0, NULL, params, NULL, NULL, 0);
    char *value = NULL;

    if (PQresultStatus(res) != PGRES_TUPLES_OK)
        say_error("query", pg);
    else if (PQntuples(res) == 1 && !PQgetisnull(res, 0, 0))
        value = arena_cstr(a, str_c(PQgetvalue(res, 0, 0)));
    PQclear(res);
    return value;
}

static char *read_file(struct arena *a, const char *path)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 1 << 20 };
    FILE *f = fopen(path, "re");
    char chunk[4096];
    size_t n;

    if (f == NULL) {
        log_error("migrate", F_C("file", path), F_C("error", strerror(errno)));
        return NULL;
    }
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        strbuf_add(&b, str_of(chunk, n));
    fclose(f);
    return b.overflow ? NULL : arena_cstr(a, strbuf_str(&b));
}

/* ---- roles ---- */

/* Written through a temporary name; readable by the role's own process alone: as root by its user's group, since a
 * container may have no CAP_CHOWN to give it away. */
static bool write_secret(struct arena *a, const struct config *config, const char *kind, struct str password)
{
    struct str dir = arena_printf(a, "%.*s/secrets", STR_ARG(config->home));
    struct str path = arena_printf(a, "%s/correio_%s", dir.p, kind), tmp = arena_printf(a, "%s.new", path.p);
    const struct passwd *user = geteuid() == 0 ? getpwnam(arena_printf(a, "correio-%s", kind).p) : NULL;
    int fd;
    bool ok;

    (void)mkdir(dir.p, 0711);
    (void)unlink(tmp.p);
    if (user != NULL && setegid(user->pw_gid) != 0)
        return false;
    fd = open(tmp.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, user != NULL ? 0440 : 0400);
    (void)!setegid(getgid());
    if (fd < 0)
        return false;
    ok = write(fd, password.p, password.len) == (ssize_t)password.len && fsync(fd) == 0;
    close(fd);
    return ok && rename(tmp.p, path.p) == 0;
}

/* Made once and kept where the owner alone reads it, so that every node gets the same one.  NULL: told. */
static const char *role_password(PGconn *pg, struct arena *a, const char *role)
{
    char bytes[24], *known = ask(pg, a, "SELECT password FROM schema_role WHERE role = $1", role, NULL);

    if (known != NULL)
        return known;
    random_bytes(bytes, sizeof(bytes));
    return ask(pg, a, "INSERT INTO schema_role (role, password) VALUES ($1, $2) RETURNING password", role,
               hex_encode(a, str_of(bytes, sizeof(bytes))).p);
}

static bool make_role(PGconn *pg, struct arena *a, const struct config *config, const char *kind, bool outside)
{
    struct str role = arena_printf(a, "correio_%s", kind);
    const char *password;
    char *literal;
    bool ok;

    if (ask(pg, a, "SELECT 'yes' FROM pg_roles WHERE rolname = $1", role.p, NULL) == NULL &&
        !run(pg, role.p, arena_printf(a, "CREATE ROLE %s LOGIN", role.p).p))
        return false;
    if (!outside)
        return true;
    password = role_password(pg, a, role.p);
    if (password == NULL)
        return false;
    literal = PQescapeLiteral(pg, password, strlen(password));
    ok = run(pg, role.p, arena_printf(a, "ALTER ROLE %s LOGIN PASSWORD %s", role.p, literal).p);
    PQfreemem(literal);
    if (ok && !write_secret(a, config, kind, str_c(password))) {
        log_error("migrate", F_STR("secret", role), F_C("error", strerror(errno)));
        return false;
    }
    return ok;
}

/* ---- migrations ---- */

static int is_migration(const struct dirent *d)
{
    size_t n = strlen(d->d_name);

    return n > 9 && strcmp(d->d_name + n - 4, ".sql") == 0 && ascii_digit(d->d_name[0]) && d->d_name[4] == '_';
}

static bool run_migration(PGconn *pg, struct arena *a, const char *dir, const char *name)
{
    char *sql = read_file(a, arena_printf(a, "%s/%s", dir, name).p);
    struct str number = str_sub(str_c(name), 0, 4);
    char *checksum, *known;
    const char *key = arena_cstr(a, number);

    if (sql == NULL)
        return false;
    checksum = ask(pg, a, "SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')", sql, NULL);
    if (checksum == NULL)
        return false;
    known = ask(pg, a, "SELECT checksum FROM schema_migration WHERE number = $1::int", key, NULL);
    if (known != NULL) {
        if (strcmp(known, checksum) == 0)
            return true;
        log_error("migrate", F_C("step", name), F_C("error", "was run in another form than the file has now"));
        return false;
    }
    /* The number first: two at once, or a crash, leave either all of it or nothing. */
    if (!run(pg, name, "BEGIN") ||
        ask(pg, a, "INSERT INTO schema_migration (number, name, checksum) VALUES (left($1, 4)::int, $1, $2) RETURNING name",
            name, checksum) == NULL ||
        !run(pg, name, sql) || !run(pg, name, "COMMIT")) {
        (void)run(pg, name, "ROLLBACK");
        return false;
    }
    log_info("migrated", F_C("file", name));
    return true;
}

static bool run_all(PGconn *pg, struct arena *a, const struct config *config)
{
    struct str dir = arena_printf(a, "%.*s/migrations", STR_ARG(config->sql));
    struct dirent **names;
    int n = scandir(dir.p, &names, is_migration, alphasort);
    bool ok = n > 0;

    if (n <= 0) {
        log_error("migrate", F_STR("directory", dir), F_C("error", "has no migrations"));
        return false;
    }
    for (int i = 0; i < n; i++) {
        ok = ok && run_migration(pg, a, dir.p, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return ok;
}

static bool apply_grants(PGconn *pg, struct arena *a, const struct config *config)
{
    char *sql = read_file(a, arena_printf(a, "%.*s/roles.sql", STR_ARG(config->sql)).p);

    return sql != NULL && run(pg, "roles.sql", "BEGIN") && run(pg, "roles.sql", sql) &&
           run(pg, "schema_migration", "GRANT SELECT (number) ON schema_migration TO correio_api") && /* our own table */
           run(pg, "roles.sql", "COMMIT");
}

/* The embedded cluster is ours alone: the database is made in it.  An outside one is made by its administrator. */
static bool make_database(struct arena *a, const char *conninfo)
{
    PGconn *pg = PQconnectdb(arena_printf(a, "%s dbname=postgres", conninfo).p);
    bool ok = PQstatus(pg) == CONNECTION_OK;

    if (!ok)
        say_error("connect", pg);
    else if (ask(pg, a, "SELECT 'yes' FROM pg_database WHERE datname = 'correio'", NULL, NULL) == NULL)
        ok = run(pg, "database", "CREATE DATABASE correio");
    PQfinish(pg);
    return ok;
}

enum result migrate(const struct config *config, const char *conninfo, bool outside)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    PGconn *pg;
    bool ok;

    if (!outside && !make_database(&a, conninfo))
        return RES_TEMPFAIL;
    pg = PQconnectdb(conninfo);

    if (PQstatus(pg) != CONNECTION_OK) {
        say_error("connect", pg);
        PQfinish(pg);
        return RES_TEMPFAIL;
    }
    ok = run(pg, "session", "SET client_min_messages = warning; SET search_path = public") &&
         run(pg, "lock", "SELECT pg_advisory_lock(" LOCK_KEY ")") &&
         run(pg, "schema_migration",
             "CREATE TABLE IF NOT EXISTS schema_migration (number int PRIMARY KEY, name text NOT NULL, "
             "checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())") &&
         (!outside || run(pg, "schema_role", "CREATE TABLE IF NOT EXISTS schema_role (role text PRIMARY KEY, password text NOT NULL)"));
    for (size_t i = 0; ok && i < migrate_kinds_count; i++)
        ok = make_role(pg, &a, config, migrate_kinds[i], outside);
    ok = ok && run_all(pg, &a, config) && apply_grants(pg, &a, config) &&
         run(pg, "partitions", "SELECT trace_partitions(30)");
    PQfinish(pg); /* the lock goes with the session */
    return ok ? RES_OK : RES_INVALID;
}
