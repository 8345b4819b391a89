#include "store/setting.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "config/settings.h"

#include <stdlib.h>

#define LOOK_MS 1500 /* every process follows a change within two seconds */

static struct {
    const struct config *config;
    struct db *db;
} self;

enum result setting_list(struct db *db, struct arena *a, struct setting_row **ret_v, size_t *ret_n)
{
    static const struct db_stmt stmt = { "setting_list",
        "SELECT key, value #>> '{}', version, changed_at, changed_by FROM setting ORDER BY key" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);
    size_t n;
    struct setting_row *v;

    if (r != RES_OK)
        return r;
    n = db_count(&rows);
    v = arena_array(a, struct setting_row, n + 1);
    for (size_t i = 0; i < n; i++) {
        v[i] = (struct setting_row){ .key = arena_str(a, db_get_str(&rows, i, 0)),
                                     .value = arena_str(a, db_get_str(&rows, i, 1)),
                                     .version = db_get_int(&rows, i, 2),
                                     .changed_us = db_get_time(&rows, i, 3),
                                     .changed_by = arena_str(a, db_get_str(&rows, i, 4)) };
    }
    *ret_v = v;
    *ret_n = n;
    return RES_OK;
}

enum result setting_load(const struct config *config, struct db *db)
{
    struct arena a = { 0 };
    CLEANUP(arena_releasep) struct arena scratch = { 0 };
    struct settings *s = arena_new(&a, struct settings);
    struct setting_row *rows;
    struct str *keys, *values, source;
    size_t n, m = 0;
    enum result r = setting_list(db, &scratch, &rows, &n);

    if (r != RES_OK) {
        arena_reset(&a);
        return r;
    }
    keys = arena_array(&scratch, struct str, n + setting_defs_count);
    values = arena_array(&scratch, struct str, n + setting_defs_count);
    for (size_t i = 0; i < n; i++) {
        keys[m] = rows[i].key;
        values[m++] = rows[i].value;
    }
    for (size_t i = 0; i < setting_defs_count; i++) {
        keys[m] = str_c(setting_defs[i].key);
        if (config_fixed_setting(config, keys[m], &scratch, &values[m], &source) == RES_OK)
            m++;
    }
    settings_build(&a, keys, values, m, s);
    if (s->hostname.len == 0)
        s->hostname = arena_str(&a, config->node);
    settings_install(s, &a);
    return RES_OK;
}

/* A figure that every change of the settings changes. */
static enum result state_of_settings(struct db *db, struct str *ret_state, struct arena *a)
{
    static const struct db_stmt stmt = { "setting_state",
        "SELECT count(*) || ' ' || coalesce(sum(version), 0) || ' ' || coalesce(max(changed_at)::text, '') FROM setting" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r = db_query(db, &stmt, NULL, 0, &rows);

    if (r == RES_OK)
        *ret_state = arena_str(a, db_get_str(&rows, 0, 0));
    return r;
}

/* By looking, not by LISTEN: every NOTIFY wakes every listening server process, whatever its channel, and there is one
 * with each commit of mail. */
static void follow(void *arg)
{
    struct arena a = { 0 }, fresh = { 0 };
    struct str seen = STR_NULL, now;

    (void)arg;
    while (coroutine_sleep(LOOK_MS) == RES_OK) {
        if (state_of_settings(self.db, &now, &fresh) == RES_OK && !str_eq(now, seen) &&
            setting_load(self.config, self.db) == RES_OK) {
            arena_reset(&a);
            a = fresh;
            fresh = (struct arena){ 0 };
            seen = now;
        }
        arena_reset(&fresh);
    }
    arena_reset(&a);
}

void setting_follow(const struct config *config, struct db *db)
{
    self.config = config;
    self.db = db;
    (void)coroutine_spawn("settings", follow, NULL);
}

/* The value as a JSON string. */
static struct str json_string(struct arena *a, struct str s)
{
    struct strbuf b = { 0 };
    struct str out;

    strbuf_addc(&b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            strbuf_addc(&b, '\\');
        strbuf_addc(&b, s.p[i]); /* setting_check lets no control characters through */
    }
    strbuf_addc(&b, '"');
    out = arena_str(a, strbuf_str(&b));
    strbuf_release(&b);
    return out;
}

static enum result put_one(struct tx *tx, const struct setting_write *w, struct str actor)
{
    static const struct db_stmt insert = { "setting_insert",
        "INSERT INTO setting (key, value, changed_by) VALUES ($1, $2, $3) ON CONFLICT (key) DO UPDATE "
        "SET value = $2, changed_by = $3, changed_at = now(), version = setting.version + 1 "
        "WHERE $4 = -1 OR setting.version = $4 RETURNING version" };
    static const struct db_stmt update = { "setting_update",
        "UPDATE setting SET value = $2, changed_by = $3, changed_at = now(), version = version + 1 "
        "WHERE key = $1 AND version = $4 RETURNING version" };
    static const struct db_stmt delete = { "setting_delete",
        "DELETE FROM setting WHERE key = $1 AND ($2 = -1 OR version = $2) RETURNING 0::bigint" };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    enum result r;

    if (w->value.p != NULL) {
        const struct db_param params[] = { db_text(w->key), db_json(json_string(&a, w->value)), db_text(actor),
                                           db_int8(w->if_version) };

        r = tx_query(tx, w->if_version > 0 ? &update : &insert, params, ARRAY_LEN(params), &rows);
    } else {
        const struct db_param params[] = { db_text(w->key), db_int8(w->if_version) };

        r = tx_query(tx, &delete, params, ARRAY_LEN(params), &rows);
    }
    if (r != RES_OK)
        return r;
    return db_count(&rows) == 0 && (w->value.p != NULL || w->if_version > 0) ? RES_CONFLICT : RES_OK;
}

enum result setting_put_all(struct db *db, const struct setting_write *v, size_t n, struct str actor, const struct audit *audit)
{
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, STR_NULL, &tx);

    for (size_t i = 0; r == RES_OK && i < n; i++)
        r = put_one(tx, &v[i], actor);
    return r == RES_OK ? audit_commit(&tx, audit) : r;
}

enum result setting_put(struct db *db, struct str key, struct str value, struct str actor, int64_t if_version,
                        const struct audit *audit)
{
    const struct setting_write w = { key, value, if_version };

    return setting_put_all(db, &w, 1, actor, audit);
}
