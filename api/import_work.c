#include "api/import_work.h"
#include "api/accounts.h"
#include "api/import_check.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "store/account_address.h"

#include <stdlib.h>

#define LOOK_MS 2000 /* for those that another process began and cannot go on with */
#define AGAIN_MS 500
#define TRIES 60
#define TURN 10 /* lines, then it is another import's turn */

/* The passwords of one import. */
struct held {
    int64_t id;
    struct import_password *v;
    size_t n;
    struct held *next;
};

static struct {
    struct service *service;
    struct coroutine *worker;
    struct str name; /* of this process, in the database */
    struct arena arena;
    struct held *held;
    unsigned beginning; /* imports that are being written down; their passwords come behind that */
    bool woken, draining;
} self;

/* ---- passwords ---- */

static void wipe(struct import_password *p)
{
    if (p->password.p == NULL)
        return;
    explicit_bzero((char *)(uintptr_t)p->password.p, p->password.len);
    free((char *)(uintptr_t)p->password.p);
    p->password = STR_NULL;
}

static void wipe_all(struct import_password *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        wipe(&v[i]);
    free(v);
}

static void hold(int64_t id, struct import_password *v, size_t n)
{
    struct held *h = calloc(1, sizeof(*h));

    if (h == NULL)
        abort();
    *h = (struct held){ id, v, n, self.held };
    self.held = h;
}

static void let_go(int64_t id)
{
    for (struct held **p = &self.held; *p != NULL; p = &(*p)->next) {
        struct held *h = *p;

        if (h->id != id)
            continue;
        *p = h->next;
        wipe_all(h->v, h->n);
        free(h);
        return;
    }
}

static int by_line(const void *x, const void *y)
{
    unsigned a = ((const struct import_password *)x)->line, b = ((const struct import_password *)y)->line;

    return a < b ? -1 : a > b;
}

static struct import_password *find_password(int64_t id, unsigned line)
{
    const struct import_password key = { .line = line };

    for (struct held *h = self.held; h != NULL; h = h->next) {
        if (h->id == id && h->n > 0)
            return bsearch(&key, h->v, h->n, sizeof(*h->v), by_line);
    }
    return NULL;
}

/* ---- on whose behalf ---- */

static struct str caller_text(struct request *r)
{
    const struct caller *c = &r->caller;
    struct json_object *o = js_object();
    struct str text;

    js_set(o, "via", js_int(c->via));
    js_set(o, "account", js_int(c->account_id));
    js_set(o, "token", js_int(c->token_id));
    js_set(o, "actor", js_str(c->actor));
    js_set(o, "role", js_int(c->role));
    js_set(o, "limited", js_bool(c->visible.limited));
    js_set(o, "domains", js_strs(c->visible.domains, c->visible.n));
    js_set(o, "door", js_int(r->door.kind));
    js_set(o, "uid", js_int(r->door.uid));
    js_set(o, "ip", js_str(r->ip));
    js_set(o, "request", js_str(r->id));
    text = js_text(o, &r->arena);
    js_free(o);
    return text;
}

static int64_t number_of(const struct json_object *o, const char *name)
{
    return js_get_int(js_get(o, name, NULL));
}

static struct str text_of(struct request *r, const struct json_object *o, const char *name)
{
    return arena_str(&r->arena, js_get_str(js_get(o, name, NULL)));
}

/* A request as if the caller asked for this line alone; NULL: nobody can read who it was. */
static struct request *request_for(struct str caller)
{
    struct request *r = request_new(self.service, STR("POST"), STR("/api/v1/import"));
    struct json_object *o, *domains;
    struct str error, *v;

    if (js_parse(caller, &r->arena, &o, &error) != RES_OK) {
        request_unref(r);
        return NULL;
    }
    request_keep(r, o);
    domains = js_get(o, "domains", NULL);
    v = arena_array(&r->arena, struct str, js_len(domains) + 1);
    for (size_t i = 0; i < js_len(domains); i++)
        v[i] = js_get_str(js_at(domains, i));
    r->id = text_of(r, o, "request");
    r->ip = text_of(r, o, "ip");
    r->door.kind = (unsigned)number_of(o, "door");
    r->door.uid = (uid_t)number_of(o, "uid");
    r->caller = (struct caller){ .via = (unsigned)number_of(o, "via"), .account_id = number_of(o, "account"),
                                 .token_id = number_of(o, "token"), .actor = text_of(r, o, "actor"),
                                 .role = (enum account_role)number_of(o, "role"),
                                 .visible = { js_get_bool(js_get(o, "limited", NULL)), v, js_len(domains) } };
    return r;
}

/* ---- one line ---- */

static void fail(struct import_line *line, const char *code, struct str detail)
{
    line->outcome = IMPORT_FAILED;
    line->code = str_c(code);
    line->detail = detail;
}

/* What the store refused, as words about the line.  False: it is to be tried again. */
static bool refuse(struct import_line *line, enum result result)
{
    switch (result) {
    case RES_EXISTS:
        fail(line, "exists", STR("Another account or an alias has got one of its addresses meanwhile."));
        return true;
    case RES_NOTFOUND:
        fail(line, "not-found", STR("The domain of one of its addresses, or the account, is gone meanwhile."));
        return true;
    case RES_DENIED:
        fail(line, "last-admin", STR("This is the last system administrator."));
        return true;
    case RES_LIMIT:
        fail(line, "too-long", STR("The account has too many addresses."));
        return true;
    default:
        return false;
    }
}

/* The addresses that the account has too little and too much. */
static enum result move_addresses(struct request *r, const struct import_item *item)
{
    const struct account *account = &item->change.old;
    enum result result = RES_OK;
    bool made;

    for (size_t i = 0; i < item->n_withdraw && result == RES_OK; i++)
        result = account_address_withdraw(r, account, item->withdraw[i]);
    for (size_t i = 0; i < item->n_give && result == RES_OK; i++)
        result = account_address_give(r, account, item->give[i], &made);
    return result;
}

/* Makes or changes the account.  marked: that was done already, before a process ended. */
static enum result apply(struct request *r, struct import_item *item, bool marked)
{
    struct account_change *c = &item->change;
    enum result result = RES_OK;

    if (!marked && (!c->there || account_change_differs(c)))
        result = account_change_write(r, c, c->there ? c->old.version : 0);
    fault_point("import-account");
    if (result == RES_OK && c->there)
        result = move_addresses(r, item);
    if (result == RES_OK && c->password.p != NULL)
        result = account_change_password(r, c);
    return result;
}

/* What is said of a line that went well. */
static void conclude(const struct import_item *item, struct import_line *line, enum import_outcome outcome)
{
    const struct account_change *c = &item->change;
    bool has_password = c->password.p != NULL || (c->there && c->old.state == ACCOUNT_ACTIVE);
    bool lost = line->with_password && c->password.p == NULL && (outcome != IMPORT_CREATED || !has_password);

    line->outcome = outcome;
    line->invited = outcome == IMPORT_CREATED && !has_password && c->w.state != ACCOUNT_SUSPENDED;
    line->code = lost ? STR("password-lost") : STR("");
    line->detail = lost ? STR("The server was restarted meanwhile, and keeps no password of a file: the account did not get it.") : STR("");
}

static struct str first_error(struct request *r, const struct json_object *errors, const char *member)
{
    return arena_str(&r->arena, js_get_str(js_get(js_at(errors, 0), member, NULL)));
}

/* Does a line; what became of it is written into it.  RES_CONFLICT, RES_TEMPFAIL: nothing is lost, and it is to be done again. */
static enum result do_line(struct request *r, const struct import_work *work, struct import_line *line)
{
    struct import_password *password = line->with_password ? find_password(work->id, line->line) : NULL;
    struct import_item item = { .line = line->line };
    enum import_outcome before = line->outcome;
    bool marked = before != IMPORT_OUTCOMES;
    struct str error;
    enum result result;

    if (js_parse(line->body, &r->arena, &item.body, &error) != RES_OK) {
        fail(line, "syntax", error);
        return RES_OK;
    }
    request_keep(r, item.body);
    if (password != NULL && password->password.p != NULL)
        js_set(item.body, "password", js_str(password->password));
    result = import_check(r, &item, 1, work->updates || marked);
    if (result != RES_OK)
        return result;
    if (item.errors != NULL) {
        request_keep(r, item.errors);
        fail(line, first_error(r, item.errors, "code").p, first_error(r, item.errors, "detail"));
        return RES_OK;
    }
    item.change.w.import_id = work->id;
    item.change.w.import_line = line->line;
    result = apply(r, &item, marked);
    if (result == RES_OK)
        conclude(&item, line, marked ? before : item.outcome);
    else if (!refuse(line, result))
        return result == RES_CONFLICT ? RES_CONFLICT : RES_TEMPFAIL;
    return RES_OK;
}

/* ---- an import ---- */

/* Does the line that is next.  RES_NOTFOUND: there is none. */
static enum result do_next(const struct import_work *work, unsigned *failures)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct import_line line;
    struct request *r;
    enum result result = import_next(self.service->db, work->id, self.name, &a, &line);

    if (result != RES_OK)
        return result;
    r = request_for(work->caller);
    if (r == NULL)
        fail(&line, "internal", STR("Who began this import cannot be read."));
    else
        result = do_line(r, work, &line);
    if (result != RES_OK && ++*failures == TRIES) {
        fail(&line, "unavailable", STR("It could not be done, in several tries."));
        result = RES_OK;
    }
    if (result == RES_OK) {
        struct import_password *password = find_password(work->id, line.line);

        result = import_done(self.service->db, work->id, &line);
        if (result == RES_OK && password != NULL)
            wipe(password);
        *failures = result == RES_OK ? 0 : *failures;
    }
    if (r != NULL)
        request_unref(r);
    return result;
}

static void do_turn(const struct import_work *work)
{
    unsigned failures = 0, n = 0;
    enum result result = RES_OK;

    while (!self.draining && result != RES_NOTFOUND && (n < TURN || failures > 0)) {
        result = do_next(work, &failures);
        n += result == RES_OK;
        if (result != RES_OK && result != RES_NOTFOUND && !self.draining)
            coroutine_wait(deadline_in(AGAIN_MS), false);
    }
    if (result == RES_NOTFOUND)
        let_go(work->id);
}

static void run(void *arg)
{
    (void)arg;
    while (!self.draining) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct import_work work;

        self.woken = false;
        if (self.beginning == 0 && import_take(self.service->db, self.name, &a, &work) == RES_OK) {
            do_turn(&work);
            continue;
        }
        if (!self.woken && !self.draining)
            coroutine_wait(deadline_in(LOOK_MS), false);
    }
    self.worker = NULL;
}

void imports_start(struct service *service)
{
    self.service = service;
    self.name = random_id(&self.arena);
    self.worker = coroutine_spawn("imports", run, NULL);
    if (self.worker == NULL)
        log_error("imports", F_C("error", "no coroutine"));
}

static void wake(void)
{
    self.woken = true;
    if (self.worker != NULL)
        coroutine_wake(self.worker);
}

enum result imports_begin(struct request *r, bool updates, const struct import_line *v, size_t n, struct import_password *passwords,
                          size_t n_passwords, const struct audit *audit, int64_t *ret_id)
{
    enum result result;

    self.beginning++;
    result = import_begin(r->service->db, r->caller.actor, caller_text(r), updates, self.name, v, n, audit, ret_id);
    self.beginning--;
    if (result == RES_OK)
        hold(*ret_id, passwords, n_passwords);
    else
        wipe_all(passwords, n_passwords);
    wake();
    return result;
}

void imports_drain(void)
{
    self.draining = true;
    if (self.worker != NULL)
        coroutine_wake(self.worker);
}
