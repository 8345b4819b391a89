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

struct db_param queue_filter_at_domains(struct str_list list, struct arena *a)
{
    struct str *v = arena_array(a, struct str, list.n);

    for (size_t i = 0; i < list.n; i++)
        v[i] = arena_printf(a, "@%.*s", STR_ARG(list.v[i]));
    return queue_filter_list((struct str_list){ .v = v, .n = list.n }, a);
}

struct str queue_filter_message_id(struct str id)
{
    return id.len > 2 && id.p[0] == '<' && id.p[id.len - 1] == '>' ? str_sub(id, 1, id.len - 2) : id;
}

struct queue_words queue_filter_words(struct str text, struct arena *a)
{
    struct str lower = text.p == NULL ? STR_NULL : arena_lower(a, text);
    size_t at = str_rchr(lower, '@');
    struct queue_words w = { .address = lower };

    if (at == SIZE_MAX) {
        w.local = lower.p == NULL ? STR_NULL : arena_printf(a, "%.*s@", STR_ARG(lower));
        w.domain = lower.p == NULL ? STR_NULL : arena_printf(a, "@%.*s", STR_ARG(lower));
    } else if (at + 1 == lower.len) {
        w.local = lower;
    } else if (at == 0) {
        w.domain = lower;
    }
    return w;
}

enum form { WHOLE, LOCAL_AT, AT_DOMAIN };

/* Those of one form; NULL when the list has none of any. */
static struct db_param of_form(struct str_list list, enum form form, struct arena *a)
{
    struct str *v = arena_array(a, struct str, list.n);
    size_t n = 0;

    if (list.n == 0)
        return queue_filter_list(list, a);
    for (size_t i = 0; i < list.n; i++) {
        struct str address = list.v[i];
        enum form is = str_starts(address, STR("@")) ? AT_DOMAIN : str_ends(address, STR("@")) ? LOCAL_AT : WHOLE;

        if (is == form)
            v[n++] = arena_lower(a, address);
    }
    return db_text_array(a, v, n);
}

struct queue_forms queue_filter_forms(struct str_list addresses, struct arena *a)
{
    return (struct queue_forms){ of_form(addresses, WHOLE, a), of_form(addresses, LOCAL_AT, a), of_form(addresses, AT_DOMAIN, a) };
}

bool queue_filter_is_text(const struct queue_filter *f)
{
    return f->nids + f->senders.n + f->sender_domains.n + f->accounts.n + f->recipients.n + f->destinations.n + f->reasons.n +
                   f->domains.n == 0 && f->states == 0 && f->age_min_s == 0;
}

void queue_filter_params(const struct queue_filter *f, struct arena *a, struct db_param *params)
{
    const struct queue_words w = queue_filter_words(f->text, a);
    const struct queue_forms senders = queue_filter_forms(f->senders, a), recipients = queue_filter_forms(f->recipients, a);
    const struct db_param p[QUEUE_FILTER_PARAMS] = {
        f->nids > 0 ? db_int8_array(a, f->ids, f->nids) : (struct db_param){ .oid = OID_INT8_ARRAY, .len = -1 },
        db_int4((int32_t)f->states), senders.whole, queue_filter_at_domains(f->sender_domains, a), queue_filter_list(f->accounts, a),
        recipients.whole, queue_filter_list(f->destinations, a), queue_filter_list(f->reasons, a), db_int8(f->age_min_s),
        db_text(queue_filter_pattern(f->text, a)), db_text(queue_filter_message_id(f->text)), db_int8(f->text_id),
        queue_filter_at_domains(f->domains, a), db_text(w.address), db_text(w.local), db_text(w.domain), senders.local, senders.domain,
        recipients.local, recipients.domain,
    };

    memcpy(params, p, sizeof(p));
}
