/* store/notify.h - news of mailboxes: who in this process wants to hear of one, and how everybody is told.
 *
 * Whoever changed a mailbox says so behind the commit, with the MODSEQ that the change got.  The watches of this process
 * hear of it at once, other processes and nodes by NOTIFY "mail".  A view that has this MODSEQ already has no news, so
 * what a session did itself does not make it look.  News may be lost with a process or a connection: sessions also look
 * by themselves. */
#pragma once
#include "db/db.h"
#include "io/coroutine.h"

struct notify_watch {
    struct notify_watch *next, **link;
    int64_t mailbox_id;
    int64_t news;               /* the latest MODSEQ that was heard of */
    bool dirty;                 /* something may have happened, of whatever MODSEQ */
    struct coroutine *sleeper;  /* to be woken then; NULL: it will look by itself */
};

/* Listens for the life of the process. */
void notify_init(struct db *db);
/* The watch must stay where it is until notify_remove (which takes an unused, zeroed one, too). */
void notify_add(struct notify_watch *w, int64_t mailbox_id);
void notify_remove(struct notify_watch *w);

/* The change is committed; modseq 0: unknown.  Does not wait: NOTIFY goes out from a coroutine of its own, at most one
 * every few milliseconds, with all changes that have gathered. */
void notify_changed(struct db *db, int64_t mailbox_id, int64_t modseq);

/* What db_listen calls: "mailbox id" or "mailbox id:MODSEQ", comma-separated; STR_NULL, empty or malformed: everyone
 * looks. */
void notify_receive(void *arg, struct str payload);
