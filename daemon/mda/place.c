/* mda/place.c - from a job to where it goes. */
#include "base/log.h"
#include "config/settings.h"
#include "mail/address.h"
#include "mda/mda_internal.h"
#include "store/delivery.h"
#include "store/routing.h"

struct finding {
    struct mda_worker *w;
    const struct queue_job *job;
    struct arena *a;
    struct place place;
    struct verdict *why;
};

static enum result refuse(struct finding *f, enum verdict_kind kind, const char *status, struct str text)
{
    int code = kind == VERDICT_LATER ? 451 : 550;

    *f->why =
        (struct verdict){ .kind = kind, .phase = PHASE_RCPT, .code = code, .enhanced = str_c(status), .text = text };
    f->why->reason = advice_of_reply(PHASE_RCPT, code, f->why->enhanced, text);
    if (kind == VERDICT_LATER)
        log_error("mda-no-place", F_QUEUE_ID("queue", f->job->message->id), F_STR("recipient", f->job->recipient),
                  F_STR("why", text));
    return RES_INVALID;
}

static enum result parse_target(struct finding *f, struct str text)
{
    struct str error;

    if (delivery_parse(text, &f->place.target, &error) == RES_OK)
        return RES_OK;
    return refuse(f, VERDICT_LATER, "4.3.5",
                  arena_printf(f->a, "the delivery target is malformed: %.*s", STR_ARG(error)));
}

/* A member "|name" of an alias, or an action of a filter. */
static enum result find_program(struct finding *f)
{
    const struct program *p = program_find(&settings_get()->programs, f->job->program);

    if (p == NULL)
        return refuse(f, VERDICT_LATER, "4.3.5", arena_printf(f->a, "mda.programs has no program \"%.*s\"",
                                                              STR_ARG(f->job->program)));
    f->place.is_program = true;
    f->place.changes = f->job->folder.p != NULL;
    f->place.user = arena_str(f->a, p->user);
    return parse_target(f, arena_printf(f->a, "pipe:%.*s", STR_ARG(p->command)));
}

static enum result expand_target(struct finding *f, const struct mailbox_place *m)
{
    struct str target = m->target;

    if (!m->of_domain)
        return parse_target(f, target);
    if (!str_starts(target, STR("pipe:")) && delivery_expand(target, m->local, m->domain, f->a, &target) != RES_OK)
        return refuse(f, VERDICT_LATER, "4.3.5", STR("this address must not stand in the domain's delivery target"));
    return parse_target(f, target);
}

static enum result find_user(struct finding *f, const struct mailbox_place *m)
{
    struct str user = m->unix_user;

    if (user.len == 0)
        return refuse(f, VERDICT_LATER, "4.3.5", STR("no Unix user is named for this delivery target"));
    if (delivery_expand(user, m->local, m->domain, f->a, &user) != RES_OK)
        return refuse(f, VERDICT_LATER, "4.3.5", STR("this address is not the name of a Unix user"));
    f->place.user = user;
    return RES_OK;
}

/* What is no mailbox outside PostgreSQL by now is the relay's, which asks what it is instead. */
static enum result find_mailbox(struct finding *f)
{
    struct db *db = f->w->crew.crew->db;
    struct route_facts facts;
    struct mailbox_place m;
    enum result r = routing_find(db, f->place.local, f->place.domain, f->a, &facts);

    if (r == RES_OK && facts.kind != FACT_ACCOUNT)
        return RES_NOTFOUND;
    if (r == RES_OK)
        r = mailbox_place_find(db, facts.account_id, f->place.local, f->a, &m);
    if (r == RES_NOTFOUND)
        return r;
    if (r != RES_OK)
        return refuse(f, VERDICT_LATER, "4.3.0", STR("the database is away"));
    f->place.local = m.local;
    f->place.domain = m.domain;
    f->place.extension = m.extension;
    r = expand_target(f, &m);
    if (r == RES_OK && f->place.target.kind == DELIVERY_STORE)
        return RES_NOTFOUND;
    return r == RES_OK && f->place.target.kind != DELIVERY_LMTP ? find_user(f, &m) : r;
}

enum result place_find(struct mda_worker *w, const struct queue_job *job, struct place *ret, struct verdict *ret_why)
{
    struct finding f = { .w = w, .job = job, .a = &w->crew.batch_arena, .why = ret_why };
    enum result r;

    if (address_parse_mailbox(job->recipient, true, f.a, &f.place.local, &f.place.domain) != RES_OK)
        return refuse(&f, VERDICT_NEVER, "5.1.3", STR("the address is malformed"));
    f.place.extension = STR("");
    f.place.folder = job->folder;
    r = job->program.len > 0 ? find_program(&f) : find_mailbox(&f);
    if (r == RES_OK && f.place.user.p != NULL && !f.place.is_program &&
        !name_list_contains(&settings_get()->unix_users, f.place.user))
        r = refuse(&f, VERDICT_LATER, "4.3.5",
                   arena_printf(f.a, "the Unix user %.*s is not named in mda.users", STR_ARG(f.place.user)));
    if (r == RES_OK)
        *ret = f.place;
    return r;
}
