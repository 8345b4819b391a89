/* Letters to the owner of an account: what makes one, what does not, how many a day, and each made once. */
#include "tests/store/support.h"

#include "base/encode.h"
#include "config/settings.h"
#include "relay/tell.h"
#include "store/activity.h"
#include "store/credential.h"
#include "store/owner_letter.h"
#include "store/totp.h"

static PGconn *pg;
static struct db *db;
static int64_t account, inbox;

static int setup(void **state)
{
    (void)state;
    pg = test_connect();
    db = db_new(test_conninfo(), 2);
    return 0;
}

/* A new account, with a first sign-in and a first password when `used`. */
static void begin(const char *name, bool used)
{
    char sql[256];

    test_account(pg, name, &account, &inbox);
    if (!used)
        return;
    (void)snprintf(sql, sizeof(sql), "INSERT INTO account_network VALUES (%lld, '192.0.2.0/24', now() - interval '2 days')", (long long)account);
    test_sql(pg, sql);
    (void)snprintf(sql, sizeof(sql), "INSERT INTO credential (account_id, kind, verifier) VALUES (%lld, 0, 'old')", (long long)account);
    test_sql(pg, sql);
}

static int64_t count(const char *what)
{
    char sql[512];

    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM %.480s", what);
    return test_number(pg, sql);
}

static int64_t letters(const char *where)
{
    char sql[512];

    (void)snprintf(sql, sizeof(sql), "owner_letter WHERE account_id = %lld AND %s", (long long)account, where);
    return count(sql);
}

static void set_notify(const char *value)
{
    struct arena a = { 0 };
    struct settings *s = arena_new(&a, struct settings);
    const struct str keys[] = { STR("accounts.notify_owner") }, values[] = { str_c(value) };

    settings_build(&a, keys, values, 1, s);
    settings_install(s, &a);
}

/* ---- sign-ins ---- */

struct sign_ins {
    const char *const *ips;
    size_t n;
    enum activity_result result;
};

static void sign_in_body(void *arg)
{
    const struct sign_ins *s = arg;
    struct activity v[64];

    assert_true(s->n <= ARRAY_LEN(v));
    for (size_t i = 0; i < s->n; i++)
        v[i] = (struct activity){ .account_id = account, .result = s->result, .protocol = STR("imap"), .ip = str_c(s->ips[i]),
                                  .first_us = wall_us(), .last_us = wall_us() + (int64_t)i, .count = 1 };
    assert_int_equal(activity_add(db, v, s->n), RES_OK);
    loop_stop();
}

static void sign_in_all(const char *const *ips, size_t n, enum activity_result result)
{
    struct sign_ins s = { ips, n, result };

    test_run(sign_in_body, &s);
}

static void sign_in(const char *ip)
{
    sign_in_all(&ip, 1, ACTIVITY_OK);
}

static void test_networks(void **state)
{
    const char *const wrong[] = { "198.51.100.1" };

    (void)state;
    begin("networks", false);
    sign_in("192.0.2.1");
    assert_int_equal(letters("true"), 0); /* the first of all */
    sign_in("192.0.2.77");
    assert_int_equal(letters("true"), 0); /* the same network */
    sign_in("");
    assert_int_equal(letters("true"), 0); /* none: a local socket */
    sign_in_all(wrong, 1, ACTIVITY_WRONG_PASSWORD);
    sign_in_all(wrong, 1, ACTIVITY_CODE_DUE);
    assert_int_equal(letters("true"), 0);
    sign_in("198.51.100.1");
    assert_int_equal(letters("kind = 3 AND ip = '198.51.100.1' AND protocol = 'imap' AND NOT is_last AND queue_id IS NULL"), 1);
    sign_in("198.51.100.2");
    sign_in("2001:db8:1::1");
    sign_in("2001:db8:1:ffff::2");
    assert_int_equal(letters("true"), 2); /* a /24 and a /48 */
    test_sql(pg, "UPDATE account_network SET seen_at = now() - interval '1 year'");
    sign_in("192.0.2.9");
    assert_int_equal(letters("true"), 2); /* never again for the same one, however long ago */
    assert_int_equal(count("account_network WHERE seen_at > now() - interval '1 hour'"), 1);
}

static void test_many_networks(void **state)
{
    static const char *const ips[] = { "198.51.100.1", "198.51.100.2", "203.0.113.1", "10.0.0.1", "10.0.1.1", "10.0.2.1", "10.0.3.1" };

    (void)state;
    begin("many", true);
    sign_in_all(ips, 3, ACTIVITY_OK);
    assert_int_equal(letters("true"), 2);
    sign_in_all(ips, ARRAY_LEN(ips), ACTIVITY_OK);
    assert_int_equal(letters("true"), OWNER_NETWORKS_A_DAY);
    assert_int_equal(letters("is_last"), 1);
    sign_in("10.9.0.1");
    assert_int_equal(letters("true"), OWNER_NETWORKS_A_DAY);
    test_sql(pg, "UPDATE owner_letter SET at = at - interval '25 hours'");
    sign_in("10.9.0.2");
    assert_int_equal(letters("true"), OWNER_NETWORKS_A_DAY); /* it was seen, though nobody was told */
    sign_in("10.10.0.1");
    assert_int_equal(letters("true"), OWNER_NETWORKS_A_DAY + 1);
}

static void test_known_networks_have_a_limit(void **state)
{
    char sql[512];

    (void)state;
    begin("limit", true);
    (void)snprintf(sql, sizeof(sql), "INSERT INTO account_network SELECT %lld, set_masklen(('10.' || n / 256 || '.' || n %% 256 || '.0')::inet, 24)::cidr, "
                   "now() - n * interval '1 hour' FROM generate_series(100, 598) n", (long long)account);
    test_sql(pg, sql);
    (void)snprintf(sql, sizeof(sql), "account_network WHERE account_id = %lld", (long long)account);
    assert_int_equal(count(sql), 500);
    sign_in("203.0.113.1");
    assert_int_equal(count(sql), 500);
    (void)snprintf(sql, sizeof(sql), "account_network WHERE account_id = %lld AND network IN ('10.2.86.0/24', '192.0.2.0/24', '203.0.113.0/24')",
                   (long long)account);
    assert_int_equal(count(sql), 2); /* the one that was seen longest ago went */
}

/* ---- changes ---- */

static void password_body(void *arg)
{
    assert_int_equal(credential_set_password(db, account, STR("verifier"), STR_NULL), *(enum result *)arg);
    loop_stop();
}

static void set_password(void)
{
    enum result want = RES_OK;

    test_run(password_body, &want);
}

static void app_body(void *arg)
{
    struct arena a = { 0 };
    struct app_password made;

    assert_int_equal(app_password_add(db, account, STR("Laptop"), STR("imap"), str_c(arg), &a, &made), RES_OK);
    arena_reset(&a);
    loop_stop();
}

static void totp_body(void *arg)
{
    (void)arg;
    assert_int_equal(totp_remove(db, account), RES_OK);
    loop_stop();
}

static void test_changes(void **state)
{
    char sql[128];
    enum result none = RES_NOTFOUND;

    (void)state;
    begin("changes", false);
    set_password();
    assert_int_equal(letters("true"), 0); /* the first one */
    set_password();
    assert_int_equal(letters("kind = 0"), 1);
    test_run(totp_body, NULL);
    assert_int_equal(letters("kind = 1"), 0); /* it was off */
    (void)snprintf(sql, sizeof(sql), "UPDATE account SET totp_at = now() WHERE id = %lld", (long long)account);
    test_sql(pg, sql);
    test_run(totp_body, NULL);
    assert_int_equal(letters("kind = 1"), 1);
    test_run(app_body, (void *)(uintptr_t)"hash");
    assert_int_equal(letters("kind = 2 AND name = 'Laptop'"), 1);
    for (int i = 0; i < OWNER_LETTERS_A_DAY + 3; i++)
        set_password();
    assert_int_equal(letters("kind = 0"), OWNER_LETTERS_A_DAY);
    assert_int_equal(letters("kind = 0 AND is_last"), 1);
    (void)snprintf(sql, sizeof(sql), "UPDATE account SET state = 4, deleted_at = now() WHERE id = %lld", (long long)account);
    test_sql(pg, sql);
    test_run(password_body, &none);
    (void)snprintf(sql, sizeof(sql), "UPDATE account SET state = 1, deleted_at = NULL WHERE id = %lld", (long long)account);
    test_sql(pg, sql); /* purging is the business of another test */
}

static void test_off(void **state)
{
    (void)state;
    begin("off", true);
    set_notify("false");
    set_password();
    sign_in("198.51.100.1");
    assert_int_equal(letters("true"), 0);
    set_notify("true");
    sign_in("198.51.100.1");
    assert_int_equal(letters("true"), 0); /* it is known now */
    sign_in("203.0.113.1");
    assert_int_equal(letters("true"), 1);
}

/* ---- the messages ---- */

static bool never(void *arg)
{
    (void)arg;
    return false;
}

static void tell_body(void *arg)
{
    (void)arg;
    tell_owners(db, never, NULL);
    loop_stop();
}

static void test_messages(void **state)
{
    char sql[256];

    (void)state;
    test_sql(pg, "DELETE FROM owner_letter");
    begin("told", true);
    (void)snprintf(sql, sizeof(sql), "UPDATE account SET language = 'pt-BR' WHERE id = %lld", (long long)account);
    test_sql(pg, sql);
    set_password();
    test_run(tell_body, NULL);
    assert_int_equal(letters("queue_id IS NOT NULL"), 1);
    assert_int_equal(count("queue_message m JOIN queue_recipient r ON r.queue_id = m.id JOIN owner_letter l ON l.queue_id = m.id "
                           "WHERE m.reverse_path = '' AND m.subject = 'Sua senha foi alterada' AND r.destination = '.local' "
                           "AND r.recipient = 'told@example.test'"), 1);
    test_run(tell_body, NULL);
    assert_int_equal(count("queue_recipient WHERE recipient = 'told@example.test'"), 1);
    sign_in("198.51.100.1");
    (void)snprintf(sql, sizeof(sql), "UPDATE account SET state = 4, deleted_at = now() WHERE id = %lld", (long long)account);
    test_sql(pg, sql);
    test_run(tell_body, NULL); /* a deleted account gets no mail */
    assert_int_equal(letters("queue_id IS NULL"), 1);
    (void)snprintf(sql, sizeof(sql), "DELETE FROM account_state WHERE account_id = %lld", (long long)account);
    test_sql(pg, sql);
    (void)snprintf(sql, sizeof(sql), "DELETE FROM mailbox WHERE account_id = %lld", (long long)account);
    test_sql(pg, sql);
    (void)snprintf(sql, sizeof(sql), "DELETE FROM account WHERE id = %lld", (long long)account);
    test_sql(pg, sql);
    assert_int_equal(letters("true"), 0);
}

static void send_body(void *arg)
{
    const struct queue_new_recipient to = { .recipient = STR("race@example.test"), .destination = QUEUE_LOCAL };
    const struct str frame = STR("x");
    struct queue_new q = { .reverse_path = STR(""), .expire_s = 60, .size = 1, .header_size = 1, .frames = &frame, .nframes = 1,
                           .recipients = &to, .nrecipients = 1 };

    for (int i = 0; i < 2; i++) {
        assert_int_equal(queue_ids(db, 1, &q.id), RES_OK);
        assert_int_equal(owner_letter_send(db, *(int64_t *)arg, &q), i == 0 ? RES_OK : RES_CONFLICT);
    }
    loop_stop();
}

static void sweep_body(void *arg)
{
    (void)arg;
    assert_int_equal(owner_letter_sweep(db), RES_OK);
    loop_stop();
}

static void test_once(void **state)
{
    char sql[128];
    int64_t id;

    (void)state;
    begin("race", true);
    set_password();
    (void)snprintf(sql, sizeof(sql), "SELECT id FROM owner_letter WHERE account_id = %lld", (long long)account);
    id = test_number(pg, sql);
    test_run(send_body, &id); /* two relays */
    assert_int_equal(count("queue_recipient WHERE recipient = 'race@example.test'"), 1);
    set_password();
    test_sql(pg, "UPDATE owner_letter SET at = now() - interval '2 days'");
    test_run(sweep_body, NULL);
    assert_int_equal(letters("queue_id IS NULL"), 1);
    assert_int_equal(letters("queue_id IS NOT NULL"), 0);
    test_sql(pg, "UPDATE owner_letter SET at = now() - interval '8 days'");
    test_run(sweep_body, NULL);
    assert_int_equal(letters("true"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks), cmocka_unit_test(test_many_networks), cmocka_unit_test(test_known_networks_have_a_limit),
        cmocka_unit_test(test_changes), cmocka_unit_test(test_off), cmocka_unit_test(test_messages), cmocka_unit_test(test_once),
    };

    return cmocka_run_group_tests_name("store/owner_letter", tests, setup, NULL);
}
