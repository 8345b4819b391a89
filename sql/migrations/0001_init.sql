-- The whole schema: mail, queue, trace, control plane.  The reasons are in docs/adr/ and docs/architecture.md.
-- Ids: global, never reused, taken before the transaction.  bigint everywhere: UIDs are unsigned 32 bit (RFC 9051, 2.3.1.1).

-- ---------------------------------------------------------------- control plane

CREATE TABLE tenant (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE);
INSERT INTO tenant (name) VALUES ('default');

CREATE TABLE domain (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id bigint NOT NULL REFERENCES tenant,
  name text NOT NULL UNIQUE,                     -- lower case; A-labels are kept as given by libidn2
  kind smallint NOT NULL DEFAULT 0,              -- 0 local, 1 relay (backup MX), 2 alias of another domain
  route text,                                    -- relay: "[host]:port" or "host:port"; NULL: by MX
  alias_of bigint REFERENCES domain,
  state smallint NOT NULL DEFAULT 0,             -- 0 active, 1 disabled
  language text,                                 -- of DSNs; NULL: the server's
  subaddress text NOT NULL DEFAULT '+',          -- separator; '': none
  catch_all text,
  account_limit int,
  quota_bytes bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  version bigint NOT NULL DEFAULT 1);            -- ETag

CREATE TABLE account (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id bigint NOT NULL REFERENCES tenant,
  domain_id bigint NOT NULL REFERENCES domain,
  address text NOT NULL UNIQUE,                  -- the sign-in name; also a row of address
  name text NOT NULL DEFAULT '',
  role smallint NOT NULL DEFAULT 0,              -- 0 account, 1 domain admin, 2 system admin
  state smallint NOT NULL DEFAULT 1,             -- 0 invited, 1 active, 2 frozen (no sending), 3 suspended (no sign-in), 4 deleted
  state_reason text,
  state_at timestamptz,
  state_by text,                                 -- who suspended it
  state_before smallint,                         -- what it returns to
  language text,
  delivery text NOT NULL DEFAULT 'store',        -- where its mail goes: store, or a target of the mda
  created_at timestamptz NOT NULL DEFAULT now(),
  deleted_at timestamptz,
  version bigint NOT NULL DEFAULT 1);
CREATE INDEX account_domain ON account (domain_id, address);

CREATE TABLE sign_in (                           -- the last one of each account and protocol
  account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
  protocol text NOT NULL,
  at timestamptz NOT NULL,
  ip inet,
  PRIMARY KEY (account_id, protocol)) WITH (fillfactor = 50);

CREATE TABLE domain_admin (
  domain_id bigint NOT NULL REFERENCES domain ON DELETE CASCADE,
  account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
  PRIMARY KEY (domain_id, account_id));

CREATE TABLE alias (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id bigint NOT NULL REFERENCES tenant,
  domain_id bigint NOT NULL REFERENCES domain,
  address text NOT NULL UNIQUE,
  who_may_send text NOT NULL DEFAULT 'anyone',
  keep_copy boolean NOT NULL DEFAULT false,
  state smallint NOT NULL DEFAULT 0,             -- 0 active, 1 disabled
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  version bigint NOT NULL DEFAULT 1);

CREATE TABLE alias_member (
  alias_id bigint NOT NULL REFERENCES alias ON DELETE CASCADE,
  n int NOT NULL,
  address text NOT NULL,
  PRIMARY KEY (alias_id, n));
CREATE INDEX alias_member_address ON alias_member (address);

CREATE TABLE address (                           -- all that SMTP reads to route; the only global uniqueness
  domain_id bigint NOT NULL REFERENCES domain,
  localpart text NOT NULL,                       -- lower case
  account_id bigint REFERENCES account ON DELETE CASCADE,
  alias_id bigint REFERENCES alias ON DELETE CASCADE,
  PRIMARY KEY (domain_id, localpart),
  CHECK ((account_id IS NULL) <> (alias_id IS NULL)));
CREATE INDEX address_account ON address (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX address_alias ON address (alias_id) WHERE alias_id IS NOT NULL;

CREATE TABLE credential (                        -- many an account; read and written by auth alone
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
  kind smallint NOT NULL,                        -- 0 password, 1 app password, 2 TOTP, 3 recovery code, 4 one-time link
  name text NOT NULL DEFAULT '',
  verifier text NOT NULL,                        -- crypt(3) form; SHA-256 in hex for links
  protocols text[],                              -- NULL: all
  networks cidr[],
  created_at timestamptz NOT NULL DEFAULT now(),
  last_used_at timestamptz,
  expires_at timestamptz);
CREATE UNIQUE INDEX credential_password ON credential (account_id) WHERE kind = 0;
CREATE INDEX credential_account ON credential (account_id, kind);
CREATE INDEX credential_link ON credential (verifier) WHERE kind = 4;

CREATE TABLE session (                           -- of the dashboard
  hash bytea PRIMARY KEY,                        -- SHA-256 of the cookie
  account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
  csrf text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  seen_at timestamptz NOT NULL DEFAULT now(),
  authenticated_at timestamptz NOT NULL DEFAULT now(),  -- last time that a password was given
  must_set_password boolean NOT NULL DEFAULT false,     -- signed in by a one-time link
  ip inet,
  user_agent text);
CREATE INDEX session_account ON session (account_id);

CREATE TABLE token (                             -- of programs
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hash bytea NOT NULL UNIQUE,                    -- SHA-256 of the whole token
  account_id bigint REFERENCES account ON DELETE CASCADE,   -- its maker; NULL: the local administrator
  name text NOT NULL,
  role smallint NOT NULL,
  scopes text[] NOT NULL,
  domains text[],                                -- NULL: all that the role may see
  networks cidr[],
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  version bigint NOT NULL DEFAULT 1);
CREATE INDEX token_account ON token (account_id);

CREATE TABLE setting (key text PRIMARY KEY, value jsonb NOT NULL, version bigint NOT NULL DEFAULT 1,
  changed_at timestamptz NOT NULL DEFAULT now(), changed_by text NOT NULL DEFAULT '');

CREATE TABLE audit (                             -- insert only; each row carries the hash of the one before
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  actor jsonb NOT NULL,                          -- who, from where, by which door
  action text NOT NULL,
  objects text[] NOT NULL DEFAULT '{}',
  before jsonb, after jsonb,                     -- secrets masked
  result text NOT NULL,
  request_id text,
  hash bytea NOT NULL);

CREATE TABLE node (name text PRIMARY KEY, started_at timestamptz NOT NULL, seen_at timestamptz NOT NULL, version text NOT NULL);

-- ---------------------------------------------------------------- mail: every key begins with the account

CREATE SEQUENCE mailbox_id_seq;
CREATE SEQUENCE email_id_seq;

CREATE TABLE account_state (      -- one row an account: THE lock of the account's mail, and its counters
  account_id bigint PRIMARY KEY,
  modseq bigint NOT NULL DEFAULT 1,              -- last MODSEQ given in any mailbox of the account (RFC 7162)
  last_uidvalidity bigint NOT NULL DEFAULT 0,    -- a new or renamed-over mailbox gets greatest(this + 1, epoch seconds)
  used_bytes bigint NOT NULL DEFAULT 0,          -- RFC 9208 STORAGE
  used_messages bigint NOT NULL DEFAULT 0,       -- RFC 9208 MESSAGE
  quota_bytes bigint, quota_messages bigint      -- NULL: no limit
) WITH (fillfactor = 40);                        -- no other index: every update is HOT

CREATE TABLE mailbox (            -- STATUS and SELECT read this row, never a count(*)
  account_id bigint NOT NULL, id bigint NOT NULL DEFAULT nextval('mailbox_id_seq'),
  name text NOT NULL,                            -- UTF-8, '/' between levels; INBOX is always spelt so
  uidvalidity bigint NOT NULL, uidnext bigint NOT NULL DEFAULT 1, first_recent bigint NOT NULL DEFAULT 1,
  highestmodseq bigint NOT NULL DEFAULT 1,
  vanished_from bigint NOT NULL DEFAULT 0,       -- expunged rows up to this MODSEQ are pruned
  messages bigint NOT NULL DEFAULT 0, unseen bigint NOT NULL DEFAULT 0, deleted bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0,
  special_use smallint NOT NULL DEFAULT 0,       -- RFC 6154: 0 none 1 \Archive 2 \Drafts 3 \Junk 4 \Sent 5 \Trash 6 \All 7 \Flagged
  subscribed boolean NOT NULL DEFAULT true,
  PRIMARY KEY (account_id, id), UNIQUE (account_id, name)) WITH (fillfactor = 40);

CREATE TABLE subscription (       -- names subscribed that are no mailbox (RFC 3501, 6.3.6: SUBSCRIBE outlives DELETE)
  account_id bigint NOT NULL, name text NOT NULL, PRIMARY KEY (account_id, name));

CREATE TABLE keyword (            -- IMAP keywords of the account, not of the mailbox: COPY and MOVE keep the numbers
  account_id bigint NOT NULL, id int NOT NULL, name text NOT NULL, PRIMARY KEY (account_id, id));
CREATE UNIQUE INDEX keyword_name ON keyword (account_id, lower(name));

CREATE TABLE message (            -- a message in a mailbox; about 100 bytes; nothing that is only written once
  account_id bigint NOT NULL, mailbox_id bigint NOT NULL, uid bigint NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
  email_id bigint NOT NULL, modseq bigint NOT NULL, internaldate timestamptz NOT NULL,
  savedate timestamptz NOT NULL DEFAULT now(),
  size bigint NOT NULL,                          -- RFC822.SIZE, here too: FETCH FAST and SEARCH LARGER need no join
  flags int NOT NULL DEFAULT 0, keywords int[],  -- 1 \Seen 2 \Answered 4 \Flagged 8 \Deleted 16 \Draft; NULL: no keywords
  PRIMARY KEY (account_id, mailbox_id, uid) INCLUDE (email_id, modseq, flags, keywords)  -- SELECT and FETCH FLAGS read the index alone
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1);
-- Statements by modseq say account_id + 0, those by uid do not; and the other index begins with email_id.  The planner
-- takes every mailbox and account for tiny, and would else read all of it through the first columns of any index.
CREATE INDEX message_modseq ON message ((account_id + 0), mailbox_id, modseq);  -- CHANGEDSINCE, what a NOTIFY was about
CREATE INDEX message_email ON message (email_id, account_id);                   -- EMAILID (RFC 8474), sweeper

CREATE TABLE email (              -- what is known of a message's content; written once, shared by COPY inside the account
  account_id bigint NOT NULL, id bigint NOT NULL, size bigint NOT NULL, header_size bigint NOT NULL,
  frames smallint NOT NULL,                      -- 1: blob row 0 is all of it; more: row 0 header, then 256 KiB of body each
  received_as bigint,                            -- trace id, the one in our 250 reply; NULL: came by APPEND
  shared_blob_id bigint,                         -- room for one body of several accounts; NULL: own rows in blob
  sent_at timestamptz,                           -- Date, in UTC; NULL: none or bad (SORT DATE falls back to internaldate)
  message_id text, refs text[], thread_id bigint NOT NULL,  -- References + In-Reply-To; email_id of the thread's first (RFC 8474)
  base_subject text, sort_from text, sort_to text, sort_cc text,  -- RFC 5256
  envelope bytea NOT NULL, bodystructure bytea NOT NULL,  -- the bytes that FETCH sends
  parts bytea NOT NULL,                          -- versioned table: part number, header offset, body offset, end, lines
  PRIMARY KEY (account_id, id));
CREATE INDEX email_message_id ON email (account_id, message_id) WHERE message_id IS NOT NULL;  -- threading, trace
ALTER TABLE email ALTER envelope SET STORAGE MAIN, ALTER bodystructure SET STORAGE MAIN;

CREATE TABLE blob (               -- the message's bytes, exactly as accepted; a row is one zstd frame with its content size
  account_id bigint NOT NULL, email_id bigint NOT NULL, n int NOT NULL, data bytea NOT NULL,
  PRIMARY KEY (account_id, email_id, n));
ALTER TABLE blob ALTER data SET STORAGE EXTERNAL;

CREATE TABLE email_text (         -- decoded, casefolded text (first 256 KiB) for SEARCH TEXT/BODY; made when first searched
  account_id bigint NOT NULL, email_id bigint NOT NULL, text text COMPRESSION lz4 NOT NULL, PRIMARY KEY (account_id, email_id));

CREATE TABLE expunged (           -- VANISHED (RFC 7162), undelete, and the sweeper's work list
  account_id bigint NOT NULL, mailbox_id bigint NOT NULL, modseq bigint NOT NULL, uid bigint NOT NULL,
  email_id bigint,                               -- NULL: moved away, or body already swept
  internaldate timestamptz, flags int, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (account_id, mailbox_id, modseq, uid));
CREATE INDEX expunged_sweep ON expunged (at) WHERE email_id IS NOT NULL;
CREATE INDEX expunged_email ON expunged (account_id, email_id) WHERE email_id IS NOT NULL;

CREATE TABLE pop3_lock (          -- [IN-USE] (RFC 2449, 8.1.1): 60 s, renewed by the session; QUIT's transaction checks the holder
  account_id bigint PRIMARY KEY, holder text NOT NULL, until timestamptz NOT NULL);

CREATE TABLE sieve_mark (         -- vacation's and duplicate's memory
  account_id bigint NOT NULL, kind smallint NOT NULL, hash bytea NOT NULL, until timestamptz NOT NULL,
  PRIMARY KEY (account_id, kind, hash));

-- The thread of a message that refers to `ids`: smtp and relay may call this, but not read stored mail.
CREATE FUNCTION thread_find(account bigint, ids text[]) RETURNS bigint
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS 'SELECT thread_id FROM email WHERE account_id = account AND message_id = ANY (ids) ORDER BY id LIMIT 1';
REVOKE ALL ON FUNCTION thread_find(bigint, text[]) FROM PUBLIC;

-- Settles a commit in doubt: is this message in this account?
CREATE FUNCTION email_exists(account bigint, email bigint) RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
  AS 'SELECT EXISTS (SELECT FROM email WHERE account_id = account AND id = email_exists.email)';
REVOKE ALL ON FUNCTION email_exists(bigint, bigint) FROM PUBLIC;

-- A large body for a further account: copied here, not sent again.  Only rows of the calling transaction can be copied,
-- so a role that may not read mail cannot use this to read it.
CREATE FUNCTION blob_copy(from_account bigint, from_email bigint, to_account bigint, to_email bigint) RETURNS bigint
  LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
  AS 'WITH c AS (INSERT INTO blob (account_id, email_id, n, data) SELECT to_account, to_email, n, data FROM blob
        WHERE account_id = from_account AND email_id = from_email
          AND xmin::text::bigint = pg_current_xact_id()::text::bigint % 4294967296 RETURNING n)
      SELECT count(*) FROM c';
REVOKE ALL ON FUNCTION blob_copy(bigint, bigint, bigint, bigint) FROM PUBLIC;

-- Removes the bodies of mail that was expunged longer than `keep` ago and is in no mailbox any more: at most `most` records
-- of one account, under that account's lock.  Returns how many records it took, 0: nothing is due.  Called by relay, which
-- may read no mail.
CREATE FUNCTION mail_sweep(keep interval, most int) RETURNS int
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  account bigint; taken int; emails bigint[];
BEGIN
  IF keep < interval '0' OR most < 1 THEN RAISE EXCEPTION 'mail_sweep: bad arguments'; END IF;
  SELECT x.account_id INTO account FROM expunged x WHERE x.email_id IS NOT NULL AND x.at < now() - keep ORDER BY x.at LIMIT 1;
  IF account IS NULL THEN RETURN 0; END IF;
  PERFORM FROM account_state WHERE account_id = account FOR NO KEY UPDATE;
  WITH due AS (SELECT mailbox_id, modseq, uid, email_id AS was FROM expunged
      WHERE account_id = account AND email_id IS NOT NULL AND at < now() - keep ORDER BY at LIMIT most),
    w AS (UPDATE expunged x SET email_id = NULL FROM due d WHERE x.account_id = account AND x.mailbox_id = d.mailbox_id
      AND x.modseq = d.modseq AND x.uid = d.uid RETURNING d.was)
  SELECT count(*), array_agg(DISTINCT was) INTO taken, emails FROM w;
  -- A statement of its own: its snapshot sees what the update above left.
  DELETE FROM email e WHERE e.account_id = account AND e.id = ANY (emails)
    AND NOT EXISTS (SELECT FROM message m WHERE m.email_id = e.id AND m.account_id = account)
    AND NOT EXISTS (SELECT FROM expunged y WHERE y.account_id = account AND y.email_id = e.id);
  DELETE FROM blob b WHERE b.account_id = account AND b.email_id = ANY (emails)
    AND NOT EXISTS (SELECT FROM email e WHERE e.account_id = account AND e.id = b.email_id);
  DELETE FROM email_text t WHERE t.account_id = account AND t.email_id = ANY (emails)
    AND NOT EXISTS (SELECT FROM email e WHERE e.account_id = account AND e.id = t.email_id);
  RETURN taken;
END $$;
REVOKE ALL ON FUNCTION mail_sweep(interval, int) FROM PUBLIC;

-- ---------------------------------------------------------------- queue

CREATE SEQUENCE queue_id_seq;     -- also the trace id: the one in "250 2.0.0 Ok: queued as"

CREATE TABLE queue_message (      -- '' is the null reverse-path; ret, envid: RFC 3461; account_id: who submitted, NULL: forwarded
  id bigint PRIMARY KEY, account_id bigint, reverse_path text NOT NULL, ret char(1), envid text,
  received_at timestamptz NOT NULL DEFAULT now(), expires_at timestamptz NOT NULL,
  size bigint NOT NULL, header_size bigint NOT NULL, frames smallint NOT NULL,
  body_flags smallint NOT NULL DEFAULT 0,        -- 1 8BITMIME 2 SMTPUTF8 4 REQUIRETLS
  subject text, message_id text, origin jsonb, version bigint NOT NULL DEFAULT 1);
CREATE INDEX queue_message_sender ON queue_message (lower(reverse_path), id);

CREATE TABLE queue_blob (queue_id bigint NOT NULL, n int NOT NULL, data bytea NOT NULL, PRIMARY KEY (queue_id, n));
ALTER TABLE queue_blob ALTER data SET STORAGE EXTERNAL;

CREATE TABLE queue_recipient (    -- the job: one recipient of one message; destination: what shares limits, the domain or route
  queue_id bigint NOT NULL, n int NOT NULL, recipient text NOT NULL, orcpt text,
  notify smallint NOT NULL DEFAULT 0,            -- RFC 3461, 4.1: 0 not given, else 1 never 2 success 4 failure 8 delay
  destination text NOT NULL,                     -- a domain, a route, or '.local' for mail that waits for a mailbox here
  state smallint NOT NULL DEFAULT 0,             -- 0 active, 1 held by an administrator, 2 removing, 3 moving
  lane smallint NOT NULL DEFAULT 1,              -- 0 interactive, 1 normal, 2 bulk
  due_at timestamptz NOT NULL DEFAULT now(), lease_by text,  -- next attempt, or the lease's end; the relay that holds it
  attempts int NOT NULL DEFAULT 0, delay_told boolean NOT NULL DEFAULT false, last_reply text,
  reason text,                                   -- of the last attempt: a word of route/reason.h; NULL: not tried yet
  PRIMARY KEY (queue_id, n)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX queue_due ON queue_recipient (due_at) WHERE state = 0;       -- monitoring, expiry
CREATE INDEX queue_destination_due ON queue_recipient (destination, lane, due_at) WHERE state = 0;   -- the claim
CREATE INDEX queue_recipient_address ON queue_recipient (lower(recipient), queue_id);

CREATE TABLE queue_destination (  -- one row a destination with work: fairness, concurrency over all nodes, back-off of the whole
  destination text PRIMARY KEY, due_at timestamptz NOT NULL DEFAULT now(), served_at timestamptz NOT NULL DEFAULT now(),
  in_flight int NOT NULL DEFAULT 0, max_in_flight int NOT NULL DEFAULT 20, last_reply text
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

-- ---------------------------------------------------------------- trace: what happened to every message that was queued
-- Insert only (outcome is the exception); partitioned by day of `at` (the message's received_at), gone by DROP of a partition.

CREATE TABLE trace (
  at timestamptz NOT NULL, id bigint NOT NULL,
  direction smallint NOT NULL,                   -- 0 in, 1 out, 2 local
  outcome smallint NOT NULL,                     -- 0 waiting 1 delivered 2 relayed 3 bounced 4 expired 5 removed 6 refused
  sender text NOT NULL, account_id bigint, subject text, message_id text, size bigint,
  client inet, session text, listener text, tls text, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
CREATE INDEX trace_id ON trace (id);
CREATE INDEX trace_sender ON trace (sender text_pattern_ops, at);
CREATE INDEX trace_message_id ON trace (message_id) WHERE message_id IS NOT NULL;

CREATE TABLE trace_recipient (
  at timestamptz NOT NULL, trace_id bigint NOT NULL, n int NOT NULL, recipient text NOT NULL, account_id bigint,
  domain text NOT NULL, outcome smallint NOT NULL, PRIMARY KEY (at, trace_id, n)) PARTITION BY RANGE (at);
CREATE INDEX trace_recipient_id ON trace_recipient (trace_id);
CREATE INDEX trace_recipient_address ON trace_recipient (recipient text_pattern_ops, at);
CREATE INDEX trace_recipient_domain ON trace_recipient (domain, at);

CREATE TABLE trace_event (        -- at: of the message, as the key of its partition; happened_at: of the event
  at timestamptz NOT NULL, trace_id bigint NOT NULL, n int NOT NULL,   -- n: the recipient, -1: the whole message
  happened_at timestamptz NOT NULL DEFAULT now(), seq int NOT NULL DEFAULT 0,   -- seq: the attempt
  kind smallint NOT NULL,                        -- 0 accepted 1 attempt 2 delivered 3 relayed 4 deferred 5 bounced 6 expired 7 removed 8 held 9 released 10 retried 11 delay notice
  host text, address inet, tls text, phase text,
  session text,                                  -- the connection's id; attempts of several recipients share it
  result smallint,                               -- of an attempt: 0 relayed 1 delivered 2 deferred 3 bounced
  reason text,                                   -- a word of route/reason.h
  code smallint, enhanced text, reply text, milliseconds int,
  dialogue bytea,                                -- lines of the attempt, secrets masked; NULL: see another one of the session
  actor text,                                    -- who asked, for held, released, retried, removed
  PRIMARY KEY (at, trace_id, n, kind, happened_at)) PARTITION BY RANGE (at);
CREATE INDEX trace_event_id ON trace_event (trace_id, n);
CREATE INDEX trace_event_time ON trace_event USING brin (happened_at);   -- what happened in the last hour

CREATE TABLE trace_default PARTITION OF trace DEFAULT;          -- a missing day never refuses mail
CREATE TABLE trace_recipient_default PARTITION OF trace_recipient DEFAULT;
CREATE TABLE trace_event_default PARTITION OF trace_event DEFAULT;

-- Makes the partitions of the coming 7 days and drops those older than `keep` days, of one table or (NULL) of all three.
-- Called by relay once an hour, for one table at a time: it needs an exclusive lock for a moment, and mail, which locks the
-- three in its own order, must not meet two of them.  It gives up rather than make mail wait, and is called again.
CREATE FUNCTION trace_partitions(keep int, only_base text DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '300ms' AS $$
DECLARE
  base text; day date; part text;
BEGIN
  IF keep < 1 THEN RAISE EXCEPTION 'keep must be at least 1'; END IF;
  PERFORM pg_advisory_xact_lock(4710);
  FOREACH base IN ARRAY ARRAY['trace', 'trace_recipient', 'trace_event'] LOOP
    CONTINUE WHEN base <> only_base;
    FOR day IN SELECT (now() AT TIME ZONE 'UTC')::date + i FROM generate_series(1, 7) i LOOP
      part := base || '_' || to_char(day, 'YYYYMMDD');
      IF to_regclass(part) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part, base,
                       day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
      END IF;
    END LOOP;
    FOR part IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = base::regclass AND c.relname ~ ('^' || base || '_[0-9]{8}$')
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date - keep LOOP
      EXECUTE format('DROP TABLE %I', part);
    END LOOP;
    EXECUTE format('DELETE FROM %I WHERE at < now() - make_interval(days => $1)', base || '_default') USING keep;
  END LOOP;
END $$;
REVOKE ALL ON FUNCTION trace_partitions(int, text) FROM PUBLIC;
