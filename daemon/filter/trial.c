#include "filter/trial.h"
#include "filter/compile.h"
#include "filter/env.h"
#include "mail/charset.h"

#define MAX_SCRIPTS 100

struct filter_trial_run {
    struct filter_view view; /* first: filter_ops gets this as its data */
    const struct filter_trial *trial;
    struct arena *a;
    struct filter_trial_result *out;
    const struct sieve_script *scripts[MAX_SCRIPTS]; /* those that compile */
    unsigned places[MAX_SCRIPTS];                    /* where each is in out->scripts */
    size_t n;
    struct filter_script held[MAX_SCRIPTS];
    size_t n_held;
};

static void note_step(void *data, const struct sieve_trace *event)
{
    struct filter_trial_run *r = data;
    struct filter_trial_result *o = r->out;
    struct sieve_trace *t;

    if (o->n_steps == FILTER_TRIAL_STEPS) {
        o->cut = true;
        return;
    }
    t = &o->steps[o->n_steps++];
    *t = *event;
    t->script = r->places[event->script];
    t->name = arena_str(r->a, event->name);
    t->detail = arena_str(r->a, utf8_cut_bytes(event->detail, FILTER_TRIAL_DETAIL));
}

static struct filter_trial_script *add_script(struct filter_trial_run *r, enum script_place place, struct str name)
{
    struct filter_trial_script *s = &r->out->scripts[r->out->n_scripts++];

    *s = (struct filter_trial_script){ .place = place, .name = name };
    return s;
}

static void will_run(struct filter_trial_run *r, const struct sieve_script *script)
{
    r->places[r->n] = (unsigned)r->out->n_scripts - 1;
    r->scripts[r->n++] = script;
}

/* A text that nobody stored: compiled for this run alone. */
static enum result take_text(struct filter_trial_run *r)
{
    struct filter_trial_script *s;
    struct sieve_script *script;

    r->out->scripts = arena_array(r->a, struct filter_trial_script, 1);
    s = add_script(r, SCRIPT_PERSONAL, STR_NULL);
    if (filter_compile(r->trial->text, r->a, &script, &s->error) != RES_OK) {
        s->broken = true;
        return RES_INVALID;
    }
    will_run(r, script);
    return RES_OK;
}

static enum result take_stored(struct filter_trial_run *r)
{
    struct script_ref *refs = arena_new(r->a, struct script_ref);
    size_t n = 1;
    enum result res;

    if (r->trial->name.p != NULL)
        res = script_find(r->view.db, r->view.account_id, false, r->trial->name, r->a, refs);
    else
        res = script_chain(r->view.db, r->view.account_id, r->a, &refs, &n);
    if (res != RES_OK)
        return res;
    r->out->scripts = arena_array(r->a, struct filter_trial_script, n);
    for (size_t i = 0; i < n && i < MAX_SCRIPTS; i++) {
        struct filter_script *held = &r->held[r->n_held];
        struct filter_trial_script *s;

        res = filter_acquire(r->view.db, &refs[i], held);
        if (res == RES_NOTFOUND) /* it was taken away a moment ago */
            continue;
        if (res != RES_OK)
            return res;
        r->n_held++;
        s = add_script(r, refs[i].place, refs[i].name);
        s->broken = held->script == NULL;
        if (s->broken) {
            s->error = held->error;
            s->error.text = arena_str(r->a, held->error.text);
        } else {
            will_run(r, held->script);
        }
    }
    return RES_OK;
}

static enum result run_all(struct filter_trial_run *r)
{
    struct sieve_limits limits = filter_limits();
    struct filter_account account;
    struct sieve_env env;
    enum result res = r->trial->text.p != NULL ? take_text(r) : take_stored(r);

    if (res == RES_OK)
        res = filter_account(r->view.db, r->view.account_id, r->a, &account);
    if (res != RES_OK)
        return res;
    filter_env_fill(r->trial->message, r->trial->to, &account, NULL, r->a, &env);
    env.trace = note_step;
    env.data = r;
    r->out->steps = arena_array(r->a, struct sieve_trace, FILTER_TRIAL_STEPS);
    res = sieve_run(r->scripts, r->n, &env, &limits, r->a, &r->out->result);
    if (res != RES_OK)
        return RES_TEMPFAIL;
    for (size_t i = 0; i < r->out->result.nactions; i++)
        r->out->result.actions[i].script = r->places[r->out->result.actions[i].script];
    r->out->result.error_script = r->places[r->out->result.error_script];
    return RES_OK;
}

enum result filter_try(struct db *db, const struct filter_trial *trial, struct arena *a,
                       struct filter_trial_result *ret)
{
    struct filter_trial_run *r = arena_new(a, struct filter_trial_run);

    *r = (struct filter_trial_run){
        .view = { .db = db, .account_id = trial->to->account_id, .arena = a }, .trial = trial, .a = a, .out = ret
    };
    *ret = (struct filter_trial_result){ .run = r };
    return run_all(r);
}

enum result filter_trial_place(const struct filter_trial_result *r, const struct sieve_target *target, struct arena *a,
                               struct str *ret_name, bool *ret_made)
{
    struct mailbox box;
    enum result res = RES_NOTFOUND;

    *ret_made = false;
    *ret_name = STR("INBOX");
    if (target->mailbox.p != NULL)
        res = filter_find_mailbox(&r->run->view, target, &box);
    if (res == RES_TEMPFAIL)
        return res;
    if (res == RES_OK)
        *ret_name = arena_str(a, box.name);
    else if (target->create)
        *ret_made = mailbox_name_check(a, target->mailbox, ret_name) == RES_OK;
    return RES_OK;
}

void filter_trial_release(struct filter_trial_result *ret)
{
    for (size_t i = 0; i < ret->run->n_held; i++)
        filter_release(&ret->run->held[i]);
    filter_view_release(&ret->run->view);
}
