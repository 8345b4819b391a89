#include "api/ctl/client.h"
#include "api/ctl/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

/* To a file as the bytes are; to a terminal without what would move its cursor. */
static bool print_source(struct str bytes, void *arg)
{
    bool *terminal = arg;

    for (size_t i = 0; *terminal && i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.p[i];

        if (byte != '\r')
            fputc(byte == '\n' || byte == '\t' || (byte >= 0x20 && byte < 0x7f) ? byte : '?', stdout);
    }
    return *terminal || fwrite(bytes.p, 1, bytes.len, stdout) == bytes.len;
}

static enum outcome show_source(struct call *c)
{
    const char *path = arena_printf(&c->arena, "/api/v1/queue/messages/%s/source", escape(c, c->args[0])).p;
    bool terminal = isatty(STDOUT_FILENO);

    if (option(c, "source") == NULL)
        path = arena_printf(&c->arena, "%s?part=headers", path).p;
    else if (option(c, "reason") != NULL)
        path = arena_printf(&c->arena, "%s?reason=%s", path, escape(c, option(c, "reason"))).p;
    return client_flow(c, path, "message/rfc822", false, print_source, &terminal);
}

enum outcome verb_queue_show(struct call *c)
{
    static const struct column message[] = {
        { "Id", "id", COLUMN_TEXT },          { "Message-ID", "message_id", COLUMN_TEXT }, { "Subject", "subject", COLUMN_TEXT },
        { "Size", "size", COLUMN_SIZE },      { "From", "sender", COLUMN_TEXT },           { "Account", "account", COLUMN_TEXT },
        { "Client", "origin.ip", COLUMN_TEXT }, { "Accepted", "accepted_at", COLUMN_TIME },  { "Until", "expires_at", COLUMN_TIME },
        { "State", "state", COLUMN_TEXT },    { "Held by", "hold.by", COLUMN_TEXT },
        { "Next", "next_attempt_at", COLUMN_TIME }, { "Priority", "priority", COLUMN_NUMBER }, { "Via", "route", COLUMN_TEXT },
    };
    static const struct column recipients[] = {
        { "To", "address", COLUMN_TEXT },  { "State", "state", COLUMN_TEXT },    { "Attempts", "attempts", COLUMN_NUMBER },
        { "Next", "next_attempt_at", COLUMN_TIME }, { "Why", "explanation", COLUMN_REASON }, { "Answer", "reply.text", COLUMN_TEXT },
    };
    struct json_object *answer = NULL;
    enum outcome out;

    if (option(c, "headers") != NULL || option(c, "source") != NULL)
        return show_source(c);
    out = client_call(c, "GET", arena_printf(&c->arena, "/api/v1/queue/messages/%s", escape(c, c->args[0])).p, NULL, "", &answer);
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

/* "none" is back to normal. */
static struct json_object *route_of(const char *text)
{
    return strcmp(text, "none") == 0 ? NULL : js_str(str_c(text));
}

/* Sends the action; says what was done. */
static enum outcome act(struct call *c, struct json_object *body)
{
    struct json_object *answer = NULL, *skipped;
    int64_t changed, left;
    enum outcome out;

    js_set(body, "action", js_str(str_c(c->verb->name)));
    if (option(c, "at") != NULL)
        js_set(body, "at", js_str(str_c(option(c, "at"))));
    if (option(c, "via") != NULL)
        js_set(body, "route", route_of(option(c, "via")));
    if (option(c, "note") != NULL)
        js_set(body, "reason", js_str(str_c(option(c, "note"))));
    out = client_call(c, "POST", "/api/v1/queue/actions", body, "", &answer);
    if (out != DONE)
        return out;
    if (js_get(answer, "total", NULL) != NULL) {
        out = client_follow(c, &answer);
        if (out != DONE)
            return out;
    }
    changed = js_get_int(js_get(answer, "changed", NULL));
    left = js_get_int(js_get(answer, js_get(answer, "total", NULL) != NULL ? "skipped" : "skipped_count", NULL));
    skipped = js_get(answer, "skipped", NULL);
    if (c->json)
        print_object(c, answer, NULL, 0, "matched");
    else if (left == 0)
        say(t("Changed: %lld."), (long long)changed);
    else
        say(t("Changed: %lld, left out: %lld."), (long long)changed, (long long)left);
    if (!c->json && js_get(answer, "undo", NULL) != NULL)
        say(t("For a minute it can be taken back: correioctl queue undo %.*s"), STR_ARG(js_get_str(at_path(answer, "undo.id"))));
    for (size_t i = 0; !c->json && js_kind_of(skipped) == JS_ARRAY && i < js_len(skipped); i++) {
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

    if (!take_ids(c, ids) || js_len(ids) == 0) {
        js_free(ids);
        return USAGE;
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

enum outcome verb_queue_set(struct call *c)
{
    struct json_object *body = js_object(), *answer = NULL;
    enum outcome out;

    if (option(c, "next") != NULL)
        js_set(body, "next_attempt_at", js_str(str_c(option(c, "next"))));
    if (option(c, "expires") != NULL)
        js_set(body, "expires_at", js_str(str_c(option(c, "expires"))));
    if (option(c, "priority") != NULL)
        js_set(body, "priority", js_int(strtoll(option(c, "priority"), NULL, 10)));
    if (option(c, "via") != NULL)
        js_set(body, "route", route_of(option(c, "via")));
    out = client_call(c, "PATCH", arena_printf(&c->arena, "/api/v1/queue/messages/%s", escape(c, c->args[0])).p, body, "", &answer);
    if (out == DONE)
        print_done(c, answer, "id", t("changed"));
    js_free(answer);
    return out;
}

/* The id of the latest action that can be taken back.  NULL: there is none; said, or *ret_out tells why. */
static const char *latest_undo(struct call *c, enum outcome *ret_out)
{
    struct json_object *page = NULL;
    const char *id = NULL;

    *ret_out = client_call(c, "GET", "/api/v1/queue/undo", NULL, "", &page);
    if (*ret_out == DONE && js_len(js_get(page, "data", NULL)) == 0) {
        say("%s", t("There is nothing to take back."));
        *ret_out = CONFLICT;
    } else if (*ret_out == DONE) {
        id = arena_cstr(&c->arena, js_get_str(js_get(js_at(js_get(page, "data", NULL), 0), "id", NULL)));
    }
    js_free(page);
    return id;
}

enum outcome verb_queue_undo(struct call *c)
{
    struct json_object *body, *answer = NULL;
    enum outcome out = DONE;
    const char *id = c->n_args > 0 ? c->args[0] : latest_undo(c, &out);
    int64_t left;

    if (id == NULL)
        return out;
    body = js_object();
    js_set(body, "undo", js_str(str_c(id)));
    out = client_call(c, "POST", "/api/v1/queue/undo", body, "", &answer);
    if (out != DONE)
        return out;
    left = js_get_int(js_get(answer, "skipped", NULL));
    if (c->json)
        print_object(c, answer, NULL, 0, "restored");
    else
        say(left == 0 ? t("As before: %lld.") : t("As before: %lld; no longer possible: %lld."),
            (long long)js_get_int(js_get(answer, "restored", NULL)), (long long)left);
    js_free(answer);
    return left == 0 ? DONE : IN_PART;
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

/* ---- operations ---- */

enum outcome verb_operation_show(struct call *c)
{
    static const struct column columns_of[] = {
        { "Id", "id", COLUMN_TEXT },            { "Action", "action", COLUMN_TEXT },   { "State", "state", COLUMN_TEXT },
        { "Messages", "total", COLUMN_NUMBER }, { "Done", "done", COLUMN_NUMBER },     { "Changed", "changed", COLUMN_NUMBER },
        { "By", "by", COLUMN_TEXT },
    };
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", arena_printf(&c->arena, "/api/v1/operations/%s", escape(c, c->args[0])).p, NULL, "",
                                   &answer);

    if (out == DONE)
        print_object(c, answer, columns_of, ARRAY_LEN(columns_of), "id");
    js_free(answer);
    return out;
}

enum outcome verb_operation_cancel(struct call *c)
{
    enum outcome out = client_call(c, "DELETE", arena_printf(&c->arena, "/api/v1/operations/%s", escape(c, c->args[0])).p, NULL, "",
                                   NULL);

    if (out == DONE)
        print_done(c, NULL, NULL, t("cancelled"));
    return out;
}

/* ---- destinations ---- */

enum outcome verb_queue_destinations(struct call *c)
{
    static const char *const options[] = { "paused", "q" };
    static const struct column rows[] = {
        { "Destination", "name", COLUMN_TEXT },   { "State", "state", COLUMN_TEXT },     { "Waiting", "waiting", COLUMN_NUMBER },
        { "Held", "held", COLUMN_NUMBER },        { "Next", "next_attempt_at", COLUMN_TIME }, { "Until", "paused.until", COLUMN_TIME },
        { "By", "paused.by", COLUMN_TEXT },       { "Why", "explanation", COLUMN_REASON },
    };

    for (size_t i = 0; i < c->n_options; i++) {
        if (strcmp(c->options[i].name, "paused") == 0)
            c->options[i].value = "true";
    }
    return client_list(c, "/api/v1/queue/destinations", query_of(c, options, ARRAY_LEN(options)), rows, ARRAY_LEN(rows), "name");
}

static enum outcome change_destination(struct call *c, struct json_object *body, const char *what)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "PATCH", arena_printf(&c->arena, "/api/v1/queue/destinations/%s", escape(c, c->args[0])).p,
                                   body, "", &answer);

    if (out == DONE)
        print_done(c, answer, "name", what);
    js_free(answer);
    return out;
}

enum outcome verb_queue_pause(struct call *c)
{
    struct json_object *body = js_object(), *paused = js_object();

    js_set(paused, "until", js_str(str_c(option(c, "until"))));
    js_set(paused, "reason", js_str(str_c(option(c, "note"))));
    js_set(body, "paused", paused);
    return change_destination(c, body, t("paused"));
}

enum outcome verb_queue_resume(struct call *c)
{
    struct json_object *body = js_object();

    js_set(body, "paused", NULL);
    return change_destination(c, body, t("resumed"));
}

enum outcome verb_queue_limit(struct call *c)
{
    struct json_object *body = js_object();

    js_set(body, "max_in_flight", js_int(strtoll(c->args[1], NULL, 10)));
    return change_destination(c, body, t("changed"));
}

/* ---- the schedule ---- */

static const struct column schedule_columns[] = {
    { "Retries", "retry_schedule", COLUMN_TEXT }, { "Expires", "expire", COLUMN_TEXT }, { "Delay notice", "delay_notice", COLUMN_TEXT },
    { "Attempts", "attempts", COLUMN_NUMBER },
};

/* The times of the attempts, as durations after acceptance. */
static void print_times(struct json_object *times)
{
    for (size_t i = 0; i < js_len(times); i++) {
        int64_t s = js_get_int(js_at(times, i));

        printf("%4zu  +%lldd %02lld:%02lld:%02lld\n", i + 1, (long long)(s / 86400), (long long)(s / 3600 % 24),
               (long long)(s / 60 % 60), (long long)(s % 60));
    }
}

enum outcome verb_queue_schedule(struct call *c)
{
    static const char *const names[][2] = { { "retries", "retry_schedule" }, { "expire", "expire" }, { "delay-notice", "delay_notice" } };
    struct json_object *answer = NULL, *body = NULL;
    enum outcome out = client_call(c, "GET", "/api/v1/queue/schedule", NULL, "", &answer);

    for (size_t i = 0; out == DONE && i < ARRAY_LEN(names); i++) {
        if (option(c, names[i][0]) == NULL)
            continue;
        if (body == NULL)
            body = js_share(answer);
        js_set(body, names[i][1], js_str(str_c(option(c, names[i][0]))));
    }
    if (body != NULL) {
        const char *version = arena_printf(&c->arena, "\"%lld\"", (long long)js_get_int(js_get(body, "version", NULL))).p;

        js_free(answer);
        answer = NULL;
        out = client_call(c, "PUT", "/api/v1/queue/schedule", body, version, &answer);
    }
    if (out == DONE) {
        print_object(c, answer, schedule_columns, ARRAY_LEN(schedule_columns), "retry_schedule");
        if (!c->json && !c->quiet)
            print_times(js_get(answer, "attempt_seconds", NULL));
    }
    js_free(answer);
    return out;
}

/* ---- rules that hold new mail ---- */

enum outcome verb_queue_hold_rule_list(struct call *c)
{
    static const struct column rows[] = {
        { "Id", "id", COLUMN_TEXT },         { "From", "sender", COLUMN_TEXT },  { "Sender domain", "sender_domain", COLUMN_TEXT },
        { "Destination", "destination", COLUMN_TEXT }, { "Until", "until", COLUMN_TIME }, { "Reason", "reason", COLUMN_TEXT },
        { "By", "created_by", COLUMN_TEXT },
    };

    return client_list(c, "/api/v1/queue/holds", "", rows, ARRAY_LEN(rows), "id");
}

enum outcome verb_queue_hold_rule_add(struct call *c)
{
    static const char *const names[][2] = { { "sender", "sender" }, { "sender-domain", "sender_domain" },
                                            { "destination", "destination" }, { "until", "until" }, { "note", "reason" } };
    struct json_object *body = js_object(), *answer = NULL;
    enum outcome out;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (option(c, names[i][0]) != NULL)
            js_set(body, names[i][1], js_str(str_c(option(c, names[i][0]))));
    }
    out = client_call(c, "POST", "/api/v1/queue/holds", body, "", &answer);
    if (out == DONE && c->json)
        print_object(c, answer, NULL, 0, "id");
    else if (out == DONE)
        printf("%.*s\n", STR_ARG(js_get_str(js_get(answer, "id", NULL))));
    js_free(answer);
    return out;
}

enum outcome verb_queue_hold_rule_remove(struct call *c)
{
    enum outcome out = client_call(c, "DELETE", arena_printf(&c->arena, "/api/v1/queue/holds/%s", escape(c, c->args[0])).p, NULL,
                                   "", NULL);

    if (out == DONE)
        print_done(c, NULL, NULL, t("removed"));
    return out;
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
