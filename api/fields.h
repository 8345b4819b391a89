/* api/fields.h - the members of a JSON body, by a table: types, limits, unknown and read-only ones; all errors at once.
 *
 * After fields_check and errors_of_body a handler may take a member's value without asking for its type. */
#pragma once
#include "api/request.h"

enum field_type {
    FIELD_STRING,  /* min, max: characters; no control characters unless `any_text` */
    FIELD_INT,     /* min, max: the value */
    FIELD_WORD,    /* one of `words` */
    FIELD_OBJECT,  /* with `members` */
    FIELD_STRINGS, /* array of min to max different strings, each at most `each` characters, or one of `words` */
    FIELD_BOOL,
    FIELD_TRUE,    /* nothing but true */
    FIELD_ANY,     /* the handler checks it */
    FIELD_KEPT,    /* read-only: as it is in the present object, or an error */
};

struct field {
    const char *name;
    enum field_type type;
    bool required, nullable, any_text;
    int64_t min, max;
    size_t each;
    const char *const *words;
    size_t n_words;
    const struct field *members;
    size_t n_members;
};

/* The body as an object; an empty one when there is no body and `optional` is set.  NULL: it is none; it has been
 * answered (400, 413, 415, 422).  Lives as long as the request. */
struct json_object *body_object(struct request *r, bool optional);
/* Checks `object`, whose place is `pointer` ("" for the body itself).  present: the object as it is now, for FIELD_KEPT;
 * NULL: there is none. */
void fields_check(struct request *r, struct json_object *object, struct str pointer, const struct field *fields, size_t n,
                  struct json_object *present);

/* Values, once the check is through.  Absent: `otherwise`.  Null: STR_NULL, and `null_int`. */
struct str field_str(const struct json_object *object, const char *name, struct str otherwise);
int64_t field_int(const struct json_object *object, const char *name, int64_t null_int, int64_t otherwise);
/* The place of the word; null is `otherwise`, too. */
int field_word(const struct json_object *object, const char *name, const char *const *words, size_t n, int otherwise);
/* The strings of an array, in the request's arena; false: absent or null. */
bool field_strs(struct request *r, const struct json_object *object, const char *name, struct str **ret_v, size_t *ret_n);
bool field_bool(const struct json_object *object, const char *name, bool otherwise);
bool field_there(const struct json_object *object, const char *name);
