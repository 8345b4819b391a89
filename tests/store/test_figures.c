/* First steps: what counts as a domain, as an account, as DNS that is right and as mail that came. */
#include "tests/store/support.h"

#include "store/figures.h"

static PGconn *pg;

static struct figures get(struct db *db, struct arena *a)
{
    struct figures f;

    assert_int_equal(figures_get(db, a, &f), RES_OK);
    return f;
}

/* Other tests' domains, accounts and mail are out of the way for a moment. */
static void put_away(void)
{
    test_sql(pg, "CREATE TEMP TABLE old_domain AS SELECT id, deleted_at, state FROM domain; "
                 "CREATE TEMP TABLE old_account AS SELECT id, state FROM account; "
                 "CREATE TEMP TABLE old_mailbox AS SELECT id, uidnext FROM mailbox; "
                 "UPDATE domain SET deleted_at = now(); UPDATE account SET state = 4; UPDATE mailbox SET uidnext = 1");
}

static void bring_back(void)
{
    test_sql(pg, "DELETE FROM mailbox WHERE id NOT IN (SELECT id FROM old_mailbox); "
                 "DELETE FROM account_state WHERE account_id NOT IN (SELECT id FROM old_account); "
                 "DELETE FROM account WHERE id NOT IN (SELECT id FROM old_account); "
                 "DELETE FROM domain WHERE id NOT IN (SELECT id FROM old_domain); "
                 "UPDATE domain d SET deleted_at = o.deleted_at, state = o.state FROM old_domain o WHERE o.id = d.id; "
                 "UPDATE account a SET state = o.state FROM old_account o WHERE o.id = a.id; "
                 "UPDATE mailbox m SET uidnext = o.uidnext FROM old_mailbox o WHERE o.id = m.id");
}

static void play(void *arg)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct db *db = db_new(arg, 1);
    struct figures f;

    put_away();
    f = get(db, &a);
    assert_null(f.first_domain.p);
    assert_false(f.first_domain_right || f.has_account || f.has_mail);

    /* What the first start makes, and a domain that is only relayed, are no step. */
    test_sql(pg, "INSERT INTO domain (tenant_id, name) VALUES (1, 'localhost') ON CONFLICT (name) DO UPDATE SET deleted_at = NULL");
    test_sql(pg, "INSERT INTO domain (tenant_id, name, kind) VALUES (1, 'relayed.test', 1)");
    test_sql(pg, "INSERT INTO account (tenant_id, domain_id, address, state) SELECT 1, id, 'admin@localhost', 1 FROM domain WHERE name = 'localhost'");
    f = get(db, &a);
    assert_null(f.first_domain.p);
    assert_false(f.has_account);
    assert_int_equal(f.domains, 2);
    assert_int_equal(f.accounts, 1);

    test_sql(pg, "INSERT INTO domain (tenant_id, name) VALUES (1, 'first.test')");
    test_sql(pg, "INSERT INTO domain (tenant_id, name) VALUES (1, 'another.test')");
    f = get(db, &a);
    assert_true(str_eq(f.first_domain, STR("first.test")));
    assert_false(f.first_domain_right);

    test_sql(pg, "UPDATE domain SET state = 1 WHERE name = 'first.test'");
    assert_true(str_eq(get(db, &a).first_domain, STR("another.test")));
    test_sql(pg, "UPDATE domain SET state = 0 WHERE name = 'first.test'");

    test_sql(pg, "INSERT INTO domain_dns (domain_id, found) SELECT id, '{\"records\": [{\"state\": \"found\", \"optional\": false}, "
                 "{\"state\": \"missing\", \"optional\": false}, {\"state\": \"optional\", \"optional\": true}]}' FROM domain "
                 "WHERE name = 'first.test'");
    assert_false(get(db, &a).first_domain_right);
    test_sql(pg, "UPDATE domain_dns SET found = jsonb_set(found, '{records,1,state}', '\"found\"')");
    assert_true(get(db, &a).first_domain_right);
    test_sql(pg, "UPDATE domain SET deleted_at = now() WHERE name = 'first.test'");
    f = get(db, &a);
    assert_true(str_eq(f.first_domain, STR("another.test")));
    assert_false(f.first_domain_right);

    test_sql(pg, "INSERT INTO account (tenant_id, domain_id, address, state) SELECT 1, id, 'ana@another.test', 0 FROM domain "
                 "WHERE name = 'another.test'");
    assert_true(get(db, &a).has_account);
    test_sql(pg, "INSERT INTO account_state (account_id) SELECT id FROM account WHERE address = 'ana@another.test'");
    test_sql(pg, "INSERT INTO mailbox (account_id, name, uidvalidity) SELECT id, 'INBOX', 1 FROM account WHERE address = 'ana@another.test'");
    assert_false(get(db, &a).has_mail);
    test_sql(pg, "UPDATE mailbox SET uidnext = 2 WHERE name = 'INBOX'");
    assert_true(get(db, &a).has_mail);
    bring_back();
    loop_stop();
}

static void test_first_steps(void **state)
{
    (void)state;
    pg = test_connect();
    test_run(play, (void *)(uintptr_t)test_conninfo());
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_first_steps) };

    return cmocka_run_group_tests_name("figures", tests, NULL, NULL);
}
