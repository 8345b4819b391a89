#include "api/fields.h"
#include "api/problem.h"
#include "api/words.h"

#include <stdlib.h>

static bool is_json_type(struct str type)
{
    type = str_trim(str_sub(type, 0, str_chr(type, ';')));
    return str_ieq(type, STR("application/json")) || str_ieq(type, STR("application/merge-patch+json"));
}

static bool type_accepted(struct request *r)
{
    struct str type = request_header(r, STR("Content-Type"));

    if (request_header(r, STR("Content-Encoding")).p != NULL || type.p == NULL || !is_json_type(type))
        return false;
    return str_eq(r->method, STR("PATCH")) || str_ieq(str_trim(str_sub(type, 0, str_chr(type, ';'))), STR("application/json"));
}

struct json_object *body_object(struct request *r, bool optional)
{
    struct json_object *body;
    struct str error;

    if (optional && r->body.len == 0)
        return request_keep(r, js_object());
    if (!type_accepted(r)) {
        problem(r, PROBLEM_UNSUPPORTED_MEDIA_TYPE, NULL);
        return NULL;
    }
    if (js_parse(strbuf_str(&r->body), &r->arena, &body, &error) != RES_OK) {
        problem(r, PROBLEM_MALFORMED, "%.*s", STR_ARG(error));
        return NULL;
    }
    if (body != NULL)
        request_keep(r, body);
    if (js_kind_of(body) != JS_OBJECT) {
        error_at(r, STR(""), "type", "The body is not an object.");
        (void)errors_of_body(r);
        return NULL;
    }
    return body;
}

/* ---- one value ---- */

static void check_string(struct request *r, struct json_object *value, struct str place, const struct field *f)
{
    struct str s = js_get_str(value);
    size_t length = word_length(s);

    if (js_kind_of(value) != JS_STRING)
        error_at(r, place, "type", "It is not a string.");
    else if ((int64_t)length < f->min)
        error_at(r, place, "too-short", "It is shorter than %lld characters.", (long long)f->min);
    else if ((int64_t)length > f->max)
        error_at(r, place, "too-long", "It is longer than %lld characters.", (long long)f->max);
    else if (f->any_text ? memchr(s.p, 0, s.len) != NULL : word_has_control(s))
        error_at(r, place, "syntax", "It holds a control character.");
}

static void check_int(struct request *r, struct json_object *value, struct str place, const struct field *f)
{
    if (!js_is_whole(value))
        error_at(r, place, "type", "It is not a whole number.");
    else if (js_get_real(value) > (double)f->max || (js_is_int(value) && js_get_int(value) > f->max))
        error_at(r, place, "maximum", "It is more than %lld.", (long long)f->max);
    else if (js_get_real(value) < (double)f->min || js_get_int(value) < f->min)
        error_at(r, place, "minimum", "It is less than %lld.", (long long)f->min);
}

static void check_word(struct request *r, struct json_object *value, struct str place, const struct field *f)
{
    struct str s = word_clip(js_get_str(value), 60);

    if (js_kind_of(value) != JS_STRING)
        error_at(r, place, "type", "It is not a string.");
    else if (word_find(js_get_str(value), f->words, f->n_words) < 0)
        error_at(r, place, "enum", "\"%.*s\" is not one of its values.%.*s", STR_ARG(s),
                 STR_ARG(word_hint(&r->arena, s, f->words, f->n_words)));
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(*(const struct str *)x, *(const struct str *)y);
}

static void check_unique(struct request *r, struct json_object *value, struct str place)
{
    size_t n = js_len(value);
    struct str *v = arena_array(&r->arena, struct str, n + 1);

    for (size_t i = 0; i < n; i++)
        v[i] = js_get_str(js_at(value, i));
    qsort(v, n, sizeof(*v), by_text);
    for (size_t i = 1; i < n; i++) {
        if (v[i].p != NULL && str_eq(v[i - 1], v[i])) {
            error_at(r, place, "duplicate", "\"%.*s\" stands twice.", STR_ARG(word_clip(v[i], 60)));
            return;
        }
    }
}

static void check_strings(struct request *r, struct json_object *value, struct str place, const struct field *f)
{
    const struct field one = { .type = f->words != NULL ? FIELD_WORD : FIELD_STRING, .max = (int64_t)f->each,
                               .words = f->words, .n_words = f->n_words };
    size_t n;

    if (js_kind_of(value) != JS_ARRAY) {
        error_at(r, place, "type", "It is not a list.");
        return;
    }
    n = js_len(value);
    if ((int64_t)n < f->min || (int64_t)n > f->max) {
        error_at(r, place, (int64_t)n < f->min ? "too-short" : "too-long", "It does not have from %lld to %lld entries.",
                 (long long)f->min, (long long)f->max);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct str at = arena_printf(&r->arena, "%.*s/%zu", STR_ARG(place), i);

        if (one.type == FIELD_WORD)
            check_word(r, js_at(value, i), at, &one);
        else
            check_string(r, js_at(value, i), at, &one);
    }
    check_unique(r, value, place);
}

static void check_value(struct request *r, struct json_object *value, struct str place, const struct field *f,
                        struct json_object *present)
{
    bool there;
    struct json_object *now = js_get(present, f->name, &there);

    if (f->type == FIELD_KEPT) {
        if (!there || !js_equal(now, value))
            error_at(r, place, "read-only", "It cannot be changed.");
        return;
    }
    if (value == NULL) {
        if (!f->nullable)
            error_at(r, place, "type", "It cannot be null.");
        return;
    }
    switch (f->type) {
    case FIELD_STRING:
        check_string(r, value, place, f);
        break;
    case FIELD_INT:
        check_int(r, value, place, f);
        break;
    case FIELD_WORD:
        check_word(r, value, place, f);
        break;
    case FIELD_STRINGS:
        check_strings(r, value, place, f);
        break;
    case FIELD_BOOL:
        if (js_kind_of(value) != JS_BOOL)
            error_at(r, place, "type", "It is neither true nor false.");
        break;
    case FIELD_TRUE:
        if (js_kind_of(value) != JS_BOOL || !js_get_bool(value))
            error_at(r, place, "enum", "It can only be true.");
        break;
    case FIELD_OBJECT:
        if (js_kind_of(value) == JS_OBJECT)
            fields_check(r, value, place, f->members, f->n_members, now);
        else
            error_at(r, place, "type", "It is not an object.");
        break;
    case FIELD_ANY:
    case FIELD_KEPT:
        break;
    }
}

/* ---- an object ---- */

struct check {
    struct request *r;
    struct str pointer;
    const struct field *fields;
    size_t n;
    struct json_object *present;
};

/* A name as part of a JSON Pointer (RFC 6901, 3). */
static struct str place_of(const struct check *c, struct str name)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 4096 };

    strbuf_add(&b, c->pointer);
    strbuf_addc(&b, '/');
    name = word_clip(name, 200);
    for (size_t i = 0; i < name.len; i++) {
        if (name.p[i] == '~')
            strbuf_adds(&b, "~0");
        else if (name.p[i] == '/')
            strbuf_adds(&b, "~1");
        else
            strbuf_addc(&b, name.p[i]);
    }
    return arena_str(&c->r->arena, strbuf_str(&b));
}

static void check_member(void *arg, struct str name, struct json_object *value)
{
    const struct check *c = arg;
    const char **known = arena_array(&c->r->arena, const char *, c->n + 1);

    for (size_t i = 0; i < c->n; i++) {
        if (str_eq(name, str_c(c->fields[i].name))) {
            check_value(c->r, value, place_of(c, name), &c->fields[i], c->present);
            return;
        }
        known[i] = c->fields[i].name;
    }
    error_at(c->r, place_of(c, name), "unknown-field", "There is no member of this name.%.*s",
             STR_ARG(word_hint(&c->r->arena, name, known, c->n)));
}

void fields_check(struct request *r, struct json_object *object, struct str pointer, const struct field *fields, size_t n,
                  struct json_object *present)
{
    struct check c = { r, pointer, fields, n, present };

    js_each(object, check_member, &c);
    for (size_t i = 0; i < n; i++) {
        if (fields[i].required && !field_there(object, fields[i].name))
            error_at(r, place_of(&c, str_c(fields[i].name)), "required", "It is missing.");
    }
}

/* ---- values ---- */

bool field_there(const struct json_object *object, const char *name)
{
    bool there;

    (void)js_get(object, name, &there);
    return there;
}

struct str field_str(const struct json_object *object, const char *name, struct str otherwise)
{
    bool there;
    struct json_object *value = js_get(object, name, &there);

    return there ? js_get_str(value) : otherwise;
}

int64_t field_int(const struct json_object *object, const char *name, int64_t null_int, int64_t otherwise)
{
    bool there;
    struct json_object *value = js_get(object, name, &there);

    return !there ? otherwise : value == NULL ? null_int : js_get_int(value);
}

int field_word(const struct json_object *object, const char *name, const char *const *words, size_t n, int otherwise)
{
    struct str s = js_get_str(js_get(object, name, NULL));
    int at = s.p == NULL ? -1 : word_find(s, words, n);

    return at < 0 ? otherwise : at;
}

bool field_bool(const struct json_object *object, const char *name, bool otherwise)
{
    bool there;
    struct json_object *value = js_get(object, name, &there);

    return there ? js_get_bool(value) : otherwise;
}

bool field_strs(struct request *r, const struct json_object *object, const char *name, struct str **ret_v, size_t *ret_n)
{
    struct json_object *array = js_get(object, name, NULL);
    struct str *v;

    if (js_kind_of(array) != JS_ARRAY)
        return false;
    v = arena_array(&r->arena, struct str, js_len(array) + 1);
    for (size_t i = 0; i < js_len(array); i++)
        v[i] = arena_str(&r->arena, js_get_str(js_at(array, i)));
    *ret_v = v;
    *ret_n = js_len(array);
    return true;
}
