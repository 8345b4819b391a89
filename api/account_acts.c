/* /accounts/{address}/password, /link, /suspend, /freeze and /recount */
#include "api/accounts.h"
#include "api/common_passwords.h"
#include "api/events.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/listen.h"
#include "api/problem.h"
#include "api/record.h"
#include "api/words.h"
#include "base/encode.h"
#include "store/presence.h"
#include "store/queue_admin.h"
#include "store/quota.h"

#define LINK_SECONDS 86400
#define PASSWORD_LEAST 12
#define PASSWORD_MOST_BYTES 512 /* what auth takes */

void account_check_password(struct request *r, struct str pointer, struct str password)
{
    if (password.len > PASSWORD_MOST_BYTES)
        error_at(r, pointer, "too-long", "It is longer than %d bytes.", PASSWORD_MOST_BYTES);
    if (word_has_control(password))
        error_at(r, pointer, "syntax", "It holds a control character.");
    if (r->door.kind == DOOR_SOCKET) /* the local administrator may set what he wants */
        return;
    if (word_length(password) < PASSWORD_LEAST)
        error_at(r, pointer, "too-short", "It is shorter than %d characters.", PASSWORD_LEAST);
    else if (password_is_common(&r->arena, password))
        error_at(r, pointer, "common-password", "It is one of those that are tried first.");
}

void account_changed(struct request *r, int64_t account_id)
{
    events_recheck();
    (void)!presence_tell(r->service->db, account_id);
}

enum result account_set_password(struct request *r, int64_t account_id, struct str password, struct str keep_session)
{
    enum result result;

    if (r->dry_run)
        return RES_OK;
    result = auth_set_password(r->service->auth, account_id, password, keep_session);
    account_changed(r, account_id);
    return result == RES_LIMIT || result == RES_INVALID ? RES_TEMPFAIL : result;
}

void accounts_password_put(struct request *r)
{
    static const struct field members[] = {
        { .name = "password", .type = FIELD_STRING, .required = true, .min = 1, .max = 256, .any_text = true },
    };
    struct json_object *body;
    struct account account;
    struct str password;
    enum result result;

    if (!account_take(r, &account) || (body = body_object(r, false)) == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    password = field_str(body, "password", STR(""));
    if (r->errors == NULL)
        account_check_password(r, STR("/password"), password);
    if (errors_of_body(r))
        return;
    result = account_set_password(r, account.id, password,
                                  r->caller.account_id == account.id ? r->caller.session_hash : STR_NULL);
    if (result == RES_OK)
        result = audit_write(r->service->db, record(r, "account.password", account.address, NULL, NULL));
    if (result == RES_OK)
        reply_empty(r);
    else
        problem_of_result(r, result);
}

/* Where people reach this server's page. */
static struct str page_url(struct request *r)
{
    struct str host = request_header(r, STR("Host"));

    if (r->door.kind == DOOR_SOCKET || host.len == 0)
        return api_page_url(r->service, &r->arena);
    return arena_printf(&r->arena, "%s://%.*s", r->tls ? "https" : "http", STR_ARG(host));
}

enum result account_make_link(struct request *r, const struct account *account, struct str *ret_url, int64_t *ret_expires)
{
    struct str secret = STR("dry-run");
    enum result result = r->dry_run ? RES_OK : auth_link(r->service->auth, account->id, LINK_SECONDS, &r->arena, &secret);

    *ret_expires = wall_us() + LINK_SECONDS * INT64_C(1000000);
    *ret_url = arena_printf(&r->arena, "%.*s/sign-in#link=%.*s", STR_ARG(page_url(r)), STR_ARG(secret));
    return result == RES_OK ? audit_write(r->service->db, record(r, "account.link", account->address, NULL, NULL)) : result;
}

void accounts_link_post(struct request *r)
{
    struct json_object *body, *link;
    struct account account;
    struct str url;
    int64_t expires;
    enum result result;

    if (!account_take(r, &account) || (body = body_object(r, true)) == NULL)
        return;
    fields_check(r, body, STR(""), NULL, 0, NULL);
    if (errors_of_body(r))
        return;
    result = account_make_link(r, &account, &url, &expires);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    link = js_object();
    js_set(link, "url", js_str(url));
    js_set(link, "expires_at", js_time(expires));
    js_set(link, "purpose", js_str(account.state == ACCOUNT_INVITED ? STR("set-up") : STR("reset")));
    reply_json(r, 201, link);
}

void accounts_suspend_put(struct request *r)
{
    static const struct field members[] = { { .name = "reason", .type = FIELD_STRING, .nullable = true, .max = 200 } };
    struct json_object *body;
    struct account account;
    enum result result;

    if (!account_take(r, &account) || (body = body_object(r, false)) == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    result = account_suspend(r->service->db, account.address, field_str(body, "reason", STR_NULL), r->caller.actor,
                             record(r, "account.suspend", account.address, NULL, js_share(body)));
    account_changed(r, account.id);
    if (result == RES_OK)
        account_answer(r, account.address, 200);
    else
        account_refuse(r, result, account.address);
}

void accounts_suspend_delete(struct request *r)
{
    struct account account;
    enum result result;

    if (!account_take(r, &account))
        return;
    result = account_resume(r->service->db, account.address, record(r, "account.resume", account.address, NULL, NULL));
    if (result == RES_OK)
        reply_empty(r);
    else
        account_refuse(r, result, account.address);
}

/* Nobody's mail but the account's own is held, so the caller's domains do not matter. */
static enum result hold_queue(struct request *r, const struct account *account, struct str reason)
{
    const struct queue_filter filter = { .accounts = { &account->address, 1 } };
    const struct queue_request request = { .action = QUEUE_HOLD, .filter = &filter, .actor = r->caller.actor, .reason = reason };
    struct queue_answer done = { 0 };
    enum result result = queue_act(r->service->db, &request, &r->arena, &done);

    return result == RES_OK ? account_hold_rest(r->service->db, account->id) : result;
}

void accounts_freeze_put(struct request *r)
{
    static const struct field members[] = { { .name = "reason", .type = FIELD_STRING, .nullable = true, .max = 200 } };
    struct json_object *body;
    struct account account;
    struct str reason;
    enum result result;

    if (!account_take(r, &account) || (body = body_object(r, false)) == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    reason = field_str(body, "reason", STR_NULL);
    result = account_freeze(r->service->db, account.address, reason, r->caller.actor,
                            record(r, "account.freeze", account.address, NULL, js_share(body)));
    account_changed(r, account.id);
    if (result == RES_OK)
        result = hold_queue(r, &account, reason);
    if (result == RES_OK)
        account_answer(r, account.address, 200);
    else
        account_refuse(r, result, account.address);
}

void accounts_freeze_delete(struct request *r)
{
    struct account account;
    enum result result;

    if (!account_take(r, &account))
        return;
    result = account_unfreeze(r->service->db, account.address, record(r, "account.unfreeze", account.address, NULL, NULL));
    account_changed(r, account.id);
    if (result == RES_OK)
        reply_empty(r);
    else
        account_refuse(r, result, account.address);
}

static struct json_object *drift_json(const struct quota_drift *v, size_t n)
{
    struct json_object *list = js_array();

    for (size_t i = 0; i < n; i++) {
        struct json_object *o = js_object();

        js_set(o, "mailbox", js_str(v[i].mailbox));
        js_set(o, "counter", js_str(v[i].counter));
        js_set(o, "was", js_int(v[i].was));
        js_set(o, "counted", js_int(v[i].counted));
        js_push(list, o);
    }
    return list;
}

void accounts_recount_post(struct request *r)
{
    static const struct field members[] = { { .name = "repair", .type = FIELD_TRUE } };
    struct json_object *body, *answer, *wrong;
    struct quota_drift *v;
    struct account account;
    bool repair;
    size_t n;
    enum result result;

    if (!account_take(r, &account) || (body = body_object(r, true)) == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    repair = field_there(body, "repair");
    result = quota_recount(r->service->db, account.id, repair, &r->arena, &v, &n);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    wrong = drift_json(v, n);
    answer = js_object();
    js_set(answer, "repaired", js_bool(repair && n > 0));
    js_set(answer, "wrong", wrong);
    if (repair && n > 0)
        result = audit_write(r->service->db, record(r, "account.recount", account.address, js_share(wrong), NULL));
    if (result == RES_OK)
        reply_json(r, 200, answer);
    else
        problem_of_result(r, result);
}
