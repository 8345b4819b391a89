-- People: app passwords, freezing, sessions of mail programs, two-step sign-in, sign-ins that are remembered.

-- ---------------------------------------------------------------- app passwords
-- credential of kind 1: the SHA-256 in hex of 20 random letters, the protocols it is for.
ALTER TABLE credential ADD last_used_protocol text, ADD last_used_ip inet;

-- ---------------------------------------------------------------- freezing
-- state 2; it stands beside a suspension, which state_before then leads back to.
ALTER TABLE account ADD frozen_at timestamptz, ADD frozen_by text, ADD frozen_reason text,
  ADD frozen_before smallint CHECK (frozen_before IN (0, 1));         -- what it returns to
UPDATE account SET frozen_at = coalesce(state_at, now()), frozen_before = 1 WHERE state = 2 OR state_before = 2;
ALTER TABLE account ADD CHECK ((frozen_at IS NULL) = (frozen_before IS NULL));

-- ---------------------------------------------------------------- sessions
ALTER TABLE session ADD id bigint GENERATED ALWAYS AS IDENTITY UNIQUE;   -- what people see instead of the hash
ALTER TABLE account ADD sessions_from timestamptz;       -- those of mail programs that began before are over
-- Who is signed in by IMAP, POP3, submission and ManageSieve.  Not logged: each process writes what it serves again when
-- its rows are gone.
CREATE UNLOGGED TABLE presence (                 -- a process that serves mail programs
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  node text NOT NULL, process text NOT NULL,
  seen_at timestamptz NOT NULL DEFAULT now(),    -- old: the process, or its node, is gone
  UNIQUE (node, process));
CREATE UNLOGGED TABLE connection (
  presence_id bigint NOT NULL REFERENCES presence ON DELETE CASCADE,
  n bigint NOT NULL,                             -- counted by the process
  id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  account_id bigint NOT NULL,
  protocol text NOT NULL,
  ip inet,
  began_at timestamptz NOT NULL,
  ending boolean NOT NULL DEFAULT false,         -- somebody wants it to end
  PRIMARY KEY (presence_id, n));
CREATE INDEX connection_account ON connection (account_id);

-- ---------------------------------------------------------------- two-step sign-in (RFC 6238)
-- credential of kind 2: the key in hex; with expires_at it is not confirmed yet.  Of kind 3: the SHA-256 in hex of a recovery
-- code, which goes when it is used.
ALTER TABLE credential ADD step bigint;                  -- the last time step whose code was used: each counts once
CREATE UNIQUE INDEX credential_totp ON credential (account_id) WHERE kind = 2;
ALTER TABLE account ADD totp_at timestamptz;             -- since when it is on
ALTER TABLE session ADD code_due boolean NOT NULL DEFAULT false,      -- the password was right, the code is still to come
  ADD tries smallint NOT NULL DEFAULT 0;                 -- of the code

-- ---------------------------------------------------------------- sign-ins of 30 days
-- One row an hour, account, protocol, result and network: a flood is counted, not stored.
CREATE TABLE sign_in_log (
  account_id bigint NOT NULL,
  hour timestamptz NOT NULL,
  protocol text NOT NULL,
  result smallint NOT NULL,                      -- 0 ok, 1 wrong password, 2 wrong code, 3 right password, the code was due
  network cidr NOT NULL,                         -- /24 or /48; 0.0.0.0/0: many, or none
  ip inet,                                       -- the last one
  first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
  count bigint NOT NULL,
  PRIMARY KEY (account_id, hour, protocol, result, network));
CREATE INDEX sign_in_log_hour ON sign_in_log (hour);
