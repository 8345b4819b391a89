/* /me/totp, /accounts/{address}/totp: two-step sign-in */
#include "store/totp.h"
#include "api/accounts.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/record.h"

void totp_get(struct request *r)
{
    struct account account;
    struct totp_state state;
    struct json_object *o;
    enum result result;

    if (!account_of_path(r, &account, NULL))
        return;
    result = auth_totp_state(r->service->auth, account.id, &state);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    o = js_object();
    js_set(o, "enabled", js_bool(state.since_us != DB_NO_TIME));
    js_set(o, "since", js_time(state.since_us));
    js_set(o, "recovery_codes_left", js_int(state.recovery_left));
    reply_json(r, 200, o);
}

/* RFC 3986, 2.1: all but unreserved characters. */
static struct str escape(struct request *r, struct str text)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 4096 };

    for (size_t i = 0; i < text.len; i++) {
        if (ascii_alnum(text.p[i]) || strchr("-._~", text.p[i]) != NULL)
            (void)strbuf_addc(&b, text.p[i]);
        else
            (void)strbuf_addf(&b, "%%%02X", (unsigned char)text.p[i]);
    }
    return arena_str(&r->arena, strbuf_str(&b));
}

/* A key, as programs that make codes take it. */
void totp_post(struct request *r)
{
    struct account account;
    struct json_object *body, *o;
    struct str key, host = escape(r, settings_get()->hostname.len > 0 ? settings_get()->hostname : STR("Correio"));
    enum result result;

    if (!account_of_path(r, &account, NULL) || !caller_fresh(r) || (body = body_object(r, true)) == NULL)
        return;
    fields_check(r, body, STR(""), NULL, 0, NULL);
    if (errors_of_body(r))
        return;
    key = STR("DRYRUN");
    result = r->dry_run ? RES_OK : auth_totp_begin(r->service->auth, account.id, &r->arena, &key);
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    o = js_object();
    js_set(o, "secret", js_str(key));
    js_set(o, "uri", js_str(arena_printf(&r->arena, "otpauth://totp/%.*s:%.*s?secret=%.*s&issuer=%.*s", STR_ARG(host),
                                         STR_ARG(escape(r, account.address)), STR_ARG(key), STR_ARG(host))));
    reply_json(r, 201, o);
}

void totp_put(struct request *r)
{
    static const struct field members[] = {
        { .name = "code", .type = FIELD_STRING, .required = true, .min = 1, .max = 40, .any_text = true },
    };
    struct str codes[TOTP_RECOVERY_CODES];
    struct account account;
    struct json_object *body, *o;
    enum result result;

    if (!account_of_path(r, &account, NULL) || !caller_fresh(r) || (body = body_object(r, false)) == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    for (size_t i = 0; i < TOTP_RECOVERY_CODES; i++)
        codes[i] = STR("dry-run");
    result = r->dry_run ? RES_OK : auth_totp_confirm(r->service->auth, account.id, field_str(body, "code", STR("")), &r->arena, codes);
    if (result == RES_DENIED) {
        error_at(r, STR("/code"), "wrong-code", "It is not the code of this moment.");
        (void)errors_of_body(r);
        return;
    }
    account_changed(r, account.id);
    if (result == RES_OK)
        result = audit_write(r->service->db, record(r, "account.totp.on", account.address, NULL, NULL));
    if (result != RES_OK) {
        problem_of_result(r, result);
        return;
    }
    o = js_object();
    js_set(o, "recovery_codes", js_strs(codes, TOTP_RECOVERY_CODES));
    reply_json(r, 200, o);
}

void totp_delete(struct request *r)
{
    struct account account;
    enum result result;

    if (!account_of_path(r, &account, NULL) || !caller_fresh(r))
        return;
    result = r->dry_run ? RES_OK : auth_totp_remove(r->service->auth, account.id);
    if (result == RES_OK)
        result = audit_write(r->service->db, record(r, "account.totp.off", account.address, NULL, NULL));
    if (result == RES_OK)
        reply_empty(r);
    else
        problem_of_result(r, result);
}
