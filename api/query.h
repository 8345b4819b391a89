/* api/query.h - the parameters of a request's query: an unknown one is an error, never ignored.
 *
 * A handler names what it takes (query_begin), reads the values, and then asks errors_of_query once. */
#pragma once
#include "api/request.h"

#define LIST_MAX_LIMIT 200

/* Notes an error for each parameter that is not among `names`, and for one of `singles` that stands twice. */
void query_begin(struct request *r, const char *const *singles, size_t n_singles, const char *const *repeated,
                 size_t n_repeated);
/* The value; STR_NULL when it is not there.  It is not longer than max characters, at least min, and without control
 * characters. */
struct str query_text(struct request *r, const char *name, size_t min, size_t max);
int64_t query_int(struct request *r, const char *name, int64_t min, int64_t max, int64_t otherwise);
bool query_bool(struct request *r, const char *name, bool otherwise);
/* The place of the value in `words`, `otherwise` when it is not there. */
int query_word(struct request *r, const char *name, const char *const *words, size_t n, int otherwise);
/* All values of a repeated parameter, at most 20. */
size_t query_texts(struct request *r, const char *name, size_t max, const struct str **ret_v);
/* The same in lower case. */
size_t query_lowered(struct request *r, const char *name, size_t max, const struct str **ret_v);
/* A bit 1 << place for each value; 0 when it is not there. */
unsigned query_words(struct request *r, const char *name, const char *const *words, size_t n);
/* RFC 3339 or "-24h", in microseconds; DB_NO_TIME when it is not there. */
int64_t query_time(struct request *r, const char *name);

/* ---- lists ---- */

struct list_page {
    size_t limit;
    bool descending, count;
    struct str after; /* the place behind which the page begins; STR_NULL: the first page */
};
/* limit, cursor, and where `with_sort` and `with_count` say so sort ("name" or "-name") and count.  False: the cursor is
 * none of this list; it has been answered. */
bool query_page(struct request *r, const char *sort, bool with_count, struct list_page *ret);
/* Answers with {"data", "next"[, "count"]} and the Link field.  `data` is taken over.  last: the place of the last row;
 * STR_NULL: this was the last page.  count: -1 none. */
void reply_page(struct request *r, struct json_object *data, struct str last, int64_t count);
#define COUNT_AT_MOST INT64_C(10000)
