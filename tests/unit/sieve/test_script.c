/* Runs that a line cannot say: several scripts, includes, limits, marks, changed messages, traces, random scripts. */
#include "tests/unit/sieve/sieve_case.h"

#include <stdlib.h>

/* Several scripts of one run. */
struct row {
    const char *name, *scripts[3], *want;
};

static struct row rows[] = {
    { "none keep", { "", "", "" }, "KEEP" },
    { "first discards", { "discard;", "keep;" }, "discard" },
    { "second decides", { "", "discard;" }, "discard" },
    { "explicit keep is replaced", { "keep;", "discard;" }, "discard" },
    { "explicit keep at the end", { "keep;", "keep;" }, "keep" },
    { "copy stays",
      { "require [\"fileinto\", \"copy\"]; fileinto :copy \"archive\";", "discard;" },
      "fileinto \"archive\" copy; discard" },
    { "user files, nothing after", { "", "require \"fileinto\"; fileinto \"a\";", "discard;" }, "fileinto \"a\"" },
    { "stop ends one script", { "stop;", "discard;" }, "discard" },
    { "flags go on",
      { "require \"imap4flags\"; addflag \"A\";", "require \"imap4flags\"; addflag \"B\";" },
      "KEEP flags=A,B" },
    { "error keeps and ends",
      { "require [\"fileinto\", \"copy\"]; fileinto :copy \"x\";", "redirect \"x\";", "discard;" },
      "fileinto \"x\" copy; KEEP !1: \"x\" is no address to redirect to" },
    { "reject and an earlier copy",
      { "require [\"fileinto\", \"copy\"]; fileinto :copy \"x\";", "require \"reject\"; reject \"no\";", "keep;" },
      "fileinto \"x\" copy; reject \"no\"" },
    { "header changes go on",
      { "require \"editheader\"; addheader \"X-New\" \"1\";", "if exists \"x-new\" { discard; }" },
      "discard" },
    { "failed script's changes go",
      { "", "require \"editheader\"; addheader \"X-New\" \"1\"; redirect \"x\";" },
      "KEEP !1: \"x\" is no address to redirect to" },
    { "variables do not go on",
      { "require \"variables\"; set \"a\" \"x\";", "require [\"variables\", \"fileinto\"]; fileinto \"<${a}>\";" },
      "fileinto \"<>\"" },
};

static void run_row(void **state)
{
    const struct row *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    const struct sieve_script *scripts[3];
    struct sieve_env env = case_env();
    struct sieve_result result;
    size_t n = 0;

    for (; n < ARRAY_LEN(scripts) && c->scripts[n] != NULL; n++) {
        struct sieve_script *script;
        struct sieve_error error;

        assert_int_equal(sieve_compile(str_c(c->scripts[n]), NULL, &a, &script, &error), RES_OK);
        scripts[n] = script;
    }
    assert_int_equal(sieve_run(scripts, n, &env, NULL, &a, &result), RES_OK);
    case_add_result(&out, &result);
    case_assert(arena_str(&a, strbuf_str(&out)), c->want);
    for (size_t i = 0; i < result.nactions; i++) {
        if (result.failed)
            assert_null(result.actions[i].content);
    }
}

static void test_no_script(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;

    assert_int_equal(sieve_run(NULL, 0, &env, NULL, &a, &result), RES_OK);
    case_add_result(&out, &result);
    case_assert(arena_str(&a, strbuf_str(&out)), "KEEP");
}

/* Includes (RFC 6609). */
static const struct case_script library[] = {
    { "discards", "discard;" },
    { "stops", "stop;" },
    { "returns", "require \"include\"; if true { return; } discard;" },
    { "global/spam", "require \"reject\"; reject \"site\";" },
    { "spam", "require \"reject\"; reject \"own\";" },
    { "self", "require \"include\"; include \"self\";" },
    { "once-self", "require \"include\"; include :once \"once-self\"; keep;" },
    { "a", "require \"include\"; include \"b\";" },
    { "b", "require \"include\"; include \"a\";" },
    { "bad", "frob;" },
    { "no-require", "fileinto \"x\";" },
    { "sets", "require [\"include\", \"variables\"]; global [\"t\", \"box\"]; if string \"${t}\" \"yes\" { set \"box\" "
              "\"b-${t}\"; }" },
    { "local", "require \"variables\"; set \"t\" \"other\";" },
    { "fails", "require \"fileinto\"; fileinto \"ok\";\n\nredirect \"x\";" },
    { "matches", "require \"variables\"; if string :matches \"zzz\" \"*\" { }" },
    { "deep1", "require \"include\"; include \"deep2\";" },
    { "deep2", "require \"include\"; include \"deep3\";" },
    { "deep3", "discard;" },
    { "edits", "require \"editheader\"; deleteheader \"subject\";" },
};

static struct outcome_case includes[] = {
    { "include", "require \"include\"; include \"discards\";", "discard" },
    { "include personal", "require \"include\"; include :personal \"spam\";", "reject \"own\"" },
    { "include global", "require \"include\"; include :global \"spam\";", "reject \"site\"" },
    { "include stops all", "require \"include\"; include \"stops\"; discard;", "KEEP" },
    { "include returns", "require \"include\"; include \"returns\"; keep;", "keep" },
    { "return in the main script", "require \"include\"; return; discard;", "KEEP" },
    { "include missing", "require \"include\"; include \"none\";", "KEEP !1: there is no script \"none\" to include" },
    { "include optional", "require \"include\"; include :optional \"none\"; discard;", "discard" },
    { "include itself", "require \"include\"; include \"self\";", "KEEP !1: the script \"self\" includes itself" },
    { "include in a ring", "require \"include\"; include \"a\";", "KEEP !1: the script \"a\" includes itself" },
    { "include once itself", "require \"include\"; include \"once-self\";", "keep" },
    { "include once", "require \"include\"; include \"spam\"; include :once \"spam\";", "reject \"own\"" },
    { "include twice", "require \"include\"; include \"spam\"; include \"spam\";",
      "KEEP !1: \"reject\" cannot be used with another action on the message" },
    { "include broken", "require \"include\"; include \"bad\";",
      "KEEP !1: the script \"bad\" to include has an error" },
    { "require is not inherited", "require [\"include\", \"fileinto\"]; include \"no-require\";",
      "KEEP !1: the script \"no-require\" to include has an error" },
    { "include fails", "require \"include\"; discard; include \"fails\";",
      "KEEP !3: \"x\" is no address to redirect to" },
    { "global variables",
      "require [\"include\", \"variables\", \"fileinto\"]; global \"t\"; global \"box\"; set \"t\" \"yes\"; include "
      "\"sets\"; fileinto \"${box}\";",
      "fileinto \"b-yes\"" },
    { "global namespace",
      "require [\"include\", \"variables\", \"fileinto\"]; set \"global.t\" \"yes\"; include \"sets\"; fileinto "
      "\"${global.box}\";",
      "fileinto \"b-yes\"" },
    { "namespace and name are one",
      "require [\"include\", \"variables\", \"fileinto\"]; global \"v\"; set \"global.v\" \"1\"; fileinto \"${v}\";",
      "fileinto \"1\"" },
    { "local variables stay apart",
      "require [\"include\", \"variables\", \"fileinto\"]; set \"t\" \"mine\"; include \"local\"; fileinto \"${t}\";",
      "fileinto \"mine\"" },
    { "local is not global",
      "require [\"include\", \"variables\", \"fileinto\"]; set \"box\" \"mine\"; set \"global.t\" \"yes\"; include "
      "\"sets\"; fileinto \"${box}\";",
      "fileinto \"mine\"" },
    { "match variables stay apart",
      "require [\"include\", \"variables\", \"fileinto\"]; if string :matches \"abc\" \"*\" { } include \"matches\"; "
      "fileinto \"${1}\";",
      "fileinto \"abc\"" },
    { "include deep", "require \"include\"; include \"deep1\";", "discard" },
    { "included edits are seen", "require \"include\"; include \"edits\"; if not exists \"subject\" { discard; }",
      "discard" },
};

static void run_include_case(void **state)
{
    case_included = library;
    case_nincluded = ARRAY_LEN(library);
    run_outcome(state);
    case_nincluded = 0;
}

static void test_include_depth(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_limits limits = sieve_default_limits;
    struct sieve_env env = case_env();
    struct sieve_result result;

    case_included = library;
    case_nincluded = ARRAY_LEN(library);
    limits.includes = 2;
    case_assert(case_run(&a, "require \"include\"; include \"deep1\";", &env, &limits, &result),
                "KEEP !1: too many scripts are included");
    assert_true(str_eq(result.error_include, STR("deep2")));
    case_nincluded = 0;
}

/* Limits of a run: always keep. */
static void test_limits(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf many = { 0 };
    struct sieve_limits limits = sieve_default_limits;
    struct sieve_env env = case_env();
    struct sieve_result result;

    strbuf_adds(&many, "require \"fileinto\";");
    for (int i = 0; i < 33; i++)
        strbuf_addf(&many, " fileinto \"m%d\";", i);
    case_assert(case_run(&a, many.p, &env, NULL, &result), "KEEP !1: more than 32 actions");
    limits.steps = 500;
    case_assert(case_run(&a, "discard; if body :raw :contains \"x\" { keep; }", &env, &limits, &result),
                "1:13 \"body\" needs \"require\" of \"body\"");
    case_assert(
        case_run(&a, "require \"body\"; discard; if body :raw :contains \"x\" { keep; }", &env, &limits, &result),
        "KEEP !1: the script needs more than the allowed steps");
    assert_int_equal(result.steps, 500);
    case_assert(
        case_run(&a,
                 "require \"variables\"; discard; if string :matches \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" "
                 "\"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b\" { keep; }",
                 &env, &limits, &result),
        "KEEP !1: the script needs more than the allowed steps");
    limits = sieve_default_limits;
    limits.variable_bytes = 5;
    case_assert(case_run(&a, "require [\"variables\", \"fileinto\"]; set \"a\" \"abcd\xc3\xa9\"; fileinto \"${a}\";",
                         &env, &limits, &result),
                "fileinto \"abcd\"");
    limits.variable_bytes = 8;
    case_assert(case_run(&a,
                         "require [\"variables\", \"fileinto\"]; set \"a\" \"ab\"; set \"a\" \"${a}${a}${a}${a}${a}\"; "
                         "fileinto \"${a}\";",
                         &env, &limits, &result),
                "fileinto \"abababab\"");
}

/* What a large script could make a run build or ask. */
static void test_expansion(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf text = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;

    strbuf_adds(
        &text,
        "require [\"variables\", \"reject\"]; set \"a\" \"0123456789012345678901234567890123456789\";\n"
        "set \"a\" \"${a}${a}${a}${a}${a}${a}${a}${a}\"; set \"a\" \"${a}${a}${a}${a}${a}${a}${a}${a}\";\nreject \"");
    for (int i = 0; i < 1000; i++)
        strbuf_adds(&text, "${a}");
    strbuf_adds(&text, "\";");
    case_assert(case_run(&a, text.p, &env, NULL, &result),
                "KEEP !3: a string with its variables is longer than 1048576 bytes");
    strbuf_reset(&text);
    strbuf_adds(&text, "require \"mailbox\"; discard;");
    for (int i = 0; i < 201; i++)
        strbuf_adds(&text, " if mailboxexists \"INBOX\" { }");
    case_assert(case_run(&a, text.p, &env, NULL, &result),
                "KEEP !1: the scripts ask more than 200 times for mailboxes, lists and the like");
    strbuf_reset(&text);
    for (int i = 0; i < 30001; i++)
        strbuf_adds(&text, "keep;\n");
    case_assert(case_run(&a, text.p, &env, NULL, &result), "limit 30001:1 more than 30000 commands and tests");
    strbuf_reset(&text);
    strbuf_adds(&text, "require \"regex\"; if header :regex \"a\" [\"x\"");
    for (int i = 0; i < 50; i++)
        strbuf_adds(&text, ", \"(a{200}){6}\"");
    strbuf_adds(&text, "] { }");
    case_assert(case_run(&a, text.p, &env, NULL, &result),
                "limit 1:39 the regular expressions of the script are too large");
}

static void test_marks(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;

    case_assert(case_run(&a,
                         "require \"duplicate\"; if duplicate { } if duplicate :header \"message-id\" :seconds 60 { }",
                         &env, NULL, &result),
                "KEEP");
    assert_int_equal(result.nmarks, 1);
    case_assert(result.marks[0].key, "0:<m1@desert.example.org>");
    assert_int_equal(result.marks[0].seconds, 60);
    assert_false(result.marks[0].refresh);
    case_assert(case_run(&a, "require \"duplicate\"; if duplicate :handle \"h\" :uniqueid \"u\" :last { }", &env, NULL,
                         &result),
                "KEEP");
    case_assert(result.marks[0].key, "1:hu");
    assert_true(result.marks[0].refresh);
    assert_int_equal(result.marks[0].seconds, 604800);
    case_assert(case_run(&a, "require \"duplicate\"; if duplicate :uniqueid \"xid\" { }", &env, NULL, &result), "KEEP");
    assert_int_equal(result.nmarks, 0); /* seen: its time runs from the first one */
    case_assert(case_run(&a, "require \"duplicate\"; if duplicate :uniqueid \"xid\" :last { }", &env, NULL, &result),
                "KEEP");
    assert_int_equal(result.nmarks, 1); /* with :last it runs from now on */
    assert_true(result.marks[0].refresh);
}

static void test_marks_of_a_failed_script(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;

    case_assert(case_run(&a, "require \"duplicate\"; if duplicate { }\nredirect \"x\";", &env, NULL, &result),
                "KEEP !2: \"x\" is no address to redirect to");
    assert_int_equal(result.nmarks, 0); /* RFC 7352, 3 */
}

/* The answers' memory: the same text and sender, the same key (RFC 5230, 4.2). */
static struct str vacation_key(struct arena *a, const char *script, struct sieve_env *env)
{
    struct sieve_result result;

    case_run(a, script, env, NULL, &result);
    assert_int_equal(result.actions[0].kind, SIEVE_VACATION);
    return result.actions[0].vacation.mark_key;
}

static void test_vacation_key(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct str one = vacation_key(&a, "require \"vacation\"; vacation \"a\";", &env);
    struct str handle = vacation_key(&a, "require \"vacation\"; vacation :handle \"h\" \"a\";", &env);

    assert_true(str_eq(one, vacation_key(&a, "require \"vacation\"; vacation :days 2 \"a\";", &env)));
    assert_false(str_eq(one, vacation_key(&a, "require \"vacation\"; vacation \"b\";", &env)));
    assert_false(str_eq(one, vacation_key(&a, "require \"vacation\"; vacation :mime \"a\";", &env)));
    assert_false(str_eq(one, vacation_key(&a, "require \"vacation\"; vacation :subject \"s\" \"a\";", &env)));
    assert_true(str_eq(handle, vacation_key(&a, "require \"vacation\"; vacation :handle \"h\" \"b\";", &env)));
    env.from = STR("COYOTE@Desert.example.org");
    assert_true(str_eq(one, vacation_key(&a, "require \"vacation\"; vacation \"a\";", &env)));
    env.from = STR("bugs@example.org");
    assert_false(str_eq(one, vacation_key(&a, "require \"vacation\"; vacation \"a\";", &env)));
}

/* Who gets no answer (RFC 5230, 4.5 and 4.6). */
static struct vacation_case {
    const char *name, *from, *header, *script;
    bool answer;
} vacation_cases[] = {
    { "plain", "a@example.org", "To: roadrunner@acme.example.com\r\n", "vacation \"x\";", true },
    { "own address", "a@example.org", "Cc: x@y.example, beep@ACME.example.com\r\n", "vacation \"x\";", true },
    { "sub-address", "a@example.org", "Bcc: roadrunner+birds@acme.example.com\r\n", "vacation \"x\";", true },
    { "resent-to", "a@example.org", "Resent-To: beep@acme.example.com\r\n", "vacation \"x\";", true },
    { ":addresses", "a@example.org", "To: other@acme.example.com\r\n",
      "vacation :addresses [\"q@r.example\", \"other@acme.example.com\"] \"x\";", true },
    { "not addressed", "a@example.org", "To: other@acme.example.com\r\n", "vacation \"x\";", false },
    { "no recipients", "a@example.org", "Subject: x\r\n", "vacation \"x\";", false },
    { "null sender", "", "To: beep@acme.example.com\r\n", "vacation \"x\";", false },
    { "oneself", "beep@acme.example.com", "To: beep@acme.example.com\r\n", "vacation \"x\";", false },
    { "oneself by :addresses", "q@r.example", "To: beep@acme.example.com\r\n",
      "vacation :addresses \"q@r.example\" \"x\";", false },
    { "owner-", "owner-list@example.org", "To: beep@acme.example.com\r\n", "vacation \"x\";", false },
    { "-request", "list-REQUEST@example.org", "To: beep@acme.example.com\r\n", "vacation \"x\";", false },
    { "mailer-daemon", "MAILER-DAEMON@example.org", "To: beep@acme.example.com\r\n", "vacation \"x\";", false },
    { "listserv", "listserv@example.org", "To: beep@acme.example.com\r\n", "vacation \"x\";", false },
    { "majordomo", "majordomo@example.org", "To: beep@acme.example.com\r\n", "vacation \"x\";", false },
    { "List-Id", "a@example.org", "To: beep@acme.example.com\r\nList-Id: <l>\r\n", "vacation \"x\";", false },
    { "List-Unsubscribe", "a@example.org", "To: beep@acme.example.com\r\nlist-unsubscribe: <l>\r\n", "vacation \"x\";",
      false },
    { "Precedence bulk", "a@example.org", "To: beep@acme.example.com\r\nPrecedence: Bulk\r\n", "vacation \"x\";",
      false },
    { "Precedence first-class", "a@example.org", "To: beep@acme.example.com\r\nPrecedence: first-class\r\n",
      "vacation \"x\";", true },
    { "Auto-Submitted", "a@example.org", "To: beep@acme.example.com\r\nAuto-Submitted: auto-replied; x=y\r\n",
      "vacation \"x\";", false },
    { "Auto-Submitted no", "a@example.org", "To: beep@acme.example.com\r\nAuto-Submitted: No (x)\r\n",
      "vacation \"x\";", true },
    { "X-Auto-Response-Suppress", "a@example.org", "To: beep@acme.example.com\r\nX-Auto-Response-Suppress: DR, OOF\r\n",
      "vacation \"x\";", false },
    { "deleted field still counts", "a@example.org", "To: beep@acme.example.com\r\nList-Id: <l>\r\n",
      "deleteheader \"List-Id\"; vacation \"x\";", false },
};

static void run_vacation_case(void **state)
{
    const struct vacation_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;
    struct str script = arena_printf(&a, "require [\"vacation\", \"editheader\"]; %s", c->script), got;

    env.from = str_c(c->from);
    env.message = arena_printf(&a, "%s\r\nbody\r\n", c->header);
    got = case_run(&a, script.p, &env, NULL, &result);
    assert_int_equal(str_find(got, STR("vacation")) == 0, c->answer);
    assert_true(str_ends(got, STR("KEEP")));
}

/* Changed messages: what the script does to "A: 1", "B: 2", "A: 3" and a body. */
static struct edit_case {
    const char *name, *script, *header, *body;
} edit_cases[] = {
    { "addheader", "addheader \"X-New\" \"v\";", "X-New: v\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n", "body\r\n" },
    { "addheader last", "addheader :last \"X-New\" \"v\";", "A: 1\r\nB: 2\r\nA: 3\r\nX-New: v\r\n\r\n", "body\r\n" },
    { "addheader utf-8", "addheader \"X\" \"\xc3\xa9\";", "X: =?utf-8?q?=C3=A9?=\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n",
      "body\r\n" },
    { "addheader line break", "addheader \"X\" \"a\r\nEvil: b\";", "X: a  Evil: b\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n",
      "body\r\n" },
    { "deleteheader", "deleteheader \"a\";", "B: 2\r\n\r\n", "body\r\n" },
    { "deleteheader index", "deleteheader :index 2 \"a\";", "A: 1\r\nB: 2\r\n\r\n", "body\r\n" },
    { "deleteheader last", "deleteheader :index 1 :last \"a\";", "A: 1\r\nB: 2\r\n\r\n", "body\r\n" },
    { "deleteheader value", "deleteheader \"a\" \"1\";", "B: 2\r\nA: 3\r\n\r\n", "body\r\n" },
    { "deleteheader contains", "deleteheader :contains \"a\" [\"x\", \"3\"];", "A: 1\r\nB: 2\r\n\r\n", "body\r\n" },
    { "deleteheader index and value", "deleteheader :index 1 \"a\" \"3\";", NULL, NULL },
    { "deleteheader none", "deleteheader \"c\";", NULL, NULL },
    { "deleteheader protected", "deleteheader \"Received\";", NULL, NULL },
    { "delete and add", "deleteheader \"a\"; addheader \"A\" \"9\";", "A: 9\r\nB: 2\r\n\r\n", "body\r\n" },
    { "test sees the change", "addheader \"C\" \"4\"; if header \"c\" \"4\" { addheader \"D\" \"5\"; }",
      "D: 5\r\nC: 4\r\nA: 1\r\nB: 2\r\nA: 3\r\n\r\n", "body\r\n" },
    { "replace", "replace \"new\";",
      "A: 1\r\nB: 2\r\nA: 3\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
      "new" },
    { "replace mime", "replace :mime text:\nContent-Type: text/html\n\n<b>\n.\n;",
      "A: 1\r\nB: 2\r\nA: 3\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n", "<b>\r\n" },
    { "replace subject and from", "replace :subject \"S\" :from \"X <x@example.org>\" \"new\";",
      "A: 1\r\nB: 2\r\nA: 3\r\nSubject: S\r\nFrom: x@example.org\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
      "new" },
};

static void run_edit_case(void **state)
{
    const struct edit_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;
    struct str script = arena_printf(&a, "%s%s", CASE_REQUIRE, c->script);

    env.message = STR("A: 1\r\nB: 2\r\nA: 3\r\n\r\nbody\r\n");
    case_assert(case_run(&a, script.p, &env, NULL, &result), "KEEP");
    if (c->header == NULL) {
        assert_null(result.actions[0].content);
        return;
    }
    assert_non_null(result.actions[0].content);
    case_assert(result.actions[0].content->header, c->header);
    case_assert(result.actions[0].content->body, c->body);
}

/* Each action takes the message as it is at that time. */
static void test_content_by_action(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;

    env.message = STR("A: 1\r\n\r\nbody\r\n");
    case_assert(case_run(&a,
                         CASE_REQUIRE "fileinto \"a\"; addheader \"B\" \"2\"; fileinto \"b\"; fileinto \"c\"; "
                                      "deleteheader \"a\"; keep;",
                         &env, NULL, &result),
                "fileinto \"a\"; fileinto \"b\"; fileinto \"c\"; keep");
    assert_null(result.actions[0].content);
    case_assert(result.actions[1].content->header, "B: 2\r\nA: 1\r\n\r\n");
    assert_ptr_equal(result.actions[1].content, result.actions[2].content);
    case_assert(result.actions[3].content->header, "B: 2\r\n\r\n");
}

/* MIME parts (RFC 5703). */
static struct outcome_case mime_cases[] = {
    { "parts",
      CASE_REQUIRE "foreverypart { if header :mime :matches :contenttype \"content-type\" \"*\" { set \"t\" \"${t} "
                   "${1}\"; } } fileinto \"${t}\";",
      "fileinto \" multipart/mixed text/plain text/html message/rfc822 application/x-bin\"" },
    { "nested loops",
      CASE_REQUIRE "foreverypart { foreverypart { set \"n\" \"${n}x\"; } set \"n\" \"${n}.\"; } fileinto \"${n}\";",
      "fileinto \"xxxxx...x...\"" },
    { "break",
      CASE_REQUIRE "foreverypart { set \"n\" \"${n}x\"; if header :mime :type \"content-type\" \"text\" { break; } } "
                   "fileinto \"${n}\";",
      "fileinto \"xx\"" },
    { "break by name",
      CASE_REQUIRE
      "foreverypart :name \"o\" { foreverypart { set \"n\" \"${n}x\"; break :name \"o\"; } } fileinto \"${n}\";",
      "fileinto \"x\"" },
    { "break inner",
      CASE_REQUIRE
      "foreverypart { foreverypart { set \"n\" \"${n}x\"; break; } set \"n\" \"${n}.\"; } fileinto \"${n}\";",
      "fileinto \"x...x...\"" },
    { "stop in loop", CASE_REQUIRE "foreverypart { stop; } discard;", "KEEP" },
    { "attachment",
      CASE_REQUIRE "foreverypart { if header :mime :param \"filename\" :matches \"content-disposition\" \"*.html\" { "
                   "fileinto \"${1}\"; } }",
      "fileinto \"offer\"" },
    { "message header in loop",
      CASE_REQUIRE
      "foreverypart { if header :contains \"subject\" \"acme\" { set \"n\" \"${n}x\"; } } fileinto \"${n}\";",
      "fileinto \"xxxxxx\"" },
    { "extracttext",
      CASE_REQUIRE "foreverypart { if header :mime :subtype \"content-type\" \"plain\" { extracttext :first 11 \"t\"; "
                   "} } fileinto \"${t}\";",
      "fileinto \"Hello WORLD\"" },
    { "extracttext modifier",
      CASE_REQUIRE "foreverypart { if header :mime :subtype \"content-type\" \"plain\" { extracttext :lower :first 5 "
                   "\"t\"; break; } } fileinto \"${t}\";",
      "fileinto \"hello\"" },
    { "extracttext of no text",
      CASE_REQUIRE "set \"t\" \"x\"; foreverypart { if header :mime :type \"content-type\" \"application\" { "
                   "extracttext \"t\"; } } fileinto \"<${t}>\";",
      "fileinto \"<>\"" },
};

static void test_replace_part(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;
    struct str body;

    case_assert(
        case_run(&a,
                 CASE_REQUIRE
                 "foreverypart { if header :mime :param \"name\" :contains \"content-type\" \".exe\" "
                 "{ replace \"removed\"; } if header :mime :type \"content-type\" \"text\" { replace \"t\"; } }",
                 &env, NULL, &result),
        "KEEP");
    body = result.actions[0].content->body;
    assert_true(str_find(body, STR("quoted-printable\r\n\r\nremoved\r\n--b1--\r\n")) != SIZE_MAX);
    assert_true(str_find(body, STR("QklOQVJZ")) == SIZE_MAX);
    assert_true(str_find(body, STR("missile")) == SIZE_MAX);
    assert_true(str_find(body, STR("inner body")) != SIZE_MAX); /* it has no such field */
    assert_true(str_starts(body, STR("the prologue\r\n--b1\r\n")));
}

static void test_enclose(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;
    const struct sieve_content *c;

    case_assert(
        case_run(&a, CASE_REQUIRE "enclose :subject \"Beware\" :headers [\"To\"] \"look out\";", &env, NULL, &result),
        "KEEP");
    c = result.actions[0].content;
    assert_true(str_find(c->header, STR("Subject: Beware\r\n")) != SIZE_MAX);
    assert_true(str_find(c->header, STR("To: Road Runner")) != SIZE_MAX);
    assert_true(str_find(c->header, STR("Message-ID:")) == SIZE_MAX);
    assert_true(str_find(c->header, STR("Content-Type: multipart/mixed; boundary=\"=_enclosed_")) != SIZE_MAX);
    assert_true(str_find(c->body, STR("\r\n\r\nlook out\r\n--=_enclosed_")) != SIZE_MAX);
    assert_true(str_find(c->body, str_c(case_message)) != SIZE_MAX);
    case_assert(case_run(&a, CASE_REQUIRE "enclose \"a\"; enclose \"b\";", &env, NULL, &result),
                "KEEP !1: \"enclose\" can be used only once");
}

/* imapsieve (RFC 6785). */
static struct outcome_case imap_cases[] = {
    { "reject by ihave", "require \"ihave\"; if ihave \"reject\" { reject \"x\"; }",
      "KEEP flags=\\Seen,work !1: \"reject\" cannot be used for changes of a mailbox" },
    { "vacation by ihave", "require \"ihave\"; if ihave \"vacation\" { vacation \"x\"; }",
      "KEEP flags=\\Seen,work !1: \"vacation\" cannot be used for changes of a mailbox" },
    { "flags are there", "require \"imap4flags\"; if hasflag \"\\\\Seen\" { addflag \"x\"; }",
      "KEEP flags=\\Seen,work,x" },
    { "reject", "require \"reject\"; reject \"x\";",
      "KEEP flags=\\Seen,work !1: \"reject\" cannot be required for changes of a mailbox" },
    { "vacation", "require \"vacation\"; vacation \"x\";",
      "KEEP flags=\\Seen,work !1: \"vacation\" cannot be required for changes of a mailbox" },
    { "duplicate", "require \"duplicate\"; if duplicate { }",
      "KEEP flags=\\Seen,work !1: \"duplicate\" cannot be used for changes of a mailbox" },
    { "envelope", "require \"envelope\"; if envelope \"from\" \"x\" { discard; }",
      "KEEP flags=\\Seen,work !1: \"envelope\" cannot be tested for changes of a mailbox" },
    { "failed flags go", "require \"imap4flags\"; setflag \"x\"; redirect \"x\";",
      "KEEP flags=\\Seen,work !1: \"x\" is no address to redirect to" },
};

static void run_imap_case(void **state)
{
    static const struct str flags[] = { { "\\Seen", 5 }, { "work", 4 } };
    const struct outcome_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;

    env.imap = true;
    env.flags = flags;
    env.nflags = ARRAY_LEN(flags);
    case_assert(case_run(&a, c->script, &env, NULL, &result), c->want);
}

static void test_imap_keep_is_unchanged(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;

    env.imap = true;
    case_assert(case_run(&a,
                         "require [\"editheader\", \"fileinto\"]; "
                         "addheader \"X\" \"1\"; fileinto \"a\"; keep;",
                         &env, NULL, &result),
                "fileinto \"a\"; keep");
    assert_non_null(result.actions[0].content);
    assert_null(result.actions[1].content);
}

static void add_trace(void *data, const struct sieve_trace *t)
{
    static const char *const kinds[] = { "test", "command", "action", "error" };

    strbuf_addf(data, "%s %u %.*s%s%.*s\n", kinds[t->kind], t->line, STR_ARG(t->name),
                t->kind != SIEVE_TRACE_TEST ? " "
                : t->result                 ? " true"
                                            : " false",
                STR_ARG(t->detail));
}

static void test_trace(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;

    env.trace = add_trace;
    env.data = &out;
    case_run(
        &a,
        "require \"fileinto\";\nif allof(true,\n not header \"subject\" \"x\") {\n fileinto \"a\";\n}\nredirect \"b\";",
        &env, NULL, &result);
    assert_string_equal(out.p, "command 1 require \ncommand 2 if \ntest 2 true true\ntest 3 header false\n"
                               "test 3 not true\ntest 2 allof true\ncommand 4 fileinto \naction 4 fileinto a\n"
                               "command 6 redirect \nerror 6  \"b\" is no address to redirect to\n"
                               "action 0  implicit keep\n");
}

/* Scripts of random words: whatever comes, the compiler says yes or names a line, and a run ends with an action. */
static void test_random_scripts(void **state)
{
    static const char *const words[] = {
        "if",
        "elsif",
        "else",
        "{",
        "}",
        "{ ",
        "} ",
        ";",
        ";",
        ";",
        "(",
        ")",
        ",",
        "[",
        "]",
        "not",
        "allof(",
        "anyof(",
        "true",
        "false",
        "keep;",
        "discard;",
        "stop;",
        "\"subject\"",
        "\"*\"",
        "\"a\"",
        "\"${a}${1}\"",
        "\"\"",
        "5",
        "header",
        "address",
        "exists",
        "size",
        ":over",
        ":is",
        ":contains",
        ":matches",
        ":regex",
        ":comparator",
        "\"i;octet\"",
        ":count",
        ":value",
        "\"gt\"",
        "fileinto",
        "redirect",
        "\"a@b.example\"",
        "set",
        "\"a\"",
        ":upper",
        ":copy",
        "vacation",
        ":days",
        "body",
        ":raw",
        ":text",
        "date",
        "\"date\"",
        "\"year\"",
        "currentdate",
        "setflag",
        "addflag",
        "hasflag",
        "foreverypart {",
        "break;",
        "extracttext",
        "replace",
        "enclose",
        "addheader",
        "deleteheader",
        ":index",
        ":last",
        "1",
        "duplicate",
        "string",
        "if true {",
        "if header :matches \"subject\" \"*\" {",
        "set \"a\" \"${a}x${1}\";",
        "fileinto \"${a}\";",
        "foreverypart { set \"a\" \"${a}${a}y\"; }",
        "notify",
        "include",
    };
    (void)state;
    struct sieve_limits limits = sieve_default_limits;
    struct sieve_env env = case_env();
    unsigned compiled = 0;

    limits.steps = 1000000;
    srandom(1);
    for (int i = 0; i < 20000; i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        CLEANUP(strbuf_release) struct strbuf text = { 0 };
        const struct sieve_script *scripts[1];
        struct sieve_script *script;
        struct sieve_result result;
        struct sieve_error error = { 0 };

        strbuf_adds(&text, CASE_REQUIRE);
        for (long n = random() % 8; n >= 0; n--)
            strbuf_addf(&text, "%s ", words[(size_t)random() % ARRAY_LEN(words)]);
        if (sieve_compile(strbuf_str(&text), &limits, &a, &script, &error) != RES_OK) {
            assert_true(error.line == 1 && error.column > 0 && error.text.len > 0);
            continue;
        }
        compiled++;
        scripts[0] = script;
        assert_int_equal(sieve_run(scripts, 1, &env, &limits, &a, &result), RES_OK);
        assert_true(result.nactions > 0);
        if (result.failed)
            assert_true(result.actions[result.nactions - 1].implicit);
    }
    assert_true(compiled > 200);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(rows) + ARRAY_LEN(includes) + ARRAY_LEN(vacation_cases) + ARRAY_LEN(edit_cases) +
                            ARRAY_LEN(mime_cases) + ARRAY_LEN(imap_cases) + 13] = { 0 };
    size_t n = 0;

    ADD_CASES(tests, n, rows, run_row);
    ADD_CASES(tests, n, includes, run_include_case);
    ADD_CASES(tests, n, vacation_cases, run_vacation_case);
    ADD_CASES(tests, n, edit_cases, run_edit_case);
    ADD_CASES(tests, n, mime_cases, run_outcome);
    ADD_CASES(tests, n, imap_cases, run_imap_case);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_no_script);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_include_depth);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_limits);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_marks);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_expansion);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_marks_of_a_failed_script);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_vacation_key);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_content_by_action);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_replace_part);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_enclose);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_imap_keep_is_unchanged);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_trace);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_random_scripts);
    return cmocka_run_group_tests_name("sieve_script", tests, NULL, NULL);
}
