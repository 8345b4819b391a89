#include "mail/owner_letter.h"
#include "base/arena.h"
#include "base/macros.h"
#include "mail/server_letter.h"

#include <time.h>

static const struct str subjects[OWNER_LETTER_KINDS][2] = {
    { STR("Your password was changed"), STR("Sua senha foi alterada") },
    { STR("Two-step sign-in was switched off"), STR("A verificação em duas etapas foi desativada") },
    { STR("A new app password was made"), STR("Uma nova senha de app foi criada") },
    { STR("Sign-in from a new network"), STR("Acesso de uma rede nova") },
};

/* What to do if it was somebody else. */
static const char *const remedies[OWNER_LETTER_KINDS][2] = {
    { "ask your mail administrator at once for a link with which you set a new one",
      "peça agora mesmo ao administrador do e-mail um link para definir outra" },
    { "change your password now, and switch two-step sign-in on again",
      "altere sua senha agora e ative a verificação em duas etapas de novo" },
    { "remove it on the page of your devices, and change your password",
      "remova-a na página dos seus dispositivos e altere a sua senha" },
    { "change your password now, and remove app passwords that you do not know",
      "altere sua senha agora e remova as senhas de app que você não conhece" },
};

static const struct {
    struct str protocol;
    const char *names[2];
} ways[] = {
    { STR("http"), { "the web page", "a página web" } },
    { STR("imap"), { "a mail program (IMAP)", "um programa de e-mail (IMAP)" } },
    { STR("managesieve"), { "a program for filters (ManageSieve)", "um programa de filtros (ManageSieve)" } },
    { STR("pop3"), { "a mail program (POP3)", "um programa de e-mail (POP3)" } },
    { STR("submission"), { "a program that sends mail (SMTP)", "um programa que envia e-mail (SMTP)" } },
};

/* "28 Nov 2026, 07:29 UTC", "28/11/2026 às 07:29 UTC" */
static struct str print_time(struct arena *a, int64_t us, bool pt_br)
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm tm = { 0 };
    char text[64];

    gmtime_r(&seconds, &tm); /* no locale is ever set, so %b is English */
    return arena_str(a, str_of(text, strftime(text, sizeof(text), pt_br ? "%d/%m/%Y às %H:%M UTC" : "%d %b %Y, %H:%M UTC", &tm)));
}

static struct str print_happened(const struct owner_letter *l, struct arena *a)
{
    struct str when = print_time(a, l->at_us, l->pt_br);

    switch (l->kind) {
    case OWNER_PASSWORD:
        return arena_printf(a, l->pt_br ? "A senha de %.*s foi alterada em %.*s." : "The password of %.*s was changed on %.*s.",
                            STR_ARG(l->to), STR_ARG(when));
    case OWNER_TOTP_OFF:
        return arena_printf(a, l->pt_br ? "A verificação em duas etapas de %.*s foi desativada em %.*s: agora basta a senha."
                                        : "Two-step sign-in of %.*s was switched off on %.*s: the password alone is enough now.",
                            STR_ARG(l->to), STR_ARG(when));
    case OWNER_APP_PASSWORD:
        return arena_printf(a, l->pt_br ? "Uma senha de app para %.*s foi criada em %.*s, com o nome \"%.*s\". Com ela um programa acessa o seu e-mail."
                                        : "An app password for %.*s was made on %.*s, with the name \"%.*s\". With it a program gets at your mail.",
                            STR_ARG(l->to), STR_ARG(when), STR_ARG(l->name));
    case OWNER_NETWORK:
        break;
    }
    return arena_printf(a, l->pt_br ? "Alguém entrou em %.*s em %.*s, de uma rede que não tinha sido usada antes."
                                    : "Somebody signed in to %.*s on %.*s, from a network that was not used before.",
                        STR_ARG(l->to), STR_ARG(when));
}

static struct str print_where(const struct owner_letter *l, struct arena *a)
{
    const char *way = l->pt_br ? "outro programa" : "another program";

    if (l->kind != OWNER_NETWORK)
        return STR("");
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (str_eq(l->protocol, ways[i].protocol))
            way = ways[i].names[l->pt_br];
    }
    return arena_printf(a, l->pt_br ? "Endereço: %.*s\nCom: %s\n\n" : "Address: %.*s\nWith: %s\n\n", STR_ARG(l->ip), way);
}

static struct str print_text(const struct owner_letter *l, struct arena *a)
{
    const char *last = l->pt_br ? "\nSe isto acontecer de novo hoje, não será avisado.\n"
                                : "\nIf this happens again today, no further letter tells of it.\n";

    return arena_printf(a, l->pt_br ? "%.*s\n\n%.*sSe foi você, ou alguém a seu pedido, não é preciso fazer nada.\nSe não, %s.\n%s"
                                    : "%.*s\n\n%.*sIf it was you, or somebody whom you asked, there is nothing to do.\nIf not, %s.\n%s",
                        STR_ARG(print_happened(l, a)), STR_ARG(print_where(l, a)), remedies[l->kind][l->pt_br],
                        l->is_last ? last : "");
}

void owner_letter_build(const struct owner_letter *l, struct strbuf *out, size_t *ret_return_path_len)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct server_letter letter = { .pt_br = l->pt_br, .hostname = l->hostname, .to = l->to, .message_id = l->message_id,
                                          .now_us = l->now_us, .subject = subjects[l->kind][l->pt_br],
                                          .text = print_text(l, &a) };

    server_letter_build(&letter, out, ret_return_path_len);
}
