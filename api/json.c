#include "api/json.h"
#include "api/json_scan.h"
#include "base/encode.h"
#include "db/db.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

enum result js_parse(struct str text, struct arena *a, struct json_object **ret, struct str *ret_error)
{
    struct json_tokener *tok;
    const char *why;
    size_t at;

    if (!json_scan(text, &at, &why)) {
        *ret_error = arena_printf(a, "The body is not JSON: %s, at byte %zu.", why, at);
        return RES_INVALID;
    }
    tok = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
    if (tok == NULL)
        abort();
    json_tokener_set_flags(tok, JSON_TOKENER_STRICT);
    *ret = json_tokener_parse_ex(tok, text.p, (int)text.len);
    if (json_tokener_get_error(tok) == json_tokener_continue) { /* a number at the end may go on: a blank ends it */
        *ret = json_tokener_parse_ex(tok, " ", 1);
    }
    if (json_tokener_get_error(tok) != json_tokener_success) {
        *ret_error = STR("The body is not JSON.");
        json_object_put(*ret);
        *ret = NULL;
        json_tokener_free(tok);
        return RES_INVALID;
    }
    json_tokener_free(tok);
    return RES_OK;
}

void js_free(struct json_object *v)
{
    json_object_put(v);
}

void js_freep(struct json_object **v)
{
    json_object_put(*v);
}

struct json_object *js_share(struct json_object *v)
{
    return json_object_get(v);
}

static struct json_object *made(struct json_object *v)
{
    if (v == NULL)
        abort(); /* out of memory */
    return v;
}

struct json_object *js_object(void)
{
    return made(json_object_new_object());
}

struct json_object *js_array(void)
{
    return made(json_object_new_array());
}

struct json_object *js_str(struct str s)
{
    return s.p == NULL ? NULL : made(json_object_new_string_len(s.p, (int)s.len));
}

struct json_object *js_int(int64_t v)
{
    return made(json_object_new_int64(v));
}

struct json_object *js_bool(bool v)
{
    return made(json_object_new_boolean(v));
}

struct json_object *js_time(int64_t us)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    return us == DB_NO_TIME ? NULL : js_str(time_text(&a, us));
}

struct json_object *js_id(char kind, int64_t id)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    return js_str(id_encode(&a, kind, id));
}

struct json_object *js_strs(const struct str *v, size_t n)
{
    struct json_object *array = js_array();

    for (size_t i = 0; i < n; i++)
        js_push(array, js_str(v[i]));
    return array;
}

struct json_object *js_ints(const int64_t *v, size_t n)
{
    struct json_object *array = js_array();

    for (size_t i = 0; i < n; i++)
        js_push(array, js_int(v[i]));
    return array;
}

void js_set(struct json_object *object, const char *name, struct json_object *value)
{
    if (json_object_object_add(object, name, value) != 0)
        abort();
}

void js_remove(struct json_object *object, const char *name)
{
    json_object_object_del(object, name);
}

void js_push(struct json_object *array, struct json_object *value)
{
    if (json_object_array_add(array, value) != 0)
        abort();
}

enum js_kind js_kind_of(const struct json_object *v)
{
    switch (json_object_get_type(v)) {
    case json_type_boolean:
        return JS_BOOL;
    case json_type_int:
        return JS_INT;
    case json_type_double:
        return JS_REAL;
    case json_type_string:
        return JS_STRING;
    case json_type_array:
        return JS_ARRAY;
    case json_type_object:
        return JS_OBJECT;
    case json_type_null:
        break;
    }
    return JS_NULL;
}

struct json_object *js_get(const struct json_object *object, const char *name, bool *ret_there)
{
    struct json_object *value = NULL;
    bool there = object != NULL && json_object_object_get_ex(object, name, &value);

    if (ret_there != NULL)
        *ret_there = there;
    return there ? value : NULL;
}

size_t js_len(const struct json_object *array)
{
    return json_object_array_length(array);
}

struct json_object *js_at(const struct json_object *array, size_t i)
{
    return json_object_array_get_idx(array, i);
}

void js_each(const struct json_object *object, void (*fn)(void *arg, struct str name, struct json_object *value), void *arg)
{
    json_object_object_foreach(object, name, value)
    {
        fn(arg, str_c(name), value);
    }
}

struct str js_get_str(const struct json_object *v)
{
    if (json_object_get_type(v) != json_type_string)
        return STR_NULL;
    return str_of(json_object_get_string((struct json_object *)(uintptr_t)v), (size_t)json_object_get_string_len(v));
}

double js_get_real(const struct json_object *v)
{
    return json_object_get_double(v);
}

bool js_is_whole(const struct json_object *v)
{
    double d;

    if (json_object_get_type(v) == json_type_int)
        return true;
    if (json_object_get_type(v) != json_type_double)
        return false;
    d = json_object_get_double(v);
    return isfinite(d) && d == trunc(d);
}

bool js_is_int(const struct json_object *v)
{
    if (json_object_get_type(v) == json_type_int) /* json-c cuts what is larger to 2^64-1 */
        return json_object_get_uint64(v) <= INT64_MAX || json_object_get_int64(v) < 0;
    return js_is_whole(v) && fabs(json_object_get_double(v)) <= 9007199254740992.0;
}

int64_t js_get_int(const struct json_object *v)
{
    return json_object_get_int64(v);
}

bool js_get_bool(const struct json_object *v)
{
    return json_object_get_boolean(v);
}

bool js_equal(struct json_object *x, struct json_object *y)
{
    return json_object_equal(x, y) != 0;
}

struct str js_text(struct json_object *v, struct arena *a)
{
    size_t len;
    const char *p = json_object_to_json_string_length(v, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);

    return arena_str(a, str_of(p, len));
}

/* ---- times ---- */

struct str time_text(struct arena *a, int64_t us)
{
    int64_t ms = us / 1000 - (us % 1000 < 0);
    time_t s = ms / 1000 - (ms % 1000 < 0);
    struct tm tm;

    gmtime_r(&s, &tm);
    return arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                        tm.tm_min, tm.tm_sec, (int)(ms - (int64_t)s * 1000));
}

/* Exactly n digits. */
static bool digits(struct str *rest, size_t n, int *ret)
{
    uint64_t v;

    if (rest->len < n || !str_u64(str_sub(*rest, 0, n), 9999, &v))
        return false;
    *ret = (int)v;
    *rest = str_from(*rest, n);
    return true;
}

static bool sign(struct str *rest, const char *any_of)
{
    if (rest->len == 0 || rest->p[0] == '\0' || strchr(any_of, rest->p[0]) == NULL)
        return false;
    *rest = str_from(*rest, 1);
    return true;
}

/* RFC 3339, 5.6. */
enum result time_parse(struct str text, int64_t *ret_us)
{
    struct str rest = text;
    struct tm tm = { 0 };
    int64_t fraction = 0, unit = 100000, offset = 0;
    time_t s;
    int hours, minutes, day, month;

    if (!digits(&rest, 4, &tm.tm_year) || !sign(&rest, "-") || !digits(&rest, 2, &tm.tm_mon) || !sign(&rest, "-") ||
        !digits(&rest, 2, &tm.tm_mday) || !sign(&rest, "Tt ") || !digits(&rest, 2, &tm.tm_hour) || !sign(&rest, ":") ||
        !digits(&rest, 2, &tm.tm_min) || !sign(&rest, ":") || !digits(&rest, 2, &tm.tm_sec))
        return RES_INVALID;
    if (sign(&rest, ".")) {
        if (rest.len == 0 || !ascii_digit(rest.p[0]))
            return RES_INVALID;
        for (; rest.len > 0 && ascii_digit(rest.p[0]); rest = str_from(rest, 1), unit /= 10)
            fraction += unit * (rest.p[0] - '0');
    }
    if (!sign(&rest, "Zz")) {
        bool minus = rest.len > 0 && rest.p[0] == '-';

        if (!sign(&rest, "+-") || !digits(&rest, 2, &hours) || !sign(&rest, ":") || !digits(&rest, 2, &minutes) ||
            hours > 23 || minutes > 59)
            return RES_INVALID;
        offset = (minus ? -1 : 1) * (hours * 3600 + minutes * 60);
    }
    day = tm.tm_mday;
    month = tm.tm_mon;
    if (rest.len > 0 || month < 1 || month > 12 || day < 1 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60)
        return RES_INVALID;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    s = timegm(&tm);
    if (tm.tm_mday != day || tm.tm_mon != month - 1) /* the 30th of February */
        return RES_INVALID;
    *ret_us = ((int64_t)s - offset) * 1000000 + fraction;
    return RES_OK;
}
