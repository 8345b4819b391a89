#include "api/caller.h"
#include "api/problem.h"
#include "api/request.h"
#include "api/route.h"
#include "base/encode.h"
#include "store/session.h"
#include "store/token.h"

#include <openssl/evp.h>
#include <stdlib.h>

#define TOKEN_PREFIX STR("cor_")
#define CHECKSUM_LEN 6
#define COOKIE "__Host-correio"

const char *const scope_names[SCOPES] = {
    "queue:read", "queue:write", "trace:read", "domains:read", "domains:write", "accounts:read", "accounts:write",
    "aliases:read", "aliases:write", "settings:read", "settings:write", "tokens:read", "tokens:write", "metrics:read",
    "audit:read", "explain:probe", "mail:content",
};

/* The :write scope that includes a :read scope. */
static enum scope writing(enum scope read)
{
    switch (read) {
    case SCOPE_QUEUE_READ:
    case SCOPE_DOMAINS_READ:
    case SCOPE_ACCOUNTS_READ:
    case SCOPE_ALIASES_READ:
    case SCOPE_SETTINGS_READ:
    case SCOPE_TOKENS_READ:
        return read + 1;
    default:
        return read;
    }
}

unsigned role_scopes(enum account_role role)
{
    switch (role) {
    case ROLE_SYSTEM_ADMIN:
        return (1u << SCOPES) - 1;
    case ROLE_DOMAIN_ADMIN:
        return 1u << SCOPE_QUEUE_READ | 1u << SCOPE_QUEUE_WRITE | 1u << SCOPE_TRACE_READ | 1u << SCOPE_DOMAINS_READ |
               1u << SCOPE_ACCOUNTS_READ | 1u << SCOPE_ACCOUNTS_WRITE | 1u << SCOPE_ALIASES_READ | 1u << SCOPE_ALIASES_WRITE;
    case ROLE_ACCOUNT:
        break;
    }
    return 0;
}

bool caller_has(const struct caller *c, enum scope scope)
{
    if (scope >= SCOPES)
        return scope == SCOPE_NONE || scope == SCOPE_PROGRAM || c->via != VIA_NOBODY;
    return (c->scopes & (1u << scope | 1u << writing(scope))) != 0;
}

enum scope scope_of_name(struct str name)
{
    for (enum scope s = 0; s < SCOPES; s++) {
        if (str_eq(name, str_c(scope_names[s])))
            return s;
    }
    return SCOPES;
}

bool caller_sees(const struct caller *c, struct str domain)
{
    for (size_t i = 0; i < c->visible.n; i++) {
        if (str_eq(c->visible.domains[i], domain))
            return true;
    }
    return !c->visible.limited;
}

bool caller_may_change(const struct caller *c, enum account_role of)
{
    return !c->visible.limited || of == ROLE_ACCOUNT;
}

/* ---- tokens ---- */

struct str sha256(struct arena *a, struct str bytes)
{
    unsigned char *digest = arena_alloc(a, 32);

    if (EVP_Digest(bytes.p, bytes.len, digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
    return str_of((char *)digest, 32);
}

static struct str checksum(struct arena *a, struct str text)
{
    return str_sub(hex_encode(a, sha256(a, text)), 0, CHECKSUM_LEN);
}

struct str token_make(struct arena *a, int64_t id, struct str *ret_hash)
{
    char secret[32];
    struct str text;

    random_bytes(secret, sizeof(secret));
    text = arena_printf(a, "%.*s%.*s_%.*s", STR_ARG(TOKEN_PREFIX), STR_ARG(id_encode(a, 't', id)),
                        STR_ARG(base64url_encode(a, str_of(secret, sizeof(secret)))));
    text = arena_printf(a, "%.*s%.*s", STR_ARG(text), STR_ARG(checksum(a, text)));
    *ret_hash = sha256(a, text);
    return text;
}

enum result token_hash(struct arena *a, struct str text, struct str *ret_hash)
{
    if (!str_starts(text, TOKEN_PREFIX) || text.len < 50 || text.len > 100)
        return RES_INVALID;
    if (!str_eq(str_from(text, text.len - CHECKSUM_LEN), checksum(a, str_sub(text, 0, text.len - CHECKSUM_LEN))))
        return RES_INVALID;
    *ret_hash = sha256(a, text);
    return RES_OK;
}

/* May the token be used from where the request comes? */
static bool network_allowed(struct request *r, const struct token *t)
{
    if (t->networks == NULL || r->door.kind == DOOR_SOCKET)
        return true;
    for (size_t i = 0; i < t->n_networks; i++) {
        struct network net;

        if (network_parse(t->networks[i], &net) == RES_OK && network_contains(&net, (struct sockaddr *)&r->peer))
            return true;
    }
    return false;
}

/* The domains in both lists. */
static void intersect(struct request *r, struct visible *v, const struct str *domains, size_t n)
{
    struct str *both = arena_array(&r->arena, struct str, v->n + 1);
    size_t n_both = 0;

    for (size_t i = 0; i < v->n; i++) {
        for (size_t k = 0; k < n; k++) {
            if (str_eq(v->domains[i], domains[k]))
                both[n_both++] = v->domains[i];
        }
    }
    v->domains = both;
    v->n = n_both;
}

static void become_token(struct request *r, const struct token_use *use)
{
    const struct token *t = &use->token;
    struct caller *c = &r->caller;

    c->via = VIA_TOKEN;
    c->account_id = t->account_id;
    c->token_id = t->id;
    c->actor = arena_printf(&r->arena, "token:%.*s", STR_ARG(id_encode(&r->arena, 't', t->id)));
    c->role = MIN(t->role, use->maker_role);
    for (size_t i = 0; i < t->n_scopes; i++) {
        enum scope s = scope_of_name(t->scopes[i]);

        if (s < SCOPES)
            c->scopes |= 1u << s;
    }
    c->scopes &= role_scopes(c->role);
    if (use->maker_role == ROLE_DOMAIN_ADMIN) {
        c->visible = (struct visible){ true, use->maker_domains, use->n_maker_domains };
        if (t->domains != NULL)
            intersect(r, &c->visible, t->domains, t->n_domains);
    } else if (t->domains != NULL || c->role != ROLE_SYSTEM_ADMIN) {
        c->visible = (struct visible){ true, t->domains, t->n_domains };
    }
    c->expires_us = t->expires_us;
}

static bool identify_token(struct request *r, struct str authorization)
{
    struct str hash, text = str_trim(str_from(authorization, 7));
    struct token_use use;
    enum result result = RES_NOTFOUND;

    if (str_istarts(authorization, STR("Bearer ")) && token_hash(&r->arena, text, &hash) == RES_OK)
        result = token_find(r->service->db, hash, &r->arena, &use);
    if (result == RES_OK && !network_allowed(r, &use.token))
        result = RES_NOTFOUND;
    if (result == RES_OK)
        result = token_used(r->service->db, &use.token);
    if (result == RES_OK)
        become_token(r, &use);
    else if (result == RES_NOTFOUND)
        problem(r, PROBLEM_UNAUTHENTICATED, "The token is unknown, expired or not for use from here.");
    else
        problem_of_result(r, result);
    return result == RES_OK;
}

/* ---- sessions ---- */

static struct str find_cookie(struct request *r)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        struct str rest = r->headers[i].value, one;

        if (!str_ieq(r->headers[i].name, STR("Cookie")))
            continue;
        while (str_split(&rest, ';', &one)) {
            one = str_trim(one);
            if (str_starts(one, STR(COOKIE "=")))
                return str_from(one, sizeof(COOKIE));
        }
    }
    return STR_NULL;
}

struct str caller_cookie_hash(struct request *r)
{
    struct str cookie = find_cookie(r);

    return cookie.len == 0 || cookie.len > 200 ? STR_NULL : sha256(&r->arena, cookie);
}

static bool identify_session(struct request *r)
{
    struct caller *c = &r->caller;
    struct session s;
    enum result result;

    c->session_hash = caller_cookie_hash(r);
    if (c->session_hash.p == NULL)
        return true;
    result = session_find(r->service->db, c->session_hash, &r->arena, &s);
    if (result == RES_NOTFOUND)
        return true;
    if (result != RES_OK) {
        problem_of_result(r, result);
        return false;
    }
    c->via = VIA_PAGE;
    c->account_id = s.account_id;
    c->address = c->actor = s.address;
    c->name = s.name;
    c->language = s.language;
    c->role = s.role;
    c->scopes = role_scopes(s.role);
    c->visible = (struct visible){ s.role != ROLE_SYSTEM_ADMIN, s.domains, s.n_domains };
    c->csrf = s.csrf;
    c->expires_us = s.expires_us;
    c->must_set_password = s.must_set_password;
    c->fresh = s.fresh;
    return true;
}

bool caller_identify(struct request *r)
{
    struct str authorization = request_header(r, STR("Authorization"));

    if (authorization.p != NULL)
        return identify_token(r, authorization);
    if (r->door.kind == DOOR_SOCKET) {
        r->caller = (struct caller){ .via = VIA_SOCKET, .actor = STR("local"), .role = ROLE_SYSTEM_ADMIN,
                                     .scopes = role_scopes(ROLE_SYSTEM_ADMIN) };
        return true;
    }
    return identify_session(r);
}

/* ---- may they? ---- */

bool caller_fresh(struct request *r)
{
    if (r->caller.via != VIA_PAGE || r->caller.fresh)
        return true;
    problem(r, PROBLEM_REAUTHENTICATION_REQUIRED, NULL);
    return false;
}

bool caller_same_origin(struct request *r)
{
    struct str origin = request_header(r, STR("Origin")), site = request_header(r, STR("Sec-Fetch-Site"));
    struct str host = request_header(r, STR("Host"));
    struct str own = arena_printf(&r->arena, "%s://%.*s", r->tls ? "https" : "http", STR_ARG(host));

    if (r->door.kind == DOOR_SOCKET || (host.len > 0 && str_ieq(origin, own) && (site.p == NULL || str_eq(site, STR("same-origin")))))
        return true;
    problem(r, PROBLEM_CSRF, NULL);
    return false;
}

static bool is_write(const struct request *r)
{
    return !str_eq(r->method, STR("GET"));
}

bool caller_admit(struct request *r)
{
    const struct caller *c = &r->caller;

    if (r->route->scope == SCOPE_PROGRAM)
        return true;
    if (r->route->scope == SCOPE_NONE)
        return !is_write(r) || caller_same_origin(r);
    if (!caller_identify(r))
        return false;
    if (c->via == VIA_NOBODY) {
        problem(r, PROBLEM_UNAUTHENTICATED, NULL);
        return false;
    }
    if (c->via == VIA_PAGE && is_write(r)) {
        if (!caller_same_origin(r))
            return false;
        if (!bytes_equal_secret(request_header(r, STR("X-CSRF-Token")), c->csrf)) {
            problem(r, PROBLEM_CSRF, NULL);
            return false;
        }
    }
    if (c->must_set_password && r->route->scope != SCOPE_ANY) {
        problem(r, PROBLEM_PASSWORD_REQUIRED, NULL);
        return false;
    }
    if (!caller_has(c, r->route->scope)) {
        problem(r, PROBLEM_INSUFFICIENT_SCOPE, "This needs %s.", scope_names[r->route->scope]);
        return false;
    }
    return true;
}
