-- Searching the queue, as the trace (0007): addresses whole, by local-part ("joe@") and by domain ("@example.net"), Message-ID,
-- any part of a subject.
CREATE INDEX queue_message_sender_local ON queue_message (substring(lower(reverse_path) from '^.*@'), id);
CREATE INDEX queue_message_sender_domain ON queue_message (substring(lower(reverse_path) from '@[^@]*$'), id);
CREATE INDEX queue_message_message_id ON queue_message (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX queue_message_subject ON queue_message USING gin (lower(subject) trgm.gin_trgm_ops);
CREATE INDEX queue_recipient_local ON queue_recipient (substring(lower(recipient) from '^.*@'), queue_id);
CREATE INDEX queue_recipient_domain ON queue_recipient (substring(lower(recipient) from '@[^@]*$'), queue_id);
