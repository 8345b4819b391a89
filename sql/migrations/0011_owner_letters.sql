-- Letters to the owner of an account about its sign-in: auth writes what is to be told in the transaction of the change,
-- relay makes the letter of it.  A row is kept for a day after that, so that letters can be counted.
CREATE TABLE owner_letter (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
  kind smallint NOT NULL,                        -- 0 password changed, 1 two-step sign-in off, 2 app password made, 3 new network
  at timestamptz NOT NULL DEFAULT now(),
  name text,                                     -- kind 2
  protocol text, ip inet,                        -- kind 3
  is_last boolean NOT NULL,                      -- no further one of its kind is written today
  queue_id bigint);                              -- NULL: the letter is still to be made
CREATE INDEX owner_letter_due ON owner_letter (id) WHERE queue_id IS NULL;
CREATE INDEX owner_letter_account ON owner_letter (account_id, kind, at);

-- The networks from which an account has signed in, of the last 500; nobody is told of these again.
CREATE TABLE account_network (
  account_id bigint NOT NULL REFERENCES account ON DELETE CASCADE,
  network cidr NOT NULL,                         -- as in sign_in_log
  seen_at timestamptz NOT NULL,                  -- to the day
  PRIMARY KEY (account_id, network));
INSERT INTO account_network (account_id, network, seen_at)
  SELECT l.account_id, l.network, max(l.last_at) FROM sign_in_log l JOIN account a ON a.id = l.account_id
  WHERE l.result = 0 AND l.network <> '0.0.0.0/0' GROUP BY 1, 2;
