#include "tests/support/cmocka.h"

#include "base/arena.h"
#include "base/macros.h"
#include "mail/header.h"
#include "mail/owner_letter.h"
#include "mail/transfer.h"

#define AT INT64_C(1795851000000000) /* 28 Nov 2026, 07:30:00 UTC */

static const struct letter_case {
    const char *name;
    struct owner_letter l;
    const char *subject, *says, *more, *silent;
} cases[] = {
    { "password", { .kind = OWNER_PASSWORD }, "Your password was changed",
      "The password of ann@example.org was changed on 28 Nov 2026, 07:30 UTC.\n", "If not, ask your mail administrator", "again today" },
    { "password, Portuguese", { .kind = OWNER_PASSWORD, .pt_br = true }, "Sua senha foi alterada",
      "A senha de ann@example.org foi alterada em 28/11/2026 às 07:30 UTC.\n", "Se não, peça", "hoje" },
    { "two steps", { .kind = OWNER_TOTP_OFF }, "Two-step sign-in was switched off", "the password alone is enough now.\n", "on again.", "Address" },
    { "two steps, Portuguese", { .kind = OWNER_TOTP_OFF, .pt_br = true }, "A verificação em duas etapas foi desativada",
      "agora basta a senha.\n", "ative a verificação", "Endereço" },
    { "app password", { .kind = OWNER_APP_PASSWORD, .name = STR("Laptop") }, "A new app password was made", "with the name \"Laptop\".",
      "remove it on the page", "again today" },
    { "app password, Portuguese", { .kind = OWNER_APP_PASSWORD, .name = STR("Celular"), .pt_br = true }, "Uma nova senha de app foi criada",
      "com o nome \"Celular\".", "remova-a", "hoje" },
    { "network", { .kind = OWNER_NETWORK, .protocol = STR("imap"), .ip = STR("198.51.100.9") }, "Sign-in from a new network",
      "from a network that was not used before.\n\nAddress: 198.51.100.9\nWith: a mail program (IMAP)\n\n", "remove app passwords", "again today" },
    { "network, Portuguese", { .kind = OWNER_NETWORK, .protocol = STR("http"), .ip = STR("2001:db8::1"), .pt_br = true }, "Acesso de uma rede nova",
      "Endereço: 2001:db8::1\nCom: a página web\n\n", "altere sua senha", "hoje" },
    { "a protocol to come", { .kind = OWNER_NETWORK, .protocol = STR("jmap"), .ip = STR("192.0.2.1") }, "Sign-in from a new network",
      "With: another program\n", "If not", "jmap" },
    { "the last of the day", { .kind = OWNER_NETWORK, .protocol = STR("pop3"), .ip = STR("192.0.2.1"), .is_last = true },
      "Sign-in from a new network", "With: a mail program (POP3)\n", "\nIf this happens again today, no further letter tells of it.\n", "http" },
    { "the last of the day, Portuguese", { .kind = OWNER_PASSWORD, .pt_br = true, .is_last = true }, "Sua senha foi alterada", "Se foi você",
      "\nSe isto acontecer de novo hoje, não será avisado.\n", "http" },
};

static struct str without_cr(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != '\r')
            out[n++] = s.p[i];
    }
    return str_of(out, n);
}

static void run_case(void **state)
{
    const struct letter_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct owner_letter l = c->l;
    struct header_field subject, field;
    size_t head = 0;
    struct str text, body;

    l.hostname = STR("mail.example.org");
    l.to = STR("ann@example.org");
    l.message_id = STR("1@mail.example.org");
    l.now_us = AT + 1000000;
    l.at_us = AT;
    owner_letter_build(&l, &out, &head);
    text = strbuf_str(&out);
    assert_true(str_starts(text, STR("Return-Path: <>\r\nDate: Sat, 28 Nov 2026 07:30:01 +0000\r\n")) && head == 17);
    assert_true(header_find(header_block(text), STR("Subject"), &subject));
    assert_true(str_eq(str_trim(header_decode(&a, subject.value)), str_c(c->subject)));
    assert_true(header_find(header_block(text), STR("Auto-Submitted"), &field));
    assert_true(str_eq(str_trim(field.value), STR("auto-generated")));
    assert_true(header_find(header_block(text), STR("Content-Language"), &field));
    assert_true(str_eq(str_trim(field.value), l.pt_br ? STR("pt-BR") : STR("en")));
    body = without_cr(&a, transfer_qp_decode(&a, str_from(text, header_size(text))));
    if (str_find(body, str_c(c->says)) == SIZE_MAX || str_find(body, str_c(c->more)) == SIZE_MAX ||
        str_find(body, str_c(c->silent)) != SIZE_MAX)
        fail_msg("%.*s", STR_ARG(body));
    for (size_t i = 0; i < text.len; i++)
        assert_true((unsigned char)text.p[i] < 0x80 && (text.p[i] != '\n' || text.p[i - 1] == '\r'));
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases)] = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = (void *)(uintptr_t)&cases[i] };
    return cmocka_run_group_tests_name("mail/owner_letter", tests, NULL, NULL);
}
