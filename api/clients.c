/* What mail programs ask for to set themselves up: autoconfig, Autodiscover and /me/apple-profile; and the same for people,
 * /client-setup.  The first two ask no sign-in and say of a domain only what its MX record says, too; of an account nothing. */
#include "api/autodiscover.h"
#include "api/client_setup.h"
#include "api/handlers.h"
#include "api/names.h"
#include "api/problem.h"
#include "config/settings.h"
#include "store/domain.h"

#define XML STR("text/xml; charset=utf-8")

/* For a domain that people have accounts in.  False: answered. */
static bool make_setup(struct request *r, struct str domain, struct client_setup *ret)
{
    bool serves = false;
    enum result result = RES_OK;

    *ret = (struct client_setup){ .host = arena_str(&r->arena, settings_get()->hostname), .ports = r->service->ports };
    if (name_domain(domain, &r->arena, &ret->domain) == RES_OK)
        result = domain_serves(r->service->db, ret->domain, &serves);
    if (result != RES_OK)
        problem_of_result(r, result);
    else if (!serves || !client_setup_reads(ret))
        problem(r, PROBLEM_NOT_FOUND, NULL);
    return r->answer.status == 0;
}

/* Behind the last "@". */
static struct str domain_of(struct str address)
{
    size_t at = str_rchr(address, '@');

    return str_from(address, at == SIZE_MAX ? address.len : at + 1);
}

/* The domain that the request itself went to: "autoconfig.example.org:80", or the bare domain. */
static struct str domain_of_host(const struct request *r)
{
    struct str host = request_header(r, STR("Host"));

    host = str_sub(host, 0, str_chr(host, ':'));
    return str_istarts(host, STR("autoconfig.")) ? str_from(host, 11) : host;
}

void autoconfig_get(struct request *r)
{
    struct str domain = domain_of_host(r);
    struct client_setup setup;

    for (size_t i = 0; i < r->n_query; i++) {
        if (str_eq(r->query[i].name, STR("emailaddress")))
            domain = domain_of(r->query[i].value);
    }
    if (make_setup(r, domain, &setup))
        reply_text(r, 200, XML, client_setup_autoconfig(&setup, &r->arena));
}

void autodiscover_post(struct request *r)
{
    struct client_setup setup;
    struct str address;
    enum result result = autodiscover_address(strbuf_str(&r->body), &address);

    if (result != RES_OK) {
        problem(r, result == RES_LIMIT ? PROBLEM_TOO_LARGE : PROBLEM_MALFORMED,
                result == RES_LIMIT ? NULL : "It is no Autodiscover request with one EMailAddress, in elements and text alone.");
        return;
    }
    if (!make_setup(r, domain_of(address), &setup))
        return;
    setup.address = address;
    reply_text(r, 200, XML, client_setup_autodiscover(&setup, &r->arena));
}

static const char *protocol_of(const struct client_server *server)
{
    if (server->sends)
        return "submission";
    return str_eq(server->type, STR("POP3")) ? "pop3" : "imap";
}

void client_setup_get(struct request *r)
{
    const struct client_setup setup = { .ports = r->service->ports };
    struct client_server v[CLIENT_SERVERS];
    size_t n = client_setup_servers(&setup, v);
    struct json_object *o = js_object(), *servers = js_array();

    for (size_t i = 0; i < n; i++) {
        struct json_object *one = js_object();

        js_set(one, "protocol", js_str(str_c(protocol_of(&v[i]))));
        js_set(one, "port", js_int(v[i].port));
        js_set(one, "tls", js_str(v[i].tls ? STR("tls") : STR("starttls")));
        js_push(servers, one);
    }
    js_set(o, "hostname", js_str(settings_get()->hostname));
    js_set(o, "servers", servers);
    reply_json(r, 200, o);
}

void me_apple_profile_get(struct request *r)
{
    struct client_setup setup = { .host = arena_str(&r->arena, settings_get()->hostname), .ports = r->service->ports,
                                  .address = r->caller.address, .name = r->caller.name };

    if (r->caller.via != VIA_PAGE || !client_setup_reads(&setup) || !client_setup_sends(&setup)) {
        problem(r, PROBLEM_NOT_FOUND, NULL);
        return;
    }
    reply_header(r, "Content-Disposition", STR("attachment; filename=\"mail.mobileconfig\""));
    reply_text(r, 200, STR("application/x-apple-aspen-config"), client_setup_profile(&setup, &r->arena));
}
