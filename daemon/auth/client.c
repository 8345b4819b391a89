#include "auth/client.h"
#include "auth/protocol.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "io/ipc.h"
#include "io/tls.h"
#include "store/totp.h"

#include <stdlib.h>

#define CALL_MS 20000
#define SIGN_MS 10000

struct auth_client {
    struct ipc *ipc;
};

struct auth_client *auth_client_new(const char *socket_path)
{
    struct auth_client *c = calloc(1, sizeof(*c));

    if (c == NULL)
        abort();
    c->ipc = ipc_client_new(socket_path);
    return c;
}

static enum result call(struct auth_client *c, enum auth_op op, struct strbuf *payload, int64_t ms, struct arena *a,
                        struct str *ret_reply)
{
    enum result r;

    if (payload->overflow)
        return RES_DENIED; /* no password is that long */
    r = ipc_call(c->ipc, op, strbuf_str(payload), deadline_in(ms), a, ret_reply);
    if (payload->p != NULL)
        explicit_bzero(payload->p, payload->cap);
    return r;
}

enum result auth_password(struct auth_client *c, const struct auth_request *req, struct arena *a,
                          struct auth_identity *ret)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 8192 };
    struct auth_identity id = { 0 };
    struct str reply;
    int64_t role, frozen;
    enum result r;

    ipc_put(&b, str_c(req->protocol));
    ipc_put(&b, req->ip);
    ipc_put(&b, req->user);
    ipc_put(&b, req->password);
    r = call(c, AUTH_PASSWORD, &b, CALL_MS, a, &reply);
    if (r != RES_OK)
        return r;
    if (!ipc_get_int(&reply, &id.account_id) || !ipc_get(&reply, &id.address) || !ipc_get(&reply, &id.token) ||
        !ipc_get_int(&reply, &role) || !ipc_get_int(&reply, &frozen) || !ipc_get(&reply, &id.language) ||
        !ipc_get_int(&reply, &id.credential_id) || !ipc_get_int(&reply, &id.signed_in_us))
        return RES_TEMPFAIL;
    id.role = (int)role;
    id.frozen = frozen != 0;
    if (id.language.len == 0)
        id.language = STR_NULL;
    *ret = id;
    return RES_OK;
}

static enum result sign(void *arg, struct str key, bool rsa, struct str digest, unsigned char *sig, size_t cap,
                        size_t *ret_len)
{
    struct auth_client *c = arg;
    CLEANUP(strbuf_release) struct strbuf b = { .max = 2048 };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str reply, signature;
    enum result r;

    ipc_put(&b, key);
    ipc_put_int(&b, rsa);
    ipc_put(&b, digest);
    r = call(c, AUTH_SIGN, &b, SIGN_MS, &a, &reply);
    if (r != RES_OK)
        return r;
    if (!ipc_get(&reply, &signature) || signature.len > cap)
        return RES_TEMPFAIL;
    memcpy(sig, signature.p, signature.len);
    *ret_len = signature.len;
    return RES_OK;
}

enum result auth_tls_server(struct auth_client *c, struct tls_context **ret_ctx)
{
    struct strbuf nothing = { .max = 1 };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str reply, pem;
    enum result r = call(c, AUTH_CERTIFICATE, &nothing, CALL_MS, &a, &reply);

    if (r != RES_OK)
        return r;
    if (!ipc_get(&reply, &pem))
        return RES_TEMPFAIL;
    r = tls_server_new(pem, sign, c, ret_ctx);
    if (r != RES_OK)
        log_error("tls-certificate-unusable", F_C("result", result_name(r)));
    return r;
}

enum result auth_set_password(struct auth_client *c, int64_t account_id, struct str password, struct str keep_session)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 8192 };
    CLEANUP(arena_releasep) struct arena a = { 0 };

    ipc_put_int(&b, account_id);
    ipc_put(&b, password);
    ipc_put(&b, keep_session);
    return call(c, AUTH_SET_PASSWORD, &b, CALL_MS, &a, NULL);
}

enum result auth_link(struct auth_client *c, int64_t account_id, int64_t seconds, struct arena *a, struct str *ret_secret)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 256 };
    struct str reply;
    enum result r;

    ipc_put_int(&b, account_id);
    ipc_put_int(&b, seconds);
    r = call(c, AUTH_LINK, &b, CALL_MS, a, &reply);
    if (r != RES_OK)
        return r;
    return ipc_get(&reply, ret_secret) ? RES_OK : RES_TEMPFAIL;
}

static enum result session_reply(enum result r, struct str reply, struct auth_session *ret)
{
    struct auth_session s = { 0 };
    int64_t must, due;

    if (r != RES_OK)
        return r;
    if (!ipc_get(&reply, &s.cookie) || !ipc_get(&reply, &s.csrf) || !ipc_get_int(&reply, &s.account_id) ||
        !ipc_get_int(&reply, &must) || !ipc_get_int(&reply, &due))
        return RES_TEMPFAIL;
    s.must_set_password = must != 0;
    s.code_due = due != 0;
    *ret = s;
    return RES_OK;
}

enum result auth_sign_in(struct auth_client *c, struct str user, struct str password, struct str ip,
                         struct str user_agent, struct arena *a, struct auth_session *ret)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 8192 };
    struct str reply = STR_NULL;
    enum result r;

    ipc_put(&b, ip);
    ipc_put(&b, str_sub(user_agent, 0, 500));
    ipc_put(&b, user);
    ipc_put(&b, password);
    r = call(c, AUTH_SIGN_IN, &b, CALL_MS, a, &reply);
    return session_reply(r, reply, ret);
}

enum result auth_link_sign_in(struct auth_client *c, struct str secret, struct str ip, struct str user_agent,
                              struct arena *a, struct auth_session *ret)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 8192 };
    struct str reply = STR_NULL;
    enum result r;

    ipc_put(&b, ip);
    ipc_put(&b, str_sub(user_agent, 0, 500));
    ipc_put(&b, secret);
    r = call(c, AUTH_LINK_SIGN_IN, &b, CALL_MS, a, &reply);
    return session_reply(r, reply, ret);
}

enum result auth_code_sign_in(struct auth_client *c, struct str ip, struct str hash, struct str code, struct arena *a,
                              struct auth_session *ret)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 8192 };
    struct str reply = STR_NULL;
    enum result r;

    ipc_put(&b, ip);
    ipc_put(&b, hash);
    ipc_put(&b, code);
    r = call(c, AUTH_CODE_SIGN_IN, &b, CALL_MS, a, &reply);
    return session_reply(r, reply, ret);
}

enum result auth_reauth(struct auth_client *c, struct str address, struct str ip, struct str session_hash, struct str password,
                        struct str code, struct arena *a, struct str *ret_cookie)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 8192 };
    struct str reply;
    enum result r;

    ipc_put(&b, ip);
    ipc_put(&b, address);
    ipc_put(&b, session_hash);
    ipc_put(&b, password);
    ipc_put(&b, code);
    r = call(c, AUTH_REAUTH, &b, CALL_MS, a, &reply);
    if (r != RES_OK)
        return r;
    return ipc_get(&reply, ret_cookie) ? RES_OK : RES_TEMPFAIL;
}

/* ---- app passwords ---- */

static bool get_app(struct str *rest, struct app_password *p)
{
    if (!ipc_get_int(rest, &p->id) || !ipc_get(rest, &p->name) || !ipc_get(rest, &p->protocols) ||
        !ipc_get_int(rest, &p->created_us) || !ipc_get_int(rest, &p->used_us) || !ipc_get(rest, &p->used_protocol) ||
        !ipc_get(rest, &p->used_ip))
        return false;
    if (p->used_protocol.len == 0)
        p->used_protocol = STR_NULL;
    if (p->used_ip.len == 0)
        p->used_ip = STR_NULL;
    return true;
}

enum result auth_app_add(struct auth_client *c, int64_t account_id, struct str name, struct str protocols, struct arena *a,
                         struct app_password *ret, struct str *ret_secret)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 8192 };
    struct str reply;
    enum result r;

    ipc_put_int(&b, account_id);
    ipc_put(&b, name);
    ipc_put(&b, protocols);
    r = call(c, AUTH_APP_ADD, &b, CALL_MS, a, &reply);
    if (r != RES_OK)
        return r;
    return get_app(&reply, ret) && ipc_get(&reply, ret_secret) ? RES_OK : RES_TEMPFAIL;
}

enum result auth_app_list(struct auth_client *c, int64_t account_id, struct arena *a, struct app_password **ret_v,
                          size_t *ret_n)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 64 };
    struct app_password *v;
    struct str reply;
    int64_t n;
    enum result r;

    ipc_put_int(&b, account_id);
    r = call(c, AUTH_APP_LIST, &b, CALL_MS, a, &reply);
    if (r != RES_OK)
        return r;
    if (!ipc_get_int(&reply, &n) || n < 0 || n > APP_PASSWORDS_MAX)
        return RES_TEMPFAIL;
    v = arena_array(a, struct app_password, (size_t)n + 1);
    for (int64_t i = 0; i < n; i++) {
        if (!get_app(&reply, &v[i]))
            return RES_TEMPFAIL;
    }
    *ret_v = v;
    *ret_n = (size_t)n;
    return RES_OK;
}

enum result auth_app_remove(struct auth_client *c, int64_t account_id, int64_t id)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 64 };
    CLEANUP(arena_releasep) struct arena a = { 0 };

    ipc_put_int(&b, account_id);
    ipc_put_int(&b, id);
    return call(c, AUTH_APP_REMOVE, &b, CALL_MS, &a, NULL);
}

/* ---- two-step sign-in ---- */

static enum result call_for(struct auth_client *c, enum auth_op op, int64_t account_id, struct arena *a, struct str *ret_reply)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 64 };

    ipc_put_int(&b, account_id);
    return call(c, op, &b, CALL_MS, a, ret_reply);
}

enum result auth_totp_state(struct auth_client *c, int64_t account_id, struct totp_state *ret)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str reply;
    enum result r = call_for(c, AUTH_TOTP_STATE, account_id, &a, &reply);

    if (r != RES_OK)
        return r;
    return ipc_get_int(&reply, &ret->since_us) && ipc_get_int(&reply, &ret->recovery_left) ? RES_OK : RES_TEMPFAIL;
}

enum result auth_totp_begin(struct auth_client *c, int64_t account_id, struct arena *a, struct str *ret_key)
{
    struct str reply;
    enum result r = call_for(c, AUTH_TOTP_BEGIN, account_id, a, &reply);

    if (r != RES_OK)
        return r;
    return ipc_get(&reply, ret_key) ? RES_OK : RES_TEMPFAIL;
}

enum result auth_totp_confirm(struct auth_client *c, int64_t account_id, struct str code, struct arena *a,
                              struct str *ret_codes)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 1024 };
    struct str reply;
    enum result r;

    ipc_put_int(&b, account_id);
    ipc_put(&b, code);
    r = call(c, AUTH_TOTP_CONFIRM, &b, CALL_MS, a, &reply);
    for (size_t i = 0; r == RES_OK && i < TOTP_RECOVERY_CODES; i++) {
        if (!ipc_get(&reply, &ret_codes[i]))
            r = RES_TEMPFAIL;
    }
    return r;
}

enum result auth_totp_remove(struct auth_client *c, int64_t account_id)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    return call_for(c, AUTH_TOTP_REMOVE, account_id, &a, NULL);
}
