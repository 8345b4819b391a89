/* The transaction that accepts: lock the accounts, deliver, queue, commit, notify (docs/adr/0005). */
#include "store/accept.h"
#include "base/encode.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "config/settings.h"
#include "store/queue_internal.h"
#include "store/quota.h"
#include "store/sent.h"

#include <stdlib.h>
#include <string.h>

#define NOTICE_MAX 7900
#define DELIVER_PARAMS 24

/* Rows back: stored.  None: no such mailbox, or over quota; neighbours are unharmed.  $22: the email may be there already,
 * for another mailbox of the account. */
#define NEW_EMAIL "CASE WHEN $22 THEN NOT email_exists($1, $3) ELSE true END"
#define DELIVER_SQL(room)                                                                                          \
    "WITH a AS (UPDATE account_state c SET modseq = modseq + 1, used_bytes = used_bytes + $4, used_messages = used_messages + 1, " \
    "warned = coalesce($23, warned) "                                                                              \
    "WHERE account_id = $1 AND $1 = ANY (current_setting('correio.locked')::bigint[]) "                            \
    "AND CASE WHEN $23::smallint IS NULL THEN " room " ELSE warned < $23 END "                                     \
    "AND EXISTS (SELECT FROM mailbox WHERE account_id = $1 AND id = $2) RETURNING modseq, " QUOTA_LEVELS "), "     \
    "q AS (" QUOTA_NOTE "), "                                                                                      \
    "m AS (UPDATE mailbox b SET uidnext = b.uidnext + 1, highestmodseq = a.modseq, messages = b.messages + 1, "    \
    "bytes = b.bytes + $4, unseen = b.unseen + (($5 & 1) = 0)::int, deleted = b.deleted + (($5 & 8) <> 0)::int "   \
    "FROM a WHERE b.account_id = $1 AND b.id = $2 RETURNING b.uidnext - 1 AS uid, a.modseq), "                     \
    "e AS (INSERT INTO email (account_id, id, size, header_size, frames, received_as, thread_id, sent_at, message_id, refs, " \
    "base_subject, sort_from, sort_to, sort_cc, envelope, bodystructure, parts) "                                  \
    "SELECT $1, $3, $4, $8, $9, $10, CASE WHEN $13::text[] IS NULL THEN $3 ELSE coalesce(thread_find($1, $13), $3) END, " \
    "$11, $12, $13, $14, $15, $16, $17, $18, $19, $20 FROM m WHERE " NEW_EMAIL "), "                               \
    "b AS (INSERT INTO blob (account_id, email_id, n, data) SELECT $1, $3, f.n - 1, f.data FROM m, "               \
    "unnest($21::bytea[]) WITH ORDINALITY AS f(data, n) WHERE " NEW_EMAIL "), "                                    \
    "i AS (INSERT INTO message (account_id, mailbox_id, uid, email_id, modseq, internaldate, size, flags, keywords) " \
    "SELECT $1, $2, m.uid, $3, m.modseq, $7, $4, $5, $6 FROM m) "                                                  \
    "SELECT uid, modseq FROM m"
static const struct db_stmt deliver_stmt = { "deliver", DELIVER_SQL(QUOTA_ROOM("$4", "1", "$24")) };
static const struct db_stmt deliver_apart_stmt = { "deliver_apart", DELIVER_SQL(QUOTA_ROOM_APART("$4", "1", "$24", "$2")) };

/* The locks of all accounts of the batch, in order, and their names for the statements behind it in the same pipeline:
 * those have younger snapshots, so they see what was done before the lock was given. */
#define LOCK_SQL(how)                                                                                              \
    "SELECT locked, set_config('correio.locked', locked::text, true) FROM (SELECT coalesce(array_agg(account_id), '{}') "  \
    "AS locked FROM (SELECT account_id FROM account_state WHERE account_id = ANY ($1) ORDER BY account_id "        \
    "FOR NO KEY UPDATE" how ") l) a"
static const struct db_stmt lock_stmt = { "deliver_lock", LOCK_SQL(" SKIP LOCKED") };
static const struct db_stmt lock_alone_stmt = { "deliver_lock_alone", LOCK_SQL("") };
static const struct db_stmt timeout_stmt = { "deliver_timeout", "SET LOCAL lock_timeout = '5s'" };
static const struct db_stmt blob_stmt = { "deliver_blob",
    "INSERT INTO blob (account_id, email_id, n, data) VALUES ($1, $2, $3, $4)" };
static const struct db_stmt blob_copy_stmt = { "deliver_blob_copy", "SELECT blob_copy($1, $2, $3, $4)" };
static const struct db_stmt queue_blob_stmt = { "deliver_queue_blob",
    "INSERT INTO queue_blob (queue_id, n, data) VALUES ($1, $2, $3)" };
static const struct db_stmt email_exists_stmt = { "deliver_email_exists", "SELECT email_exists($1, $2)" };
static const struct db_stmt queue_exists_stmt = { "deliver_queue_exists",
    "SELECT EXISTS (SELECT FROM queue_message WHERE id = $1)" };

struct item { /* one mailbox entry to be made */
    struct accept_item *p;
    size_t target;
    int64_t account_id;
    struct db_param params[DELIVER_PARAMS];
};

struct batch {
    struct db *db;
    struct arena arena;
    struct accept_item **v;
    size_t n;
    struct item *items; /* by account_id: the order of locks */
    size_t n_items, n_marks;
    int backend;
    bool alone;
};

static struct accept_target *target_of(const struct item *it)
{
    return &it->p->m->targets[it->target];
}

static int by_account(const void *x, const void *y)
{
    const struct item *a = x, *b = y;

    if (a->account_id != b->account_id)
        return a->account_id < b->account_id ? -1 : 1;
    if (a->p->m->id != b->p->m->id)
        return a->p->m->id < b->p->m->id ? -1 : 1;
    return a->target < b->target ? -1 : a->target > b->target;
}

/* What is still to be done: a target whose account was busy comes again, its neighbours were served. */
static void collect(struct batch *b)
{
    size_t total = 0;

    for (size_t i = 0; i < b->n; i++)
        total += b->v[i]->m->n_targets;
    b->items = arena_array(&b->arena, struct item, total + 1);
    for (size_t i = 0; i < b->n; i++) {
        b->v[i]->result = RES_OK;
        b->n_marks += b->v[i]->m->n_marks;
        for (size_t k = 0; k < b->v[i]->m->n_targets; k++) {
            const struct accept_target *t = &b->v[i]->m->targets[k];

            if (t->result == RES_TEMPFAIL || t->result == RES_CANCELLED)
                b->items[b->n_items++] = (struct item){ .p = b->v[i], .target = k, .account_id = t->account_id };
        }
    }
    qsort(b->items, b->n_items, sizeof(b->items[0]), by_account);
}

/* ---- the mailbox entries ---- */

/* The first target that has the same email: one of the same account. */
static size_t first_of_email(const struct accept_item *p, size_t target)
{
    size_t i = 0;

    while (p->email_ids[i] != p->email_ids[target])
        i++;
    return i;
}

static void bind_params(struct batch *b, struct item *it, int64_t now_us)
{
    const struct accept_item *p = it->p;
    const struct accept_target *t = target_of(it);
    const struct mail_digest *g = &p->digest;
    struct db_param *q = it->params;

    *q++ = db_int8(t->account_id);
    *q++ = db_int8(t->mailbox_id);
    *q++ = db_int8(p->email_ids[it->target]);
    *q++ = db_int8((int64_t)p->m->message.len);
    *q++ = db_int4(t->flags);
    *q++ = t->n_keywords > 0 ? db_int4_array(&b->arena, t->keywords, t->n_keywords) : (struct db_param){ .oid = 1007, .len = -1 };
    *q++ = db_time(now_us);
    *q++ = db_int8((int64_t)g->header_size);
    *q++ = db_int2((int16_t)p->shape.frames);
    *q++ = db_int8(p->m->id);
    *q++ = db_time(g->sent_at_us == MAIL_NO_DATE ? DB_NO_TIME : g->sent_at_us);
    *q++ = db_text(g->message_id);
    *q++ = g->nrefs > 0 ? db_text_array(&b->arena, g->refs, g->nrefs) : (struct db_param){ .oid = 1009, .len = -1 };
    *q++ = db_text(g->base_subject);
    *q++ = db_text(g->sort_from);
    *q++ = db_text(g->sort_to);
    *q++ = db_text(g->sort_cc);
    *q++ = db_bytea(g->envelope);
    *q++ = db_bytea(g->bodystructure);
    *q++ = db_bytea(g->parts);
    *q++ = db_bytea_array(&b->arena, p->frames, p->n_frames);
    *q++ = db_bool(first_of_email(p, it->target) != it->target);
    *q = db_int2((int16_t)t->warning);
    if (t->warning == 0)
        *q = (struct db_param){ .oid = q->oid, .len = -1 };
    q++;
    *q = db_int8(settings_get()->quota_grace);
}

static struct str mail_notice(struct batch *b)
{
    CLEANUP(strbuf_release) struct strbuf s = { .max = NOTICE_MAX };
    int64_t last = 0;

    for (size_t i = 0; i < b->n_items; i++) {
        int64_t id = target_of(&b->items[i])->mailbox_id;

        if (id == last)
            continue;
        strbuf_addf(&s, "%s%lld", s.len > 0 ? "," : "", (long long)id);
        last = id;
    }
    return s.overflow ? STR("") : arena_str(&b->arena, strbuf_str(&s)); /* empty: everyone looks */
}

static size_t collect_queue(struct batch *b, struct queue_new *v)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        if (b->v[i]->m->queue != NULL && !b->v[i]->queued)
            v[n++] = *b->v[i]->m->queue;
    }
    return n;
}

static struct db_param account_list(struct batch *b)
{
    int64_t *accounts = arena_array(&b->arena, int64_t, b->n_items + 1);
    size_t n = 0;

    for (size_t i = 0; i < b->n_items; i++) {
        if (n == 0 || accounts[n - 1] != b->items[i].account_id)
            accounts[n++] = b->items[i].account_id;
    }
    return db_int8_array(&b->arena, accounts, n);
}

static bool all_stored(const struct db_call *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (db_count(&calls[i].rows) != 1)
            return false;
    }
    return true;
}

static enum result set_marks(struct batch *b, struct tx *tx)
{
    struct sieve_mark_row *v = arena_array(&b->arena, struct sieve_mark_row, b->n_marks);
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        const struct accept_message *m = b->v[i]->m;

        if (m->n_marks > 0 && !b->v[i]->queued) {
            memcpy(v + n, m->marks, m->n_marks * sizeof(*v));
            n += m->n_marks;
        }
    }
    return mark_set(tx, v, n);
}

/* Who sent to how many; a message that comes again for a busy account was counted. */
static size_t collect_sent(struct batch *b, struct sent_now *v)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n; i++) {
        const struct accept_message *m = b->v[i]->m;

        if (m->sent_by != 0 && !b->v[i]->queued)
            v[n++] = (struct sent_now){ m->sent_by, (int32_t)m->sent_to };
    }
    return n;
}

/* Committed: who has it, who is over quota (or has no mailbox), whose account was busy. */
static void note_results(struct batch *b, const struct db_rows *lock_rows, const struct db_call *calls)
{
    int64_t *locked;
    size_t n = db_get_int_array(lock_rows, 0, 0, &b->arena, &locked), at = 0;

    for (size_t i = 0; i < b->n_items; i++) {
        struct item *it = &b->items[i];

        while (at < n && locked[at] < it->account_id)
            at++;
        if (db_count(&calls[i].rows) == 1)
            target_of(it)->result = RES_OK;
        else if (b->alone || (at < n && locked[at] == it->account_id))
            target_of(it)->result = RES_LIMIT;
        else
            target_of(it)->result = it->p->result = RES_CANCELLED;
    }
    for (size_t i = 0; i < b->n; i++)
        b->v[i]->queued = true;
}

/* The locks, the mailbox entries, the queue's rows and the commit; without queue rows in one round trip. */
static enum result write_all(struct batch *b, struct tx **tx)
{
    struct db_call *calls = arena_array(&b->arena, struct db_call, b->n_items + 3), *deliveries;
    struct sent_now *sent = arena_array(&b->arena, struct sent_now, b->n + 1);
    struct queue_new *queued = arena_array(&b->arena, struct queue_new, b->n + 1);
    const struct db_param accounts = account_list(b);
    size_t n = 0, n_queued = collect_queue(b, queued), n_sent = collect_sent(b, sent), n_notices = 0;
    bool ends_job = b->v[0]->m->job != NULL; /* which may only go when all of it is stored */
    struct db_notice notices[3];
    int64_t now_us = wall_us();
    enum result r = RES_OK;

    if (b->alone)
        calls[n++] = (struct db_call){ .stmt = &timeout_stmt };
    calls[n++] = (struct db_call){ .stmt = b->alone ? &lock_alone_stmt : &lock_stmt, .params = &accounts, .n = 1 };
    deliveries = calls + n;
    for (size_t i = 0; i < b->n_items; i++) {
        bind_params(b, &b->items[i], now_us);
        calls[n++] = (struct db_call){ .stmt = settings_get()->quota_apart ? &deliver_apart_stmt : &deliver_stmt, .params = b->items[i].params, .n = DELIVER_PARAMS };
    }
    if (n_sent > 0)
        calls[n++] = sent_count(&b->arena, sent, n_sent);
    if (b->n_items > 0)
        notices[n_notices++] = (struct db_notice){ "mail", mail_notice(b) };
    if (n_queued > 0)
        notices[n_notices++] = (struct db_notice){ "queue", STR("") };
    if (ends_job)
        notices[n_notices++] = (struct db_notice){ "queue_changed", queue_changed(&b->arena, &b->v[0]->m->job->job->message->id, 1) };
    if (n_queued > 0 || b->n_marks > 0 || ends_job) {
        r = tx_batch(*tx, calls, n, NULL);
        if (r == RES_OK && ends_job && !all_stored(deliveries, b->n_items))
            r = RES_LIMIT;
        if (r == RES_OK && ends_job)
            r = queue_finish_local(*tx, b->v[0]->m->job);
        if (r == RES_OK)
            r = set_marks(b, *tx);
        if (r == RES_OK && n_queued > 0)
            r = queue_insert(*tx, queued, n_queued);
        fault_point("deliver-before-commit");
        if (r == RES_OK)
            r = tx_batch_commit(tx, NULL, 0, notices, n_notices, NULL);
    } else {
        fault_point("deliver-before-commit");
        r = tx_batch_commit(tx, calls, n, notices, n_notices, NULL);
    }
    fault_point("deliver-after-commit");
    if (r == RES_OK)
        note_results(b, &deliveries[-1].rows, deliveries);
    for (size_t i = 0; i < n; i++)
        db_rows_free(&calls[i].rows);
    return r;
}

/* ---- large messages: the frames go before the locks, which are then held for a moment only ---- */

struct packing {
    struct arena *a;
    struct str raw, packed;
};

static void pack_one(void *arg)
{
    struct packing *k = arg;

    k->packed = body_pack(k->a, k->raw);
}

/* Writes all frames of `message`, one at a time, by a statement whose last two parameters are n and the bytes. */
static enum result write_frames(struct tx *tx, const struct db_stmt *stmt, struct db_param *params, size_t n_params,
                                struct str message, const struct body_shape *shape)
{
    for (unsigned i = 0; i < shape->frames; i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct packing k = { .a = &a };
        uint64_t at, len;
        enum result r;

        body_frame_range(shape, i, &at, &len);
        k.raw = str_sub(message, at, len);
        coroutine_work(pack_one, &k);
        params[n_params - 2] = db_int4((int32_t)i);
        params[n_params - 1] = db_bytea(k.packed);
        r = tx_query(tx, stmt, params, n_params, NULL);
        if (r != RES_OK)
            return r;
    }
    return RES_OK;
}

static enum result write_large(const struct accept_item *p, struct tx *tx)
{
    const struct accept_message *m = p->m;
    enum result r = RES_OK;

    for (size_t i = 0; i < m->n_targets && r == RES_OK; i++) {
        if (first_of_email(p, i) != i)
            continue;
        if (i == 0) {
            struct db_param params[] = { db_int8(m->targets[0].account_id), db_int8(p->email_ids[0]), db_int4(0), db_int4(0) };

            r = write_frames(tx, &blob_stmt, params, ARRAY_LEN(params), m->message, &p->shape);
        } else {
            const struct db_param params[] = { db_int8(m->targets[0].account_id), db_int8(p->email_ids[0]),
                                               db_int8(m->targets[i].account_id), db_int8(p->email_ids[i]) };

            r = tx_query(tx, &blob_copy_stmt, params, ARRAY_LEN(params), NULL);
        }
    }
    if (r == RES_OK && m->queue != NULL) {
        struct str copy = str_from(m->message, m->return_path_len);
        struct body_shape shape = body_shape_of(copy.len, (uint64_t)m->queue->header_size);
        struct db_param params[] = { db_int8(m->id), db_int4(0), db_int4(0) };

        r = write_frames(tx, &queue_blob_stmt, params, ARRAY_LEN(params), copy, &shape);
    }
    return r;
}

/* ---- a commit in doubt ---- */

static enum result ask_exists(struct db *db, const struct db_stmt *stmt, const struct db_param *params, size_t n,
                              bool *ret_exists)
{
    enum result r = RES_TEMPFAIL;

    for (int tries = 0; tries < 20 && r != RES_OK; tries++) {
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

        r = db_query(db, stmt, params, n, &rows);
        if (r == RES_OK)
            *ret_exists = db_get_int(&rows, 0, 0) != 0;
        else
            coroutine_wait(deadline_in(250), false);
    }
    return r;
}

/* What of the message is there?  A target without its entry is taken as not stored; when nothing at all is there, or
 * nobody can say, the message is not. */
static enum result look(struct db *db, struct accept_item *p)
{
    struct accept_message *m = p->m;
    bool any = false, exists = false;
    enum result r = RES_OK;

    for (size_t i = 0; i < m->n_targets && r == RES_OK; i++) {
        const struct db_param params[] = { db_int8(m->targets[i].account_id), db_int8(p->email_ids[i]) };

        r = ask_exists(db, &email_exists_stmt, params, 2, &exists);
        m->targets[i].result = exists ? RES_OK : RES_LIMIT;
        any = any || exists;
    }
    if (m->queue != NULL && r == RES_OK) {
        const struct db_param params[] = { db_int8(m->id) };

        r = ask_exists(db, &queue_exists_stmt, params, 1, &exists);
        any = any || exists;
    }
    return r == RES_OK && any ? RES_OK : RES_TEMPFAIL;
}

/* Does it leave anything of its own?  Not one that filters discarded, nor an answer that was given before. */
static bool leaves_a_row(const struct accept_message *m)
{
    return m->n_targets > 0 || (m->queue != NULL && m->queue->mark.key.p == NULL);
}

/* All messages of the batch had one COMMIT: what one of them left proves it for those that leave nothing. */
static void settle_doubt(struct batch *b)
{
    enum result settled = db_settle_backend(b->db, b->backend);
    bool committed = false;

    for (size_t i = 0; i < b->n; i++) {
        struct accept_item *p = b->v[i];

        p->result = settled == RES_OK && leaves_a_row(p->m) ? look(b->db, p) : RES_TEMPFAIL;
        committed = committed || p->result == RES_OK;
    }
    for (size_t i = 0; i < b->n; i++) {
        struct accept_item *p = b->v[i];

        if (committed && !leaves_a_row(p->m))
            p->result = RES_OK;
        log_warn("deliver-in-doubt", F_QUEUE_ID("id", p->m->id), F_C("found", p->result == RES_OK ? "committed" : "nothing"));
    }
}

/* ---- all of it ---- */

static enum result commit(struct batch *b)
{
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(b->db, STR_NULL, &tx);

    if (r != RES_OK)
        return r;
    b->backend = tx_backend(tx);
    collect(b);
    for (size_t i = 0; i < b->n && r == RES_OK; i++) {
        if (b->v[i]->large)
            r = write_large(b->v[i], tx);
    }
    if (r == RES_OK)
        r = write_all(b, &tx);
    if (r == RES_CANCELLED && tx == NULL) {
        settle_doubt(b);
        r = RES_OK;
    }
    return r;
}

enum result accept_commit(struct db *db, struct accept_item **v, size_t n, bool alone)
{
    struct batch b = { .db = db, .v = v, .n = n, .alone = alone };
    enum result r = commit(&b);

    arena_reset(&b.arena);
    return r;
}
