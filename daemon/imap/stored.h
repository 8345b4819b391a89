/* imap/stored.h - small helpers of the commands that change messages. */
#pragma once
#include "imap/session.h"
#include "store/message_write.h"

/* The UIDs of the messages that are not known to be gone, ascending. */
size_t spans_uids(const struct view *view, struct arena *a, const struct view_spans *spans, int64_t **ret_uids);

/* Do the flags after the change differ from what the client must think they are? */
bool stored_surprises(const struct view *view, size_t index, const struct message_stored *m,
                      const struct message_change *change);

/* Reads keyword names again when the list holds numbers without name; tells the client. */
enum result stored_know_keywords(struct imap_session *s, const struct message_stored_list *list) SUSPENDS NODISCARD;

/* Expunges the messages that the view knows to be \Deleted, all or those of the set; they are marked gone in it.
 * *ret_current: certainly the view knew them all. */
enum result expunge_deleted(struct imap_session *s, const struct view_spans *only, bool *ret_current)
    SUSPENDS NODISCARD;
