/* Each recipient gets a calm sentence or two: what happened, whose turn it is, what to do. */
#include "mail/dsn_text.h"
#include "mail/charset.h"
#include "mail/date.h"

#define TEXT_WIDTH ((size_t)72)
#define LANGUAGES  2

/* Each phrase in English and in Brazilian Portuguese. */
struct phrase {
    const char *in[LANGUAGES];
};

static const struct phrase subjects[] = {
    [DSN_FAILED] = { { "Your message could not be delivered", "Sua mensagem não pôde ser entregue" } },
    [DSN_DELAYED] = { { "Your message is delayed", "Sua mensagem está atrasada" } },
    [DSN_DELIVERED] = { { "Your message was delivered", "Sua mensagem foi entregue" } },
    [DSN_RELAYED] = { { "Your message was passed on", "Sua mensagem foi encaminhada" } },
    [DSN_EXPANDED] = { { "Your message was delivered to a list", "Sua mensagem foi entregue a uma lista" } },
};

static const struct phrase sender_name = { { "Mail Delivery System", "Sistema de entrega de mensagens" } };
static const struct phrase intro = { { "This is an automatic report of the mail server",
                                       "Este é um aviso automático do servidor de e-mail" } };
static const struct phrase about = { { "about the message that you sent on", "sobre a mensagem que você enviou em" } };
static const struct phrase answered = { { "The exact answer of", "A resposta exata de" } };
static const struct phrase reason = { { "The reason:", "O motivo:" } };
static const struct phrase until = { { "It will be tried until", "Novas tentativas serão feitas até" } };
static const struct phrase outro = { { "The technical details and your message, or the top of it, are attached.",
                                       "Os detalhes técnicos e a sua mensagem, ou o início dela, estão anexados." } };

static const struct phrase actions[] = {
    [DSN_FAILED] = { { "The receiving server refused the message, and it will not be tried again. The answer below "
                       "says more; please ask the recipient or the administrator of that server.",
                       "O servidor do destinatário recusou a mensagem, e não haverá nova tentativa. A resposta "
                       "abaixo diz mais; por favor, fale com o destinatário ou com o administrador desse servidor." } },
    [DSN_DELAYED] = { { "The message has not been delivered yet. The server goes on trying by itself; you need not "
                        "do anything, and please do not send it again.",
                        "A mensagem ainda não foi entregue. O servidor continua tentando sozinho; você não precisa "
                        "fazer nada e, por favor, não a envie de novo." } },
    [DSN_DELIVERED] = { { "The message was delivered to this mailbox. You need not do anything.",
                          "A mensagem foi entregue nesta caixa de correio. Você não precisa fazer nada." } },
    [DSN_RELAYED] = { { "The message was handed on to a server that does not report deliveries: expect no further "
                        "notice. You need not do anything.",
                        "A mensagem foi passada a um servidor que não avisa entregas: não espere outro aviso. Você "
                        "não precisa fazer nada." } },
    [DSN_EXPANDED] = { { "The message was delivered to a mailing list, which passes it on to its members: expect no "
                         "further notice. You need not do anything.",
                         "A mensagem foi entregue a uma lista, que a repassa aos seus membros: não espere outro "
                         "aviso. Você não precisa fazer nada." } },
};

/* Failures by enhanced code (RFC 3463, RFC 5248, RFC 7505); the first whose beginning fits is taken. */
static const struct {
    const char *status;
    struct phrase text;
} failures[] = {
    { "5.1.2",
      { { "The domain of this address does not exist or takes no mail. Please check the part behind the @ for a "
          "typing mistake, and send the message again.",
          "O domínio deste endereço não existe ou não recebe e-mail. Por favor, confira a parte depois do @ e envie "
          "a mensagem de novo." } } },
    { "5.1.10",
      { { "The domain of this address says that it takes no mail. Please reach the recipient in another way.",
          "O domínio deste endereço declara que não recebe e-mail. Por favor, procure o destinatário por outro "
          "meio." } } },
    { "5.1.8",
      { { "The receiving server did not accept your own address as the sender. Please ask your administrator.",
          "O servidor do destinatário não aceitou o seu próprio endereço como remetente. Por favor, fale com o seu "
          "administrador." } } },
    { "5.1.7",
      { { "The receiving server did not accept your own address as the sender. Please ask your administrator.",
          "O servidor do destinatário não aceitou o seu próprio endereço como remetente. Por favor, fale com o seu "
          "administrador." } } },
    { "5.1.",
      { { "This address does not exist at the receiving server. Please check it for a typing mistake, and send the "
          "message again to the right address.",
          "Este endereço não existe no servidor do destinatário. Por favor, confira se há erro de digitação e envie "
          "a mensagem de novo ao endereço certo." } } },
    { "5.2.1",
      { { "This mailbox exists but takes no messages now. Please reach the recipient in another way.",
          "Esta caixa de correio existe, mas não recebe mensagens agora. Por favor, procure o destinatário por "
          "outro meio." } } },
    { "5.2.2",
      { { "This mailbox is full. The recipient has to make room first; please send the message again later, or "
          "reach the recipient in another way.",
          "Esta caixa de correio está cheia. O destinatário precisa liberar espaço; por favor, envie a mensagem de "
          "novo mais tarde ou procure o destinatário por outro meio." } } },
    { "5.2.3",
      { { "The message is larger than this mailbox accepts. Please send it again with fewer or smaller attachments.",
          "A mensagem é maior do que esta caixa de correio aceita. Por favor, envie-a de novo com menos anexos ou "
          "com anexos menores." } } },
    { "5.3.4",
      { { "The message is larger than the receiving server accepts. Please send it again with fewer or smaller "
          "attachments.",
          "A mensagem é maior do que o servidor do destinatário aceita. Por favor, envie-a de novo com menos anexos "
          "ou com anexos menores." } } },
    { "5.4.4",
      { { "No server could be found that takes mail for the domain of this address. Please check the part behind "
          "the @ for a typing mistake, and send the message again.",
          "Nenhum servidor que receba e-mail para o domínio deste endereço foi encontrado. Por favor, confira a "
          "parte depois do @ e envie a mensagem de novo." } } },
    { "5.4.6",
      { { "The message went round in a circle between servers. The administrator of the recipient's domain has to "
          "correct its forwarding.",
          "A mensagem ficou circulando entre servidores. O administrador do domínio do destinatário precisa "
          "corrigir o encaminhamento." } } },
    { "5.4.7",
      { { "The message could not be delivered in the time allowed, and it will not be tried again. Please send it "
          "again later, or reach the recipient in another way.",
          "A mensagem não pôde ser entregue dentro do prazo, e não haverá nova tentativa. Por favor, envie-a de "
          "novo mais tarde ou procure o destinatário por outro meio." } } },
    { "5.6.",
      { { "The receiving server cannot take a message of this form. Please send it again as simple text.",
          "O servidor do destinatário não aceita uma mensagem neste formato. Por favor, envie-a de novo como texto "
          "simples." } } },
    { "5.7.",
      { { "The receiving server refused the message for reasons of its own rules or security. Please show its "
          "answer below to your administrator.",
          "O servidor do destinatário recusou a mensagem por suas regras ou por segurança. Por favor, mostre a "
          "resposta abaixo ao seu administrador." } } },
    { "4.",
      { { "The message could not be delivered in the time allowed, and it will not be tried again. Please send it "
          "again later, or reach the recipient in another way.",
          "A mensagem não pôde ser entregue dentro do prazo, e não haverá nova tentativa. Por favor, envie-a de "
          "novo mais tarde ou procure o destinatário por outro meio." } } },
};

static struct str say(const struct dsn *d, const struct phrase *p)
{
    return str_c(p->in[d->language == DSN_PT_BR ? 1 : 0]);
}

/* A report on several recipients is named after the worst that happened; enum dsn_action is in that order. */
struct str dsn_subject(const struct dsn *d)
{
    enum dsn_action worst = DSN_EXPANDED;

    for (size_t i = 0; i < d->nrecipients; i++)
        worst = MIN(worst, d->recipients[i].action);
    return say(d, &subjects[worst]);
}

struct str dsn_sender_name(const struct dsn *d)
{
    return say(d, &sender_name);
}

struct str dsn_clean_reply(struct arena *a, struct str reply, bool utf8, char line_end)
{
    struct str s = str_trim(utf8_clean(a, str_sub(reply, 0, DSN_MAX_REPLY)));
    char *p = arena_alloc(a, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '\r' && i + 1 < s.len && s.p[i + 1] == '\n')
            continue;
        if (c == '\r' || c == '\n')
            p[n++] = line_end;
        else if ((c < 32 && c != '\t') || c == 127 || (c >= 0x80 && !utf8))
            p[n++] = '?';
        else
            p[n++] = s.p[i];
    }
    return utf8_cut_bytes(str_of(p, n), DSN_MAX_REPLY);
}

/* Words of `text` in lines of TEXT_WIDTH, each after `indent`. */
static void add_wrapped(struct strbuf *out, struct str text, const char *indent)
{
    size_t column = 0;
    struct str word;

    while (str_word(&text, &word)) {
        if (column > 0 && column + 1 + word.len > TEXT_WIDTH) {
            strbuf_addc(out, '\n');
            column = 0;
        }
        strbuf_add(out, column == 0 ? str_c(indent) : STR(" "));
        column += column == 0 ? strlen(indent) : 1;
        strbuf_add(out, word);
        column += word.len;
    }
    strbuf_addc(out, '\n');
}

static const struct phrase *sentence(const struct dsn_recipient *r)
{
    if (r->action != DSN_FAILED)
        return &actions[r->action];
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        struct str status = str_c(failures[i].status);

        if (str_eq(r->status, status) || (str_ends(status, STR(".")) && str_starts(r->status, status)))
            return &failures[i].text;
    }
    return &actions[DSN_FAILED];
}

static void add_recipient(const struct dsn *d, const struct dsn_recipient *r, struct strbuf *out)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str reply = dsn_clean_reply(&a, r->reply, true, '\n'), line;

    strbuf_addf(out, "\n<%.*s>\n", STR_ARG(dsn_clean_reply(&a, r->address, true, ' ')));
    add_wrapped(out, say(d, sentence(r)), "    ");
    if (r->action == DSN_DELAYED && r->will_retry_until_us != 0)
        strbuf_addf(out, "    %.*s %.*s.\n", STR_ARG(say(d, &until)),
                    STR_ARG(date_print(&a, r->will_retry_until_us, 0)));
    if (reply.len == 0)
        return;
    if (r->remote_mta.len > 0)
        strbuf_addf(out, "    %.*s %.*s:\n", STR_ARG(say(d, &answered)),
                    STR_ARG(dsn_clean_reply(&a, r->remote_mta, true, ' ')));
    else
        strbuf_addf(out, "    %.*s\n", STR_ARG(say(d, &reason)));
    while (str_split(&reply, '\n', &line))
        strbuf_addf(out, "        %.*s\n", STR_ARG(line));
}

void dsn_text(const struct dsn *d, struct strbuf *out)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    add_wrapped(out,
                arena_printf(&a, "%.*s %.*s %.*s %.*s.", STR_ARG(say(d, &intro)), STR_ARG(d->reporting_mta),
                             STR_ARG(say(d, &about)), STR_ARG(date_print(&a, d->arrival_us, 0))),
                "");
    for (size_t i = 0; i < d->nrecipients; i++)
        add_recipient(d, &d->recipients[i], out);
    strbuf_addc(out, '\n');
    add_wrapped(out, say(d, &outro), "");
}
