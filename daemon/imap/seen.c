#include "imap/seen.h"
#include "imap/event.h"
#include "imap/stored.h"

#include <stdlib.h>

int64_t seen_deadline(const struct imap_session *s)
{
    return s->nseen > 0 ? s->seen_by : NO_DEADLINE;
}

void seen_add(struct imap_session *s, size_t index)
{
    struct view_entry *e = &s->view->v[index];

    if (s->nseen == SEEN_MAX)
        seen_write(s); /* the view stays as long and in the same order */
    if (s->seen == NULL) {
        s->seen = calloc(SEEN_MAX, sizeof(*s->seen));
        if (s->seen == NULL)
            abort();
    }
    if (s->nseen == 0)
        s->seen_by = deadline_in(SEEN_MS);
    s->seen[s->nseen++] = e->uid;
    e->flags |= FLAG_SEEN;
}

void seen_write(struct imap_session *s)
{
    static const struct message_change change = { .set = FLAG_SEEN, .unchanged_since = -1 };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct message_stored_list list = { 0 };
    size_t n = s->nseen;

    if (n == 0)
        return;
    s->nseen = 0;
    if (message_store(s->db, &s->who, s->view->mailbox_id, s->seen, n, &change, &a, &list) != RES_OK)
        s->watch.dirty = true; /* the view says more than is true: it is read again */
    for (size_t i = 0; i < list.n; i++)
        (void)view_put(s->view, &list.v[i].state, true);
    (void)session_changed(s, list.modseq_before, list.modseq);
    free(s->seen);
    s->seen = NULL;
    if (list.scripted)
        event_flags(s, &list);
}
