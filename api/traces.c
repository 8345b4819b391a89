/* /traces, /traces/{id}, and of the caller's own mail /me/traces, /me/traces/{id} */
#include "store/trace_mine.h"
#include "api/accounts.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/queue.h"

#include <arpa/inet.h>

static const char *const directions[] = { "in", "out", "local" };
static const char *const outcome_of[] = { "waiting", "delivered", "relayed", "bounced", "bounced", "removed", "refused" };

static struct str or_empty(struct str s)
{
    return s.p != NULL ? s : STR("");
}

static void row_members(struct json_object *o, struct arena *a, const struct trace_row *row)
{
    js_set(o, "id", js_str(queue_id_text(a, row->id)));
    js_set(o, "accepted_at", js_time(row->accepted_at));
    js_set(o, "outcome", js_str(str_c(outcome_of[row->outcome])));
    js_set(o, "direction", js_str(str_c(directions[row->direction])));
    js_set(o, "sender", js_str(or_empty(row->sender)));
    js_set(o, "subject", js_str(row->subject));
    js_set(o, "message_id", js_str(row->message_id));
    js_set(o, "size", js_int(row->size));
    js_set(o, "account", js_str(row->account));
}

static void check_ips(struct request *r, struct str_list ips)
{
    unsigned char address[sizeof(struct in6_addr)];

    for (size_t i = 0; i < ips.n; i++) {
        const char *text = arena_cstr(&r->arena, ips.v[i]);

        if (inet_pton(AF_INET, text, address) != 1 && inet_pton(AF_INET6, text, address) != 1)
            error_at(r, STR("ip"), "syntax", "It is not an address of the network.");
    }
}

/* The words of ?outcome= as bits of enum trace_outcome. */
static unsigned take_outcomes(struct request *r)
{
    static const char *const outcomes[] = { "waiting", "delivered", "relayed", "bounced", "removed", "refused" };
    static const unsigned bits[] = { 1u << TRACE_WAITING, 1u << TRACE_DELIVERED, 1u << TRACE_RELAYED,
                                     1u << TRACE_BOUNCED | 1u << TRACE_EXPIRED, 1u << TRACE_REMOVED,
                                     1u << TRACE_REFUSED };
    unsigned asked = query_words(r, "outcome", outcomes, ARRAY_LEN(outcomes)), set = 0;

    for (size_t i = 0; i < ARRAY_LEN(outcomes); i++)
        set |= (asked >> i & 1) != 0 ? bits[i] : 0;
    return set;
}

static void take_filter(struct request *r, struct trace_filter *f)
{
    f->outcomes = take_outcomes(r);
    f->directions = query_words(r, "direction", directions, ARRAY_LEN(directions));
    f->senders.n = query_texts(r, "sender", 320, &f->senders.v);
    f->recipients.n = query_texts(r, "recipient", 320, &f->recipients.v);
    f->ips.n = query_texts(r, "ip", 45, &f->ips.v);
    check_ips(r, f->ips);
    f->accounts.n = query_texts(r, "account", 320, &f->accounts.v);
    f->subject = query_text(r, "subject", 1, 200);
    f->message_id = query_text(r, "message_id", 0, 998);
    f->since = query_time(r, "since");
    f->until = query_time(r, "until");
    f->text = query_text(r, "q", 1, 320);
    if (f->text.p == NULL || !queue_id(f->text, &f->text_id))
        f->text_id = 0;
    f->domains = queue_visible(r);
}

/* "TIME-ID" of a place in a list in order of time; STR_NULL: of TRACE_END. */
static struct str place_text(struct arena *a, struct trace_place p)
{
    return trace_is_end(p) ? STR_NULL : arena_printf(a, "%lld-%lld", (long long)p.at_us, (long long)p.id);
}

static bool place_of(struct str s, struct trace_place *ret)
{
    size_t dash = str_chr(s, '-');
    uint64_t us, id;

    *ret = TRACE_END;
    if (s.p == NULL)
        return true;
    if (dash == SIZE_MAX || !str_u64(str_sub(s, 0, dash), INT64_MAX, &us) || !str_u64(str_from(s, dash + 1), INT64_MAX, &id))
        return false;
    *ret = (struct trace_place){ (int64_t)us, (int64_t)id };
    return true;
}

void traces_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor", "subject", "message_id", "since", "until", "q" };
    static const char *const repeated[] = { "sender", "recipient", "account", "ip", "direction", "outcome" };
    struct trace_filter filter = { 0 };
    struct list_page page;
    struct trace_row *v;
    struct json_object *data;
    struct trace_place after, next;
    size_t n;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), repeated, ARRAY_LEN(repeated));
    take_filter(r, &filter);
    if (!query_page(r, NULL, false, &page) || errors_of_query(r))
        return;
    if (!place_of(page.after, &after)) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return;
    }
    result = trace_list(r->service->db, &filter, after, page.limit, &r->arena, &v, &n, &next);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = js_object();

        row_members(o, &r->arena, &v[i]);
        js_set(o, "recipient", js_str(or_empty(v[i].recipient)));
        js_set(o, "recipient_count", js_int(MAX(v[i].recipients, 1)));
        js_push(data, o);
    }
    reply_page(r, data, place_text(&r->arena, next), -1);
}

/* ---- one trace ---- */

static struct str listener_name_of(struct str listener)
{
    if (str_eq(listener, STR("smtps")) || str_eq(listener, STR("submissions")))
        return STR("submissions");
    if (str_eq(listener, STR("smtp")) || str_eq(listener, STR("submission")))
        return listener;
    return STR("local");
}

static void accepted_members(struct json_object *o, const struct trace *t)
{
    js_set(o, "listener", js_str(listener_name_of(t->listener)));
    if (t->session.len > 0)
        js_set(o, "session", js_str(t->session));
    if (t->client.len > 0)
        js_set(o, "ip", js_str(t->client));
    if (t->tls.len > 0)
        js_set(o, "tls", js_str(t->tls));
}

static void attempt_members(struct json_object *o, struct arena *a, const struct trace_event *e)
{
    static const char *const results[] = { "relayed", "delivered", "deferred", "bounced" };

    js_set(o, "attempt", js_str(arena_printf(a, "a%d-%d", e->n + 1, e->number)));
    if (e->result >= 0 && (size_t)e->result < ARRAY_LEN(results))
        js_set(o, "result", js_str(str_c(results[e->result])));
    if (e->session.len > 0)
        js_set(o, "session", js_str(e->session));
    if (e->address.len > 0)
        js_set(o, "ip", js_str(e->address));
    if (e->reply.len > 0)
        js_set(o, "reply", js_str(e->reply));
    if (e->mailbox.len > 0)
        js_set(o, "mailbox", js_str(e->mailbox));
    if (e->rule.len > 0)
        js_set(o, "rule", js_str(e->rule));
}

/* NULL: a kind that says nothing more than the attempt before it. */
static struct json_object *event_json(struct arena *a, const struct trace *t, const struct trace_event *e)
{
    static const char *const kinds[] = { "accepted", "attempt", NULL, NULL, NULL, "bounced", "expired", "removed", "held",
                                         "released", "retried", "delay_notice", [EVENT_DELETING] = "deleting",
                                         [EVENT_RETURNING] = "returning", [EVENT_UNDONE] = "undone",
                                         [EVENT_RESCHEDULED] = "rescheduled", [EVENT_REROUTED] = "rerouted",
                                         [EVENT_CHANGED] = "changed" };
    const char *kind = (size_t)e->kind < ARRAY_LEN(kinds) ? kinds[e->kind] : NULL;
    struct json_object *o;

    if (kind == NULL)
        return NULL;
    o = js_object();
    js_set(o, "at", js_time(e->at));
    js_set(o, "kind", js_str(str_c(kind)));
    if (e->n >= 0)
        js_set(o, "recipient", js_str(arena_printf(a, "r%d", e->n + 1)));
    if (e->kind == EVENT_ACCEPTED)
        accepted_members(o, t);
    if (e->kind == EVENT_ATTEMPT)
        attempt_members(o, a, e);
    if (e->kind >= EVENT_RESCHEDULED && e->kind <= EVENT_CHANGED)
        js_set(o, "to", js_str(e->host));
    if (e->milliseconds >= 0)
        js_set(o, "duration_ms", js_int(e->milliseconds));
    if (e->actor.len > 0)
        js_set(o, "by", js_str(e->actor));
    if (e->reason.len > 0)
        js_set(o, "reason", js_str(e->reason));
    return o;
}

static struct json_object *trace_json(struct request *r, const struct trace *t)
{
    struct json_object *o = js_object(), *recipients = js_array(), *events = js_array();

    row_members(o, &r->arena, &t->row);
    for (size_t i = 0; i < t->nrecipients; i++) {
        struct json_object *one = js_object();

        js_set(one, "id", js_str(arena_printf(&r->arena, "r%d", t->recipients[i].n + 1)));
        js_set(one, "address", js_str(t->recipients[i].address));
        js_set(one, "outcome", js_str(str_c(outcome_of[t->recipients[i].outcome])));
        js_push(recipients, one);
    }
    for (size_t i = 0; i < t->nevents; i++) {
        struct json_object *one = event_json(&r->arena, t, &t->events[i]);

        if (one != NULL)
            js_push(events, one);
    }
    js_set(o, "ip", js_str(t->client));
    js_set(o, "in_queue", js_bool(t->in_queue));
    js_set(o, "recipients", recipients);
    js_set(o, "events", events);
    return o;
}

void trace_get_one(struct request *r)
{
    struct trace *t;
    int64_t id;
    enum result result = queue_id(r->params[0], &id) ? trace_get(r->service->db, id, queue_visible(r), &r->arena, &t)
                                                     : RES_NOTFOUND;

    if (result == RES_OK)
        reply_json(r, 200, trace_json(r, t));
    else
        problem_of_result(r, result);
}

/* ---- one's own ---- */

static const char *const ways[] = { "received", "sent" };

static struct json_object *mine_json(struct arena *a, const struct mine_row *row)
{
    struct json_object *o = js_object();

    js_set(o, "id", js_str(queue_id_text(a, row->id)));
    js_set(o, "accepted_at", js_time(row->at_us));
    js_set(o, "way", js_str(str_c(ways[row->way])));
    js_set(o, "outcome", js_str(str_c(outcome_of[row->outcome])));
    js_set(o, "sender", js_str(or_empty(row->sender)));
    js_set(o, "recipient", js_str(or_empty(row->recipient)));
    js_set(o, "recipient_count", js_int(MAX(row->recipients, 1)));
    js_set(o, "subject", js_str(row->subject));
    js_set(o, "message_id", js_str(row->message_id));
    js_set(o, "size", row->size < 0 ? NULL : js_int(row->size));
    js_set(o, "mailbox", js_str(row->mailbox));
    js_set(o, "rule", js_str(row->rule));
    js_set(o, "reply", js_str(row->reply));
    return o;
}

void traces_list_mine(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor", "q" };
    static const char *const repeated[] = { "way", "outcome" };
    struct mine_filter filter = { 0 };
    struct account account;
    struct list_page page;
    struct mine_row *v;
    struct json_object *data;
    struct trace_place after, next;
    size_t n;
    enum result result;

    if (!account_of_path(r, &account, NULL))
        return;
    query_begin(r, singles, ARRAY_LEN(singles), repeated, ARRAY_LEN(repeated));
    filter.ways = query_words(r, "way", ways, ARRAY_LEN(ways));
    filter.outcomes = take_outcomes(r);
    filter.text = query_text(r, "q", 1, 320);
    if (!query_page(r, NULL, false, &page) || errors_of_query(r))
        return;
    if (!place_of(page.after, &after)) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return;
    }
    result = trace_mine(r->service->db, account.id, &filter, after, page.limit, &r->arena, &v, &n, &next);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, mine_json(&r->arena, &v[i]));
    reply_page(r, data, place_text(&r->arena, next), -1);
}

void trace_get_mine_one(struct request *r)
{
    struct account account;
    struct trace *t;
    struct str text;
    int64_t id;
    enum result result;

    if (!account_of_path(r, &account, &text))
        return;
    result = queue_id(text, &id) ? trace_get_mine(r->service->db, id, account.id, &r->arena, &t) : RES_NOTFOUND;
    if (result == RES_OK)
        reply_json(r, 200, trace_json(r, t));
    else
        problem_of_result(r, result);
}
