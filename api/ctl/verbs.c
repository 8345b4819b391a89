#include "api/ctl/verbs.h"

#define FILTER "state=STATE sender=A recipient=A destination=D sender-domain=D account=A reason=R age-min=SECONDS q=TEXT"

#define LIMITS "recipients-per-hour=NUMBER recipients-per-day=NUMBER"
#define ALIAS "from=WORD|ADDRESSES send-as=ADDRESSES expires=TIME state=STATE"

const char global_options[] = "json quiet yes dry-run help version socket=PATH url=URL token-file=FILE cacert=FILE insecure";

const struct verb verbs[] = {
    { "status", NULL, "", 0, 0, "", "Is mail flowing?", verb_status },
    { "ready", NULL, "", 0, 0, "", "Can it take mail now?", verb_ready },
    { "doctor", NULL, "", 0, 0, "repair", "Checks database, DNS, ports and counters; --repair: puts counters right.", verb_doctor },

    { "domain", "add", "DOMAIN", 1, 1, "relay to=HOST:PORT alias-of=DOMAIN language=LANG quota=BYTES", "Takes mail for a domain; --relay: as its backup; --alias-of: as if it were that one's.", verb_domain_add },
    { "domain", "list", "", 0, 0, "kind=KIND state=STATE q=TEXT", "Lists domains.", verb_domain_list },
    { "domain", "show", "DOMAIN", 1, 1, "", "Shows a domain.", verb_domain_show },
    { "domain", "set", "DOMAIN", 1, 1, "to=HOST:PORT alias-of=DOMAIN catch-all=ADDRESS subaddress=CHARACTER language=LANG quota=BYTES delivery=TARGET delivery-user=USER " LIMITS, "Changes a domain.", verb_domain_set },
    { "domain", "check", "DOMAIN", 1, 1, "wait", "Asks the name servers whether its records are right; --wait: until they are.", verb_domain_check },
    { "domain", "zone", "DOMAIN", 1, 1, "", "Prints the records for its zone file.", verb_domain_zone },
    { "domain", "remove", "DOMAIN", 1, 1, "force purge", "Deletes a domain; --force: with its accounts and aliases; --purge: for good.", verb_domain_remove },
    { "domain", "restore", "DOMAIN", 1, 1, "", "Brings a deleted domain back, with what was deleted with it.", verb_domain_restore },
    { "domain", "admin list", "DOMAIN", 1, 1, "", "Lists who administers a domain.", verb_domain_admin_list },
    { "domain", "admin add", "DOMAIN ADDRESS", 2, 2, "", "Lets an account administer a domain.", verb_domain_admin_add },
    { "domain", "admin remove", "DOMAIN ADDRESS", 2, 2, "", "Ends that.", verb_domain_admin_remove },

    { "account", "add", "ADDRESS", 1, 1, "name=NAME link password-file=FILE quota=BYTES quota-messages=NUMBER role=ROLE language=LANG delivery=TARGET delivery-user=USER forward=ADDRESSES forward-keep=YES|NO " LIMITS, "Makes an account.", verb_account_add },
    { "account", "list", "", 0, 0, "domain=DOMAIN state=STATE q=TEXT", "Lists accounts.", verb_account_list },
    { "account", "show", "ADDRESS", 1, 1, "", "Shows an account.", verb_account_show },
    { "account", "set", "ADDRESS", 1, 1, "name=NAME quota=BYTES quota-messages=NUMBER role=ROLE language=LANG delivery=TARGET delivery-user=USER forward=ADDRESSES forward-keep=YES|NO " LIMITS, "Changes an account.", verb_account_set },
    { "account", "address list", "ADDRESS", 1, 1, "", "Lists the addresses of an account.", verb_account_address_list },
    { "account", "address add", "ADDRESS FURTHER", 2, 2, "", "Gives an account a further address.", verb_account_address_add },
    { "account", "address remove", "ADDRESS FURTHER", 2, 2, "", "Takes a further address away.", verb_account_address_remove },
    { "account", "usage", "ADDRESS", 1, 1, "", "Shows what an account holds and sends, and its limits.", verb_account_usage },
    { "account", "password", "ADDRESS", 1, 1, "password-file=FILE", "Sets the password.", verb_account_password },
    { "account", "link", "ADDRESS", 1, 1, "", "Makes a one-time link to set a password.", verb_account_link },
    { "account", "suspend", "ADDRESS", 1, 1, "reason=TEXT", "Stops sign-in.", verb_account_suspend },
    { "account", "resume", "ADDRESS", 1, 1, "", "Allows sign-in again.", verb_account_resume },
    { "account", "remove", "ADDRESS", 1, 1, "purge", "Deletes an account; --purge: for good, with its mail.", verb_account_remove },
    { "account", "restore", "ADDRESS", 1, 1, "", "Brings a deleted account back, with its mail.", verb_account_restore },
    { "account", "filter list", "ADDRESS", 1, 1, "", "Lists filters (Sieve scripts).", verb_filter_list },
    { "account", "filter get", "ADDRESS NAME", 2, 2, "", "Prints a filter.", verb_filter_get },
    { "account", "filter put", "ADDRESS NAME [FILE|-]", 2, 3, "", "Stores a filter; it is compiled first.", verb_filter_put },
    { "account", "filter activate", "ADDRESS NAME", 2, 2, "", "Makes a filter active, instead of the one that is.", verb_filter_activate },
    { "account", "filter deactivate", "ADDRESS NAME", 2, 2, "", "Makes a filter inactive.", verb_filter_deactivate },
    { "account", "filter rename", "ADDRESS NAME NEW", 3, 3, "", "Renames a filter.", verb_filter_rename },
    { "account", "filter remove", "ADDRESS NAME", 2, 2, "", "Removes a filter.", verb_filter_remove },
    { "account", "filter test", "ADDRESS [MESSAGE|-]", 1, 2, "script=FILE name=NAME from=ADDRESS to=ADDRESS", "Shows what filters would do with a message; nothing is delivered.", verb_filter_test },

    { "alias", "add", "ADDRESS MEMBER...", 2, MAX_ARGS, ALIAS, "Makes an alias; a member |NAME is a program.", verb_alias_add },
    { "alias", "list", "", 0, 0, "domain=DOMAIN member=ADDRESS q=TEXT", "Lists aliases.", verb_alias_list },
    { "alias", "show", "ADDRESS", 1, 1, "", "Shows an alias.", verb_alias_show },
    { "alias", "set", "ADDRESS [MEMBER...]", 1, MAX_ARGS, ALIAS, "Changes an alias; members replace the old ones.", verb_alias_set },
    { "alias", "expand", "ADDRESS", 1, 1, "from=ADDRESS", "Shows who gets its mail, step by step.", verb_alias_expand },
    { "alias", "remove", "ADDRESS", 1, 1, "", "Removes an alias.", verb_alias_remove },

    { "filter", "list", "", 0, 0, "domain=DOMAIN", "Lists filters (Sieve scripts).", verb_filter_list },
    { "filter", "get", "PLACE NAME", 2, 2, "domain=DOMAIN", "Prints a filter.", verb_filter_get },
    { "filter", "put", "PLACE NAME [FILE|-]", 2, 3, "domain=DOMAIN", "Stores a filter for all mail, or a domain's; PLACE: before, after, global, imap.", verb_filter_put },
    { "filter", "activate", "PLACE NAME", 2, 2, "domain=DOMAIN", "Lets a filter run, by name among the others.", verb_filter_activate },
    { "filter", "deactivate", "PLACE NAME", 2, 2, "domain=DOMAIN", "Makes a filter inactive.", verb_filter_deactivate },
    { "filter", "rename", "PLACE NAME NEW", 3, 3, "domain=DOMAIN", "Renames a filter.", verb_filter_rename },
    { "filter", "remove", "PLACE NAME", 2, 2, "domain=DOMAIN", "Removes a filter.", verb_filter_remove },

    { "queue", "list", "", 0, 0, FILTER, "Lists queued messages.", verb_queue_list },
    { "queue", "show", "ID", 1, 1, "", "Shows a queued message.", verb_queue_show },
    { "queue", "retry", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT", "Tries again now.", verb_queue_act },
    { "queue", "hold", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT", "Holds until released.", verb_queue_act },
    { "queue", "release", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT", "Ends a hold.", verb_queue_act },
    { "queue", "delete", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT", "Removes messages; nobody is told.", verb_queue_act },
    { "queue", "bounce", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT", "Returns messages to their senders.", verb_queue_act },
    { "queue", "summary", "", 0, 0, "by=GROUP", "Sums by destination, sender or reason.", verb_queue_summary },

    { "trace", "show", "ID", 1, 1, "", "Shows what happened to a message.", verb_trace_show },
    { "trace", "list", "[ADDRESS|MESSAGE-ID]", 0, 1, "since=TIME until=TIME outcome=OUTCOME", "Lists what happened to messages.", verb_trace },

    { "config", "list", "", 0, 0, "changed", "Lists settings.", verb_config_list },
    { "config", "get", "KEY", 1, 1, "", "Shows a setting.", verb_config_get },
    { "config", "set", "KEY VALUE", 2, 2, "", "Sets a value.", verb_config_set },
    { "config", "unset", "KEY", 1, 1, "", "Goes back to the default.", verb_config_unset },

    { "audit", "list", "", 0, 0, "actor=NAME action=ACTION object=OBJECT since=TIME until=TIME", "Lists who changed what.", verb_audit_list },
    { "audit", "verify", "", 0, 0, "", "Proves that the log of changes is as it was written.", verb_audit_verify },

    { "token", "create", "NAME", 1, 1, "scope=SCOPES role=ROLE domain=DOMAINS cidr=NETWORKS expires=TIME", "Makes a token; its secret is shown once.", verb_token_create },
    { "token", "list", "", 0, 0, "", "Lists tokens.", verb_token_list },
    { "token", "revoke", "ID", 1, 1, "", "Revokes a token.", verb_token_revoke },
};
const size_t verbs_count = sizeof(verbs) / sizeof(verbs[0]);
