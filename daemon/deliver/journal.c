#include "deliver/journal.h"
#include "base/encode.h"
#include "base/log.h"
#include "store/queue.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define WAIT_MS 250
#define BATCH 256
#define MOST 8192 /* that wait */
#define IDS 64
#define NETWORKS 256

struct network { /* a slot: networks that share one are counted together */
    int64_t second;
    unsigned stored, counted;
    char client[INET6_ADDRSTRLEN]; /* one of them */
    char listener[16];
};

struct journal {
    struct db *db;
    struct coroutine *writer;
    struct arena arena; /* of those that wait */
    struct trace_note notes[MOST];
    size_t n;
    uint64_t dropped;
    struct network networks[NETWORKS];
    unsigned counting; /* slots with counted refusals */
    int64_t second;
    unsigned refusals; /* in this second */
    bool flushing;
};

static struct trace_note_recipient *copy_recipients(struct arena *a, const struct trace_note *note)
{
    struct trace_note_recipient *v = arena_array(a, struct trace_note_recipient, note->n_recipients);

    for (size_t i = 0; i < note->n_recipients; i++) {
        v[i] = note->recipients[i];
        v[i].address = arena_str(a, v[i].address);
        v[i].enhanced = arena_str(a, v[i].enhanced);
        v[i].reply = arena_str(a, v[i].reply);
        v[i].reason = arena_str(a, v[i].reason);
        v[i].mailbox = arena_str(a, v[i].mailbox);
        v[i].rule = arena_str(a, v[i].rule);
    }
    return v;
}

/* Text for a column: always valid. */
static struct str text(struct arena *a, struct str s)
{
    return str_is_utf8(s) ? arena_str(a, s) : STR("");
}

void journal_add(struct journal *j, const struct trace_note *note)
{
    struct trace_note *mine = &j->notes[j->n];
    struct arena *a = &j->arena;

    if (j->n == MOST) {
        j->dropped++;
        return;
    }
    *mine = *note;
    mine->sender = text(a, note->sender);
    mine->subject = text(a, note->subject);
    mine->message_id = text(a, note->message_id);
    mine->client = arena_str(a, note->client);
    mine->session = arena_str(a, note->session);
    mine->listener = arena_str(a, note->listener);
    mine->tls = arena_str(a, note->tls);
    mine->recipients = copy_recipients(a, note);
    j->n++;
    if (j->n == 1 || j->n % BATCH == 0)
        coroutine_wake(j->writer);
}

/* ---- refusals from one network ---- */

static void copy_text(char *to, size_t size, struct str s)
{
    size_t n = MIN(s.len, size - 1);

    memcpy(to, s.p != NULL ? s.p : "", n);
    to[n] = '\0';
}

/* The /24 or /64 that the client is in; one for all of this machine, who have no address. */
static struct network *network_of(struct journal *j, const struct trace_note *note)
{
    unsigned char bytes[sizeof(struct in6_addr)] = { 0 };
    char text[INET6_ADDRSTRLEN];
    size_t n = 0;

    copy_text(text, sizeof(text), note->client);
    if (inet_pton(AF_INET, text, bytes) == 1)
        n = 3;
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        n = 8;
    return &j->networks[str_hash(str_of((const char *)bytes, n)) % NETWORKS];
}

/* One note stands for all that were counted in the slot's second. */
static void tell_counted(struct journal *j, struct network *w)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct trace_note_recipient none = {
        .address = STR(""), .outcome = TRACE_REFUSED, .code = 0, .enhanced = STR(""), .reason = STR("slow-down"),
        .reply = arena_printf(&a, "%u more refusals in this second are only counted", w->counted) };

    journal_add(j, &(struct trace_note){ .at_us = wall_us(), .direction = TRACE_IN, .sender = STR(""), .subject = STR_NULL,
                                         .size = -1, .client = str_c(w->client), .session = STR(""),
                                         .listener = str_c(w->listener), .recipients = &none, .n_recipients = 1 });
    w->counted = 0;
    j->counting--;
}

/* Those whose second is over. */
static void tell_all_counted(struct journal *j, int64_t second)
{
    for (size_t i = 0; i < NETWORKS && j->counting > 0; i++) {
        if (j->networks[i].counted > 0 && j->networks[i].second != second)
            tell_counted(j, &j->networks[i]);
    }
}

void journal_refuse(struct journal *j, const struct trace_note *note)
{
    int64_t second = mono_ms() / 1000;
    struct network *w = network_of(j, note);

    if (w->second != second) {
        if (w->counted > 0)
            tell_counted(j, w);
        w->second = second;
        w->stored = 0;
    }
    if (w->stored == JOURNAL_REFUSALS_OF_A_NETWORK) {
        if (w->counted++ == 0) {
            j->counting++;
            copy_text(w->client, sizeof(w->client), note->client);
            copy_text(w->listener, sizeof(w->listener), note->listener);
            coroutine_wake(j->writer);
        }
        return;
    }
    w->stored++;
    if (second != j->second) {
        j->second = second;
        j->refusals = 0;
    }
    if (++j->refusals > JOURNAL_REFUSALS_A_SECOND) {
        j->dropped++;
        return;
    }
    journal_add(j, note);
}

/* Refusals get their ids here. */
static enum result give_ids(struct journal *j, struct trace_note *v, size_t n)
{
    int64_t ids[IDS];
    size_t left = 0;

    for (size_t i = 0; i < n; i++) {
        if (v[i].id != 0)
            continue;
        if (left == 0) {
            enum result r = queue_ids(j->db, IDS, ids);

            if (r != RES_OK)
                return r;
            left = IDS;
        }
        v[i].id = ids[IDS - left--];
    }
    return RES_OK;
}

/* Writes those that wait now; what comes meanwhile waits in a fresh arena. */
static enum result write_all(struct journal *j)
{
    CLEANUP(arena_releasep) struct arena a = j->arena;
    size_t n = j->n;
    struct trace_note *v = arena_array(&a, struct trace_note, n);
    enum result r = RES_OK;

    memcpy(v, j->notes, n * sizeof(*v));
    j->arena = (struct arena){ 0 };
    j->n = 0;
    r = give_ids(j, v, n);
    for (size_t i = 0; i < n && r == RES_OK; i += BATCH)
        r = trace_write(j->db, v + i, MIN(n - i, (size_t)BATCH));
    if (r != RES_OK)
        j->dropped += n;
    return r;
}

void journal_flush(struct journal *j)
{
    if (j->n > 0 && !j->flushing) {
        j->flushing = true;
        (void)!write_all(j);
        j->flushing = false;
    }
    if (j->dropped > 0)
        log_warn("trace-dropped", F_INT("notes", j->dropped));
    j->dropped = 0;
}

static void run(void *arg)
{
    struct journal *j = arg;

    for (;;) {
        int64_t until;

        if (j->n == 0 && j->counting == 0)
            coroutine_wait(NO_DEADLINE, false);
        until = deadline_in(WAIT_MS);
        while (j->n < BATCH && loop_now() < until)
            coroutine_wait(until, false);
        tell_all_counted(j, mono_ms() / 1000);
        journal_flush(j);
    }
}

struct journal *journal_new(struct db *db)
{
    struct journal *j = calloc(1, sizeof(*j));

    if (j == NULL)
        abort();
    j->db = db;
    j->writer = coroutine_spawn("journal", run, j);
    return j;
}
