-- What was deleted stays for a while, with its mail, and can be restored; then it is purged in small steps.

ALTER TABLE account ADD deleted_from smallint;   -- the state that a restore gives back
ALTER TABLE account ADD purging boolean NOT NULL DEFAULT false;       -- its address is free again; mail and row go in steps
ALTER TABLE domain ADD purging boolean NOT NULL DEFAULT false;        -- its name is free again; the row goes with its last account
UPDATE account SET purging = true WHERE state = 4;                    -- of before: they gave up their addresses at once
UPDATE domain SET purging = true WHERE deleted_at IS NOT NULL;
CREATE INDEX account_deleted ON account (deleted_at) WHERE state = 4;

-- Takes addresses that nobody has any more out of aliases; one left empty goes, too.
CREATE FUNCTION address_leave_aliases(addresses text[]) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  touched bigint[];
BEGIN
  WITH m AS (DELETE FROM alias_member WHERE address = ANY (addresses) RETURNING alias_id)
    SELECT array_agg(DISTINCT alias_id) INTO touched FROM m;
  UPDATE alias SET version = version + 1 WHERE id = ANY (touched);
  DELETE FROM alias l WHERE id = ANY (touched) AND NOT EXISTS (SELECT FROM alias_member m WHERE m.alias_id = l.id);
END $$;
REVOKE ALL ON FUNCTION address_leave_aliases(text[]) FROM PUBLIC;

-- Gives up a deleted account's addresses, also in aliases.  No address has a blank: the old one may be given again.
CREATE FUNCTION account_release(account bigint) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM address_leave_aliases(ARRAY(SELECT x.localpart || '@' || d.name FROM address x
    JOIN domain d ON d.id = x.domain_id WHERE x.account_id = account));
  DELETE FROM address WHERE account_id = account;
  UPDATE account a SET purging = true, address = 'deleted ' || a.id || ' ' || a.address, version = version + 1
    WHERE a.id = account AND NOT a.purging;
END $$;
REVOKE ALL ON FUNCTION account_release(bigint) FROM PUBLIC;

-- One step of purging what was deleted longer than `keep` ago, or is not to be kept: at most `most` records, and about
-- 64 MiB, of one account's mail; at last the account, then domains without accounts.  Returns how many records it took, 0:
-- nothing is due.  Each step is a transaction of its own, so that a crash costs one step.  Called by relay, which may read
-- no mail; several may run at once.
CREATE FUNCTION account_purge(keep interval, most int) RETURNS int
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  account bigint; released boolean; emails bigint[]; gone int; old_domain bigint;
BEGIN
  IF keep < interval '0' OR most < 1 THEN RAISE EXCEPTION 'account_purge: bad arguments'; END IF;
  SELECT a.id, a.purging INTO account, released FROM account a WHERE a.state = 4 AND (a.purging OR a.deleted_at < now() - keep)
    ORDER BY a.deleted_at LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF account IS NULL THEN
    SELECT d.id INTO old_domain FROM domain d WHERE d.deleted_at IS NOT NULL AND (d.purging OR d.deleted_at < now() - keep)
      AND NOT EXISTS (SELECT FROM account a WHERE a.domain_id = d.id) ORDER BY d.id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF old_domain IS NULL THEN RETURN 0; END IF;
    DELETE FROM alias WHERE id IN (SELECT l.id FROM alias l WHERE l.domain_id = old_domain LIMIT most);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN RETURN gone; END IF;
    UPDATE domain SET alias_of = NULL, version = version + 1 WHERE alias_of = old_domain;
    DELETE FROM domain WHERE id = old_domain;
    RETURN 1;
  END IF;
  IF NOT released THEN PERFORM account_release(account); END IF;
  -- Statements behind this one see what a delivery under way has stored.
  PERFORM FROM account_state s WHERE s.account_id = account FOR UPDATE;
  SELECT array_agg(id) INTO emails FROM (SELECT e.id, sum(e.size) OVER (ORDER BY e.id) - e.size AS before
    FROM (SELECT x.id, x.size FROM email x WHERE x.account_id = account ORDER BY x.id LIMIT most) e) f WHERE before < 67108864;
  IF emails IS NOT NULL THEN
    DELETE FROM message m WHERE m.account_id = account AND m.email_id = ANY (emails);
    DELETE FROM email_text t WHERE t.account_id = account AND t.email_id = ANY (emails);
    DELETE FROM blob b WHERE b.account_id = account AND b.email_id = ANY (emails);
    DELETE FROM email e WHERE e.account_id = account AND e.id = ANY (emails);
    RETURN cardinality(emails);
  END IF;
  DELETE FROM expunged x WHERE x.account_id = account AND x.ctid = ANY (ARRAY(SELECT y.ctid FROM expunged y
    WHERE y.account_id = account LIMIT most));
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone > 0 THEN RETURN gone; END IF;
  DELETE FROM mailbox b WHERE b.account_id = account;
  DELETE FROM subscription s WHERE s.account_id = account;
  DELETE FROM keyword k WHERE k.account_id = account;
  DELETE FROM pop3_lock l WHERE l.account_id = account;
  DELETE FROM sieve_mark m WHERE m.account_id = account;
  DELETE FROM quota_due q WHERE q.account_id = account;
  DELETE FROM account_state s WHERE s.account_id = account;
  DELETE FROM account a WHERE a.id = account;
  RETURN 1;
END $$;
REVOKE ALL ON FUNCTION account_purge(interval, int) FROM PUBLIC;

-- ---------------------------------------------------------------- limits of sending
-- Recipients that an account may send to: NULL as said above it (domain, then setting), -1 no limit.
ALTER TABLE account ADD recipients_per_hour int, ADD recipients_per_day int;
ALTER TABLE domain ADD recipients_per_hour int, ADD recipients_per_day int;
-- How many it sent to, in ten minutes; of several rows the sum.  slot: so that sessions at the same time do not wait for each other.
CREATE TABLE sent (
  account_id bigint NOT NULL, at timestamptz NOT NULL, slot smallint NOT NULL, recipients int NOT NULL,
  PRIMARY KEY (account_id, at, slot)) WITH (fillfactor = 70);
CREATE INDEX sent_at ON sent (at);
