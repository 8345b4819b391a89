#include "store/notify.h"
#include "base/log.h"
#include "base/strbuf.h"

#include <assert.h>

#define BUCKETS 1024
#define PAUSE_MS 5     /* between two NOTIFYs */
#define GATHER_MAX 180 /* mailboxes of one NOTIFY: 41 bytes each, of 7,900 */

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

/* ---- hearing ---- */

static void tell(struct notify_watch *w, int64_t modseq)
{
    if (modseq == 0)
        w->dirty = true;
    else
        w->news = MAX(w->news, modseq);
    if (w->sleeper != NULL)
        coroutine_wake(w->sleeper);
}

static void tell_mailbox(int64_t mailbox_id, int64_t modseq)
{
    for (struct notify_watch *w = *bucket_of(mailbox_id); w != NULL; w = w->next) {
        if (w->mailbox_id == mailbox_id)
            tell(w, modseq);
    }
}

static void tell_all(void)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct notify_watch *w = buckets[i]; w != NULL; w = w->next)
            tell(w, 0);
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
        uint64_t id, modseq = 0;
        struct str head;

        if (!str_split(&piece, ':', &head) || !str_u64(head, INT64_MAX, &id) ||
            (piece.len > 0 && !str_u64(piece, INT64_MAX, &modseq))) {
            tell_all();
            return;
        }
        tell_mailbox((int64_t)id, (int64_t)modseq);
    }
}

void notify_init(struct db *db)
{
    db_listen(db, "mail", notify_receive, NULL);
}

/* ---- telling ---- */

static struct {
    struct db *db;
    struct {
        int64_t mailbox_id, modseq;
    } v[GATHER_MAX];
    size_t n;
    bool all; /* more than that: everyone looks */
    bool sending;
} gathered;

static void add_piece(struct strbuf *b, int64_t mailbox_id, int64_t modseq)
{
    (void)strbuf_addf(b, "%s%lld", b->len > 0 ? "," : "", (long long)mailbox_id);
    if (modseq != 0)
        (void)strbuf_addf(b, ":%lld", (long long)modseq);
}

/* Ends when nothing has gathered for a while. */
static void send_gathered(void *arg UNUSED)
{
    static const struct db_stmt stmt = { "notify_mail", "SELECT pg_notify('mail', $1)" };

    while (gathered.n > 0 || gathered.all) {
        CLEANUP(strbuf_release) struct strbuf b = { 0 };
        struct db_param param;

        for (size_t i = 0; i < gathered.n && !gathered.all; i++)
            add_piece(&b, gathered.v[i].mailbox_id, gathered.v[i].modseq);
        gathered.n = 0;
        gathered.all = false;
        param = db_text(b.len > 0 ? strbuf_str(&b) : STR(""));
        if (db_query(gathered.db, &stmt, &param, 1, NULL) != RES_OK)
            log_debug("notify-lost"); /* who listens will have lost the database, too, and looks when it is back */
        (void)coroutine_sleep(PAUSE_MS);
    }
    gathered.sending = false;
}

static void gather(int64_t mailbox_id, int64_t modseq)
{
    for (size_t i = 0; i < gathered.n; i++) {
        if (gathered.v[i].mailbox_id != mailbox_id)
            continue;
        gathered.v[i].modseq = modseq == 0 || gathered.v[i].modseq == 0 ? 0 : MAX(gathered.v[i].modseq, modseq);
        return;
    }
    if (gathered.n == GATHER_MAX) {
        gathered.all = true;
        return;
    }
    gathered.v[gathered.n].mailbox_id = mailbox_id;
    gathered.v[gathered.n++].modseq = modseq;
}

void notify_changed(struct db *db, int64_t mailbox_id, int64_t modseq)
{
    tell_mailbox(mailbox_id, modseq);
    gathered.db = db;
    gather(mailbox_id, modseq);
    if (!gathered.sending) /* without a stack to spare the next change tries again */
        gathered.sending = coroutine_spawn("notify", send_gathered, NULL) != NULL;
}
