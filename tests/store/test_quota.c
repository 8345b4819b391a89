/* Quota in the delivering statement: a grace, Junk and Trash apart; the sums of domains; a recount; warnings, once each. */
#include "tests/store/support.h"

#include "config/settings.h"
#include "deliver/deliver.h"
#include "relay/warn.h"
#include "store/message_write.h"
#include "store/quota.h"

#define MESSAGE "Return-Path: <a@example.org>\r\nSubject: test\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n"
#define SIZE ((int64_t)sizeof(MESSAGE) - 1)

static PGconn *pg;
static struct db *db;
static struct deliver *deliver;
static int64_t account, inbox;

static int setup(void **state)
{
    (void)state;
    pg = test_connect();
    db = db_new(test_conninfo(), 2);
    deliver = deliver_new(db);
    return 0;
}

/* $1: the account. */
static PGresult *exec(const char *sql)
{
    char id[24];
    const char *const values[] = { id };
    PGresult *res;

    (void)snprintf(id, sizeof(id), "%lld", (long long)account);
    res = PQexecParams(pg, sql, 1, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(res) != PGRES_COMMAND_OK && PQresultStatus(res) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(pg));
    return res;
}

static int64_t number(const char *sql)
{
    PGresult *res = exec(sql);
    int64_t v = strtoll(PQgetvalue(res, 0, 0), NULL, 10);

    PQclear(res);
    return v;
}

static void run_sql(const char *sql)
{
    PQclear(exec(sql));
}

static void set(const char *key, const char *value)
{
    struct arena a = { 0 };
    struct settings *s = arena_new(&a, struct settings);
    const struct str keys[] = { str_c(key) }, values[] = { str_c(value) };

    settings_build(&a, keys, values, 1, s);
    settings_install(s, &a);
}

struct one {
    int64_t mailbox;
    enum result result;
};

static void deliver_one(void *arg)
{
    struct one *o = arg;
    struct accept_target target = { .account_id = account, .mailbox_id = o->mailbox, .recipient = STR("x@example.test") };
    struct accept_message m = { .message = STR(MESSAGE), .return_path_len = 30, .targets = &target, .n_targets = 1 };

    assert_int_equal(deliver_id(deliver, &m.id), RES_OK);
    o->result = deliver_submit(deliver, &m);
    loop_stop();
}

static enum result delivered(int64_t mailbox)
{
    struct one o = { .mailbox = mailbox };

    test_run(deliver_one, &o);
    return o.result;
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static void warn_body(void *arg)
{
    (void)arg;
    warn_full_mailboxes(db, deliver, never, NULL);
    loop_stop();
}

static int64_t warned(void) /* how many messages are in the INBOX after the warnings have gone out */
{
    test_run(warn_body, NULL);
    return number("SELECT count(*) FROM message WHERE account_id = $1 AND mailbox_id = (SELECT id FROM mailbox WHERE "
                  "account_id = $1 AND name = 'INBOX')");
}

/* ---- room ---- */

static void test_grace(void **state)
{
    (void)state;
    test_account(pg, "grace", &account, &inbox);
    run_sql("UPDATE account_state SET quota_bytes = 100 WHERE account_id = $1");
    assert_int_equal(delivered(inbox), RES_OK);
    assert_int_equal(delivered(inbox), RES_LIMIT);
    set("quota.grace", "1 KiB");
    assert_int_equal(delivered(inbox), RES_OK); /* it was not over before */
    assert_int_equal(delivered(inbox), RES_LIMIT);
    set("quota.grace", "0");
    assert_int_equal(number("SELECT used_bytes FROM account_state WHERE account_id = $1"), 2 * SIZE);
    test_counters(pg);
}

static void test_apart(void **state)
{
    int64_t trash, junk;

    (void)state;
    test_account(pg, "apart", &account, &inbox);
    trash = number("INSERT INTO mailbox (account_id, name, uidvalidity, special_use) VALUES ($1, 'Trash', 2, 5) RETURNING id");
    junk = number("INSERT INTO mailbox (account_id, name, uidvalidity, special_use) VALUES ($1, 'Junk', 3, 3) RETURNING id");
    run_sql("UPDATE account_state SET quota_bytes = 200, quota_messages = 2 WHERE account_id = $1");
    assert_int_equal(delivered(trash), RES_OK);
    assert_int_equal(delivered(junk), RES_OK);
    assert_int_equal(delivered(inbox), RES_LIMIT);
    set("quota.apart", "true");
    assert_int_equal(delivered(inbox), RES_OK);
    assert_int_equal(delivered(inbox), RES_OK);
    assert_int_equal(delivered(inbox), RES_LIMIT); /* both are measured against the quota */
    assert_int_equal(delivered(junk), RES_LIMIT);
    set("quota.apart", "false");
    test_counters(pg);
}

struct moving {
    int64_t from, to, uid;
    bool copy;
    enum result result;
};

static void move_body(void *arg)
{
    const struct principal who = { .account_id = account };
    struct moving *m = arg;
    struct message_copied copied = { 0 };
    struct arena a = { 0 };

    m->result = (m->copy ? message_copy : message_move)(db, &who, m->from, &m->uid, 1, m->to, &a, &copied);
    if (m->result == RES_OK)
        assert_int_equal(copied.n, 1);
    arena_reset(&a);
    loop_stop();
}

static enum result moved(int64_t from, int64_t to, int64_t uid, bool copy)
{
    struct moving m = { .from = from, .to = to, .uid = uid, .copy = copy };

    test_run(move_body, &m);
    return m.result;
}

static void test_moves(void **state)
{
    int64_t trash;

    (void)state;
    test_account(pg, "moves", &account, &inbox);
    trash = number("INSERT INTO mailbox (account_id, name, uidvalidity, special_use) VALUES ($1, 'Trash', 2, 5) RETURNING id");
    run_sql("UPDATE account_state SET quota_messages = 1 WHERE account_id = $1");
    assert_int_equal(delivered(inbox), RES_OK);
    assert_int_equal(moved(inbox, trash, 1, true), RES_LIMIT);
    assert_int_equal(moved(inbox, trash, 1, false), RES_OK); /* however full it is */
    set("quota.apart", "true");
    assert_int_equal(delivered(inbox), RES_OK);
    assert_int_equal(moved(inbox, trash, 2, false), RES_LIMIT); /* else what is apart would have no bound */
    assert_int_equal(moved(trash, inbox, 1, false), RES_LIMIT);
    assert_int_equal(moved(inbox, inbox, 2, false), RES_OK);
    set("quota.apart", "false");
    assert_int_equal(moved(trash, inbox, 1, false), RES_OK);
    test_counters(pg);
}

/* ---- sums and recounts ---- */

struct recount {
    bool repair;
    size_t n;
    struct quota_drift v[8];
    struct arena a;
};

static void recount_body(void *arg)
{
    struct recount *c = arg;
    struct quota_drift *v;

    assert_int_equal(quota_recount(db, account, c->repair, &c->a, &v, &c->n), RES_OK);
    assert_true(c->n <= ARRAY_LEN(c->v));
    memcpy(c->v, v, c->n * sizeof(*v));
    loop_stop();
}

static void test_recount(void **state)
{
    struct recount c = { .repair = false };

    (void)state;
    test_account(pg, "recount", &account, &inbox);
    assert_int_equal(delivered(inbox), RES_OK);
    test_run(recount_body, &c);
    assert_int_equal(c.n, 0);
    run_sql("UPDATE account_state SET used_bytes = 5, used_messages = 7 WHERE account_id = $1");
    run_sql("UPDATE mailbox SET unseen = 3, bytes = 1 WHERE account_id = $1");
    test_run(recount_body, &c);
    assert_int_equal(c.n, 4);
    assert_true(c.v[0].mailbox.p == NULL && str_eq(c.v[0].counter, STR("bytes")));
    assert_true(c.v[0].was == 5 && c.v[0].counted == SIZE);
    assert_true(str_eq(c.v[3].mailbox, STR("INBOX")) && str_eq(c.v[3].counter, STR("unseen")));
    assert_true(c.v[3].was == 3 && c.v[3].counted == 1);
    test_run(recount_body, &c); /* it only reported */
    assert_int_equal(c.n, 4);
    c.repair = true;
    test_run(recount_body, &c);
    assert_int_equal(c.n, 4);
    test_run(recount_body, &c);
    assert_int_equal(c.n, 0);
    arena_reset(&c.a);
    test_counters(pg);
}

static void domains_body(void *arg)
{
    struct quota_domain *out = arg, *v;
    struct arena a = { 0 };
    size_t n;

    assert_int_equal(quota_domains(db, &a, &v, &n), RES_OK);
    assert_int_equal(n, 1);
    *out = v[0];
    arena_reset(&a);
    loop_stop();
}

static void test_domains(void **state)
{
    struct quota_domain d;

    (void)state;
    test_sql(pg, "UPDATE domain SET quota_bytes = 1000 WHERE name = 'example.test'");
    test_run(domains_body, &d);
    assert_int_equal(d.limit, 1000);
    assert_int_equal(d.used, test_number(pg, "SELECT sum(used_bytes) FROM account_state"));
    test_sql(pg, "UPDATE domain SET quota_bytes = NULL");
}

/* ---- warnings ---- */

static void test_warnings(void **state)
{
    (void)state;
    test_account(pg, "warnings", &account, &inbox);
    run_sql("UPDATE account_state SET quota_messages = 20 WHERE account_id = $1");
    run_sql("UPDATE account SET language = 'pt-BR' WHERE id = $1");
    for (int i = 0; i < 15; i++)
        assert_int_equal(delivered(inbox), RES_OK);
    assert_int_equal(number("SELECT count(*) FROM quota_due WHERE account_id = $1"), 0);
    assert_int_equal(warned(), 15);
    assert_int_equal(delivered(inbox), RES_OK);
    assert_int_equal(warned(), 17);
    assert_int_equal(warned(), 17);
    assert_int_equal(number("SELECT warned FROM account_state WHERE account_id = $1"), 80);
    assert_int_equal(number("SELECT count(*) FROM email WHERE account_id = $1 AND base_subject LIKE '%QUASE CHEIA%' "
                            "OR account_id = $1 AND base_subject LIKE '%quase cheia%'"), 1);
    assert_int_equal(delivered(inbox), RES_OK);
    assert_int_equal(warned(), 18);
    for (int i = 0; i < 2; i++)
        assert_int_equal(delivered(inbox), RES_OK);
    assert_int_equal(delivered(inbox), RES_LIMIT);
    assert_int_equal(warned(), 21); /* no quota refuses the warning */
    assert_int_equal(warned(), 21);
    assert_int_equal(number("SELECT warned FROM account_state WHERE account_id = $1"), 95);
    assert_int_equal(number("SELECT count(*) FROM quota_due WHERE account_id = $1"), 0);
    test_counters(pg);

    /* Down, and up again: told again. */
    run_sql("UPDATE account_state SET quota_messages = 100 WHERE account_id = $1");
    run_sql("INSERT INTO quota_due VALUES ($1)");
    assert_int_equal(warned(), 21);
    assert_int_equal(number("SELECT warned FROM account_state WHERE account_id = $1"), 0);
    run_sql("UPDATE account_state SET quota_messages = 22 WHERE account_id = $1");
    run_sql("INSERT INTO quota_due VALUES ($1)");
    assert_int_equal(warned(), 22);
    assert_int_equal(number("SELECT warned FROM account_state WHERE account_id = $1"), 95); /* 80 is left out */
}

/* Nobody to tell, or nowhere: the list empties all the same. */
static void test_nobody_to_warn(void **state)
{
    (void)state;
    test_account(pg, "gone", &account, &inbox);
    run_sql("UPDATE account_state SET quota_messages = 0 WHERE account_id = $1");
    run_sql("DELETE FROM mailbox WHERE account_id = $1");
    run_sql("INSERT INTO quota_due VALUES ($1), ($1 + 1000000)");
    test_run(warn_body, NULL);
    assert_int_equal(test_number(pg, "SELECT count(*) FROM quota_due"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grace),   cmocka_unit_test(test_apart),    cmocka_unit_test(test_moves), cmocka_unit_test(test_recount),
        cmocka_unit_test(test_domains), cmocka_unit_test(test_warnings), cmocka_unit_test(test_nobody_to_warn),
    };

    return cmocka_run_group_tests_name("quota", tests, setup, NULL);
}
