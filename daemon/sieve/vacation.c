/* vacation (RFC 5230, RFC 6131) and the rules on who gets no answer (RFC 5230, 4.5 and 4.6; RFC 3834, 2). */
#include "sieve/compiler.h"
#include "sieve/runtime.h"

#include "base/strbuf.h"

#define DAY         ((uint64_t)86400)
#define DEFAULT_MAX (30 * DAY)

enum { PERIOD_DAYS, PERIOD_SECONDS };

static struct sieve_field *original_field(struct sieve_run *r, struct str name)
{
    for (size_t i = 0; i < r->view.original.n; i++) {
        if (str_ieq(r->view.original.list[i].name, name))
            return &r->view.original.list[i];
    }
    return NULL;
}

/* Is it one of the user's addresses: the recipient, the account's, those of :addresses? */
static bool is_own(struct sieve_run *r, const struct str *more, size_t nmore, struct str address)
{
    if (str_ieq(address, r->env->to))
        return true;
    for (size_t i = 0; i < r->env->nown_addresses; i++) {
        if (str_ieq(address, r->env->own_addresses[i]))
            return true;
    }
    for (size_t i = 0; i < nmore; i++) {
        if (str_ieq(address, more[i]))
            return true;
    }
    return false;
}

/* Senders that are programs (RFC 5230, 4.6; RFC 3834, 2). */
static bool is_program(struct str sender)
{
    struct str local = str_sub(sender, 0, str_rchr(sender, '@'));

    return str_istarts(local, STR("owner-")) || str_iends(local, STR("-owner")) || str_iends(local, STR("-request")) ||
           str_ieq(local, STR("mailer-daemon")) || str_ieq(local, STR("postmaster")) ||
           str_ieq(local, STR("listserv")) || str_ieq(local, STR("majordomo")) || str_ieq(local, STR("noreply")) ||
           str_ieq(local, STR("no-reply")) || str_istarts(local, STR("srs0=")) || str_istarts(local, STR("bounce"));
}

/* Fields that lists and programs write; the name of the one that says so, STR_NULL if none does. */
static struct str automatic_field(struct sieve_run *r)
{
    static const char *const listed[] = { "List-Id",   "List-Help",  "List-Subscribe", "List-Unsubscribe",
                                          "List-Post", "List-Owner", "List-Archive" };
    struct sieve_field *f;
    struct str text;

    for (size_t i = 0; i < ARRAY_LEN(listed); i++) {
        if (original_field(r, str_c(listed[i])) != NULL)
            return str_c(listed[i]);
    }
    f = original_field(r, STR("Auto-Submitted"));
    if (f != NULL) {
        struct header_param *params;
        size_t n;

        header_params(&r->scratch, f->value, &text, &params, &n);
        if (!str_ieq(text, STR("no")))
            return STR("Auto-Submitted");
    }
    f = original_field(r, STR("Precedence"));
    if (f != NULL) {
        text = view_field_text(&r->view, f);
        if (str_ieq(text, STR("bulk")) || str_ieq(text, STR("junk")) || str_ieq(text, STR("list")))
            return STR("Precedence");
    }
    f = original_field(r, STR("X-Auto-Response-Suppress"));
    if (f != NULL) {
        text = view_field_text(&r->view, f);
        if (str_ifind(text, STR("all")) != SIZE_MAX || str_ifind(text, STR("oof")) != SIZE_MAX ||
            str_ifind(text, STR("autoreply")) != SIZE_MAX)
            return STR("X-Auto-Response-Suppress");
    }
    return STR_NULL;
}

/* Does the header name the user as a recipient (RFC 5230, 4.5)? */
static bool is_addressed(struct sieve_run *r, const struct str *more, size_t nmore)
{
    static const char *const fields[] = { "To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc" };

    for (size_t i = 0; i < r->view.original.n; i++) {
        struct sieve_field *f = &r->view.original.list[i];
        bool holds = false;

        for (size_t k = 0; k < ARRAY_LEN(fields) && !holds; k++)
            holds = str_ieq(f->name, str_c(fields[k]));
        if (!holds)
            continue;
        view_field_addresses(&r->view, f);
        for (size_t k = 0; k < f->naddresses; k++) {
            struct mail_address *a = &f->addresses[k];

            if (a->kind == ADDRESS_MAILBOX && a->local.p != NULL && a->domain.p != NULL &&
                is_own(r, more, nmore, address_write_mailbox(&r->scratch, a->local, a->domain)))
                return true;
        }
    }
    return false;
}

/* Why there is no answer; STR_NULL: there is to be one. */
static struct str refuse(struct sieve_run *r, const struct str *more, size_t nmore)
{
    struct str field = automatic_field(r);

    if (r->env->from.len == 0)
        return STR("no answer to the null sender");
    if (is_own(r, more, nmore, r->env->from))
        return STR("no answer to oneself");
    if (is_program(r->env->from))
        return STR("no answer to a program");
    if (field.p != NULL)
        return arena_printf(&r->scratch, "no answer because of %.*s", STR_ARG(field));
    if (!is_addressed(r, more, nmore))
        return STR("no answer: the header does not name the user as a recipient");
    return STR_NULL;
}

static uint64_t period(const struct sieve_run *r, const struct sieve_node *n)
{
    const struct sieve_arg *tag = node_tag(n, SLOT_PERIOD);
    uint64_t most = r->env->vacation_max_seconds != 0 ? r->env->vacation_max_seconds : DEFAULT_MAX, seconds = 7 * DAY;

    if (tag != NULL && tag->tag->id == PERIOD_DAYS)
        seconds = MIN(MAX(tag->value->number, (uint64_t)1), most / DAY + 1) * DAY;
    else if (tag != NULL)
        seconds = tag->value->number;
    return MIN(MAX(seconds, r->env->vacation_min_seconds), most);
}

/* What makes two answers the same (RFC 5230, 4.2 and 4.3). */
static struct str mark_key(struct sieve_run *r, const struct sieve_node *n, const struct sieve_vacation *v)
{
    CLEANUP(strbuf_release) struct strbuf key = { 0 };
    struct str handle = run_arg(r, node_tag_value(n, SLOT_HANDLE));
    struct str parts[] = { run_arg(r, node_tag_value(n, SLOT_SUBJECT)), v->from, v->mime ? STR("m") : STR("t"),
                           v->text };

    strbuf_addc(&key, handle.p != NULL ? 'h' : 'r');
    if (handle.p != NULL)
        strbuf_add(&key, handle);
    for (size_t i = 0; handle.p == NULL && i < ARRAY_LEN(parts); i++) {
        strbuf_add(&key, parts[i]);
        strbuf_addc(&key, '\0');
    }
    strbuf_addc(&key, '\0');
    strbuf_add(&key, arena_lower(&r->scratch, v->to));
    return arena_str(r->arena, strbuf_str(&key));
}

static struct str subject_of(struct sieve_run *r, const struct sieve_node *n)
{
    struct str subject = run_arg(r, node_tag_value(n, SLOT_SUBJECT));
    struct sieve_field *f = original_field(r, STR("Subject"));

    if (subject.p != NULL)
        return arena_str(r->arena, subject);
    if (f == NULL || view_field_text(&r->view, f).len == 0)
        return STR("Automated reply");
    return arena_printf(r->arena, "Auto: %.*s", STR_ARG(str_sub(view_field_text(&r->view, f), 0, 900)));
}

static bool add_answer(struct sieve_run *r, const struct sieve_node *n, struct str from)
{
    struct sieve_vacation v = {
        .seconds = period(r, n),
        .to = r->env->from,
        .subject = subject_of(r, n),
        .from = arena_str(r->arena, from),
        .text = arena_str(r->arena, run_arg(r, n->args[0])),
        .mime = node_tag(n, SLOT_MIME_REASON) != NULL,
    };
    const struct sieve_target *fcc;
    struct sieve_action *a;

    v.mark_key = mark_key(r, n, &v);
    if (!run_fcc(r, n, &fcc))
        return false;
    a = run_action(r, n, SIEVE_VACATION);
    if (a == NULL)
        return false;
    a->vacation = v;
    a->fcc = fcc;
    run_trace_action(r, n, arena_printf(&r->scratch, "answer to %.*s", STR_ARG(v.to)));
    return true;
}

static enum sieve_flow run_vacation(struct sieve_run *r, const struct sieve_node *n)
{
    const struct sieve_arg *addresses = node_tag_value(n, SLOT_ADDRESSES);
    struct str *more = addresses != NULL ? run_list(r, addresses) : NULL, why, bare;
    struct str from = run_arg(r, node_tag_value(n, SLOT_FROM));

    if (r->env->imap)
        run_error(r, n, "\"vacation\" cannot be used for changes of a mailbox");
    else if (run_has_action(r, 1U << SIEVE_REJECT | 1U << SIEVE_EREJECT))
        run_error(r, n, "\"vacation\" cannot be used for a message that is rejected");
    else if (run_has_action(r, 1U << SIEVE_VACATION))
        run_error(r, n, "\"vacation\" can be used only once"); /* RFC 5230, 4.7 */
    else if (from.p != NULL && !run_address(r, from, &bare))
        run_error(r, n, "\":from\" of \"vacation\" is no address");
    if (r->error.text.p != NULL)
        return FLOW_ERROR;
    why = refuse(r, more, addresses != NULL ? addresses->n : 0);
    if (why.p != NULL) {
        run_trace_action(r, n, why);
        return FLOW_NEXT;
    }
    return add_answer(r, n, from) ? FLOW_NEXT : FLOW_ERROR;
}

static const struct sieve_tag tags[] = {
    { "days", SLOT_PERIOD, EXT_VACATION, PERIOD_DAYS, 'N' },
    { "seconds", SLOT_PERIOD, EXT_VACATION_SECONDS, PERIOD_SECONDS, 'N' },
    { "subject", SLOT_SUBJECT, EXT_NONE, 0, 'S' },
    { "from", SLOT_FROM, EXT_NONE, 0, 'S' },
    { "addresses", SLOT_ADDRESSES, EXT_NONE, 0, 'L' },
    { "mime", SLOT_MIME_REASON, EXT_NONE, 0, 0 },
    { "handle", SLOT_HANDLE, EXT_NONE, 0, 'S' },
    { 0 },
};

const struct sieve_spec sieve_vacation_specs[] = {
    { .name = "vacation",
      .ext = EXT_VACATION,
      .or_ext = EXT_VACATION_SECONDS,
      .args = "S",
      .tags = { tags, sieve_fcc_tags },
      .command = run_vacation },
    { 0 },
};
