/* Trials of filters against a real PostgreSQL, as api's role: what is told, and that nothing is done. */
#include "tests/support/queue_fixture.h"

#include "filter/trial.h"

static const struct filter_message mail = {
    .message = STR("From: <joe@far.test>\r\nTo: <x@here.test>\r\nSubject: [list] hello\r\nMessage-ID: <1@far.test>\r\n\r\nbody\r\n"),
    .reverse_path = STR("joe@far.test"),
};
static const struct filter_recipient me = { .account_id = 1, .address = STR("x@here.test") };

static void add_account(void)
{
    (void)database_sql(owner,
                       "TRUNCATE mailbox, account_state, sieve_mark;"
                       "INSERT INTO domain (id, tenant_id, name) OVERRIDING SYSTEM VALUE VALUES (7, 1, 'here.test');"
                       "INSERT INTO account (id, tenant_id, domain_id, address) OVERRIDING SYSTEM VALUE VALUES (1, 1, 7, 'x@here.test');"
                       "INSERT INTO address (domain_id, localpart, account_id) VALUES (7, 'x', 1);"
                       "INSERT INTO account_state (account_id) VALUES (1);"
                       "INSERT INTO mailbox (account_id, name, uidvalidity) VALUES (1, 'INBOX', 1), (1, 'Lists', 2)");
}

/* As whoever stored it before the compiler learnt to refuse it. */
static void add_script(const char *place, const char *name, const char *content)
{
    char sql[1000];

    (void)snprintf(sql, sizeof(sql),
                   "INSERT INTO sieve_script (account_id, domain_id, place, name, content, hash, active) VALUES "
                   "(CASE WHEN %s = 0 THEN 1 END, CASE WHEN %s IN (1, 2) THEN 7 END, %s, '%s', $$%s$$, sha256($$%s$$), true)",
                   place, place, place, name, content, content);
    (void)database_sql(owner, sql);
}

static enum result try_text(const char *text, struct arena *a, struct filter_trial_result *ret)
{
    const struct filter_trial trial = { .message = &mail, .to = &me, .text = str_c(text) };

    return filter_try(db, &trial, a, ret);
}

/* The step of this kind and name; NULL: there is none. */
static const struct sieve_trace *step(const struct filter_trial_result *t, int kind, const char *name)
{
    for (size_t i = 0; i < t->n_steps; i++) {
        if ((int)t->steps[i].kind == kind && str_eq(t->steps[i].name, str_c(name)))
            return &t->steps[i];
    }
    return NULL;
}

static void body_text(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct filter_trial_result t;
    const struct sieve_trace *s;

    add_account();
    assert_int_equal(try_text("keep;\nnonsense;", &a, &t), RES_INVALID);
    assert_true(t.n_scripts == 1 && t.scripts[0].broken && t.scripts[0].error.line == 2);
    filter_trial_release(&t);

    assert_int_equal(try_text("require \"fileinto\";\nif header :contains \"subject\" \"[list]\" {\n  fileinto \"Lists\";\n}", &a, &t), RES_OK);
    s = step(&t, SIEVE_TRACE_TEST, "header");
    assert_true(s != NULL && s->line == 2 && s->result);
    s = step(&t, SIEVE_TRACE_ACTION, "fileinto");
    assert_true(s != NULL && s->line == 3 && str_eq(s->detail, STR("Lists")));
    assert_true(t.result.nactions == 1 && t.result.actions[0].kind == SIEVE_FILEINTO && !t.result.failed);
    filter_trial_release(&t);
}

static void body_places(void)
{
    static const struct {
        const char *script, *name;
        bool made;
    } cases[] = {
        { "keep;", "INBOX", false },
        { "require \"fileinto\"; fileinto \"Lists\";", "Lists", false },
        { "require \"fileinto\"; fileinto \"None\";", "INBOX", false },
        { "require [\"fileinto\", \"mailbox\"]; fileinto :create \"None\";", "None", true },
        { "require [\"fileinto\", \"mailbox\"]; fileinto :create \"a//b\";", "INBOX", false },
    };

    add_account();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct filter_trial_result t;
        struct str name;
        bool made;

        assert_int_equal(try_text(cases[i].script, &a, &t), RES_OK);
        assert_int_equal(filter_trial_place(&t, &t.result.actions[0].target, &a, &name, &made), RES_OK);
        if (!str_eq(name, str_c(cases[i].name)) || made != cases[i].made)
            fail_msg("%s: %.*s", cases[i].script, STR_ARG(name));
        filter_trial_release(&t);
    }
}

/* A stored script that does not compile is told of; the indices count it. */
static void body_chain(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct filter_trial trial = { .message = &mail, .to = &me };
    struct filter_trial_result t;

    add_account();
    assert_int_equal(filter_try(db, &trial, &a, &t), RES_OK); /* no scripts: kept */
    assert_true(t.n_scripts == 0 && t.result.nactions == 1 && t.result.actions[0].implicit);
    filter_trial_release(&t);

    add_script("1", "broken", "keep;\n\nnonsense;");
    add_script("0", "mine", "require \"fileinto\"; fileinto \"Lists\";");
    assert_int_equal(filter_try(db, &trial, &a, &t), RES_OK);
    assert_true(t.n_scripts == 2 && t.scripts[0].broken && t.scripts[0].error.line == 3 && !t.scripts[1].broken);
    assert_true(str_eq(t.scripts[1].name, STR("mine")) && t.scripts[1].place == SCRIPT_PERSONAL);
    assert_true(t.result.nactions == 1 && t.result.actions[0].script == 1);
    for (size_t i = 0; i < t.n_steps; i++)
        assert_int_equal(t.steps[i].script, 1);
    filter_trial_release(&t);

    trial.name = STR("none");
    assert_int_equal(filter_try(db, &trial, &a, &t), RES_NOTFOUND);
    filter_trial_release(&t);
    trial.name = STR("mine");
    assert_int_equal(filter_try(db, &trial, &a, &t), RES_OK);
    assert_true(t.n_scripts == 1 && t.result.actions[0].script == 0);
    filter_trial_release(&t);
}

static void body_include(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct filter_trial_result t;
    const struct sieve_trace *s;

    add_account();
    add_script("0", "part", "discard;");
    add_script("3", "whole", "keep;");
    assert_int_equal(try_text("require \"include\";\ninclude :personal \"part\";", &a, &t), RES_OK);
    s = step(&t, SIEVE_TRACE_ACTION, "discard");
    assert_true(s != NULL && s->depth == 1 && s->line == 1);
    filter_trial_release(&t);
    assert_int_equal(try_text("require \"include\"; include :global \"whole\";", &a, &t), RES_OK);
    assert_false(t.result.failed);
    filter_trial_release(&t);
    assert_int_equal(try_text("require \"include\"; include :personal \"whole\";", &a, &t), RES_OK);
    assert_true(t.result.failed && t.result.actions[0].kind == SIEVE_KEEP && t.result.actions[0].implicit);
    filter_trial_release(&t);
}

static void body_nothing_is_done(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct filter_trial_result t;

    add_account();
    for (int i = 0; i < 2; i++) { /* the second is no duplicate of the first, and is answered, too */
        assert_int_equal(try_text("require [\"duplicate\", \"vacation\", \"fileinto\", \"mailbox\"];"
                                  "if duplicate { discard; stop; }"
                                  "vacation \"away\"; fileinto :create \"New\"; redirect :copy \"far@far.test\";", &a, &t), RES_INVALID);
        filter_trial_release(&t);
        assert_int_equal(try_text("require [\"duplicate\", \"vacation\", \"fileinto\", \"mailbox\", \"copy\"];"
                                  "if duplicate { discard; stop; }"
                                  "vacation \"away\"; fileinto :create \"New\"; redirect :copy \"far@far.test\";", &a, &t), RES_OK);
        assert_true(t.result.nactions == 3 && t.result.nmarks == 1);
        filter_trial_release(&t);
    }
    assert_int_equal(count("sieve_mark"), 0);
    assert_int_equal(count("mailbox"), 2);
    assert_int_equal(count("message") + count("queue_message"), 0);
}

/* What a script can make endless has an end here. */
static void body_limits(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf script = { 0 };
    struct filter_trial_result t;
    char detail[FILTER_TRIAL_DETAIL + 100];

    add_account();
    for (int i = 0; i < FILTER_TRIAL_STEPS; i++)
        (void)strbuf_adds(&script, "if true { keep; }\n");
    assert_int_equal(try_text(script.p, &a, &t), RES_OK);
    assert_true(t.cut && t.n_steps == FILTER_TRIAL_STEPS);
    filter_trial_release(&t);

    memset(detail, 'x', sizeof(detail) - 1);
    detail[sizeof(detail) - 1] = '\0';
    strbuf_reset(&script);
    (void)strbuf_addf(&script, "require \"reject\"; reject \"%s\";", detail);
    assert_int_equal(try_text(script.p, &a, &t), RES_OK);
    assert_int_equal(step(&t, SIEVE_TRACE_ACTION, "reject")->detail.len, FILTER_TRIAL_DETAIL);
    filter_trial_release(&t);
}

int main(void)
{
    struct body bodies[] = { { "text", body_text },       { "places", body_places },   { "chain", body_chain },
                             { "include", body_include }, { "nothing is done", body_nothing_is_done },
                             { "limits", body_limits } };

    return run_bodies("filter_trial", "correio_api", bodies, ARRAY_LEN(bodies));
}
