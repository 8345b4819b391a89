#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_IDS 1000
#define COUNT_AT_MOST 10000

static const char *const filters[] = { "state", "sender", "recipient", "destination", "sender-domain", "account", "reason",
                                       "age-min", "q" };

static const struct column columns[] = {
    { "Id", "id", COLUMN_TEXT },
    { "State", "state", COLUMN_TEXT },
    { "From", "sender", COLUMN_TEXT },
    { "To", "recipient", COLUMN_TEXT },
    { "n", "recipient_count", COLUMN_NUMBER },
    { "Next", "next_attempt_at", COLUMN_TIME },
    { "Why", "explanation", COLUMN_REASON },
};

enum outcome verb_queue_list(struct call *c)
{
    return client_list(c, "/api/v1/queue/messages", query_of(c, filters, ARRAY_LEN(filters)), columns, ARRAY_LEN(columns), "id");
}

enum outcome verb_queue_show(struct call *c)
{
    static const struct column message[] = {
        { "Id", "id", COLUMN_TEXT },          { "Message-ID", "message_id", COLUMN_TEXT }, { "Subject", "subject", COLUMN_TEXT },
        { "Size", "size", COLUMN_SIZE },      { "From", "sender", COLUMN_TEXT },           { "Account", "account", COLUMN_TEXT },
        { "Client", "origin.ip", COLUMN_TEXT }, { "Accepted", "accepted_at", COLUMN_TIME },  { "Until", "expires_at", COLUMN_TIME },
        { "State", "state", COLUMN_TEXT },    { "Held by", "hold.by", COLUMN_TEXT },
    };
    static const struct column recipients[] = {
        { "To", "address", COLUMN_TEXT },  { "State", "state", COLUMN_TEXT },    { "Attempts", "attempts", COLUMN_NUMBER },
        { "Next", "next_attempt_at", COLUMN_TIME }, { "Why", "explanation", COLUMN_REASON }, { "Answer", "reply.text", COLUMN_TEXT },
    };
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", arena_printf(&c->arena, "/api/v1/queue/messages/%s", escape(c, c->args[0])).p, NULL,
                                   "", &answer);

    if (out == DONE) {
        print_object(c, answer, message, ARRAY_LEN(message), "id");
        if (!c->json && !c->quiet) {
            printf("\n");
            print_rows(c, js_get(answer, "recipients", NULL), recipients, ARRAY_LEN(recipients), "id", true);
        }
    }
    js_free(answer);
    return out;
}

/* ---- acting ---- */

/* The ids of the command line; "-" stands for those on standard input.  False: too many; said. */
static bool take_ids(struct call *c, struct json_object *ids)
{
    char line[100];

    for (size_t i = 0; i < c->n_args; i++) {
        if (strcmp(c->args[i], "-") != 0) {
            js_push(ids, js_str(str_c(c->args[i])));
            continue;
        }
        while (fgets(line, sizeof(line), stdin) != NULL) {
            struct str id = str_trim(str_c(line));

            if (id.len > 0)
                js_push(ids, js_str(id));
        }
    }
    if (js_len(ids) > MAX_IDS)
        say(t("These are more than %d ids; use a filter."), MAX_IDS);
    return js_len(ids) <= MAX_IDS;
}

/* The filter of the options, as a body has it. */
static struct json_object *filter_body(struct call *c)
{
    struct json_object *filter = js_object();

    for (size_t i = 0; i < c->n_options; i++) {
        const struct option_given *o = &c->options[i];
        char name[40];
        bool known = false;

        for (size_t k = 0; k < ARRAY_LEN(filters); k++)
            known = known || strcmp(o->name, filters[k]) == 0;
        if (!known)
            continue;
        (void)snprintf(name, sizeof(name), "%s", o->name);
        for (char *p = name; *p != '\0'; p++)
            *p = *p == '-' ? '_' : *p;
        if (strcmp(name, "age_min") == 0) {
            js_set(filter, name, js_int(strtoll(o->value, NULL, 10)));
        } else if (strcmp(name, "q") == 0) {
            js_set(filter, name, js_str(str_c(o->value)));
        } else {
            struct json_object *list = js_get(filter, name, NULL);

            if (list == NULL) {
                list = js_array();
                js_set(filter, name, list);
            }
            js_push(list, js_str(str_c(o->value)));
        }
    }
    return filter;
}

/* How many messages the filter matches now. */
static enum outcome count(struct call *c, int64_t *ret_n, bool *ret_at_least)
{
    const char *query = query_of(c, filters, ARRAY_LEN(filters));
    struct json_object *page = NULL;
    enum outcome out = client_call(c, "GET", arena_printf(&c->arena, "/api/v1/queue/messages%s%scount=true&limit=1", query,
                                                          query[0] == '\0' ? "?" : "&").p, NULL, "", &page);

    if (out == DONE) {
        *ret_n = js_get_int(at_path(page, "count.value"));
        *ret_at_least = str_eq(js_get_str(at_path(page, "count.relation")), STR("at_least"));
    }
    js_free(page);
    return out;
}

/* Sends the action; says what was done. */
static enum outcome act(struct call *c, struct json_object *body)
{
    struct json_object *answer = NULL, *skipped;
    int64_t changed, left;
    enum outcome out;

    js_set(body, "action", js_str(str_c(c->verb->name)));
    if (option(c, "note") != NULL)
        js_set(body, "reason", js_str(str_c(option(c, "note"))));
    out = client_call(c, "POST", "/api/v1/queue/actions", body, "", &answer);
    if (out != DONE)
        return out;
    changed = js_get_int(js_get(answer, "changed", NULL));
    left = js_get_int(js_get(answer, "skipped_count", NULL));
    skipped = js_get(answer, "skipped", NULL);
    if (c->json)
        print_object(c, answer, NULL, 0, "matched");
    else if (left == 0)
        say(t("Changed: %lld."), (long long)changed);
    else
        say(t("Changed: %lld, left out: %lld."), (long long)changed, (long long)left);
    for (size_t i = 0; !c->json && i < js_len(skipped); i++) {
        struct json_object *one = js_at(skipped, i);
        struct str type = js_get_str(js_get(one, "type", NULL));

        say("  %.*s: %s", STR_ARG(js_get_str(js_get(one, "id", NULL))),
            str_ends(type, STR("busy")) ? t("it is being sent at this moment") : t("it is not in the queue"));
    }
    js_free(answer);
    if (left == 0)
        return DONE;
    return changed > 0 ? IN_PART : CONFLICT;
}

static enum outcome act_on_ids(struct call *c)
{
    struct json_object *ids = js_array(), *select, *body;
    bool final = strcmp(c->verb->name, "delete") == 0 || strcmp(c->verb->name, "bounce") == 0;

    if (!take_ids(c, ids) || js_len(ids) == 0) {
        js_free(ids);
        return USAGE;
    }
    if (final && js_len(ids) > 1 && !confirm(c, t("This cannot be undone for %zu messages."), js_len(ids))) {
        js_free(ids);
        return FAILED;
    }
    select = js_object();
    js_set(select, "ids", ids);
    body = js_object();
    js_set(body, "select", select);
    return act(c, body);
}

enum outcome verb_queue_act(struct call *c)
{
    const char *query = query_of(c, filters, ARRAY_LEN(filters));
    bool all = option(c, "all") != NULL, at_least = false;
    struct json_object *select, *body;
    int64_t n = 0;
    enum outcome out;

    if ((c->n_args > 0) + (query[0] != '\0') + all != 1) {
        say("%s", t("name ids, or a filter, or --all"));
        return USAGE;
    }
    if (c->n_args > 0)
        return act_on_ids(c);
    out = count(c, &n, &at_least);
    if (out != DONE)
        return out;
    if (n == 0) {
        say("%s", t("There is nothing."));
        return DONE;
    }
    if (!confirm(c, at_least ? t("More than %lld messages match.") : t("%lld messages match."), (long long)n))
        return FAILED;
    select = js_object();
    if (all)
        js_set(select, "all", js_bool(true));
    else
        js_set(select, "filter", filter_body(c));
    body = js_object();
    js_set(body, "select", select);
    js_set(body, "max", js_int(at_least ? 1000000 : n));
    return act(c, body);
}

enum outcome verb_queue_summary(struct call *c)
{
    static const struct column groups[] = {
        { "Group", "key", COLUMN_TEXT },          { "Messages", "messages", COLUMN_NUMBER },
        { "Recipients", "recipients", COLUMN_NUMBER }, { "Waiting", "waiting", COLUMN_NUMBER },
        { "Held", "held", COLUMN_NUMBER },        { "Sending", "sending", COLUMN_NUMBER },
        { "Oldest", "oldest_accepted_at", COLUMN_TIME }, { "Why", "explanation", COLUMN_REASON },
    };
    const char *by = option(c, "by") != NULL ? option(c, "by") : "destination";

    return client_list(c, "/api/v1/queue/messages", arena_printf(&c->arena, "?group=%s&limit=200", escape(c, by)).p, groups,
                       ARRAY_LEN(groups), "key");
}

/* ---- traces ---- */

enum outcome verb_trace(struct call *c)
{
    static const char *const options[] = { "since", "until", "outcome", "sender", "recipient", "subject", "message_id", "ip", "account",
                                           "direction" };
    static const struct column rows[] = {
        { "Id", "id", COLUMN_TEXT },     { "Accepted", "accepted_at", COLUMN_TIME }, { "Outcome", "outcome", COLUMN_TEXT },
        { "From", "sender", COLUMN_TEXT }, { "To", "recipient", COLUMN_TEXT },         { "Subject", "subject", COLUMN_TEXT },
    };
    const char *query = query_of(c, options, ARRAY_LEN(options));

    for (size_t i = 0; i < c->n_options; i++) { /* "2d" is "-2d" */
        if (strcmp(c->options[i].name, "since") == 0 && ascii_digit(c->options[i].value[0]) && strlen(c->options[i].value) < 8) {
            c->options[i].value = arena_printf(&c->arena, "-%s", c->options[i].value).p;
            query = query_of(c, options, ARRAY_LEN(options));
        }
    }
    if (c->n_args > 0)
        query = arena_printf(&c->arena, "%s%sq=%s", query, query[0] == '\0' ? "?" : "&", escape(c, c->args[0])).p;
    return client_list(c, "/api/v1/traces", query, rows, ARRAY_LEN(rows), "id");
}

enum outcome verb_trace_show(struct call *c)
{
    static const struct column trace[] = {
        { "Id", "id", COLUMN_TEXT },         { "Outcome", "outcome", COLUMN_TEXT },  { "Direction", "direction", COLUMN_TEXT },
        { "Accepted", "accepted_at", COLUMN_TIME }, { "From", "sender", COLUMN_TEXT }, { "Account", "account", COLUMN_TEXT },
        { "Subject", "subject", COLUMN_TEXT }, { "Message-ID", "message_id", COLUMN_TEXT }, { "Size", "size", COLUMN_SIZE },
        { "Client", "ip", COLUMN_TEXT },
    };
    static const struct column recipients[] = { { "To", "address", COLUMN_TEXT }, { "Outcome", "outcome", COLUMN_TEXT } };
    static const struct column events[] = {
        { "At", "at", COLUMN_TIME }, { "Event", "kind", COLUMN_TEXT }, { "Result", "result", COLUMN_TEXT },
        { "By", "by", COLUMN_TEXT }, { "Why", "reason", COLUMN_REASON }, { "Session", "session", COLUMN_TEXT },
        { "Answer", "reply", COLUMN_TEXT },
    };
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", arena_printf(&c->arena, "/api/v1/traces/%s", escape(c, c->args[0])).p, NULL, "",
                                   &answer);

    if (out == DONE) {
        print_object(c, answer, trace, ARRAY_LEN(trace), "id");
        if (!c->json && !c->quiet) {
            printf("\n");
            print_rows(c, js_get(answer, "recipients", NULL), recipients, ARRAY_LEN(recipients), "id", true);
            printf("\n");
            print_rows(c, js_get(answer, "events", NULL), events, ARRAY_LEN(events), "at", true);
        }
    }
    js_free(answer);
    return out;
}
