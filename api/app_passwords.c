/* /accounts/{address}/app-passwords, /me/app-passwords, and one of them */
#include "api/accounts.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/record.h"
#include "base/encode.h"

static const char *const protocols[] = { "imap", "pop3", "submission", "managesieve" };
static const struct field members[] = {
    { .name = "name", .type = FIELD_STRING, .required = true, .min = 1, .max = 100 },
    { .name = "protocols", .type = FIELD_STRINGS, .min = 1, .max = ARRAY_LEN(protocols), .words = protocols,
      .n_words = ARRAY_LEN(protocols) },
};

static struct json_object *last_use(const struct app_password *p)
{
    struct json_object *o;

    if (p->used_us == DB_NO_TIME)
        return NULL;
    o = js_object();
    js_set(o, "at", js_time(p->used_us));
    js_set(o, "protocol", js_str(p->used_protocol));
    js_set(o, "ip", js_str(p->used_ip));
    return o;
}

static struct json_object *to_json(const struct app_password *p)
{
    struct json_object *o = js_object(), *words = js_array();
    struct str rest = p->protocols, word;

    while (str_word(&rest, &word))
        js_push(words, js_str(word));
    js_set(o, "id", js_id('p', p->id));
    js_set(o, "name", js_str(p->name));
    js_set(o, "protocols", words);
    js_set(o, "created_at", js_time(p->created_us));
    js_set(o, "last_used", last_use(p));
    return o;
}

void app_passwords_list(struct request *r)
{
    struct account account;
    struct app_password *v;
    struct json_object *body, *data;
    size_t n;
    enum result result;

    if (!account_of_path(r, &account, NULL))
        return;
    result = auth_app_list(r->service->auth, account.id, &r->arena, &v, &n);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    data = js_array();
    for (size_t i = 0; i < n; i++)
        js_push(data, to_json(&v[i]));
    body = js_object();
    js_set(body, "data", data);
    js_set(body, "next", NULL);
    reply_json(r, 200, body);
}

/* The protocols of the body with blanks between them, in our order; all when it names none. */
static struct str chosen(struct request *r, const struct json_object *body)
{
    struct str text = STR(""), *v = NULL;
    size_t n = 0;
    bool all = !field_strs(r, body, "protocols", &v, &n);

    for (size_t k = 0; k < ARRAY_LEN(protocols); k++) {
        bool is_in = all;

        for (size_t i = 0; i < n; i++)
            is_in = is_in || str_eq(v[i], str_c(protocols[k]));
        if (is_in)
            text = arena_printf(&r->arena, "%.*s%s%s", STR_ARG(text), text.len > 0 ? " " : "", protocols[k]);
    }
    return text;
}

/* Made by auth; in a dry run only described. */
static enum result make(struct request *r, const struct account *account, struct str name, struct str chosen_protocols,
                        struct app_password *ret, struct str *ret_secret)
{
    if (!r->dry_run)
        return auth_app_add(r->service->auth, account->id, name, chosen_protocols, &r->arena, ret, ret_secret);
    *ret = (struct app_password){ .id = 1, .name = name, .protocols = chosen_protocols, .created_us = wall_us(), .used_us = DB_NO_TIME };
    *ret_secret = STR("dry-run");
    return RES_OK;
}

void app_passwords_post(struct request *r)
{
    struct account account;
    struct app_password made;
    struct json_object *body, *answer;
    struct str secret;
    enum result result;

    if (!account_of_path(r, &account, NULL) || !caller_fresh(r) || (body = body_object(r, false)) == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    result = make(r, &account, field_str(body, "name", STR("")), chosen(r, body), &made, &secret);
    if (result == RES_LIMIT) {
        error_at(r, STR(""), "limit", "The account has %d app passwords: remove one first.", APP_PASSWORDS_MAX);
        (void)errors_of_body(r);
        return;
    }
    if (result == RES_OK)
        result = audit_write(r->service->db, record(r, "account.app-password.create", account.address, NULL, to_json(&made)));
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    answer = to_json(&made);
    js_set(answer, "password", js_str(secret));
    reply_json(r, 201, answer);
}

static enum result take_away(struct request *r, const struct account *account, int64_t id)
{
    struct app_password *v;
    size_t n;
    enum result result;

    if (!r->dry_run)
        return auth_app_remove(r->service->auth, account->id, id);
    result = auth_app_list(r->service->auth, account->id, &r->arena, &v, &n);
    for (size_t i = 0; result == RES_OK && i < n; i++) {
        if (v[i].id == id)
            return RES_OK;
    }
    return result == RES_OK ? RES_NOTFOUND : result;
}

void app_passwords_delete(struct request *r)
{
    struct account account;
    struct str text;
    int64_t id;
    enum result result;

    if (!account_of_path(r, &account, &text))
        return;
    result = id_decode('p', text, &id) ? take_away(r, &account, id) : RES_NOTFOUND;
    account_changed(r, account.id);
    if (result == RES_OK)
        result = audit_write(r->service->db, record(r, "account.app-password.remove",
                                                    arena_printf(&r->arena, "%.*s/%.*s", STR_ARG(account.address), STR_ARG(text)),
                                                    NULL, NULL));
    if (result == RES_OK)
        reply_empty(r);
    else
        problem_of_result(r, result);
}
