/* route/relay_route.c - the setting relay.routes. */
#include "route/relay_route.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define MAX_ROUTES 1000
#define MAX_NAME 253 /* octets of a host name as text (RFC 1035, 2.3.4) */
#define MAX_LABEL 63
#define MAX_TEXT 1024 /* user, path of the password file */

/* A host name of A-labels; an address is one too when it is IPv4. */
static bool is_host_name(struct str s)
{
    size_t label = 0;

    if (s.len == 0 || s.len > MAX_NAME || s.p[0] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '.') {
            if (label == 0 || s.p[i - 1] == '-')
                return false;
            label = 0;
        } else if (ascii_alnum(s.p[i]) || s.p[i] == '_' || (s.p[i] == '-' && label > 0)) {
            if (++label > MAX_LABEL)
                return false;
        } else {
            return false;
        }
    }
    return label > 0 && s.p[s.len - 1] != '-';
}

static bool is_ipv6(struct str s)
{
    struct in6_addr address;
    char copy[INET6_ADDRSTRLEN];

    if (s.len == 0 || s.len >= sizeof(copy) || str_chr(s, '\0') != SIZE_MAX)
        return false;
    memcpy(copy, s.p, s.len);
    copy[s.len] = '\0';
    return inet_pton(AF_INET6, copy, &address) == 1;
}

/* "host", "host:port", "[host]", "[host]:port" */
static enum result parse_host(struct str text, struct arena *a, struct relay_route *ret, struct str *ret_error)
{
    struct str host = text, port = STR_NULL;
    size_t at;
    uint64_t number;

    ret->use_mx = text.len == 0 || text.p[0] != '[';
    at = str_chr(text, ret->use_mx ? ':' : ']');
    if (!ret->use_mx) {
        if (at == SIZE_MAX) {
            *ret_error = arena_printf(a, "\"%.*s\" has no closing bracket", STR_ARG(text));
            return RES_INVALID;
        }
        host = str_sub(text, 1, at - 1);
        port = str_from(text, at + 1);
    } else if (at != SIZE_MAX) {
        host = str_sub(text, 0, at);
        port = str_from(text, at);
    }
    if (!is_host_name(host) && !(!ret->use_mx && is_ipv6(host))) {
        *ret_error = arena_printf(a, "\"%.*s\" is not a host name; write host, [host] or [address], each with or "
                                     "without :port", STR_ARG(text));
        return RES_INVALID;
    }
    if (port.len > 0) {
        if (port.p[0] != ':' || !str_u64(str_from(port, 1), 65535, &number) || number == 0) {
            *ret_error = arena_printf(a, "\"%.*s\" is not a port from :1 to :65535", STR_ARG(port));
            return RES_INVALID;
        }
        ret->port = (unsigned)number;
    }
    ret->host = arena_lower(a, host);
    return RES_OK;
}

static enum result parse_option(struct str option, struct arena *a, struct relay_route *ret, struct str *ret_error)
{
    size_t at = str_chr(option, '=');
    struct str name = str_sub(option, 0, at), value = str_from(option, at == SIZE_MAX ? at : at + 1);

    if (str_eq(name, STR("tls")) && str_eq(value, STR("none"))) {
        ret->tls = RELAY_TLS_NONE;
    } else if (str_eq(name, STR("tls")) && str_eq(value, STR("may"))) {
        ret->tls = RELAY_TLS_MAY;
    } else if (str_eq(name, STR("tls")) && str_eq(value, STR("must"))) {
        ret->tls = RELAY_TLS_MUST;
    } else if (str_eq(name, STR("user")) && value.len > 0 && value.len <= MAX_TEXT) {
        ret->user = arena_str(a, value);
    } else if (str_eq(name, STR("password-file")) && value.len <= MAX_TEXT && str_starts(value, STR("/"))) {
        ret->password_file = arena_str(a, value);
    } else {
        *ret_error = arena_printf(a, "\"%.*s\" is not an option; there are tls=none, tls=may, tls=must, user=NAME and "
                                     "password-file=/PATH", STR_ARG(option));
        return RES_INVALID;
    }
    return RES_OK;
}

enum result relay_route_parse_target(struct str text, struct arena *a, struct relay_route *ret, struct str *ret_error)
{
    struct relay_route route = { .tls = RELAY_TLS_MAY };
    struct str rest = text, piece = STR_NULL;
    enum result r;

    if (!str_is_utf8(text)) {
        *ret_error = STR("not valid UTF-8");
        return RES_INVALID;
    }
    (void)str_split(&rest, ',', &piece);
    r = parse_host(piece, a, &route, ret_error);
    while (r == RES_OK && str_split(&rest, ',', &piece))
        r = parse_option(piece, a, &route, ret_error);
    if (r != RES_OK)
        return r;
    if ((route.user.p != NULL) != (route.password_file.p != NULL)) {
        *ret_error = arena_printf(a, "\"%.*s\" has only one of user= and password-file=", STR_ARG(text));
        return RES_INVALID;
    }
    *ret = route;
    return RES_OK;
}

static bool is_domain_pattern(struct str s)
{
    return str_eq(s, STR("*")) || is_host_name(str_starts(s, STR(".")) ? str_from(s, 1) : s);
}

static enum result parse_entry(struct str entry, struct arena *a, struct relay_route *ret, struct str *ret_error)
{
    size_t at = str_chr(entry, '=');
    struct str domain = str_sub(entry, 0, at);
    enum result r;

    if (at == SIZE_MAX || !str_is_utf8(entry) || !is_domain_pattern(domain)) {
        *ret_error = arena_printf(a, "\"%.*s\" is not DOMAIN=HOST; the domain is a name, .name or *",
                                  STR_ARG(str_is_utf8(entry) ? entry : STR("?")));
        return RES_INVALID;
    }
    r = relay_route_parse_target(str_from(entry, at + 1), a, ret, ret_error);
    if (r != RES_OK)
        return r;
    ret->domain = arena_lower(a, domain);
    return RES_OK;
}

enum result relay_route_list_parse(struct str text, struct arena *a, struct relay_route_list *ret, struct str *ret_error)
{
    struct str rest = text, entry;
    struct relay_route *v;
    size_t n = 0;
    enum result r;

    while (str_word(&rest, &entry))
        n++;
    if (n > MAX_ROUTES) {
        *ret_error = arena_printf(a, "%zu routes are more than %d", n, MAX_ROUTES);
        return RES_INVALID;
    }
    v = arena_array(a, struct relay_route, n);
    rest = text;
    for (size_t i = 0; i < n && str_word(&rest, &entry); i++) {
        r = parse_entry(entry, a, &v[i], ret_error);
        if (r != RES_OK)
            return r;
        for (size_t k = 0; k < i; k++) {
            if (str_eq(v[k].domain, v[i].domain)) {
                *ret_error = arena_printf(a, "\"%.*s\" is there twice", STR_ARG(v[i].domain));
                return RES_INVALID;
            }
        }
    }
    *ret = (struct relay_route_list){ v, n };
    return RES_OK;
}

const struct relay_route *relay_route_find(const struct relay_route_list *list, struct str domain)
{
    const struct relay_route *suffix = NULL, *all = NULL;

    for (size_t i = 0; i < list->n; i++) {
        const struct relay_route *route = &list->v[i];

        if (str_eq(route->domain, domain))
            return route;
        if (str_eq(route->domain, STR("*")))
            all = route;
        else if (str_starts(route->domain, STR(".")) && domain.len > route->domain.len &&
                 str_ends(domain, route->domain) && (suffix == NULL || route->domain.len > suffix->domain.len))
            suffix = route;
    }
    return suffix != NULL ? suffix : all;
}

struct str relay_route_destination(struct arena *a, const struct relay_route *route, unsigned default_port)
{
    return arena_printf(a, route->use_mx ? "%.*s:%u" : "[%.*s]:%u", STR_ARG(route->host),
                        route->port != 0 ? route->port : default_port);
}

bool relay_route_is(struct str destination) /* an address literal ends with its bracket, a domain has no colon */
{
    return str_chr(destination, ':') != SIZE_MAX && !str_ends(destination, STR("]"));
}
