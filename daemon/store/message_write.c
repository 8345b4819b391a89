/* STORE, EXPUNGE, COPY, MOVE (store/message_write.h).
 *
 * In READ COMMITTED a statement's snapshot is older than a lock that it waited for, so the account's row is locked by a
 * statement of its own first, in the same pipeline. */
#include "store/message_write.h"

#include "base/fault.h"
#include "config/settings.h"
#include "store/annotation.h"
#include "store/notify.h"
#include "store/quota.h"

static void free_calls(struct db_call *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        db_rows_free(&calls[i].rows);
}

/* The calls and COMMIT in one round trip.  A commit in doubt counts as failed: such changes may be repeated. */
static enum result commit_batch(struct tx **tx, struct db_call *calls, size_t n)
{
    fault_point("store-commit");
    return tx_batch_commit(tx, calls, n, NULL, 0, NULL);
}

/* ---- STORE ---- */

/* Messages by UID, each by its own probe of the primary key: OFFSET 0 keeps the planner from joining.  It takes
 * account and mailbox for independent and so every mailbox for tiny, and would read all of it instead.  Rows are
 * written by ctid for the same reason; nobody moves them under the account's lock. */
#define BY_UID(columns, n)                                                                                         \
    "SELECT m.* FROM unnest($" n "::bigint[]) AS u(uid), LATERAL (SELECT ctid AS at, " columns                     \
    " FROM message WHERE account_id = $1 AND mailbox_id = $2 AND uid = u.uid OFFSET 0) m"

/* o: the messages as they are and as they shall be, w: those that change. */
#define STORE_SQL(new_flags, new_keywords)                                                                         \
    "WITH p AS MATERIALIZED (" BY_UID("uid, flags, keywords, modseq", "3") "),"                                    \
    " n AS MATERIALIZED (SELECT at, uid, flags AS was, keywords AS had, modseq, modseq <= $6 AS may,"              \
    "   " new_flags " AS flags, " new_keywords " AS keywords FROM p),"                                             \
    " o AS MATERIALIZED (SELECT *, may AND (flags <> was OR keywords IS DISTINCT FROM had) AS changes FROM n),"    \
    " w AS MATERIALIZED (SELECT * FROM o WHERE changes),"                                                          \
    " c AS (SELECT count(*) AS n, coalesce(sum((flags & 1) - (was & 1)), 0)::bigint AS seen,"                      \
    "   coalesce(sum((flags >> 3 & 1) - (was >> 3 & 1)), 0)::bigint AS deleted FROM w),"                           \
    " a AS (UPDATE account_state s SET modseq = s.modseq + 1 FROM c WHERE s.account_id = $1 AND c.n > 0"           \
    "   RETURNING s.modseq),"                                                                                      \
    " x AS (UPDATE message m SET flags = w.flags, keywords = w.keywords, modseq = a.modseq FROM a, w"              \
    "   WHERE m.ctid = w.at),"                                                                                     \
    " b AS (UPDATE mailbox b SET highestmodseq = a.modseq, unseen = b.unseen - c.seen,"                            \
    "   deleted = b.deleted + c.deleted"                                                                           \
    "   FROM a, c, (SELECT highestmodseq FROM mailbox WHERE account_id = $1 AND id = $2) h"                        \
    "   WHERE b.account_id = $1 AND b.id = $2 RETURNING h.highestmodseq AS before)"                                \
    " SELECT uid, CASE WHEN changes THEN flags ELSE was END, CASE WHEN changes THEN keywords ELSE had END,"        \
    "   CASE WHEN changes THEN (SELECT modseq FROM a) ELSE modseq END, changes, NOT may, (SELECT before FROM b),"  \
    "   was, had, " ANNOTATION_SCRIPTED("$2") " FROM o ORDER BY uid"

/* What is asked for most: flags of one message, in whatever state it is.  The same columns in a third of the time. */
static const struct db_stmt store_one = { "message_store_one",
    "WITH p AS MATERIALIZED (SELECT ctid AS at, uid, flags, keywords, modseq, flags & $4 | $5 AS becomes FROM message"
    "   WHERE account_id = $1 AND mailbox_id = $2 AND uid = $3),"
    " a AS (UPDATE account_state s SET modseq = s.modseq + 1 FROM p"
    "   WHERE s.account_id = $1 AND p.becomes <> p.flags RETURNING s.modseq),"
    " x AS (UPDATE message m SET flags = p.becomes, modseq = a.modseq FROM a, p WHERE m.ctid = p.at),"
    " b AS (UPDATE mailbox b SET highestmodseq = a.modseq, unseen = b.unseen - ((p.becomes & 1) - (p.flags & 1)),"
    "   deleted = b.deleted + ((p.becomes >> 3 & 1) - (p.flags >> 3 & 1))"
    "   FROM a, p, (SELECT highestmodseq FROM mailbox WHERE account_id = $1 AND id = $2) h"
    "   WHERE b.account_id = $1 AND b.id = $2 RETURNING a.modseq, h.highestmodseq AS before)"
    " SELECT p.uid, p.becomes, p.keywords, coalesce(b.modseq, p.modseq), b.modseq IS NOT NULL, false, b.before,"
    "   p.flags, p.keywords, " ANNOTATION_SCRIPTED("$2") " FROM p LEFT JOIN b ON true" };

static void stored_from_rows(const struct db_rows *rows, struct arena *a, struct message_stored_list *ret)
{
    *ret = (struct message_stored_list){ .n = db_count(rows) };
    ret->v = arena_array(a, struct message_stored, ret->n);
    for (size_t i = 0; i < ret->n; i++) {
        struct message_stored *m = &ret->v[i];
        int64_t *keywords = NULL;

        m->state.uid = (uint32_t)db_get_int(rows, i, 0);
        m->state.flags = (int)(db_get_int(rows, i, 1) & FLAGS_ALL);
        if (!db_is_null(rows, i, 2))
            m->state.nkeywords = db_get_int_array(rows, i, 2, a, &keywords);
        m->state.keywords = keywords;
        m->state.modseq = db_get_int(rows, i, 3);
        m->changed = db_get_int(rows, i, 4) != 0;
        m->failed = db_get_int(rows, i, 5) != 0;
        m->flags_before = (int)(db_get_int(rows, i, 7) & FLAGS_ALL);
        if (!db_is_null(rows, i, 8)) {
            m->nkeywords_before = db_get_int_array(rows, i, 8, a, &keywords);
            m->keywords_before = keywords;
        }
        ret->scripted = db_get_int(rows, i, 9) != 0;
        if (m->changed) {
            ret->modseq = m->state.modseq;
            ret->modseq_before = db_get_int(rows, i, 6);
        }
    }
}

enum result message_store(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids,
                          size_t n, const struct message_change *change, struct arena *a,
                          struct message_stored_list *ret)
{
    static const struct db_stmt flags_only = { "message_store", STORE_SQL("flags & $4 | $5", "keywords") };
    static const struct db_stmt with_keywords = { "message_store_keywords",
        STORE_SQL("flags & $4 | $5",
                  "(SELECT array_agg(DISTINCT k ORDER BY k) FROM unnest(CASE WHEN $9 THEN $7::int[]"
                  " ELSE coalesce(keywords, '{}') || $7::int[] END) k WHERE k <> ALL ($8::int[]))") };
    bool one = n == 1 && !change->keywords && change->unchanged_since < 0;
    const struct db_param params[] = {
        db_int8(who->account_id),
        db_int8(mailbox_id),
        one ? db_int8(uids[0]) : db_int8_array(a, uids, n),
        db_int4(FLAGS_ALL & ~change->clear),
        db_int4(change->set),
        db_int8(change->unchanged_since >= 0 ? change->unchanged_since : INT64_MAX),
        db_int4_array(a, change->keywords_add, change->nadd),
        db_int4_array(a, change->keywords_remove, change->nremove),
        db_bool(change->keywords_replace),
    };
    struct db_call calls[] = {
        { .stmt = &account_lock_stmt, .params = params, .n = 1 },
        { .stmt = one ? &store_one : change->keywords ? &with_keywords : &flags_only, .params = params,
          .n = one ? 5 : change->keywords ? 9 : 6 },
    };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, who->token, &tx);

    if (r == RES_OK)
        r = commit_batch(&tx, calls, ARRAY_LEN(calls));
    if (r == RES_OK)
        stored_from_rows(&calls[1].rows, a, ret);
    if (r == RES_OK && ret->modseq != 0)
        notify_changed(db, mailbox_id, ret->modseq);
    free_calls(calls, ARRAY_LEN(calls));
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}

/* ---- EXPUNGE ---- */

/* `which`: the messages; $3: only \Deleted ones; $4: keep the email for undelete and the sweeper (not for moves). */
#define REMOVE_SQL(which)                                                                                          \
    "WITH p AS MATERIALIZED (" which "),"                                                                          \
    " x AS MATERIALIZED (SELECT * FROM p WHERE NOT $3 OR flags & 8 <> 0),"                                         \
    " d AS (DELETE FROM message m USING x WHERE m.ctid = x.at),"                                                   \
    " s AS (SELECT count(*) AS n, count(*) FILTER (WHERE flags & 1 = 0) AS unseen,"                                \
    "   count(*) FILTER (WHERE flags & 8 <> 0) AS deleted, coalesce(sum(size), 0)::bigint AS bytes FROM x),"       \
    " a AS (UPDATE account_state c SET modseq = c.modseq + 1, used_bytes = greatest(c.used_bytes - s.bytes, 0),"   \
    "   used_messages = greatest(c.used_messages - s.n, 0) FROM s WHERE c.account_id = $1 AND s.n > 0"             \
    "   RETURNING c.modseq, " QUOTA_LEVELS "),"                                                                    \
    " q AS (" QUOTA_NOTE "),"                                                                                      \
    " l AS (INSERT INTO expunged (account_id, mailbox_id, modseq, uid, email_id, internaldate, flags)"             \
    "   SELECT $1, $2, a.modseq, x.uid, CASE WHEN $4 THEN x.email_id END, x.internaldate, x.flags FROM x, a),"     \
    " b AS (UPDATE mailbox b SET highestmodseq = a.modseq, messages = b.messages - s.n,"                           \
    "   unseen = b.unseen - s.unseen, deleted = b.deleted - s.deleted, bytes = b.bytes - s.bytes"                  \
    "   FROM a, s, (SELECT highestmodseq FROM mailbox WHERE account_id = $1 AND id = $2) h"                        \
    "   WHERE b.account_id = $1 AND b.id = $2 RETURNING h.highestmodseq AS before, a.modseq)"                      \
    " SELECT x.uid, b.before, b.modseq FROM x, b ORDER BY x.uid"
#define REMOVED "uid, email_id, size, flags, internaldate"

static const struct db_stmt remove_uids = { "message_remove", REMOVE_SQL(BY_UID(REMOVED, "5")) };
static const struct db_stmt remove_all = { "message_remove_all",
    REMOVE_SQL("SELECT ctid AS at, " REMOVED " FROM message WHERE account_id = $1 AND mailbox_id = $2") };

static void removed_from_rows(const struct db_rows *rows, struct arena *a, struct message_removed *ret)
{
    *ret = (struct message_removed){ .n = db_count(rows) };
    ret->uids = arena_array(a, int64_t, ret->n);
    for (size_t i = 0; i < ret->n; i++)
        ret->uids[i] = db_get_int(rows, i, 0);
    if (ret->n > 0) {
        ret->modseq_before = db_get_int(rows, 0, 1);
        ret->modseq = db_get_int(rows, 0, 2);
    }
}

enum result message_expunge(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids,
                            size_t n, struct arena *a, struct message_removed *ret)
{
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_bool(true), db_bool(true),
                                       db_int8_array(a, uids, n) };
    struct db_call calls[] = { { .stmt = &account_lock_stmt, .params = params, .n = 1 },
                               { .stmt = &remove_uids, .params = params, .n = ARRAY_LEN(params) } };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin(db, who->token, &tx);

    if (r == RES_OK)
        r = commit_batch(&tx, calls, ARRAY_LEN(calls));
    if (r == RES_OK)
        removed_from_rows(&calls[1].rows, a, ret);
    if (r == RES_OK && ret->n > 0)
        notify_changed(db, mailbox_id, ret->modseq);
    free_calls(calls, ARRAY_LEN(calls));
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}

enum result message_remove_all(struct tx *tx, const struct principal *who, int64_t mailbox_id)
{
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_bool(false), db_bool(true) };

    return tx_query(tx, &remove_all, params, ARRAY_LEN(params), NULL) == RES_OK ? RES_OK : RES_TEMPFAIL;
}

enum result message_remove(struct tx *tx, const struct principal *who, int64_t mailbox_id, const int64_t *uids,
                           size_t n, struct arena *a)
{
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_bool(false), db_bool(true),
                                       db_int8_array(a, uids, n) };

    return tx_query(tx, &remove_uids, params, ARRAY_LEN(params), NULL) == RES_OK ? RES_OK : RES_TEMPFAIL;
}

/* ---- COPY and MOVE ---- */

/* $3: where to; $4: they are moved, and were counted before. */
#define COPY_SQL(which, moved, room)                                                                                            \
    "WITH o AS MATERIALIZED (SELECT *, row_number() OVER (ORDER BY uid) AS k FROM (" which ") p),"                 \
    " s AS (SELECT count(*) AS n, count(*) FILTER (WHERE flags & 1 = 0) AS unseen,"                                \
    "   count(*) FILTER (WHERE flags & 8 <> 0) AS deleted, coalesce(sum(size), 0)::bigint AS bytes FROM o),"       \
    " a AS (UPDATE account_state c SET modseq = c.modseq + 1, used_bytes = c.used_bytes + s.bytes,"                \
    "     used_messages = c.used_messages + s.n FROM s"                                                            \
    "   WHERE c.account_id = $1 AND s.n > 0 AND EXISTS (SELECT FROM mailbox WHERE account_id = $1 AND id = $3)"    \
    "     AND ((" moved ") OR " room ") RETURNING c.modseq, " QUOTA_LEVELS "),"                                    \
    " q AS (" QUOTA_NOTE "),"                                                                                      \
    " b AS (UPDATE mailbox b SET uidnext = b.uidnext + s.n, highestmodseq = a.modseq, messages = b.messages + s.n,"\
    "     unseen = b.unseen + s.unseen, deleted = b.deleted + s.deleted, bytes = b.bytes + s.bytes"                \
    "   FROM a, s WHERE b.account_id = $1 AND b.id = $3"                                                           \
    "   RETURNING b.uidnext - s.n - 1 AS base, b.uidvalidity, a.modseq),"                                          \
    " i AS (INSERT INTO message (account_id, mailbox_id, uid, email_id, modseq, internaldate, size, flags, keywords)"\
    "   SELECT $1, $3, b.base + o.k, o.email_id, b.modseq, o.internaldate, o.size, o.flags, o.keywords FROM o, b)" \
    " SELECT o.uid, b.base + o.k, b.uidvalidity, b.modseq, " ANNOTATION_SCRIPTED("$3") " FROM o, b ORDER BY o.uid"

#define COPIED "uid, email_id, internaldate, size, flags, keywords"

static const struct db_stmt copy_uids = { "message_copy",
    COPY_SQL(BY_UID(COPIED, "5"), "$4", QUOTA_ROOM("s.bytes", "s.n", "0")) };
static const struct db_stmt copy_apart = { "message_copy_apart",
    COPY_SQL(BY_UID(COPIED, "5"), "$4 AND " QUOTA_CLASS("$2") " = " QUOTA_CLASS("$3"),
             QUOTA_ROOM_APART("s.bytes", "s.n", "0", "$3")) };
static const struct db_stmt copy_all = { "message_copy_all",
    COPY_SQL("SELECT " COPIED " FROM message WHERE account_id = $1 AND mailbox_id = $2", "$4",
             QUOTA_ROOM("s.bytes", "s.n", "0")) };

/* Why a copy gave no rows: RES_OK is that there was nothing to copy. */
static enum result why_nothing(struct tx *tx, const struct db_param *copy_params)
{
    static const struct db_stmt stmt = { "message_copy_why",
        "SELECT EXISTS (SELECT FROM mailbox WHERE account_id = $1 AND id = $3),"
        " EXISTS (" BY_UID("uid", "4") ")" };
    const struct db_param params[] = { copy_params[0], copy_params[1], copy_params[2], copy_params[4] };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

    if (tx_query(tx, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    if (db_get_int(&rows, 0, 0) == 0)
        return RES_NOTFOUND;
    return db_get_int(&rows, 0, 1) != 0 ? RES_LIMIT : RES_OK;
}

static void copied_from_rows(const struct db_rows *rows, struct arena *a, struct message_copied *ret)
{
    *ret = (struct message_copied){ .n = db_count(rows) };
    ret->from = arena_array(a, int64_t, ret->n);
    ret->to = arena_array(a, int64_t, ret->n);
    for (size_t i = 0; i < ret->n; i++) {
        ret->from[i] = db_get_int(rows, i, 0);
        ret->to[i] = db_get_int(rows, i, 1);
        ret->uidvalidity = db_get_int(rows, i, 2);
        ret->to_modseq = db_get_int(rows, i, 3);
        ret->scripted = db_get_int(rows, i, 4) != 0;
    }
}

static enum result copy(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids, size_t n,
                        int64_t to_mailbox_id, bool move, struct arena *a, struct message_copied *ret)
{
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_int8(to_mailbox_id),
                                       db_bool(move), db_int8_array(a, uids, n) };
    const struct db_param removal[] = { params[0], params[1], db_bool(false), db_bool(false), params[4] };
    struct db_call calls[] = { { .stmt = &account_lock_stmt, .params = params, .n = 1 },
                               { .stmt = settings_get()->quota_apart ? &copy_apart : &copy_uids, .params = params,
                                 .n = ARRAY_LEN(params) } };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    CLEANUP(db_rows_freep) struct db_rows removed = { 0 };
    struct message_copied copied = { 0 };
    enum result r = tx_begin(db, who->token, &tx);

    if (r == RES_OK)
        r = tx_batch(tx, calls, ARRAY_LEN(calls), NULL);
    if (r == RES_OK)
        copied_from_rows(&calls[1].rows, a, &copied);
    free_calls(calls, ARRAY_LEN(calls));
    if (r != RES_OK)
        return RES_TEMPFAIL;
    if (copied.n == 0) {
        r = why_nothing(tx, params);
        if (r == RES_OK)
            *ret = copied;
        return r;
    }
    if (move && tx_query(tx, &remove_uids, removal, ARRAY_LEN(removal), &removed) != RES_OK)
        return RES_TEMPFAIL;
    if (move)
        removed_from_rows(&removed, a, &copied.removed);
    fault_point("copy-commit");
    if (tx_commit(&tx) != RES_OK)
        return RES_TEMPFAIL;
    notify_changed(db, to_mailbox_id, copied.to_modseq);
    if (move)
        notify_changed(db, mailbox_id, copied.removed.modseq);
    *ret = copied;
    return RES_OK;
}

enum result message_copy(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids, size_t n,
                         int64_t to_mailbox_id, struct arena *a, struct message_copied *ret)
{
    return copy(db, who, mailbox_id, uids, n, to_mailbox_id, false, a, ret);
}

enum result message_move(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids, size_t n,
                         int64_t to_mailbox_id, struct arena *a, struct message_copied *ret)
{
    return copy(db, who, mailbox_id, uids, n, to_mailbox_id, true, a, ret);
}

enum result message_move_all(struct tx *tx, const struct principal *who, int64_t mailbox_id, int64_t to_mailbox_id)
{
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_int8(to_mailbox_id),
                                       db_bool(true) };
    const struct db_param removal[] = { params[0], params[1], db_bool(false), db_bool(false) };
    struct db_call calls[] = { { .stmt = &copy_all, .params = params, .n = ARRAY_LEN(params) },
                               { .stmt = &remove_all, .params = removal, .n = ARRAY_LEN(removal) } };
    enum result r = tx_batch(tx, calls, ARRAY_LEN(calls), NULL);

    free_calls(calls, ARRAY_LEN(calls));
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}
