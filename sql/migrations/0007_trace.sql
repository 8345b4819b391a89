-- Searching the trace: addresses are compared without case, whole, by local-part ("joe@") and by domain ("@example.net");
-- subjects by any part.  Keys of recipients begin with the time of their message, so an index of trace_id alone is not needed.
CREATE SCHEMA trgm; -- of its own: nobody but the owner has to call what is in it
CREATE EXTENSION pg_trgm SCHEMA trgm;

-- Of a delivery here: the mailboxes, and the rule of a filter that chose them.
ALTER TABLE trace_event ADD COLUMN mailbox text, ADD COLUMN rule text;

DROP INDEX trace_sender;
DROP INDEX trace_recipient_address;
DROP INDEX trace_recipient_id;
CREATE INDEX trace_sender ON trace (lower(sender), at);
CREATE INDEX trace_sender_local ON trace (substring(lower(sender) from '^.*@'), at);
CREATE INDEX trace_sender_domain ON trace (substring(lower(sender) from '@[^@]*$'), at);
CREATE INDEX trace_client ON trace (client, at) WHERE client IS NOT NULL;
CREATE INDEX trace_account ON trace (account_id, at) WHERE account_id IS NOT NULL;
CREATE INDEX trace_subject ON trace USING gin (lower(subject) trgm.gin_trgm_ops);
CREATE INDEX trace_recipient_address ON trace_recipient (lower(recipient), at);
CREATE INDEX trace_recipient_local ON trace_recipient (substring(lower(recipient) from '^.*@'), at);

-- Refusals are forgotten earlier than the rest: at most `most` of those older than `keep` days.  How many went.
CREATE FUNCTION trace_forget_refused(keep int, most int) RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH old AS MATERIALIZED (SELECT at, id FROM trace WHERE outcome = 6 AND at < now() - make_interval(days => greatest(keep, 1)) LIMIT most),
  e AS (DELETE FROM trace_event e USING old WHERE e.at = old.at AND e.trace_id = old.id),
  r AS (DELETE FROM trace_recipient r USING old WHERE r.at = old.at AND r.trace_id = old.id),
  t AS (DELETE FROM trace t USING old WHERE t.at = old.at AND t.id = old.id RETURNING 1)
  SELECT count(*) FROM t;
$$;
REVOKE ALL ON FUNCTION trace_forget_refused(int, int) FROM PUBLIC;
