/* /audit and /audit/verify */
#include "api/handlers.h"
#include "api/problem.h"
#include "api/query.h"
#include "base/encode.h"
#include "store/audit_read.h"

#define VERIFY_ROWS 100000 /* in one answer */

static struct json_object *parsed(struct request *r, struct str text)
{
    struct json_object *v = NULL;
    struct str error;

    return text.p != NULL && js_parse(text, &r->arena, &v, &error) == RES_OK ? v : NULL;
}

static struct json_object *to_json(struct request *r, const struct audit_row *row)
{
    struct json_object *o = js_object();

    js_set(o, "id", js_id('e', row->id));
    js_set(o, "at", js_time(row->at));
    js_set(o, "actor", parsed(r, row->actor));
    js_set(o, "action", js_str(row->action));
    js_set(o, "objects", js_strs(row->objects, row->n_objects));
    js_set(o, "before", parsed(r, row->before));
    js_set(o, "after", parsed(r, row->after));
    js_set(o, "result", js_str(row->result));
    js_set(o, "request_id", js_str(row->request_id));
    js_set(o, "hash", js_str(row->hash));
    return o;
}

void audit_list_get(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor", "actor", "action", "object", "since", "until" };
    struct audit_filter filter;
    struct list_page page;
    struct audit_row *v;
    struct json_object *data;
    int64_t after = 0;
    size_t n;
    bool more;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    filter = (struct audit_filter){ .actor = query_text(r, "actor", 1, 320), .action = query_text(r, "action", 1, 60),
                                    .object = query_text(r, "object", 1, 320), .since = query_time(r, "since"),
                                    .until = query_time(r, "until") };
    if (!query_page(r, NULL, false, &page) || errors_of_query(r))
        return;
    if (page.after.p != NULL && !id_decode('e', page.after, &after)) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return;
    }
    result = audit_list(r->service->db, &filter, after, page.limit, &r->arena, &v, &n, &more);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, to_json(r, &v[i]));
    reply_page(r, data, more ? id_encode(&r->arena, 'e', v[n - 1].id) : STR_NULL, -1);
}

void audit_verify_get(struct request *r)
{
    static const char *const singles[] = { "after" };
    struct audit_proof proof;
    struct json_object *o;
    struct str text;
    int64_t after = 0;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    text = query_text(r, "after", 1, 40);
    if (text.p != NULL && !id_decode('e', text, &after))
        error_at(r, STR("after"), "syntax", "It is no id of the log.");
    if (errors_of_query(r))
        return;
    result = audit_verify(r->service->db, after, VERIFY_ROWS, &r->arena, &proof);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    o = js_object();
    js_set(o, "rows", js_int(proof.rows));
    js_set(o, "last", proof.last != 0 ? js_id('e', proof.last) : NULL);
    js_set(o, "hash", js_str(proof.hash));
    js_set(o, "wrong", proof.wrong != 0 ? js_id('e', proof.wrong) : NULL);
    js_set(o, "more", js_bool(proof.more));
    reply_json(r, 200, o);
}
