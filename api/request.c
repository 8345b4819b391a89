#include "api/request.h"
#include "api/problem.h"
#include "base/encode.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_QUERY 200

struct request *request_new(struct service *service, struct str method, struct str target)
{
    struct request *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    r->service = service;
    r->refs = 1;
    r->id = random_id(&r->arena);
    r->method = arena_str(&r->arena, method);
    r->target = arena_str(&r->arena, target);
    r->body.max = REQUEST_MAX_BODY;
    return r;
}

void request_unref(struct request *r)
{
    if (--r->refs > 0)
        return;
    js_free(r->errors);
    js_free(r->kept);
    if (r->body.p != NULL)
        explicit_bzero(r->body.p, r->body.cap); /* passwords come here */
    strbuf_release(&r->body);
    arena_reset(&r->arena);
    free(r);
}

/* ---- the target ---- */

static int hex_value(char c)
{
    c = ascii_lower(c);
    return ascii_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoding (RFC 3986, 2.1); in a query "+" is a blank.  False: a broken escape, NUL, or not UTF-8. */
static bool decode(struct arena *a, struct str s, bool query, struct str *ret)
{
    char *out = arena_alloc(a, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '%') {
            int high, low;

            if (i + 2 >= s.len)
                return false;
            high = hex_value(s.p[i + 1]);
            low = hex_value(s.p[i + 2]);
            if (high < 0 || low < 0)
                return false;
            out[n++] = (char)(high << 4 | low);
            i += 2;
        } else {
            out[n++] = query && s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    *ret = str_of(out, n);
    return n == 0 || str_is_utf8(*ret); /* which has no NUL */
}

static bool parse_query(struct request *r, struct str text)
{
    struct str pair;

    r->query = arena_array(&r->arena, struct header, MAX_QUERY);
    while (str_split(&text, '&', &pair)) {
        size_t eq = str_chr(pair, '=');
        struct header *q;

        if (pair.len == 0)
            continue;
        if (r->n_query == MAX_QUERY)
            return false;
        q = &r->query[r->n_query++];
        if (!decode(&r->arena, str_sub(pair, 0, eq), true, &q->name) ||
            !decode(&r->arena, str_from(pair, eq == SIZE_MAX ? pair.len : eq + 1), true, &q->value))
            return false;
    }
    return true;
}

bool request_parse_target(struct request *r)
{
    size_t mark = str_chr(r->target, '?');

    r->path = str_sub(r->target, 0, mark);
    for (size_t i = 0; i < r->target.len; i++) {
        if ((unsigned char)r->target.p[i] <= ' ' || r->target.p[i] == 0x7f) { /* RFC 9112, 3.2 */
            problem(r, PROBLEM_MALFORMED, "The request's target has a blank or a control character.");
            return false;
        }
    }
    if (r->path.len == 0 || r->path.p[0] != '/' ||
        !parse_query(r, mark == SIZE_MAX ? STR("") : str_from(r->target, mark + 1))) {
        problem(r, PROBLEM_MALFORMED, "The request's target is not a path with a query in UTF-8.");
        return false;
    }
    return true;
}

bool request_decode_segment(struct request *r, struct str segment, struct str *ret)
{
    return decode(&r->arena, segment, false, ret);
}

struct str request_header(const struct request *r, struct str name)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        if (str_ieq(r->headers[i].name, name))
            return r->headers[i].value;
    }
    return STR_NULL;
}

size_t request_count_header(const struct request *r, struct str name)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n_headers; i++)
        n += str_ieq(r->headers[i].name, name);
    return n;
}

struct json_object *request_keep(struct request *r, struct json_object *v)
{
    if (r->kept == NULL)
        r->kept = js_array();
    js_push(r->kept, v);
    return v;
}

/* ---- answers ---- */

void reply_header(struct request *r, const char *name, struct str value)
{
    struct answer *a = &r->answer;

    if (a->n_headers < ARRAY_LEN(a->headers))
        a->headers[a->n_headers++] = (struct header){ str_c(name), arena_str(&r->arena, value) };
}

void reply_text(struct request *r, int status, struct str type, struct str body)
{
    r->answer.status = status;
    r->answer.type = type;
    r->answer.body = body;
}

void reply_json(struct request *r, int status, struct json_object *body)
{
    reply_text(r, status, STR("application/json"), js_text(body, &r->arena));
    js_free(body);
}

/* Whether a list of entity tags names `tag` (RFC 9110, 13.1.2). */
static bool lists_tag(struct str list, struct str tag)
{
    struct str one;

    while (str_split(&list, ',', &one)) {
        one = str_trim(one);
        if (str_starts(one, STR("W/")))
            one = str_from(one, 2);
        if (str_eq(one, tag) || str_eq(one, STR("*")))
            return true;
    }
    return false;
}

void reply_object(struct request *r, int status, struct json_object *body, int64_t version)
{
    struct str tag = arena_printf(&r->arena, "\"%lld\"", (long long)version);
    struct str have = request_header(r, STR("If-None-Match"));

    reply_header(r, "ETag", tag);
    if (status == 200 && str_eq(r->method, STR("GET")) && have.p != NULL && lists_tag(have, tag)) {
        js_free(body);
        reply_text(r, 304, STR_NULL, STR(""));
        return;
    }
    reply_json(r, status, body);
}

void reply_empty(struct request *r)
{
    reply_text(r, 204, STR_NULL, STR(""));
}
