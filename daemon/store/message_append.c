/* APPEND (store/message_write.h): one transaction; the frames of a large message go before the account is locked, so
 * that nobody waits for them. */
#include "store/message_write.h"

#include "base/fault.h"
#include "io/coroutine.h"
#include "store/body.h"
#include "store/ids.h"

#define INLINE_MAX ((size_t)1 << 20) /* raw bytes that are packed on the loop and travel in the main statement */
#define FRAMES_A_STATEMENT 4

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

static enum result insert_frames(struct tx *tx, const struct principal *who, int64_t email_id,
                                 const struct message_append *m, const struct body_shape *shape)
{
    static const struct db_stmt stmt = { "message_append_frames",
        "INSERT INTO blob (account_id, email_id, n, data) SELECT $1, $2, $3 + f.n - 1, f.data"
        " FROM unnest($4::bytea[]) WITH ORDINALITY AS f(data, n)" };

    for (unsigned first = 0; first < shape->frames; first += FRAMES_A_STATEMENT) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct pack_job job = { .a = &a, .message = m->message, .shape = shape, .first = first,
                                .n = MIN(shape->frames - first, (unsigned)FRAMES_A_STATEMENT) };

        coroutine_work(pack_some, &job);
        const struct db_param params[] = { db_int8(who->account_id), db_int8(email_id), db_int8(first),
                                           db_bytea_array(&a, job.frames, job.n) };
        if (tx_query(tx, &stmt, params, ARRAY_LEN(params), NULL) != RES_OK)
            return RES_TEMPFAIL;
    }
    return RES_OK;
}

static const struct db_stmt lock_stmt = { "message_append_lock",
    "SELECT pg_current_xact_id()::text::bigint FROM account_state WHERE account_id = $1 FOR NO KEY UPDATE" };

static const struct db_stmt append_stmt = { "message_append",
    "WITH a AS (UPDATE account_state SET modseq = modseq + 1, used_bytes = used_bytes + $4,"
    "     used_messages = used_messages + 1"
    "   WHERE account_id = $1 AND (quota_bytes IS NULL OR used_bytes + $4 <= quota_bytes)"
    "     AND (quota_messages IS NULL OR used_messages < quota_messages)"
    "     AND EXISTS (SELECT FROM mailbox WHERE account_id = $1 AND id = $2) RETURNING modseq),"
    " m AS (UPDATE mailbox b SET uidnext = b.uidnext + 1, highestmodseq = a.modseq, messages = b.messages + 1,"
    "     bytes = b.bytes + $4, unseen = b.unseen + (($5 & 1) = 0)::int, deleted = b.deleted + (($5 & 8) <> 0)::int"
    "   FROM a WHERE b.account_id = $1 AND b.id = $2 RETURNING b.uidnext - 1 AS uid, a.modseq, b.uidvalidity),"
    " e AS (INSERT INTO email (account_id, id, size, header_size, frames, thread_id, sent_at, message_id, refs,"
    "     base_subject, sort_from, sort_to, sort_cc, envelope, bodystructure, parts)"
    "   SELECT $1, $3, $4, $8, $9, CASE WHEN cardinality($12::text[]) = 0 THEN $3 ELSE coalesce(thread_find($1, $12), $3) END, $10, $11, $12, $13, $14, $15, $16, $17, $18,"
    "     $19 FROM m),"
    " b AS (INSERT INTO blob (account_id, email_id, n, data)"
    "   SELECT $1, $3, f.n - 1, f.data FROM m, unnest($20::bytea[]) WITH ORDINALITY AS f(data, n)),"
    " i AS (INSERT INTO message (account_id, mailbox_id, uid, email_id, modseq, internaldate, size, flags, keywords)"
    "   SELECT $1, $2, m.uid, $3, m.modseq, $7, $4, $5, $6 FROM m)"
    " SELECT uid, uidvalidity FROM m" };

/* RES_NOTFOUND and RES_LIMIT: no row came, and this is why. */
static enum result why_refused(struct tx *tx, const struct db_param *params)
{
    static const struct db_stmt stmt = { "message_append_why",
        "SELECT EXISTS (SELECT FROM mailbox WHERE account_id = $1 AND id = $2)" };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

    if (tx_query(tx, &stmt, params, 2, &rows) != RES_OK)
        return RES_TEMPFAIL;
    return db_get_int(&rows, 0, 0) != 0 ? RES_LIMIT : RES_NOTFOUND;
}

/* Locks, writes, and gives the transaction's id. */
static enum result write_message(struct tx *tx, const struct principal *who, int64_t email_id,
                                 const struct message_append *m, const struct body_shape *shape,
                                 struct message_appended *ret, int64_t *ret_xid)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct mail_digest *d = m->digest;
    struct db_param keywords = db_int4_array(&a, m->keywords, m->nkeywords);
    struct str *frames = NULL;
    size_t nframes = 0;
    enum result r;

    if (m->message.len <= INLINE_MAX)
        body_frames(&a, m->message, d->header_size, &frames, &nframes);
    if (m->nkeywords == 0) {
        keywords.p = NULL;
        keywords.len = -1;
    }
    const struct db_param params[] = {
        db_int8(who->account_id), db_int8(m->mailbox_id), db_int8(email_id), db_int8((int64_t)shape->size),
        db_int4(m->flags), keywords, db_time(m->internaldate_us), db_int8((int64_t)shape->header_size),
        db_int2((int16_t)shape->frames), db_time(d->sent_at_us == MAIL_NO_DATE ? DB_NO_TIME : d->sent_at_us),
        db_text(d->message_id), db_text_array(&a, d->refs, d->nrefs), db_text(d->base_subject), db_text(d->sort_from),
        db_text(d->sort_to), db_text(d->sort_cc), db_bytea(d->envelope), db_bytea(d->bodystructure),
        db_bytea(d->parts), db_bytea_array(&a, frames, nframes),
    };
    struct db_call calls[] = { { .stmt = &lock_stmt, .params = params, .n = 1 },
                               { .stmt = &append_stmt, .params = params, .n = ARRAY_LEN(params) } };

    r = tx_batch(tx, calls, ARRAY_LEN(calls), NULL);
    if (r != RES_OK) {
        r = RES_TEMPFAIL;
    } else if (db_count(&calls[1].rows) == 0) {
        r = why_refused(tx, params);
    } else {
        ret->uid = db_get_int(&calls[1].rows, 0, 0);
        ret->uidvalidity = db_get_int(&calls[1].rows, 0, 1);
        *ret_xid = db_get_int(&calls[0].rows, 0, 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        db_rows_free(&calls[i].rows);
    return r;
}

/* The connection broke at COMMIT: looks whether the message is there. */
static enum result settle(struct db *db, const struct principal *who, int64_t email_id, int64_t xid)
{
    static const struct db_stmt stmt = { "message_append_settle",
        "SELECT FROM email WHERE account_id = $1 AND id = $2" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(email_id) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

    if (db_settle(db, xid) != RES_OK ||
        db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    return db_count(&rows) == 1 ? RES_OK : RES_TEMPFAIL;
}

enum result message_append(struct db *db, const struct principal *who, const struct message_append *m,
                           struct message_appended *ret)
{
    struct body_shape shape = body_shape_of(m->message.len, m->digest->header_size);
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct message_appended appended = { 0 };
    int64_t email_id, xid = 0;
    char payload[48];
    enum result r;

    if (shape.frames > INT16_MAX)
        return RES_LIMIT;
    r = ids_take_email(db, &email_id);
    if (r != RES_OK)
        return r;
    if (tx_begin(db, who->token, &tx) != RES_OK)
        return RES_TEMPFAIL;
    if (m->message.len > INLINE_MAX) {
        r = insert_frames(tx, who, email_id, m, &shape);
        if (r != RES_OK)
            return r;
    }
    r = write_message(tx, who, email_id, m, &shape, &appended, &xid);
    if (r != RES_OK)
        return r;
    FAULT("append-commit");
    r = tx_commit_notify(&tx, "mail", mailbox_notify_payload(payload, m->mailbox_id, 0));
    if (r == RES_CANCELLED)
        r = settle(db, who, email_id, xid);
    if (r != RES_OK)
        return RES_TEMPFAIL;
    *ret = appended;
    return RES_OK;
}
