/* /accounts/{a}/filters/test and /me/filters/test: what filters would do with a message; nothing is delivered */
#include "api/fields.h"
#include "api/filter_trial.h"
#include "api/filters.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/problem.h"
#include "api/words.h"
#include "base/encode.h"
#include "mail/charset.h"

static const struct field members[] = {
    { .name = "script", .type = FIELD_STRING, .any_text = true, .min = 1, .max = SCRIPT_MAX_BYTES },
    { .name = "name", .type = FIELD_STRING, .min = 1, .max = 512 },
    { .name = "message", .type = FIELD_STRING, .any_text = true, .min = 1, .max = REQUEST_MAX_BODY },
    { .name = "message_base64", .type = FIELD_STRING, .min = 1, .max = REQUEST_MAX_BODY },
    { .name = "from", .type = FIELD_STRING, .max = 320 },
    { .name = "to", .type = FIELD_STRING, .min = 1, .max = 320 },
};

/* ---- the question ---- */

struct str with_crlf(struct arena *a, struct str text)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 2 * REQUEST_MAX_BODY };

    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r'))
            (void)strbuf_addc(&b, '\r');
        (void)strbuf_addc(&b, text.p[i]);
    }
    return arena_str(a, strbuf_str(&b));
}

static struct str take_message(struct request *r, const struct json_object *body, struct str from)
{
    struct str text = field_str(body, "message", STR_NULL), coded = field_str(body, "message_base64", STR_NULL);

    if ((text.p == NULL) == (coded.p == NULL)) {
        error_at(r, STR("/message"), "either-or", "Give either message or message_base64.");
        return STR("");
    }
    if (coded.p != NULL && base64_decode(&r->arena, coded, &text) != RES_OK) {
        error_at(r, STR("/message_base64"), "syntax", "It is not base64.");
        return STR("");
    }
    text = with_crlf(&r->arena, text);
    return str_istarts(text, STR("Return-Path:"))
               ? text
               : arena_printf(&r->arena, "Return-Path: <%.*s>\r\n%.*s", STR_ARG(from), STR_ARG(text));
}

static void check_address(struct request *r, const char *place, struct str address)
{
    struct str stored;

    if (address.len > 0 && name_address(address, &r->arena, &stored) != RES_OK)
        error_at(r, str_c(place), "syntax", "\"%.*s\" is not an address.", STR_ARG(word_clip(address, 100)));
}

/* ---- the answer ---- */

static struct json_object *text(struct request *r, struct str s)
{
    return js_str(s.p == NULL ? STR_NULL : utf8_clean(&r->arena, s));
}

static struct json_object *error_json(struct request *r, const struct sieve_error *e)
{
    struct json_object *o = js_object();

    js_set(o, "line", js_int(e->line));
    js_set(o, "column", js_int(e->column));
    js_set(o, "text", text(r, e->text));
    return o;
}

static struct json_object *scripts_json(struct request *r, const struct filter_trial_result *t)
{
    struct json_object *v = js_array();

    for (size_t i = 0; i < t->n_scripts; i++) {
        const struct filter_trial_script *s = &t->scripts[i];
        struct json_object *o = js_object();

        js_set(o, "place", js_str(str_c(filter_places[s->place])));
        js_set(o, "name", text(r, s->name));
        js_set(o, "error", s->broken ? error_json(r, &s->error) : NULL);
        js_push(v, o);
    }
    return v;
}

static struct json_object *steps_json(struct request *r, const struct filter_trial_result *t)
{
    static const char *const kinds[] = { [SIEVE_TRACE_TEST] = "test",
                                         [SIEVE_TRACE_COMMAND] = "command",
                                         [SIEVE_TRACE_ACTION] = "action",
                                         [SIEVE_TRACE_ERROR] = "error" };
    struct json_object *v = js_array();

    for (size_t i = 0; i < t->n_steps; i++) {
        const struct sieve_trace *s = &t->steps[i];
        struct json_object *o = js_object();

        js_set(o, "kind", js_str(str_c(kinds[s->kind])));
        js_set(o, "script", js_int(s->script));
        js_set(o, "line", js_int(s->line));
        js_set(o, "depth", js_int(s->depth));
        js_set(o, "name", text(r, s->name));
        if (s->kind == SIEVE_TRACE_TEST)
            js_set(o, "result", js_bool(s->result));
        if (s->detail.len > 0)
            js_set(o, "detail", text(r, s->detail));
        js_push(v, o);
    }
    return v;
}

/* What an action does with which words: an address, a text. */
static void add_words(struct request *r, struct json_object *o, const struct sieve_action *a)
{
    switch (a->kind) {
    case SIEVE_PIPE:
    case SIEVE_REDIRECT:
        js_set(o, "address", text(r, a->list.p != NULL ? a->list : a->address));
        break;
    case SIEVE_REJECT:
    case SIEVE_EREJECT:
        js_set(o, "text", text(r, a->text));
        break;
    case SIEVE_VACATION:
        js_set(o, "address", text(r, a->vacation.to));
        js_set(o, "subject", text(r, a->vacation.subject));
        js_set(o, "text", text(r, a->vacation.text));
        break;
    case SIEVE_NOTIFY:
        js_set(o, "address", text(r, a->address));
        js_set(o, "subject", text(r, a->notify.subject));
        js_set(o, "text", text(r, a->notify.text));
        break;
    case SIEVE_KEEP:
    case SIEVE_FILEINTO:
    case SIEVE_DISCARD:
        break;
    }
}

static enum result add_place(struct request *r, struct json_object *o, const struct filter_trial_result *t,
                             const struct sieve_target *target)
{
    struct json_object *flags = js_array();
    struct str name;
    bool made;
    enum result result = filter_trial_place(t, target, &r->arena, &name, &made);

    for (size_t i = 0; i < target->nflags; i++)
        js_push(flags, text(r, target->flags[i]));
    js_set(o, "flags", flags);
    if (result != RES_OK)
        return result;
    js_set(o, "mailbox", text(r, name));
    if (target->mailbox.p != NULL)
        js_set(o, "asked", text(r, target->mailbox));
    js_set(o, "made", js_bool(made));
    return RES_OK;
}

static enum result push_action(struct request *r, struct json_object *v, const struct filter_trial_result *t,
                               const struct sieve_action *a)
{
    static const char *const kinds[] = {
        [SIEVE_KEEP] = "keep",         [SIEVE_FILEINTO] = "fileinto", [SIEVE_REDIRECT] = "redirect",
        [SIEVE_DISCARD] = "discard",   [SIEVE_REJECT] = "reject",     [SIEVE_EREJECT] = "ereject",
        [SIEVE_VACATION] = "vacation", [SIEVE_NOTIFY] = "notify",  [SIEVE_PIPE] = "pipe"
    };
    struct json_object *o = js_object();
    enum result result = RES_OK;

    js_push(v, o);
    js_set(o, "kind", js_str(str_c(kinds[a->kind])));
    js_set(o, "implicit", js_bool(a->implicit));
    if (!a->implicit) {
        js_set(o, "script", js_int(a->script));
        js_set(o, "line", js_int(a->line));
    }
    if (a->kind == SIEVE_KEEP || a->kind == SIEVE_FILEINTO)
        result = add_place(r, o, t, &a->target);
    add_words(r, o, a);
    js_set(o, "changed", js_bool(a->content != NULL));
    if (a->program.p != NULL)
        js_set(o, "program", text(r, a->program));
    return result;
}

enum result filter_trial_json(struct request *r, const struct filter_trial_result *t, struct json_object **ret)
{
    const struct sieve_result *s = &t->result;
    struct json_object *o = request_keep(r, js_object()), *actions = js_array(), *failed = NULL;

    js_set(o, "scripts", scripts_json(r, t));
    js_set(o, "steps", steps_json(r, t));
    js_set(o, "cut", js_bool(t->cut));
    js_set(o, "actions", actions);
    for (size_t i = 0; i < s->nactions; i++) {
        enum result result = push_action(r, actions, t, &s->actions[i]);

        if (result != RES_OK)
            return result;
    }
    if (s->failed) {
        failed = error_json(r, &s->error);
        js_set(failed, "script", js_int(s->error_script));
        js_set(failed, "include", text(r, s->error_include));
    }
    js_set(o, "failed", failed);
    js_set(o, "cost", js_int((int64_t)s->steps));
    *ret = js_share(o);
    return RES_OK;
}

/* ---- the handler ---- */

static void refuse(struct request *r, const struct filter_trial_result *t, enum result result)
{
    const struct sieve_error *e;

    if (result == RES_NOTFOUND) {
        error_at(r, STR("/name"), "unknown-filter", "There is no such filter.");
    } else if (result == RES_INVALID) {
        e = &t->scripts[0].error;
        error_in_text(r, STR("/script"), "syntax", e->line, e->column, e->text);
    } else {
        problem_of_result(r, result);
        return;
    }
    (void)errors_of_body(r);
}

void filters_test(struct request *r)
{
    struct filter_path p;
    struct filter_message message = { .auth = STR_NULL };
    struct filter_recipient to = { 0 };
    struct filter_trial trial = { .message = &message, .to = &to };
    struct filter_trial_result t;
    struct json_object *body = body_object(r, false), *answer;
    enum result result;

    if (body == NULL || !filter_path_take(r, &p))
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    trial.text = field_str(body, "script", STR_NULL);
    trial.name = field_str(body, "name", STR_NULL);
    message.reverse_path = field_str(body, "from", STR(""));
    to.account_id = p.owner.account_id;
    to.address = field_str(body, "to", p.whom);
    if (trial.text.p != NULL && trial.name.p != NULL)
        error_at(r, STR("/name"), "either-or", "Give either script or name, or neither.");
    check_address(r, "/from", message.reverse_path);
    check_address(r, "/to", to.address);
    message.message = take_message(r, body, message.reverse_path);
    if (errors_of_body(r))
        return;
    result = filter_try(r->service->db, &trial, &r->arena, &t);
    if (result != RES_OK)
        refuse(r, &t, result);
    else if ((result = filter_trial_json(r, &t, &answer)) != RES_OK)
        problem_of_result(r, result);
    else
        reply_json(r, 200, answer);
    filter_trial_release(&t);
}
