/* Each recipient gets a calm sentence or two: what happened, whose turn it is, what to do. */
#include "mail/dsn_text.h"
#include "mail/advice.h"
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

static struct str reason_of(const struct dsn_recipient *r)
{
    if (advice_find(r->reason) != NULL)
        return r->reason;
    return advice_of_reply(PHASE_BODY, str_starts(r->status, STR("4.")) ? 450 : 550, r->status, r->reply);
}

/* What happened, why, what to do.  A failure whose code is not final waited until its time was over. */
static struct str sentence(const struct dsn *d, const struct dsn_recipient *r, struct arena *a)
{
    struct str domain = str_from(r->address, str_rchr(r->address, '@') + 1), id = reason_of(r);
    struct str why = advice_say(a, id, ADVICE_TEXT, d->language, domain);

    if (r->action == DSN_DELAYED)
        return arena_printf(a, "%.*s %.*s", STR_ARG(say(d, &actions[DSN_DELAYED])), STR_ARG(why));
    if (r->action != DSN_FAILED)
        return say(d, &actions[r->action]);
    if (str_starts(r->status, STR("4.")))
        return arena_printf(a, "%.*s %.*s %.*s", STR_ARG(advice_say(a, STR("expired"), ADVICE_TEXT, d->language, domain)),
                            STR_ARG(why), STR_ARG(advice_say(a, STR("expired"), ADVICE_STEPS, d->language, domain)));
    return arena_printf(a, "%.*s %.*s", STR_ARG(why), STR_ARG(advice_say(a, id, ADVICE_STEPS, d->language, domain)));
}

static void add_recipient(const struct dsn *d, const struct dsn_recipient *r, struct strbuf *out)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str reply = dsn_clean_reply(&a, r->reply, true, '\n'), line;
    struct dsn_recipient clean = *r;

    clean.address = dsn_clean_reply(&a, r->address, true, ' ');
    strbuf_addf(out, "\n<%.*s>\n", STR_ARG(clean.address));
    add_wrapped(out, sentence(d, &clean, &a), "    ");
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
