/* Filters of the queue (api/queue.h). */
#include "api/fields.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/queue.h"
#include "base/encode.h"

#define REASON_MAX 40

const char *const queue_state_names[QUEUE_STATES] = { "sending", "deferred", "scheduled", "held", "removing" };
const char *const queue_filter_lists[7] = { "state", "sender", "recipient", "destination", "sender_domain", "account", "reason" };

bool queue_id(struct str text, int64_t *ret_id)
{
    return id_decode('q', text, ret_id);
}

struct str queue_id_text(struct arena *a, int64_t id)
{
    return id_encode(a, 'q', id);
}

struct str_list queue_visible(struct request *r)
{
    static const struct str nothing = STR(""); /* no domain has this name */
    const struct visible *v = &r->caller.visible;

    if (!v->limited)
        return (struct str_list){ NULL, 0 };
    return v->n > 0 ? (struct str_list){ v->domains, v->n } : (struct str_list){ &nothing, 1 };
}

static void take_text(struct queue_filter *f, struct str text)
{
    f->text = text;
    if (text.p == NULL || !queue_id(text, &f->text_id))
        f->text_id = 0;
}

void queue_filter_of_query(struct request *r, struct queue_filter *ret)
{
    struct queue_filter f = { .domains = queue_visible(r) };

    f.states = query_words(r, "state", queue_state_names, QUEUE_STATES);
    f.senders.n = query_texts(r, "sender", 320, &f.senders.v);
    f.recipients.n = query_texts(r, "recipient", 320, &f.recipients.v);
    f.destinations.n = query_texts(r, "destination", 255, &f.destinations.v);
    f.sender_domains.n = query_texts(r, "sender_domain", 255, &f.sender_domains.v);
    f.accounts.n = query_texts(r, "account", 320, &f.accounts.v);
    f.reasons.n = query_texts(r, "reason", REASON_MAX, &f.reasons.v);
    f.age_min_s = query_int(r, "age_min", 0, 315360000, 0);
    take_text(&f, query_text(r, "q", 1, 320));
    *ret = f;
}

static struct str_list take_list(struct request *r, struct json_object *object, const char *name)
{
    struct str *v = NULL;
    size_t n = 0;

    (void)field_strs(r, object, name, &v, &n);
    return (struct str_list){ v, n };
}

void queue_filter_of_body(struct request *r, struct json_object *object, struct str pointer, struct queue_filter *ret)
{
    static const struct field members[] = {
        { .name = "state", .type = FIELD_STRINGS, .min = 1, .max = 20, .words = queue_state_names, .n_words = QUEUE_STATES },
        { .name = "sender", .type = FIELD_STRINGS, .min = 1, .max = 20, .each = 320 },
        { .name = "recipient", .type = FIELD_STRINGS, .min = 1, .max = 20, .each = 320 },
        { .name = "destination", .type = FIELD_STRINGS, .min = 1, .max = 20, .each = 255 },
        { .name = "sender_domain", .type = FIELD_STRINGS, .min = 1, .max = 20, .each = 255 },
        { .name = "account", .type = FIELD_STRINGS, .min = 1, .max = 20, .each = 320 },
        { .name = "reason", .type = FIELD_STRINGS, .min = 1, .max = 20, .each = REASON_MAX },
        { .name = "age_min", .type = FIELD_INT, .min = 0, .max = 315360000 },
        { .name = "q", .type = FIELD_STRING, .min = 1, .max = 320 },
    };
    struct queue_filter f = { .domains = queue_visible(r) };
    struct str_list states;
    bool any = false;

    fields_check(r, object, pointer, members, ARRAY_LEN(members), NULL);
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        any = any || field_there(object, members[i].name);
    if (!any)
        error_at(r, pointer, "required", "An empty filter means nothing; \"all\": true means everything.");
    if (r->errors != NULL)
        return;
    states = take_list(r, object, "state");
    for (size_t i = 0; i < states.n; i++) {
        for (unsigned k = 0; k < QUEUE_STATES; k++) {
            if (str_eq(states.v[i], str_c(queue_state_names[k])))
                f.states |= 1u << k;
        }
    }
    f.senders = take_list(r, object, "sender");
    f.recipients = take_list(r, object, "recipient");
    f.destinations = take_list(r, object, "destination");
    f.sender_domains = take_list(r, object, "sender_domain");
    f.accounts = take_list(r, object, "account");
    f.reasons = take_list(r, object, "reason");
    f.age_min_s = field_int(object, "age_min", 0, 0);
    take_text(&f, field_str(object, "q", STR_NULL));
    *ret = f;
}
