#include "api/ctl/verbs.h"

#define FILTER "state=STATE sender=A recipient=A destination=D sender-domain=D account=A reason=R age-min=SECONDS q=TEXT"

#define LIMITS "recipients-per-hour=NUMBER recipients-per-day=NUMBER"
#define ALIAS "from=WORD|ADDRESSES send-as=ADDRESSES expires=TIME state=STATE"

const char global_options[] = "json quiet yes dry-run help version socket=PATH url=URL token-file=FILE cacert=FILE insecure";

const struct verb verbs[] = {
    { "status", NULL, "", 0, 0, "", "Is mail flowing?", verb_status },
    { "ready", NULL, "", 0, 0, "", "Can it take mail now?", verb_ready },
    { "doctor", NULL, "", 0, 0, "repair", "Checks database, DNS, ports and counters; --repair: puts counters right.", verb_doctor },
    { "events", NULL, "", 0, 0, "topic=TOPICS", "Shows what happens, as it happens; --topic: queue, status, trace, audit, with commas.", verb_events },

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
    { "account", "test", "ADDRESS", 1, 1, "", "Sends a test message to it.", verb_account_test },
    { "account", "suspend", "ADDRESS", 1, 1, "reason=TEXT", "Stops sign-in.", verb_account_suspend },
    { "account", "resume", "ADDRESS", 1, 1, "", "Allows sign-in again.", verb_account_resume },
    { "account", "remove", "ADDRESS", 1, 1, "purge", "Deletes an account; --purge: for good, with its mail.", verb_account_remove },
    { "account", "restore", "ADDRESS", 1, 1, "", "Brings a deleted account back, with its mail.", verb_account_restore },
    { "account", "import", "FILE|-", 1, 1, "update", "Makes accounts of a file (CSV or JSON Lines); --update: and changes those that are there; --dry-run: says what it would do.", verb_account_import },
    { "account", "export", "", 0, 0, "format=csv|jsonl domain=DOMAIN state=STATE role=ROLE q=TEXT", "Prints accounts as a file, without passwords.", verb_account_export },
    { "account", "freeze", "ADDRESS", 1, 1, "reason=TEXT", "Stops sending, and holds what the account has in the queue.", verb_account_freeze },
    { "account", "unfreeze", "ADDRESS", 1, 1, "", "Allows sending again; held messages stay held.", verb_account_unfreeze },
    { "account", "app-password add", "ADDRESS", 1, 1, "name=NAME protocol=PROTOCOLS", "Makes a password for one program; it is shown once.", verb_account_app_add },
    { "account", "app-password list", "ADDRESS", 1, 1, "", "Lists passwords of programs.", verb_account_app_list },
    { "account", "app-password remove", "ADDRESS ID", 2, 2, "", "Removes a password of a program, which is signed out.", verb_account_app_remove },
    { "account", "sessions list", "ADDRESS", 1, 1, "", "Lists who is signed in.", verb_account_sessions },
    { "account", "sessions end", "ADDRESS [ID]", 1, 2, "", "Ends a session, or all of them.", verb_account_sessions_end },
    { "account", "totp show", "ADDRESS", 1, 1, "", "Shows whether two-step sign-in is on.", verb_account_totp },
    { "account", "totp remove", "ADDRESS", 1, 1, "", "Turns two-step sign-in off.", verb_account_totp_remove },
    { "account", "activity", "ADDRESS", 1, 1, "", "Lists sign-ins of 30 days, good and bad ones.", verb_account_activity },
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

    { "queue", "list", "", 0, 0, FILTER " limit=NUMBER", "Lists queued messages.", verb_queue_list },
    { "queue", "show", "ID", 1, 1, "headers source reason=TEXT", "Shows a queued message; --headers: its header; --source: all of it, for a --reason that is written down.", verb_queue_show },
    { "queue", "retry", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT", "Tries again now.", verb_queue_act },
    { "queue", "hold", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT", "Holds until released.", verb_queue_act },
    { "queue", "release", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT", "Ends a hold.", verb_queue_act },
    { "queue", "reschedule", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT at=TIME", "Sets the next attempt: --at +2h, or a time.", verb_queue_act },
    { "queue", "reroute", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT via=ROUTE", "Sends another way: --via [HOST]:PORT; none: back to normal.", verb_queue_act },
    { "queue", "set", "ID", 1, 1, "next=TIME expires=TIME priority=NUMBER via=ROUTE", "Changes a queued message.", verb_queue_set },
    { "queue", "delete", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT", "Removes messages after a minute; nobody is told.", verb_queue_act },
    { "queue", "bounce", "[ID...|-]", 0, MAX_ARGS, FILTER " all note=TEXT", "Returns messages to their senders after a minute.", verb_queue_act },
    { "queue", "undo", "[UNDO]", 0, 1, "", "Takes an action back, the latest one or this.", verb_queue_undo },
    { "queue", "summary", "", 0, 0, "by=GROUP", "Sums by destination, sender or reason.", verb_queue_summary },

    { "queue", "hold-rule list", "", 0, 0, "", "Lists rules that hold new mail.", verb_queue_hold_rule_list },
    { "queue", "hold-rule add", "", 0, 0, "sender=ADDRESS sender-domain=DOMAIN destination=D until=TIME note=TEXT", "Holds new mail of a sender or for a destination.", verb_queue_hold_rule_add },
    { "queue", "hold-rule remove", "ID", 1, 1, "", "Removes such a rule; what it held stays held.", verb_queue_hold_rule_remove },
    { "queue", "schedule", "", 0, 0, "retries=DURATIONS expire=DURATION delay-notice=DURATION", "Shows or changes when attempts are made.", verb_queue_schedule },
    { "queue", "destinations", "", 0, 0, "paused q=TEXT", "Lists destinations.", verb_queue_destinations },
    { "queue", "pause", "DESTINATION", 1, 1, "until=TIME note=TEXT", "Makes no attempts at a destination, until resumed or --until +2h.", verb_queue_pause },
    { "queue", "resume", "DESTINATION", 1, 1, "", "Ends a pause.", verb_queue_resume },
    { "queue", "limit", "DESTINATION NUMBER", 2, 2, "", "Limits the connections to a destination.", verb_queue_limit },

    { "operation", "show", "ID", 1, 1, "", "Shows how far a long action is.", verb_operation_show },
    { "operation", "cancel", "ID", 1, 1, "", "Stops a long action; what is done stays.", verb_operation_cancel },

    { "trace", "show", "ID", 1, 1, "", "Shows what happened to a message.", verb_trace_show },
    { "trace", "list", "[ADDRESS|MESSAGE-ID]", 0, 1, "since=TIME until=TIME outcome=OUTCOME sender=A recipient=A subject=TEXT message-id=ID ip=ADDRESS account=A direction=WAY limit=NUMBER", "Lists what happened to messages.", verb_trace },
    { "trace", "follow", "", 0, 0, "", "Shows what becomes of messages, as it happens.", verb_trace_follow },

    { "explain", "delivery", "", 0, 0, "from=ADDRESS to=ADDRESS size=BYTES ip=ADDRESS account=ADDRESS headers=FILE probe", "Shows what would become of a message, step by step; --probe: asks the other server.", verb_explain_delivery },
    { "explain", "reply", "TEXT", 1, 1, "", "Says what a mail server's answer means.", verb_explain_reply },

    { "config", "list", "", 0, 0, "changed", "Lists settings.", verb_config_list },
    { "config", "get", "KEY", 1, 1, "", "Shows a setting.", verb_config_get },
    { "config", "set", "KEY VALUE", 2, 2, "", "Sets a value.", verb_config_set },
    { "config", "unset", "KEY", 1, 1, "", "Goes back to the default.", verb_config_unset },

    { "audit", "list", "", 0, 0, "actor=NAME action=ACTION object=OBJECT since=TIME until=TIME", "Lists who changed what.", verb_audit_list },
    { "audit", "verify", "", 0, 0, "", "Proves that the log of changes is as it was written.", verb_audit_verify },

    { "token", "create", "NAME", 1, 1, "scope=SCOPES role=ROLE domain=DOMAINS cidr=NETWORKS expires=TIME", "Makes a token; its secret is shown once.", verb_token_create },
    { "token", "list", "", 0, 0, "", "Lists tokens.", verb_token_list },
    { "token", "revoke", "ID", 1, 1, "", "Revokes a token.", verb_token_revoke },

    { "completion", NULL, "bash|zsh|fish", 1, MAX_ARGS, "", "Prints a script with which the shell completes words.", verb_completion },
};
const size_t verbs_count = sizeof(verbs) / sizeof(verbs[0]);
