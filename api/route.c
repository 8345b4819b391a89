#include "api/route.h"
#include "api/handlers.h"
#include "api/request.h"

#define V1 "/api/v1"

const struct route routes[] = {
    { "GET", V1 "/status", SCOPE_QUEUE_READ, status_get },
    { "GET", V1 "/status/history", SCOPE_QUEUE_READ, status_history_get },
    { "GET", V1 "/queue/messages", SCOPE_QUEUE_READ, queue_messages_list },
    { "GET", V1 "/queue/messages/{}", SCOPE_QUEUE_READ, queue_message_get },
    { "PATCH", V1 "/queue/messages/{}", SCOPE_QUEUE_WRITE, queue_message_patch },
    { "DELETE", V1 "/queue/messages/{}", SCOPE_QUEUE_WRITE, queue_message_delete },
    { "GET", V1 "/queue/messages/{}/attempts", SCOPE_QUEUE_READ, queue_attempts_list },
    { "GET", V1 "/queue/messages/{}/recipients", SCOPE_QUEUE_READ, queue_recipients_list },
    { "GET", V1 "/queue/messages/{}/recipients/{}", SCOPE_QUEUE_READ, queue_recipient_get },
    { "GET", V1 "/queue/messages/{}/source", SCOPE_QUEUE_READ, queue_source_get },
    { "POST", V1 "/queue/actions", SCOPE_QUEUE_WRITE, queue_actions_post },
    { "GET", V1 "/queue/undo", SCOPE_QUEUE_READ, queue_undo_list_get },
    { "POST", V1 "/queue/undo", SCOPE_QUEUE_WRITE, queue_undo_post },
    { "GET", V1 "/queue/destinations", SCOPE_QUEUE_READ, queue_destinations_list },
    { "GET", V1 "/queue/destinations/{}", SCOPE_QUEUE_READ, queue_destination_get },
    { "PATCH", V1 "/queue/destinations/{}", SCOPE_QUEUE_WRITE, queue_destination_patch },
    { "GET", V1 "/queue/holds", SCOPE_QUEUE_READ, queue_holds_list },
    { "POST", V1 "/queue/holds", SCOPE_QUEUE_WRITE, queue_holds_post },
    { "GET", V1 "/queue/holds/{}", SCOPE_QUEUE_READ, queue_holds_get },
    { "DELETE", V1 "/queue/holds/{}", SCOPE_QUEUE_WRITE, queue_holds_delete },
    { "GET", V1 "/queue/schedule", SCOPE_SETTINGS_READ, queue_schedule_get },
    { "PUT", V1 "/queue/schedule", SCOPE_SETTINGS_WRITE, queue_schedule_put },
    { "GET", V1 "/operations/{}", SCOPE_ANY, operation_get_one },
    { "DELETE", V1 "/operations/{}", SCOPE_ANY, operation_delete },
    { "GET", V1 "/operations/{}/lines", SCOPE_ACCOUNTS_READ, operation_lines_list },
    { "POST", V1 "/operations/{}/links", SCOPE_ACCOUNTS_WRITE, operation_links_post },
    { "POST", V1 "/import", SCOPE_ACCOUNTS_WRITE, import_post },
    { "POST", V1 "/export", SCOPE_ACCOUNTS_READ, export_post },
    { "GET", V1 "/traces", SCOPE_TRACE_READ, traces_list },
    { "GET", V1 "/traces/{}", SCOPE_TRACE_READ, trace_get_one },
    { "POST", V1 "/explain/delivery", SCOPE_TRACE_READ, explain_delivery_post },
    { "POST", V1 "/explain/reply", SCOPE_TRACE_READ, explain_reply_post },
    { "GET", V1 "/domains", SCOPE_DOMAINS_READ, domains_list },
    { "GET", V1 "/domains/{}", SCOPE_DOMAINS_READ, domains_get },
    { "PUT", V1 "/domains/{}", SCOPE_DOMAINS_WRITE, domains_put },
    { "PATCH", V1 "/domains/{}", SCOPE_DOMAINS_WRITE, domains_patch },
    { "DELETE", V1 "/domains/{}", SCOPE_DOMAINS_WRITE, domains_delete },
    { "GET", V1 "/domains/{}/dns", SCOPE_DOMAINS_READ, domains_dns_get },
    { "POST", V1 "/domains/{}/dns/check", SCOPE_DOMAINS_READ, domains_dns_check },
    { "POST", V1 "/domains/{}/restore", SCOPE_DOMAINS_WRITE, domains_restore_post },
    { "GET", V1 "/domains/{}/admins", SCOPE_DOMAINS_READ, domain_admins_list },
    { "PUT", V1 "/domains/{}/admins/{}", SCOPE_DOMAINS_WRITE, domain_admins_put },
    { "DELETE", V1 "/domains/{}/admins/{}", SCOPE_DOMAINS_WRITE, domain_admins_delete },
    { "GET", V1 "/accounts", SCOPE_ACCOUNTS_READ, accounts_list },
    { "GET", V1 "/accounts/{}", SCOPE_ACCOUNTS_READ, accounts_get },
    { "PUT", V1 "/accounts/{}", SCOPE_ACCOUNTS_WRITE, accounts_put },
    { "PATCH", V1 "/accounts/{}", SCOPE_ACCOUNTS_WRITE, accounts_patch },
    { "DELETE", V1 "/accounts/{}", SCOPE_ACCOUNTS_WRITE, accounts_delete },
    { "POST", V1 "/accounts/{}/restore", SCOPE_ACCOUNTS_WRITE, accounts_restore_post },
    { "GET", V1 "/accounts/{}/addresses", SCOPE_ACCOUNTS_READ, account_addresses_list },
    { "PUT", V1 "/accounts/{}/addresses/{}", SCOPE_ACCOUNTS_WRITE, account_addresses_put },
    { "DELETE", V1 "/accounts/{}/addresses/{}", SCOPE_ACCOUNTS_WRITE, account_addresses_delete },
    { "GET", V1 "/accounts/{}/usage", SCOPE_ACCOUNTS_READ, accounts_usage },
    { "PUT", V1 "/accounts/{}/password", SCOPE_ACCOUNTS_WRITE, accounts_password_put },
    { "POST", V1 "/accounts/{}/link", SCOPE_ACCOUNTS_WRITE, accounts_link_post },
    { "PUT", V1 "/accounts/{}/suspend", SCOPE_ACCOUNTS_WRITE, accounts_suspend_put },
    { "DELETE", V1 "/accounts/{}/suspend", SCOPE_ACCOUNTS_WRITE, accounts_suspend_delete },
    { "PUT", V1 "/accounts/{}/freeze", SCOPE_ACCOUNTS_WRITE, accounts_freeze_put },
    { "DELETE", V1 "/accounts/{}/freeze", SCOPE_ACCOUNTS_WRITE, accounts_freeze_delete },
    { "POST", V1 "/accounts/{}/recount", SCOPE_ACCOUNTS_WRITE, accounts_recount_post },
    { "POST", V1 "/accounts/{}/test-message", SCOPE_ACCOUNTS_WRITE, accounts_test_message_post },
    { "GET", V1 "/accounts/{}/app-passwords", SCOPE_ACCOUNTS_READ, app_passwords_list },
    { "POST", V1 "/accounts/{}/app-passwords", SCOPE_ACCOUNTS_WRITE, app_passwords_post },
    { "DELETE", V1 "/accounts/{}/app-passwords/{}", SCOPE_ACCOUNTS_WRITE, app_passwords_delete },
    { "GET", V1 "/accounts/{}/sessions", SCOPE_ACCOUNTS_READ, sessions_list },
    { "DELETE", V1 "/accounts/{}/sessions", SCOPE_ACCOUNTS_WRITE, sessions_delete },
    { "DELETE", V1 "/accounts/{}/sessions/{}", SCOPE_ACCOUNTS_WRITE, sessions_delete_one },
    { "GET", V1 "/accounts/{}/totp", SCOPE_ACCOUNTS_READ, totp_get },
    { "DELETE", V1 "/accounts/{}/totp", SCOPE_ACCOUNTS_WRITE, totp_delete },
    { "GET", V1 "/accounts/{}/activity", SCOPE_ACCOUNTS_READ, activity_get },
    { "GET", V1 "/aliases", SCOPE_ALIASES_READ, aliases_list },
    { "GET", V1 "/aliases/{}", SCOPE_ALIASES_READ, aliases_get },
    { "GET", V1 "/aliases/{}/expansion", SCOPE_ALIASES_READ, aliases_expansion },
    { "PUT", V1 "/aliases/{}", SCOPE_ALIASES_WRITE, aliases_put },
    { "PATCH", V1 "/aliases/{}", SCOPE_ALIASES_WRITE, aliases_patch },
    { "DELETE", V1 "/aliases/{}", SCOPE_ALIASES_WRITE, aliases_delete },
    { "GET", V1 "/accounts/{}/filters", SCOPE_ACCOUNTS_READ, filters_list },
    { "GET", V1 "/accounts/{}/filters/{}", SCOPE_ACCOUNTS_READ, filters_get },
    { "PUT", V1 "/accounts/{}/filters/{}", SCOPE_ACCOUNTS_WRITE, filters_put },
    { "PATCH", V1 "/accounts/{}/filters/{}", SCOPE_ACCOUNTS_WRITE, filters_patch },
    { "DELETE", V1 "/accounts/{}/filters/{}", SCOPE_ACCOUNTS_WRITE, filters_delete },
    { "POST", V1 "/accounts/{}/filters/test", SCOPE_ACCOUNTS_READ, filters_test },
    { "GET", V1 "/domains/{}/filters", SCOPE_DOMAINS_READ, filters_list },
    { "GET", V1 "/domains/{}/filters/{}/{}", SCOPE_DOMAINS_READ, filters_get },
    { "PUT", V1 "/domains/{}/filters/{}/{}", SCOPE_DOMAINS_WRITE, filters_put },
    { "PATCH", V1 "/domains/{}/filters/{}/{}", SCOPE_DOMAINS_WRITE, filters_patch },
    { "DELETE", V1 "/domains/{}/filters/{}/{}", SCOPE_DOMAINS_WRITE, filters_delete },
    { "GET", V1 "/filters", SCOPE_SETTINGS_READ, filters_list },
    { "GET", V1 "/filters/{}/{}", SCOPE_SETTINGS_READ, filters_get },
    { "PUT", V1 "/filters/{}/{}", SCOPE_SETTINGS_WRITE, filters_put },
    { "PATCH", V1 "/filters/{}/{}", SCOPE_SETTINGS_WRITE, filters_patch },
    { "DELETE", V1 "/filters/{}/{}", SCOPE_SETTINGS_WRITE, filters_delete },
    { "GET", V1 "/me/filters", SCOPE_ANY, filters_list },
    { "GET", V1 "/me/filters/{}", SCOPE_ANY, filters_get },
    { "PUT", V1 "/me/filters/{}", SCOPE_ANY, filters_put },
    { "PATCH", V1 "/me/filters/{}", SCOPE_ANY, filters_patch },
    { "DELETE", V1 "/me/filters/{}", SCOPE_ANY, filters_delete },
    { "POST", V1 "/me/filters/test", SCOPE_ANY, filters_test },
    { "GET", V1 "/settings", SCOPE_SETTINGS_READ, settings_list },
    { "GET", V1 "/settings/{}", SCOPE_SETTINGS_READ, settings_get_one },
    { "PUT", V1 "/settings/{}", SCOPE_SETTINGS_WRITE, settings_put },
    { "DELETE", V1 "/settings/{}", SCOPE_SETTINGS_WRITE, settings_delete },
    { "GET", V1 "/tokens", SCOPE_TOKENS_READ, tokens_list },
    { "POST", V1 "/tokens", SCOPE_TOKENS_WRITE, tokens_post },
    { "GET", V1 "/tokens/{}", SCOPE_TOKENS_READ, tokens_get },
    { "DELETE", V1 "/tokens/{}", SCOPE_TOKENS_WRITE, tokens_delete },
    { "GET", V1 "/search", SCOPE_ANY, search_get },
    { "GET", V1 "/audit", SCOPE_AUDIT_READ, audit_list_get },
    { "GET", V1 "/audit/verify", SCOPE_AUDIT_READ, audit_verify_get },
    { "GET", V1 "/session", SCOPE_NONE, session_get },
    { "POST", V1 "/session", SCOPE_NONE, session_post },
    { "DELETE", V1 "/session", SCOPE_ANY, session_delete },
    { "POST", V1 "/session/link", SCOPE_NONE, session_link_post },
    { "POST", V1 "/session/totp", SCOPE_NONE, session_totp_post },
    { "POST", V1 "/session/reauth", SCOPE_ANY, session_reauth_post },
    { "GET", V1 "/me", SCOPE_ANY, me_get },
    { "PUT", V1 "/me/password", SCOPE_ANY, me_password_put },
    { "GET", V1 "/me/app-passwords", SCOPE_ANY, app_passwords_list },
    { "POST", V1 "/me/app-passwords", SCOPE_ANY, app_passwords_post },
    { "DELETE", V1 "/me/app-passwords/{}", SCOPE_ANY, app_passwords_delete },
    { "GET", V1 "/me/sessions", SCOPE_ANY, sessions_list },
    { "DELETE", V1 "/me/sessions", SCOPE_ANY, sessions_delete },
    { "DELETE", V1 "/me/sessions/{}", SCOPE_ANY, sessions_delete_one },
    { "GET", V1 "/me/totp", SCOPE_ANY, totp_get },
    { "POST", V1 "/me/totp", SCOPE_ANY, totp_post },
    { "PUT", V1 "/me/totp", SCOPE_ANY, totp_put },
    { "DELETE", V1 "/me/totp", SCOPE_ANY, totp_delete },
    { "GET", V1 "/me/activity", SCOPE_ANY, activity_get },
    { "GET", V1 "/me/traces", SCOPE_ANY, traces_list_mine },
    { "GET", V1 "/me/traces/{}", SCOPE_ANY, trace_get_mine_one },
    { "GET", V1 "/client-setup", SCOPE_ANY, client_setup_get },
    { "GET", V1 "/me/apple-profile", SCOPE_ANY, me_apple_profile_get },
    { "GET", V1 "/events", SCOPE_ANY, events_get },
    { "GET", V1 "/openapi.yaml", SCOPE_NONE, openapi_get },
    { "GET", "/.well-known/autoconfig/mail/config-v1.1.xml", SCOPE_PROGRAM, autoconfig_get },
    { "GET", "/mail/config-v1.1.xml", SCOPE_PROGRAM, autoconfig_get },
    { "POST", "/autodiscover/autodiscover.xml", SCOPE_PROGRAM, autodiscover_post },
    { "POST", "/Autodiscover/Autodiscover.xml", SCOPE_PROGRAM, autodiscover_post },
    { "GET", "/healthz", SCOPE_NONE, health_get },
    { "GET", "/readyz", SCOPE_NONE, ready_get },
    { "GET", "/metrics", SCOPE_NONE, metrics_get },
};
const size_t routes_count = ARRAY_LEN(routes);

size_t route_body_max(const struct request *r)
{
    return str_eq(r->method, STR("POST")) && str_eq(r->path, STR(V1 "/import")) ? ROUTE_MAX_FILE : REQUEST_MAX_BODY;
}

/* Whether the path has the pattern's form; its placeholders, decoded, into params. */
static bool path_matches(struct request *r, struct str pattern, struct str *params)
{
    struct str path = r->path, want, have;
    size_t n = 0;

    while (str_split(&pattern, '/', &want)) {
        if (!str_split(&path, '/', &have))
            return false;
        if (!str_eq(want, STR("{}"))) {
            if (!str_eq(want, have))
                return false;
        } else if (have.len == 0 || n == ARRAY_LEN(r->params) || !request_decode_segment(r, have, &params[n++])) {
            return false;
        }
    }
    return path.len == 0;
}

const struct route *route_find(struct request *r, struct str *ret_allowed)
{
    struct str params[ARRAY_LEN(r->params)] = { 0 };
    struct str allowed = STR("");

    if (r->path.len > 1 && str_ends(r->path, STR("/"))) {
        *ret_allowed = allowed;
        return NULL;
    }
    for (size_t i = 0; i < routes_count; i++) {
        if (!path_matches(r, str_c(routes[i].path), params))
            continue;
        if (str_eq(r->method, str_c(routes[i].method))) {
            memcpy(r->params, params, sizeof(params));
            return &routes[i];
        }
        allowed = arena_printf(&r->arena, "%.*s%s%s", STR_ARG(allowed), allowed.len > 0 ? ", " : "", routes[i].method);
    }
    *ret_allowed = allowed;
    return NULL;
}
