/* The client against a peer that follows a script, over a socketpair. */
#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "relay/client.h"
#include "store/queue.h"

#include <stdio.h>
#include <sys/socket.h>

/* Lines of a script: "S: what the server says", "C: what the client must say", "X" the server closes. */
struct peer {
    struct str script;
    struct stream *stream;
    bool done;
};

static void run_peer(void *arg)
{
    struct peer *p = arg;
    struct str rest = p->script, step, line;

    while (str_split(&rest, '\n', &step)) {
        if (str_starts(step, STR("S: "))) {
            stream_write(p->stream, str_from(step, 3));
            stream_puts(p->stream, "\r\n");
        } else if (str_starts(step, STR("C: "))) {
            assert_int_equal(stream_flush(p->stream), RES_OK);
            assert_int_equal(stream_read_line(p->stream, 4096, &line), RES_OK);
            if (!str_eq(line, str_from(step, 3)))
                fail_msg("wanted \"%.*s\", got \"%.*s\"", STR_ARG(str_from(step, 3)), STR_ARG(line));
        } else {
            assert_true(str_eq(step, STR("X")));
            break;
        }
    }
    (void)stream_flush(p->stream);
    stream_free(p->stream);
    p->done = true;
}

/* A body in pieces. */
struct body {
    struct str rest;
    bool fails;
};

static enum result next_piece(void *arg, struct str *ret_piece)
{
    struct body *b = arg;

    if (b->fails)
        return RES_TEMPFAIL;
    *ret_piece = str_sub(b->rest, 0, 5);
    b->rest = str_from(b->rest, 5);
    return RES_OK;
}

typedef void scenario_fn(struct client *c, struct arena *a);

struct run {
    const char *script;
    scenario_fn *scenario;
};

static void run_client(void *arg)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct run *run = arg;
    struct peer peer = { .script = str_c(run->script) };
    CLEANUP(dialogue_release) struct dialogue dialogue = { 0 };
    struct client c;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    peer.stream = stream_new(fds[1]);
    dialogue_begin(&dialogue, 0);
    client_init(&c, stream_new(fds[0]), STR("me.test"), &dialogue);
    assert_non_null(coroutine_spawn("peer", run_peer, &peer));
    run->scenario(&c, &a);
    client_release(&c);
    while (!peer.done)
        assert_int_equal(coroutine_sleep(1), RES_OK);
}

static void play(const char *script, scenario_fn *scenario)
{
    struct run run = { script, scenario };

    assert_non_null(coroutine_spawn("client", run_client, &run));
    loop_run();
    assert_int_equal(coroutine_count(), 0);
}

static struct client_message message(struct body *b, const char *text)
{
    *b = (struct body){ .rest = str_c(text) };
    return (struct client_message){ .reverse_path = STR("a@me.test"), .size = (int64_t)strlen(text), .next = next_piece,
                                    .arg = b };
}

static void greet(struct client *c, struct arena *a)
{
    struct verdict v;

    assert_int_equal(client_greet(c, a, &v), RES_OK);
}

/* ---- the scenarios ---- */

static void pipelined(struct client *c, struct arena *a)
{
    struct body b;
    struct client_message m = message(&b, "Subject: x\r\n\r\n.dot\r\nend");
    struct client_recipient r[3] = {
        { .address = STR("one@far.test"), .notify = QUEUE_NOTIFY_SUCCESS | QUEUE_NOTIFY_FAILURE, .orcpt = STR("rfc822;o+20ne") },
        { .address = STR("two@far.test") },
        { .address = STR("three@far.test"), .notify = QUEUE_NOTIFY_NEVER } };

    greet(c, a);
    m.envid = STR("id1");
    m.ret = 'H';
    m.eightbit = m.smtputf8 = true;
    client_send(c, &m, r, 3, a);
    assert_int_equal(r[0].verdict.kind, VERDICT_SENT);
    assert_int_equal(r[0].verdict.phase, PHASE_BODY);
    assert_true(str_eq(r[0].verdict.text, STR("queued as 1")) && str_eq(r[0].verdict.enhanced, STR("2.0.0")));
    assert_int_equal(r[1].verdict.kind, VERDICT_NEVER);
    assert_int_equal(r[1].verdict.code, 550);
    assert_true(str_eq(r[1].verdict.reason, STR("unknown-recipient")) && r[1].verdict.remote);
    assert_int_equal(r[2].verdict.kind, VERDICT_LATER);
    assert_int_equal(r[2].verdict.phase, PHASE_RCPT);
    assert_true(c->usable);

    m = message(&b, "second\r\n"); /* the same connection again */
    client_send(c, &m, r, 1, a);
    assert_int_equal(r[0].verdict.kind, VERDICT_SENT);
    client_quit(c);
    assert_false(c->usable);
    assert_true(str_find(strbuf_str(&c->dialogue->text), STR("C: (message, 23 bytes)\n")) != SIZE_MAX);
    assert_true(str_find(strbuf_str(&c->dialogue->text), STR("S: 550 5.1.1 no such user\n")) != SIZE_MAX);
}

static void test_pipelined(void **state)
{
    (void)state;
    play("S: 220-far.test\nS: 220 ready\n"
         "C: EHLO me.test\n"
         "S: 250-far.test\nS: 250-PIPELINING\nS: 250-SIZE 1000\nS: 250-8BITMIME\nS: 250-SMTPUTF8\nS: 250-ENHANCEDSTATUSCODES\n"
         "S: 250 DSN\n"
         "C: MAIL FROM:<a@me.test> SIZE=23 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=id1\n"
         "C: RCPT TO:<one@far.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o+20ne\n"
         "C: RCPT TO:<two@far.test>\n"
         "C: RCPT TO:<three@far.test> NOTIFY=NEVER\n"
         "C: DATA\n"
         "S: 250 2.1.0 Ok\nS: 250 2.1.5 Ok\nS: 550 5.1.1 no such user\nS: 450 4.2.1 later\nS: 354 go\n"
         "C: Subject: x\nC: \nC: ..dot\nC: end\nC: .\n"
         "S: 250 2.0.0 queued as 1\n"
         "C: MAIL FROM:<a@me.test> SIZE=8\n"
         "C: RCPT TO:<one@far.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;o+20ne\n"
         "C: DATA\n"
         "S: 250 Ok\nS: 250 Ok\nS: 354 go\n"
         "C: second\nC: .\n"
         "S: 250 Ok\n"
         "C: QUIT\nS: 221 bye\n", pipelined);
}

static void old_server(struct client *c, struct arena *a)
{
    struct body b;
    struct client_message m = message(&b, "x\r\n");
    struct client_recipient r[2] = { { .address = STR("one@far.test"), .notify = QUEUE_NOTIFY_FAILURE },
                                     { .address = STR("two@far.test") } };

    greet(c, a);
    client_send(c, &m, r, 2, a);
    assert_int_equal(r[0].verdict.kind, VERDICT_LATER); /* 552 to RCPT */
    assert_int_equal(r[1].verdict.kind, VERDICT_SENT);
    m = message(&b, "x\r\n");
    client_send(c, &m, r, 2, a); /* MAIL is refused: no RCPT is sent */
    assert_int_equal(r[0].verdict.kind, VERDICT_NEVER);
    assert_int_equal(r[1].verdict.phase, PHASE_MAIL);
    m = message(&b, "x\r\n");
    client_send(c, &m, r, 2, a); /* no recipient left: no DATA */
    assert_int_equal(r[0].verdict.kind, VERDICT_NEVER);
    assert_int_equal(r[1].verdict.kind, VERDICT_LATER);
    m = message(&b, "x\r\n");
    client_send(c, &m, r, 1, a); /* DATA is refused */
    assert_int_equal(r[0].verdict.phase, PHASE_DATA);
    assert_int_equal(r[0].verdict.kind, VERDICT_NEVER);
    m = message(&b, "x\r\n");
    m.eightbit = true;
    client_send(c, &m, r, 2, a); /* what it cannot take is not tried */
    assert_int_equal(r[0].verdict.kind, VERDICT_NEVER);
    assert_true(str_eq(r[0].verdict.enhanced, STR("5.6.3")) && !r[0].verdict.remote);
    m.smtputf8 = true;
    client_send(c, &m, r, 2, a);
    assert_true(str_eq(r[1].verdict.enhanced, STR("5.6.7")));
    m = message(&b, "x\r\n");
    m.binary = true;
    client_send(c, &m, r, 1, a);
    assert_int_equal(r[0].verdict.kind, VERDICT_NEVER);
    assert_true(str_eq(r[0].verdict.enhanced, STR("5.6.3")) && !r[0].verdict.remote);
    r[0].address = STR("one@far.test>\r\nDATA");
    m = message(&b, "x\r\n");
    client_send(c, &m, r, 1, a);
    assert_int_equal(r[0].verdict.kind, VERDICT_NEVER);
    assert_true(c->usable);
}

static void test_old_server(void **state)
{
    (void)state;
    play("S: 220 far.test\n"
         "C: EHLO me.test\nS: 502 what\n"
         "C: HELO me.test\nS: 250 far.test\n"
         "C: MAIL FROM:<a@me.test>\nS: 250 Ok\n"
         "C: RCPT TO:<one@far.test>\nS: 552 too many\n"
         "C: RCPT TO:<two@far.test>\nS: 250 Ok\n"
         "C: DATA\nS: 354 go\nC: x\nC: .\nS: 250 Ok\n"
         "C: MAIL FROM:<a@me.test>\nS: 550 no\n"
         "C: RSET\nS: 250 Ok\n"
         "C: MAIL FROM:<a@me.test>\nS: 250 Ok\n"
         "C: RCPT TO:<one@far.test>\nS: 550 no\n"
         "C: RCPT TO:<two@far.test>\nS: 450 no\n"
         "C: RSET\nS: 250 Ok\n"
         "C: MAIL FROM:<a@me.test>\nS: 250 Ok\n"
         "C: RCPT TO:<one@far.test>\nS: 250 Ok\n"
         "C: DATA\nS: 554 no\n", old_server);
}

static struct client_message message_by(struct body *b, int64_t left_s, bool give_back, bool trace)
{
    struct client_message m = message(b, "x\r\n");

    m.by = (struct deliver_by){ .at_us = 1, .give_back = give_back, .trace = trace };
    m.by_left_s = left_s;
    return m;
}

/* RFC 2852, 4.1. */
static void in_time(struct client *c, struct arena *a)
{
    struct body b;
    struct client_recipient r = { .address = STR("one@far.test") };
    struct client_message m;

    greet(c, a);
    m = message_by(&b, 600, true, false);
    client_send(c, &m, &r, 1, a);
    assert_int_equal(r.verdict.kind, VERDICT_SENT);
    m = message_by(&b, -5, false, true);
    client_send(c, &m, &r, 1, a);
    assert_int_equal(r.verdict.kind, VERDICT_SENT);
    m = message_by(&b, 59, true, false); /* less than it wants: not even tried */
    client_send(c, &m, &r, 1, a);
    assert_int_equal(r.verdict.kind, VERDICT_NEVER);
    assert_true(str_eq(r.verdict.enhanced, STR("5.4.7")) && !r.verdict.remote);
    c->ehlo.min_by_s = 0;
    m = message_by(&b, 0, true, false);
    client_send(c, &m, &r, 1, a);
    assert_int_equal(r.verdict.kind, VERDICT_NEVER);
    c->ehlo.deliverby = false;
    m = message_by(&b, 600, true, false);
    client_send(c, &m, &r, 1, a);
    assert_int_equal(r.verdict.kind, VERDICT_NEVER);
    assert_true(str_eq(r.verdict.enhanced, STR("5.4.7")));
    m = message_by(&b, 600, false, false); /* who only wants to know is served by any */
    client_send(c, &m, &r, 1, a);
    assert_int_equal(r.verdict.kind, VERDICT_SENT);
}

static void test_in_time(void **state)
{
    (void)state;
    play("S: 220 far.test\nC: EHLO me.test\nS: 250-far.test\nS: 250 DELIVERBY 60\n"
         "C: MAIL FROM:<a@me.test> BY=600;R\nS: 250 Ok\nC: RCPT TO:<one@far.test>\nS: 250 Ok\n"
         "C: DATA\nS: 354 go\nC: x\nC: .\nS: 250 Ok\n"
         "C: MAIL FROM:<a@me.test> BY=-5;NT\nS: 250 Ok\nC: RCPT TO:<one@far.test>\nS: 250 Ok\n"
         "C: DATA\nS: 354 go\nC: x\nC: .\nS: 250 Ok\n"
         "C: MAIL FROM:<a@me.test>\nS: 250 Ok\nC: RCPT TO:<one@far.test>\nS: 250 Ok\n"
         "C: DATA\nS: 354 go\nC: x\nC: .\nS: 250 Ok\n", in_time);
}

static void nobody_accepted(struct client *c, struct arena *a)
{
    struct body b;
    struct client_message m = message(&b, "secret\r\n");
    struct client_recipient r = { .address = STR("one@far.test") };

    greet(c, a);
    client_send(c, &m, &r, 1, a);
    assert_int_equal(r.verdict.kind, VERDICT_NEVER);
    assert_int_equal(r.verdict.phase, PHASE_RCPT);
    m = message(&b, "secret\r\n");
    client_send(c, &m, &r, 1, a);
    assert_int_equal(r.verdict.kind, VERDICT_LATER);
    assert_int_equal(r.verdict.phase, PHASE_MAIL);
    assert_int_equal(r.verdict.code, 451);
}

static void test_nobody_accepted(void **state)
{
    (void)state;
    play("S: 220 far.test\nC: EHLO me.test\nS: 250-far.test\nS: 250 PIPELINING\n"
         "C: MAIL FROM:<a@me.test>\nC: RCPT TO:<one@far.test>\nC: DATA\n"
         "S: 250 Ok\nS: 550 no\nS: 354 go\n"
         "C: .\nS: 554 no recipients\n"
         "C: RSET\nS: 250 Ok\n"
         "C: MAIL FROM:<a@me.test>\nC: RCPT TO:<one@far.test>\nC: DATA\n"
         "S: 451 later\nS: 503 order\nS: 503 order\n", nobody_accepted);
}

static void closes_at_body(struct client *c, struct arena *a)
{
    struct body b;
    struct client_message m = message(&b, "x\r\n");
    struct client_recipient r[2] = { { .address = STR("one@far.test") }, { .address = STR("two@far.test") } };

    greet(c, a);
    client_send(c, &m, r, 2, a);
    assert_int_equal(r[0].verdict.kind, VERDICT_LATER);
    assert_int_equal(r[0].verdict.phase, PHASE_BODY);
    assert_true(str_eq(r[0].verdict.reason, REASON_LOST));
    assert_int_equal(r[1].verdict.kind, VERDICT_NEVER); /* its own answer stays */
    assert_false(c->usable);
}

static void test_closes_at_body(void **state)
{
    (void)state;
    play("S: 220 far.test\nC: EHLO me.test\nS: 250-far.test\nS: 250 PIPELINING\n"
         "C: MAIL FROM:<a@me.test>\nC: RCPT TO:<one@far.test>\nC: RCPT TO:<two@far.test>\nC: DATA\n"
         "S: 250 Ok\nS: 250 Ok\nS: 550 no\nS: 354 go\n"
         "C: x\nC: .\nX\n", closes_at_body);
}

static void stops_at_rcpt(struct client *c, struct arena *a)
{
    struct body b;
    struct client_message m = message(&b, "x\r\n");
    struct client_recipient r[3] = { { .address = STR("one@far.test") }, { .address = STR("two@far.test") },
                                     { .address = STR("three@far.test") } };

    greet(c, a);
    client_send(c, &m, r, 3, a);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(r[i].verdict.kind, VERDICT_LATER);
        assert_int_equal(r[i].verdict.code, 421);
    }
    assert_false(c->usable);
}

static void test_stops_at_rcpt(void **state)
{
    (void)state;
    play("S: 220 far.test\nC: EHLO me.test\nS: 250-far.test\nS: 250 PIPELINING\n"
         "C: MAIL FROM:<a@me.test>\nC: RCPT TO:<one@far.test>\nC: RCPT TO:<two@far.test>\nC: RCPT TO:<three@far.test>\nC: DATA\n"
         "S: 250 Ok\nS: 250 Ok\nS: 421 4.3.2 stopping\nX\n", stops_at_rcpt);
}

static void body_fails(struct client *c, struct arena *a)
{
    struct body b;
    struct client_message m = message(&b, "x\r\n");
    struct client_recipient r = { .address = STR("one@far.test") };

    b.fails = true;
    greet(c, a);
    client_send(c, &m, &r, 1, a);
    assert_int_equal(r.verdict.kind, VERDICT_LATER);
    assert_false(c->usable); /* and no dot was sent: the script ends at DATA */
}

static void test_body_fails(void **state)
{
    (void)state;
    play("S: 220 far.test\nC: EHLO me.test\nS: 250-far.test\nS: 250 PIPELINING\n"
         "C: MAIL FROM:<a@me.test>\nC: RCPT TO:<one@far.test>\nC: DATA\n"
         "S: 250 Ok\nS: 250 Ok\nS: 354 go\n", body_fails);
}

static void refuses(struct client *c, struct arena *a)
{
    struct verdict v;

    assert_int_equal(client_greet(c, a, &v), RES_CLOSED);
    assert_int_equal(v.kind, VERDICT_LATER);
    assert_int_equal(v.phase, PHASE_GREETING);
    assert_int_equal(v.code, 554);
    assert_false(c->usable);
}

static void garbage(struct client *c, struct arena *a)
{
    struct verdict v;

    assert_int_equal(client_greet(c, a, &v), RES_CLOSED);
    assert_int_equal(v.code, 0);
    assert_false(c->usable);
}

static void test_greetings(void **state)
{
    (void)state;
    play("S: 554 go away\n", refuses);
    play("S: SSH-2.0-x\n", garbage);
    play("X\n", garbage);
}

static void too_large(struct client *c, struct arena *a)
{
    struct body b;
    struct client_message m = message(&b, "more than ten bytes\r\n");
    struct client_recipient r = { .address = STR("one@far.test") };

    greet(c, a);
    client_send(c, &m, &r, 1, a);
    assert_int_equal(r.verdict.kind, VERDICT_NEVER);
    assert_int_equal(r.verdict.code, 552);
    assert_true(str_eq(r.verdict.reason, STR("too-large")));
    assert_true(c->usable);
}

static void test_too_large(void **state)
{
    (void)state;
    play("S: 220 far.test\nC: EHLO me.test\nS: 250-far.test\nS: 250 SIZE 10\n", too_large);
}

static void signs_in(struct client *c, struct arena *a)
{
    struct verdict v;

    greet(c, a);
    assert_int_equal(client_auth(c, STR("user"), STR("pass"), a, &v), RES_OK);
    assert_true(str_find(strbuf_str(&c->dialogue->text), STR("C: AUTH PLAIN ********\n")) != SIZE_MAX);
    assert_true(str_find(strbuf_str(&c->dialogue->text), STR("AHVzZXIAcGFzcw==")) == SIZE_MAX);
}

static void signs_in_by_login(struct client *c, struct arena *a)
{
    struct verdict v;

    greet(c, a);
    assert_int_equal(client_auth(c, STR("user"), STR("pass"), a, &v), RES_DENIED);
    assert_int_equal(v.kind, VERDICT_LATER);
    assert_true(str_eq(v.reason, REASON_AUTH) && v.code == 535);
    assert_true(str_find(strbuf_str(&c->dialogue->text), STR("cGFzcw==")) == SIZE_MAX);
}

static void cannot_sign_in(struct client *c, struct arena *a)
{
    struct verdict v;

    greet(c, a);
    assert_int_equal(client_auth(c, STR("user"), STR("pass"), a, &v), RES_DENIED);
    assert_true(str_eq(v.reason, REASON_AUTH) && v.code == 0);
}

static void test_auth(void **state)
{
    (void)state;
    play("S: 220 far.test\nC: EHLO me.test\nS: 250-far.test\nS: 250 AUTH LOGIN PLAIN\n"
         "C: AUTH PLAIN AHVzZXIAcGFzcw==\nS: 235 2.7.0 Ok\n", signs_in);
    play("S: 220 far.test\nC: EHLO me.test\nS: 250-far.test\nS: 250 AUTH LOGIN\n"
         "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dXNlcg==\nS: 334 UGFzc3dvcmQ6\nC: cGFzcw==\nS: 535 5.7.8 no\n", signs_in_by_login);
    play("S: 220 far.test\nC: EHLO me.test\nS: 250-far.test\nS: 250 AUTH GSSAPI\n", cannot_sign_in);
}

static void each_answered(struct client *c, struct arena *a)
{
    struct body b;
    struct client_message m = message(&b, "x\r\n");
    struct client_recipient r[4] = { { .address = STR("one@far.test") }, { .address = STR("two@far.test") },
                                     { .address = STR("three@far.test") }, { .address = STR("four@far.test") } };

    c->lmtp = true;
    greet(c, a);
    client_send(c, &m, r, 4, a);
    assert_int_equal(r[0].verdict.kind, VERDICT_SENT);
    assert_int_equal(r[1].verdict.kind, VERDICT_NEVER); /* at RCPT: it has no answer at the end */
    assert_int_equal(r[1].verdict.phase, PHASE_RCPT);
    assert_int_equal(r[2].verdict.kind, VERDICT_LATER);
    assert_true(r[2].verdict.code == 452 && str_eq(r[2].verdict.enhanced, STR("4.2.2")));
    assert_int_equal(r[3].verdict.kind, VERDICT_NEVER);
    assert_true(c->usable);
    client_quit(c);
}

static void lost_between_answers(struct client *c, struct arena *a)
{
    struct body b;
    struct client_message m = message(&b, "x\r\n");
    struct client_recipient r[2] = { { .address = STR("one@far.test") }, { .address = STR("two@far.test") } };

    c->lmtp = true;
    greet(c, a);
    client_send(c, &m, r, 2, a);
    assert_int_equal(r[0].verdict.kind, VERDICT_SENT); /* it was answered: it must not come twice */
    assert_int_equal(r[1].verdict.kind, VERDICT_LATER);
    assert_true(r[1].verdict.code == 0 && !r[1].verdict.remote);
    assert_false(c->usable);
}

static void no_lmtp(struct client *c, struct arena *a)
{
    struct verdict v;

    c->lmtp = true;
    assert_int_equal(client_greet(c, a, &v), RES_CLOSED);
    assert_int_equal(v.kind, VERDICT_LATER);
}

static void test_lmtp(void **state)
{
    static const char start[] = "S: 220 far.test LMTP\nC: LHLO me.test\nS: 250-far.test\nS: 250 PIPELINING\nC: MAIL FROM:<a@me.test>\n"
                                "C: RCPT TO:<one@far.test>\nC: RCPT TO:<two@far.test>\n";
    char script[1024];

    (void)state;
    snprintf(script, sizeof(script), "%sC: RCPT TO:<three@far.test>\nC: RCPT TO:<four@far.test>\nC: DATA\n"
             "S: 250 Ok\nS: 250 Ok\nS: 550 5.1.1 no\nS: 250 Ok\nS: 250 Ok\nS: 354 go\nC: x\nC: .\n"
             "S: 250 2.1.5 one\nS: 452 4.2.2 full\nS: 554 5.7.1 no\nC: QUIT\nS: 221 bye\n", start);
    play(script, each_answered);
    snprintf(script, sizeof(script), "%sC: DATA\nS: 250 Ok\nS: 250 Ok\nS: 250 Ok\nS: 354 go\nC: x\nC: .\nS: 250 one\nX\n", start);
    play(script, lost_between_answers);
    play("S: 220 far.test\nC: LHLO me.test\nS: 500 what\n", no_lmtp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipelined),       cmocka_unit_test(test_old_server), cmocka_unit_test(test_in_time),    cmocka_unit_test(test_nobody_accepted),
        cmocka_unit_test(test_closes_at_body),  cmocka_unit_test(test_stops_at_rcpt), cmocka_unit_test(test_body_fails),
        cmocka_unit_test(test_greetings),       cmocka_unit_test(test_too_large),     cmocka_unit_test(test_auth),
        cmocka_unit_test(test_lmtp),
    };

    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
