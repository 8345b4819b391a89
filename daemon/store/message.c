#include "store/message.h"

const struct message_flag message_flags[FLAG_NAMES] = { { FLAG_SEEN, { "\\Seen", 5 } },
                                                         { FLAG_ANSWERED, { "\\Answered", 9 } },
                                                         { FLAG_FLAGGED, { "\\Flagged", 8 } },
                                                         { FLAG_DELETED, { "\\Deleted", 8 } },
                                                         { FLAG_DRAFT, { "\\Draft", 6 } } };

#define PAGE 1000

static const struct db_stmt page_stmt = { "message_page",
    "SELECT uid, flags, modseq, keywords FROM message WHERE account_id = $1 AND mailbox_id = $2 AND uid > $3"
    " ORDER BY uid LIMIT 1000" };

/* Hands the rows (uid, flags, modseq, keywords) to fn; returns the last uid, 0 without rows. */
static int64_t each_state(const struct db_rows *rows, message_state_fn *fn, void *arg)
{
    struct arena a = { 0 };
    int64_t last = 0;

    for (size_t i = 0; i < db_count(rows); i++) {
        struct message_state m = { 0 };
        int64_t *keywords = NULL;

        last = db_get_int(rows, i, 0);
        m.uid = (uint32_t)last;
        m.flags = (int)(db_get_int(rows, i, 1) & FLAGS_ALL);
        m.modseq = db_get_int(rows, i, 2);
        if (!db_is_null(rows, i, 3))
            m.nkeywords = db_get_int_array(rows, i, 3, &a, &keywords);
        m.keywords = keywords;
        fn(arg, &m);
    }
    arena_reset(&a);
    return last;
}

/* The pages behind the first one; the statement's third parameter is the last uid. */
static enum result more_pages(struct tx *tx, const struct db_stmt *stmt, struct db_param *params, size_t n,
                              const struct db_rows *first, message_state_fn *fn, void *arg)
{
    size_t count = db_count(first);
    int64_t last = each_state(first, fn, arg);

    while (count == PAGE) {
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

        params[2] = db_int8(last);
        if (tx_query(tx, stmt, params, n, &rows) != RES_OK)
            return RES_TEMPFAIL;
        count = db_count(&rows);
        last = each_state(&rows, fn, arg);
    }
    return RES_OK;
}

static void free_calls(struct db_call *calls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        db_rows_free(&calls[i].rows);
}

/* A snapshot of its own for the calls, in one round trip. */
static enum result snapshot_batch(struct db *db, const struct principal *who, struct db_call *calls, size_t n)
{
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin_snapshot(db, who->token, &tx);

    if (r == RES_OK)
        r = tx_batch_commit(&tx, calls, n, NULL, 0, NULL);
    return r == RES_OK ? RES_OK : RES_TEMPFAIL;
}

enum result message_open(struct db *db, const struct principal *who, struct str name, struct arena *a,
                         struct mailbox *ret_box, message_state_fn *fn, void *arg)
{
    static const struct db_stmt box_stmt = { "message_open",
        "SELECT " MAILBOX_COLUMNS " FROM mailbox WHERE account_id = $1 AND name = $2" };
    static const struct db_stmt first_stmt = { "message_open_page",
        "SELECT uid, flags, modseq, keywords FROM message WHERE account_id = $1 AND mailbox_id ="
        " (SELECT id FROM mailbox WHERE account_id = $1 AND name = $2) ORDER BY uid LIMIT 1000" };
    struct db_param params[] = { db_int8(who->account_id), db_text(name), db_int8(0) };
    struct db_call calls[] = { { .stmt = &box_stmt, .params = params, .n = 2 },
                               { .stmt = &first_stmt, .params = params, .n = 2 } };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    enum result r = tx_begin_snapshot(db, who->token, &tx);

    if (r == RES_OK)
        r = tx_batch(tx, calls, ARRAY_LEN(calls), NULL);
    if (r != RES_OK)
        r = RES_TEMPFAIL;
    else if (db_count(&calls[0].rows) == 0)
        r = RES_NOTFOUND;
    if (r == RES_OK) {
        mailbox_from_row(&calls[0].rows, 0, 0, a, ret_box);
        params[1] = db_int8(ret_box->id);
        r = more_pages(tx, &page_stmt, params, ARRAY_LEN(params), &calls[1].rows, fn, arg);
    }
    free_calls(calls, ARRAY_LEN(calls));
    if (r == RES_OK)
        r = tx_commit(&tx) == RES_OK ? RES_OK : RES_TEMPFAIL;
    return r;
}

/* ---- changes ---- */

static const struct db_stmt changes_box_stmt = { "message_changes_box",
    "SELECT " MAILBOX_COLUMNS " FROM mailbox WHERE account_id = $1 AND id = $2" };
/* Most often few changed: the index on modseq finds them, and only they are sorted.  If there is more than a page, the
 * rest is read along the primary key. */
static const struct db_stmt changed_stmt = { "message_changes",
    "WITH c AS MATERIALIZED (SELECT uid, flags, modseq, keywords FROM message"
    "   WHERE account_id + 0 = $1 AND mailbox_id = $2 AND modseq > $4)" /* the index message_modseq is made so */
    " SELECT uid, flags, modseq, keywords FROM c WHERE uid > $3 ORDER BY uid LIMIT 1000" };
static const struct db_stmt changed_more_stmt = { "message_changes_more",
    "SELECT uid, flags, modseq, keywords FROM message WHERE account_id = $1 AND mailbox_id = $2 AND uid > $3"
    " AND modseq > $4 ORDER BY uid LIMIT 1000" };
/* VANISHED, as single UIDs, page by page: an expunge of a large mailbox is as many rows. */
static const struct db_stmt gone_stmt = { "message_gone",
    "SELECT uid, modseq FROM expunged WHERE account_id = $1 AND mailbox_id = $2 AND (modseq, uid) > ($3, $4)"
    " ORDER BY modseq, uid LIMIT 1000" };

static void each_gone(const struct db_rows *rows, message_gone_fn *gone, void *arg)
{
    for (size_t i = 0; i < db_count(rows); i++)
        gone(arg, (uint32_t)db_get_int(rows, i, 0));
}

static enum result all_gone(struct tx *tx, const struct principal *who, int64_t mailbox_id, int64_t since,
                            message_gone_fn *gone, void *arg)
{
    int64_t modseq = since, uid = UINT32_MAX;
    size_t count = PAGE;

    while (count == PAGE) {
        const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_int8(modseq),
                                           db_int8(uid) };
        CLEANUP(db_rows_freep) struct db_rows rows = { 0 };

        if (tx_query(tx, &gone_stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
            return RES_TEMPFAIL;
        count = db_count(&rows);
        each_gone(&rows, gone, arg);
        if (count > 0) {
            uid = db_get_int(&rows, count - 1, 0);
            modseq = db_get_int(&rows, count - 1, 1);
        }
    }
    return RES_OK;
}

/* Whatever there is to read, page by page. */
static enum result many_changes(struct db *db, const struct principal *who, int64_t mailbox_id, int64_t since,
                                struct arena *a, struct mailbox *ret_box, message_state_fn *changed,
                                message_gone_fn *gone, void *arg, bool *ret_all)
{
    struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_int8(0), db_int8(since) };
    CLEANUP(db_rows_freep) struct db_rows box = { 0 }, first = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    const struct db_stmt *more;
    bool all;
    size_t n;

    if (tx_begin_snapshot(db, who->token, &tx) != RES_OK ||
        tx_query(tx, &changes_box_stmt, params, 2, &box) != RES_OK)
        return RES_TEMPFAIL;
    if (db_count(&box) == 0)
        return RES_NOTFOUND;
    mailbox_from_row(&box, 0, 0, a, ret_box);
    all = ret_box->vanished_from > since;
    more = all ? &page_stmt : &changed_more_stmt;
    n = all ? 3 : 4;
    if (tx_query(tx, more, params, n, &first) != RES_OK ||
        more_pages(tx, more, params, n, &first, changed, arg) != RES_OK ||
        (!all && all_gone(tx, who, mailbox_id, since, gone, arg) != RES_OK))
        return RES_TEMPFAIL;
    if (tx_commit(&tx) != RES_OK)
        return RES_TEMPFAIL;
    *ret_all = all;
    return RES_OK;
}

enum result message_changes(struct db *db, const struct principal *who, int64_t mailbox_id, int64_t since,
                            struct arena *a, struct mailbox *ret_box, message_state_fn *changed, message_gone_fn *gone,
                            void *arg, bool *ret_all)
{
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_int8(0), db_int8(since) };
    const struct db_param gone_params[] = { params[0], params[1], db_int8(since), db_int8(UINT32_MAX) };
    struct db_call calls[] = { { .stmt = &changes_box_stmt, .params = params, .n = 2 },
                               { .stmt = &changed_stmt, .params = params, .n = ARRAY_LEN(params) },
                               { .stmt = &gone_stmt, .params = gone_params, .n = ARRAY_LEN(gone_params) } };
    enum result r = snapshot_batch(db, who, calls, ARRAY_LEN(calls));
    bool few = false;

    if (r == RES_OK && db_count(&calls[0].rows) == 0)
        r = RES_NOTFOUND;
    if (r == RES_OK) {
        mailbox_from_row(&calls[0].rows, 0, 0, a, ret_box);
        few = ret_box->vanished_from <= since && db_count(&calls[1].rows) < PAGE && db_count(&calls[2].rows) < PAGE;
    }
    if (few) {
        (void)each_state(&calls[1].rows, changed, arg);
        each_gone(&calls[2].rows, gone, arg);
        *ret_all = false;
    }
    free_calls(calls, ARRAY_LEN(calls));
    if (r != RES_OK || few)
        return r;
    return many_changes(db, who, mailbox_id, since, a, ret_box, changed, gone, arg, ret_all);
}

/* Each row by its own probe of an index: see store/message_write.c, BY_UID. */
#define OF_MESSAGE "SELECT uid, internaldate, size, email_id FROM message WHERE account_id = $1 AND mailbox_id = $2"
#define BY_UIDS    "unnest($3::bigint[]) AS u(uid), LATERAL (" OF_MESSAGE " AND uid = u.uid OFFSET 0) m"
#define NARROW     "SELECT m.uid, m.internaldate, m.size FROM "
/* For SEARCH: of `message` the index is enough. */
#define ENVELOPES     "SELECT m.uid, e.envelope FROM "
#define ID_OF_MESSAGE "SELECT uid, email_id FROM message WHERE account_id = $1 AND mailbox_id = $2"
#define ENVELOPE_OF                                                                                                \
    ", LATERAL (SELECT envelope FROM email WHERE account_id = $1 AND id = m.email_id OFFSET 0) e ORDER BY m.uid"
#define COLUMNS                                                                                                    \
    "SELECT m.uid, m.internaldate, m.size, m.email_id, e.header_size, e.frames, e.envelope, e.bodystructure, e.parts, e.thread_id"
#define JOINED COLUMNS " FROM "
#define WHOLE  COLUMNS ", b.data FROM "
#define OF_EMAIL                                                                                                   \
    ", LATERAL (SELECT header_size, frames, thread_id, CASE WHEN $4 THEN envelope END AS envelope,"                           \
    " CASE WHEN $5 THEN bodystructure END AS bodystructure, CASE WHEN $6 THEN parts END AS parts"                  \
    " FROM email WHERE account_id = $1 AND id = m.email_id OFFSET 0) e"
#define OF_BLOB                                                                                                    \
    " LEFT JOIN LATERAL (SELECT data FROM blob WHERE account_id = $1 AND email_id = m.email_id AND n = 0 OFFSET 0) b"  \
    " ON e.frames = 1"
#define BY_UID_ORDER " ORDER BY m.uid"

static bool is_joined(const struct message_want *want)
{
    return want->email || want->blob || want->envelope || want->bodystructure || want->parts;
}

enum result message_fetch(struct db *db, const struct principal *who, int64_t mailbox_id,
                          const struct message_want *want, struct arena *a, const int64_t *uids, size_t n, bool range,
                          struct db_rows *ret_rows)
{
    static const struct db_stmt narrow_uids = { "message_narrow", NARROW BY_UIDS BY_UID_ORDER };
    static const struct db_stmt narrow_span = { "message_narrow_span",
        NARROW "(" OF_MESSAGE " AND uid BETWEEN $3 AND $4) m" BY_UID_ORDER };
    static const struct db_stmt envelope_uids = { "message_envelope",
        ENVELOPES "unnest($3::bigint[]) AS u(uid), LATERAL (" ID_OF_MESSAGE " AND uid = u.uid OFFSET 0) m" ENVELOPE_OF };
    static const struct db_stmt envelope_span = { "message_envelope_span",
        ENVELOPES "(" ID_OF_MESSAGE " AND uid BETWEEN $3 AND $4 ORDER BY uid OFFSET 0) m" ENVELOPE_OF };
    static const struct db_stmt joined_uids = { "message_joined", JOINED BY_UIDS OF_EMAIL BY_UID_ORDER };
    static const struct db_stmt joined_span = { "message_joined_span",
        JOINED "(" OF_MESSAGE " AND uid BETWEEN $3 AND $7 ORDER BY uid OFFSET 0) m" OF_EMAIL BY_UID_ORDER };
    static const struct db_stmt whole_uids = { "message_whole", WHOLE BY_UIDS OF_EMAIL OF_BLOB BY_UID_ORDER };
    static const struct db_stmt whole_span = { "message_whole_span",
        WHOLE "(" OF_MESSAGE " AND uid BETWEEN $3 AND $7 ORDER BY uid OFFSET 0) m" OF_EMAIL OF_BLOB BY_UID_ORDER };
    struct db_param params[7] = { db_int8(who->account_id), db_int8(mailbox_id),
                                  range ? db_int8(uids[0]) : db_int8_array(a, uids, n) };
    const struct db_stmt *stmt = range ? &narrow_span : &narrow_uids;
    size_t nparams = 3;

    if (want->only_envelope) {
        stmt = range ? &envelope_span : &envelope_uids;
    } else if (is_joined(want)) {
        stmt = want->blob ? (range ? &whole_span : &whole_uids) : range ? &joined_span : &joined_uids;
        params[nparams++] = db_bool(want->envelope);
        params[nparams++] = db_bool(want->bodystructure);
        params[nparams++] = db_bool(want->parts);
    }
    if (range)
        params[nparams++] = db_int8(uids[1]);
    return db_query_as(db, who->token, stmt, params, nparams, ret_rows) == RES_OK ? RES_OK : RES_TEMPFAIL;
}

void message_row_get(const struct db_rows *rows, size_t row, const struct message_want *want, struct message_row *ret)
{
    if (want->only_envelope) {
        *ret = (struct message_row){ .uid = (uint32_t)db_get_int(rows, row, 0), .envelope = db_get_str(rows, row, 1) };
        return;
    }
    *ret = (struct message_row){ .uid = (uint32_t)db_get_int(rows, row, 0),
                                 .internaldate_us = db_get_time(rows, row, 1),
                                 .shape.size = (uint64_t)db_get_int(rows, row, 2) };
    if (!is_joined(want))
        return;
    ret->email_id = db_get_int(rows, row, 3);
    ret->shape.header_size = (uint64_t)db_get_int(rows, row, 4);
    ret->shape.frames = (unsigned)db_get_int(rows, row, 5);
    ret->envelope = db_get_str(rows, row, 6);
    ret->bodystructure = db_get_str(rows, row, 7);
    ret->parts = db_get_str(rows, row, 8);
    ret->thread_id = db_get_int(rows, row, 9);
    ret->blob = want->blob ? db_get_str(rows, row, 10) : STR_NULL;
}

enum result message_frames(struct db *db, const struct principal *who, struct arena *a,
                           const struct message_frames *want, size_t n, struct db_rows *ret_rows)
{
    static const struct db_stmt stmt = { "message_frames",
        "SELECT b.email_id, b.n, b.data FROM unnest($2::bigint[], $3::int[], $4::int[]) AS w(id, first, last),"
        " LATERAL (SELECT email_id, n, data FROM blob WHERE account_id = $1 AND email_id = w.id"
        "   AND n BETWEEN w.first AND w.last OFFSET 0) b ORDER BY b.email_id, b.n" };
    int64_t *ids = arena_array(a, int64_t, n);
    int32_t *first = arena_array(a, int32_t, n), *last = arena_array(a, int32_t, n);

    for (size_t i = 0; i < n; i++) {
        ids[i] = want[i].email_id;
        first[i] = (int32_t)want[i].first;
        last[i] = (int32_t)want[i].last;
    }
    const struct db_param params[] = { db_int8(who->account_id), db_int8_array(a, ids, n), db_int4_array(a, first, n),
                                       db_int4_array(a, last, n) };
    return db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), ret_rows) == RES_OK ? RES_OK : RES_TEMPFAIL;
}

enum result message_look(struct db *db, const struct principal *who, int64_t mailbox_id, int64_t uid, struct arena *a,
                         struct message_state *ret_state, struct body_source *ret_source)
{
    static const struct db_stmt stmt = { "message_look",
        "SELECT m.flags, m.keywords, m.modseq, e.id, e.size, e.header_size, e.frames FROM (SELECT * FROM message "
        "WHERE account_id = $1 AND mailbox_id = $2 AND uid = $3 OFFSET 0) m "
        "JOIN email e ON e.account_id = $1 AND e.id = m.email_id" };
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_int8(uid) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    int64_t *keywords = NULL;
    size_t n = 0;

    if (db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    if (db_count(&rows) == 0)
        return RES_NOTFOUND;
    if (!db_is_null(&rows, 0, 1))
        n = db_get_int_array(&rows, 0, 1, a, &keywords);
    *ret_state = (struct message_state){ .uid = (uint32_t)uid, .flags = (int)(db_get_int(&rows, 0, 0) & FLAGS_ALL),
                                         .modseq = db_get_int(&rows, 0, 2), .keywords = keywords, .nkeywords = n };
    *ret_source = (struct body_source){ .db = db, .token = who->token, .account_id = who->account_id, .id = db_get_int(&rows, 0, 3),
                                        .shape = { (uint64_t)db_get_int(&rows, 0, 4), (uint64_t)db_get_int(&rows, 0, 5),
                                                   (unsigned)db_get_int(&rows, 0, 6) } };
    return RES_OK;
}
