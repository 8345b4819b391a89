-- The control plane's second half begins: answers that are given again, a log that is searched.

-- Scripts of the server, asked for with every message.
CREATE INDEX sieve_script_server ON sieve_script (place) WHERE account_id IS NULL AND domain_id IS NULL AND active;

-- Answers to requests that came with an Idempotency-Key, for 24 hours.
CREATE TABLE idempotency (
  hash bytea PRIMARY KEY,                        -- SHA-256 of who asked and his key
  request bytea NOT NULL,                        -- SHA-256 of what was asked
  made_at timestamptz NOT NULL DEFAULT now(),
  answer bytea);                                 -- sealed with the key, which is not kept; NULL: it is still being worked on
CREATE INDEX idempotency_made ON idempotency (made_at);

CREATE INDEX audit_objects ON audit USING gin (objects);
CREATE INDEX audit_actor ON audit ((actor->>'name'), id);
CREATE INDEX audit_action ON audit (action, id);
CREATE INDEX audit_at ON audit (at);

-- What the last look at a domain's records found.
CREATE TABLE domain_dns (
  domain_id bigint PRIMARY KEY REFERENCES domain ON DELETE CASCADE,
  checked_at timestamptz NOT NULL DEFAULT now(),
  found jsonb NOT NULL);                         -- the records of the answer, as they were told
