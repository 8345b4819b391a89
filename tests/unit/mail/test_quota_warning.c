#include "tests/support/cmocka.h"

#include "base/arena.h"
#include "base/macros.h"
#include "mail/header.h"
#include "mail/quota_warning.h"
#include "mail/transfer.h"

static const struct warning_case {
    const char *name;
    struct quota_warning w;
    const char *subject, *says;
} cases[] = {
    { "bytes", { .used = 4130000000, .limit = 5000000000 }, "Your mailbox is nearly full", "is 82 % full: 4.1 GB of 5 GB." },
    { "full", { .used = 5000000000, .limit = 5000000000 }, "Your mailbox is full", "is full: 5 GB of 5 GB." },
    { "nothing allowed", { .used = 0, .limit = 0 }, "Your mailbox is full", "is full: 0 B of 0 B." },
    { "almost", { .used = 4999999999, .limit = 5000000000 }, "Your mailbox is nearly full", "is 99 % full" },
    { "largest", { .used = INT64_C(1125899906842624), .limit = INT64_C(1125899906842624) }, "Your mailbox is full", "1.1 PB of 1.1 PB" },
    { "messages", { .messages = true, .used = 950, .limit = 1000 }, "Your mailbox is nearly full", "95 % full: 950 of 1000 messages" },
    { "Portuguese", { .pt_br = true, .used = 4130000000, .limit = 5000000000 }, "Sua caixa de correio está quase cheia",
      "está 82 % cheia: 4,1 GB de 5 GB." },
};

static void run_case(void **state)
{
    const struct warning_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct quota_warning w = c->w;
    struct header_field subject;
    size_t head = 0;
    struct str text, body;

    w.hostname = STR("mail.example.org");
    w.to = STR("ann@example.org");
    w.message_id = STR("1@mail.example.org");
    quota_warning_build(&w, &out, &head);
    text = strbuf_str(&out);
    assert_true(str_starts(text, STR("Return-Path: <>\r\nDate: ")) && head == 17);
    assert_true(header_find(header_block(text), STR("Subject"), &subject));
    assert_true(str_eq(str_trim(header_decode(&a, subject.value)), str_c(c->subject)));
    body = transfer_qp_decode(&a, str_from(text, header_size(text)));
    if (str_find(body, str_c(c->says)) == SIZE_MAX)
        fail_msg("%.*s", STR_ARG(body));
    for (size_t i = 0; i < text.len; i++)
        assert_true((unsigned char)text.p[i] < 0x80 && (text.p[i] != '\n' || text.p[i - 1] == '\r'));
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases)] = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests_name("mail/quota_warning", tests, NULL, NULL);
}
