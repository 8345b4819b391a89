/* A database of the test's own, with the whole schema, on the server that CORREIO_TEST_CONNINFO names: a conninfo without
 * dbname whose user may make databases ("host=/run/postgresql user=owner").  Without it the tests that need one are
 * skipped. */
#pragma once
#include "base/strbuf.h"
#include "tests/support/cmocka.h"

#include <glob.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char database_name[64];

static inline PGconn *database_connect(const char *name, const char *role)
{
    char conninfo[512];
    PGconn *conn;

    (void)snprintf(conninfo, sizeof(conninfo), "%s dbname=%s options='-c role=%s -c client_min_messages=warning'",
                   getenv("CORREIO_TEST_CONNINFO"), name, role);
    conn = PQconnectdb(conninfo);
    if (PQstatus(conn) != CONNECTION_OK)
        fail_msg("could not connect: %s", PQerrorMessage(conn));
    return conn;
}

/* Runs SQL that must work; the first value of the last result, "" when there is none.  Valid until the next call. */
static inline const char *database_sql(PGconn *conn, const char *sql)
{
    static char value[4096];
    PGresult *res = PQexec(conn, sql);

    if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s in: %.200s", PQerrorMessage(conn), sql);
    (void)snprintf(value, sizeof(value), "%s", PQntuples(res) > 0 && PQnfields(res) > 0 ? PQgetvalue(res, 0, 0) : "");
    PQclear(res);
    return value;
}

static inline void database_file(PGconn *conn, const char *path)
{
    CLEANUP(strbuf_release) struct strbuf text = { 0 };
    FILE *f = fopen(path, "re");
    size_t n;

    if (f == NULL)
        fail_msg("could not open %s", path);
    do {
        char *room = strbuf_room(&text, 65536);

        n = fread(room, 1, 65536, f);
        text.len += n;
    } while (n > 0);
    fclose(f);
    (void)strbuf_addc(&text, '\0');
    (void)database_sql(conn, text.p);
}

/* All migrations, by their numbers. */
static inline void database_migrations(PGconn *conn)
{
    glob_t found;

    if (glob(SOURCE_DIR "/sql/migrations/*.sql", 0, NULL, &found) != 0)
        fail_msg("there are no migrations");
    for (size_t i = 0; i < found.gl_pathc; i++)
        database_file(conn, found.gl_pathv[i]);
    globfree(&found);
}

/* Makes it; false: there is no server to make it on. */
static inline bool database_create(void)
{
    static const char roles[] =
        "DO $$ DECLARE r text; BEGIN FOREACH r IN ARRAY ARRAY['auth', 'smtp', 'access', 'relay', 'mda', 'api'] LOOP"
        " BEGIN EXECUTE 'CREATE ROLE correio_' || r; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;"
        " END LOOP; END $$";
    char sql[128];
    PGconn *conn;

    if (getenv("CORREIO_TEST_CONNINFO") == NULL)
        return false;
    (void)snprintf(database_name, sizeof(database_name), "correio_test_%d", (int)getpid());
    conn = database_connect("postgres", "none");
    (void)database_sql(conn, roles);
    (void)snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'", database_name);
    (void)database_sql(conn, sql);
    PQfinish(conn);
    conn = database_connect(database_name, "none");
    database_migrations(conn);
    database_file(conn, SOURCE_DIR "/sql/roles.sql");
    PQfinish(conn);
    return true;
}

static inline void database_drop(void)
{
    PGconn *conn = database_connect("postgres", "none");
    char sql[128];

    (void)snprintf(sql, sizeof(sql), "DROP DATABASE %s WITH (FORCE)", database_name);
    (void)database_sql(conn, sql);
    PQfinish(conn);
}

/* For db_new: as one of Correio's roles. */
static inline const char *database_conninfo(const char *role)
{
    static char conninfo[512];

    (void)snprintf(conninfo, sizeof(conninfo), "%s dbname=%s options='-c role=%s'", getenv("CORREIO_TEST_CONNINFO"), database_name,
                   role);
    return conninfo;
}
