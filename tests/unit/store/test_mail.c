/* Mailboxes and messages against a real PostgreSQL, as the role that uses them.  Every test ends with a recount. */
#include "tests/support/database.h"

#include "base/macros.h"
#include "mail/digest.h"
#include "mail/text.h"
#include "store/keyword.h"
#include "store/message_write.h"
#include "store/search.h"

static PGconn *owner;
static struct db *db;
static const struct principal who = { .account_id = 7, .token = { "token", 5 } };
static const struct principal other = { .account_id = 8, .token = { "token", 5 } };

static int64_t number(const char *expression)
{
    char sql[1024];

    (void)snprintf(sql, sizeof(sql), "SELECT (%s)::bigint", expression);
    return strtoll(database_sql(owner, sql), NULL, 10);
}

static void clear(void)
{
    (void)database_sql(owner, "TRUNCATE account_state, mailbox, subscription, keyword, message, email, blob, email_text,"
                              " expunged");
    (void)database_sql(owner, "INSERT INTO account_state (account_id) VALUES (7), (8);"
                              " INSERT INTO mailbox (account_id, name, uidvalidity) VALUES (7, 'INBOX', 1), (8, 'INBOX', 1)");
}

/* Counters and frames are what a count says. */
static void recount(void)
{
    assert_int_equal(
        number("SELECT count(*) FROM mailbox b, LATERAL (SELECT count(*) AS n, count(*) FILTER (WHERE flags & 1 = 0) AS u,"
               " count(*) FILTER (WHERE flags & 8 <> 0) AS d, coalesce(sum(size), 0) AS s, coalesce(max(uid), 0) AS uid,"
               " coalesce(max(modseq), 0) AS modseq FROM message WHERE account_id = b.account_id AND mailbox_id = b.id) m"
               " WHERE (b.messages, b.unseen, b.deleted, b.bytes) <> (m.n, m.u, m.d, m.s) OR b.uidnext <= m.uid"
               " OR b.highestmodseq < m.modseq"),
        0);
    assert_int_equal(number("SELECT count(*) FROM account_state a, LATERAL (SELECT count(*) AS n, coalesce(sum(size), 0) AS s"
                            " FROM message WHERE account_id = a.account_id) m WHERE (a.used_messages, a.used_bytes) <>"
                            " (m.n, m.s)"),
                     0);
    assert_int_equal(number("SELECT count(*) FROM email e WHERE frames <> (SELECT count(*) FROM blob b"
                            " WHERE b.account_id = e.account_id AND b.email_id = e.id)"),
                     0);
}

static int64_t box(const char *name)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct mailbox m = { 0 };

    assert_int_equal(mailbox_find(db, &who, str_c(name), &a, &m), RES_OK);
    return m.id;
}

static int64_t create(const char *name)
{
    int64_t id = 0;

    assert_int_equal(mailbox_create(db, &who, str_c(name), SPECIAL_NONE, &id), RES_OK);
    return id;
}

static enum result try_append(const char *mailbox, struct str text, int flags, struct message_appended *ret)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct mail_digest digest;
    struct message_append m = { .mailbox = str_c(mailbox), .message = text, .digest = &digest, .flags = flags,
                                .internaldate_us = INT64_C(1700000000000000) };

    mail_digest(&a, text, &digest);
    return message_append(db, &who, &m, ret);
}

static int64_t append(const char *mailbox, const char *text, int flags)
{
    struct message_appended appended = { 0 };

    assert_int_equal(try_append(mailbox, str_c(text), flags, &appended), RES_OK);
    return appended.uid;
}

#define MAIL "Subject: Hello\r\nMessage-ID: <1@x>\r\n\r\nbody text\r\n"

static void body_mailboxes(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct mailbox *list = NULL;
    struct str *names = NULL;
    int64_t id;
    size_t n = 0;

    (void)create("a/b");
    assert_int_equal(mailbox_create(db, &who, STR("a/b"), SPECIAL_NONE, &id), RES_EXISTS);
    assert_int_equal(mailbox_create(db, &who, STR("Sent"), SPECIAL_SENT, &id), RES_OK);
    assert_int_equal(mailbox_create(db, &other, STR("a/b"), SPECIAL_NONE, &id), RES_OK);
    assert_int_equal(mailbox_list(db, &who, &a, &list, &n), RES_OK);
    assert_int_equal(n, 3);
    assert_true(str_eq(list[1].name, STR("Sent")));
    assert_int_equal(list[1].special_use, SPECIAL_SENT);
    assert_true(list[1].uidvalidity > list[2].uidvalidity);
    assert_false(list[2].subscribed);
    assert_int_equal(mailbox_subscribe(db, &who, STR("a/b")), RES_OK);
    assert_int_equal(mailbox_subscribe(db, &who, STR("nothing")), RES_NOTFOUND);
    assert_int_equal(mailbox_unsubscribe(db, &who, STR("nothing")), RES_OK);
    (void)append("a/b", MAIL, 0);
    assert_int_equal(mailbox_delete(db, &who, STR("a/b")), RES_OK);
    assert_int_equal(mailbox_delete(db, &who, STR("a/b")), RES_NOTFOUND);
    assert_int_equal(mailbox_delete(db, &who, STR("INBOX")), RES_DENIED);
    assert_int_equal(number("SELECT count(*) FROM expunged WHERE email_id IS NOT NULL"), 1);
    assert_int_equal(mailbox_subscribed_names(db, &who, &a, &names, &n), RES_OK);
    assert_int_equal(n, 1);
    (void)create("a/b"); /* takes its subscription over */
    assert_int_equal(number("SELECT count(*) FROM mailbox WHERE account_id = 7 AND name = 'a/b' AND subscribed"), 1);
    assert_int_equal(number("SELECT count(*) FROM subscription"), 0);
}

static void body_rename(void)
{
    char longer[MAILBOX_NAME_MAX];
    int64_t id = create("x"), inbox = box("INBOX");

    (void)create("x/y");
    (void)create("xz");
    assert_int_equal(mailbox_rename(db, &who, STR("x"), STR("x/y/z")), RES_INVALID);
    assert_int_equal(mailbox_rename(db, &who, STR("x"), STR("xz")), RES_EXISTS);
    assert_int_equal(mailbox_rename(db, &who, STR("nothing"), STR("n")), RES_NOTFOUND);
    memset(longer, 'l', sizeof(longer));
    assert_int_equal(mailbox_rename(db, &who, STR("x"), str_of(longer, sizeof(longer) - 1)), RES_LIMIT);
    assert_int_equal(mailbox_rename(db, &who, STR("x"), STR("n/m")), RES_OK);
    assert_int_equal(box("n/m"), id);
    (void)box("n/m/y");
    assert_int_equal(mailbox_rename(db, &who, STR("n"), STR("k")), RES_OK); /* a level without mailbox */
    (void)box("k/m/y");
    (void)append("INBOX", MAIL, 0);
    (void)append("INBOX", MAIL, FLAG_SEEN);
    assert_int_equal(mailbox_rename(db, &who, STR("INBOX"), STR("old")), RES_OK);
    assert_int_equal(box("INBOX"), inbox);
    assert_int_equal(number("SELECT messages FROM mailbox WHERE account_id = 7 AND name = 'old'"), 2);
    assert_int_equal(number("SELECT messages FROM mailbox WHERE account_id = 7 AND name = 'INBOX'"), 0);
    assert_int_equal(number("SELECT count(*) FROM expunged WHERE email_id IS NULL"), 2);
}

static void body_append(void)
{
    struct message_appended appended = { 0 };

    assert_int_equal(append("INBOX", MAIL, FLAG_SEEN), 1);
    assert_int_equal(append("INBOX", "References: <1@x>\r\nMessage-ID: <2@x>\r\n\r\n", FLAG_DELETED), 2);
    assert_int_equal(number("SELECT count(DISTINCT thread_id) FROM email"), 1);
    assert_int_equal(try_append("nothing", STR(MAIL), 0, &appended), RES_NOTFOUND);
    (void)database_sql(owner, "UPDATE account_state SET quota_messages = 2 WHERE account_id = 7");
    assert_int_equal(try_append("INBOX", STR(MAIL), 0, &appended), RES_LIMIT);
    (void)database_sql(owner, "UPDATE account_state SET quota_messages = NULL, quota_bytes = used_bytes + 10"
                              " WHERE account_id = 7");
    assert_int_equal(try_append("INBOX", STR(MAIL), 0, &appended), RES_LIMIT);
    assert_int_equal(number("SELECT count(*) FROM email"), 2);
    assert_int_equal(number("SELECT count(*) FROM blob"), 2);
}

/* ---- APPENDs of several sessions at once ---- */

struct appender {
    const struct principal *who;
    const char *mailbox, *text;
    bool bad; /* the database refuses it */
    enum result result;
    struct message_appended appended;
    bool ended;
};

static void append_one(void *arg)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct appender *p = arg;
    struct mail_digest digest;
    struct message_append m = { .mailbox = str_c(p->mailbox), .message = str_c(p->text), .digest = &digest };

    mail_digest(&a, m.message, &digest);
    if (p->bad)
        digest.base_subject = STR("\xff");
    p->result = message_append(db, p->who, &m, &p->appended);
    p->ended = true;
}

static void append_all(struct appender *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_non_null(coroutine_spawn("append", append_one, &v[i]));
    for (size_t i = 0; i < n; i++) {
        while (!v[i].ended)
            (void)coroutine_sleep(1);
    }
}

/* The first one is on its way when the others come: those go together, and each gets what it would get alone. */
static void body_append_group(void)
{
    struct appender v[] = { { .who = &who, .mailbox = "INBOX", .text = MAIL },
                            { .who = &other, .mailbox = "INBOX", .text = MAIL },
                            { .who = &who, .mailbox = "nothing", .text = MAIL },
                            { .who = &who, .mailbox = "INBOX", .text = MAIL },
                            { .who = &other, .mailbox = "INBOX", .text = MAIL "more than the quota\r\n" },
                            { .who = &who, .mailbox = "INBOX", .text = MAIL } };

    (void)database_sql(owner, "UPDATE account_state SET quota_bytes = 80 WHERE account_id = 8");
    append_all(v, ARRAY_LEN(v));
    assert_int_equal(v[0].result, RES_OK);
    assert_int_equal(v[1].result, RES_OK);
    assert_int_equal(v[2].result, RES_NOTFOUND);
    assert_int_equal(v[3].result, RES_OK);
    assert_int_equal(v[4].result, RES_LIMIT);
    assert_int_equal(v[5].result, RES_OK);
    assert_int_equal(v[0].appended.uid + v[3].appended.uid + v[5].appended.uid, 1 + 2 + 3);
    assert_int_equal(v[5].appended.modseq_before, v[3].appended.modseq);
    assert_int_equal(v[1].appended.uid, 1);
    assert_int_equal(number("SELECT count(DISTINCT xmin::text) FROM email"), 2); /* transactions */
    assert_int_equal(number("SELECT count(*) FROM email"), 4);
}

/* One that the database refuses fails alone. */
static void body_append_bad(void)
{
    struct appender v[] = { { .who = &who, .mailbox = "INBOX", .text = MAIL },
                            { .who = &other, .mailbox = "INBOX", .text = MAIL },
                            { .who = &who, .mailbox = "INBOX", .text = MAIL, .bad = true },
                            { .who = &who, .mailbox = "INBOX", .text = MAIL } };

    append_all(v, ARRAY_LEN(v));
    assert_int_equal(v[0].result, RES_OK);
    assert_int_equal(v[1].result, RES_OK);
    assert_int_equal(v[2].result, RES_TEMPFAIL);
    assert_int_equal(v[3].result, RES_OK);
    assert_int_equal(number("SELECT count(*) FROM email"), 3);
}

/* An account whose lock somebody holds delays only its own mail. */
static void body_append_busy(void)
{
    struct appender v[] = { { .who = &other, .mailbox = "INBOX", .text = MAIL },
                            { .who = &who, .mailbox = "INBOX", .text = MAIL },
                            { .who = &other, .mailbox = "INBOX", .text = MAIL } };

    (void)database_sql(owner, "BEGIN; UPDATE account_state SET modseq = modseq + 10 WHERE account_id = 7");
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        assert_non_null(coroutine_spawn("append", append_one, &v[i]));
    while (!v[0].ended || !v[2].ended)
        (void)coroutine_sleep(1);
    assert_false(v[1].ended);
    (void)database_sql(owner, "COMMIT");
    while (!v[1].ended)
        (void)coroutine_sleep(1);
    for (size_t i = 0; i < ARRAY_LEN(v); i++)
        assert_int_equal(v[i].result, RES_OK);
    assert_int_equal(v[1].appended.modseq, 12); /* it saw what was done before it got the lock */
}

/* Larger than what travels in one statement; read back whole, in part, and by a cursor. */
static void body_large(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    size_t size = 3000000;
    char *text = arena_alloc(&a, size);
    struct message_appended appended = { 0 };
    struct body_cursor cursor = { 0 };
    struct str bytes = STR_NULL, piece = STR("x");
    size_t at = 5;

    (void)snprintf(text, size, "Subject: large\r\n\r\n");
    for (size_t i = 18; i < size; i++)
        text[i] = (char)('a' + i * i % 23);
    assert_int_equal(try_append("INBOX", str_of(text, size), 0, &appended), RES_OK);
    struct body_source source = { .db = db, .token = who.token, .account_id = 7, .shape = body_shape_of(size, 18),
                                  .id = number("SELECT id FROM email") };
    assert_int_equal(body_read(&source, 300000, 400000, &a, &bytes), RES_OK);
    assert_memory_equal(bytes.p, text + 300000, 400000);
    cursor = (struct body_cursor){ .source = source, .at = 5, .end = size - 7 };
    while (piece.len > 0) {
        assert_int_equal(body_next(&cursor, &piece), RES_OK);
        assert_true(piece.len <= BODY_FRAME_MAX);
        assert_memory_equal(piece.p, text + at, piece.len);
        at += piece.len;
    }
    assert_int_equal(at, size - 7);
    body_cursor_release(&cursor);
    (void)database_sql(owner, "UPDATE blob SET data = 'junk' WHERE n = 2");
    assert_int_equal(body_read(&source, 300000, 400000, &a, &bytes), RES_TEMPFAIL);
    (void)database_sql(owner, "DELETE FROM blob WHERE n = 2");
    assert_int_equal(body_read(&source, 300000, 400000, &a, &bytes), RES_TEMPFAIL);
    (void)database_sql(owner, "DELETE FROM blob; UPDATE email SET frames = 0"); /* for the recount */
}

static struct message_stored_list store(const struct message_change *change, const int64_t *uids, size_t n, struct arena *a)
{
    struct message_stored_list list = { 0 };

    assert_int_equal(message_store(db, &who, box("INBOX"), uids, n, change, a, &list), RES_OK);
    return list;
}

static void body_store(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    static const int64_t all[] = { 1, 2, 3, 9 };
    static const int32_t kw[] = { 1, 2 };
    struct message_change change = { .set = FLAG_SEEN | FLAG_DELETED, .unchanged_since = -1 };
    struct message_stored_list list;
    int64_t modseq;

    for (int i = 0; i < 3; i++)
        (void)append("INBOX", MAIL, i == 0 ? FLAG_SEEN | FLAG_DELETED : 0);
    list = store(&change, all, ARRAY_LEN(all), &a);
    assert_int_equal(list.n, 3);
    assert_false(list.v[0].changed); /* had them already */
    assert_true(list.v[1].changed && list.v[2].changed);
    assert_int_equal(list.v[1].state.modseq, list.modseq);
    assert_true(list.v[0].state.modseq < list.modseq_before && list.modseq_before < list.modseq);
    recount();
    modseq = list.modseq;
    list = store(&change, all, ARRAY_LEN(all), &a); /* nothing to do: no MODSEQ is spent */
    assert_int_equal(list.modseq, 0);
    assert_int_equal(number("SELECT modseq FROM account_state WHERE account_id = 7"), modseq);

    change = (struct message_change){ .keywords = true, .keywords_add = kw, .nadd = 2, .unchanged_since = modseq - 1 };
    list = store(&change, all, ARRAY_LEN(all), &a);
    assert_true(list.v[0].changed && !list.v[0].failed && list.v[0].state.nkeywords == 2);
    assert_true(list.v[1].failed && !list.v[1].changed && list.v[1].state.nkeywords == 0);
    change = (struct message_change){ .keywords = true, .keywords_remove = kw, .nremove = 1, .clear = FLAG_SEEN,
                                      .unchanged_since = -1 };
    list = store(&change, all, ARRAY_LEN(all), &a);
    assert_int_equal(list.v[0].state.nkeywords, 1);
    assert_int_equal(list.v[0].state.keywords[0], 2);
    assert_int_equal(list.v[0].state.flags, FLAG_DELETED);
    change = (struct message_change){ .keywords = true, .keywords_replace = true, .clear = FLAGS_ALL, .set = FLAG_DRAFT,
                                      .unchanged_since = -1 };
    list = store(&change, all, ARRAY_LEN(all), &a);
    assert_int_equal(list.v[0].state.flags, FLAG_DRAFT);
    assert_int_equal(number("SELECT count(*) FROM message WHERE keywords IS NOT NULL"), 0);
}

/* Flags of a single message have a statement of their own. */
static void body_store_one(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    static const int64_t first[] = { 1 }, nobody[] = { 9 };
    struct message_change change = { .set = FLAG_SEEN | FLAG_DELETED, .clear = FLAG_DRAFT, .unchanged_since = -1 };
    struct message_stored_list list;
    int64_t modseq;

    (void)append("INBOX", MAIL, FLAG_DRAFT | FLAG_FLAGGED);
    (void)append("INBOX", MAIL, 0);
    (void)database_sql(owner, "UPDATE message SET keywords = '{2,5}'");
    modseq = number("SELECT highestmodseq FROM mailbox WHERE account_id = 7");
    list = store(&change, first, 1, &a);
    assert_int_equal(list.n, 1);
    assert_true(list.v[0].changed && !list.v[0].failed);
    assert_int_equal(list.v[0].state.flags, FLAG_SEEN | FLAG_DELETED | FLAG_FLAGGED);
    assert_int_equal(list.v[0].state.nkeywords, 2);
    assert_int_equal(list.v[0].state.keywords[1], 5);
    assert_int_equal(list.v[0].state.modseq, list.modseq);
    assert_int_equal(list.modseq_before, modseq);
    assert_int_equal(list.modseq, number("SELECT highestmodseq FROM mailbox WHERE account_id = 7"));
    assert_int_equal(number("SELECT count(*) FROM message WHERE modseq = (SELECT max(modseq) FROM message)"), 1);
    recount();
    modseq = list.modseq;
    list = store(&change, first, 1, &a);
    assert_true(list.n == 1 && !list.v[0].changed && list.modseq == 0);
    assert_int_equal(list.v[0].state.modseq, modseq);
    assert_int_equal(number("SELECT modseq FROM account_state WHERE account_id = 7"), modseq);
    change = (struct message_change){ .clear = FLAGS_ALL, .unchanged_since = -1 };
    list = store(&change, first, 1, &a);
    assert_true(list.v[0].changed && list.v[0].state.flags == 0);
    list = store(&change, nobody, 1, &a);
    assert_true(list.n == 0 && list.modseq == 0);
}

static void body_expunge(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    static const int64_t all[] = { 1, 2, 3 };
    struct message_removed gone = { 0 };
    int64_t inbox = box("INBOX"), modseq;

    (void)append("INBOX", MAIL, FLAG_DELETED);
    (void)append("INBOX", MAIL, 0);
    (void)append("INBOX", MAIL, FLAG_DELETED | FLAG_SEEN);
    modseq = number("SELECT highestmodseq FROM mailbox WHERE account_id = 7");
    assert_int_equal(message_expunge(db, &who, inbox, all, 3, &a, &gone), RES_OK);
    assert_int_equal(gone.n, 2);
    assert_true(gone.uids[0] == 1 && gone.uids[1] == 3);
    assert_int_equal(gone.modseq_before, modseq);
    assert_int_equal(gone.modseq, number("SELECT highestmodseq FROM mailbox WHERE account_id = 7"));
    assert_int_equal(number("SELECT count(*) FROM expunged WHERE email_id IS NOT NULL AND internaldate IS NOT NULL"), 2);
    assert_int_equal(number("SELECT count(DISTINCT modseq) FROM expunged"), 1);
    assert_int_equal(message_expunge(db, &other, inbox, all, 3, &a, &gone), RES_OK);
    assert_true(gone.n == 0 && gone.modseq == 0);
}

static void body_copy(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    static const int64_t uids[] = { 1, 3, 99 }, none[] = { 98, 99 };
    struct message_copied c = { 0 };
    int64_t inbox = box("INBOX"), to = create("to");

    for (int i = 0; i < 3; i++)
        (void)append("INBOX", MAIL, i == 0 ? FLAG_SEEN : FLAG_FLAGGED);
    assert_int_equal(message_copy(db, &who, inbox, uids, 3, to, &a, &c), RES_OK);
    assert_int_equal(c.n, 2);
    assert_true(c.from[0] == 1 && c.from[1] == 3 && c.to[0] == 1 && c.to[1] == 2);
    assert_int_equal(number("SELECT count(*) FROM email"), 3);
    recount();
    assert_int_equal(message_copy(db, &who, inbox, none, 2, to, &a, &c), RES_OK);
    assert_int_equal(c.n, 0);
    assert_int_equal(message_copy(db, &who, inbox, uids, 3, to + 1000, &a, &c), RES_NOTFOUND);
    (void)database_sql(owner, "UPDATE account_state SET quota_messages = 6 WHERE account_id = 7");
    assert_int_equal(message_copy(db, &who, inbox, uids, 3, to, &a, &c), RES_LIMIT);
    assert_int_equal(message_move(db, &who, inbox, uids, 3, to, &a, &c), RES_OK); /* nothing is added */
    assert_true(c.to[0] == 3 && c.to[1] == 4);
    recount();
    assert_int_equal(message_move(db, &who, inbox, (const int64_t[]){ 2 }, 1, inbox, &a, &c), RES_OK);
    assert_int_equal(c.to[0], 4);
    assert_true(c.removed.n == 1 && c.removed.uids[0] == 2 && c.removed.modseq_before == c.to_modseq &&
                c.removed.modseq == c.to_modseq + 1);
    assert_int_equal(number("SELECT count(*) FROM expunged WHERE email_id IS NULL"), 3);
}

struct seen {
    uint32_t uids[4000];
    size_t n, gone;
};

static void on_state(void *arg, const struct message_state *m)
{
    struct seen *seen = arg;

    assert_true(seen->n < ARRAY_LEN(seen->uids));
    seen->uids[seen->n++] = m->uid;
}

static void on_gone(void *arg, uint32_t uid UNUSED)
{
    ((struct seen *)arg)->gone++;
}

/* Less than a page: changes and expunges, and nothing of what is older. */
static void body_changes(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    static const int64_t first[] = { 1 }, third[] = { 3 };
    const struct message_change change = { .set = FLAG_SEEN, .unchanged_since = -1 };
    struct seen *seen = arena_new(&a, struct seen);
    struct message_removed gone = { 0 };
    struct mailbox m = { 0 };
    int64_t since;
    bool all = true;

    for (int i = 0; i < 4; i++)
        (void)append("INBOX", MAIL, FLAG_DELETED);
    assert_int_equal(mailbox_find(db, &who, STR("INBOX"), &a, &m), RES_OK);
    since = m.highestmodseq;
    assert_int_equal(message_changes(db, &who, m.id, since, &a, &m, on_state, on_gone, seen, &all), RES_OK);
    assert_true(!all && seen->n == 0 && seen->gone == 0);
    (void)store(&change, third, 1, &a);
    assert_int_equal(message_expunge(db, &who, m.id, first, 1, &a, &gone), RES_OK);
    assert_int_equal(message_changes(db, &who, m.id, since, &a, &m, on_state, on_gone, seen, &all), RES_OK);
    assert_true(!all && seen->n == 1 && seen->uids[0] == 3 && seen->gone == 1);
    assert_int_equal(m.highestmodseq, gone.modseq);
    seen->n = seen->gone = 0;
    assert_int_equal(message_changes(db, &who, m.id, since + 1, &a, &m, on_state, on_gone, seen, &all), RES_OK);
    assert_true(seen->n == 0 && seen->gone == 1);
}

/* More than a page, in order, and what changed since. */
static void body_pages(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct seen *seen = arena_new(&a, struct seen);
    struct mailbox m = { 0 };
    bool all = true;

    (void)database_sql(owner,
                       "INSERT INTO message (account_id, mailbox_id, uid, email_id, modseq, internaldate, size, flags)"
                       " SELECT 7, id, g, g, 2, now(), 1, 1 FROM mailbox, generate_series(1, 2500) g"
                       " WHERE account_id = 7; UPDATE mailbox SET messages = 2500, bytes = 2500, uidnext = 2501,"
                       " highestmodseq = 2 WHERE account_id = 7; UPDATE account_state SET used_messages = 2500,"
                       " used_bytes = 2500, modseq = 2 WHERE account_id = 7");
    assert_int_equal(message_open(db, &who, STR("INBOX"), &a, &m, on_state, seen), RES_OK);
    assert_int_equal(seen->n, 2500);
    for (size_t i = 0; i < seen->n; i++)
        assert_int_equal(seen->uids[i], i + 1);
    assert_int_equal(message_open(db, &who, STR("nothing"), &a, &m, on_state, seen), RES_NOTFOUND);
    (void)database_sql(owner, "UPDATE message SET modseq = 3 WHERE uid % 2 = 0; INSERT INTO expunged"
                              " (account_id, mailbox_id, modseq, uid) SELECT 7, id, 2 + g % 2, 3000 + g FROM mailbox,"
                              " generate_series(1, 2100) g WHERE account_id = 7;"
                              " UPDATE mailbox SET highestmodseq = 3 WHERE account_id = 7");
    seen->n = 0;
    assert_int_equal(message_changes(db, &who, m.id, 2, &a, &m, on_state, on_gone, seen, &all), RES_OK);
    assert_int_equal(seen->n, 1250);
    assert_int_equal(seen->uids[1249], 2500);
    assert_int_equal(seen->gone, 1050);
    assert_false(all);
    assert_int_equal(m.highestmodseq, 3);
    (void)database_sql(owner, "DELETE FROM expunged WHERE uid > 4000"); /* now only what changed fills a page */
    seen->n = seen->gone = 0;
    assert_int_equal(message_changes(db, &who, m.id, 2, &a, &m, on_state, on_gone, seen, &all), RES_OK);
    assert_true(!all && seen->n == 1250 && seen->gone == 500);
    (void)database_sql(owner, "UPDATE mailbox SET vanished_from = 3 WHERE account_id = 7");
    seen->n = seen->gone = 0;
    assert_int_equal(message_changes(db, &who, m.id, 2, &a, &m, on_state, on_gone, seen, &all), RES_OK);
    assert_true(all && seen->n == 2500 && seen->gone == 0);
    assert_int_equal(message_changes(db, &other, m.id, 2, &a, &m, on_state, on_gone, seen, &all), RES_NOTFOUND);
}

static void body_fetch(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 }, narrow = { 0 };
    static const int64_t uids[] = { 1, 3, 7 }, span[] = { 2, 3 };
    const struct message_want want = { .envelope = true, .parts = true }, nothing = { 0 };
    struct message_row row;
    int64_t inbox = box("INBOX");

    for (int i = 0; i < 3; i++)
        (void)append("INBOX", MAIL, 0);
    assert_int_equal(message_fetch(db, &who, inbox, &want, &a, uids, 3, false, &rows), RES_OK);
    assert_int_equal(db_count(&rows), 2);
    message_row_get(&rows, 1, &want, &row);
    assert_int_equal(row.uid, 3);
    assert_int_equal(row.internaldate_us, INT64_C(1700000000000000));
    assert_int_equal(row.shape.size, sizeof(MAIL) - 1);
    assert_int_equal(row.shape.frames, 1);
    assert_true(row.envelope.len > 0 && row.parts.len > 0 && row.bodystructure.p == NULL);
    assert_int_equal(message_fetch(db, &who, inbox, &nothing, &a, span, 2, true, &narrow), RES_OK);
    assert_int_equal(db_count(&narrow), 2);
    message_row_get(&narrow, 0, &nothing, &row);
    assert_int_equal(row.uid, 2);
}

/* With the bytes of those that are one frame. */
static void body_fetch_blob(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(db_rows_freep) struct db_rows list = { 0 }, range = { 0 };
    static const int64_t uids[] = { 1, 2, 9 }, span[] = { 1, 2 };
    const struct message_want want = { .email = true, .blob = true };
    char raw[sizeof(MAIL) - 1], large[20000] = "Subject: large\r\n\r\n";
    struct message_appended appended = { 0 };
    struct message_row row;

    memset(large + 18, 'x', sizeof(large) - 18);
    (void)append("INBOX", MAIL, 0);
    assert_int_equal(try_append("INBOX", str_of(large, sizeof(large)), 0, &appended), RES_OK);
    assert_int_equal(message_fetch(db, &who, appended.mailbox_id, &want, &a, uids, 3, false, &list), RES_OK);
    assert_int_equal(message_fetch(db, &who, appended.mailbox_id, &want, &a, span, 2, true, &range), RES_OK);
    for (int i = 0; i < 2; i++) {
        const struct db_rows *rows = i == 0 ? &list : &range;

        assert_int_equal(db_count(rows), 2);
        message_row_get(rows, 0, &want, &row);
        assert_int_equal(body_unpack(row.blob, raw, sizeof(raw)), RES_OK);
        assert_memory_equal(raw, MAIL, sizeof(raw));
        message_row_get(rows, 1, &want, &row);
        assert_true(row.uid == 2 && row.shape.frames == 2 && row.blob.p == NULL);
    }
}

static void body_keywords(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct str names[] = { STR("Work"), STR("$Junk"), STR("WORK") };
    struct str *many = arena_array(&a, struct str, KEYWORD_MAX);
    struct keyword *list = NULL;
    size_t n = 0;

    assert_int_equal(keyword_add(db, &who, &a, names, 3), RES_OK);
    assert_int_equal(keyword_add(db, &who, &a, names, 2), RES_OK);
    assert_int_equal(keyword_list(db, &who, &a, &list, &n), RES_OK);
    assert_int_equal(n, 2);
    assert_true(list[0].id == 1 && list[1].id == 2);
    for (size_t i = 0; i < KEYWORD_MAX; i++)
        many[i] = arena_printf(&a, "k%zu", i);
    assert_int_equal(keyword_add(db, &who, &a, many, KEYWORD_MAX), RES_LIMIT);
    assert_int_equal(keyword_add(db, &who, &a, many, KEYWORD_MAX - 2), RES_OK);
    assert_int_equal(keyword_list(db, &who, &a, &list, &n), RES_OK);
    assert_int_equal(n, KEYWORD_MAX);
}

static size_t hits(const char *needle, bool body_only)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    static const int64_t uids[] = { 1, 2 };
    int64_t *found = NULL, *same = NULL;
    size_t n = 0, nsame = 0;
    struct str folded = text_casefold(&a, str_c(needle));

    assert_int_equal(search_text(db, &who, box("INBOX"), folded, body_only, NULL, 0, &a, &found, &n), RES_OK);
    assert_int_equal(search_text(db, &who, box("INBOX"), folded, body_only, uids, 2, &a, &same, &nsame), RES_OK);
    assert_int_equal(n, nsame);
    return n;
}

static void body_search(void)
{
    static const int64_t uids[] = { 1, 2 };
    int64_t inbox = box("INBOX");

    (void)append("INBOX", "Subject: Apfel\r\n\r\nGr\xc3\xbc\xc3\x9f" "e 100%_\\ \1x\r\n", 0);
    (void)append("INBOX", "Subject: birne\r\n\r\nApfel\r\n", 0);
    assert_int_equal(search_prepare(db, &who, inbox, uids, 2), RES_OK);
    assert_int_equal(search_prepare(db, &who, inbox, uids, 2), RES_OK);
    assert_int_equal(number("SELECT count(*) FROM email_text"), 2);
    assert_int_equal(hits("APFEL", false), 2);
    assert_int_equal(hits("apfel", true), 1);
    assert_int_equal(hits("GR\xc3\x9cSSE", true), 1);
    assert_int_equal(hits("100%_\\", true), 1);
    assert_int_equal(hits("%", true), 1);
    assert_int_equal(hits("birne", true), 0);
    assert_int_equal(hits("nowhere", false), 0);
}

static void body_recent(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct mailbox m = { 0 };
    int64_t inbox = box("INBOX"), first = 0, count = 0;

    (void)append("INBOX", MAIL, 0);
    (void)append("INBOX", MAIL, 0);
    assert_int_equal(mailbox_get(db, &who, inbox, &a, &m), RES_OK);
    assert_int_equal(mailbox_count_recent(db, &who, &m, &count), RES_OK);
    assert_int_equal(count, 2);
    assert_int_equal(mailbox_claim_recent(db, &who, inbox, 3, &first), RES_OK);
    assert_int_equal(first, 1);
    assert_int_equal(mailbox_claim_recent(db, &who, inbox, 2, &first), RES_OK); /* does not go back */
    assert_int_equal(first, 3);
    assert_int_equal(number("SELECT first_recent FROM mailbox WHERE account_id = 7"), 3);
    assert_int_equal(mailbox_claim_recent(db, &other, inbox, 9, &first), RES_NOTFOUND);
}

/* ---- running ---- */

static void (*bodies[])(void) = { body_mailboxes, body_rename,  body_append, body_append_group, body_append_bad,
                                  body_append_busy, body_large, body_store,  body_store_one, body_expunge, body_copy,
                                  body_changes,   body_pages,   body_fetch,  body_fetch_blob,   body_keywords,
                                  body_search,    body_recent };
static const char *const names[] = { "mailboxes", "rename", "append", "append together", "append a bad one",
                                     "append to a busy account", "large", "store", "store one", "expunge", "copy",
                                     "changes", "pages", "fetch", "fetch with bytes", "keywords",
                                     "search", "recent" };

static void run_body(void *arg)
{
    db = db_new(database_conninfo("correio_access"), 2);
    (*(void (**)(void))arg)();
    while (coroutine_count() > 1) /* NOTIFY is under way */
        (void)coroutine_sleep(1);
    db_free(db);
    loop_stop();
}

static void run(void **state)
{
    clear();
    assert_non_null(coroutine_spawn("test", run_body, *state));
    loop_run();
    recount();
}

static int group_setup(void **state UNUSED)
{
    owner = database_connect(database_name, "none");
    return 0;
}

static int group_teardown(void **state UNUSED)
{
    PQfinish(owner);
    database_drop();
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(bodies)] = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        tests[i] = (struct CMUnitTest){ .name = names[i], .test_func = run, .initial_state = &bodies[i] };
    if (!database_create()) {
        (void)printf("skipped: CORREIO_TEST_CONNINFO is not set\n");
        return 0;
    }
    return cmocka_run_group_tests_name("mail", tests, group_setup, group_teardown);
}
