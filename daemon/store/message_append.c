/* APPEND (store/message_write.h): many sessions' messages in one transaction and one round trip.
 *
 * There is no committer: who comes while nobody commits leads the next batch, all that has gathered; the others wait.
 * Each item brings its own token, lock and statement.  An account whose lock is held by somebody else delays only its
 * own mail: the item finds out without waiting, and goes alone.  After an error each item of the batch goes alone.
 * Locks are taken in the order of accounts, as deliver/ does. */
#include "store/message_write.h"

#include "base/fault.h"
#include "config/settings.h"
#include "io/coroutine.h"
#include "store/annotation.h"
#include "store/body.h"
#include "store/ids.h"
#include "store/notify.h"
#include "store/quota.h"

#include <assert.h>
#include <stdlib.h>

#define BATCH_MESSAGES 64
#define BATCH_BYTES ((size_t)4 << 20)
#define ON_LOOP_MAX ((size_t)128 << 10) /* packing more would hold the loop up */
#define INLINE_MAX ((size_t)1 << 20)    /* raw bytes that travel in the main statement */
#define FRAMES_A_STATEMENT 4
#define PARAMS 20
#define CALLS 3 /* of an item: token, lock, message */

struct item {
    const struct principal *who;
    const struct message_append *m;
    struct arena arena;
    struct body_shape shape;
    struct str *frames; /* packed; none when large */
    size_t nframes;
    bool large;
    int64_t email_id;
    struct db_param params[PARAMS];
    struct message_appended appended;
    enum result result;
    bool done, alone; /* alone: it has to go by itself */
    struct coroutine *waiter;
    struct item *next;
};

static const struct db_stmt token_stmt = { "message_append_token", "SELECT set_config('correio.token', $1, true)" };

/* '' when somebody else holds the lock; the statement behind it has a younger snapshot. */
#define LOCK_SQL(how)                                                                                              \
    "SELECT set_config('correio.locked', coalesce((SELECT account_id::text FROM account_state WHERE account_id = $1"   \
    " FOR NO KEY UPDATE" how "), ''), true)"
static const struct db_stmt lock_stmt = { "message_append_lock", LOCK_SQL(" SKIP LOCKED") };
static const struct db_stmt lock_alone_stmt = { "message_append_lock_alone", LOCK_SQL("") };

/* No row: not locked, or no such mailbox.  A row without uid: over quota. */
#define APPEND_SQL(room)                                                                                           \
    "WITH t AS MATERIALIZED (SELECT id, uidvalidity, highestmodseq FROM mailbox WHERE account_id = $1 AND name = $2" \
    "   AND current_setting('correio.locked') = $1::bigint::text),"                                                \
    " a AS (UPDATE account_state c SET modseq = modseq + 1, used_bytes = used_bytes + $4,"                         \
    "     used_messages = used_messages + 1"                                                                       \
    "   WHERE account_id = $1 AND " room " AND EXISTS (SELECT FROM t)"                                             \
    "   RETURNING modseq, " QUOTA_LEVELS "),"                                                                      \
    " q AS (" QUOTA_NOTE "),"                                                                                      \
    " m AS (UPDATE mailbox b SET uidnext = b.uidnext + 1, highestmodseq = a.modseq, messages = b.messages + 1,"    \
    "     bytes = b.bytes + $4, unseen = b.unseen + (($5 & 1) = 0)::int, deleted = b.deleted + (($5 & 8) <> 0)::int" \
    "   FROM a, t WHERE b.account_id = $1 AND b.id = t.id RETURNING b.id, b.uidnext - 1 AS uid, a.modseq),"        \
    " e AS (INSERT INTO email (account_id, id, size, header_size, frames, thread_id, sent_at, message_id, refs,"   \
    "     base_subject, sort_from, sort_to, sort_cc, envelope, bodystructure, parts)"                              \
    "   SELECT $1, $3, $4, $8, $9, CASE WHEN cardinality($12::text[]) = 0 THEN $3"                                 \
    "     ELSE coalesce(thread_find($1, $12), $3) END, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19 FROM m),"  \
    " b AS (INSERT INTO blob (account_id, email_id, n, data)"                                                      \
    "   SELECT $1, $3, f.n - 1, f.data FROM m, unnest($20::bytea[]) WITH ORDINALITY AS f(data, n)),"               \
    " i AS (INSERT INTO message (account_id, mailbox_id, uid, email_id, modseq, internaldate, size, flags, keywords)" \
    "   SELECT $1, m.id, m.uid, $3, m.modseq, $7, $4, $5, $6 FROM m)"                                              \
    " SELECT t.id, t.uidvalidity, t.highestmodseq, m.uid, m.modseq, " ANNOTATION_SCRIPTED("t.id") " FROM t LEFT JOIN m ON true"
static const struct db_stmt append_stmt = { "message_append", APPEND_SQL(QUOTA_ROOM("$4", "1", "0")) };
static const struct db_stmt append_apart_stmt = { "message_append_apart",
    APPEND_SQL(QUOTA_ROOM_APART("$4", "1", "0", "(SELECT id FROM t)")) };

static void appended_from_row(const struct db_rows *rows, struct message_appended *ret)
{
    *ret = (struct message_appended){ .mailbox_id = db_get_int(rows, 0, 0),
                                      .uidvalidity = db_get_int(rows, 0, 1),
                                      .modseq_before = db_get_int(rows, 0, 2),
                                      .uid = db_get_int(rows, 0, 3),
                                      .modseq = db_get_int(rows, 0, 4),
                                      .scripted = db_get_int(rows, 0, 5) != 0 };
}

/* ---- one item ---- */

static void pack(void *arg)
{
    struct item *it = arg;

    body_frames(&it->arena, it->m->message, it->m->digest->header_size, &it->frames, &it->nframes);
}

static void bind_params(struct item *it)
{
    const struct message_append *m = it->m;
    const struct mail_digest *d = m->digest;
    struct db_param *q = it->params;

    *q++ = db_int8(it->who->account_id);
    *q++ = db_text(m->mailbox);
    *q++ = db_int8(it->email_id);
    *q++ = db_int8((int64_t)it->shape.size);
    *q++ = db_int4(m->flags);
    *q = db_int4_array(&it->arena, m->keywords, m->nkeywords);
    if (m->nkeywords == 0)
        *q = (struct db_param){ .oid = q->oid, .len = -1 };
    q++;
    *q++ = db_time(m->internaldate_us);
    *q++ = db_int8((int64_t)it->shape.header_size);
    *q++ = db_int2((int16_t)it->shape.frames);
    *q++ = db_time(d->sent_at_us == MAIL_NO_DATE ? DB_NO_TIME : d->sent_at_us);
    *q++ = db_text(d->message_id);
    *q++ = db_text_array(&it->arena, d->refs, d->nrefs);
    *q++ = db_text(d->base_subject);
    *q++ = db_text(d->sort_from);
    *q++ = db_text(d->sort_to);
    *q++ = db_text(d->sort_cc);
    *q++ = db_bytea(d->envelope);
    *q++ = db_bytea(d->bodystructure);
    *q++ = db_bytea(d->parts);
    *q++ = db_bytea_array(&it->arena, it->frames, it->nframes);
    assert(q == it->params + PARAMS);
}

static enum result prepare(struct db *db, struct item *it)
{
    const struct message_append *m = it->m;
    enum result r;

    it->shape = body_shape_of(m->message.len, m->digest->header_size);
    if (it->shape.frames > INT16_MAX)
        return RES_LIMIT;
    r = ids_take_email(db, &it->email_id);
    if (r != RES_OK)
        return r;
    it->large = m->message.len > INLINE_MAX;
    if (m->message.len > ON_LOOP_MAX && !it->large)
        coroutine_work(pack, it);
    else if (!it->large)
        pack(it);
    bind_params(it);
    return RES_OK;
}

/* ---- a large one: the frames go before the lock, which is then held for a moment only ---- */

struct pack_job {
    struct arena *a;
    struct str message;
    const struct body_shape *shape;
    unsigned first, n;
    struct str frames[FRAMES_A_STATEMENT];
};

static void pack_some(void *arg)
{
    struct pack_job *job = arg;

    for (unsigned i = 0; i < job->n; i++) {
        uint64_t at, len;

        body_frame_range(job->shape, job->first + i, &at, &len);
        job->frames[i] = body_pack(job->a, str_sub(job->message, at, len));
    }
}

static enum result insert_frames(struct tx *tx, const struct item *it)
{
    static const struct db_stmt stmt = { "message_append_frames",
        "INSERT INTO blob (account_id, email_id, n, data) SELECT $1, $2, $3 + f.n - 1, f.data"
        " FROM unnest($4::bytea[]) WITH ORDINALITY AS f(data, n)" };

    for (unsigned first = 0; first < it->shape.frames; first += FRAMES_A_STATEMENT) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct pack_job job = { .a = &a, .message = it->m->message, .shape = &it->shape, .first = first,
                                .n = MIN(it->shape.frames - first, (unsigned)FRAMES_A_STATEMENT) };

        coroutine_work(pack_some, &job);
        const struct db_param params[] = { db_int8(it->who->account_id), db_int8(it->email_id), db_int8(first),
                                           db_bytea_array(&a, job.frames, job.n) };
        if (tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL) != RES_OK)
            return RES_TEMPFAIL;
    }
    return RES_OK;
}

/* ---- the transaction ---- */

static int by_account(const void *x, const void *y)
{
    const struct item *a = *(struct item *const *)x, *b = *(struct item *const *)y;

    if (a->who->account_id != b->who->account_id)
        return a->who->account_id < b->who->account_id ? -1 : 1;
    return (a->email_id > b->email_id) - (a->email_id < b->email_id);
}

/* Committed: what became of the item. */
static void note(struct item *it, const struct db_rows *lock, const struct db_rows *rows)
{
    if (db_get_str(lock, 0, 0).len == 0)
        it->result = RES_CANCELLED; /* busy */
    else if (db_count(rows) == 0)
        it->result = RES_NOTFOUND;
    else if (db_is_null(rows, 0, 3))
        it->result = RES_LIMIT;
    else
        it->result = RES_OK;
    if (it->result == RES_OK)
        appended_from_row(rows, &it->appended);
}

/* The connection broke at COMMIT: looks whether the message is there, and where. */
static enum result look(struct db *db, struct item *it)
{
    static const struct db_stmt stmt = { "message_append_look",
        "SELECT b.id, b.uidvalidity, 0::bigint, m.uid, m.modseq, " ANNOTATION_SCRIPTED("b.id") " FROM email e"
        " LEFT JOIN mailbox b ON b.account_id = $1 AND b.name = $3"
        " LEFT JOIN message m ON m.account_id = $1 AND m.email_id = $2 AND m.mailbox_id = b.id"
        " WHERE e.account_id = $1 AND e.id = $2" };
    const struct db_param params[] = { db_int8(it->who->account_id), db_int8(it->email_id), db_text(it->m->mailbox) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

    if (db_query_as(db, it->who->token, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK || db_count(&rows) == 0)
        return RES_TEMPFAIL;
    appended_from_row(&rows, &it->appended);
    return RES_OK;
}

static void settle(struct db *db, struct item **v, size_t n, int backend)
{
    enum result settled = db_settle_backend(db, backend);

    for (size_t i = 0; i < n; i++)
        v[i]->result = settled == RES_OK ? look(db, v[i]) : RES_TEMPFAIL;
}

/* RES_OK: each item has its result; RES_CANCELLED there: its account is busy (never with `wait`).  Otherwise nothing
 * was stored. */
static enum result commit(struct db *db, struct item **v, size_t n, bool wait)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct db_call *calls = arena_array(&a, struct db_call, n * CALLS);
    struct db_param *tokens = arena_array(&a, struct db_param, n);
    const struct db_stmt *append = settings_get()->quota_apart ? &append_apart_stmt : &append_stmt;
    const struct db_stmt *lock = wait ? &lock_alone_stmt : &lock_stmt;
    size_t ncalls = 0;
    enum result r;
    int backend;

    if (n > 1)
        qsort(v, n, sizeof(v[0]), by_account);
    if (tx_begin(db, v[0]->who->token, &tx) != RES_OK)
        return RES_TEMPFAIL;
    backend = tx_backend(tx);
    if (v[0]->large && insert_frames(tx, v[0]) != RES_OK)
        return RES_TEMPFAIL;
    for (size_t i = 0; i < n; i++) {
        tokens[i] = db_text(v[i]->who->token);
        if (i > 0 && !str_eq(v[i]->who->token, v[i - 1]->who->token)) /* the first one's came with BEGIN */
            calls[ncalls++] = (struct db_call){ .stmt = &token_stmt, .params = &tokens[i], .n = 1 };
        calls[ncalls++] = (struct db_call){ .stmt = lock, .params = v[i]->params, .n = 1 };
        calls[ncalls++] = (struct db_call){ .stmt = append, .params = v[i]->params, .n = PARAMS };
    }
    fault_point("append-commit");
    r = tx_batch_commit(&tx, calls, ncalls, NULL, 0, NULL);
    for (size_t i = 0, k = 0; i < n && r == RES_OK; i++, k++) {
        while (calls[k].stmt != append)
            k++;
        note(v[i], &calls[k - 1].rows, &calls[k].rows);
    }
    for (size_t i = 0; i < ncalls; i++)
        db_rows_free(&calls[i].rows);
    if (r == RES_CANCELLED) {
        settle(db, v, n, backend);
        r = RES_OK;
    }
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}

/* ---- gathering ---- */

static struct {
    struct item *first, **last;
    bool led; /* a batch is being committed */
} queue = { .last = &queue.first };

static size_t take_batch(struct item **v)
{
    size_t n = 0, bytes = 0;

    while (queue.first != NULL && n < BATCH_MESSAGES) {
        struct item *it = queue.first;

        bytes += it->m->message.len;
        if (n > 0 && bytes > BATCH_BYTES)
            break;
        queue.first = it->next;
        v[n++] = it;
    }
    if (queue.first == NULL)
        queue.last = &queue.first;
    return n;
}

static void lead(struct db *db)
{
    struct item *v[BATCH_MESSAGES];
    size_t n = take_batch(v);
    enum result r;

    queue.led = true;
    r = commit(db, v, n, false);
    queue.led = false;
    for (size_t i = 0; i < n; i++) {
        v[i]->alone = r == RES_OK ? v[i]->result == RES_CANCELLED : n > 1;
        v[i]->done = !v[i]->alone;
        if (r != RES_OK)
            v[i]->result = r;
        coroutine_wake(v[i]->waiter);
    }
    if (queue.first != NULL)
        coroutine_wake(queue.first->waiter); /* leads next, unless somebody else comes before */
}

static void go_together(struct db *db, struct item *it)
{
    *queue.last = it;
    queue.last = &it->next;
    while (!it->done && !it->alone) {
        if (queue.led)
            (void)coroutine_wait(NO_DEADLINE, false);
        else
            lead(db);
    }
}

static void go_alone(struct db *db, struct item *it)
{
    enum result r = commit(db, &it, 1, true);

    if (r != RES_OK)
        it->result = r;
}

enum result message_append(struct db *db, const struct principal *who, const struct message_append *m,
                           struct message_appended *ret)
{
    struct item it = { .who = who, .m = m, .waiter = coroutine_self() };
    enum result r = prepare(db, &it);

    if (r == RES_OK) {
        it.alone = it.large;
        if (!it.alone)
            go_together(db, &it);
        if (it.alone)
            go_alone(db, &it);
        r = it.result;
    }
    arena_reset(&it.arena);
    if (r != RES_OK)
        return r;
    if (it.appended.modseq != 0)
        notify_changed(db, it.appended.mailbox_id, it.appended.modseq);
    *ret = it.appended;
    return RES_OK;
}
