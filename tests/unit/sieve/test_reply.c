/* The messages of vacation and notify. */
#include "tests/unit/sieve/sieve_case.h"

#include "mail/header.h"
#include "sieve/reply.h"

static struct reply_case {
    const char *name, *script, *message, *want;
} cases[] = {
    { "vacation", "vacation \"I am away.\";",
      "Subject: Hi\r\nTo: beep@acme.example.com\r\nMessage-ID: <1@x>\r\nReferences: <0@x>\r\n\r\n",
      "From: roadrunner+birds@acme.example.com\r\nTo: <coyote@desert.example.org>\r\nSubject: Auto: Hi\r\n"
      "Date: Fri, 27 Nov 2026 17:46:35 -0300\r\nMessage-ID: <id@acme.example.com>\r\nIn-Reply-To: <1@x>\r\n"
      "References: <0@x>\r\n <1@x>\r\nAuto-Submitted: auto-replied (vacation)\r\nX-Auto-Response-Suppress: All\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
      "\r\nI am away.\r\n" },
    { "vacation utf-8",
      "vacation :from \"J\xc3\xb6 <beep@acme.example.com>\" :subject \"F\xc3\xa9rias\" \"At\xc3\xa9 j\xc3\xa1\";",
      "To: beep@acme.example.com\r\n\r\n",
      "From: =?utf-8?q?J=C3=B6?= <beep@acme.example.com>\r\nTo: <coyote@desert.example.org>\r\n"
      "Subject: =?utf-8?q?F=C3=A9rias?=\r\nDate: Fri, 27 Nov 2026 17:46:35 -0300\r\n"
      "Message-ID: <id@acme.example.com>\r\nAuto-Submitted: auto-replied (vacation)\r\n"
      "X-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\nAt=C3=A9 j=C3=A1\r\n" },
    { "vacation mime",
      "vacation :mime :subject \"s\" text:\nContent-Type: text/html\nBcc: x@example.org\n\n<b>x</b>\n.\n;",
      "To: beep@acme.example.com\r\n\r\n",
      "From: roadrunner+birds@acme.example.com\r\nTo: <coyote@desert.example.org>\r\nSubject: s\r\n"
      "Date: Fri, 27 Nov 2026 17:46:35 -0300\r\nMessage-ID: <id@acme.example.com>\r\n"
      "Auto-Submitted: auto-replied (vacation)\r\nX-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/html\r\n\r\n<b>x</b>\r\n" },
    { "vacation subject with a line break", "vacation :subject \"a\r\nBcc: x@example.org\" \"x\";",
      "To: beep@acme.example.com\r\n\r\n",
      "From: roadrunner+birds@acme.example.com\r\nTo: <coyote@desert.example.org>\r\n"
      "Subject: a  Bcc: x@example.org\r\nDate: Fri, 27 Nov 2026 17:46:35 -0300\r\n"
      "Message-ID: <id@acme.example.com>\r\nAuto-Submitted: auto-replied (vacation)\r\n"
      "X-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
      "Content-Transfer-Encoding: quoted-printable\r\n\r\nx\r\n" },
    { "notify", "notify :importance \"1\" :message \"Mail!\" \"mailto:a@example.org,b@example.org?body=x&X-Y=z\";",
      "Subject: Hi\r\n\r\n",
      "From: roadrunner+birds@acme.example.com\r\nTo: <a@example.org>,\r\n <b@example.org>\r\nSubject: Mail!\r\n"
      "Date: Fri, 27 Nov 2026 17:46:35 -0300\r\nMessage-ID: <id@acme.example.com>\r\n"
      "Auto-Submitted: auto-notified; owner-email=\"owner@acme.example.com\"\r\nImportance: High\r\nX-Y: z\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
      "\r\nx\r\n" },
};

static void run_case(void **state)
{
    const struct reply_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 }, small = { .max = 100 };
    struct sieve_env env = case_env();
    struct sieve_result result;
    struct sieve_reply reply = { .env = &env,
                                 .message_id = STR("id@acme.example.com"),
                                 .owner = STR("owner@acme.example.com") };
    struct str script = arena_printf(&a, "require [\"vacation\", \"enotify\"]; %s", c->script);

    env.message = str_c(c->message);
    case_run(&a, script.p, &env, NULL, &result);
    assert_int_equal(result.nactions, 2);
    reply.action = &result.actions[0];
    assert_int_equal(sieve_reply_write(&reply, &out), RES_OK);
    case_assert(strbuf_str(&out), c->want);
    assert_int_equal(sieve_reply_write(&reply, &small), RES_LIMIT);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases)] = { 0 };
    size_t n = 0;

    ADD_CASES(tests, n, cases, run_case);
    return cmocka_run_group_tests_name("sieve_reply", tests, NULL, NULL);
}
