-- The newest of an outcome, of a direction: of what is rare there may be none for millions of messages.
CREATE INDEX trace_kind ON trace (outcome, direction, at);
