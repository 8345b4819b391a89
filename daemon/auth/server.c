#include "auth/server.h"
#include "auth/activity.h"
#include "auth/keys.h"
#include "auth/ops.h"
#include "auth/password.h"
#include "auth/protocol.h"
#include "auth/throttle.h"
#include "base/counters.h"
#include "base/encode.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "config/settings.h"
#include "io/ipc.h"
#include "io/watch.h"
#include "store/totp.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOKEN_SECONDS (24 * 3600)

static struct {
    const struct config *config;
    struct db *db;
    int control_fd;
    struct watch *control;
    unsigned char token_key[32];
    uid_t api_uid;
} self;

/* ---- small things ---- */

struct str op_sha256(struct arena *a, struct str s)
{
    unsigned char *digest = arena_alloc(a, 32);

    EVP_Digest(s.p, s.len, digest, NULL, EVP_sha256(), NULL);
    return str_of((char *)digest, 32);
}

struct str op_random(struct arena *a)
{
    char bytes[32];

    random_bytes(bytes, sizeof(bytes));
    return base64url_encode(a, str_of(bytes, sizeof(bytes)));
}

/* What a session shows the database: account, expiry, and our HMAC over both. */
static struct str make_token(struct arena *a, int64_t account_id)
{
    struct str text = arena_printf(a, "%lld.%lld", (long long)account_id, (long long)(wall_us() / 1000000 + TOKEN_SECONDS));
    unsigned char mac[32];
    unsigned n = sizeof(mac);

    HMAC(EVP_sha256(), self.token_key, sizeof(self.token_key), (const unsigned char *)text.p, text.len, mac, &n);
    return arena_printf(a, "%.*s.%s", STR_ARG(text), base64url_encode(a, str_of((char *)mac, n)).p);
}

struct str op_reply(struct arena *a, struct strbuf *b)
{
    struct str s = arena_str(a, strbuf_str(b));

    strbuf_release(b);
    return s;
}

/* ---- passwords ---- */

struct attempt {
    struct str protocol, ip, user, password;
};

static void count_attempt(const struct attempt *t, enum result r)
{
    static const char *const protocols[COUNTERS_OTHER] = {
        [COUNTERS_SUBMISSION] = "submission", [COUNTERS_IMAP] = "imap", [COUNTERS_POP3] = "pop3", [COUNTERS_HTTP] = "http" };
    size_t protocol = 0;

    while (protocol < COUNTERS_OTHER && !str_eq(t->protocol, str_c(protocols[protocol])))
        protocol++;
    counters->sign_ins[protocol][r == RES_OK       ? COUNTERS_OK
                                 : r == RES_DENIED ? COUNTERS_DENIED
                                 : r == RES_LIMIT  ? COUNTERS_LIMITED
                                                   : COUNTERS_TROUBLE]++;
}

static void log_attempt(const struct attempt *t, enum result r)
{
    count_attempt(t, r);
    log_info("sign-in", F_STR("protocol", t->protocol), F_STR("user", t->user), F_STR("ip", t->ip),
             F_C("result", result_name(r)));
}

/* With two-step sign-in programs, which know nothing of codes, need a password of their own. */
static bool password_suffices(const struct attempt *t, const struct credential_account *account)
{
    return !account->totp || str_eq(t->protocol, STR("http")) || !settings_get()->app_passwords_with_totp;
}

/* Tries the password against each of the account's credentials, n > 0. */
static enum result match(const struct attempt *t, const struct credential *v, size_t n, struct arena *a, int64_t *ret_id)
{
    enum result r = RES_DENIED;

    for (size_t i = 0; i < n && r == RES_DENIED; i++) {
        struct str fresh;

        *ret_id = v[i].id;
        r = v[i].kind == CREDENTIAL_APP ? RES_OK : password_verify(t->password, v[i].verifier, a);
        if (r == RES_OK && v[i].kind == CREDENTIAL_PASSWORD && password_is_outdated(v[i].verifier) &&
            password_hash(t->password, a, &fresh) == RES_OK)
            (void)!credential_rehash(self.db, v[i].id, v[i].verifier, fresh);
    }
    return r;
}

static enum result check(const struct attempt *t, struct arena *a, struct credential_account *ret_account,
                         int64_t *ret_credential)
{
    struct str user = arena_lower(a, t->user);
    struct credential_account account;
    struct credential *v = NULL;
    int64_t credential_id = 0;
    size_t n = 0;
    bool known;
    enum result r;

    if (throttle_wait_ms(user, t->ip, mono_ms()) > 0)
        return RES_LIMIT;
    if (user.len == 0 || user.len > 320 || !str_is_utf8(user))
        return RES_DENIED;
    r = credential_find(self.db, user, t->protocol, op_app_hash(a, t->password), a, &account, &v, &n);
    known = r == RES_OK;
    if (r == RES_OK && n > 0 && v[n - 1].kind == CREDENTIAL_PASSWORD && !password_suffices(t, &account))
        n--;
    if (r == RES_NOTFOUND || (r == RES_OK && n == 0)) {
        password_verify_dummy(t->password, a);
        r = RES_DENIED;
    } else if (r == RES_OK) {
        r = match(t, v, n, a, &credential_id);
        if (r == RES_OK && (account.state >= ACCOUNT_SUSPENDED || !account.domain_active))
            r = RES_DENIED;
    }
    if (r == RES_DENIED)
        throttle_failed(user, t->ip, mono_ms());
    if (known && (r == RES_OK || r == RES_DENIED))
        activity_note(account.id, r == RES_DENIED                                          ? ACTIVITY_WRONG_PASSWORD
                                  : account.totp && str_eq(t->protocol, STR("http")) ? ACTIVITY_CODE_DUE
                                                                                           : ACTIVITY_OK, t->protocol, t->ip);
    if (r != RES_OK)
        return r;
    throttle_succeeded(user, t->ip);
    (void)!credential_used(self.db, account.id, credential_id, t->protocol, t->ip);
    *ret_account = account;
    *ret_credential = credential_id;
    return RES_OK;
}

static enum result op_password(struct str in, struct arena *a, struct str *ret)
{
    struct attempt t;
    struct credential_account account;
    struct strbuf b = { .max = IPC_MAX_PAYLOAD };
    int64_t credential_id;
    enum result r;

    if (!ipc_get(&in, &t.protocol) || !ipc_get(&in, &t.ip) || !ipc_get(&in, &t.user) || !ipc_get(&in, &t.password))
        return RES_INVALID;
    r = check(&t, a, &account, &credential_id);
    log_attempt(&t, r);
    if (r != RES_OK)
        return r;
    ipc_put_int(&b, account.id);
    ipc_put(&b, account.address);
    ipc_put(&b, make_token(a, account.id));
    ipc_put_int(&b, account.role);
    ipc_put_int(&b, account.state == ACCOUNT_FROZEN);
    ipc_put(&b, account.language);
    ipc_put_int(&b, credential_id);
    ipc_put_int(&b, account.now_us);
    *ret = op_reply(a, &b);
    return RES_OK;
}

static enum result op_set_password(struct str in, struct arena *a)
{
    int64_t account_id;
    struct str password, keep, verifier;
    enum result r;

    if (!ipc_get_int(&in, &account_id) || !ipc_get(&in, &password) || !ipc_get(&in, &keep))
        return RES_INVALID;
    r = password_hash(password, a, &verifier);
    if (r != RES_OK)
        return r;
    return credential_set_password(self.db, account_id, verifier, keep.len > 0 ? keep : STR_NULL);
}

/* ---- the dashboard's sessions ---- */

static enum result add_session(int64_t account_id, struct str ip, struct str user_agent, bool must_set_password,
                               bool code_due, struct arena *a, struct str *ret)
{
    struct str cookie = op_random(a), csrf = op_random(a);
    struct strbuf b = { .max = IPC_MAX_PAYLOAD };
    enum result r;

    if (!str_is_utf8(user_agent))
        user_agent = STR("?");
    r = credential_session_add(self.db, op_sha256(a, cookie), account_id, csrf, ip, user_agent, must_set_password, code_due);
    if (r != RES_OK)
        return r;
    ipc_put(&b, cookie);
    ipc_put(&b, csrf);
    ipc_put_int(&b, account_id);
    ipc_put_int(&b, must_set_password);
    ipc_put_int(&b, code_due);
    *ret = op_reply(a, &b);
    return RES_OK;
}

static enum result op_sign_in(struct str in, struct arena *a, struct str *ret)
{
    struct attempt t = { .protocol = STR("http") };
    struct credential_account account;
    struct str user_agent;
    int64_t credential_id;
    enum result r;

    if (!ipc_get(&in, &t.ip) || !ipc_get(&in, &user_agent) || !ipc_get(&in, &t.user) || !ipc_get(&in, &t.password))
        return RES_INVALID;
    r = check(&t, a, &account, &credential_id);
    log_attempt(&t, r);
    return r == RES_OK ? add_session(account.id, t.ip, user_agent, false, account.totp, a, ret) : r;
}

/* RES_DENIED: the password is wrong; RES_CONFLICT: there is no code, and it is needed; RES_INVALID: the code is wrong. */
static enum result op_reauth(struct str in, struct arena *a, struct str *ret)
{
    struct attempt t = { .protocol = STR("http") };
    struct strbuf b = { .max = 256 };
    struct credential_account account;
    struct str hash, code, cookie = op_random(a);
    int64_t credential_id;
    enum result r;

    if (!ipc_get(&in, &t.ip) || !ipc_get(&in, &t.user) || !ipc_get(&in, &hash) || !ipc_get(&in, &t.password) ||
        !ipc_get(&in, &code))
        return RES_TEMPFAIL;
    r = check(&t, a, &account, &credential_id);
    log_attempt(&t, r);
    if (r != RES_OK)
        return r;
    if (account.totp && code.len == 0)
        return RES_CONFLICT;
    if (account.totp)
        r = op_totp_check(self.db, account.id, code, a);
    if (r != RES_OK)
        return r == RES_DENIED ? RES_INVALID : r;
    r = session_renew(self.db, hash, account.id, op_sha256(a, cookie));
    ipc_put(&b, cookie);
    *ret = op_reply(a, &b);
    return r;
}

static enum result op_link(struct str in, struct arena *a, struct str *ret)
{
    struct str secret = op_random(a);
    struct strbuf b = { .max = 1024 };
    int64_t account_id, seconds;
    enum result r;

    if (!ipc_get_int(&in, &account_id) || !ipc_get_int(&in, &seconds) || seconds < 1 || seconds > 7 * 86400)
        return RES_INVALID;
    r = credential_link_add(self.db, account_id, hex_encode(a, op_sha256(a, secret)), wall_us() + seconds * 1000000);
    if (r != RES_OK)
        return r;
    ipc_put(&b, secret);
    *ret = op_reply(a, &b);
    return RES_OK;
}

static enum result op_link_sign_in(struct str in, struct arena *a, struct str *ret)
{
    struct attempt t = { .protocol = STR("http"), .user = STR("(link)") };
    struct credential_account account;
    struct str secret, user_agent;
    enum result r;

    if (!ipc_get(&in, &t.ip) || !ipc_get(&in, &user_agent) || !ipc_get(&in, &secret))
        return RES_INVALID;
    if (throttle_wait_ms(t.user, t.ip, mono_ms()) > 0)
        return RES_LIMIT;
    r = credential_link_take(self.db, hex_encode(a, op_sha256(a, secret)), a, &account);
    if (r == RES_NOTFOUND || (r == RES_OK && (account.state >= ACCOUNT_SUSPENDED || !account.domain_active)))
        r = RES_DENIED;
    if (r == RES_DENIED)
        throttle_failed(t.user, t.ip, mono_ms());
    log_attempt(&t, r);
    return r == RES_OK ? add_session(account.id, t.ip, user_agent, true, account.totp, a, ret) : r;
}

/* ---- keys ---- */

static enum result op_certificate(struct arena *a, struct str *ret)
{
    struct strbuf b = { .max = IPC_MAX_PAYLOAD };
    struct str pem = keys_certificate();

    if (pem.p == NULL)
        return RES_TEMPFAIL;
    ipc_put(&b, pem);
    *ret = op_reply(a, &b);
    return RES_OK;
}

static enum result op_sign(struct str in, struct arena *a, struct str *ret)
{
    struct strbuf b = { .max = IPC_MAX_PAYLOAD };
    struct str key, digest, signature;
    int64_t rsa;
    enum result r;

    if (!ipc_get(&in, &key) || !ipc_get_int(&in, &rsa) || !ipc_get(&in, &digest))
        return RES_INVALID;
    r = keys_sign(key, rsa != 0, digest, a, &signature);
    if (r != RES_OK)
        return r;
    ipc_put(&b, signature);
    *ret = op_reply(a, &b);
    return RES_OK;
}

/* ---- who may ask what ---- */

/* Where every process runs under one user (development), the user is no line of defence. */
static bool allowed(uid_t peer, enum auth_op op)
{
    switch (op) {
    case AUTH_PASSWORD:
    case AUTH_CERTIFICATE:
    case AUTH_SIGN:
        return true;
    case AUTH_LINK:
        return peer == 0 || peer == self.api_uid || peer == getuid();
    case AUTH_SET_PASSWORD:
    case AUTH_SIGN_IN:
    case AUTH_LINK_SIGN_IN:
    case AUTH_APP_ADD:
    case AUTH_APP_LIST:
    case AUTH_APP_REMOVE:
    case AUTH_CODE_SIGN_IN:
    case AUTH_REAUTH:
    case AUTH_TOTP_STATE:
    case AUTH_TOTP_BEGIN:
    case AUTH_TOTP_CONFIRM:
    case AUTH_TOTP_REMOVE:
        return peer == self.api_uid || (peer == getuid() && self.api_uid == getuid());
    }
    return false;
}

static enum result handle(void *arg, uid_t peer, unsigned type, struct str payload, struct arena *a, struct str *ret)
{
    (void)arg;
    if (!allowed(peer, (enum auth_op)type)) {
        log_error("auth-refused", F_INT("uid", peer), F_INT("request", type));
        return RES_DENIED;
    }
    switch ((enum auth_op)type) {
    case AUTH_PASSWORD:
        return op_password(payload, a, ret);
    case AUTH_CERTIFICATE:
        return op_certificate(a, ret);
    case AUTH_SIGN:
        return op_sign(payload, a, ret);
    case AUTH_SET_PASSWORD:
        return op_set_password(payload, a);
    case AUTH_LINK:
        return op_link(payload, a, ret);
    case AUTH_SIGN_IN:
        return op_sign_in(payload, a, ret);
    case AUTH_LINK_SIGN_IN:
        return op_link_sign_in(payload, a, ret);
    case AUTH_APP_ADD:
        return op_app_add(self.db, payload, a, ret);
    case AUTH_APP_LIST:
        return op_app_list(self.db, payload, a, ret);
    case AUTH_APP_REMOVE:
        return op_app_remove(self.db, payload);
    case AUTH_CODE_SIGN_IN:
        return op_code_sign_in(self.db, payload, a, ret);
    case AUTH_REAUTH:
        return op_reauth(payload, a, ret);
    case AUTH_TOTP_STATE:
        return op_totp_state(self.db, payload, a, ret);
    case AUTH_TOTP_BEGIN:
        return op_totp_begin(self.db, payload, a, ret);
    case AUTH_TOTP_CONFIRM:
        return op_totp_confirm(self.db, payload, a, ret);
    case AUTH_TOTP_REMOVE:
        return op_totp_remove(self.db, payload);
    }
    return RES_INVALID;
}

/* ---- start ---- */

/* The supervisor opened a certificate and a key that only root may read: here they are. */
static void take_descriptors(void)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    char byte;
    struct iovec iov = { &byte, 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
    struct cmsghdr *c;
    int fds[2];

    if (recvmsg(self.control_fd, &msg, MSG_CMSG_CLOEXEC) <= 0)
        return;
    c = CMSG_FIRSTHDR(&msg);
    if (c == NULL || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(fds)))
        return;
    memcpy(fds, CMSG_DATA(c), sizeof(fds));
    if (keys_load(fds[0], fds[1]) == RES_OK)
        log_info("tls-certificate", F_C("from", "the configured files"));
}

static void control_run(void *arg)
{
    (void)arg;
    while (watch_wait(self.control, WATCH_READ, NO_DEADLINE, true, false) == RES_OK) {
        char byte;

        if (recv(self.control_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
            return; /* the supervisor is gone */
        take_descriptors();
    }
}

void auth_reload(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str host = settings_get()->hostname;

    if (self.config->certificate.p == NULL)
        (void)!keys_load_own(arena_printf(&a, "%.*s/tls", STR_ARG(self.config->home)),
                             host.len > 0 ? host : self.config->node, &a);
}

void auth_serve(const struct config *config, struct db *db, int listen_fd, int control_fd)
{
    const struct passwd *api = getpwnam("correio-api");

    self.config = config;
    self.db = db;
    self.control_fd = control_fd;
    self.api_uid = api != NULL && getuid() != 0 && getpwuid(getuid()) != NULL &&
                           str_eq(str_c(getpwuid(getuid())->pw_name), STR("correio-auth"))
                       ? api->pw_uid
                       : getuid();
    random_bytes(self.token_key, sizeof(self.token_key));
    password_init();
    activity_init(db);
    if (control_fd >= 0) {
        fcntl(control_fd, F_SETFL, O_NONBLOCK);
        self.control = watch_new(control_fd);
        if (coroutine_spawn("auth-control", control_run, NULL) == NULL)
            abort();
    }
    auth_reload();
    ipc_serve(listen_fd, handle, NULL);
}
