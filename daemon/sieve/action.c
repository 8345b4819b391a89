/* Actions of the result: their place, their content, where they store. */
#include "sieve/mime.h"
#include "sieve/runtime.h"

#include "mail/charset.h"

/* The message as the script has changed it so far; *ret NULL: it has not.  False: there are no steps left for it. */
static bool current_content(struct sieve_run *r, const struct sieve_content **ret)
{
    CLEANUP(strbuf_release) struct strbuf header = { 0 };
    struct sieve_content *c;

    *ret = NULL;
    if (r->state.version == 0)
        return true;
    if (r->content == NULL || r->content_version != r->state.version) {
        if (!budget_take(&r->budget, 2 * r->env->message.len))
            return false;
        c = arena_new(r->arena, struct sieve_content);
        for (size_t i = 0; i < r->state.header.n; i++)
            strbuf_add(&header, r->state.header.list[i].raw);
        strbuf_add(&header, r->state.header.rest);
        c->header = arena_str(r->arena, strbuf_str(&header));
        c->body = mime_body(r);
        r->content = c;
        r->content_version = r->state.version;
    }
    *ret = r->content;
    return true;
}

/* What imapsieve keeps is the message as it is (RFC 6785, 3.1 and 3.2). */
static bool takes_content(const struct sieve_run *r, enum sieve_action_kind kind)
{
    return kind != SIEVE_KEEP || !r->env->imap;
}

static struct sieve_action *add_action(struct sieve_run *r, enum sieve_action_kind kind)
{
    struct sieve_action *a;

    if (r->state.nactions == r->cap_actions) {
        size_t cap = r->cap_actions == 0 ? 2 : r->cap_actions * 2;
        struct sieve_action *more = arena_array(r->arena, struct sieve_action, cap);

        if (r->cap_actions > 0)
            memcpy(more, r->actions, r->cap_actions * sizeof(*more));
        r->actions = more;
        r->cap_actions = cap;
    }
    a = &r->actions[r->state.nactions++];
    *a = (struct sieve_action){ .kind = kind };
    if (kind == SIEVE_FILEINTO || (kind == SIEVE_KEEP && takes_content(r, kind)))
        a->program = r->state.program;
    return a;
}

struct sieve_action *run_action(struct sieve_run *r, const struct sieve_node *n, enum sieve_action_kind kind)
{
    const struct sieve_content *content = NULL;
    struct sieve_action *a;

    if (r->state.nactions == r->limits->actions) {
        run_error(r, n, "more than %u actions", r->limits->actions);
        return NULL;
    }
    if (takes_content(r, kind) && !current_content(r, &content)) {
        run_spend(r, n, 1);
        return NULL;
    }
    a = add_action(r, kind);
    a->content = content;
    a->line = n->line;
    a->script = r->script;
    return a;
}

void run_implicit_keep(struct sieve_run *r)
{
    const struct sieve_content *content = NULL;
    struct sieve_action *a;

    if (takes_content(r, SIEVE_KEEP) && !current_content(r, &content))
        content = NULL; /* no steps are left to change it: the message as it came */
    a = add_action(r, SIEVE_KEEP);
    a->implicit = true;
    a->content = content;
    a->target.flags = flags_split(r, value_str(&r->flags), &a->target.nflags);
    run_trace_action(r, NULL, STR("implicit keep"));
}

bool run_has_action(const struct sieve_run *r, unsigned kinds)
{
    for (size_t i = r->first_action; i < r->state.nactions; i++) {
        if ((kinds >> r->actions[i].kind & 1) != 0)
            return true;
    }
    return false;
}

bool run_check_mailbox(struct sieve_run *r, const struct sieve_node *n, struct str name)
{
    bool ok = name.len > 0 && name.len <= 1000 && str_is_utf8(name);

    for (size_t i = 0; i < name.len && ok; i++)
        ok = (unsigned char)name.p[i] >= 32 && name.p[i] != 127;
    return ok || run_error(r, n, "\"%.*s\" is no name of a mailbox", (int)MIN(name.len, (size_t)200),
                           name.p != NULL ? name.p : "");
}

/* "\Junk" and the like (RFC 6154): a backslash and an atom. */
static bool is_special_use(struct str s)
{
    if (s.len < 2 || s.len > 100 || s.p[0] != '\\')
        return false;
    for (size_t i = 1; i < s.len; i++) {
        if (!ascii_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '_')
            return false;
    }
    return true;
}

bool run_target(struct sieve_run *r, const struct sieve_node *n, struct str mailbox, struct sieve_target *ret)
{
    struct str use = run_arg(r, node_tag_value(n, SLOT_SPECIAL_USE));
    struct str id = run_arg(r, node_tag_value(n, SLOT_MAILBOX_ID)), words = value_str(&r->flags);
    const struct sieve_arg *flags = node_tag_value(n, SLOT_FLAGS);

    if (mailbox.p != NULL && !run_check_mailbox(r, n, mailbox))
        return false;
    if (use.p != NULL && !is_special_use(use))
        return run_error(r, n, "\"%.*s\" is no special use of a mailbox", (int)MIN(use.len, (size_t)100), use.p);
    if (flags != NULL)
        words = flags_join(r, run_list(r, flags), flags->n);
    *ret = (struct sieve_target){
        .mailbox = arena_str(r->arena, mailbox),
        .special_use = arena_str(r->arena, use),
        .mailbox_id = arena_str(r->arena, id),
        .create = node_tag(n, SLOT_CREATE) != NULL,
    };
    ret->flags = flags_split(r, words, &ret->nflags);
    return true;
}

bool run_fcc(struct sieve_run *r, const struct sieve_node *n, const struct sieve_target **ret)
{
    const struct sieve_arg *fcc = node_tag_value(n, SLOT_FCC);
    struct sieve_target *target = arena_new(r->arena, struct sieve_target);

    *ret = NULL;
    if (fcc == NULL)
        return true;
    if (!run_target(r, n, run_arg(r, fcc), target))
        return false;
    if (node_tag(n, SLOT_FLAGS) == NULL) /* the message's own flags are not those of the copy (RFC 8580, 3.2) */
        target->nflags = 0;
    *ret = target;
    return true;
}

bool run_address(struct sieve_run *r, struct str text, struct str *ret_address)
{
    struct mail_address *list;
    struct str bare = str_trim(text), local, domain;
    size_t n;

    if (text.len > 1000)
        return false;
    for (size_t i = 0; i < bare.len; i++) {
        if ((unsigned char)bare.p[i] < 32 || bare.p[i] == 127)
            return false;
    }
    if (bare.len > 0 && bare.p[bare.len - 1] == '>') { /* phrase "<" addr-spec ">", no group and no list */
        address_list(&r->scratch, bare, &list, &n);
        if (n != 1 || list[0].kind != ADDRESS_MAILBOX || list[0].route.p != NULL)
            return false;
        bare = str_sub(bare, str_rchr(bare, '<') + 1, bare.len - str_rchr(bare, '<') - 2);
    }
    if (address_parse_mailbox(bare, true, &r->scratch, &local, &domain) != RES_OK)
        return false;
    *ret_address = arena_str(r->arena, bare);
    return true;
}
