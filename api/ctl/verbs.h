/* api/ctl/verbs.h - what the verbs do; each in the file of its noun. */
#pragma once
#include "api/ctl/call.h"

typedef enum outcome verb_run(struct call *c);

verb_run verb_status, verb_ready, verb_doctor;
verb_run verb_domain_add, verb_domain_list, verb_domain_show, verb_domain_set, verb_domain_remove,
    verb_domain_check, verb_domain_zone, verb_domain_restore, verb_domain_admin_add, verb_domain_admin_remove, verb_domain_admin_list;
verb_run verb_account_add, verb_account_list, verb_account_show, verb_account_set, verb_account_password, verb_account_link, verb_account_test,
    verb_account_suspend, verb_account_resume, verb_account_freeze, verb_account_unfreeze, verb_account_remove, verb_account_restore,
    verb_account_usage, verb_account_address_add, verb_account_address_list, verb_account_address_remove, verb_account_app_add,
    verb_account_app_list, verb_account_app_remove, verb_account_sessions, verb_account_sessions_end, verb_account_totp,
    verb_account_totp_remove, verb_account_activity, verb_account_import, verb_account_export;
verb_run verb_alias_add, verb_alias_list, verb_alias_show, verb_alias_set, verb_alias_expand, verb_alias_remove;
verb_run verb_filter_list, verb_filter_get, verb_filter_put, verb_filter_activate, verb_filter_deactivate, verb_filter_rename,
    verb_filter_remove, verb_filter_test;
verb_run verb_queue_list, verb_queue_show, verb_queue_act, verb_queue_set, verb_queue_undo, verb_queue_summary, verb_queue_destinations,
    verb_queue_pause, verb_queue_resume, verb_queue_limit, verb_queue_hold_rule_list, verb_queue_hold_rule_add,
    verb_queue_hold_rule_remove, verb_queue_schedule;
verb_run verb_operation_show, verb_operation_cancel;
verb_run verb_trace, verb_trace_show;
verb_run verb_events, verb_trace_follow;
verb_run verb_explain_delivery, verb_explain_reply;
verb_run verb_config_list, verb_config_get, verb_config_set, verb_config_unset;
verb_run verb_audit_list, verb_audit_verify;
verb_run verb_completion;
verb_run verb_token_create, verb_token_list, verb_token_revoke;
