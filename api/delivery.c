#include "api/delivery.h"
#include "api/problem.h"
#include "config/settings.h"
#include "route/delivery.h"

static void check_target(struct request *r, struct str target, bool of_domain, struct delivery_target *ret)
{
    struct str error, expanded;

    if (delivery_parse(target, ret, &error) != RES_OK) {
        error_at(r, STR("/delivery"), "syntax", "%.*s", STR_ARG(error));
    } else if (of_domain && ret->kind != DELIVERY_PIPE &&
               delivery_expand(target, STR("user"), STR("example.org"), &r->arena, &expanded) != RES_OK) {
        error_at(r, STR("/delivery"), "syntax", "Only %%u, %%d and %%%% may stand behind a percent sign.");
    }
}

void delivery_check(struct request *r, struct str target, struct str unix_user, bool of_domain, bool changed)
{
    struct delivery_target parsed = { .kind = DELIVERY_STORE };
    bool needs_user;

    if (!changed)
        return;
    if (r->caller.visible.limited) {
        error_at(r, STR("/delivery"), "not-allowed", "Only an administrator without limits may change where a mailbox lives.");
        return;
    }
    if (target.p != NULL)
        check_target(r, target, of_domain, &parsed);
    needs_user = parsed.kind != DELIVERY_STORE && parsed.kind != DELIVERY_LMTP;
    if (unix_user.p != NULL && !(of_domain && str_eq(unix_user, STR("%u"))) &&
        !name_list_contains(&settings_get()->unix_users, unix_user))
        error_at(r, STR("/delivery_user"), "unknown-user", "\"%.*s\" is not named in the setting mda.users.",
                 STR_ARG(unix_user));
    else if (unix_user.p == NULL && needs_user && of_domain)
        error_at(r, STR("/delivery_user"), "required", "This target needs a Unix user that the setting mda.users names.");
}
