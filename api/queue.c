/* /queue/messages, /queue/messages/{id}, and of one message /recipients, /recipients/{rid} and /attempts */
#include "api/queue.h"
#include "api/explain.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/query.h"
#include "api/queue_groups.h"
#include "base/encode.h"
#include "store/queue.h"

#define DIALOGUE_LINES 500

static struct json_object *state_json(enum queue_state state)
{
    return js_str(str_c(queue_state_names[state]));
}

static struct str or_empty(struct str s)
{
    return s.p != NULL ? s : STR("");
}

static struct json_object *explain_state(struct arena *a, enum queue_state state, struct str reason, struct str destination)
{
    switch (state) {
    case QUEUE_SENDING:
        reason = STR("sending");
        break;
    case QUEUE_HELD:
        reason = STR("held");
        break;
    case QUEUE_SCHEDULED:
        reason = STR("not-tried");
        break;
    default: /* the row's own reason says it */
        break;
    }
    return explanation_json(a, reason, destination);
}

/* ---- the list ---- */

static struct json_object *row_json(struct arena *a, const struct queue_row *row)
{
    struct json_object *o = js_object();

    js_set(o, "id", js_str(queue_id_text(a, row->id)));
    js_set(o, "subject", js_str(row->subject));
    js_set(o, "size", js_int(row->size));
    js_set(o, "sender", js_str(or_empty(row->sender)));
    js_set(o, "account", js_str(row->account));
    js_set(o, "accepted_at", js_time(row->accepted_at));
    js_set(o, "expires_at", js_time(row->expires_at));
    js_set(o, "state", state_json(row->state));
    js_set(o, "recipient", js_str(or_empty(row->recipient)));
    js_set(o, "recipient_count", js_int(row->recipients));
    js_set(o, "destination", js_str(or_empty(row->destination)));
    js_set(o, "destination_count", js_int(row->destinations));
    js_set(o, "attempts", js_int(row->attempts));
    js_set(o, "next_attempt_at", js_time(row->next_attempt_at));
    js_set(o, "explanation", explain_state(a, row->state, row->reason, row->destination));
    js_set(o, "reply", reply_line_json(row->reply));
    js_set(o, "version", js_int(row->version));
    return o;
}

static struct json_object *group_json(struct arena *a, const struct queue_group *g, struct str destination)
{
    struct json_object *o = js_object();

    js_set(o, "key", js_str(or_empty(g->key)));
    js_set(o, "messages", js_int(g->messages));
    js_set(o, "recipients", js_int(g->recipients));
    js_set(o, "waiting", js_int(g->waiting));
    js_set(o, "held", js_int(g->held));
    js_set(o, "sending", js_int(g->sending));
    js_set(o, "oldest_accepted_at", js_time(g->oldest_accepted_at));
    js_set(o, "next_attempt_at", js_time(g->next_attempt_at));
    js_set(o, "explanation", explanation_json(a, g->reason, destination));
    return o;
}

/* Of a filter: computed now.  Of the whole queue: what was computed for everybody. */
static enum result find_groups(struct request *r, const struct queue_filter *filter, bool whole, enum queue_group_by by,
                               size_t limit, struct queue_groups_seen *ret)
{
    struct queue_group *v;
    enum result result;

    if (whole)
        return queue_groups_whole(by, ret);
    result = queue_groups(r->service->db, filter, by, limit, &r->arena, &v, &ret->n);
    ret->v = v;
    ret->measured_us = wall_us();
    return result;
}

static void list_groups(struct request *r, const struct queue_filter *filter, bool whole, enum queue_group_by by, size_t limit)
{
    static const char *const names[] = { "destination", "sender", "reason" };
    struct queue_groups_seen seen;
    struct json_object *body, *data;
    enum result result = find_groups(r, filter, whole, by, limit, &seen);

    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < MIN(seen.n, limit); i++)
        js_push(data, group_json(&r->arena, &seen.v[i], by == QUEUE_BY_DESTINATION ? seen.v[i].key : STR_NULL));
    body = js_object();
    js_set(body, "group", js_str(str_c(names[by])));
    js_set(body, "measured_at", js_time(seen.measured_us));
    js_set(body, "data", data);
    js_set(body, "next", NULL);
    reply_json(r, 200, body);
}

/* No filter, and a caller who sees everything. */
static bool asks_for_all(const struct request *r)
{
    for (size_t i = 0; i < r->n_query; i++) {
        if (!str_eq(r->query[i].name, STR("group")) && !str_eq(r->query[i].name, STR("limit")))
            return false;
    }
    return !r->caller.visible.limited;
}

void queue_messages_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor", "count", "sort", "group", "age_min", "q" };
    static const char *const of_rows[] = { "cursor", "count", "sort" };
    static const char *const groups[] = { "destination", "sender", "reason" };
    struct queue_filter filter;
    struct list_page page;
    struct queue_row *v;
    struct json_object *data;
    int64_t after = 0, count = -1;
    size_t n;
    bool more;
    int group;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), queue_filter_lists, ARRAY_LEN(queue_filter_lists));
    queue_filter_of_query(r, &filter);
    group = query_word(r, "group", groups, ARRAY_LEN(groups), -1);
    for (size_t i = 0; group >= 0 && i < r->n_query; i++) {
        for (size_t k = 0; k < ARRAY_LEN(of_rows); k++) {
            if (str_eq(r->query[i].name, str_c(of_rows[k])))
                error_at(r, r->query[i].name, "syntax", "Groups have no %s.", of_rows[k]);
        }
    }
    if (group >= 0 && errors_of_query(r))
        return;
    if (!query_page(r, "accepted_at", true, &page) || errors_of_query(r))
        return;
    if (group >= 0) {
        list_groups(r, &filter, asks_for_all(r), (enum queue_group_by)group, page.limit);
        return;
    }
    if (page.after.p != NULL && !queue_id(page.after, &after)) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return;
    }
    result = queue_list(r->service->db, &filter, page.descending, after, page.limit, &r->arena, &v, &n, &more);
    if (result == RES_OK && page.count)
        result = queue_count(r->service->db, &filter, COUNT_AT_MOST + 1, &count);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, row_json(&r->arena, &v[i]));
    reply_page(r, data, more ? queue_id_text(&r->arena, v[n - 1].id) : STR_NULL, count);
}

/* ---- one message ---- */

static struct json_object *recipient_id(struct arena *a, int n)
{
    return js_str(arena_printf(a, "r%d", n + 1));
}

static struct json_object *item_json(struct arena *a, const struct queue_item *item)
{
    static const char *const done[] = { "scheduled", "delivered", "relayed", "bounced", "expired", "removed", "bounced" };
    static const struct { unsigned bit; const char *name; } notifies[] = {
        { QUEUE_NOTIFY_NEVER, "never" }, { QUEUE_NOTIFY_SUCCESS, "success" }, { QUEUE_NOTIFY_FAILURE, "failure" },
        { QUEUE_NOTIFY_DELAY, "delay" },
    };
    struct json_object *o = js_object(), *dsn = js_object(), *notify = js_array();
    size_t at = str_rchr(item->address, '@');
    struct str destination = item->destination.p != NULL ? item->destination
                             : at != SIZE_MAX            ? str_from(item->address, at + 1)
                                                         : STR("");

    for (size_t i = 0; i < ARRAY_LEN(notifies); i++) {
        if ((item->notify & notifies[i].bit) != 0)
            js_push(notify, js_str(str_c(notifies[i].name)));
    }
    js_set(dsn, "notify", notify);
    js_set(dsn, "orcpt", js_str(item->orcpt));
    js_set(o, "id", recipient_id(a, item->n));
    js_set(o, "address", js_str(item->address));
    js_set(o, "destination", js_str(destination));
    js_set(o, "state", item->done ? js_str(str_c(done[item->outcome])) : state_json(item->state));
    js_set(o, "attempts", js_int(item->attempts));
    js_set(o, "next_attempt_at", item->done ? NULL : js_time(item->next_attempt_at));
    js_set(o, "explanation", item->done ? explanation_json(a, item->reason, destination)
                                        : explain_state(a, item->state, item->reason, destination));
    js_set(o, "reply", reply_line_json(item->reply));
    js_set(o, "dsn", dsn);
    return o;
}

static struct json_object *origin_json(const struct queue_message *m)
{
    static const char *const listeners[] = { "smtp", "submission", "submissions", "local" };
    struct json_object *o = js_object();
    struct str listener = str_eq(m->listener, STR("smtps")) ? STR("submissions") : m->listener;

    for (size_t i = 0; i < ARRAY_LEN(listeners); i++) {
        if (str_eq(listener, str_c(listeners[i])))
            js_set(o, "listener", js_str(listener));
    }
    js_set(o, "ip", js_str(m->client));
    if (m->session.p != NULL)
        js_set(o, "session", js_str(m->session));
    js_set(o, "tls", js_str(m->tls));
    return o;
}

struct json_object *queue_message_json(struct arena *a, const struct queue_message *m)
{
    struct json_object *o = js_object(), *hold = NULL, *recipients = js_array();
    struct str route = STR_NULL;

    if (m->held) {
        hold = js_object();
        if (m->held_at != DB_NO_TIME)
            js_set(hold, "at", js_time(m->held_at));
        js_set(hold, "by", js_str(or_empty(m->held_by)));
        js_set(hold, "reason", m->held_reason.len > 0 ? js_str(m->held_reason) : NULL);
    }
    for (size_t i = 0; i < m->nrecipients; i++) {
        js_push(recipients, item_json(a, &m->recipients[i]));
        if (m->recipients[i].rerouted && route.p == NULL)
            route = m->recipients[i].destination;
    }
    js_set(o, "id", js_str(queue_id_text(a, m->id)));
    js_set(o, "message_id", js_str(m->message_id));
    js_set(o, "subject", js_str(m->subject));
    js_set(o, "size", js_int(m->size));
    js_set(o, "sender", js_str(or_empty(m->sender)));
    js_set(o, "account", js_str(m->account));
    js_set(o, "origin", origin_json(m));
    js_set(o, "accepted_at", js_time(m->accepted_at));
    js_set(o, "expires_at", js_time(m->expires_at));
    js_set(o, "state", state_json(m->state));
    js_set(o, "next_attempt_at", js_time(m->next_attempt_at));
    js_set(o, "priority", js_int(m->priority));
    js_set(o, "route", js_str(route));
    js_set(o, "hold", hold);
    js_set(o, "recipients", recipients);
    js_set(o, "version", js_int(m->version));
    return o;
}

/* The message that the path names.  False: answered. */
static bool take_message(struct request *r, struct queue_message **ret)
{
    int64_t id;
    enum result result = queue_id(r->params[0], &id) ? queue_get(r->service->db, id, queue_visible(r), &r->arena, ret) : RES_NOTFOUND;

    if (result != RES_OK)
        problem_of_result(r, result);
    return result == RES_OK;
}

void queue_message_get(struct request *r)
{
    struct queue_message *m;

    if (take_message(r, &m))
        reply_object(r, 200, queue_message_json(&r->arena, m), m->version);
}

/* ---- its recipients ---- */

/* "r1" is the first.  False: it is none. */
static bool take_recipient_id(struct str text, int *ret_n)
{
    uint64_t n;

    if (text.len < 2 || text.p[0] != 'r' || !str_u64(str_from(text, 1), 1000000, &n) || n == 0)
        return false;
    *ret_n = (int)n - 1;
    return true;
}

/* Where the state is asked for: a message's recipients are read at once, as their number has a limit. */
static bool is_asked_for(const struct queue_item *item, unsigned states)
{
    return states == 0 || (!item->done && (states & 1u << item->state) != 0);
}

void queue_recipients_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor" };
    static const char *const repeated[] = { "state" };
    struct list_page page;
    struct queue_message *m;
    struct json_object *data;
    unsigned states;
    int last = -1;
    size_t at = 0, n = 0;

    query_begin(r, singles, ARRAY_LEN(singles), repeated, ARRAY_LEN(repeated));
    states = query_words(r, "state", queue_state_names, QUEUE_STATES);
    if (!query_page(r, NULL, false, &page) || errors_of_query(r))
        return;
    if (page.after.p != NULL && !take_recipient_id(page.after, &last)) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return;
    }
    if (!take_message(r, &m))
        return;
    data = js_array();
    for (; at < m->nrecipients && n < page.limit; at++) {
        const struct queue_item *item = &m->recipients[at];

        if (item->n <= last || !is_asked_for(item, states))
            continue;
        js_push(data, item_json(&r->arena, item));
        n++;
    }
    while (at < m->nrecipients && !is_asked_for(&m->recipients[at], states))
        at++;
    reply_page(r, data, at < m->nrecipients ? arena_printf(&r->arena, "r%d", m->recipients[at - 1].n + 1) : STR_NULL, -1);
}

void queue_recipient_get(struct request *r)
{
    struct queue_message *m;
    int n;

    query_begin(r, NULL, 0, NULL, 0);
    if (errors_of_query(r) || !take_message(r, &m))
        return;
    for (size_t i = 0; take_recipient_id(r->params[1], &n) && i < m->nrecipients; i++) {
        if (m->recipients[i].n == n) {
            reply_object(r, 200, item_json(&r->arena, &m->recipients[i]), m->version);
            return;
        }
    }
    problem(r, PROBLEM_NOT_FOUND, NULL);
}

/* ---- attempts ---- */

/* "MS C: text" or "MS S: text" as one entry. */
static struct json_object *dialogue_line(struct str line)
{
    struct str rest = line, ms;
    struct json_object *o;
    uint64_t t;

    if (!str_split(&rest, ' ', &ms) || !str_u64(ms, INT32_MAX, &t) || rest.len < 2 || rest.p[1] != ':')
        return NULL;
    o = js_object();
    js_set(o, "t", js_int((int64_t)t));
    js_set(o, rest.p[0] == 'C' ? "c" : "s", js_str(str_from(rest, rest.len > 2 ? 3 : 2)));
    return o;
}

/* Lines of one reply are joined: those that follow at the same time from the same side. */
static struct json_object *dialogue_json(struct arena *a, struct str text)
{
    struct json_object *array, *last = NULL;
    struct str line;

    if (text.p == NULL)
        return NULL;
    array = js_array();
    while (js_len(array) < DIALOGUE_LINES && str_split(&text, '\n', &line)) {
        struct json_object *o = dialogue_line(line);
        struct str s = js_get_str(js_get(o, "s", NULL)), before = js_get_str(js_get(last, "s", NULL));

        if (o == NULL)
            continue;
        if (s.p != NULL && before.len > 3 && before.p[str_rchr(before, '\n') == SIZE_MAX ? 3 : str_rchr(before, '\n') + 4] == '-') {
            js_set(last, "s", js_str(arena_printf(a, "%.*s\n%.*s", STR_ARG(before), STR_ARG(s))));
            js_free(o);
            continue;
        }
        js_push(array, o);
        last = o;
    }
    return array;
}

static struct json_object *tls_json(struct str tls)
{
    static const char *const names[] = { "version", "cipher", "verified" };
    struct json_object *o;
    struct str word;

    if (tls.len == 0)
        return NULL;
    o = js_object();
    for (size_t i = 0; i < ARRAY_LEN(names) && str_word(&tls, &word); i++)
        js_set(o, names[i], js_str(word));
    return o;
}

static struct json_object *attempt_json(struct arena *a, const struct queue_attempt *t)
{
    static const char *const results[] = { "relayed", "delivered", "deferred", "bounced" };
    struct json_object *o = js_object(), *reply = reply_line_json(t->reply);

    if (reply == NULL && t->code >= 200)
        reply = reply_line_json(arena_printf(a, "%d %.*s", t->code, STR_ARG(t->reply)));
    js_set(o, "id", js_str(arena_printf(a, "a%d-%d", t->n + 1, t->number)));
    js_set(o, "number", js_int(t->number));
    js_set(o, "recipient", recipient_id(a, t->n));
    js_set(o, "started_at", js_time(t->milliseconds >= 0 ? t->at - t->milliseconds * 1000 : t->at));
    js_set(o, "duration_ms", t->milliseconds >= 0 ? js_int(t->milliseconds) : NULL);
    js_set(o, "mx", js_str(t->host));
    js_set(o, "ip", js_str(t->address));
    js_set(o, "tls", tls_json(t->tls));
    js_set(o, "phase", js_str(t->phase.len > 0 ? t->phase : STR("body")));
    js_set(o, "result", js_str(str_c(results[t->result >= 0 && t->result < 4 ? t->result : 2])));
    js_set(o, "reply", reply);
    js_set(o, "explanation", explanation_json(a, t->reason, t->host));
    js_set(o, "session", js_str(t->session));
    js_set(o, "dialogue", dialogue_json(a, t->dialogue));
    return o;
}

/* The place of a row in the pages: "MICROSECONDS.N". */
static bool take_key(struct str place, struct queue_attempt_key *ret)
{
    size_t dot = str_chr(place, '.');
    uint64_t at, n;

    if (dot == SIZE_MAX || !str_u64(str_sub(place, 0, dot), INT64_MAX, &at) || !str_u64(str_from(place, dot + 1), INT32_MAX, &n))
        return false;
    *ret = (struct queue_attempt_key){ (int64_t)at, (int)n };
    return true;
}

void queue_attempts_list(struct request *r)
{
    static const char *const singles[] = { "limit", "cursor", "recipient" };
    struct queue_attempt_key after = { 0 };
    struct list_page page;
    struct queue_attempt *v;
    struct trace *trace;
    struct json_object *data;
    struct str recipient;
    int64_t id;
    int wanted = -1;
    size_t n;
    bool more;
    enum result result;

    query_begin(r, singles, ARRAY_LEN(singles), NULL, 0);
    recipient = query_text(r, "recipient", 1, 40);
    if (!query_page(r, NULL, false, &page) || errors_of_query(r))
        return;
    if (page.after.p != NULL && !take_key(page.after, &after)) {
        problem(r, PROBLEM_INVALID_CURSOR, NULL);
        return;
    }
    result = queue_id(r->params[0], &id) ? trace_get(r->service->db, id, queue_visible(r), &r->arena, &trace) : RES_NOTFOUND;
    if (result == RES_OK && recipient.p != NULL && !take_recipient_id(recipient, &wanted))
        result = RES_NOTFOUND;
    if (result == RES_OK)
        result = queue_attempts(r->service->db, id, wanted, after, page.limit, &r->arena, &v, &n, &more);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, attempt_json(&r->arena, &v[i]));
    reply_page(r, data, more ? arena_printf(&r->arena, "%lld.%d", (long long)v[n - 1].at, v[n - 1].n) : STR_NULL, -1);
}
