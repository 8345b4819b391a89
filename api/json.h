/* api/json.h - JSON for the API: the only place where json-c is called.
 *
 * Values are json-c's, opaque here; NULL is null.  js_set and js_push take the value over.  A tree that a request makes
 * is released with it (request_keep, or by an answer). */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

struct json_object;

/* Strict JSON only (json_scan.h).  RES_INVALID: *ret_error is a sentence. */
enum result js_parse(struct str text, struct arena *a, struct json_object **ret, struct str *ret_error) NODISCARD;
void js_free(struct json_object *v);
void js_freep(struct json_object **v);
/* The same tree held once more. */
struct json_object *js_share(struct json_object *v);

struct json_object *js_object(void);
struct json_object *js_array(void);
struct json_object *js_str(struct str s); /* STR_NULL: null */
struct json_object *js_int(int64_t v);
struct json_object *js_bool(bool v);
struct json_object *js_time(int64_t us);              /* RFC 3339 with milliseconds; DB_NO_TIME: null */
struct json_object *js_id(char kind, int64_t id);     /* as base/encode.h writes ids */
struct json_object *js_strs(const struct str *v, size_t n);
struct json_object *js_ints(const int64_t *v, size_t n);
void js_set(struct json_object *object, const char *name, struct json_object *value);
void js_remove(struct json_object *object, const char *name);
void js_push(struct json_object *array, struct json_object *value);

enum js_kind { JS_NULL, JS_BOOL, JS_INT, JS_REAL, JS_STRING, JS_ARRAY, JS_OBJECT };
enum js_kind js_kind_of(const struct json_object *v);
/* The member; *ret_there (may be NULL) tells absent from null. */
struct json_object *js_get(const struct json_object *object, const char *name, bool *ret_there);
size_t js_len(const struct json_object *array);
struct json_object *js_at(const struct json_object *array, size_t i);
/* Calls fn for each member. */
void js_each(const struct json_object *object, void (*fn)(void *arg, struct str name, struct json_object *value), void *arg);
struct str js_get_str(const struct json_object *v); /* a string's bytes, valid as long as it; else STR_NULL */
int64_t js_get_int(const struct json_object *v);    /* a number, also a real one without fraction */
double js_get_real(const struct json_object *v);
/* Whether v is a number without fraction; and one that an int64_t holds, which js_get_int then gives as it is. */
bool js_is_whole(const struct json_object *v);
bool js_is_int(const struct json_object *v);
bool js_get_bool(const struct json_object *v);
bool js_equal(struct json_object *x, struct json_object *y);
/* The text, in the arena. */
struct str js_text(struct json_object *v, struct arena *a);

/* Microseconds as "2026-11-23T13:50:02.113Z", and back (also without fraction and with an offset).  RES_INVALID. */
struct str time_text(struct arena *a, int64_t us);
enum result time_parse(struct str text, int64_t *ret_us) NODISCARD;
