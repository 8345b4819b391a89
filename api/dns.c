/* /domains/{domain}/dns and /domains/{domain}/dns/check */
#include "api/dns_records.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/path.h"
#include "api/problem.h"
#include "api/query.h"
#include "config/settings.h"
#include "io/dns_ask.h"
#include "base/encode.h"
#include "store/domain.h"
#include "store/domain_dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netinet/in.h>

struct look {
    struct request *r;
    struct domain domain;
    struct str addresses[DNS_MAX_ADDRESSES], reverse[DNS_MAX_ADDRESSES]; /* of the host */
    size_t n_addresses;
    bool host_answered;
    struct dns_record wanted[DNS_MAX_WANTED];
    size_t n_wanted;
};

/* The domain of the path.  False: answered. */
static bool take_domain(struct request *r, struct look *look)
{
    struct str name;
    enum result result;

    *look = (struct look){ .r = r };
    if (!path_domain(r, false, &name))
        return false;
    result = domain_get(r->service->db, name, &r->caller.visible, &r->arena, &look->domain);
    if (result != RES_OK)
        problem_of_result(r, result);
    return result == RES_OK;
}

/* Where the host is, by the resolver. */
static void find_host(struct look *look)
{
    struct dns_addresses found = { 0 };
    enum result result = dns_addresses(settings_get()->hostname, &look->r->arena, &found);
    char text[INET6_ADDRSTRLEN];

    look->host_answered = result == RES_OK || result == RES_NOTFOUND;
    for (size_t i = 0; result == RES_OK && i < found.n && look->n_addresses < DNS_MAX_ADDRESSES; i++) {
        const struct sockaddr_storage *at = &found.v[i];
        const void *bytes = at->ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)(const void *)at)->sin_addr
                                                     : &((const struct sockaddr_in6 *)(const void *)at)->sin6_addr;

        if (inet_ntop(at->ss_family, bytes, text, sizeof(text)) == NULL)
            continue;
        look->reverse[look->n_addresses] = dns_reverse_name(at, &look->r->arena);
        look->addresses[look->n_addresses++] = arena_str(&look->r->arena, str_c(text));
    }
}

static void make_wanted(struct look *look)
{
    struct str host = arena_str(&look->r->arena, settings_get()->hostname);

    find_host(look);
    look->n_wanted = dns_wanted(look->domain.name, host, look->domain.kind == DOMAIN_RELAY, look->r->service->ports, look->reverse,
                                look->n_addresses, &look->r->arena, look->wanted);
}

static struct json_object *record_json(struct request *r, const struct dns_record *w, enum dns_state state, const struct str *found,
                                       size_t n)
{
    struct json_object *o = js_object();

    js_set(o, "purpose", js_str(str_c(dns_purpose_names[w->purpose])));
    js_set(o, "name", js_str(w->name));
    js_set(o, "type", js_str(str_c(dns_type_name(w->type))));
    js_set(o, "value", js_str(w->value));
    js_set(o, "line", w->ours ? NULL : js_str(dns_zone_line(w, &r->arena)));
    js_set(o, "optional", js_bool(w->optional));
    js_set(o, "state", js_str(str_c(dns_state_names[state])));
    js_set(o, "found", js_strs(found, n));
    return o;
}

/* {"servers", "records"}: what is stored, too. */
static struct json_object *ask(struct look *look)
{
    struct arena *a = &look->r->arena;
    struct dns_question ours[DNS_MAX_WANTED], theirs[DNS_MAX_WANTED];
    struct dns_question *of[DNS_MAX_WANTED] = { NULL };
    struct json_object *o = js_object(), *records = js_array();
    struct dns_zone zone = { 0 };
    enum result result = dns_zone_find(look->domain.name, look->r->service->config->dns_port, a, &zone);
    size_t n_ours = 0, n_theirs = 0;

    for (size_t i = 0; i < look->n_wanted; i++) {
        const struct dns_record *w = &look->wanted[i];
        const struct dns_question q = { .name = w->name, .type = w->type };

        if (w->purpose == DNS_HOST)
            continue;
        of[i] = w->ours ? &ours[n_ours++] : &theirs[n_theirs++];
        *of[i] = q;
    }
    dns_ask(NULL, ours, n_ours, a);
    if (result == RES_OK)
        dns_ask(&zone, theirs, n_theirs, a);
    for (size_t i = 0; i < look->n_wanted; i++) {
        const struct dns_record *w = &look->wanted[i];
        const struct str *found = of[i] == NULL ? look->addresses : of[i]->records;
        size_t n = of[i] == NULL ? look->n_addresses : of[i]->n;
        bool answered = of[i] == NULL ? look->host_answered
                        : !w->ours && result != RES_OK ? result == RES_NOTFOUND
                                                       : of[i]->result != RES_TEMPFAIL;

        if (!w->ours && result != RES_OK)
            n = 0;
        js_push(records, record_json(look->r, w, dns_judge(w, answered, found, n, look->addresses, look->n_addresses), found, n));
    }
    js_set(o, "servers", js_strs(zone.hosts, result == RES_OK ? zone.n_hosts : 0));
    js_set(o, "records", records);
    return o;
}

/* Before anybody looked: what is wanted, all of it unknown. */
static struct json_object *unasked(struct look *look)
{
    struct json_object *o = js_object(), *records = js_array();

    for (size_t i = 0; i < look->n_wanted; i++)
        js_push(records, record_json(look->r, &look->wanted[i], DNS_UNKNOWN, NULL, 0));
    js_set(o, "servers", js_array());
    js_set(o, "records", records);
    return o;
}

static void answer(struct request *r, struct json_object *o, int64_t checked_us)
{
    struct json_object *records = js_get(o, "records", NULL);
    int64_t right = 0, wanted = 0;

    for (size_t i = 0; i < js_len(records); i++) {
        struct json_object *one = js_at(records, i);

        if (js_get_bool(js_get(one, "optional", NULL)))
            continue;
        wanted++;
        right += str_eq(js_get_str(js_get(one, "state", NULL)), STR("found"));
    }
    js_set(o, "checked_at", js_time(checked_us));
    js_set(o, "right", js_int(right));
    js_set(o, "wanted", js_int(wanted));
    reply_json(r, 200, o);
}

static void answer_zone(struct request *r, struct look *look)
{
    struct str text = STR("");

    make_wanted(look);
    for (size_t i = 0; i < look->n_wanted; i++) {
        if (!look->wanted[i].ours)
            text = arena_printf(&r->arena, "%.*s%.*s\n", STR_ARG(text), STR_ARG(dns_zone_line(&look->wanted[i], &r->arena)));
    }
    reply_text(r, 200, STR("text/dns"), text);
}

void domains_dns_get(struct request *r)
{
    struct look look;
    struct json_object *found;
    struct str text, error;
    int64_t checked_us = DB_NO_TIME;
    enum result result;

    query_begin(r, NULL, 0, NULL, 0);
    if (errors_of_query(r) || !take_domain(r, &look))
        return;
    if (str_istarts(request_header(r, STR("Accept")), STR("text/dns"))) {
        answer_zone(r, &look);
        return;
    }
    result = domain_dns_get(r->service->db, look.domain.id, &r->arena, &checked_us, &text);
    if (result == RES_OK)
        result = js_parse(text, &r->arena, &found, &error);
    if (result == RES_NOTFOUND) {
        make_wanted(&look);
        found = unasked(&look);
        result = RES_OK;
    }
    if (result == RES_OK)
        answer(r, found, checked_us);
    else
        problem_of_result(r, result);
}

void domains_dns_check(struct request *r)
{
    struct json_object *body = body_object(r, true), *found;
    struct look look;
    enum result result;

    if (body == NULL)
        return;
    fields_check(r, body, STR(""), NULL, 0, NULL);
    if (errors_of_body(r) || !take_domain(r, &look))
        return;
    make_wanted(&look);
    found = ask(&look);
    result = domain_dns_put(r->service->db, look.domain.id, js_text(found, &r->arena));
    if (result == RES_OK) {
        answer(r, found, wall_us());
        return;
    }
    js_free(found);
    problem_of_result(r, result);
}
