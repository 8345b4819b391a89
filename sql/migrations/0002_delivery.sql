-- Delivery: who gets it (patterns, forwards, who may send), filters, mailboxes elsewhere, quota of domains, annotations.

-- ---------------------------------------------------------------- who gets it
-- A "*" in the local part of an alias stands for any characters: "sales-*".  The longest pattern wins.
ALTER TABLE address ADD pattern text GENERATED ALWAYS AS (CASE WHEN strpos(localpart, '*') > 0 THEN
  replace(replace(replace(replace(localpart, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%') END) STORED;
CREATE INDEX address_pattern ON address (domain_id) WHERE pattern IS NOT NULL;
ALTER TABLE alias DROP keep_copy;                -- an account's forward has one; an alias names whom it wants
ALTER TABLE alias ADD allowed_senders text[] NOT NULL DEFAULT '{}';   -- with who_may_send 'list': addresses, or "@domain"
ALTER TABLE alias ADD CHECK (who_may_send IN ('anyone', 'domain', 'members', 'list'));
ALTER TABLE alias ADD send_as text[];            -- accounts that may use it as sender; NULL: those that are its members
-- A member "|name" is a program of the setting mda.programs.

-- ---------------------------------------------------------------- where a mailbox lives
ALTER TABLE account ALTER delivery DROP NOT NULL, ALTER delivery DROP DEFAULT;
UPDATE account SET delivery = NULL WHERE delivery = 'store';
ALTER TABLE account ADD delivery_user text;      -- the Unix user of a target; NULL: the domain's
ALTER TABLE account ADD forward text[] NOT NULL DEFAULT '{}';         -- where its mail is sent on to
ALTER TABLE account ADD forward_keep boolean NOT NULL DEFAULT true;   -- and a copy stays
ALTER TABLE domain ADD delivery text NOT NULL DEFAULT 'store';        -- of accounts whose own is NULL; %u local part, %d domain
ALTER TABLE domain ADD delivery_user text;       -- "%u": the Unix user of that name
-- A job for the mda (destination '.mda'): a mailbox outside PostgreSQL, or a program.
ALTER TABLE queue_recipient ADD program text;    -- a name of mda.programs; NULL: the recipient's delivery target
ALTER TABLE queue_recipient ADD folder text;     -- fileinto in a target that has folders; NULL: its inbox
ALTER TABLE queue_recipient ADD flags int NOT NULL DEFAULT 0;         -- as message.flags
-- Signs rewritten reverse-paths (SRS): everyone's who relays, made once.
CREATE TABLE secret (name text PRIMARY KEY, value bytea NOT NULL);
INSERT INTO secret VALUES ('srs', uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));

-- ---------------------------------------------------------------- filters
CREATE TABLE sieve_script (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint REFERENCES account ON DELETE CASCADE,             -- a person's
  domain_id bigint REFERENCES domain ON DELETE CASCADE,               -- an administrator's of a domain; both NULL: of the server
  place smallint NOT NULL DEFAULT 0,             -- 0 a person's, 1 before it, 2 after it, 3 for include :global, 4 imapsieve
  name text NOT NULL,
  content text NOT NULL,
  hash bytea NOT NULL,                           -- SHA-256 of content: the key of compiled ones
  active boolean NOT NULL DEFAULT false,         -- of a person's only one; of the others any number, run by name
  changed_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1,
  CHECK (account_id IS NULL OR domain_id IS NULL),
  CHECK ((place IN (0, 4)) OR account_id IS NULL));
CREATE UNIQUE INDEX sieve_script_name ON sieve_script (coalesce(account_id, 0), coalesce(domain_id, 0), place, name);
CREATE UNIQUE INDEX sieve_script_active ON sieve_script (account_id) WHERE active AND place = 0 AND account_id IS NOT NULL;
CREATE INDEX sieve_script_domain ON sieve_script (domain_id) WHERE domain_id IS NOT NULL;
CREATE INDEX sieve_mark_until ON sieve_mark (until);                  -- kind: 0 vacation, 1 duplicate, 2 a script's error was told

-- ---------------------------------------------------------------- annotations (RFC 5464)
CREATE TABLE annotation (
  account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
  mailbox_id bigint NOT NULL,                    -- 0: of the server, as this account sees it
  name text NOT NULL,                            -- lower case, "/private/..." or "/shared/..."
  value bytea NOT NULL,
  PRIMARY KEY (account_id, mailbox_id, name));

-- ---------------------------------------------------------------- quota
ALTER TABLE account_state ADD warned smallint NOT NULL DEFAULT 0;     -- 80 or 95 (percent): what its user was told; goes down with use
-- How full an account is, as warnings count it: 0, 80, 95 (percent).  Inlined by the planner.
CREATE FUNCTION quota_level(used bigint, quota bigint) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS 'SELECT (CASE WHEN used >= quota - quota / 20 THEN 95 WHEN used >= quota - quota / 5 THEN 80 ELSE 0 END)::smallint';
REVOKE ALL ON FUNCTION quota_level(bigint, bigint) FROM PUBLIC;
-- Accounts whose level is another than what was told: written by who changes the use, worked off by relay each minute.
CREATE TABLE quota_due (account_id bigint PRIMARY KEY);

-- Counts an account's mail anew, under its lock: rows of counters that are wrong (mailbox NULL: the account's own), with
-- what they say and what they should say; `repair` puts them right.  Called by api, which may read no mail.
CREATE FUNCTION mail_recount(account bigint, repair boolean)
  RETURNS TABLE (mailbox text, counter text, was bigint, counted bigint)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM account_state WHERE account_id = account FOR NO KEY UPDATE;
  RETURN QUERY
    WITH n AS MATERIALIZED (SELECT mailbox_id, count(*) AS messages, count(*) FILTER (WHERE flags & 1 = 0) AS unseen,
        count(*) FILTER (WHERE flags & 8 <> 0) AS deleted, sum(size)::bigint AS bytes FROM message
        WHERE account_id = account GROUP BY mailbox_id),
      b AS MATERIALIZED (SELECT b.id, b.name, b.messages, b.unseen, b.deleted, b.bytes, coalesce(n.messages, 0) AS n_messages,
        coalesce(n.unseen, 0) AS n_unseen, coalesce(n.deleted, 0) AS n_deleted, coalesce(n.bytes, 0) AS n_bytes
        FROM mailbox b LEFT JOIN n ON n.mailbox_id = b.id WHERE b.account_id = account),
      s AS MATERIALIZED (SELECT used_bytes, used_messages, (SELECT coalesce(sum(bytes), 0)::bigint FROM n) AS n_bytes,
        (SELECT coalesce(sum(messages), 0)::bigint FROM n) AS n_messages FROM account_state WHERE account_id = account),
      ub AS (UPDATE mailbox x SET messages = b.n_messages, unseen = b.n_unseen, deleted = b.n_deleted, bytes = b.n_bytes FROM b
        WHERE repair AND x.account_id = account AND x.id = b.id
          AND (b.messages, b.unseen, b.deleted, b.bytes) <> (b.n_messages, b.n_unseen, b.n_deleted, b.n_bytes)),
      us AS (UPDATE account_state x SET used_bytes = s.n_bytes, used_messages = s.n_messages FROM s
        WHERE repair AND x.account_id = account AND (s.used_bytes, s.used_messages) <> (s.n_bytes, s.n_messages)),
      d AS (INSERT INTO quota_due SELECT account FROM s WHERE repair AND (s.used_bytes, s.used_messages) <> (s.n_bytes, s.n_messages)
        ON CONFLICT DO NOTHING)
    SELECT b.name, v.counter, v.was, v.counted FROM b, LATERAL (VALUES ('messages', b.messages, b.n_messages),
        ('unseen', b.unseen, b.n_unseen), ('deleted', b.deleted, b.n_deleted), ('bytes', b.bytes, b.n_bytes)) AS v (counter, was, counted)
      WHERE v.was <> v.counted
    UNION ALL
    SELECT NULL, v.counter, v.was, v.counted FROM s, LATERAL (VALUES ('messages', s.used_messages, s.n_messages),
        ('bytes', s.used_bytes, s.n_bytes)) AS v (counter, was, counted) WHERE v.was <> v.counted;
END $$;
REVOKE ALL ON FUNCTION mail_recount(bigint, boolean) FROM PUBLIC;
