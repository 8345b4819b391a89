/* /settings and /settings/{key} */
#include "config/settings.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/record.h"
#include "store/setting.h"

static const struct field members[] = {
    { .name = "value", .type = FIELD_STRING, .required = true, .max = 65536, .any_text = true },
};

/* ---- the table's types, and values as the API writes them ---- */

static struct str type_of(const struct setting_def *def)
{
    if (strcmp(def->type, "duration-list") == 0)
        return STR("duration_list");
    if (strcmp(def->type, "cleartext") == 0)
        return STR("string");
    return str_c(def->type);
}

/* Each route has a line of its own here. */
static struct str to_api(const struct setting_def *def, struct str value, struct arena *a)
{
    if (strcmp(def->type, "routes") == 0) {
        char *lines = arena_cstr(a, value);

        for (size_t i = 0; i < value.len; i++) {
            if (lines[i] == ' ')
                lines[i] = '\n';
        }
        return str_of(lines, value.len);
    }
    return value;
}

static struct str from_api(const struct setting_def *def, struct str value, struct arena *a)
{
    char *text;

    if (strcmp(def->type, "routes") != 0)
        return value;
    text = arena_cstr(a, value);
    for (size_t i = 0; i < value.len; i++) {
        if (text[i] == '\n' || text[i] == '\r' || text[i] == '\t')
            text[i] = ' ';
    }
    return str_of(text, value.len);
}

static struct json_object *choices_of(const struct setting_def *def)
{
    static const struct str languages[] = { STR("en"), STR("pt-BR") };
    static const struct str checks[] = { STR("header"), STR("envelope"), STR("off") };
    static const struct str replies[] = { STR("452"), STR("552") };

    if (strcmp(def->key, "server.language") == 0)
        return js_strs(languages, ARRAY_LEN(languages));
    if (strcmp(def->key, "quota.full_reply") == 0)
        return js_strs(replies, ARRAY_LEN(replies));
    return strcmp(def->key, "smtp.sender_check") == 0 ? js_strs(checks, ARRAY_LEN(checks)) : js_array();
}

/* row: what the database has; NULL: nothing. */
static struct json_object *to_json(struct request *r, const struct setting_def *def, const struct setting_row *row)
{
    struct json_object *o = js_object(), *changed = NULL;
    struct str fixed, source = row != NULL ? STR("page") : STR("default");
    struct str value = row != NULL ? row->value : str_c(def->default_value), error;
    bool is_fixed = config_fixed_setting(r->service->config, str_c(def->key), &r->arena, &fixed, &source) == RES_OK;

    if (is_fixed && setting_check(str_c(def->key), fixed, &r->arena, &value, &error) != RES_OK)
        value = str_c(def->default_value); /* as config/settings.c does */
    if (row != NULL) {
        changed = js_object();
        js_set(changed, "at", js_time(row->changed_us));
        js_set(changed, "by", js_str(row->changed_by));
    }
    js_set(o, "key", js_str(str_c(def->key)));
    js_set(o, "type", js_str(type_of(def)));
    js_set(o, "value", js_str(to_api(def, value, &r->arena)));
    js_set(o, "default", js_str(to_api(def, str_c(def->default_value), &r->arena)));
    js_set(o, "source", js_str(source));
    js_set(o, "editable", js_bool(!is_fixed));
    js_set(o, "applies", js_str(def->restart ? STR("restart") : STR("now")));
    if (strcmp(def->type, "choice") == 0)
        js_set(o, "choices", choices_of(def));
    js_set(o, "changed", changed);
    js_set(o, "version", js_int(row != NULL ? row->version : 0));
    return o;
}

static const struct setting_row *row_of(const struct setting_row *rows, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(rows[i].key, str_c(key)))
            return &rows[i];
    }
    return NULL;
}

void settings_list(struct request *r)
{
    struct setting_row *rows;
    struct json_object *body, *data;
    size_t n;
    enum result result = setting_list(r->service->db, &r->arena, &rows, &n);

    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < setting_defs_count; i++)
        js_push(data, to_json(r, &setting_defs[i], row_of(rows, n, setting_defs[i].key)));
    body = js_object();
    js_set(body, "data", data);
    js_set(body, "next", NULL);
    reply_json(r, 200, body);
}

/* The setting of the path as it is now.  NULL: answered. */
static struct json_object *take(struct request *r, const struct setting_def **ret_def, int64_t *ret_version)
{
    struct setting_row *rows;
    const struct setting_row *row;
    size_t n;
    enum result result;

    *ret_def = setting_def_find(r->params[0]);
    if (*ret_def == NULL) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return NULL;
    }
    result = setting_list(r->service->db, &r->arena, &rows, &n);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return NULL;
    }
    row = row_of(rows, n, (*ret_def)->key);
    *ret_version = row != NULL ? row->version : 0;
    return request_keep(r, to_json(r, *ret_def, row));
}

static void answer(struct request *r)
{
    const struct setting_def *def;
    int64_t version;
    struct json_object *setting = take(r, &def, &version);

    if (setting != NULL)
        reply_object(r, 200, js_share(setting), version);
}

void settings_get_one(struct request *r)
{
    answer(r);
}

/* May it be written, and is it the version that the caller saw?  False: answered. */
static bool writable(struct request *r, struct json_object *setting, int64_t version, int64_t now)
{
    if (!js_get_bool(js_get(setting, "editable", NULL)))
        problem(r, PROBLEM_READ_ONLY, NULL);
    else if (version != VERSION_ANY && version != now)
        problem_with(r, PROBLEM_STALE, "current", js_share(setting));
    else
        return true;
    return false;
}

static void store(struct request *r, const struct setting_def *def, struct json_object *before, struct str value,
                  int64_t version)
{
    struct json_object *after = value.p == NULL ? NULL : js_str(value);
    const struct setting_def *again;
    int64_t now;
    const struct audit *audit = record(r, value.p != NULL ? "setting.put" : "setting.delete", str_c(def->key),
                                       js_share(js_get(before, "value", NULL)), after);
    enum result result = setting_put(r->service->db, str_c(def->key), value, r->caller.actor, version, audit);

    if (result == RES_OK) {
        answer(r);
    } else if (result == RES_CONFLICT) {
        before = take(r, &again, &now);
        if (before != NULL)
            problem_with(r, PROBLEM_STALE, "current", js_share(before));
    } else {
        problem_of_result(r, result);
    }
}

void settings_put(struct request *r)
{
    const struct setting_def *def;
    struct json_object *body, *setting;
    struct str value, error;
    int64_t version, now;

    if (setting_def_find(r->params[0]) == NULL) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return;
    }
    if (!match_version(r, true, &version) || (body = body_object(r, false)) == NULL ||
        (setting = take(r, &def, &now)) == NULL || !writable(r, setting, version, now))
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (r->errors == NULL && setting_check(str_c(def->key), from_api(def, field_str(body, "value", STR("")), &r->arena),
                                           &r->arena, &value, &error) != RES_OK)
        error_at(r, STR("/value"), "syntax", "%.*s", STR_ARG(error));
    if (!errors_of_body(r))
        store(r, def, setting, value, version == VERSION_ANY ? -1 : version);
}

void settings_delete(struct request *r)
{
    const struct setting_def *def;
    struct json_object *setting;
    int64_t version, now;

    if (setting_def_find(r->params[0]) == NULL) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return;
    }
    if (match_version(r, true, &version) && (setting = take(r, &def, &now)) != NULL && writable(r, setting, version, now))
        store(r, def, setting, STR_NULL, version == VERSION_ANY ? -1 : version);
}
