-- What each kind of process may do (docs/architecture.md).  Applied after every migration; running it again changes
-- nothing.  tests/store/test_grants compares the database with this list and fails on a surplus.
-- The roles themselves are made by `correiod migrate`, which also gives them LOGIN and, outside the embedded cluster, a password.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM correio_auth, correio_smtp, correio_access, correio_relay, correio_mda, correio_api;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM correio_auth, correio_smtp, correio_access, correio_relay, correio_mda, correio_api;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM correio_auth, correio_smtp, correio_access, correio_relay, correio_mda, correio_api;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO correio_auth, correio_smtp, correio_access, correio_relay, correio_mda, correio_api;

-- Statements of the mail's path are planned once a connection; api's filters ("$1 IS NULL OR ...") want a plan of their own.
ALTER ROLE correio_auth SET plan_cache_mode = force_generic_plan;
ALTER ROLE correio_smtp SET plan_cache_mode = force_generic_plan;
ALTER ROLE correio_access SET plan_cache_mode = force_generic_plan;
ALTER ROLE correio_relay SET plan_cache_mode = force_generic_plan;
ALTER ROLE correio_mda SET plan_cache_mode = force_generic_plan;
ALTER ROLE correio_api SET plan_cache_mode = force_custom_plan;

-- Who puts mail into the queue looks at the rules that hold it.
GRANT SELECT ON queue_hold_rule TO correio_smtp, correio_access, correio_relay, correio_mda;

-- Everyone follows the settings.
GRANT SELECT ON setting TO correio_auth, correio_smtp, correio_access, correio_relay, correio_mda, correio_api;

-- auth: credentials, and nothing of the mail.
GRANT SELECT ON account, domain TO correio_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON credential TO correio_auth;
GRANT UPDATE (state, state_before, frozen_before, totp_at, version) ON account TO correio_auth;   -- invited becomes active with the first password
GRANT SELECT, INSERT, UPDATE ON sign_in TO correio_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_log TO correio_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON account_network TO correio_auth;
GRANT SELECT, INSERT ON owner_letter TO correio_auth;                 -- what relay tells the owner
GRANT SELECT, UPDATE (last_used_at) ON token TO correio_auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON session TO correio_auth;

-- smtp and relay: add mail, read none.
GRANT SELECT ON domain, account, address, alias, alias_member TO correio_smtp, correio_relay;
GRANT SELECT, UPDATE ON account_state, mailbox TO correio_smtp, correio_relay;
GRANT INSERT ON mailbox TO correio_smtp, correio_relay;               -- fileinto :create
GRANT SELECT, DELETE ON subscription TO correio_smtp, correio_relay;  -- a mailbox that is made takes its subscription
GRANT USAGE ON SEQUENCE mailbox_id_seq TO correio_smtp, correio_relay;
GRANT SELECT, INSERT ON keyword TO correio_smtp, correio_relay;       -- flags that filters set
GRANT SELECT ON sieve_script, annotation, secret TO correio_smtp, correio_relay;
GRANT INSERT ON message, email TO correio_smtp, correio_relay;
GRANT SELECT, INSERT ON quota_due TO correio_smtp, correio_relay;      -- ON CONFLICT reads
GRANT EXECUTE ON FUNCTION quota_level(bigint, bigint) TO correio_smtp, correio_relay;
GRANT INSERT ON blob TO correio_smtp, correio_relay;
GRANT SELECT, INSERT, UPDATE, DELETE ON sieve_mark TO correio_smtp, correio_relay;
GRANT USAGE ON SEQUENCE email_id_seq, queue_id_seq TO correio_smtp, correio_relay;
GRANT EXECUTE ON FUNCTION thread_find(bigint, text[]) TO correio_smtp, correio_relay;
GRANT EXECUTE ON FUNCTION email_exists(bigint, bigint), blob_copy(bigint, bigint, bigint, bigint) TO correio_smtp, correio_relay;
GRANT INSERT ON queue_message, queue_blob, queue_recipient TO correio_smtp;
GRANT SELECT (id) ON queue_message TO correio_smtp;                   -- settles a commit in doubt
GRANT SELECT, INSERT, UPDATE ON queue_destination TO correio_smtp;
GRANT SELECT, INSERT, UPDATE ON sent TO correio_smtp;
GRANT INSERT ON trace, trace_recipient, trace_event TO correio_smtp, correio_relay;

-- relay: the queue.
GRANT SELECT, INSERT, UPDATE, DELETE ON queue_message, queue_blob, queue_recipient, queue_destination TO correio_relay;
GRANT SELECT (at, id), UPDATE (outcome) ON trace TO correio_relay;
GRANT SELECT (at, trace_id, n, outcome), UPDATE (outcome) ON trace_recipient TO correio_relay;
GRANT EXECUTE ON FUNCTION trace_partitions(int, text), trace_forget_refused(int, int) TO correio_relay;
GRANT EXECUTE ON FUNCTION mail_sweep(interval, int), account_purge(interval, int) TO correio_relay;
GRANT DELETE ON quota_due, sent TO correio_relay;
GRANT SELECT, UPDATE (queue_id), DELETE ON owner_letter TO correio_relay;
GRANT SELECT (at) ON sent TO correio_relay;
GRANT SELECT ON queue_undo TO correio_relay;                           -- who asked for what is removed now

-- mda: its part of the queue, and where the mailboxes are; no mail that is in PostgreSQL.
GRANT SELECT ON domain, account, address, alias, alias_member, account_state, mailbox, secret TO correio_mda;   -- routing; numbers, no mail
GRANT SELECT (account_id, domain_id, active, place) ON sieve_script TO correio_mda;   -- whether there are any
GRANT SELECT, INSERT, UPDATE, DELETE ON queue_message, queue_blob, queue_recipient, queue_destination TO correio_mda;
GRANT INSERT ON trace, trace_recipient, trace_event TO correio_mda;
GRANT SELECT (at, id), UPDATE (outcome) ON trace TO correio_mda;
GRANT SELECT (at, trace_id, n, outcome), UPDATE (outcome) ON trace_recipient TO correio_mda;
GRANT USAGE ON SEQUENCE queue_id_seq TO correio_mda;
GRANT SELECT, INSERT, UPDATE ON sieve_mark TO correio_mda;           -- of every row of the queue

-- access: the mail of the accounts that are signed in (row-level security comes with a later migration).
GRANT SELECT ON account, domain TO correio_access;
GRANT SELECT, INSERT, UPDATE, DELETE ON sieve_script, annotation TO correio_access;
GRANT SELECT (id, hash) ON audit TO correio_access;                    -- ManageSieve changes filters
GRANT INSERT ON audit TO correio_access;
GRANT SELECT, UPDATE ON account_state TO correio_access;
GRANT SELECT, INSERT, UPDATE, DELETE ON mailbox, subscription, keyword, message, expunged, pop3_lock TO correio_access;
GRANT SELECT, INSERT ON email, blob, email_text TO correio_access;
GRANT USAGE ON SEQUENCE mailbox_id_seq, email_id_seq TO correio_access;
-- access: what a script of imapsieve sends; the queue is not read.
GRANT SELECT ON address, alias, alias_member TO correio_access;
GRANT SELECT, INSERT, UPDATE ON sieve_mark TO correio_access;
GRANT USAGE ON SEQUENCE queue_id_seq TO correio_access;
GRANT INSERT ON queue_message, queue_blob, queue_recipient TO correio_access;
GRANT SELECT (id) ON queue_message TO correio_access;
GRANT SELECT, INSERT, UPDATE ON queue_destination TO correio_access;
GRANT INSERT ON trace, trace_recipient, trace_event TO correio_access;
GRANT EXECUTE ON FUNCTION email_exists(bigint, bigint), blob_copy(bigint, bigint, bigint, bigint) TO correio_access;
GRANT SELECT, INSERT ON quota_due TO correio_access;
GRANT EXECUTE ON FUNCTION thread_find(bigint, text[]), quota_level(bigint, bigint) TO correio_access;

-- smtp and access: who is signed in, and whether that still holds.
GRANT SELECT, INSERT, UPDATE ON presence TO correio_smtp, correio_access;
GRANT SELECT, INSERT, DELETE ON connection TO correio_smtp, correio_access;
GRANT SELECT (id, account_id) ON credential TO correio_smtp, correio_access;

-- api: the control plane.
GRANT SELECT, DELETE ON presence TO correio_api;
GRANT SELECT, UPDATE (ending) ON connection TO correio_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON sieve_script TO correio_api;
GRANT SELECT ON annotation, sieve_mark TO correio_api;               -- filters are tried on a message
GRANT SELECT, INSERT, UPDATE, DELETE ON domain, account, alias, alias_member, address, domain_admin, token TO correio_api;
GRANT USAGE ON SEQUENCE token_id_seq TO correio_api;                  -- a token names its own id
GRANT SELECT, UPDATE, DELETE ON session TO correio_api;
GRANT SELECT ON tenant, sign_in, sign_in_log, sent TO correio_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON setting TO correio_api;
GRANT SELECT, INSERT ON audit TO correio_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency TO correio_api;
GRANT SELECT, INSERT, UPDATE ON domain_dns TO correio_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON node TO correio_api;
GRANT SELECT, INSERT, UPDATE ON account_state TO correio_api;
GRANT SELECT, INSERT ON mailbox TO correio_api;
GRANT SELECT, INSERT ON quota_due TO correio_api;
GRANT EXECUTE ON FUNCTION quota_level(bigint, bigint), mail_recount(bigint, boolean), account_release(bigint), address_leave_aliases(text[]) TO correio_api;
GRANT USAGE ON SEQUENCE mailbox_id_seq TO correio_api;
GRANT SELECT, UPDATE ON queue_message, queue_recipient, queue_destination TO correio_api;
GRANT INSERT ON queue_destination TO correio_api;                     -- what is retried or released makes its destination due
GRANT SELECT ON queue_blob TO correio_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON queue_undo TO correio_api;
GRANT SELECT, INSERT, DELETE ON queue_hold_rule TO correio_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON operation, operation_chunk TO correio_api;
GRANT SELECT, INSERT, UPDATE ON import TO correio_api;
GRANT SELECT, INSERT, UPDATE ON import_line TO correio_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON traffic TO correio_api;
GRANT SELECT ON trace, trace_recipient TO correio_api;
GRANT SELECT, INSERT ON trace_event TO correio_api;
