/* imap/event.h - scripts that run when messages were appended or copied, or their flags changed (imapsieve, RFC 6785).
 *
 * The change is made and stays made.  A script that fails, and whatever it decides that cannot be done, leaves the
 * message as it is; what it does itself is no event.  Called only for mailboxes that have a script (`scripted` of
 * store/message_write.h). */
#pragma once
#include "imap/session.h"
#include "store/message_write.h"

enum event_cause { EVENT_APPEND, EVENT_COPY };

/* New messages in the mailbox. */
void event_added(struct imap_session *s, enum event_cause cause, int64_t mailbox_id, struct str mailbox, const int64_t *uids,
                 size_t n) SUSPENDS;
/* Those of the list that changed, of the selected mailbox. */
void event_flags(struct imap_session *s, const struct message_stored_list *list) SUSPENDS;
