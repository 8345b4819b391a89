-- A person's own mail: what came for the account. What it sent has trace_account.
CREATE INDEX trace_recipient_account ON trace_recipient (account_id, at, trace_id) WHERE account_id IS NOT NULL;
