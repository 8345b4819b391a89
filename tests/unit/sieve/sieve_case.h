/* What the tests of sieve share: an environment, a message, and the outcome of a run as one line of text.
 *
 * The outcome: actions with "; " between, e.g. `fileinto "Junk" create flags=\Seen; redirect a@example.org`, the
 * implicit keep as "KEEP", and behind a failed run " !LINE: SENTENCE". */
#pragma once
#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "sieve/compile.h"
#include "sieve/run.h"

#define CASE_NOW_US ((int64_t)1795812395 * 1000000) /* Fri, 27 Nov 2026 20:46:35 +0000 */

/* Everything but ihave, which puts errors off to the run. */
#define CASE_REQUIRE                                                                                                   \
    "require [\"body\", \"comparator-i;ascii-numeric\", \"comparator-i;unicode-casemap\", \"copy\", \"date\", "        \
    "\"duplicate\", \"editheader\", \"enclose\", \"encoded-character\", \"enotify\", \"envelope\", "                   \
    "\"envelope-deliverby\", \"envelope-dsn\", \"environment\", \"ereject\", \"extlists\", \"extracttext\", "          \
    "\"fcc\", \"fileinto\", \"foreverypart\", \"imap4flags\", \"imapsieve\", \"include\", \"index\", \"mailbox\", "    \
    "\"mailboxid\", \"mboxmetadata\", \"mime\", \"redirect-deliverby\", \"redirect-dsn\", \"regex\", \"reject\", "     \
    "\"relational\", \"replace\", \"servermetadata\", \"spamtest\", \"spamtestplus\", \"special-use\", "               \
    "\"subaddress\", \"vacation\", \"vacation-seconds\", \"variables\", \"virustest\"]; "

static const char case_message[] = "Return-Path: <coyote@desert.example.org>\r\n"
                                   "Received: from a.example.org by b.example.com; Fri, 27 Nov 2026 18:00:00 -0300\r\n"
                                   "Received: from c.example.org by a.example.org; Thu, 26 Nov 2026 10:11:12 +0000\r\n"
                                   "From: \"Wile E. Coyote\" <coyote@desert.example.org>\r\n"
                                   "To: Road Runner <roadrunner+birds@acme.example.com>, bugs@acme.example.com\r\n"
                                   "Cc: Friends: elmer@acme.example.com, \"daffy duck\"@acme.example.com;\r\n"
                                   "Subject: [acme-users] [fwd] version 1.0 is out\r\n"
                                   "Message-ID: <m1@desert.example.org>\r\n"
                                   "Date: Fri, 27 Nov 2026 15:30:45 -0200\r\n"
                                   "X-Spam-Score: 4.2\r\n"
                                   "X-Number: 0042\r\n"
                                   "X-Empty:\r\n"
                                   "X-Folded: one\r\n two\r\n\tthree\r\n"
                                   "X-Encoded: =?iso-8859-1?q?Caf=E9?= =?utf-8?b?4oKs?=\r\n"
                                   "X-Upper: GR\xc3\x96SSE Stra\xc3\x9f"
                                   "e\r\n"
                                   "X-Priority: 1\r\n"
                                   "Content-Type: multipart/mixed; boundary=b1; x-note=\"a b\"\r\n"
                                   "MIME-Version: 1.0\r\n"
                                   "\r\n"
                                   "the prologue\r\n"
                                   "--b1\r\n"
                                   "Content-Type: text/plain; charset=iso-8859-1\r\n"
                                   "Content-Transfer-Encoding: quoted-printable\r\n"
                                   "\r\n"
                                   "Hello WORLD, caf=E9 and missile=\r\n"
                                   "s.\r\n"
                                   "--b1\r\n"
                                   "Content-Type: text/html\r\n"
                                   "Content-Disposition: attachment; filename=\"offer.html\"\r\n"
                                   "\r\n"
                                   "<p>Buy <b>anvils</b></p>\r\n"
                                   "--b1\r\n"
                                   "Content-Type: message/rfc822\r\n"
                                   "\r\n"
                                   "Subject: inner subject\r\n"
                                   "\r\n"
                                   "inner body\r\n"
                                   "--b1\r\n"
                                   "Content-Type: application/x-bin; name=data.exe\r\n"
                                   "Content-Transfer-Encoding: base64\r\n"
                                   "\r\n"
                                   "QklOQVJZ\r\n"
                                   "--b1--\r\n"
                                   "the epilogue\r\n";

static enum result case_mailbox_exists(void *data, struct str mailbox, bool *ret)
{
    (void)data;
    if (str_eq(mailbox, STR("broken")))
        return RES_TEMPFAIL;
    *ret = str_eq(mailbox, STR("INBOX")) || str_eq(mailbox, STR("Lists/Sieve"));
    return RES_OK;
}

static enum result case_special_use_exists(void *data, struct str mailbox, struct str use, bool *ret)
{
    (void)data;
    *ret = str_ieq(use, STR("\\Junk")) && (mailbox.p == NULL || str_eq(mailbox, STR("Spam")));
    return RES_OK;
}

static enum result case_mailbox_id_exists(void *data, struct str id, bool *ret)
{
    (void)data;
    *ret = str_eq(id, STR("F1"));
    return RES_OK;
}

static enum result case_metadata(void *data, struct str mailbox, struct str name, struct arena *a, struct str *ret)
{
    (void)data;
    if (mailbox.p == NULL && str_eq(name, STR("/shared/admin"))) {
        *ret = arena_str(a, STR("mailto:root@example.com"));
        return RES_OK;
    }
    if (str_eq(mailbox, STR("INBOX")) && str_eq(name, STR("/private/comment"))) {
        *ret = arena_str(a, STR("my box"));
        return RES_OK;
    }
    return RES_NOTFOUND;
}

static enum result case_seen(void *data, struct str key, bool *ret)
{
    (void)data;
    *ret = str_ends(key, STR(":seen")) || str_ends(key, STR("xid"));
    return RES_OK;
}

static enum result case_list_contains(void *data, struct str list, struct str value, bool *ret)
{
    (void)data;
    if (!str_eq(list, STR("tag:friends")))
        return RES_NOTFOUND;
    *ret = str_ieq(value, STR("coyote@desert.example.org"));
    return RES_OK;
}

static enum result case_list_exists(void *data, struct str list, bool *ret)
{
    (void)data;
    *ret = str_eq(list, STR("tag:friends"));
    return RES_OK;
}

static bool case_program_exists(void *data, struct str name)
{
    (void)data;
    return str_eq(name, STR("archive"));
}

/* Scripts that can be included, by name; `case_included` is set by the test. */
struct case_script {
    const char *name, *text;
};
static const struct case_script *case_included;
static size_t case_nincluded;
static struct arena case_include_arena;

static enum result case_include(void *data, bool global, struct str name, const struct sieve_script **ret)
{
    struct str full = arena_printf(&case_include_arena, "%s%.*s", global ? "global/" : "", STR_ARG(name));
    struct sieve_script *script;
    struct sieve_error error;

    (void)data;
    for (size_t i = 0; i < case_nincluded; i++) {
        if (!str_eq(full, str_c(case_included[i].name)))
            continue;
        if (sieve_compile(str_c(case_included[i].text), NULL, &case_include_arena, &script, &error) != RES_OK)
            return RES_INVALID;
        *ret = script;
        return RES_OK;
    }
    return RES_NOTFOUND;
}

static const struct sieve_ops case_ops = {
    .mailbox_exists = case_mailbox_exists,
    .special_use_exists = case_special_use_exists,
    .mailbox_id_exists = case_mailbox_id_exists,
    .metadata = case_metadata,
    .seen = case_seen,
    .include = case_include,
    .list_contains = case_list_contains,
    .list_exists = case_list_exists,
    .program_exists = case_program_exists,
};

static const struct sieve_item case_items[] = {
    { { "domain", 6 }, { "example.com", 11 } }, { { "host", 4 }, { "mail.example.com", 16 } },
    { { "location", 8 }, { "MDA", 3 } },        { { "name", 4 }, { "Correio", 7 } },
    { { "phase", 5 }, { "during", 6 } },        { { "remote-ip", 9 }, { "192.0.2.1", 9 } },
    { { "imap.cause", 10 }, { "APPEND", 6 } },
};

static const struct sieve_item case_envelope[] = {
    { { "notify", 6 }, { "FAILURE,DELAY", 13 } },
    { { "orcpt", 5 }, { "rfc822;roadrunner@example.net", 29 } },
    { { "ret", 3 }, { "HDRS", 4 } },
    { { "envid", 5 }, { "QQ314159", 8 } },
    { { "bymode", 6 }, { "N", 1 } },
};

static const struct str case_own[] = { { "roadrunner@acme.example.com", 27 }, { "beep@acme.example.com", 21 } };

static inline struct sieve_env case_env(void)
{
    return (struct sieve_env){
        .message = str_c(case_message),
        .from = STR("coyote@desert.example.org"),
        .to = STR("roadrunner+birds@acme.example.com"),
        .auth = STR("coyote"),
        .envelope = case_envelope,
        .nenvelope = ARRAY_LEN(case_envelope),
        .now_us = CASE_NOW_US,
        .zone_minutes = -180,
        .own_addresses = case_own,
        .nown_addresses = ARRAY_LEN(case_own),
        .items = case_items,
        .nitems = ARRAY_LEN(case_items),
        .spam_score = 7,
        .spam_percent = 66,
        .ops = &case_ops,
    };
}

static inline void case_add_target(struct strbuf *out, const struct sieve_target *t)
{
    if (t->mailbox.p != NULL)
        strbuf_addf(out, " \"%.*s\"", STR_ARG(t->mailbox));
    if (t->mailbox_id.p != NULL)
        strbuf_addf(out, " id=%.*s", STR_ARG(t->mailbox_id));
    if (t->special_use.p != NULL)
        strbuf_addf(out, " use=%.*s", STR_ARG(t->special_use));
    if (t->create)
        strbuf_adds(out, " create");
    for (size_t i = 0; i < t->nflags; i++)
        strbuf_addf(out, "%s%.*s", i == 0 ? " flags=" : ",", STR_ARG(t->flags[i]));
}

static inline void case_add_redirect(struct strbuf *out, const struct sieve_action *a)
{
    if (a->list.p != NULL)
        strbuf_addf(out, "redirect list %.*s", STR_ARG(a->list));
    else
        strbuf_addf(out, "redirect %.*s", STR_ARG(a->address));
    if (a->dsn.notify.p != NULL)
        strbuf_addf(out, " notify=%.*s", STR_ARG(a->dsn.notify));
    if (a->dsn.ret.p != NULL)
        strbuf_addf(out, " ret=%.*s", STR_ARG(a->dsn.ret));
    if (a->dsn.by)
        strbuf_addf(out, " by=%lld;%.*s%s", (long long)a->dsn.by_seconds, STR_ARG(a->dsn.by_mode),
                    a->dsn.by_trace ? "T" : "");
}

static inline void case_add_action(struct strbuf *out, const struct sieve_action *a)
{
    switch (a->kind) {
    case SIEVE_KEEP:
        strbuf_add(out, a->implicit ? STR("KEEP") : STR("keep"));
        case_add_target(out, &a->target);
        break;
    case SIEVE_FILEINTO:
        strbuf_adds(out, "fileinto");
        case_add_target(out, &a->target);
        break;
    case SIEVE_REDIRECT:
        case_add_redirect(out, a);
        break;
    case SIEVE_PIPE:
        strbuf_addf(out, "pipe %.*s", STR_ARG(a->address));
        break;
    case SIEVE_DISCARD:
        strbuf_adds(out, "discard");
        break;
    case SIEVE_REJECT:
        strbuf_addf(out, "reject \"%.*s\"", STR_ARG(a->text));
        break;
    case SIEVE_EREJECT:
        strbuf_addf(out, "ereject \"%.*s\"", STR_ARG(a->text));
        break;
    case SIEVE_VACATION:
        strbuf_addf(out, "vacation to=%.*s s=%llu subject=\"%.*s\" \"%.*s\"%s", STR_ARG(a->vacation.to),
                    (unsigned long long)a->vacation.seconds, STR_ARG(a->vacation.subject), STR_ARG(a->vacation.text),
                    a->vacation.mime ? " mime" : "");
        if (a->vacation.from.p != NULL)
            strbuf_addf(out, " from=%.*s", STR_ARG(a->vacation.from));
        break;
    case SIEVE_NOTIFY:
        strbuf_adds(out, "notify");
        for (size_t i = 0; i < a->notify.nto; i++)
            strbuf_addf(out, " %.*s", STR_ARG(a->notify.to[i]));
        strbuf_addf(out, " subject=\"%.*s\" \"%.*s\" %c", STR_ARG(a->notify.subject), STR_ARG(a->notify.text),
                    a->notify.importance);
        if (a->notify.headers.len > 0)
            strbuf_addf(out, " {%.*s}", STR_ARG(a->notify.headers));
        break;
    }
    if (a->copy)
        strbuf_adds(out, " copy");
    if (a->program.p != NULL)
        strbuf_addf(out, " through %.*s", STR_ARG(a->program));
    if (a->fcc != NULL) {
        strbuf_adds(out, " fcc");
        case_add_target(out, a->fcc);
    }
}

static inline void case_add_result(struct strbuf *out, const struct sieve_result *result)
{
    for (size_t i = 0; i < result->nactions; i++) {
        if (i > 0)
            strbuf_adds(out, "; ");
        case_add_action(out, &result->actions[i]);
    }
    if (result->failed)
        strbuf_addf(out, " !%u: %.*s", result->error.line, STR_ARG(result->error.text));
}

/* Compiles and runs; the outcome, or "LINE:COLUMN SENTENCE" when it does not compile, or "result NAME" of a run that a
 * callback ended. */
static inline struct str case_run(struct arena *a, const char *text, const struct sieve_env *env,
                                  const struct sieve_limits *limits, struct sieve_result *ret)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    const struct sieve_script *scripts[1];
    struct sieve_script *script;
    struct sieve_error error;
    enum result r = sieve_compile(str_c(text), limits, a, &script, &error);

    if (r != RES_OK) {
        strbuf_addf(&out, "%s%u:%u %.*s", r == RES_LIMIT ? "limit " : "", error.line, error.column,
                    STR_ARG(error.text));
        return arena_str(a, strbuf_str(&out));
    }
    scripts[0] = script;
    r = sieve_run(scripts, 1, env, limits, a, ret);
    arena_reset(&case_include_arena);
    if (r != RES_OK)
        strbuf_addf(&out, "result %s", result_name(r));
    else
        case_add_result(&out, ret);
    return arena_str(a, strbuf_str(&out));
}

static inline void case_assert(struct str got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("\n got %.*s\nwant %s", STR_ARG(got), want);
}

/* A script and its outcome in case_env(). */
struct outcome_case {
    const char *name, *script, *want;
};

static inline void run_outcome(void **state)
{
    const struct outcome_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;

    case_assert(case_run(&a, c->script, &env, NULL, &result), c->want);
}

/* A test, with everything required, and whether it is true in case_env(). */
struct test_case {
    const char *name, *test;
    bool want;
};

static inline void run_test_case(void **state)
{
    const struct test_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;
    struct str script = arena_printf(&a, "%sif %s { discard; }", CASE_REQUIRE, c->test);

    case_assert(case_run(&a, script.p, &env, NULL, &result), c->want ? "discard" : "KEEP");
}

#define ADD_CASES(tests, n, cases, function)                                                                           \
    for (size_t i_ = 0; i_ < ARRAY_LEN(cases); i_++)                                                                   \
        (tests)[(n)++] = (struct CMUnitTest)                                                                           \
        {                                                                                                              \
            .name = (cases)[i_].name, .test_func = (function), .initial_state = &(cases)[i_]                           \
        }
