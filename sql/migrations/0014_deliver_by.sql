-- Until when a message is to be delivered, and by-mode and by-trace, as MAIL gave them (RFC 2852, 4).
ALTER TABLE queue_message ADD deliver_by timestamptz, ADD by_mode text CHECK (by_mode IN ('N', 'R', 'NT', 'RT')),
  ADD CHECK ((deliver_by IS NULL) = (by_mode IS NULL));
