/* imap/notify.h - which sessions of this process want to hear of a mailbox: NOTIFY "mail" wakes them. */
#pragma once
#include "db/db.h"
#include "io/coroutine.h"

struct notify_watch {
    struct notify_watch *next, **link;
    int64_t mailbox_id;
    bool dirty;                 /* something may have happened in the mailbox */
    struct coroutine *sleeper;  /* to be woken then; NULL: it will look by itself */
};

/* Listens for the life of the process. */
void notify_init(struct db *db);
/* The watch must stay where it is until notify_remove (which takes an unused, zeroed one, too). */
void notify_add(struct notify_watch *w, int64_t mailbox_id);
void notify_remove(struct notify_watch *w);
/* What db_listen calls: mailbox ids in decimal, comma-separated; STR_NULL, empty or malformed: everyone looks. */
void notify_receive(void *arg, struct str payload);
