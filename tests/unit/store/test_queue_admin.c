/* The administrator's view of the queue and the trace, as the role of the API. */
#include "tests/support/queue_fixture.h"

#include "base/encode.h"
#include "store/operation.h"
#include "store/trace.h"

static struct arena arena;

static struct str_list list_of(const char *a, const char *b)
{
    struct str *v = arena_array(&arena, struct str, 2);

    v[0] = str_c(a);
    v[1] = str_c(b);
    return (struct str_list){ v, b != NULL ? 2 : 1 };
}

/* far.test: two messages, one deferred and one fresh; near.test: one held. */
static int64_t ids[3];

static void fill(void)
{
    arena_reset(&arena);
    ids[0] = add_as_smtp("far.test", 3);
    ids[1] = add_as_smtp("far.test", 1);
    ids[2] = add_as_smtp("near.test", 2);
    (void)database_sql(owner, "UPDATE queue_recipient SET attempts = 2, reason = 'greylisted', last_reply = '450 later',"
                              "  due_at = now() + '1 hour' WHERE queue_id = (SELECT min(id) FROM queue_message);"
                              "UPDATE queue_recipient SET state = 1 WHERE destination = 'near.test';"
                              "UPDATE queue_message SET reverse_path = 'Bob@Other.test', subject = '50%_off'"
                              "  WHERE id = (SELECT max(id) FROM queue_message)");
}

static size_t listed(const struct queue_filter *filter)
{
    struct queue_row *rows;
    size_t n;
    bool more;
    int64_t counted;

    assert_int_equal(queue_list(db, filter, false, 0, 50, &arena, &rows, &n, &more), RES_OK);
    assert_int_equal(queue_count(db, filter, 50, &counted), RES_OK);
    assert_int_equal(counted, n);
    return n;
}

static void body_list(void)
{
    struct queue_filter all = { 0 };
    struct queue_row *rows;
    size_t n;
    bool more;

    fill();
    assert_int_equal(queue_list(db, &all, false, 0, 2, &arena, &rows, &n, &more), RES_OK);
    assert_true(n == 2 && more && rows[0].id == ids[0] && rows[1].id == ids[1]);
    assert_true(rows[0].state == QUEUE_DEFERRED && rows[0].recipients == 3 && rows[0].destinations == 1);
    assert_true(rows[0].attempts == 2 && rows[0].next_attempt_at > rows[0].accepted_at);
    assert_true(str_eq(rows[0].reason, STR("greylisted")) && str_eq(rows[0].reply, STR("450 later")));
    assert_true(str_eq(rows[0].recipient, STR("r0@far.test")) && str_eq(rows[0].sender, STR("alice@here.test")));
    assert_true(rows[1].state == QUEUE_SCHEDULED && str_eq(rows[1].reason, STR("not-tried")) && rows[1].account.p == NULL);
    assert_int_equal(queue_list(db, &all, false, rows[1].id, 2, &arena, &rows, &n, &more), RES_OK);
    assert_true(n == 1 && !more && rows[0].id == ids[2] && rows[0].state == QUEUE_HELD);
    assert_true(rows[0].next_attempt_at == DB_NO_TIME && str_eq(rows[0].reason, STR("held")));
    assert_int_equal(queue_list(db, &all, true, 0, 2, &arena, &rows, &n, &more), RES_OK);
    assert_true(n == 2 && more && rows[0].id == ids[2]);
    assert_int_equal(queue_list(db, &all, true, ids[1], 2, &arena, &rows, &n, &more), RES_OK);
    assert_true(n == 1 && !more && rows[0].id == ids[0]);
}

static void body_filters(void)
{
    fill();
    assert_int_equal(listed(&(struct queue_filter){ 0 }), 3);
    assert_int_equal(listed(&(struct queue_filter){ .ids = ids, .nids = 2 }), 2);
    assert_int_equal(listed(&(struct queue_filter){ .states = 1u << QUEUE_HELD }), 1);
    assert_int_equal(listed(&(struct queue_filter){ .states = 1u << QUEUE_DEFERRED | 1u << QUEUE_SCHEDULED }), 2);
    assert_int_equal(listed(&(struct queue_filter){ .senders = list_of("BOB@other.test", NULL) }), 1);
    assert_int_equal(listed(&(struct queue_filter){ .sender_domains = list_of("other.test", "here.test") }), 3);
    assert_int_equal(listed(&(struct queue_filter){ .recipients = list_of("R1@far.test", NULL) }), 1);
    assert_int_equal(listed(&(struct queue_filter){ .destinations = list_of("near.test", "far.test") }), 3);
    assert_int_equal(listed(&(struct queue_filter){ .reasons = list_of("greylisted", "held") }), 2);
    assert_int_equal(listed(&(struct queue_filter){ .reasons = list_of("not-tried", NULL) }), 1);
    assert_int_equal(listed(&(struct queue_filter){ .accounts = list_of("nobody@here.test", NULL) }), 0);
    assert_int_equal(listed(&(struct queue_filter){ .age_min_s = 60 }), 0);
    assert_int_equal(listed(&(struct queue_filter){ .text = STR("50%_OFF") }), 1);
    assert_int_equal(listed(&(struct queue_filter){ .text = STR("5__") }), 0); /* no wildcard */
    assert_int_equal(listed(&(struct queue_filter){ .text = STR("r2@") }), 1);
    assert_int_equal(listed(&(struct queue_filter){ .text = STR("<1@here.test>") }), 3);
    assert_int_equal(listed(&(struct queue_filter){ .text = STR("q"), .text_id = ids[1] }), 1);
    assert_int_equal(listed(&(struct queue_filter){ .domains = list_of("far.test", NULL) }), 2);
    assert_int_equal(listed(&(struct queue_filter){ .domains = list_of("other.test", NULL) }), 1);
    /* the same recipient has to match all of them */
    (void)database_sql(owner, "UPDATE queue_recipient SET state = 1 WHERE n = 1 AND destination = 'far.test'");
    assert_int_equal(listed(&(struct queue_filter){ .recipients = list_of("r1@far.test", NULL),
                                                    .states = 1u << QUEUE_DEFERRED }), 0);
}

static void body_sums(void)
{
    struct queue_filter all = { 0 };
    struct queue_group *g;
    struct queue_sums sums;
    size_t n;

    fill();
    assert_int_equal(queue_sum(db, &sums), RES_OK);
    assert_true(sums.messages == 3 && sums.waiting == 2 && sums.held == 1 && sums.sending == 0 && sums.recipients == 6);
    assert_int_equal(queue_groups(db, &all, QUEUE_BY_DESTINATION, 10, &arena, &g, &n), RES_OK);
    assert_true(n == 2 && str_eq(g[0].key, STR("far.test")) && g[0].messages == 2 && g[0].recipients == 4 && g[0].waiting == 2);
    assert_true(str_eq(g[0].reason, STR("greylisted")) && str_eq(g[0].reply, STR("450 later")));
    assert_true(g[1].held == 1 && g[1].next_attempt_at == DB_NO_TIME);
    assert_int_equal(queue_groups(db, &all, QUEUE_BY_SENDER, 1, &arena, &g, &n), RES_OK);
    assert_true(n == 1 && str_eq(g[0].key, STR("alice@here.test")));
    assert_int_equal(queue_groups(db, &all, QUEUE_BY_REASON, 10, &arena, &g, &n), RES_OK);
    assert_int_equal(n, 3);
}

static void body_get(void)
{
    struct queue_attempt *attempts;
    struct queue_message *m;
    struct trace *t;
    size_t n;
    bool more;

    fill();
    (void)database_sql(owner,
        "INSERT INTO trace_event (at, trace_id, n, seq, kind, happened_at, host, address, phase, session, result, reason, code,"
        "  enhanced, reply, milliseconds, dialogue)"
        " SELECT received_at, id, i % 3, 1 + i / 3, 1, received_at + i * interval '1 s', 'mx', '192.0.2.1', 'rcpt', 's', 2, 'greylisted',"
        "  450, '4.2.0', '450 4.2.0 later', 7, '0 S: 220\n' FROM queue_message, generate_series(0, 5) i"
        "  WHERE id = (SELECT min(id) FROM queue_message);"
        "DELETE FROM queue_recipient WHERE n = 2 AND destination = 'far.test';"
        "UPDATE trace_recipient SET outcome = 2 WHERE n = 2 AND domain = 'far.test'");
    assert_int_equal(queue_get(db, ids[0], (struct str_list){ 0 }, &arena, &m), RES_OK);
    assert_true(m->nrecipients == 3 && m->state == QUEUE_DEFERRED && !m->held && str_eq(m->client, STR("192.0.2.1")));
    assert_true(str_eq(m->listener, STR("submission")) && str_eq(m->session, STR("s1")) && m->tls.p == NULL);
    assert_true(!m->recipients[0].done && m->recipients[0].attempts == 2 && str_eq(m->recipients[0].orcpt, STR("rfc822;x")));
    assert_true(m->recipients[2].done && m->recipients[2].outcome == TRACE_RELAYED && m->recipients[2].attempts == 2);
    assert_true(str_eq(m->recipients[2].address, STR("r2@far.test")) && str_eq(m->recipients[2].reply, STR("450 4.2.0 later")));
    assert_int_equal(queue_get(db, ids[0], list_of("near.test", NULL), &arena, &m), RES_NOTFOUND);
    assert_int_equal(queue_get(db, ids[0] + 1000, (struct str_list){ 0 }, &arena, &m), RES_NOTFOUND);

    assert_int_equal(queue_attempts(db, ids[0], -1, (struct queue_attempt_key){ 0 }, 4, &arena, &attempts, &n, &more), RES_OK);
    assert_true(n == 4 && more && attempts[0].n == 2 && attempts[0].number == 2 && attempts[3].number == 1);
    assert_true(attempts[0].code == 450 && attempts[0].result == 2 && attempts[0].milliseconds == 7 &&
                str_eq(attempts[0].dialogue, STR("0 S: 220\n")) && str_eq(attempts[0].address, STR("192.0.2.1")));
    assert_int_equal(queue_attempts(db, ids[0], -1, (struct queue_attempt_key){ attempts[3].at, attempts[3].n }, 4, &arena,
                                    &attempts, &n, &more), RES_OK);
    assert_true(n == 2 && !more && attempts[1].n == 0);
    assert_int_equal(queue_attempts(db, ids[0], 1, (struct queue_attempt_key){ 0 }, 4, &arena, &attempts, &n, &more), RES_OK);
    assert_true(n == 2 && attempts[0].n == 1);

    assert_int_equal(trace_get(db, ids[0], (struct str_list){ 0 }, &arena, &t), RES_OK);
    assert_true(t->in_queue && t->nrecipients == 3 && t->nevents == 7 && t->events[0].kind == EVENT_ACCEPTED);
    assert_true(t->events[6].kind == EVENT_ATTEMPT && t->events[6].number == 2 && t->row.recipients == 3);
    assert_int_equal(trace_get(db, ids[0], list_of("near.test", NULL), &arena, &t), RES_NOTFOUND);
}

static struct queue_answer act(enum queue_action action, const struct queue_filter *filter)
{
    struct queue_request request = { .action = action, .filter = filter, .actor = STR("admin@here.test"), .reason = STR("why") };
    struct queue_answer answer;

    assert_int_equal(queue_act(db, &request, &arena, &answer), RES_OK);
    return answer;
}

static void body_retry(void)
{
    struct queue_answer answer;

    fill();
    (void)database_sql(owner, "DELETE FROM queue_destination");
    answer = act(QUEUE_RETRY, &(struct queue_filter){ 0 });
    assert_true(answer.matched == 3 && answer.changed == 2 && answer.skipped == 0); /* the held one is matched only */
    assert_int_equal(count("queue_recipient WHERE state = 0 AND due_at <= now()"), 4);
    assert_int_equal(count("queue_destination WHERE destination = 'far.test' AND due_at <= now()"), 1);
    assert_int_equal(count("trace_event WHERE kind = 10 AND actor = 'admin@here.test' AND reply = 'why' AND n = -1"), 2);
    assert_int_equal(count("queue_message WHERE version = 2"), 2);
}

static void body_hold_release(void)
{
    struct queue_filter first = { .ids = ids, .nids = 1 };
    struct queue_answer answer;
    struct queue_message *m;

    fill();
    answer = act(QUEUE_HOLD, &first);
    assert_int_equal(answer.changed, 1);
    assert_int_equal(queue_get(db, ids[0], (struct str_list){ 0 }, &arena, &m), RES_OK);
    assert_true(m->held && m->state == QUEUE_HELD && str_eq(m->held_by, STR("admin@here.test")) &&
                str_eq(m->held_reason, STR("why")) && m->version == 2);
    assert_int_equal(act(QUEUE_HOLD, &first).changed, 0);
    assert_int_equal(act(QUEUE_RELEASE, &first).changed, 1);
    assert_int_equal(count("queue_recipient WHERE state = 0 AND due_at <= now() AND destination = 'far.test'"), 4);
    assert_int_equal(act(QUEUE_RELEASE, &first).changed, 0);
}

static void body_busy_and_missing(void)
{
    int64_t asked[] = { ids[0], ids[1], 999999999 };
    struct queue_answer answer;

    fill();
    memcpy(asked, ids, 2 * sizeof(*ids));
    (void)database_sql(owner, "UPDATE queue_recipient SET lease_by = 'x', due_at = now() + '1 min' WHERE n = 1 AND destination = 'far.test'");
    answer = act(QUEUE_DELETE, &(struct queue_filter){ .ids = asked, .nids = 3 });
    assert_true(answer.matched == 2 && answer.changed == 1 && answer.skipped == 1 && answer.nbusy == 1 && answer.busy[0] == ids[0]);
    assert_true(answer.missing == 1 && answer.ngone == 1 && answer.gone[0] == 999999999);
    assert_int_equal(count("queue_recipient WHERE state = 2"), 1);
}

/* What the relay does once the time is over; as its role. */
static void purge_as_relay(void)
{
    struct db *relay = db_new(database_conninfo("correio_relay"), 1);
    bool more = true;

    while (more)
        assert_int_equal(queue_purge(relay, &more), RES_OK);
    db_free(relay);
}

static void let_time_pass(void)
{
    (void)database_sql(owner, "UPDATE queue_recipient SET due_at = now() WHERE state IN (2, 4)");
}

static void body_delete(void)
{
    struct queue_filter far = { 0 };
    struct queue_message *m;

    fill();
    far.destinations = list_of("far.test", NULL);
    assert_int_equal(act(QUEUE_DELETE, &far).changed, 2);
    assert_int_equal(count("queue_recipient WHERE state = 2 AND due_at > now() + interval '50 s'"), 4);
    assert_int_equal(listed(&(struct queue_filter){ .states = 1u << QUEUE_REMOVING }), 2);
    assert_int_equal(listed(&(struct queue_filter){ .reasons = list_of("removed-by-admin", NULL) }), 2);
    assert_int_equal(queue_get(db, ids[0], (struct str_list){ 0 }, &arena, &m), RES_OK);
    assert_true(m->state == QUEUE_REMOVING && m->recipients[0].next_attempt_at == DB_NO_TIME);
    assert_int_equal(act(QUEUE_DELETE, &far).changed, 0);
    assert_int_equal(act(QUEUE_RETRY, &far).changed, 0);
    purge_as_relay();
    assert_int_equal(count("queue_message"), 3); /* not yet */
    let_time_pass();
    purge_as_relay();
    assert_int_equal(count("queue_message") + count("queue_blob"), 2);
    assert_int_equal(count("queue_recipient"), 2);
    assert_int_equal(count("trace WHERE outcome = 5"), 2);
    assert_int_equal(count("trace_recipient WHERE outcome = 5"), 4);
    assert_int_equal(count("trace_event WHERE kind = 20 AND reason = 'removed-by-admin' AND actor = 'admin@here.test'"), 2);
    assert_int_equal(count("trace_event WHERE kind = 7 AND reason = 'removed-by-admin' AND actor = 'admin@here.test' AND reply = 'why'"), 2);
}

static void body_bounce(void)
{
    struct db *relay = db_new(database_conninfo("correio_relay"), 1);
    struct queue_batch b;

    fill();
    assert_int_equal(act(QUEUE_BOUNCE, &(struct queue_filter){ 0 }).changed, 3);
    assert_int_equal(count("queue_recipient WHERE state = 4 AND due_at > now() + interval '50 s'"), 6);
    let_time_pass();
    purge_as_relay();
    assert_int_equal(count("queue_recipient WHERE state = 0 AND due_at <= now() AND destination = '.return' AND home LIKE '%.test'"), 6);
    assert_int_equal(count("queue_destination WHERE destination = '.return' AND due_at <= now()"), 1);
    assert_int_equal(count("trace_event WHERE kind = 21 AND reason = 'bounced-by-admin'"), 3);
    (void)database_sql(owner, "DELETE FROM queue_destination WHERE destination <> '.return'");
    assert_int_equal(queue_claim(relay, STR("n/r/1"), 20, &arena, &b), RES_OK);
    assert_true(b.n == 6 && b.jobs[0].message->bounce);
    db_free(relay);
}

static int64_t undone(int64_t id, const char *actor, int64_t *ret_changed)
{
    int64_t restored;

    assert_int_equal(queue_undo(db, id, str_c(actor), STR("boss@here.test"), &restored, ret_changed), RES_OK);
    return restored;
}

static void body_reschedule(void)
{
    const struct queue_filter all = { 0 };
    struct queue_request request = { .action = QUEUE_RESCHEDULE, .filter = &all, .actor = STR("local"),
                                     .at = wall_us() + INT64_C(7200000000) };
    struct queue_answer answer;
    int64_t changed;

    fill();
    assert_int_equal(queue_act(db, &request, &arena, &answer), RES_OK);
    assert_int_equal(answer.changed, 2); /* one is held */
    assert_int_equal(count("queue_recipient WHERE state = 0 AND due_at BETWEEN now() + '119 min' AND now() + '121 min'"), 4);
    assert_int_equal(count("trace_event WHERE kind = 23 AND host LIKE '20__-__-__T__:__:__.___Z'"), 2);
    assert_int_equal(undone(answer.undo_id, NULL, &changed), 2);
    assert_int_equal(count("queue_recipient WHERE state = 0 AND due_at > now() + '100 min'"), 0);
}

static void body_reroute(void)
{
    const struct queue_filter all = { 0 };
    struct queue_request request = { .action = QUEUE_REROUTE, .filter = &all, .actor = STR("local"), .route = STR("[way.test]:25") };
    struct queue_answer first, second, back;
    struct queue_message *m;
    int64_t changed;

    fill();
    (void)database_sql(owner, "UPDATE queue_recipient SET destination = '.local' WHERE n = 2 AND destination = 'far.test'");
    assert_int_equal(queue_act(db, &request, &arena, &first), RES_OK);
    assert_int_equal(first.changed, 3);
    assert_int_equal(count("queue_recipient WHERE destination = '[way.test]:25' AND home IN ('far.test', 'near.test')"), 5);
    assert_int_equal(count("queue_recipient WHERE destination = '[way.test]:25' AND state = 0 AND due_at <= now()"), 3);
    assert_int_equal(count("queue_destination WHERE destination = '[way.test]:25'"), 1);
    assert_int_equal(queue_get(db, ids[0], (struct str_list){ 0 }, &arena, &m), RES_OK);
    assert_true(m->recipients[0].rerouted && !m->recipients[2].rerouted && m->recipients[0].attempts == 2);
    request.route = STR("other.test:26");
    assert_int_equal(queue_act(db, &request, &arena, &second), RES_OK);
    assert_int_equal(undone(second.undo_id, NULL, &changed), 3);
    assert_int_equal(count("queue_recipient WHERE destination = '[way.test]:25' AND home IN ('far.test', 'near.test')"), 5);
    request.route = STR_NULL;
    assert_int_equal(queue_act(db, &request, &arena, &back), RES_OK);
    assert_int_equal(back.changed, 3);
    assert_int_equal(count("queue_recipient WHERE home IS NULL"), 6);
    assert_int_equal(count("queue_recipient WHERE destination IN ('far.test', 'near.test')"), 5);
    assert_int_equal(undone(back.undo_id, NULL, &changed), 3);
    assert_int_equal(count("queue_recipient WHERE destination = '[way.test]:25' AND home IN ('far.test', 'near.test')"), 5);
    assert_int_equal(count("trace_event WHERE kind = 24 AND host = '[way.test]:25'"), 3);
}

static void body_change(void)
{
    const struct audit audit = { .actor = STR("{}"), .action = STR("queue.change") };
    struct queue_change c = { .next = true, .next_attempt_at = wall_us() + 1000000, .expires = true, .priority = true, .new_priority = 1,
                              .expires_at = wall_us() + INT64_C(3600000000), .route = true, .new_route = STR("[way.test]:25") };
    struct queue_message *m;

    fill();
    assert_int_equal(queue_change(db, ids[0], 1, (struct str_list){ 0 }, &c, STR("local"), &audit), RES_OK);
    assert_int_equal(queue_get(db, ids[0], (struct str_list){ 0 }, &arena, &m), RES_OK);
    assert_true(m->priority == 1 && m->recipients[0].rerouted && m->version == 2 && m->next_attempt_at == c.next_attempt_at &&
                m->expires_at == c.expires_at);
    assert_int_equal(count("trace_event WHERE kind IN (23, 24, 25) AND actor = 'local'"), 3);
    assert_int_equal(count("audit WHERE action = 'queue.change'"), 1);
    assert_int_equal(queue_change(db, ids[0], 1, (struct str_list){ 0 }, &c, STR("local"), &audit), RES_CONFLICT);
    assert_int_equal(queue_change(db, ids[0], 0, list_of("near.test", NULL), &c, STR("local"), &audit), RES_NOTFOUND);
    assert_int_equal(queue_change(db, ids[0] + 1000, 0, (struct str_list){ 0 }, &c, STR("local"), &audit), RES_NOTFOUND);
    (void)database_sql(owner, "UPDATE queue_recipient SET lease_by = 'x', due_at = now() + '1 min' WHERE n = 1");
    assert_int_equal(queue_change(db, ids[0], 0, (struct str_list){ 0 }, &c, STR("local"), &audit), RES_DENIED);
    assert_int_equal(count("audit WHERE action = 'queue.change'"), 1);
}

static void body_undo(void)
{
    const struct queue_filter all = { 0 }, first = { .ids = ids, .nids = 1 };
    const char *before = "SELECT string_agg(concat_ws(' ', queue_id, n, state, due_at, destination, home), ',' ORDER BY queue_id, n)"
                         " FROM queue_recipient";
    struct queue_undo *list;
    struct queue_answer answer;
    int64_t restored, changed;
    struct str was;
    size_t n;

    for (int action = QUEUE_RETRY; action <= QUEUE_DELETE; action++) {
        clear();
        fill();
        was = arena_str(&arena, str_c(database_sql(owner, before)));
        answer = act((enum queue_action)action, &all);
        assert_true(answer.undo_id > 0 && answer.undo_until > wall_us() + INT64_C(50000000));
        assert_int_equal(undone(answer.undo_id, NULL, &changed), answer.changed);
        assert_int_equal(changed, answer.changed);
        assert_string_equal(arena_cstr(&arena, was), database_sql(owner, before));
        assert_int_equal(count("trace_event WHERE kind = 22 AND actor = 'boss@here.test'"), answer.changed);
        assert_int_equal(queue_undo(db, answer.undo_id, STR_NULL, STR("x"), &restored, &changed), RES_NOTFOUND);
    }
    /* whose it is; what was changed again, and what has gone, stays */
    answer = act(QUEUE_DELETE, &all);
    assert_int_equal(queue_undo(db, answer.undo_id, STR("other@here.test"), STR("x"), &restored, &changed), RES_NOTFOUND);
    assert_int_equal(queue_undo_list(db, STR("other@here.test"), &arena, &list, &n), RES_OK);
    assert_int_equal(n, 0);
    assert_int_equal(queue_undo_list(db, STR("admin@here.test"), &arena, &list, &n), RES_OK);
    assert_true(n == 1 && list[0].id == answer.undo_id && list[0].changed == 3 && str_eq(list[0].action, STR("delete")));
    (void)database_sql(owner, "UPDATE queue_recipient SET due_at = now() WHERE queue_id = (SELECT min(id) FROM queue_message)");
    purge_as_relay();
    assert_int_equal(undone(answer.undo_id, "admin@here.test", &changed), 2);
    assert_int_equal(changed, 3);
    assert_int_equal(count("queue_message"), 2);
    fill();
    answer = act(QUEUE_HOLD, &first);
    assert_int_equal(act(QUEUE_RELEASE, &first).changed, 1);
    assert_int_equal(undone(answer.undo_id, NULL, &changed), 0);
    /* its time is over */
    answer = act(QUEUE_HOLD, &first);
    (void)database_sql(owner, "UPDATE queue_undo SET until = now()");
    assert_int_equal(queue_undo(db, answer.undo_id, STR_NULL, STR("x"), &restored, &changed), RES_NOTFOUND);
    (void)database_sql(owner, "UPDATE queue_undo SET until = now() - interval '2 h'");
    assert_int_equal(queue_undo_sweep(db), RES_OK);
    assert_int_equal(count("queue_undo"), 0);
}

static void make_many(int n)
{
    char sql[600];

    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO queue_message (id, reverse_path, expires_at, size, header_size, frames)"
                   " SELECT nextval('queue_id_seq'), 'many@here.test', now() + '1 day', 1, 1, 1 FROM generate_series(1, %d);"
                   "INSERT INTO queue_recipient (queue_id, n, recipient, destination)"
                   " SELECT id, 0, 'r@many.test', 'many.test' FROM queue_message", n);
    (void)database_sql(owner, sql);
}

static struct operation begun(enum queue_action action, size_t want)
{
    const struct queue_filter all = { 0 };
    const struct audit audit = { .actor = STR("{}"), .action = STR("queue.hold") };
    struct queue_request request = { .action = action, .filter = &all, .actor = STR("admin@here.test"), .reason = STR("why") };
    struct queue_answer answer;
    struct operation o;
    int64_t *found, id;
    size_t n;

    assert_int_equal(queue_find(db, &request, &arena, &found, &n, &answer), RES_OK);
    assert_int_equal(n, want);
    assert_int_equal(operation_begin(db, &request, found, n, &audit, &id), RES_OK);
    assert_int_equal(operation_get(db, id, STR_NULL, &arena, &o), RES_OK);
    return o;
}

/* In pieces; each is there or not; what is left can be cancelled; all of it is one undo. */
static void body_operation(void)
{
    struct operation o;
    int64_t changed;

    arena_reset(&arena);
    make_many(2500);
    o = begun(QUEUE_HOLD, 2500);
    assert_true(o.total == 2500 && o.done == 0 && o.state == OPERATION_RUNNING && o.undo_id == 0);
    assert_int_equal(operation_get(db, o.id, STR("other@here.test"), &arena, &o), RES_NOTFOUND);
    assert_int_equal(operation_work(db), RES_OK);
    assert_int_equal(operation_get(db, o.id, STR("admin@here.test"), &arena, &o), RES_OK);
    assert_true(o.done == 1000 && o.changed == 1000 && o.state == OPERATION_RUNNING && o.undo_id > 0);
    assert_int_equal(count("queue_recipient WHERE state = 1"), 1000);
    assert_int_equal(operation_work(db), RES_OK);
    assert_int_equal(operation_work(db), RES_OK);
    assert_int_equal(operation_work(db), RES_NOTFOUND);
    assert_int_equal(operation_get(db, o.id, STR_NULL, &arena, &o), RES_OK);
    assert_true(o.done == 2500 && o.changed == 2500 && o.state == OPERATION_DONE && o.finished_at != DB_NO_TIME);
    assert_int_equal(count("queue_recipient WHERE state = 1"), 2500);
    assert_int_equal(undone(o.undo_id, NULL, &changed), 2500);
    assert_int_equal(changed, 2500);
    assert_int_equal(count("queue_recipient WHERE state = 0"), 2500);

    o = begun(QUEUE_DELETE, 2500);
    assert_int_equal(operation_work(db), RES_OK);
    assert_int_equal(operation_cancel(db, o.id, STR("other@here.test"), NULL), RES_NOTFOUND);
    assert_int_equal(operation_cancel(db, o.id, STR_NULL, NULL), RES_OK);
    assert_int_equal(operation_work(db), RES_NOTFOUND);
    assert_int_equal(operation_get(db, o.id, STR_NULL, &arena, &o), RES_OK);
    assert_true(o.state == OPERATION_CANCELLED && o.done == 1000);
    assert_int_equal(count("queue_recipient WHERE state = 2"), 1000);

    /* an undo in the middle stops it */
    o = begun(QUEUE_HOLD, 2500);
    assert_int_equal(operation_work(db), RES_OK);
    assert_int_equal(operation_work(db), RES_OK);
    assert_int_equal(operation_get(db, o.id, STR_NULL, &arena, &o), RES_OK);
    assert_int_equal(undone(o.undo_id, NULL, &changed), o.changed);
    assert_int_equal(operation_work(db), RES_NOTFOUND);
    assert_int_equal(count("queue_recipient WHERE state = 1"), 0);
    (void)database_sql(owner, "UPDATE operation SET finished_at = now() - interval '2 days'");
    assert_int_equal(operation_sweep(db), RES_OK);
    assert_int_equal(count("operation"), 0);
}

/* A relay that has it takes the mark away: what was tried is not put back. */
static void body_undo_of_a_claim(void)
{
    struct db *relay = db_new(database_conninfo("correio_relay"), 1);
    struct queue_answer answer;
    struct queue_batch b;
    int64_t changed;

    fill();
    answer = act(QUEUE_RETRY, &(struct queue_filter){ .ids = ids, .nids = 1 });
    assert_int_equal(queue_claim(relay, STR("n/r/1"), 20, &arena, &b), RES_OK);
    assert_int_equal(undone(answer.undo_id, NULL, &changed), 0);
    assert_int_equal(changed, 1);
    db_free(relay);
}

static void body_guards(void)
{
    struct queue_filter all = { 0 }, one = { .ids = ids, .nids = 1 };
    struct queue_request request = { .action = QUEUE_DELETE, .filter = &all, .max = 2, .actor = STR("local") };
    struct queue_answer answer;

    fill();
    assert_int_equal(queue_act(db, &request, &arena, &answer), RES_LIMIT);
    assert_int_equal(answer.matched, 3);
    request.max = 0;
    request.filter = &one;
    request.version = 7;
    assert_int_equal(queue_act(db, &request, &arena, &answer), RES_CONFLICT);
    assert_int_equal(count("queue_message"), 3);
    request.version = 1;
    assert_int_equal(queue_act(db, &request, &arena, &answer), RES_OK);
    assert_int_equal(count("queue_recipient WHERE state = 2"), 3);
}

static size_t traced(const struct trace_filter *filter)
{
    struct trace_row *rows;
    struct trace_place next;
    size_t n;

    assert_int_equal(trace_list(db, filter, TRACE_END, 50, &arena, &rows, &n, &next), RES_OK);
    assert_true(trace_is_end(next));
    return n;
}

static void body_traces(void)
{
    struct trace_filter all = { .since = DB_NO_TIME, .until = DB_NO_TIME }, f;
    struct trace_row *rows;
    struct trace_place next;
    size_t n;

    fill();
    (void)database_sql(owner, "UPDATE trace SET outcome = 2, direction = 0 WHERE id = (SELECT max(id) FROM trace)");
    assert_int_equal(trace_list(db, &all, TRACE_END, 2, &arena, &rows, &n, &next), RES_OK);
    assert_true(n == 2 && next.id == ids[1] && rows[0].id == ids[2] && rows[0].outcome == TRACE_RELAYED && rows[0].recipients == 2);
    assert_true(str_eq(rows[0].recipient, STR("r0@near.test")));
    assert_int_equal(trace_list(db, &all, next, 2, &arena, &rows, &n, &next), RES_OK);
    assert_true(n == 1 && trace_is_end(next) && rows[0].id == ids[0]);
    f = all, f.outcomes = 1u << TRACE_RELAYED;
    assert_int_equal(traced(&f), 1);
    f = all, f.directions = 1u << TRACE_OUT;
    assert_int_equal(traced(&f), 2);
    f = all, f.recipients = list_of("r2@far.test", NULL);
    assert_int_equal(traced(&f), 1);
    f = all, f.senders = list_of("Alice@here.test", NULL);
    assert_int_equal(traced(&f), 3);
    f = all, f.message_id = STR("<2@here.test>");
    assert_int_equal(traced(&f), 0);
    f = all, f.until = 1000000;
    assert_int_equal(traced(&f), 0);
    f = all, f.since = 1000000;
    assert_int_equal(traced(&f), 3);
    f = all, f.domains = list_of("near.test", NULL);
    assert_int_equal(traced(&f), 1);
    f = all, f.text = STR("r2@"), f.text_id = ids[2];
    assert_int_equal(traced(&f), 2);
}

int main(void)
{
    struct body bodies[] = { { "list", body_list },
                             { "filters", body_filters },
                             { "sums", body_sums },
                             { "get", body_get },
                             { "retry", body_retry },
                             { "hold, release", body_hold_release },
                             { "busy, missing", body_busy_and_missing },
                             { "delete", body_delete },
                             { "bounce", body_bounce },
                             { "reschedule", body_reschedule },
                             { "reroute", body_reroute },
                             { "change", body_change },
                             { "undo", body_undo },
                             { "operation", body_operation },
                             { "undo of a claim", body_undo_of_a_claim },
                             { "guards", body_guards },
                             { "traces", body_traces } };
    int r = run_bodies("queue_admin", "correio_api", bodies, ARRAY_LEN(bodies));

    arena_reset(&arena);
    return r;
}
