/* The queue against a real PostgreSQL, as the roles that use it. */
#include "tests/support/queue_fixture.h"

static struct queue_outcome outcome(const struct queue_batch *b, size_t i, enum queue_fate fate)
{
    struct queue_outcome o = { .job = &b->jobs[i], .lease = b->lease, .fate = fate, .attempted = true, .retry_s = 60 };

    o.log = (struct queue_attempt_log){ .host = STR("mx.far.test"), .address = STR("192.0.2.25"), .phase = STR("rcpt"),
                                        .session = STR("c1"), .reason = STR("temporary"), .code = 450,
                                        .reply = STR("later"), .milliseconds = 12, .dialogue = STR("0 S: 220\n") };
    return o;
}

/* ---- tests: each body runs in a coroutine ---- */

static void body_insert(void)
{
    CLEANUP(tx_rollbackp) struct tx *tx = NULL;
    struct queue_new_recipient r[] = {
        { .recipient = STR("bob@here.test"), .destination = QUEUE_LOCAL, .outcome = TRACE_DELIVERED, .account_id = 7 } };
    struct queue_new m = { .reverse_path = STR(""), .size = 1, .expire_s = 60, .subject = STR("\xff bad"),
                           .recipients = r, .nrecipients = 1 };
    int64_t id = add("far.test", 3);

    assert_int_equal(count("queue_recipient WHERE destination = 'far.test' AND state = 0"), 3);
    assert_int_equal(count("queue_message WHERE account_id IS NULL AND ret = 'H' AND expires_at > now() + '59 min'"), 1);
    assert_int_equal(count("queue_blob"), 1);
    assert_int_equal(count("queue_destination WHERE due_at <= now()"), 1);
    assert_int_equal(count("trace t JOIN queue_message m ON m.received_at = t.at AND m.id = t.id AND t.outcome = 0"), 1);
    assert_int_equal(count("trace_recipient WHERE domain = 'far.test' AND outcome = 0"), 3);
    assert_int_equal(count("trace_event WHERE kind = 0 AND n = -1"), 1);
    assert_int_equal(count("queue_recipient WHERE orcpt = 'rfc822;x'"), 1);
    assert_true(id > 0);

    assert_int_equal(queue_ids(db, 1, &m.id), RES_OK); /* all delivered: a trace and no job */
    assert_int_equal(tx_begin(db, STR_NULL, &tx), RES_OK);
    assert_int_equal(queue_insert(tx, &m, 1), RES_OK);
    assert_int_equal(tx_commit(&tx), RES_OK);
    assert_int_equal(count("queue_message"), 1);
    assert_int_equal(count("trace WHERE outcome = 1 AND subject IS NULL"), 1);
    assert_int_equal(count("queue_destination"), 1);
}

/* Nothing is claimed of a destination that is paused, neither at first nor by who works there already. */
static void body_pause(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_batch b;

    (void)add("far.test", 3);
    assert_int_equal(queue_claim(db, STR("l1"), 1, &a, &b), RES_OK);
    (void)database_sql(owner, "UPDATE queue_destination SET paused_until = now() + '1 h', due_at = now()");
    assert_int_equal(queue_claim(db, STR("l2"), 1, &a, &b), RES_NOTFOUND);
    assert_int_equal(queue_claim_more(db, STR("far.test"), STR("l3"), 1, &a, &b), RES_NOTFOUND);
    (void)database_sql(owner, "UPDATE queue_destination SET paused_until = now() - interval '1 s'");
    assert_int_equal(queue_claim(db, STR("l4"), 1, &a, &b), RES_OK);
    assert_int_equal(queue_claim_more(db, STR("far.test"), STR("l5"), 1, &a, &b), RES_OK);
    (void)database_sql(owner, "DELETE FROM queue_recipient; UPDATE queue_destination SET paused_until = 'infinity', in_flight = 0,"
                              " due_at = 'infinity'");
    assert_int_equal(queue_heal(db), RES_OK);
    assert_int_equal(count("queue_destination"), 1); /* what is said of it stays */
    (void)database_sql(owner, "UPDATE queue_destination SET paused_until = now()");
    assert_int_equal(queue_heal(db), RES_OK);
    assert_int_equal(count("queue_destination"), 0);
}

static void body_claim(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_batch b, more;
    int64_t first = add("far.test", 3), second = add("far.test", 2);

    (void)add("near.test", 1);
    (void)database_sql(owner, "UPDATE queue_destination SET served_at = now() + '1 min' WHERE destination = 'near.test'");
    assert_int_equal(queue_claim(db, STR("l1"), 4, &a, &b), RES_OK);
    assert_true(str_eq(b.destination, STR("far.test")) && b.n == 4 && b.more);
    assert_int_equal(b.jobs[0].message->id, first);
    assert_ptr_equal(b.jobs[0].message, b.jobs[2].message);
    assert_int_equal(b.jobs[3].message->id, second);
    assert_int_equal(b.jobs[0].attempts, 1);
    assert_true(str_eq(b.jobs[0].orcpt, STR("rfc822;x")) && b.jobs[1].orcpt.p == NULL);
    assert_true(b.jobs[0].message->ret == 'H' && str_eq(b.jobs[0].message->envid, STR("e1")));
    assert_int_equal(b.jobs[0].message->body_flags, QUEUE_8BITMIME);
    assert_false(b.jobs[0].message->bounce);

    assert_int_equal(queue_claim_more(db, STR("far.test"), STR("l2"), 4, &a, &more), RES_OK);
    assert_true(more.n == 1 && !more.more);
    assert_int_equal(queue_claim_more(db, STR("far.test"), STR("l3"), 4, &a, &more), RES_NOTFOUND);
    assert_int_equal(queue_claim(db, STR("l3"), 4, &a, &b), RES_OK);
    assert_true(str_eq(b.destination, STR("far.test")) && b.n == 0); /* it was still due: nobody had said it is drained */
    assert_int_equal(queue_claim(db, STR("l4"), 4, &a, &b), RES_OK);
    assert_true(str_eq(b.destination, STR("near.test")) && b.n == 1 && !b.more);
    assert_int_equal(queue_claim(db, STR("l5"), 4, &a, &b), RES_NOTFOUND);
    assert_int_equal(number("SELECT in_flight FROM queue_destination WHERE destination = 'far.test'"), 2);

    assert_int_equal(queue_give_back(db, STR("l2")), RES_OK);
    assert_int_equal(queue_release(db, STR("far.test")), RES_OK);
    assert_int_equal(number("SELECT in_flight FROM queue_destination WHERE destination = 'far.test'"), 1);
    assert_int_equal(queue_claim(db, STR("l6"), 4, &a, &b), RES_OK);
    assert_true(b.n == 1 && b.jobs[0].attempts == 1); /* given back: not counted */
    (void)database_sql(owner, "UPDATE queue_destination SET in_flight = max_in_flight, due_at = now()");
    assert_int_equal(queue_claim(db, STR("l7"), 4, &a, &b), RES_NOTFOUND);
}

static void body_lanes(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_batch b;

    (void)add("far.test", 6);
    (void)database_sql(owner, "UPDATE queue_recipient SET lane = n % 3");
    assert_int_equal(queue_claim(db, STR("l1"), 3, &a, &b), RES_OK);
    assert_int_equal(count("queue_recipient WHERE lease_by = 'l1' AND lane = 0"), 2);
    assert_int_equal(count("queue_recipient WHERE lease_by = 'l1' AND lane = 1"), 1);
}

static void body_finish(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_outcome o[4];
    struct queue_batch b;
    size_t lost;
    int64_t id = add("far.test", 4);

    assert_int_equal(queue_claim(db, STR("l1"), 20, &a, &b), RES_OK);
    assert_int_equal(b.n, 4);
    o[0] = outcome(&b, 0, QUEUE_RELAYED);
    o[1] = outcome(&b, 1, QUEUE_BOUNCED);
    o[2] = outcome(&b, 2, QUEUE_AGAIN);
    o[3] = outcome(&b, 3, QUEUE_RELAYED);
    o[3].lease = STR("not mine");
    assert_int_equal(queue_finish(db, o, 4, &lost), RES_OK);
    assert_int_equal(lost, 1);
    assert_int_equal(count("queue_recipient"), 2);
    assert_int_equal(count("queue_recipient WHERE n = 2 AND lease_by IS NULL AND due_at BETWEEN now() + '55 s' AND now() + '65 s'"
                           " AND last_reply = 'later' AND reason = 'temporary'"), 1);
    assert_int_equal(count("queue_recipient WHERE n = 3 AND lease_by = 'l1'"), 1);
    assert_int_equal(count("trace_event WHERE kind = 1"), 3);
    assert_int_equal(count("trace_event WHERE kind = 1 AND n = 0 AND result = 0 AND host = 'mx.far.test' AND code = 450"
                           " AND address = '192.0.2.25' AND milliseconds = 12 AND dialogue = '0 S: 220\n' AND seq = 1"), 1);
    assert_int_equal(count("trace_event WHERE kind = 5 AND n = 1"), 1);
    assert_int_equal(count("trace_recipient WHERE outcome = 2 AND n = 0"), 1);
    assert_int_equal(count("trace_recipient WHERE outcome = 3 AND n = 1"), 1);
    assert_int_equal(count("trace WHERE outcome = 0"), 1);
    assert_int_equal(number("SELECT version FROM queue_message"), 2);

    assert_int_equal(queue_finish(db, o, 3, &lost), RES_OK); /* again: nothing left to do */
    assert_int_equal(lost, 3);
    assert_int_equal(count("trace_event WHERE kind = 1"), 3);

    (void)database_sql(owner, "UPDATE queue_recipient SET lease_by = 'l1'");
    o[2].fate = QUEUE_EXPIRED;
    o[3].lease = b.lease;
    assert_int_equal(queue_finish(db, o + 2, 2, &lost), RES_OK);
    assert_int_equal(lost, 0);
    assert_int_equal(count("queue_message") + count("queue_blob") + count("queue_recipient"), 0);
    assert_int_equal(count("trace WHERE outcome = 3"), 1); /* the worst: bounced */
    assert_int_equal(count("trace_event WHERE kind = 6"), 1);
    assert_true(id > 0);
}

static void body_notice(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_outcome o[3];
    struct queue_new_recipient to = { .recipient = STR("alice@here.test"), .destination = QUEUE_LOCAL };
    struct queue_new notice = { .reverse_path = STR(""), .expire_s = 60, .size = 3, .recipients = &to, .nrecipients = 1 };
    struct queue_batch b;
    size_t lost;

    (void)add("far.test", 3);
    assert_int_equal(queue_claim(db, STR("l1"), 20, &a, &b), RES_OK);
    assert_int_equal(queue_ids(db, 1, &notice.id), RES_OK);
    for (size_t i = 0; i < 3; i++) {
        o[i] = outcome(&b, i, QUEUE_BOUNCED);
        o[i].notice = &notice;
    }
    assert_int_equal(queue_finish(db, o, 2, &lost), RES_OK);
    assert_int_equal(count("queue_message WHERE reverse_path = ''"), 1); /* one for both */
    assert_int_equal(count("queue_destination WHERE destination = '.local' AND due_at <= now()"), 1);
    o[2].lease = STR("lost");
    assert_int_equal(queue_finish(db, o + 2, 1, &lost), RES_OK);
    assert_int_equal(lost, 1);
    assert_int_equal(count("queue_message WHERE reverse_path = ''"), 1); /* none for what was not ours */
}

/* Two relays finish the last two jobs of a message at the same time: it goes. */
static void body_last_two(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_batch b1, b2;
    struct queue_outcome o1, o2;
    PGconn *other = database_connect(database_name, "none");
    size_t lost;

    (void)add("far.test", 2);
    assert_int_equal(queue_claim(db, STR("l1"), 1, &a, &b1), RES_OK);
    assert_int_equal(queue_claim_more(db, STR("far.test"), STR("l2"), 1, &a, &b2), RES_OK);
    o1 = outcome(&b1, 0, QUEUE_RELAYED);
    o2 = outcome(&b2, 0, QUEUE_RELAYED);
    /* The other one has deleted its job and not committed; it holds the message's lock, as finish does. */
    (void)database_sql(other, "BEGIN; SELECT FROM queue_message FOR UPDATE; DELETE FROM queue_recipient WHERE lease_by = 'l1'");
    /* It commits as soon as the other one waits for it. */
    assert_int_equal(PQsendQuery(other, "DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted) LOOP"
                                        " PERFORM pg_sleep(0.001); END LOOP; END $$; COMMIT"), 1);
    assert_int_equal(queue_finish(db, &o2, 1, &lost), RES_OK); /* waits for the lock, then sees that nothing is left */
    PQfinish(other);
    assert_int_equal(count("queue_message"), 0);
    assert_int_equal(queue_finish(db, &o1, 1, &lost), RES_OK);
    assert_int_equal(lost, 1);
}

static void body_leases(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_batch b;
    struct str lease = STR("node/relay-1/a/1");
    int64_t freed;

    (void)add("far.test", 3);
    assert_int_equal(queue_claim(db, lease, 2, &a, &b), RES_OK);
    (void)database_sql(owner, "UPDATE queue_recipient SET due_at = now() + '5 s' WHERE lease_by IS NOT NULL");
    assert_int_equal(queue_renew(db, &lease, 1), RES_OK);
    assert_int_equal(count("queue_recipient WHERE lease_by IS NOT NULL AND due_at > now() + '50 s'"), 2);

    assert_int_equal(queue_free_predecessor(db, STR("node/relay-10/"), &freed), RES_OK);
    assert_int_equal(freed, 0);
    assert_int_equal(queue_free_predecessor(db, STR("node/relay-1/"), &freed), RES_OK);
    assert_int_equal(freed, 2);
    assert_int_equal(count("queue_recipient WHERE lease_by IS NULL AND due_at <= now()"), 3);
    assert_int_equal(number("SELECT in_flight FROM queue_destination"), 0);
}

static void body_heal(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_batch b;

    (void)add("far.test", 2);
    (void)add("lost.test", 1);
    (void)add("idle.test", 1);
    assert_int_equal(queue_claim(db, STR("l1"), 1, &a, &b), RES_OK);
    (void)database_sql(owner, "UPDATE queue_destination SET in_flight = 9, due_at = 'infinity' WHERE destination = 'far.test';"
                              "DELETE FROM queue_destination WHERE destination = 'lost.test';"
                              "UPDATE queue_destination SET due_at = 'infinity' WHERE destination = 'idle.test';"
                              "DELETE FROM queue_recipient WHERE destination = 'idle.test'");
    assert_int_equal(queue_heal(db), RES_OK);
    assert_int_equal(count("queue_destination WHERE destination = 'far.test' AND in_flight = 1 AND due_at <= now()"), 1);
    assert_int_equal(count("queue_destination WHERE destination = 'lost.test' AND due_at <= now()"), 1);
    assert_int_equal(count("queue_destination WHERE destination = 'idle.test'"), 0);

    (void)database_sql(owner, "UPDATE queue_message SET received_at = now() - interval '2 hours'");
    assert_int_equal(queue_sweep(db), RES_OK);
    assert_int_equal(count("queue_message"), 2); /* the one of idle.test, without jobs, went */
    assert_int_equal(count("queue_blob"), 2);
}

static void body_partitions(void)
{
    assert_int_equal(trace_maintain(db), RES_OK);
    assert_int_equal(count("pg_inherits WHERE inhparent = 'trace'::regclass"), 8); /* seven days and the default */
    assert_int_equal(count("pg_inherits WHERE inhparent = 'trace_event'::regclass"), 8);
    (void)database_sql(owner, "CREATE TABLE trace_20200101 PARTITION OF trace FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')");
    assert_int_equal(trace_maintain(db), RES_OK);
    assert_int_equal(count("pg_inherits WHERE inhparent = 'trace'::regclass"), 8);
}

/* Refusals are kept for trace.keep_refused, everything else for trace.keep. */
static void body_forget(void)
{
    (void)database_sql(owner, "DELETE FROM trace; DELETE FROM trace_recipient; CREATE TEMP TABLE past AS SELECT now() - make_interval(days => d)"
                              " AS at, id, outcome FROM (VALUES (1, 1, 6), (20, 2, 6), (20, 3, 1), (90, 4, 1)) v (d, id, outcome);"
                              "INSERT INTO trace (at, id, direction, outcome, sender, size) SELECT at, id, 0, outcome, 'a@x.test', 1 FROM past;"
                              "INSERT INTO trace_recipient (at, trace_id, n, recipient, domain, outcome)"
                              " SELECT at, id, 0, 'b@x.test', 'x.test', outcome FROM past; DROP TABLE past");
    assert_int_equal(trace_maintain(db), RES_OK);
    assert_int_equal(count("trace WHERE id IN (1, 3)"), 2);
    assert_int_equal(count("trace"), 2);
    assert_int_equal(count("trace_recipient"), 2);
}

static void body_domain(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct queue_domain d;
    struct str language;

    (void)database_sql(owner, "INSERT INTO domain (tenant_id, name, kind, route, language) VALUES"
                              " (1, 'relay.test', 1, '[mx.relay.test]:2525', NULL), (1, 'here.test', 0, NULL, 'pt-BR'),"
                              " (1, 'there.test', 0, NULL, NULL);"
                              "INSERT INTO account (tenant_id, domain_id, address, language)"
                              " SELECT 1, id, 'x@' || name, CASE name WHEN 'there.test' THEN 'en' END FROM domain WHERE kind = 0");
    assert_int_equal(queue_domain(db, STR("relay.test"), &a, &d), RES_OK);
    assert_true(d.kind == QUEUE_DOMAIN_RELAY && str_eq(d.route, STR("[mx.relay.test]:2525")));
    assert_int_equal(queue_domain(db, STR("here.test"), &a, &d), RES_OK);
    assert_true(d.kind == QUEUE_DOMAIN_LOCAL && d.route.p == NULL);
    assert_int_equal(queue_domain(db, STR("far.test"), &a, &d), RES_OK);
    assert_int_equal(d.kind, QUEUE_DOMAIN_REMOTE);

    assert_int_equal(queue_language(db, number("SELECT id FROM account WHERE address = 'x@there.test'"), STR("x@here.test"), &a,
                                    &language), RES_OK);
    assert_true(str_eq(language, STR("en")));
    assert_int_equal(queue_language(db, number("SELECT id FROM account WHERE address = 'x@here.test'"), STR(""), &a, &language),
                     RES_OK);
    assert_true(str_eq(language, STR("pt-BR")));
    assert_int_equal(queue_language(db, 0, STR("y@HERE.test"), &a, &language), RES_OK);
    assert_true(str_eq(language, STR("pt-BR")));
    assert_int_equal(queue_language(db, 0, STR("y@far.test"), &a, &language), RES_OK);
    assert_null(language.p);
}

int main(void)
{
    struct body bodies[] = { { "insert", body_insert },     { "claim", body_claim },
                             { "pause", body_pause },   { "lanes", body_lanes },
                             { "finish", body_finish },     { "notice", body_notice }, { "last two", body_last_two },
                             { "leases", body_leases },     { "heal", body_heal },     { "domain", body_domain },
                             { "partitions", body_partitions }, { "forget", body_forget } };

    return run_bodies("queue", "correio_relay", bodies, ARRAY_LEN(bodies));
}
