#include "filter/trouble.h"
#include "base/encode.h"
#include "config/settings.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/transfer.h"

void trouble_write(struct arena *a, struct str language, struct str to, struct str script, struct str include,
                   const struct sieve_error *error, struct filter_content *ret)
{
    bool pt = str_istarts(language.len > 0 ? language : settings_get()->language, STR("pt"));
    struct str host = settings_get()->hostname;
    struct str subject = pt ? STR("Um filtro de mensagens falhou") : STR("A mail filter failed");
    struct str where = include.len == 0 ? STR("") : arena_printf(a, "%s \"%.*s\"", pt ? ", no script incluído" : ", in the included script", STR_ARG(include));
    struct str text =
        pt ? arena_printf(a,
                          "O filtro \"%.*s\" parou na linha %u%.*s:\n\n    %.*s.\n\n"
                          "A mensagem foi entregue na sua caixa de entrada, como se não houvesse filtro. Nada se perdeu.\n"
                          "Este aviso vem uma vez para cada versão do filtro.\n",
                          STR_ARG(script), error->line, STR_ARG(where), STR_ARG(error->text))
           : arena_printf(a,
                          "The filter \"%.*s\" stopped in line %u%.*s:\n\n    %.*s.\n\n"
                          "The message was delivered to your inbox, as if there were no filter. Nothing was lost.\n"
                          "This notice comes once for each version of the filter.\n",
                          STR_ARG(script), error->line, STR_ARG(where), STR_ARG(error->text));

    ret->header = arena_printf(
        a,
        "Date: %.*s\r\nFrom: <MAILER-DAEMON@%.*s>\r\nTo: <%.*s>\r\nSubject: %.*s\r\nMessage-ID: <%.*s.%.*s@%.*s>\r\n"
        "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
        STR_ARG(date_print(a, wall_us(), 0)), STR_ARG(host), STR_ARG(to),
        STR_ARG(header_encode(a, STR("Subject"), subject)), STR_ARG(random_id(a)), STR_ARG(random_id(a)), STR_ARG(host));
    ret->body = transfer_qp_encode(a, text);
}
