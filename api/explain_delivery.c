/* POST /explain/delivery: what would become of a message.  Asked are the functions that deliver; nothing is written. */
#include "api/explain_delivery.h"
#include "api/explain.h"
#include "api/fields.h"
#include "api/filter_trial.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/problem.h"
#include "api/record.h"
#include "api/words.h"
#include "mail/address.h"
#include "mail/header.h"
#include "store/quota.h"
#include "store/routing.h"

#include <arpa/inet.h>

#define MAX_PAD ((uint64_t)1 << 20) /* of the message that filters see */
#define PROBES_A_MINUTE 10

static const struct field members[] = {
    { .name = "from", .type = FIELD_STRING, .required = true, .max = 320 },
    { .name = "to", .type = FIELD_STRING, .required = true, .min = 1, .max = 320 },
    { .name = "size", .type = FIELD_INT, .min = 0, .max = INT64_MAX },
    { .name = "ip", .type = FIELD_STRING, .min = 2, .max = 45 },
    { .name = "account", .type = FIELD_STRING, .min = 3, .max = 320 },
    { .name = "headers", .type = FIELD_STRING, .any_text = true, .max = 65536 },
    { .name = "probe", .type = FIELD_BOOL },
};

static const struct {
    struct str key, text;
} words[] = {
#include "explain_words_en.inc"
};

/* ---- steps ---- */

static struct str fill(struct arena *a, const char *key, const struct step_arg *args, size_t n)
{
    struct str rest = STR(""), said = STR(""), before, name;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq(words[i].key, str_c(key)))
            rest = words[i].text;
    }
    while (str_chr(rest, '{') != SIZE_MAX) {
        before = str_sub(rest, 0, str_chr(rest, '{'));
        rest = str_from(rest, before.len + 1);
        name = str_sub(rest, 0, str_chr(rest, '}'));
        rest = str_from(rest, name.len + 1);
        said = arena_printf(a, "%.*s%.*s", STR_ARG(said), STR_ARG(before));
        for (size_t i = 0; i < n; i++) {
            if (str_eq(str_c(args[i].name), name))
                said = arena_printf(a, "%.*s%.*s", STR_ARG(said), STR_ARG(args[i].value));
        }
    }
    return arena_printf(a, "%.*s%.*s", STR_ARG(said), STR_ARG(rest));
}

struct json_object *explain_step(struct explanation *e, const char *step, struct str whom, enum judged verdict, const char *key,
                                 const struct step_arg *args, size_t n, struct str setting)
{
    static const char *const verdicts[] = { [JUDGED_OK] = "ok", [JUDGED_INFO] = "info", [JUDGED_WAITS] = "waits",
                                            [JUDGED_REFUSED] = "refused", [JUDGED_UNKNOWN] = "unknown" };
    struct json_object *o = js_object(), *values = js_object();

    for (size_t i = 0; i < n; i++)
        js_set(values, args[i].name, js_str(args[i].value));
    js_set(o, "step", js_str(str_c(step)));
    js_set(o, "for", js_str(whom));
    js_set(o, "verdict", js_str(str_c(verdicts[verdict])));
    js_set(o, "because", js_str(fill(&e->r->arena, key, args, n)));
    js_set(o, "key", js_str(str_c(key)));
    js_set(o, "args", values);
    js_set(o, "setting", js_str(setting));
    js_push(e->steps, o);
    return o;
}

void explain_recipient(struct explanation *e, struct str address, const char *kind, const char *outcome, struct str mailbox)
{
    struct json_object *o = js_object();

    js_set(o, "address", js_str(address));
    js_set(o, "kind", js_str(str_c(kind)));
    js_set(o, "outcome", js_str(str_c(outcome)));
    js_set(o, "mailbox", js_str(mailbox));
    js_push(e->recipients, o);
    if (strcmp(outcome, "refused") == 0 || strcmp(outcome, "returned") == 0)
        e->lost++;
    else
        e->reached++;
}

static struct str number(struct explanation *e, int64_t n)
{
    return arena_printf(&e->r->arena, "%lld", (long long)n);
}

static struct str link_to(struct explanation *e, const char *place, struct str name)
{
    return arena_printf(&e->r->arena, "/%s/%.*s", place, STR_ARG(name));
}

/* The client would be told no. */
static void refused(struct explanation *e, const char *step, struct str setting)
{
    const struct step_arg reply = { "reply", arena_printf(&e->r->arena, "%d %s %.*s", e->refusal.code, e->refusal.enhanced,
                                                          STR_ARG(e->refusal.text)) };
    struct json_object *o = explain_step(e, step, STR_NULL, e->refusal.code < 500 ? JUDGED_WAITS : JUDGED_REFUSED, "admission.answer", &reply, 1,
                                         setting);

    js_set(o, "reply", reply_line_json(reply.value));
    js_set(o, "explanation", explanation_json(&e->r->arena, e->refusal.reason, e->to.domain));
}

/* ---- what the message is ---- */

static enum result look_up(void *data, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
{
    const struct explanation *e = data;

    return routing_find(e->r->service->db, local, domain, a, ret);
}

/* SUSPENDS. */
static bool domain_has_room(void *data, int64_t domain_id, uint64_t size)
{
    const struct explanation *e = data;
    struct quota_domain *v;
    size_t n;

    if (quota_domains(e->r->service->db, &e->r->arena, &v, &n) != RES_OK)
        return true;
    for (size_t i = 0; i < n; i++) {
        if (v[i].id == domain_id)
            return v[i].used < v[i].limit && size <= (uint64_t)(v[i].limit - v[i].used);
    }
    return true;
}

static void take_path(struct request *r, const struct json_object *body, const char *name, struct admission_path *ret)
{
    struct str text = field_str(body, name, STR(""));

    *ret = (struct admission_path){ .text = STR(""), .local = STR(""), .domain = STR("") };
    if (text.len == 0)
        return;
    if (name_address(text, &r->arena, &ret->text) != RES_OK ||
        address_parse_mailbox(ret->text, true, &r->arena, &ret->local, &ret->domain) != RES_OK)
        error_at(r, arena_printf(&r->arena, "/%s", name), "syntax", "\"%.*s\" is not an address.", STR_ARG(word_clip(text, 100)));
}

static enum result take_account(struct explanation *e, struct str name)
{
    struct account account;
    struct str address;
    enum result result = name_address(name, &e->r->arena, &address) == RES_OK
                             ? account_get(e->r->service->db, address, &e->r->caller.visible, &e->r->arena, &account)
                             : RES_NOTFOUND;

    if (result == RES_NOTFOUND) {
        error_at(e->r, STR("/account"), "unknown-account", "There is no such account.");
        return RES_OK;
    }
    if (result == RES_OK) {
        e->q.account_id = account.id;
        e->q.account = account.address;
        e->q.frozen = account.state == ACCOUNT_FROZEN;
        e->q.submission = e->q.trusted = e->q.relays = true;
    }
    return result;
}

static void take_ip(struct explanation *e, const struct json_object *body)
{
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    const struct sockaddr *peer = (const struct sockaddr *)&four;
    const char *text;

    e->ip = field_str(body, "ip", STR_NULL);
    if (e->ip.p == NULL)
        return;
    text = arena_cstr(&e->r->arena, e->ip);
    if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1)
        peer = (const struct sockaddr *)&six;
    else if (inet_pton(AF_INET, text, &four.sin_addr) != 1)
        error_at(e->r, STR("/ip"), "syntax", "It is not an address of the network.");
    e->q.relays = e->q.relays || network_list_contains(&settings_get()->relay_networks, peer);
}

/* May the caller ask about it?  One end has to be his. */
static bool may_see(const struct explanation *e)
{
    return caller_sees(&e->r->caller, e->to.domain) || e->q.account_id != 0;
}

/* ---- the client's side ---- */

static enum result explain_client(struct explanation *e)
{
    struct arena *a = &e->r->arena;
    const struct step_arg size[] = { { "size", number(e, (int64_t)e->size) }, { "limit", number(e, settings_get()->max_message_size) } };
    const struct step_arg sender[] = { { "account", e->q.account }, { "sender", e->q.sender.text } };
    enum result result = admission_sender(&e->q, a, &e->refusal);

    if (result == RES_DENIED)
        refused(e, "sender", str_eq(e->refusal.reason, STR("account-frozen")) ? link_to(e, "accounts", e->q.account) : STR("/settings/smtp"));
    if (result != RES_OK)
        return result;
    explain_step(e, "size", STR_NULL, JUDGED_OK, "size.ok", size, ARRAY_LEN(size), STR("/settings/smtp"));
    if (e->q.sender.text.len == 0)
        explain_step(e, "sender", STR_NULL, JUDGED_OK, "sender.null", NULL, 0, STR_NULL);
    else if (e->q.account_id == 0)
        explain_step(e, "sender", STR_NULL, JUDGED_OK, "sender.unchecked", NULL, 0, STR_NULL);
    else
        explain_step(e, "sender", STR_NULL, JUDGED_OK, "sender.ok", sender, ARRAY_LEN(sender), link_to(e, "accounts", e->q.account));
    return RES_OK;
}

/* At the end of the data. */
static enum result explain_header(struct explanation *e)
{
    struct arena *a = &e->r->arena;
    const struct step_arg account = { "account", e->q.account };
    struct header_check h;
    enum result result;

    if (e->headers.p == NULL || e->q.account_id == 0)
        return RES_OK;
    header_check(a, arena_printf(a, "%.*s\r\n", STR_ARG(e->headers)), &h);
    result = admission_header(&e->q, &h, a, &e->refusal);
    if (result == RES_DENIED)
        refused(e, "header", STR("/settings/smtp"));
    else if (result == RES_OK)
        explain_step(e, "header", STR_NULL, JUDGED_OK, "header.ok", &account, 1, STR_NULL);
    return result;
}

/* How the address was followed. */
static void explain_address(struct explanation *e, const struct route_step *s)
{
    static const bool bad[] = { [STEP_UNKNOWN] = true, [STEP_DISABLED] = true, [STEP_DENIED] = true, [STEP_LOOP] = true,
                                [STEP_TOO_DEEP] = true, [STEP_BAD_ADDRESS] = true };
    const struct step_arg args[] = { { "address", s->address }, { "to", s->to } };
    const char *key = arena_cstr(&e->r->arena, arena_printf(&e->r->arena, "address.%s", route_step_name(s->kind)));
    struct str setting = STR_NULL;

    if (s->kind == STEP_ALIAS || s->kind == STEP_DENIED)
        setting = link_to(e, "aliases", s->address);
    else if (s->kind == STEP_ACCOUNT || s->kind == STEP_FORWARD)
        setting = link_to(e, "accounts", s->kind == STEP_ACCOUNT ? s->to : s->address);
    else if (s->kind == STEP_CATCH_ALL || s->kind == STEP_DISABLED || s->kind == STEP_DOMAIN_ALIAS)
        setting = link_to(e, "domains", name_domain_of(s->address));
    explain_step(e, "address", STR_NULL, bad[s->kind] ? JUDGED_REFUSED : JUDGED_INFO, key, args, ARRAY_LEN(args), setting);
}

/* ---- mailboxes ---- */

/* The message as filters would see it. */
static struct str message(struct explanation *e)
{
    struct arena *a = &e->r->arena;
    struct str head = e->headers.p != NULL
                          ? with_crlf(a, str_trim(e->headers))
                          : arena_printf(a, "From: <%.*s>\r\nTo: <%.*s>\r\nSubject: ", STR_ARG(e->q.sender.text), STR_ARG(e->to.text));
    struct str top = arena_printf(a, "Return-Path: <%.*s>\r\n%.*s\r\n\r\n", STR_ARG(e->q.sender.text), STR_ARG(head));
    size_t pad = e->size > top.len ? (size_t)MIN(e->size - top.len, MAX_PAD) : 0;
    char *all = arena_alloc(a, top.len + pad);

    memcpy(all, top.p, top.len);
    for (size_t i = 0; i < pad; i++)
        all[top.len + i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : 'x';
    return str_of(all, top.len + pad);
}

static enum result explain_actions(struct explanation *e, const struct route_recipient *to, const struct filter_trial_result *t,
                                   bool waits, bool *ret_tellable)
{
    const struct sieve_result *s = &t->result;
    struct arena *a = &e->r->arena;
    struct str mailboxes = STR(""), setting = arena_printf(a, "/accounts/%.*s/filters", STR_ARG(to->facts.address));
    size_t kept = 0, sent = 0;
    struct json_object *step = NULL, *trial;
    enum result result;

    for (size_t i = 0; i < s->nactions; i++) {
        const struct sieve_action *act = &s->actions[i];
        struct step_arg arg = { "text", act->text };
        struct str name;
        bool made;

        if (act->kind == SIEVE_REJECT || act->kind == SIEVE_EREJECT) {
            step = explain_step(e, "filter", to->facts.address, JUDGED_REFUSED, "filter.refused", &arg, 1, setting);
            *ret_tellable = act->kind == SIEVE_EREJECT || str_is_ascii(act->text);
            if (e->refusal.code == 0)
                e->refusal = (struct admission_refusal){ 550, "5.7.1", arena_str(a, act->text), STR("recipient-filter") };
        } else if (act->kind == SIEVE_KEEP || act->kind == SIEVE_FILEINTO) {
            result = filter_trial_place(t, &act->target, a, &name, &made);
            if (result != RES_OK)
                return result;
            mailboxes = kept++ == 0 ? name : arena_printf(a, "%.*s, %.*s", STR_ARG(mailboxes), STR_ARG(name));
        } else if (act->kind == SIEVE_REDIRECT) {
            arg = (struct step_arg){ "address", act->list.p != NULL ? act->list : act->address };
            explain_step(e, "filter", to->facts.address, JUDGED_OK, "filter.sent", &arg, 1, setting);
            sent++;
        }
    }
    if (kept > 0) {
        const struct step_arg arg = { "mailbox", mailboxes };

        step = explain_step(e, "filter", to->facts.address, s->failed ? JUDGED_WAITS : JUDGED_OK,
                            s->failed ? "filter.failed" : t->n_scripts == 0 ? "filter.none" : "filter.stored", &arg, 1, setting);
    } else if (step == NULL && sent == 0) {
        step = explain_step(e, "filter", to->facts.address, JUDGED_OK, "filter.discarded", NULL, 0, setting);
    }
    if (step != NULL && t->n_scripts > 0) {
        result = filter_trial_json(e->r, t, &trial);
        if (result != RES_OK)
            return result;
        js_set(step, "trial", trial);
    }
    explain_recipient(e, to->facts.address, "mailbox",
                      *ret_tellable || (kept + sent == 0 && e->refusal.code != 0) ? "refused"
                      : waits && kept > 0                                         ? "waits"
                      : kept > 0                                                  ? "delivered"
                      : sent > 0                                                  ? "forwarded"
                                                                                  : "discarded",
                      kept > 0 ? mailboxes : STR_NULL);
    return RES_OK;
}

/* *ret_tellable: its filters refuse in a way that the reply can tell. */
static enum result explain_mailbox(struct explanation *e, const struct route_recipient *to, struct str bytes, bool *ret_tellable)
{
    const struct route_facts *f = &to->facts;
    bool full = admission_is_full(&e->q, to);
    const struct step_arg quota[] = { { "used", number(e, f->used_bytes) }, { "limit", number(e, f->quota_bytes) } };
    const struct filter_message m = { .message = bytes, .reverse_path = e->q.sender.text, .client_ip = e->ip,
                                      .auth = e->q.account_id != 0 ? e->q.account : STR_NULL, .helo = STR_NULL, .envid = STR_NULL };
    const struct filter_recipient recipient = { .account_id = f->account_id, .inbox_id = f->inbox_id, .address = to->address,
                                                .elsewhere = f->elsewhere };
    const struct filter_trial trial = { .message = &m, .to = &recipient };
    struct filter_trial_result t;
    enum result result;

    explain_step(e, "quota", f->address, full ? JUDGED_WAITS : JUDGED_OK,
                 full                   ? "quota.waits"
                 : f->quota_bytes < 0 ? "quota.none"
                                        : "quota.ok",
                 quota, ARRAY_LEN(quota), link_to(e, "accounts", f->address));
    if (f->elsewhere)
        explain_step(e, "mailbox", f->address, JUDGED_INFO, "mailbox.elsewhere", NULL, 0, link_to(e, "accounts", f->address));
    result = filter_try(e->r->service->db, &trial, &e->r->arena, &t);
    if (result == RES_OK)
        result = explain_actions(e, to, &t, full || f->elsewhere, ret_tellable);
    filter_trial_release(&t);
    return result == RES_NOTFOUND ? RES_TEMPFAIL : result;
}

/* ---- all of it ---- */

static enum result explain_final(struct explanation *e, const struct route_result *route, bool probe)
{
    struct str bytes = message(e);
    bool all_refused = true;
    enum result result = RES_OK;

    for (size_t i = 0; i < route->n_recipients && result == RES_OK; i++) {
        const struct route_recipient *to = &route->recipients[i];
        const struct step_arg program = { "program", to->program };
        bool tellable = false;

        if (to->kind == ROUTE_PROGRAM) {
            explain_step(e, "program", to->address, JUDGED_OK, "program.queued", &program, 1, link_to(e, "aliases", to->address));
            explain_recipient(e, to->address, "program", "waits", STR_NULL);
        } else if (to->kind != ROUTE_MAILBOX) {
            result = explain_route(e, to->address, to->domain, probe);
        } else if (!caller_sees(&e->r->caller, name_domain_of(to->facts.address))) {
            explain_step(e, "mailbox", to->facts.address, JUDGED_UNKNOWN, "hidden", NULL, 0, STR_NULL);
            explain_recipient(e, to->facts.address, "mailbox", "unknown", STR_NULL);
        } else {
            result = explain_mailbox(e, to, bytes, &tellable);
        }
        all_refused = all_refused && tellable;
    }
    if (!all_refused) /* those that refuse have it told by a notice */
        e->refusal.code = 0;
    return result;
}

static enum result explain_all(struct explanation *e, bool probe)
{
    struct route_result route;
    enum result result = explain_client(e);

    if (result != RES_OK)
        return result;
    result = admission_recipient(&e->q, &e->to, &e->r->arena, &route, &e->refusal);
    for (size_t i = 0; i < route.n_steps; i++)
        explain_address(e, &route.steps[i]);
    if (result == RES_DENIED)
        refused(e, "recipient", STR_NULL);
    if (result != RES_OK)
        return result;
    for (size_t i = 0; i < route.n_recipients; i++) {
        if (route.recipients[i].kind == ROUTE_REMOTE && route.recipients[i].depth == 0)
            explain_step(e, "relay", STR_NULL, JUDGED_OK, "admission.relay", NULL, 0, STR("/settings/smtp"));
    }
    result = explain_header(e);
    return result == RES_OK ? explain_final(e, &route, probe) : result;
}

static void answer(struct explanation *e)
{
    struct arena *a = &e->r->arena;
    struct json_object *o = js_object();
    struct str line = e->refusal.code == 0 ? STR_NULL
                                           : arena_printf(a, "%d %s %.*s", e->refusal.code, e->refusal.enhanced, STR_ARG(e->refusal.text));

    js_set(o, "result", js_str(e->refusal.code >= 500 ? STR("refused")
                               : e->refusal.code > 0  ? STR("later")
                               : e->reached == 0      ? STR("returned")
                               : e->lost > 0          ? STR("partly")
                                                      : STR("accepted")));
    js_set(o, "reply", line.p != NULL ? reply_line_json(line) : NULL);
    js_set(o, "recipients", e->recipients);
    js_set(o, "steps", e->steps);
    reply_json(e->r, 200, o);
}

/* Talking to others is rationed: PROBES_A_MINUTE in all. */
static bool may_probe(struct request *r)
{
    static int64_t times[PROBES_A_MINUTE];
    static size_t next;

    if (!caller_has(&r->caller, SCOPE_EXPLAIN_PROBE)) {
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, NULL);
        return false;
    }
    if (times[next] != 0 && times[next] > loop_now() - 60 * 1000) {
        problem(r, PROBLEM_RATE_LIMITED, NULL);
        return false;
    }
    times[next] = loop_now();
    next = (next + 1) % PROBES_A_MINUTE;
    return true;
}

void explain_delivery_post(struct request *r)
{
    struct explanation e = { .r = r };
    struct json_object *body = body_object(r, false);
    enum result result;
    bool probe;

    if (body == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    e.q = (struct admission){ .db = r->service->db, .account = STR(""), .look_up = look_up, .domain_has_room = domain_has_room, .data = &e };
    probe = field_bool(body, "probe", false);
    e.headers = field_str(body, "headers", STR_NULL);
    e.size = (uint64_t)field_int(body, "size", 0, 0);
    e.q.size = e.size;
    take_path(r, body, "from", &e.q.sender);
    take_path(r, body, "to", &e.to);
    result = field_there(body, "account") ? take_account(&e, field_str(body, "account", STR(""))) : RES_OK;
    take_ip(&e, body);
    if (errors_of_body(r))
        return;
    if (result == RES_OK && !may_see(&e))
        result = RES_NOTFOUND;
    if (result == RES_OK && probe && !may_probe(r))
        return;
    if (result == RES_OK && probe)
        result = audit_write(r->service->db, record(r, "explain.probe", e.to.text, NULL, NULL));
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    e.steps = request_keep(r, js_array());
    e.recipients = request_keep(r, js_array());
    result = explain_all(&e, probe);
    e.steps = js_share(e.steps);
    e.recipients = js_share(e.recipients);
    if (result == RES_OK || result == RES_DENIED) {
        answer(&e);
        return;
    }
    js_free(e.steps);
    js_free(e.recipients);
    problem_of_result(r, result);
}

/* ---- a reply ---- */

void explain_reply_post(struct request *r)
{
    static const struct field text[] = { { .name = "text", .type = FIELD_STRING, .required = true, .any_text = true, .min = 1, .max = 4000 } };
    struct json_object *body = body_object(r, false), *o;
    struct str line, id;

    if (body == NULL)
        return;
    fields_check(r, body, STR(""), text, ARRAY_LEN(text), NULL);
    if (errors_of_body(r))
        return;
    line = str_trim(field_str(body, "text", STR("")));
    id = explain_reply_id(&r->arena, line);
    if (id.p == NULL) {
        error_at(r, STR("/text"), "syntax", "There is no reply of a mail server in it: 4 or 5 and two digits.");
        (void)errors_of_body(r);
        return;
    }
    o = js_object();
    js_set(o, "explanation", explanation_json(&r->arena, id, STR_NULL));
    js_set(o, "known", js_bool(!str_eq(id, STR("temporary")) && !str_eq(id, STR("permanent"))));
    reply_json(r, 200, o);
}
