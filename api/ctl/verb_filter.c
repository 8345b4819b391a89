/* account filter ... and filter ...: Sieve scripts of a person, of a domain (--domain) and of the server. */
#include "api/ctl/client.h"
#include "api/ctl/verbs.h"
#include "base/encode.h"

#include <stdio.h>

#define FILE_MAX ((size_t)1 << 20)

static const struct column columns[] = {
    { "Name", "name", COLUMN_TEXT }, { "Place", "place", COLUMN_TEXT },        { "Active", "active", COLUMN_TEXT },
    { "Size", "size", COLUMN_SIZE }, { "Changed", "changed_at", COLUMN_TIME },
};

static bool of_account(const struct call *c)
{
    return strcmp(c->verb->noun, "account") == 0;
}

static const char *list_path(struct call *c)
{
    const char *domain = option(c, "domain");

    if (of_account(c))
        return arena_printf(&c->arena, "/api/v1/accounts/%s/filters", escape(c, c->args[0])).p;
    return domain == NULL ? "/api/v1/filters"
                          : arena_printf(&c->arena, "/api/v1/domains/%s/filters", escape(c, domain)).p;
}

/* The arguments are ADDRESS NAME, or PLACE NAME. */
static const char *one_path(struct call *c)
{
    const char *place = of_account(c) ? "" : arena_printf(&c->arena, "/%s", escape(c, c->args[0])).p;

    return arena_printf(&c->arena, "%s%s/%s", list_path(c), place, escape(c, c->args[1])).p;
}

static enum outcome done(struct call *c, enum outcome out, struct json_object *answer, const char *what)
{
    if (out == DONE && !c->json && !c->quiet)
        say("%s: %s", c->args[1], what);
    else if (out == DONE && answer != NULL)
        print_object(c, answer, NULL, 0, "name");
    js_free(answer);
    return out;
}

enum outcome verb_filter_list(struct call *c)
{
    return client_list(c, list_path(c), "", columns, ARRAY_LEN(columns), "name");
}

enum outcome verb_filter_get(struct call *c)
{
    struct json_object *answer = NULL;
    enum outcome out = client_call(c, "GET", one_path(c), NULL, "", &answer);
    struct str script = js_get_str(js_get(answer, "script", NULL));

    if (out == DONE && (c->json || c->quiet))
        print_object(c, answer, NULL, 0, "name");
    else if (out == DONE)
        (void)fwrite(script.p, 1, script.len, stdout);
    js_free(answer);
    return out;
}

/* A script from a file.  False: it cannot be one; said. */
static bool take_script(struct call *c, const char *file, struct str *ret)
{
    if (!take_file(c, file, FILE_MAX, ret))
        return false;
    if (str_is_utf8(*ret))
        return true;
    say(t("%s is not UTF-8"), file != NULL ? file : "-");
    return false;
}

enum outcome verb_filter_put(struct call *c)
{
    struct json_object *body, *present, *answer = NULL;
    const char *version = "new", *path = one_path(c);
    struct str script;
    long status;
    enum outcome out;

    if (!take_script(c, c->n_args > 2 ? c->args[2] : NULL, &script))
        return USAGE;
    out = client_try(c, "GET", path, NULL, "", &status, &present);
    if (out == DONE)
        version = arena_printf(&c->arena, "\"%lld\"", (long long)js_get_int(js_get(present, "version", NULL))).p;
    else if (out != NOT_FOUND)
        out = client_say_problem(c, status, present);
    js_free(present);
    if (out != DONE && out != NOT_FOUND)
        return out;
    body = js_object();
    js_set(body, "script", js_str(script));
    out = client_call(c, "PUT", path, body, version, &answer);
    return done(c, out, answer, t("stored"));
}

static enum outcome change(struct call *c, const char *name, struct json_object *value, const char *what)
{
    struct json_object *body = js_object(), *answer = NULL;
    enum outcome out;

    js_set(body, name, value);
    out = client_call(c, "PATCH", one_path(c), body, "*", &answer);
    return done(c, out, answer, what);
}

enum outcome verb_filter_activate(struct call *c)
{
    return change(c, "active", js_bool(true), t("active"));
}

enum outcome verb_filter_deactivate(struct call *c)
{
    return change(c, "active", js_bool(false), t("no longer active"));
}

enum outcome verb_filter_rename(struct call *c)
{
    return change(c, "name", js_str(str_c(c->args[2])), t("renamed"));
}

enum outcome verb_filter_remove(struct call *c)
{
    return done(c, client_call(c, "DELETE", one_path(c), NULL, "*", NULL), NULL, t("removed"));
}

/* ---- a trial ---- */

static struct str text_of(struct call *c, struct json_object *o, const char *name)
{
    return harmless(&c->arena, js_get_str(js_get(o, name, NULL)));
}

static void print_step(struct call *c, struct json_object *step)
{
    struct str kind = js_get_str(js_get(step, "kind", NULL)), name = text_of(c, step, "name"),
               detail = text_of(c, step, "detail");
    int depth = (int)js_get_int(js_get(step, "depth", NULL));

    printf("%6lld  %*s%.*s", (long long)js_get_int(js_get(step, "line", NULL)), 2 * MIN(depth, 20), "", STR_ARG(name));
    if (str_eq(kind, STR("test")))
        printf(": %s", t(js_get_bool(js_get(step, "result", NULL)) ? "yes" : "no"));
    else if (detail.len > 0)
        printf("%s%.*s", name.len > 0 ? " -> " : "", STR_ARG(detail));
    putchar('\n');
}

/* A command whose action follows at once is told by that. */
static bool is_told_next(struct json_object *step, struct json_object *next)
{
    return next != NULL && str_eq(js_get_str(js_get(step, "kind", NULL)), STR("command")) &&
           str_eq(js_get_str(js_get(next, "kind", NULL)), STR("action")) &&
           js_equal(js_get(step, "name", NULL), js_get(next, "name", NULL)) &&
           js_equal(js_get(step, "line", NULL), js_get(next, "line", NULL));
}

/* The steps, under the name of the script that they are of. */
static void print_steps(struct call *c, struct json_object *trial)
{
    struct json_object *scripts = js_get(trial, "scripts", NULL), *steps = js_get(trial, "steps", NULL);
    int64_t last = -1;

    for (size_t i = 0; i < js_len(steps); i++) {
        int64_t now = js_get_int(js_get(js_at(steps, i), "script", NULL));
        struct json_object *script = js_at(scripts, (size_t)now);

        if (now != last && script != NULL)
            printf("%.*s %.*s\n", STR_ARG(text_of(c, script, "place")), STR_ARG(text_of(c, script, "name")));
        last = now;
        if (!is_told_next(js_at(steps, i), i + 1 < js_len(steps) ? js_at(steps, i + 1) : NULL))
            print_step(c, js_at(steps, i));
    }
    if (js_get_bool(js_get(trial, "cut", NULL)))
        say("%s", t("There were more steps than are shown."));
}

static void print_action(struct call *c, struct json_object *action)
{
    static const struct {
        const char *kind, *words, *member;
    } kinds[] = {
        { "keep", "kept in", "mailbox" },         { "fileinto", "stored in", "mailbox" },
        { "redirect", "sent on to", "address" },  { "discard", "discarded", NULL },
        { "reject", "refused", "text" },          { "ereject", "refused", "text" },
        { "vacation", "answered to", "address" }, { "notify", "notified", "address" },
        { "pipe", "given to the program", "address" },
    };
    struct json_object *flags = js_get(action, "flags", NULL);
    struct str kind = js_get_str(js_get(action, "kind", NULL)), asked = text_of(c, action, "asked"),
               mailbox = text_of(c, action, "mailbox"), program = text_of(c, action, "program");

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!str_eq(kind, str_c(kinds[i].kind)))
            continue;
        printf("  %s", t(kinds[i].words));
        if (kinds[i].member != NULL)
            printf(" %.*s", STR_ARG(text_of(c, action, kinds[i].member)));
    }
    for (size_t i = 0; js_kind_of(flags) == JS_ARRAY && i < js_len(flags); i++)
        printf("%s%.*s%s", i == 0 ? " (" : " ", STR_ARG(harmless(&c->arena, js_get_str(js_at(flags, i)))),
               i + 1 == js_len(flags) ? ")" : "");
    if (js_get_bool(js_get(action, "made", NULL)))
        printf(", %s", t("which is made"));
    else if (asked.len > 0 && !str_eq(asked, mailbox))
        printf(t(", as there is no %.*s"), STR_ARG(asked));
    if (program.len > 0)
        printf(t(", as the program %.*s makes it"), STR_ARG(program));
    putchar('\n');
}

/* DONE, or PROBLEMS_FOUND when a script is broken or failed; said. */
static enum outcome say_failures(struct call *c, struct json_object *trial)
{
    struct json_object *scripts = js_get(trial, "scripts", NULL), *failed = js_get(trial, "failed", NULL), *error;
    enum outcome out = DONE;

    for (size_t i = 0; i <= js_len(scripts); i++) {
        error = i < js_len(scripts) ? js_get(js_at(scripts, i), "error", NULL) : failed;
        if (error == NULL)
            continue;
        say(t("line %lld, column %lld: %.*s"), (long long)js_get_int(js_get(error, "line", NULL)),
            (long long)js_get_int(js_get(error, "column", NULL)), STR_ARG(text_of(c, error, "text")));
        out = PROBLEMS_FOUND;
    }
    return out;
}

static enum outcome print_trial(struct call *c, struct json_object *trial)
{
    struct json_object *actions = js_get(trial, "actions", NULL);

    if (c->json || c->quiet) {
        print_object(c, trial, NULL, 0, "cost");
    } else {
        print_steps(c, trial);
        printf("%s\n", t("What would be done:"));
        for (size_t i = 0; i < js_len(actions); i++)
            print_action(c, js_at(actions, i));
    }
    return say_failures(c, trial);
}

enum outcome verb_filter_test(struct call *c)
{
    static const char *const texts[] = { "name", "from", "to" };
    struct json_object *body, *trial = NULL;
    struct str script, message;
    enum outcome out;

    if (!take_file(c, c->n_args > 1 ? c->args[1] : NULL, FILE_MAX, &message))
        return USAGE;
    if (option(c, "script") != NULL && !take_script(c, option(c, "script"), &script))
        return USAGE;
    body = js_object();
    js_set(body, "message_base64", js_str(base64_encode(&c->arena, message)));
    if (option(c, "script") != NULL)
        js_set(body, "script", js_str(script));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (option(c, texts[i]) != NULL)
            js_set(body, texts[i], js_str(str_c(option(c, texts[i]))));
    }
    out = client_call(c, "POST", arena_printf(&c->arena, "%s/test", list_path(c)).p, body, "", &trial);
    if (out == DONE)
        out = print_trial(c, trial);
    js_free(trial);
    return out;
}
