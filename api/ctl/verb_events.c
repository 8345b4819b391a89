/* events, and trace follow: what happens on the server, as it happens. */
#include "api/ctl/client.h"
#include "api/ctl/sse.h"
#include "api/ctl/verbs.h"
#include "base/encode.h"

#include <stdio.h>

struct watch {
    struct call one; /* for one event: its arena is emptied behind each */
    struct sse sse;
    void (*show)(struct watch *w, struct str type, struct json_object *data);
    enum outcome out;
};

static bool take_event(const struct sse_event *e, void *arg)
{
    struct watch *w = arg;
    CLEANUP(js_freep) struct json_object *data = NULL;
    struct str error;

    if (js_parse(e->data, &w->one.arena, &data, &error) == RES_OK && js_kind_of(data) == JS_OBJECT)
        w->show(w, e->type, data);
    arena_reset(&w->one.arena);
    return w->out == DONE;
}

static bool take_bytes(struct str bytes, void *arg)
{
    struct watch *w = arg;

    return sse_feed(&w->sse, bytes, take_event, w);
}

/* Until the server ends it, or somebody us. */
static enum outcome watch(struct call *c, const char *topics, void (*show)(struct watch *w, struct str type, struct json_object *data))
{
    static struct watch w;
    enum outcome out;

    w = (struct watch){ .one = *c, .show = show };
    w.one.arena = (struct arena){ 0 };
    out = client_flow(c, arena_printf(&c->arena, "/api/v1/events?topics=%s", escape(c, topics)).p, "text/event-stream", true, take_bytes,
                      &w);
    sse_release(&w.sse);
    arena_reset(&w.one.arena);
    if (out != DONE)
        return out;
    if (w.out == DONE)
        say("%s", t("The server has ended the stream; try again."));
    return w.out == DONE ? UNREACHABLE : w.out;
}

/* ---- events ---- */

static void add_word(void *arg, struct str name, struct json_object *value)
{
    struct call *c = arg;
    struct str text = js_kind_of(value) == JS_STRING ? js_get_str(value) : js_text(value, &c->arena);

    printf("  %.*s=%.*s", STR_ARG(harmless(&c->arena, name)), STR_ARG(harmless(&c->arena, text)));
}

static void show_event(struct watch *w, struct str type, struct json_object *data)
{
    static const struct column columns[] = { { "When", "at", COLUMN_TIME }, { "Event", "event", COLUMN_TEXT } };
    CLEANUP(js_freep) struct json_object *o = js_object();

    js_set(o, "at", js_time(wall_us()));
    js_set(o, "event", js_str(type));
    js_set(o, "data", js_share(data));
    if (w->one.json || w->one.quiet) {
        print_row(&w->one, o, columns, ARRAY_LEN(columns), "data.id");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        printf("%s%.*s", i > 0 ? "  " : "", STR_ARG(cell_text(&w->one, o, &columns[i])));
    js_each(data, add_word, &w->one);
    fputc('\n', stdout);
    fflush(stdout);
}

enum outcome verb_events(struct call *c)
{
    const char *topics = option(c, "topic");

    return watch(c, topics != NULL ? topics : "queue,status", show_event);
}

/* ---- trace follow ---- */

/* The first recipient, and how many more there are. */
static void add_recipient(struct json_object *trace, struct arena *a)
{
    struct json_object *recipients = js_get(trace, "recipients", NULL);
    struct str first = js_get_str(js_get(js_at(recipients, 0), "address", NULL));

    if (js_len(recipients) > 1)
        first = arena_printf(a, "%.*s +%zu", STR_ARG(first), js_len(recipients) - 1);
    js_set(trace, "recipient", js_str(first));
}

static void show_trace(struct watch *w, struct str type, struct json_object *data)
{
    static const struct column columns[] = {
        { "When", "at", COLUMN_TIME },     { "Id", "id", COLUMN_TEXT },       { "Outcome", "outcome", COLUMN_TEXT },
        { "From", "sender", COLUMN_TEXT }, { "To", "recipient", COLUMN_TEXT }, { "Subject", "subject", COLUMN_TEXT },
    };
    struct str id = js_get_str(js_get(data, "id", NULL));
    struct json_object *trace = NULL;
    long status;

    if (str_eq(type, STR("reset"))) {
        say("%s", t("Too much happens at once: some are left out here."));
        return;
    }
    if (!str_eq(type, STR("trace.changed")) || id.p == NULL)
        return;
    w->out = client_try(&w->one, "GET", arena_printf(&w->one.arena, "/api/v1/traces/%s", escape(&w->one, arena_cstr(&w->one.arena, id))).p,
                        NULL, "", &status, &trace);
    if (w->out == NOT_FOUND) {
        w->out = DONE; /* it is forgotten already */
    } else if (w->out != DONE) {
        w->out = client_say_problem(&w->one, status, trace);
    } else if (w->one.json) {
        print_row(&w->one, trace, NULL, 0, "id");
    } else {
        js_set(trace, "at", js_time(wall_us()));
        add_recipient(trace, &w->one.arena);
        print_row(&w->one, trace, columns, ARRAY_LEN(columns), "id");
    }
    js_free(trace);
}

enum outcome verb_trace_follow(struct call *c)
{
    return watch(c, "trace", show_trace);
}
