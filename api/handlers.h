/* api/handlers.h - the handlers of api/route.c's table; each is in the file of its resource. */
#pragma once
#include "api/route.h"

route_handler status_get;                                                     /* status.c */
route_handler status_history_get;                                             /* traffic.c */
route_handler queue_messages_list, queue_message_get, queue_attempts_list;    /* queue.c */
route_handler queue_recipients_list, queue_recipient_get;
route_handler queue_source_get;                                               /* queue_source.c */
route_handler queue_actions_post, queue_message_delete, queue_undo_list_get, queue_undo_post; /* queue_actions.c */
route_handler queue_message_patch;                                            /* queue_change.c */
route_handler queue_destinations_list, queue_destination_get, queue_destination_patch;
route_handler queue_holds_list, queue_holds_post, queue_holds_get, queue_holds_delete;
route_handler queue_schedule_get, queue_schedule_put;
route_handler operation_get_one, operation_delete;                            /* operations.c */
route_handler operation_lines_list, operation_links_post;                     /* import_result.c */
route_handler import_post, export_post;
route_handler traces_list, trace_get_one, traces_list_mine, trace_get_mine_one; /* traces.c */
route_handler explain_delivery_post, explain_reply_post;                        /* explain_delivery.c */
route_handler domains_list, domains_get, domains_put, domains_patch, domains_delete, domains_restore_post;
route_handler domain_admins_list, domain_admins_put, domain_admins_delete;
route_handler domains_dns_get, domains_dns_check;                              /* dns.c */
route_handler accounts_list, accounts_get, accounts_put, accounts_patch, accounts_delete, accounts_restore_post,
    accounts_usage;
route_handler accounts_password_put, accounts_link_post, accounts_suspend_put, accounts_suspend_delete, accounts_freeze_put, accounts_freeze_delete,
    accounts_recount_post; /* account_acts.c */
route_handler accounts_test_message_post;                                      /* test_message.c */
route_handler account_addresses_list, account_addresses_put, account_addresses_delete;
route_handler app_passwords_list, app_passwords_post, app_passwords_delete;   /* app_passwords.c */
route_handler sessions_list, sessions_delete, sessions_delete_one;             /* sessions.c */
route_handler totp_get, totp_post, totp_put, totp_delete;                      /* totp.c */
route_handler activity_get;                                                   /* activity.c */
route_handler aliases_list, aliases_get, aliases_put, aliases_patch, aliases_delete,
    aliases_expansion;
route_handler filters_list, filters_get, filters_put, filters_patch, filters_delete;
route_handler filters_test;                                                   /* filter_trial.c */
route_handler settings_list, settings_get_one, settings_put, settings_delete;
route_handler tokens_list, tokens_post, tokens_get, tokens_delete;
route_handler search_get;                                                     /* search.c */
route_handler audit_list_get, audit_verify_get;                               /* audit.c */
route_handler session_get, session_post, session_delete, session_link_post;
route_handler session_get, session_post, session_delete, session_link_post, session_totp_post, session_reauth_post;
route_handler me_get, me_password_put;
route_handler events_get;
route_handler autoconfig_get, autodiscover_post, me_apple_profile_get, client_setup_get;         /* clients.c */
route_handler openapi_get, health_get, ready_get, metrics_get;                /* outside.c */
