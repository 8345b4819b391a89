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
