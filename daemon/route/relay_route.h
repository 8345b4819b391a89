/* route/relay_route.h - the setting relay.routes: which smart host takes mail for which domain.
 *
 *   example.net=[smart.example]:587,tls=must,user=u,password-file=/etc/correio/smart  *=relay.example
 *
 * Entries are separated by blanks; "*" is everything else; ".example.net" is every domain below it.  "[host]" means its
 * addresses, without brackets its MX records are looked up first.  tls: none, may (default), must. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

enum relay_tls { RELAY_TLS_NONE, RELAY_TLS_MAY, RELAY_TLS_MUST };

struct relay_route {
    struct str domain; /* lower case; "*"; ".example.net" */
    struct str host;   /* without brackets */
    bool use_mx;
    unsigned port; /* 0: the default */
    enum relay_tls tls;
    struct str user, password_file; /* STR_NULL: no AUTH */
};
struct relay_route_list {
    const struct relay_route *v;
    size_t n;
};

/* One target, as behind "=" or in a relay domain's `route` ("[host]:port").  RES_INVALID: *ret_error is a sentence. */
enum result relay_route_parse_target(struct str text, struct arena *a, struct relay_route *ret, struct str *ret_error)
    NODISCARD;
enum result relay_route_list_parse(struct str text, struct arena *a, struct relay_route_list *ret, struct str *ret_error)
    NODISCARD;
/* The entry for a domain (lower case): exact, then the longest ".suffix", then "*"; NULL: deliver by MX. */
const struct relay_route *relay_route_find(const struct relay_route_list *list, struct str domain);
/* A route that stands where else a destination's domain does: "[host]:port" or "host:port", lower case, always with its
 * port.  The text of a target that has no more than host and port; and whether a destination is one. */
struct str relay_route_destination(struct arena *a, const struct relay_route *route, unsigned default_port);
bool relay_route_is(struct str destination);
