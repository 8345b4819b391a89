#include "imap/notify.h"

#include <assert.h>

#define BUCKETS 1024

static struct notify_watch *buckets[BUCKETS];

static struct notify_watch **bucket_of(int64_t mailbox_id)
{
    return &buckets[(uint64_t)mailbox_id % BUCKETS];
}

void notify_add(struct notify_watch *w, int64_t mailbox_id)
{
    struct notify_watch **head = bucket_of(mailbox_id);

    assert(w->link == NULL);
    *w = (struct notify_watch){ .next = *head, .link = head, .mailbox_id = mailbox_id };
    if (w->next != NULL)
        w->next->link = &w->next;
    *head = w;
}

void notify_remove(struct notify_watch *w)
{
    if (w->link == NULL)
        return;
    *w->link = w->next;
    if (w->next != NULL)
        w->next->link = w->link;
    *w = (struct notify_watch){ 0 };
}

static void tell(struct notify_watch *w)
{
    w->dirty = true;
    if (w->sleeper != NULL)
        coroutine_wake(w->sleeper);
}

static void tell_all(void)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct notify_watch *w = buckets[i]; w != NULL; w = w->next)
            tell(w);
    }
}

void notify_receive(void *arg UNUSED, struct str payload)
{
    struct str piece;

    if (payload.len == 0) {
        tell_all();
        return;
    }
    while (str_split(&payload, ',', &piece)) {
        uint64_t id;

        if (!str_u64(piece, INT64_MAX, &id)) {
            tell_all();
            return;
        }
        for (struct notify_watch *w = *bucket_of((int64_t)id); w != NULL; w = w->next) {
            if (w->mailbox_id == (int64_t)id)
                tell(w);
        }
    }
}

void notify_init(struct db *db)
{
    db_listen(db, "mail", notify_receive, NULL);
}
