#include "filter/filter.h"
#include "base/encode.h"
#include "base/log.h"
#include "config/settings.h"
#include "filter/env.h"
#include "filter/trouble.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/received.h"
#include "sieve/reply.h"
#include "store/keyword.h"
#include "store/message.h"
#include "store/queue.h"

#define MAX_SCRIPTS 100
#define MAX_REPLY ((size_t)2 << 20)  /* bytes of what vacation and notify send */

struct run {
    struct filter_view view; /* first: filter_ops gets this as its data */
    const struct filter_message *m;
    const struct filter_recipient *to;
    const struct filter_event *event; /* imapsieve; NULL: the message arrives */
    struct arena *a;
    struct filter_outcome *out;
    struct filter_account account;
    struct sieve_env env;
    struct filter_script held[MAX_SCRIPTS];
    size_t n_held;
    const struct script_ref **refs; /* of those that run */
    struct str rule;                /* of the action that is taken now */
    size_t cap_copies, cap_sent;
};

static struct filter_sent *add_sent(struct run *r)
{
    struct filter_outcome *o = r->out;

    o->sent = arena_grow(r->a, o->sent, o->n_sent, &r->cap_sent, sizeof(o->sent[0]));
    o->sent[o->n_sent] = (struct filter_sent){ .reverse_path = STR("") };
    return &o->sent[o->n_sent++];
}

/* ---- storing ---- */

static int system_flag(struct str name)
{
    for (size_t i = 0; i < FLAG_NAMES; i++) {
        if (str_ieq(message_flags[i].name, name))
            return message_flags[i].bit;
    }
    return 0;
}

/* A keyword that IMAP can show (RFC 9051, 9: flag-keyword is an atom). */
static bool is_keyword(struct str s)
{
    if (s.len == 0 || s.len > KEYWORD_NAME_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] <= ' ' || s.p[i] >= 127 || strchr("(){%*\"\\]", s.p[i]) != NULL)
            return false;
    }
    return true;
}

/* The numbers of those names that have one.  False: some have none. */
static bool look_numbers_up(struct run *r, const struct str *names, size_t n, const struct keyword *all, size_t n_all,
                            struct filter_copy *copy)
{
    copy->keywords = arena_array(r->a, int32_t, n);
    copy->n_keywords = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n_all; k++) {
            if (str_ieq(all[k].name, names[i]))
                copy->keywords[copy->n_keywords++] = all[k].id;
        }
    }
    return copy->n_keywords == n;
}

/* Numbers are made where they lack, which costs a transaction; those for which there is no room are left out. */
static enum result number_keywords(struct run *r, const struct str *names, size_t n, struct filter_copy *copy)
{
    const struct principal who = { .account_id = r->to->account_id };
    struct keyword *all;
    size_t n_all;
    enum result res = keyword_list(r->view.db, &who, r->a, &all, &n_all);

    if (res != RES_OK || look_numbers_up(r, names, n, all, n_all, copy))
        return res;
    res = keyword_add(r->view.db, &who, r->a, names, n);
    if (res == RES_OK)
        res = keyword_list(r->view.db, &who, r->a, &all, &n_all);
    if (res == RES_OK)
        (void)look_numbers_up(r, names, n, all, n_all, copy);
    return res == RES_LIMIT ? RES_OK : res;
}

static enum result take_flags(struct run *r, const struct sieve_target *t, struct filter_copy *copy)
{
    struct str *names = arena_array(r->a, struct str, t->nflags);
    size_t n = 0;

    for (size_t i = 0; i < t->nflags; i++) {
        int bit = system_flag(t->flags[i]);

        if (bit != 0)
            copy->flags |= bit;
        else if (is_keyword(t->flags[i]))
            names[n++] = t->flags[i];
    }
    return n == 0 || r->to->elsewhere ? RES_OK : number_keywords(r, names, n, copy);
}

/* Where the target leads; where there is nothing, the inbox.  RES_NOTFOUND: there is nothing, and the message is in its
 * place already. */
static enum result find_place(struct run *r, const struct sieve_target *t, struct filter_copy *copy)
{
    struct mailbox box;
    enum result res;

    copy->folder = STR("INBOX");
    copy->mailbox_id = r->to->elsewhere ? 0 : r->to->inbox_id;
    if (t->mailbox.p == NULL)
        return RES_OK;
    if (r->to->elsewhere) {
        if (mailbox_name_check(r->a, t->mailbox, &copy->folder) != RES_OK)
            copy->folder = STR("INBOX");
        return RES_OK;
    }
    res = filter_find_mailbox(&r->view, t, &box);
    if (res == RES_NOTFOUND && t->create)
        res = filter_make_mailbox(&r->view, t, &box);
    if (res == RES_OK) {
        copy->mailbox_id = box.id;
        copy->folder = box.name;
    }
    if (res != RES_OK && res != RES_TEMPFAIL && r->event != NULL)
        return RES_NOTFOUND;
    return res == RES_TEMPFAIL ? res : RES_OK;
}

static const struct filter_content *content_of(struct run *r, const struct sieve_content *c)
{
    struct filter_content *mine;

    if (c == NULL)
        return NULL;
    mine = arena_new(r->a, struct filter_content);
    *mine = (struct filter_content){ c->header, c->body };
    return mine;
}

static bool same_content(const struct filter_content *a, const struct filter_content *b)
{
    return a == b || (a != NULL && b != NULL && str_eq(a->header, b->header) && str_eq(a->body, b->body));
}

/* Each mailbox gets the message at most once; what is asked again only adds its flags. */
static enum result store(struct run *r, const struct sieve_target *t, const struct filter_content *content, struct str program,
                         bool once)
{
    struct filter_outcome *o = r->out;
    struct filter_copy copy = { .content = content, .program = program, .rule = r->rule };
    enum result res = find_place(r, t, &copy);

    if (res == RES_NOTFOUND) {
        o->kept = true;
        return RES_OK;
    }
    if (res == RES_OK)
        res = take_flags(r, t, &copy);
    if (res != RES_OK)
        return res;
    for (size_t i = 0; once && i < o->n_copies; i++) {
        struct filter_copy *c = &o->copies[i];

        if (!str_eq(c->folder, copy.folder) || !same_content(c->content, content) || !str_eq(c->program, program))
            continue;
        c->flags |= copy.flags;
        if (c->n_keywords == 0) {
            c->keywords = copy.keywords;
            c->n_keywords = copy.n_keywords;
        }
        return RES_OK;
    }
    o->copies = arena_grow(r->a, o->copies, o->n_copies, &r->cap_copies, sizeof(o->copies[0]));
    o->copies[o->n_copies++] = copy;
    return RES_OK;
}

/* The message of an event: only its flags may change. */
static enum result keep_flags(struct run *r, const struct sieve_action *action)
{
    struct filter_copy *flags = arena_new(r->a, struct filter_copy);

    r->out->kept = true;
    r->out->flags = flags;
    return take_flags(r, &action->target, flags);
}

static enum result keep(struct run *r, const struct sieve_action *action)
{
    const struct sieve_target inbox = { .flags = action->target.flags, .nflags = action->target.nflags };

    if (r->event != NULL)
        return keep_flags(r, action);
    return store(r, &inbox, content_of(r, action->content), action->program, true);
}

/* What was to go elsewhere and cannot. */
static enum result stay(struct run *r, const struct sieve_action *action)
{
    r->out->kept = true;
    return r->event != NULL ? RES_OK : keep(r, action);
}

/* ---- sending on ---- */

static struct str delivered_to(struct run *r)
{
    return arena_printf(r->a, "Delivered-To: %.*s\r\n", STR_ARG(r->to->address));
}

/* Without Return-Path, which belongs to what is stored (RFC 5321, 4.4). */
static struct str without_return_path(struct str header)
{
    return str_from(header, return_path_len(header));
}

static unsigned notify_of(struct str words, unsigned given)
{
    static const struct { const char *word; unsigned bit; } known[] = {
        { "NEVER", QUEUE_NOTIFY_NEVER }, { "SUCCESS", QUEUE_NOTIFY_SUCCESS }, { "FAILURE", QUEUE_NOTIFY_FAILURE }, { "DELAY", QUEUE_NOTIFY_DELAY },
    };
    unsigned bits = 0;
    struct str word;

    if (words.p == NULL)
        return given;
    while (str_split(&words, ',', &word)) {
        for (size_t i = 0; i < ARRAY_LEN(known); i++) {
            if (str_ieq(str_trim(word), str_c(known[i].word)))
                bits |= known[i].bit;
        }
    }
    return bits;
}

/* The header and body that the action has. */
static struct filter_content content_now(const struct run *r, const struct sieve_action *action)
{
    size_t at = header_size(r->m->message);

    if (action->content != NULL)
        return (struct filter_content){ without_return_path(action->content->header), action->content->body };
    return (struct filter_content){ without_return_path(str_sub(r->m->message, 0, at)), str_from(r->m->message, at) };
}

static enum result redirect(struct run *r, const struct sieve_action *action)
{
    struct filter_content content = content_now(r, action);
    struct filter_sent *sent;
    struct str *to = arena_new(r->a, struct str);
    size_t n = 1;
    enum result res = RES_OK;

    *to = arena_str(r->a, action->address);
    if (r->account.frozen)
        return stay(r, action);
    if (delivered_to_before(r->m->message, r->to->address)) {
        log_warn("filter-loop", F_INT("account", r->to->account_id), F_STR("to", action->address));
        return stay(r, action);
    }
    if (action->list.p != NULL)
        res = filter_list_members(&r->view, action->list, &to, &n);
    if (res == RES_NOTFOUND || n == 0)
        return stay(r, action);
    if (res != RES_OK)
        return res;
    sent = add_sent(r);
    sent->content = (struct filter_content){
        arena_printf(r->a, "%.*s%.*s", STR_ARG(delivered_to(r)), STR_ARG(content.header)), content.body };
    sent->reverse_path = r->event != NULL ? r->account.address : r->m->reverse_path; /* RFC 6785, 3.4 */
    sent->forwarded = r->event == NULL;
    sent->to = to;
    sent->n_to = n;
    sent->notify = notify_of(action->dsn.notify, r->to->notify);
    sent->ret = action->dsn.ret.len > 0 ? (str_ieq(action->dsn.ret, STR("FULL")) ? 'F' : 'H') : r->m->ret;
    sent->by = r->m->by;
    if (action->dsn.by)
        sent->by = (struct deliver_by){ .at_us = wall_us() + action->dsn.by_seconds * 1000000, .trace = action->dsn.by_trace,
                                        .give_back = str_eq(action->dsn.by_mode, STR("R")) };
    return RES_OK;
}

static enum result pipe_to(struct run *r, const struct sieve_action *action)
{
    struct filter_sent *sent = add_sent(r);

    sent->content = content_now(r, action);
    sent->reverse_path = r->m->reverse_path;
    sent->to = arena_new(r->a, struct str);
    *sent->to = r->to->address;
    sent->n_to = 1;
    sent->notify = r->to->notify;
    sent->program = action->address;
    return RES_OK;
}

/* ---- answering ---- */

static enum result answer(struct run *r, const struct sieve_action *action, const struct str *to, size_t n,
                          struct sieve_mark_row mark)
{
    CLEANUP(strbuf_release) struct strbuf out = { .max = MAX_REPLY };
    struct str host = settings_get()->hostname;
    const struct sieve_reply reply = {
        .action = action, .env = &r->env, .owner = r->account.address,
        .message_id = arena_printf(r->a, "%.*s.%.*s@%.*s", STR_ARG(random_id(r->a)), STR_ARG(random_id(r->a)), STR_ARG(host)) };
    struct filter_sent *sent;
    struct str text;
    size_t at;

    if (sieve_reply_write(&reply, &out) != RES_OK) {
        log_warn("filter-answer-too-large", F_INT("account", r->to->account_id));
        return RES_OK;
    }
    text = arena_str(r->a, strbuf_str(&out));
    at = header_size(text);
    sent = add_sent(r);
    sent->content = (struct filter_content){ str_sub(text, 0, at), str_from(text, at) };
    sent->to = arena_array(r->a, struct str, n);
    for (size_t i = 0; i < n; i++)
        sent->to[i] = arena_str(r->a, to[i]);
    sent->n_to = n;
    sent->notify = QUEUE_NOTIFY_NEVER;
    sent->mark = mark;
    if (action->fcc == NULL)
        return RES_OK;
    {
        struct filter_content *c = arena_new(r->a, struct filter_content);

        *c = (struct filter_content){ arena_printf(r->a, "Return-Path: <>\r\n%.*s", STR_ARG(sent->content.header)), sent->content.body };
        return store(r, action->fcc, c, STR_NULL, false);
    }
}

static enum result vacation(struct run *r, const struct sieve_action *action)
{
    const struct sieve_vacation *v = &action->vacation;
    struct sieve_mark_row mark = { .account_id = r->to->account_id, .kind = MARK_VACATION, .key = arena_str(r->a, v->mark_key),
                                   .seconds = (int64_t)v->seconds };
    bool answered = false;
    enum result res = RES_OK;

    if (v->seconds == 0)
        mark.key = STR_NULL;
    else
        res = mark_seen(r->view.db, mark.account_id, mark.kind, mark.key, &answered);
    return res != RES_OK || answered ? res : answer(r, action, &v->to, 1, mark);
}

/* ---- the result ---- */

static enum result take_action(struct run *r, const struct sieve_action *action)
{
    switch (action->kind) {
    case SIEVE_KEEP:
        return keep(r, action);
    case SIEVE_FILEINTO:
        return store(r, &action->target, content_of(r, action->content), action->program, true);
    case SIEVE_REDIRECT:
        return redirect(r, action);
    case SIEVE_PIPE:
        return pipe_to(r, action);
    case SIEVE_DISCARD:
        return RES_OK;
    case SIEVE_REJECT:
    case SIEVE_EREJECT:
        r->out->refusal = action->kind == SIEVE_REJECT ? FILTER_REJECT : FILTER_EREJECT;
        r->out->reason = arena_str(r->a, action->text); /* it may lie in the script, which is given back */
        return RES_OK;
    case SIEVE_VACATION:
        return r->account.frozen ? RES_OK : vacation(r, action);
    case SIEVE_NOTIFY:
        if (r->account.frozen)
            return RES_OK;
        return answer(r, action, action->notify.to, action->notify.nto, (struct sieve_mark_row){ 0 });
    }
    return RES_INVALID;
}

static struct str rule_of(struct run *r, const struct sieve_action *act)
{
    return act->implicit ? STR_NULL : arena_printf(r->a, "%.*s, line %u", STR_ARG(r->refs[act->script]->name), act->line);
}

static enum result take_result(struct run *r, const struct sieve_result *result)
{
    enum result res = RES_OK;

    for (size_t i = 0; i < result->nactions && res == RES_OK; i++) {
        r->rule = rule_of(r, &result->actions[i]);
        res = take_action(r, &result->actions[i]);
    }
    r->out->marks = arena_array(r->a, struct sieve_mark_row, result->nmarks);
    for (size_t i = 0; i < result->nmarks; i++) {
        const struct sieve_mark *m = &result->marks[i];

        r->out->marks[r->out->n_marks++] = (struct sieve_mark_row){ .account_id = r->to->account_id, .kind = MARK_DUPLICATE,
                                                                    .key = arena_str(r->a, m->key),
                                                                    .seconds = (int64_t)m->seconds,
                                                                    .refresh = m->refresh };
    }
    return res;
}

/* Tells the owner, once a month for each script, and logs. */
static void report(struct run *r, const struct script_ref *ref, const struct sieve_error *error, struct str include)
{
    struct filter_sent *sent = add_sent(r);

    log_warn("filter-failed", F_INT("account", r->to->account_id), F_STR("script", ref->name), F_STR("include", include),
             F_INT("line", error->line), F_STR("error", error->text));
    *sent = (struct filter_sent){
        .reverse_path = STR(""), .folder = STR("INBOX"), .notify = QUEUE_NOTIFY_NEVER,
        .to = arena_new(r->a, struct str), .n_to = 1,
        .mark = { .account_id = r->to->account_id, .kind = MARK_ERROR, .seconds = 30 * 86400,
                  .key = arena_str(r->a, str_of((const char *)ref->hash, SCRIPT_HASH_BYTES)) } };
    *sent->to = r->account.address;
    trouble_write(r->a, r->account.language, r->account.address, ref->name, include, error, &sent->content);
}

/* ---- the run ---- */

/* Holds the compiled scripts; those that do not compile are told of and left out. */
static enum result hold(struct run *r, const struct script_ref *refs, size_t n, const struct sieve_script **scripts,
                        size_t *ret_n, const struct script_ref **ret_refs)
{
    size_t kept = 0;

    for (size_t i = 0; i < n && i < MAX_SCRIPTS; i++) {
        struct filter_script *s = &r->held[r->n_held];
        enum result res = filter_acquire(r->view.db, &refs[i], s);

        if (res == RES_NOTFOUND) /* it was taken away a moment ago */
            continue;
        if (res != RES_OK)
            return res;
        r->n_held++;
        if (s->script == NULL) {
            report(r, &refs[i], &s->error, STR_NULL);
            continue;
        }
        ret_refs[kept] = &refs[i];
        scripts[kept++] = s->script;
    }
    *ret_n = kept;
    return RES_OK;
}

static enum result run_scripts(struct run *r, const struct script_ref *refs, size_t n)
{
    const struct sieve_script **scripts = arena_array(r->a, const struct sieve_script *, n);
    const struct script_ref **held = arena_array(r->a, const struct script_ref *, n);
    struct sieve_limits limits = filter_limits();
    struct sieve_result result;
    enum result res;

    res = filter_account(r->view.db, r->to->account_id, r->a, &r->account);
    if (res == RES_NOTFOUND)
        return RES_TEMPFAIL;
    if (res != RES_OK)
        return res;
    r->out->language = r->account.language;
    filter_env_fill(r->m, r->to, &r->account, r->event, r->a, &r->env);
    r->env.data = &r->view;
    res = hold(r, refs, n, scripts, &n, held);
    if (res == RES_OK)
        res = sieve_run(scripts, n, &r->env, &limits, r->a, &result);
    if (res != RES_OK)
        return RES_TEMPFAIL;
    if (result.failed)
        report(r, held[MIN(result.error_script, n - 1)], &result.error, result.error_include);
    r->refs = held;
    return take_result(r, &result);
}

static void release(struct run *r)
{
    for (size_t i = 0; i < r->n_held; i++)
        filter_release(&r->held[i]);
    filter_view_release(&r->view);
}

enum result filter_run_event(struct db *db, const struct filter_message *m, const struct filter_recipient *to,
                             const struct filter_event *event, struct arena *a, struct filter_outcome *ret)
{
    struct run *r = arena_new(a, struct run);
    enum result res;

    *ret = (struct filter_outcome){ .filtered = true };
    *r = (struct run){ .view = { .db = db, .account_id = to->account_id, .arena = a }, .m = m, .to = to, .event = event, .a = a,
                       .out = ret };
    res = run_scripts(r, event->script, 1);
    release(r);
    return res;
}

enum result filter_run(struct db *db, const struct filter_message *m, const struct filter_recipient *to, struct arena *a,
                       struct filter_outcome *ret)
{
    static const struct sieve_action plain = { .kind = SIEVE_KEEP };
    struct run *r = arena_new(a, struct run);
    struct script_ref *refs = NULL;
    size_t n = 0;
    enum result res = to->filtered ? script_chain(db, to->account_id, a, &refs, &n) : RES_OK;

    *ret = (struct filter_outcome){ 0 };
    *r = (struct run){ .view = { .db = db, .account_id = to->account_id, .arena = a }, .m = m, .to = to, .a = a, .out = ret };
    if (res != RES_OK)
        return res;
    ret->filtered = n > 0;
    res = n > 0 ? run_scripts(r, refs, n) : keep(r, &plain);
    release(r);
    return res;
}
