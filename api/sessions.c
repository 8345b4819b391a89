/* /accounts/{address}/sessions, /me/sessions, and one of them: of the dashboard, and of mail programs */
#include "api/accounts.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/record.h"
#include "base/encode.h"
#include "store/presence.h"
#include "store/session.h"

static struct json_object *row(char kind, int64_t id, struct str protocol, struct str ip, int64_t began_us)
{
    struct json_object *o = js_object();

    js_set(o, "id", js_id(kind, id));
    js_set(o, "protocol", js_str(protocol));
    js_set(o, "ip", js_str(ip));
    js_set(o, "started_at", js_time(began_us));
    return o;
}

static void push_page(struct json_object *data, const struct session_row *s)
{
    struct json_object *o = row('w', s->id, STR("page"), s->ip, s->began_us);

    js_set(o, "seen_at", js_time(s->seen_us));
    js_set(o, "user_agent", js_str(s->user_agent));
    js_set(o, "current", js_bool(s->current));
    js_push(data, o);
}

static void push_program(struct json_object *data, const struct presence_session *p)
{
    struct json_object *o = row('c', p->id, p->protocol, p->ip, p->began_us);

    js_set(o, "seen_at", NULL);
    js_set(o, "user_agent", NULL);
    js_set(o, "current", js_bool(false));
    js_push(data, o);
}

void sessions_list(struct request *r)
{
    struct account account;
    struct session_row *pages;
    struct presence_session *programs;
    struct json_object *body, *data;
    size_t n_pages, n_programs;
    enum result result;

    if (!account_of_path(r, &account, NULL))
        return;
    result = session_list(r->service->db, account.id, r->caller.session_hash, &r->arena, &pages, &n_pages);
    if (result == RES_OK)
        result = presence_list(r->service->db, account.id, &r->arena, &programs, &n_programs);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n_pages; i++)
        push_page(data, &pages[i]);
    for (size_t i = 0; i < n_programs; i++)
        push_program(data, &programs[i]);
    body = js_object();
    js_set(body, "data", data);
    js_set(body, "next", NULL);
    reply_json(r, 200, body);
}

static void answer(struct request *r, const struct account *account, enum result result)
{
    account_changed(r, account->id);
    if (result == RES_OK)
        reply_empty(r);
    else
        problem_of_result(r, result);
}

void sessions_delete(struct request *r)
{
    struct account account;

    if (account_of_path(r, &account, NULL))
        answer(r, &account, presence_end_all(r->service->db, account.id, r->caller.session_hash,
                                             record(r, "account.sessions.end", account.address, NULL, NULL)));
}

void sessions_delete_one(struct request *r)
{
    struct account account;
    const struct audit *audit;
    struct str text;
    int64_t id;
    enum result result = RES_NOTFOUND;

    if (!account_of_path(r, &account, &text))
        return;
    audit = record(r, "account.session.end", arena_printf(&r->arena, "%.*s/%.*s", STR_ARG(account.address), STR_ARG(text)),
                   NULL, NULL);
    if (id_decode('w', text, &id))
        result = session_end_one(r->service->db, account.id, id, audit);
    else if (id_decode('c', text, &id))
        result = presence_end_one(r->service->db, account.id, id, audit);
    answer(r, &account, result);
}
