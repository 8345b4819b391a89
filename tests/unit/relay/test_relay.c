/* The whole relay against a real PostgreSQL, a name server and mail servers on loopback. */
#include "tests/support/queue_fixture.h"

#include "base/encode.h"
#include "deliver/deliver.h"
#include "fake_net.h"
#include "io/dns.h"
#include "relay/relay.h"
#include "store/body.h"

#define BODY "Subject: hello\r\nFrom: alice@here.test\r\n\r\n.a line\r\nend\r\n"

static char password_file[] = "/tmp/correio-test-XXXXXX";
static struct config config;
static struct service service;

struct sent {
    const char *sender; /* NULL: alice@here.test */
    const char *recipients[4]; /* destination: the domain, or ".local" for here */
    const char *destination;
    unsigned notify, body_flags;
    const char *body;
    struct deliver_by by;
};

static int64_t queue_mail(const struct sent *s)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct queue_new_recipient r[4] = { 0 };
    struct str body = str_c(s->body != NULL ? s->body : BODY), *frames;
    struct queue_new m = { .reverse_path = str_c(s->sender != NULL ? s->sender : "alice@here.test"), .expire_s = 3600,
                           .size = (int64_t)body.len, .body_flags = s->body_flags, .recipients = r, .by = s->by };

    m.header_size = (int64_t)(str_find(body, STR("\r\n\r\n")) + 4);
    body_frames(&a, body, (size_t)m.header_size, &frames, &m.nframes);
    m.frames = frames;
    for (size_t i = 0; i < ARRAY_LEN(r) && s->recipients[i] != NULL; i++) {
        struct str address = str_c(s->recipients[i]);

        r[m.nrecipients++] = (struct queue_new_recipient){
            .recipient = address, .notify = s->notify, .lane = QUEUE_NORMAL,
            .destination = s->destination != NULL ? str_c(s->destination) : str_from(address, str_chr(address, '@') + 1) };
    }
    assert_int_equal(queue_ids(db, 1, &m.id), RES_OK);
    assert_int_equal(tx_begin(db, STR_NULL, &tx), RES_OK);
    assert_int_equal(queue_insert(tx, &m, 1), RES_OK);
    assert_int_equal(tx_commit_notify(&tx, "queue", STR("")), RES_OK);
    return m.id;
}

/* Until `what` counts n rows; the test's time limit ends what never comes. */
static void wait_for(const char *what, int64_t n)
{
    while (count(what) != n)
        assert_int_equal(coroutine_sleep(5), RES_OK);
}

#define NOTHING_DUE "queue_recipient WHERE due_at <= now() OR lease_by IS NOT NULL"

static bool took(const char *part)
{
    return str_find(strbuf_str(&net.taken), str_c(part)) != SIZE_MAX;
}

static void forget(void)
{
    strbuf_reset(&net.taken);
    net.connections = net.messages = net.recipients = 0;
    patient_sql(CLEAR_SQL);
}

static void step_answers(void)
{
    (void)queue_mail(&(struct sent){ .recipients = { "ok@far.test", "never@far.test", "later@far.test" } });
    wait_for("queue_recipient", 1); /* the greylisted one; the notice has gone, too */
    wait_for(NOTHING_DUE, 0);
    assert_true(took("alice@here.test|ok@far.test|Subject: hello\nFrom: alice@here.test\n\n.a line\nend\n\n"));
    assert_true(took("|alice@here.test|") && took("never@far.test") && took("550 5.1.1 No such user"));
    assert_int_equal(net.recipients, 4); /* three in one transaction, and the notice */
    assert_int_equal(count("queue_recipient WHERE recipient = 'later@far.test' AND reason = 'greylisted' AND attempts = 1"
                           " AND last_reply = '450 4.2.1 Greylisted' AND due_at > now() + '50 s'"), 1);
    assert_int_equal(count("trace_event WHERE kind = 1 AND result = 0 AND code = 250 AND host = 'mx.far.test'"
                           " AND address = '127.0.0.1' AND phase = 'body'"), 1);
    assert_int_equal(count("trace_event WHERE kind = 1 AND result = 3 AND code = 550 AND enhanced = '5.1.1'"
                           " AND reason = 'unknown-recipient' AND phase = 'rcpt'"), 1);
    assert_int_equal(count("trace_event WHERE convert_from(dialogue, 'UTF8') LIKE '%S: 450 4.2.1 Greylisted%C: (message, 55 bytes)%'"), 1);
    assert_int_equal(count("trace_event WHERE kind = 5"), 1);
    assert_int_equal(count("queue_message"), 1);
}

static void step_names(void)
{
    (void)queue_mail(&(struct sent){ .recipients = { "a@plain.test" } });
    (void)queue_mail(&(struct sent){ .recipients = { "a@null.test" }, .sender = "" });
    (void)queue_mail(&(struct sent){ .recipients = { "a@gone.test" }, .sender = "" });
    (void)queue_mail(&(struct sent){ .recipients = { "a@self.test" }, .sender = "" });
    (void)queue_mail(&(struct sent){ .recipients = { "a@[127.0.0.1]" } });
    (void)queue_mail(&(struct sent){ .recipients = { "a@lame.test" } });
    wait_for("queue_recipient", 1);
    wait_for(NOTHING_DUE, 0);
    assert_true(took("|a@plain.test|") && took("|a@[127.0.0.1]|"));
    assert_int_equal(count("queue_recipient WHERE destination = 'lame.test' AND reason = 'dns-failed'"), 1);
    assert_int_equal(count("trace_event WHERE kind = 1 AND reason = 'null-mx' AND code = 556 AND enhanced = '5.1.10' AND host IS NULL"), 1);
    assert_int_equal(count("trace_event WHERE kind = 1 AND reason = 'dns-no-such-domain' AND phase = 'dns'"), 1);
    assert_int_equal(count("trace_event WHERE kind = 1 AND reason = 'loop'"), 1);
    assert_int_equal(count("trace WHERE sender = '' AND outcome = 3"), 3);
    assert_int_equal(net.messages, 2); /* the null reverse-path is never answered */
}

static void step_lost(void)
{
    (void)queue_mail(&(struct sent){ .recipients = { "nobody@far.test" } });
    wait_for("queue_recipient WHERE reason = 'connection-lost' AND last_reply LIKE 'the server closed%'", 1);
    assert_int_equal(net.messages, 0);
}

/* Many messages for one destination: few connections. */
static void step_reuse(void)
{
    for (int i = 0; i < 60; i++)
        (void)queue_mail(&(struct sent){ .recipients = { "a@far.test" } });
    wait_for("queue_recipient", 0);
    assert_int_equal(net.messages, 60);
    assert_in_range(net.connections, 1, 30);
    assert_int_equal(count("trace WHERE outcome = 2"), 60);
    assert_int_equal(count("queue_message") + count("queue_blob"), 0);
    wait_for("queue_destination WHERE in_flight = 0", 1);
}

static void step_success_notice(void)
{
    (void)queue_mail(&(struct sent){ .recipients = { "a@far.test" }, .notify = QUEUE_NOTIFY_SUCCESS });
    wait_for("trace", 2);
    wait_for("queue_recipient", 0);
    assert_true(took("|alice@here.test|") && took("Action: relayed"));
    forget();
    net.dsn = true; /* now the other server answers for the rest */
    (void)queue_mail(&(struct sent){ .recipients = { "a@far.test" }, .notify = QUEUE_NOTIFY_SUCCESS });
    wait_for("queue_recipient", 0);
    wait_for("trace WHERE outcome = 2", 1);
    assert_int_equal(count("trace"), 1);
    net.dsn = false;
}

static void step_bounce(void)
{
    (void)queue_mail(&(struct sent){ .recipients = { "later@far.test" } });
    wait_for("queue_recipient WHERE reason = 'greylisted'", 1);
    patient_sql("UPDATE queue_recipient SET state = 4, due_at = now();"
                "UPDATE queue_destination SET due_at = now(); NOTIFY queue");
    wait_for("queue_recipient", 0);
    wait_for("trace WHERE outcome = 2", 1);
    assert_true(took("|alice@here.test|") && took("Action: failed"));
    assert_int_equal(count("trace_event WHERE kind = 1"), 2); /* the first attempt, and the notice's */
    assert_int_equal(count("trace_event WHERE kind = 5 AND reason = 'bounced-by-admin'"), 1);
}

static void step_expire(void)
{
    (void)queue_mail(&(struct sent){ .recipients = { "later@far.test" } });
    wait_for("queue_recipient WHERE reason = 'greylisted'", 1);
    patient_sql("UPDATE queue_message SET expires_at = now(); UPDATE queue_recipient SET due_at = now();"
                "UPDATE queue_destination SET due_at = now(); NOTIFY queue");
    wait_for("queue_recipient", 0);
    wait_for("trace WHERE outcome = 2", 1);
    assert_true(took("Status: 4.4.7") && took("450 4.2.1 Greylisted"));
    assert_int_equal(count("trace WHERE outcome = 4"), 1);
    assert_int_equal(count("trace_event WHERE kind = 6"), 1);
}

/* RFC 2852, 4.1.2 and 4.1.4: servers that know DELIVERBY and such that do not, and a time that is over. */
static void step_deliver_by(void)
{
    const struct deliver_by back = { .at_us = wall_us() + 600 * 1000000, .give_back = true };
    struct deliver_by tell = { .at_us = back.at_us }, over = { .at_us = wall_us() - 1000000, .give_back = true };

    (void)queue_mail(&(struct sent){ .recipients = { "a@far.test" }, .by = back });
    wait_for("trace WHERE outcome = 2", 1); /* the notice */
    assert_int_equal(count("trace WHERE outcome = 3"), 1);
    assert_true(took("Status: 5.4.7") && took("Deliver-By-Date: ") && !took("|a@far.test|"));
    forget();
    net.deliverby = true;
    (void)queue_mail(&(struct sent){ .recipients = { "a@far.test" }, .by = back });
    wait_for("trace WHERE outcome = 2", 1);
    assert_true(took("|a@far.test|"));
    forget();
    (void)queue_mail(&(struct sent){ .recipients = { "a@far.test" }, .by = tell });
    wait_for("trace WHERE outcome = 2", 1);
    assert_int_equal(count("trace"), 1);
    forget();
    tell.trace = true;
    (void)queue_mail(&(struct sent){ .recipients = { "a@far.test" }, .by = tell });
    wait_for("trace WHERE outcome = 2", 2);
    assert_true(took("Action: relayed"));
    forget();
    net.deliverby = tell.trace = false;
    (void)queue_mail(&(struct sent){ .recipients = { "a@far.test" }, .by = tell });
    (void)queue_mail(&(struct sent){ .recipients = { "b@far.test" }, .by = tell, .notify = QUEUE_NOTIFY_NEVER });
    wait_for("trace WHERE outcome = 2", 3);
    wait_for("queue_recipient", 0);
    assert_true(took("Action: relayed") && took("|b@far.test|"));
    assert_int_equal(count("trace"), 3);
    forget();
    (void)queue_mail(&(struct sent){ .recipients = { "a@far.test" }, .by = over });
    wait_for("trace WHERE outcome = 2", 1);
    assert_true(took("Status: 5.4.7") && !took("|a@far.test|"));
    assert_int_equal(count("trace WHERE outcome = 4"), 1);
    assert_int_equal(count("trace_event WHERE kind = 1"), 1); /* the notice's attempt alone */
}

/* What the server cannot take. */
static void step_downgrade(void)
{
    (void)queue_mail(&(struct sent){ .recipients = { "plain8@far.test" }, .sender = "", .body_flags = QUEUE_8BITMIME });
    (void)queue_mail(&(struct sent){ .recipients = { "real8@far.test" }, .sender = "", .body_flags = QUEUE_8BITMIME,
                                     .body = "Subject: x\r\n\r\nol\xc3\xa1\r\n" });
    (void)queue_mail(&(struct sent){ .recipients = { "\xc3\xa1@far.test" }, .sender = "", .body_flags = QUEUE_SMTPUTF8 });
    wait_for("queue_recipient", 0);
    assert_true(took("|plain8@far.test|"));
    assert_int_equal(net.messages, 1);
    assert_int_equal(count("trace_event WHERE kind = 1 AND enhanced = '5.6.3' AND reason = 'not-supported'"), 1);
    assert_int_equal(count("trace_event WHERE kind = 1 AND enhanced = '5.6.7' AND reason = 'not-supported'"), 1);
}

static void make_local(void)
{
    patient_sql(
        "INSERT INTO domain (tenant_id, name, language) VALUES (1, 'local.test', 'pt-BR');"
        "INSERT INTO account (tenant_id, domain_id, address) SELECT 1, id, 'bob@local.test' FROM domain;"
        "INSERT INTO address (domain_id, localpart, account_id) SELECT domain_id, 'bob', id FROM account;"
        "INSERT INTO account_state (account_id) SELECT id FROM account;"
        "INSERT INTO mailbox (account_id, name, uidvalidity) SELECT id, 'INBOX', 1 FROM account");
}

static void step_local(void)
{
    make_local();
    (void)queue_mail(&(struct sent){ .recipients = { "bob@local.test", "none@local.test" }, .destination = ".local", .sender = "" });
    wait_for("queue_recipient", 0);
    assert_int_equal(count("message JOIN account_state s USING (account_id) WHERE s.used_messages = 1"), 1);
    assert_int_equal(count("mailbox WHERE messages = 1 AND unseen = 1"), 1);
    assert_int_equal(count("trace_event WHERE kind = 1 AND result = 1 AND code = 250"), 1);
    assert_int_equal(count("trace_recipient WHERE outcome = 1"), 1);
    assert_int_equal(count("trace_recipient WHERE outcome = 3"), 1);

    /* a notice to one of our own, in his domain's language */
    (void)queue_mail(&(struct sent){ .recipients = { "never@far.test" }, .sender = "bob@local.test" });
    wait_for("message", 2);
    assert_int_equal(count("email WHERE base_subject IS NOT NULL AND sort_from ILIKE '%mailer-daemon%'"), 1);

    /* a full mailbox: later */
    patient_sql("UPDATE account_state SET quota_messages = 2");
    (void)queue_mail(&(struct sent){ .recipients = { "bob@local.test" }, .destination = ".local" });
    wait_for("queue_recipient WHERE reason = 'mailbox-full' AND lease_by IS NULL", 1);
    assert_int_equal(count("message"), 2);

    /* a domain that became ours while its mail waited */
    patient_sql("UPDATE account_state SET quota_messages = NULL; DELETE FROM queue_recipient");
    (void)queue_mail(&(struct sent){ .recipients = { "bob@local.test" } });
    wait_for("message", 3);
    wait_for("queue_recipient", 0);
}

static void step_routes(void)
{
    char sql[256];

    (void)snprintf(sql, sizeof(sql), "INSERT INTO domain (tenant_id, name, kind, route) VALUES (1, 'backup.test', 1, '[127.0.0.1]:%u'),"
                                     " (1, 'wrong.test', 1, '[127.0.0.1')", net.smtp_port);
    patient_sql(sql);
    (void)queue_mail(&(struct sent){ .recipients = { "a@backup.test" } });
    (void)queue_mail(&(struct sent){ .recipients = { "a@wrong.test" } });
    (void)queue_mail(&(struct sent){ .recipients = { "a@smart.example" } }); /* no such name: by relay.routes */
    wait_for("queue_recipient", 1);
    wait_for(NOTHING_DUE, 0);
    assert_true(took("|a@backup.test|") && took("|a@smart.example|"));
    assert_int_equal(count("queue_recipient WHERE destination = 'wrong.test'"), 1);
}

/* STARTTLS when offered; a broken handshake does not stop the mail, unless TLS is demanded. */
static void step_tls(void)
{
    net.tls = NET_TLS;
    (void)queue_mail(&(struct sent){ .recipients = { "a@tls.test" } });
    (void)queue_mail(&(struct sent){ .recipients = { "a@must.example" } });
    wait_for("queue_recipient", 0);
    assert_true(took("|a@tls.test|") && took("|a@must.example|"));
    assert_int_equal(count("trace_event WHERE kind = 1 AND tls LIKE 'TLSv1.3 TLS_%'"), 2);
    assert_int_equal(count("trace_event WHERE convert_from(dialogue, 'UTF8') LIKE '%C: STARTTLS%C: (TLSv1.3, %C: EHLO us.test%'"), 2);

    net.tls = NET_BROKEN_TLS;
    (void)queue_mail(&(struct sent){ .recipients = { "a@broken.test" } });
    (void)queue_mail(&(struct sent){ .recipients = { "b@must.example" } });
    wait_for("queue_recipient", 1);
    wait_for("queue_recipient WHERE recipient = 'b@must.example' AND reason = 'tls-failed'", 1);
    assert_true(took("|a@broken.test|") && !took("|b@must.example|"));
    assert_int_equal(count("trace_event WHERE kind = 1 AND tls IS NULL AND result = 0"), 1);
    net.tls = NET_NO_TLS;
}

/* A smart host that wants a password. */
static void step_auth(void)
{
    net.auth = true;
    (void)queue_mail(&(struct sent){ .recipients = { "a@auth.example" } });
    (void)queue_mail(&(struct sent){ .recipients = { "a@wrong.example" } });
    (void)queue_mail(&(struct sent){ .recipients = { "a@lost.example" } });
    wait_for("queue_recipient", 2);
    wait_for("queue_recipient WHERE reason = 'auth-failed'", 2);
    assert_true(took("|a@auth.example|"));
    assert_int_equal(count("trace_event WHERE kind = 1 AND code = 535 AND phase = 'auth'"), 1);
    assert_int_equal(count("trace_event WHERE convert_from(dialogue, 'UTF8') LIKE '%C: AUTH PLAIN ********%'"), 2);
    assert_int_equal(count("trace_event WHERE convert_from(dialogue, 'UTF8') LIKE '%AHVzZXIA%'"), 0);
    net.auth = false;
}

static void step_stop(void)
{
    for (int i = 0; i < 30; i++)
        (void)queue_mail(&(struct sent){ .recipients = { "a@far.test" } });
    wait_for("(SELECT FROM trace WHERE outcome = 2 LIMIT 1) x", 1);
}

static void make_password_file(void)
{
    int fd = mkstemp(password_file);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "secret\r\n", 8), 8);
    close(fd);
}

static void install_settings(void)
{
    struct arena a = { 0 };
    struct settings *s = arena_new(&a, struct settings);
    const struct str keys[] = { STR("server.hostname"), STR("queue.retry_schedule"), STR("relay.routes") };
    const struct str values[] = { STR("us.test"), STR("1m 5m"),
                                  arena_printf(&a, "smart.example=[127.0.0.1]:%u,tls=none must.example=[127.0.0.1]:%u,tls=must"
                                                   " auth.example=[127.0.0.1]:%u,user=user,password-file=%s"
                                                   " wrong.example=[127.0.0.1]:%u,user=other,password-file=%s"
                                                   " lost.example=[127.0.0.1]:%u,user=user,password-file=%s.none",
                                                   net.smtp_port, net.smtp_port, net.smtp_port, password_file, net.smtp_port,
                                                   password_file, net.smtp_port, password_file) };

    settings_build(&a, keys, values, ARRAY_LEN(keys), s);
    settings_install(s, &a);
}

static unsigned changes;

static void on_change(void *arg, struct str payload)
{
    (void)arg;
    changes += payload.len > 0;
}

static void body_relay(void)
{
    static void (*const steps[])(void) = { step_answers, step_names,  step_lost,      step_reuse, step_success_notice, step_bounce,
                                           step_expire,  step_deliver_by, step_downgrade, step_local, step_routes,
                                           step_tls, step_auth };
    unsigned before;
    char servers[32];

    net_start();
    make_password_file();
    install_settings();
    (void)snprintf(servers, sizeof(servers), "127.0.0.1:%u", net.dns_port);
    assert_int_equal(dns_init(str_c(servers)), RES_OK);
    config = (struct config){ .node = STR("n1"), .relay_port = net.smtp_port, .listen[LISTEN_SMTP] = STR("off") };
    service = (struct service){ .config = &config, .db = db, .deliver = deliver_new(db), .name = "relay-1" };
    db_listen(db, "queue_changed", on_change, NULL);
    before = coroutine_count();
    relay_run(&service);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        forget();
        steps[i]();
    }
    forget();
    step_stop();
    relay_stop();
    net_stop();
    unlink(password_file);
    dns_release();
    while (coroutine_count() > before - 2) /* the two servers ended, too */
        assert_int_equal(coroutine_sleep(5), RES_OK);
    assert_int_equal(count("queue_recipient WHERE lease_by IS NOT NULL"), 0); /* given back */
    assert_true(changes > 20);
    assert_int_equal(count("queue_destination WHERE in_flight > 0"), 0);
}

int main(void)
{
    struct body bodies[] = { { "relay", body_relay } };

    return run_bodies("relay", "correio_relay", bodies, ARRAY_LEN(bodies));
}
