/* store/queue_filter.c - the parameters of the filter. */
#include "store/queue_filter.h"

#define OID_TEXT_ARRAY 1009
#define OID_INT8_ARRAY 1016

struct db_param queue_filter_list(struct str_list list, struct arena *a)
{
    struct str *lower = arena_array(a, struct str, list.n);

    if (list.n == 0)
        return (struct db_param){ .oid = OID_TEXT_ARRAY, .len = -1 };
    for (size_t i = 0; i < list.n; i++)
        lower[i] = arena_lower(a, list.v[i]);
    return db_text_array(a, lower, list.n);
}

struct str queue_filter_pattern(struct str part, struct arena *a)
{
    char *p = arena_alloc(a, part.len * 2 + 2);
    size_t n = 0;

    if (part.p == NULL)
        return STR_NULL;
    p[n++] = '%';
    for (size_t i = 0; i < part.len; i++) {
        if (part.p[i] == '%' || part.p[i] == '_' || part.p[i] == '\\')
            p[n++] = '\\';
        p[n++] = ascii_lower(part.p[i]);
    }
    p[n++] = '%';
    return str_of(p, n);
}

void queue_filter_params(const struct queue_filter *f, struct arena *a, struct db_param *params)
{
    const struct db_param p[QUEUE_FILTER_PARAMS] = {
        f->nids > 0 ? db_int8_array(a, f->ids, f->nids) : (struct db_param){ .oid = OID_INT8_ARRAY, .len = -1 },
        db_int4((int32_t)f->states), queue_filter_list(f->senders, a), queue_filter_list(f->sender_domains, a),
        queue_filter_list(f->accounts, a), queue_filter_list(f->recipients, a), queue_filter_list(f->destinations, a),
        queue_filter_list(f->reasons, a), db_int8(f->age_min_s), db_text(queue_filter_pattern(f->text, a)),
        db_text(f->text), db_int8(f->text_id), queue_filter_list(f->domains, a),
    };

    memcpy(params, p, sizeof(p));
}
