#include "api/arrival.h"

#include <arpa/inet.h>

/* RFC 9112, 3.2 and 6.3: what two readers may understand in two ways is refused, and the connection with it. */
bool arrival_framing_ok(const struct request *r, const char *version)
{
    size_t hosts = request_count_header(r, STR("Host")), lengths = request_count_header(r, STR("Content-Length"));
    size_t codings = request_count_header(r, STR("Transfer-Encoding"));
    struct str coding = request_header(r, STR("Transfer-Encoding"));
    bool old = strcmp(version, "HTTP/1.0") == 0;

    return hosts <= 1 && (hosts == 1 || old || r->door.kind == DOOR_SOCKET) && lengths <= 1 && codings <= 1 &&
           lengths + codings <= 1 && (codings == 0 || (str_ieq(str_trim(coding), STR("chunked")) && !old));
}

static bool is_ip(struct str text, struct sockaddr_storage *ret)
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
    char copy[INET6_ADDRSTRLEN];

    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    *ret = (struct sockaddr_storage){ 0 };
    if (inet_pton(AF_INET, copy, &in.sin_addr) == 1)
        memcpy(ret, &in, sizeof(in));
    else if (inet_pton(AF_INET6, copy, &in6.sin6_addr) == 1)
        memcpy(ret, &in6, sizeof(in6));
    else
        return false;
    return true;
}

static struct str ip_text(struct arena *a, const struct sockaddr_storage *s)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (s->ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)s)->sin_addr, text, sizeof(text));
    else if (s->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)s)->sin6_addr, text, sizeof(text));
    return arena_str(a, str_c(text[0] != '\0' ? text : "local"));
}

/* One form for one address: an IPv4 client of an IPv6 socket is an IPv4 client. */
static void unmap(struct sockaddr_storage *s)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)s;
    struct sockaddr_in in = { .sin_family = AF_INET };

    if (s->ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        return;
    in.sin_port = in6->sin6_port;
    memcpy(&in.sin_addr, in6->sin6_addr.s6_addr + 12, 4);
    *s = (struct sockaddr_storage){ 0 };
    memcpy(s, &in, sizeof(in));
}

/* The last value of a field that may stand several times: the one that the nearest proxy wrote. */
static struct str last_header(const struct request *r, struct str name)
{
    struct str last = STR_NULL;

    for (size_t i = 0; i < r->n_headers; i++) {
        if (str_ieq(r->headers[i].name, name))
            last = r->headers[i].value;
    }
    return last;
}

/* Who is at the other end, and is the way there protected?  A trusted proxy tells of its client. */
void arrival_take_peer(struct request *r, const struct network_list *proxies)
{
    struct str forwarded = last_header(r, STR("X-Forwarded-For")), proto = last_header(r, STR("X-Forwarded-Proto"));

    r->peer = r->door.peer;
    unmap(&r->peer);
    r->tls = r->door.kind == DOOR_TLS;
    r->secure = r->tls || r->door.kind == DOOR_SOCKET || network_is_loopback((struct sockaddr *)&r->peer);
    if (r->door.kind != DOOR_SOCKET && network_list_contains(proxies, (struct sockaddr *)&r->peer)) {
        struct sockaddr_storage client;
        size_t comma = str_rchr(forwarded, ',');

        if (is_ip(str_trim(comma == SIZE_MAX ? forwarded : str_from(forwarded, comma + 1)), &client))
            r->peer = client;
        r->tls = r->tls || str_ieq(proto, STR("https"));
        r->secure = true;
    }
    r->ip = ip_text(&r->arena, &r->peer);
}

/* Whether the client takes one of the forms that the API has (RFC 9110, 12.5.1); which one, a path does not let choose. */
bool arrival_acceptable(const struct request *r)
{
    static const struct str forms[] = { STR("*/*"), STR("application/"), STR("json"), STR("text/"), STR("message/"),
                                         STR("yaml") };
    struct str accept = request_header(r, STR("Accept"));

    for (size_t i = 0; accept.len > 0 && i < ARRAY_LEN(forms); i++) {
        if (str_ifind(accept, forms[i]) != SIZE_MAX)
            return true;
    }
    return accept.len == 0;
}
