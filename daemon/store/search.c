#include "store/search.h"
#include "io/coroutine.h"
#include "mail/text.h"

#include <stdlib.h>

#define LOOK_MAX  ((uint64_t)4 << 20) /* bytes of a message that are decoded */
#define GROUP_MAX ((uint64_t)1 << 20) /* raw bytes that are decoded at once */
#define MARK      "\001"
#define PAGE      500

struct text_job {
    struct arena *a;
    const struct str *messages;
    struct str *texts;
    size_t n;
};

static struct str without_mark(struct arena *a, struct str s)
{
    struct str copy = arena_str(a, s);
    char *p = (char *)(uintptr_t)copy.p;

    for (size_t i = 0; i < copy.len; i++) {
        if (p[i] == MARK[0])
            p[i] = ' ';
    }
    return copy;
}

static void make_texts(void *arg)
{
    struct text_job *job = arg;

    for (size_t i = 0; i < job->n; i++) {
        struct str body = without_mark(job->a, text_of_body(job->a, job->messages[i]));
        struct str header = without_mark(job->a, text_of_header(job->a, job->messages[i]));

        job->texts[i] = arena_printf(job->a, "%.*s" MARK "%.*s", STR_ARG(body), STR_ARG(header));
    }
}

struct missing {
    int64_t email_id;
    struct body_shape shape;
};

static enum result list_missing(struct db *db, const struct principal *who, int64_t mailbox_id, struct arena *a,
                                const int64_t *uids, size_t n, struct missing **ret_list, size_t *ret_n)
{
    static const struct db_stmt stmt = { "search_missing",
        "SELECT DISTINCT e.id, e.size, e.header_size, e.frames FROM unnest($3::bigint[]) AS u(uid),"
        " LATERAL (SELECT email_id FROM message WHERE account_id = $1 AND mailbox_id = $2 AND uid = u.uid OFFSET 0) m,"
        " LATERAL (SELECT id, size, header_size, frames FROM email WHERE account_id = $1 AND id = m.email_id"
        "   AND (SELECT true FROM email_text WHERE account_id = $1 AND email_id = m.email_id) IS NULL OFFSET 0) e"
        " ORDER BY e.id" }; /* each by its own probe of an index: see store/message_write.c, BY_UID */
    const struct db_param params[] = { db_int8(who->account_id), db_int8(mailbox_id), db_int8_array(a, uids, n) };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct missing *list;

    if (db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), &rows) != RES_OK)
        return RES_TEMPFAIL;
    list = arena_array(a, struct missing, db_count(&rows));
    for (size_t i = 0; i < db_count(&rows); i++) {
        list[i].email_id = db_get_int(&rows, i, 0);
        list[i].shape = (struct body_shape){ .size = (uint64_t)db_get_int(&rows, i, 1),
                                             .header_size = (uint64_t)db_get_int(&rows, i, 2),
                                             .frames = (unsigned)db_get_int(&rows, i, 3) };
    }
    *ret_list = list;
    *ret_n = db_count(&rows);
    return RES_OK;
}

/* The first bytes of each message of the group, whole frames of them; ids ascending, as the rows come. */
static enum result read_group(struct db *db, const struct principal *who, struct arena *a, const struct missing *m,
                              size_t n, struct str *messages)
{
    struct message_frames *want = arena_array(a, struct message_frames, n);
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    size_t row = 0;

    for (size_t i = 0; i < n; i++) {
        want[i].email_id = m[i].email_id;
        body_frames_of(&m[i].shape, 0, MIN(m[i].shape.size, LOOK_MAX), &want[i].first, &want[i].last);
    }
    if (message_frames(db, who, a, want, n, &rows) != RES_OK)
        return RES_TEMPFAIL;
    for (size_t i = 0; i < n; i++) {
        uint64_t at, len, end;
        char *buf;

        body_frame_range(&m[i].shape, want[i].last, &at, &len);
        end = at + len;
        buf = arena_alloc(a, end);
        messages[i] = str_of(buf, 0);
        while (row < db_count(&rows) && db_get_int(&rows, row, 0) < m[i].email_id)
            row++;
        for (; row < db_count(&rows) && db_get_int(&rows, row, 0) == m[i].email_id; row++) {
            int64_t frame = db_get_int(&rows, row, 1);

            if (frame < 0 || frame > want[i].last)
                continue;
            body_frame_range(&m[i].shape, (unsigned)frame, &at, &len);
            if (at == messages[i].len && body_unpack(db_get_str(&rows, row, 2), buf + at, len) == RES_OK)
                messages[i].len += len;
        }
    }
    return RES_OK;
}

static enum result add_texts(struct db *db, const struct principal *who, struct arena *a, const struct missing *m,
                             const struct str *texts, size_t n)
{
    static const struct db_stmt stmt = { "search_add",
        "INSERT INTO email_text (account_id, email_id, text) SELECT $1, t.id, t.text"
        " FROM unnest($2::bigint[], $3::text[]) AS t(id, text) ON CONFLICT DO NOTHING" };
    int64_t *ids = arena_array(a, int64_t, n);

    for (size_t i = 0; i < n; i++)
        ids[i] = m[i].email_id;
    const struct db_param params[] = { db_int8(who->account_id), db_int8_array(a, ids, n),
                                       db_text_array(a, texts, n) };
    return db_query_as(db, who->token, &stmt, params, ARRAY_LEN(params), NULL) == RES_OK ? RES_OK : RES_TEMPFAIL;
}

/* Texts for as many of the list as make a group; *ret_done of them. */
static enum result prepare_group(struct db *db, const struct principal *who, const struct missing *m, size_t n,
                                 size_t *ret_done)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    uint64_t bytes = 0;
    size_t k = 0;
    enum result r;

    for (; k < n && (k == 0 || bytes + MIN(m[k].shape.size, LOOK_MAX) <= GROUP_MAX); k++)
        bytes += MIN(m[k].shape.size, LOOK_MAX);
    struct str *messages = arena_array(&a, struct str, k);
    struct text_job job = { .a = &a, .messages = messages, .texts = arena_array(&a, struct str, k), .n = k };

    r = read_group(db, who, &a, m, k, messages);
    if (r != RES_OK)
        return r;
    coroutine_work(make_texts, &job);
    r = add_texts(db, who, &a, m, job.texts, k);
    if (r == RES_OK)
        *ret_done = k;
    return r;
}

enum result search_prepare(struct db *db, const struct principal *who, int64_t mailbox_id, const int64_t *uids,
                           size_t n)
{
    for (size_t at = 0; at < n; at += PAGE) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct missing *list = NULL;
        size_t nlist = 0, done = 0;
        enum result r = list_missing(db, who, mailbox_id, &a, uids + at, MIN(n - at, (size_t)PAGE), &list, &nlist);

        for (size_t i = 0; r == RES_OK && i < nlist; i += done)
            r = prepare_group(db, who, list + i, nlist - i, &done);
        if (r != RES_OK)
            return r;
    }
    return RES_OK;
}

/* BODY: the first hit must lie before the mark; a text whose first hit lies behind it has none before. */
#define TEXT_SQL(messages)                                                                                         \
    "SELECT m.uid FROM " messages ", LATERAL (SELECT FROM email_text t WHERE t.account_id = $1"                    \
    " AND t.email_id = m.email_id AND strpos(t.text, $3) > 0"                                                      \
    " AND (NOT $4 OR strpos(t.text, $3) < strpos(t.text, E'\\001')) OFFSET 0) t ORDER BY m.uid"
#define OF_MESSAGE "(SELECT uid, email_id FROM message WHERE account_id = $1 AND mailbox_id = $2"

enum result search_text(struct db *db, const struct principal *who, int64_t mailbox_id, struct str needle,
                        bool body_only, const int64_t *uids, size_t n, struct arena *a, int64_t **ret_uids,
                        size_t *ret_n)
{
    static const struct db_stmt in_box = { "search_text", TEXT_SQL(OF_MESSAGE " OFFSET 0) m") };
    static const struct db_stmt in_uids = { "search_text_uids",
        TEXT_SQL("unnest($5::bigint[]) AS u(uid), LATERAL " OF_MESSAGE " AND uid = u.uid OFFSET 0) m") };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct db_param params[5] = { db_int8(who->account_id), db_int8(mailbox_id), db_text(needle), db_bool(body_only) };
    size_t nparams = 4;
    int64_t *hits;

    if (uids != NULL)
        params[nparams++] = db_int8_array(a, uids, n);
    if (db_query_as(db, who->token, uids != NULL ? &in_uids : &in_box, params, nparams, &rows) != RES_OK)
        return RES_TEMPFAIL;
    hits = arena_array(a, int64_t, db_count(&rows));
    for (size_t i = 0; i < db_count(&rows); i++)
        hits[i] = db_get_int(&rows, i, 0);
    *ret_uids = hits;
    *ret_n = db_count(&rows);
    return RES_OK;
}
