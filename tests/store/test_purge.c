/* A deleted account gets no mail and keeps what it has until it is purged, step by step; an account beside it loses nothing. */
#include "tests/store/support.h"

#include "deliver/deliver.h"
#include "store/message_write.h"
#include "store/routing.h"
#include "store/sweep.h"

#define MESSAGE "Return-Path: <>\r\nSubject: purge\r\n\r\nbody\r\n"
#define RETURN_PATH 17
#define WEEK_S (7 * INT64_C(86400))

static PGconn *pg;
static struct db *db;
static int64_t gone, gone_inbox, beside, beside_inbox;

static bool never(void *arg)
{
    (void)arg;
    return false;
}

/* One step, then stop. */
static bool second_time(void *arg)
{
    int *calls = arg;

    return (*calls)++ > 0;
}

static void deliver_one(struct deliver *d, int64_t account, int64_t inbox)
{
    struct accept_target target = { .account_id = account, .mailbox_id = inbox, .recipient = STR("x@example.test") };
    const struct queue_new envelope = { .reverse_path = STR(""), .expire_s = 60 };
    struct accept_message m = { .message = STR(MESSAGE), .return_path_len = RETURN_PATH, .targets = &target,
                                 .n_targets = 1, .envelope = &envelope };

    assert_int_equal(deliver_id(d, &m.id), RES_OK);
    assert_int_equal(deliver_submit(d, &m), RES_OK);
}

static enum route_fact route_of(const char *local)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct route_facts facts;

    assert_int_equal(routing_find(db, str_c(local), STR("example.test"), &a, &facts), RES_OK);
    return facts.kind;
}

static bool may_send(const char *local)
{
    bool may;

    assert_int_equal(routing_may_send_as(db, gone, str_c(local), STR("example.test"), &may), RES_OK);
    return may;
}

static void expunge_first(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct principal who = { .account_id = gone };
    const struct message_change deleted = { .set = FLAG_DELETED, .unchanged_since = -1 };
    const int64_t uids[] = { 1 };
    struct message_stored_list stored;
    struct message_removed removed;

    assert_int_equal(message_store(db, &who, gone_inbox, uids, 1, &deleted, &a, &stored), RES_OK);
    assert_int_equal(message_expunge(db, &who, gone_inbox, uids, 1, &a, &removed), RES_OK);
}

static void play(void *arg)
{
    int64_t swept;
    int calls = 0;

    for (int i = 0; i < 3; i++)
        deliver_one(arg, gone, gone_inbox);
    deliver_one(arg, beside, beside_inbox);
    expunge_first();
    assert_true(may_send("gone") && may_send("team"));
    test_sql(pg, "UPDATE account SET deleted_from = state, state = 4, deleted_at = now() WHERE address = 'gone@example.test'");
    assert_int_equal(route_of("gone"), FACT_UNKNOWN); /* and the catch-all does not get it */
    assert_int_equal(route_of("gone+tag"), FACT_UNKNOWN);
    assert_int_equal(route_of("nobody"), FACT_ALIAS);
    assert_int_equal(route_of("team"), FACT_ALIAS);
    assert_false(may_send("gone") || may_send("team"));

    assert_int_equal(sweep_accounts(db, WEEK_S, 100, never, NULL, &swept), RES_OK);
    assert_int_equal(swept, 0); /* too young */
    test_sql(pg, "UPDATE account SET deleted_at = now() - interval '8 days' WHERE state = 4");
    assert_int_equal(sweep_accounts(db, WEEK_S, 1, second_time, &calls, &swept), RES_OK);
    assert_int_equal(swept, 1); /* one record; then it went on elsewhere, or died */
    assert_int_equal(route_of("gone"), FACT_ALIAS); /* the address is free: the catch-all's */
    assert_int_equal(route_of("team"), FACT_ALIAS);
    assert_int_equal(route_of("only"), FACT_ALIAS);
    deliver_one(arg, gone, gone_inbox); /* was on its way: it does not stay behind */
    assert_int_equal(sweep_accounts(db, WEEK_S, 1, never, NULL, &swept), RES_OK);
    assert_int_equal(sweep_accounts(db, WEEK_S, 1, never, NULL, &swept), RES_OK);
    assert_int_equal(swept, 0);
    loop_stop();
}

static void test_purge(void **state)
{
    static const char *const tables[] = { "account_state", "mailbox", "message", "email", "blob", "expunged", "address", "sieve_mark" };
    char sql[256];

    (void)state;
    pg = test_connect();
    db = db_new(test_conninfo(), 3);
    test_account(pg, "gone", &gone, &gone_inbox);
    test_account(pg, "beside", &beside, &beside_inbox);
    test_sql(pg, "UPDATE domain SET catch_all = 'beside@example.test' WHERE name = 'example.test'");
    test_sql(pg, "INSERT INTO address (domain_id, localpart, account_id) SELECT domain_id, split_part(address, '@', 1), id FROM account "
                 "WHERE address IN ('gone@example.test', 'beside@example.test')");
    test_sql(pg, "WITH l AS (INSERT INTO alias (tenant_id, domain_id, address) SELECT 1, d.id, n || '@example.test' FROM domain d, "
                 "unnest(ARRAY['team', 'only']) n WHERE d.name = 'example.test' RETURNING id, domain_id, address), "
                 "x AS (INSERT INTO address (domain_id, localpart, alias_id) SELECT domain_id, split_part(address, '@', 1), id FROM l) "
                 "INSERT INTO alias_member SELECT id, 1, 'gone@example.test' FROM l UNION ALL "
                 "SELECT id, 2, 'beside@example.test' FROM l WHERE address LIKE 'team%'");
    snprintf(sql, sizeof(sql), "INSERT INTO sieve_mark VALUES (%lld, 0, 'x', now() + interval '9 days')", (long long)gone);
    test_sql(pg, sql);
    test_run(play, deliver_new(db));
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE account_id = %lld", tables[i], (long long)gone);
        assert_int_equal(test_number(pg, sql), 0);
        snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE account_id = %lld", tables[i], (long long)beside);
        if (i < 5)
            assert_int_not_equal(test_number(pg, sql), 0);
    }
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM account WHERE id = %lld", (long long)gone);
    assert_int_equal(test_number(pg, sql), 0);
    assert_int_equal(test_number(pg, "SELECT count(*) FROM alias WHERE address IN ('team@example.test', 'only@example.test')"), 1);
    test_sql(pg, "UPDATE domain SET catch_all = NULL WHERE name = 'example.test'");
    test_counters(pg);
}

/* A domain goes when its last account is gone, with its aliases. */
static void purge_domain(void *arg)
{
    int64_t swept;

    (void)arg;
    assert_int_equal(sweep_accounts(db, WEEK_S, 1, never, NULL, &swept), RES_OK);
    loop_stop();
}

static void test_purge_domain(void **state)
{
    (void)state;
    test_sql(pg, "WITH d AS (INSERT INTO domain (tenant_id, name, deleted_at) VALUES (1, 'old.test', now() - interval '8 days') RETURNING id), "
                 "s AS (INSERT INTO domain (tenant_id, name, kind, alias_of) SELECT 1, 'as-old.test', 2, id FROM d), "
                 "a AS (INSERT INTO account (tenant_id, domain_id, address, state, deleted_at) SELECT 1, id, 'x@old.test', 4, "
                 "now() - interval '8 days' FROM d), "
                 "l AS (INSERT INTO alias (tenant_id, domain_id, address) SELECT 1, id, 'y@old.test' FROM d RETURNING id, domain_id) "
                 "INSERT INTO address (domain_id, localpart, alias_id) SELECT domain_id, 'y', id FROM l");
    test_run(purge_domain, NULL);
    assert_int_equal(test_number(pg, "SELECT count(*) FROM domain WHERE name = 'old.test' OR (name = 'as-old.test' AND alias_of IS NOT NULL)"), 0);
    assert_int_equal(test_number(pg, "SELECT count(*) FROM account WHERE address LIKE '%old.test'"), 0);
    assert_int_equal(test_number(pg, "SELECT count(*) FROM alias WHERE address = 'y@old.test'"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_purge), cmocka_unit_test(test_purge_domain) };

    return cmocka_run_group_tests_name("purge", tests, NULL, NULL);
}
