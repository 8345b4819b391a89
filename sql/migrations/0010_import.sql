-- An import of accounts is an operation without chunks: its lines are rows.  No password of the file is among them: the
-- process that took the file has those, and a line that is taken up without them gets its account a one-time link.
CREATE TABLE import (
  operation_id bigint PRIMARY KEY REFERENCES operation ON DELETE CASCADE,
  caller text NOT NULL,                          -- JSON: on whose behalf, with the rights of that moment
  updates boolean NOT NULL,                      -- accounts that are there are changed
  created bigint NOT NULL DEFAULT 0, updated bigint NOT NULL DEFAULT 0, unchanged bigint NOT NULL DEFAULT 0,
  failed bigint NOT NULL DEFAULT 0,              -- lines
  worker text NOT NULL, leased_until timestamptz NOT NULL,  -- which process does it; whoever comes later may go on
  turn_at timestamptz NOT NULL DEFAULT now());   -- when it was its turn; several take turns
CREATE TABLE import_line (
  operation_id bigint NOT NULL REFERENCES import ON DELETE CASCADE, line int NOT NULL, address text NOT NULL,
  body text,                                     -- JSON; NULL once the line is done
  with_password boolean NOT NULL,
  outcome smallint,                              -- enum import_outcome; set in the transaction that makes or changes the account
  done boolean NOT NULL DEFAULT false,
  invited boolean NOT NULL DEFAULT false,        -- made without a password: a one-time link may be wanted
  code text NOT NULL DEFAULT '', detail text NOT NULL DEFAULT '',  -- why it failed, or what is missing; else empty
  PRIMARY KEY (operation_id, line));
CREATE INDEX import_line_waiting ON import_line (operation_id, line) WHERE NOT done;
