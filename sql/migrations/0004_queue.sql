-- 0004_queue: what an administrator does to the queue can be taken back; mail that goes another way; destinations that pause;
-- rules that hold new mail; long work in pieces.

-- ---------------------------------------------------------------- undo
CREATE TABLE queue_undo (         -- an action on messages, as long as it can be taken back, and an hour more
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(), until timestamptz NOT NULL DEFAULT now() + interval '60 seconds',
  action text NOT NULL, actor text NOT NULL, reason text,
  changed bigint NOT NULL DEFAULT 0,             -- messages
  undone boolean NOT NULL DEFAULT false);
CREATE INDEX queue_undo_until ON queue_undo (until);

-- queue_recipient.state: 2 is deleted at due_at, 4 is returned to its sender then; until then neither is claimed.
-- queue_recipient.destination: '.return' is what goes back to its sender now; "[host]:port" and "host:port" are routes.
ALTER TABLE queue_recipient ADD undo_id bigint,  -- the last action on it that can be taken back; a claim ends that
  ADD was_state smallint, ADD was_due_at timestamptz, ADD was_destination text,   -- what it was before that action
  ADD home text;                                 -- its own destination, while it goes another way; NULL: it does not
CREATE INDEX queue_recipient_undo ON queue_recipient (undo_id, queue_id) WHERE undo_id IS NOT NULL;
CREATE INDEX queue_removing ON queue_recipient (due_at) WHERE state IN (2, 4);
UPDATE queue_recipient r SET home = r.destination, destination = '.return' FROM queue_message m
  WHERE m.id = r.queue_id AND m.expires_at < m.received_at;             -- how a bounce was marked before

-- ---------------------------------------------------------------- destinations
ALTER TABLE queue_destination ADD paused_until timestamptz,             -- not claimed until then; 'infinity': until it is resumed
  ADD paused_at timestamptz, ADD paused_by text, ADD paused_reason text,
  ADD version bigint NOT NULL DEFAULT 0;                                -- of what an administrator says
CREATE INDEX queue_held ON queue_recipient (destination) WHERE state = 1;

-- ---------------------------------------------------------------- rules that hold new mail
CREATE TABLE queue_hold_rule (    -- what is put into the queue while the rule is in force is held, if one member matches
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sender text, sender_domain text, destination text,                    -- lower case; one of them
  until timestamptz,                                                    -- NULL: until it is removed
  reason text, created_at timestamptz NOT NULL DEFAULT now(), created_by text NOT NULL,
  CHECK (num_nonnulls(sender, sender_domain, destination) = 1));

-- ---------------------------------------------------------------- long work in pieces
CREATE TABLE operation (          -- an action on more messages than one transaction should hold
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  action smallint NOT NULL,                      -- enum queue_action
  actor text NOT NULL, reason text, at timestamptz, route text,         -- as in the request
  total bigint NOT NULL, done bigint NOT NULL DEFAULT 0, changed bigint NOT NULL DEFAULT 0, skipped bigint NOT NULL DEFAULT 0,
  state smallint NOT NULL DEFAULT 0,             -- 0 running, 1 done, 2 cancelled
  undo_id bigint,
  created_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz);
CREATE TABLE operation_chunk (    -- what is left of it: a row goes with the transaction that does its messages
  operation_id bigint NOT NULL REFERENCES operation ON DELETE CASCADE, n int NOT NULL, ids bigint[] NOT NULL,
  PRIMARY KEY (operation_id, n));
