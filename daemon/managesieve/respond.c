/* Answers: completion lines, the one table from results to response codes, the capabilities. */
#include "managesieve/session.h"
#include "sieve/compile.h"

static void write_completion(struct managesieve *s, const char *status, const char *code, struct str text)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };

    (void)strbuf_addf(&b, "%s ", status);
    if (code != NULL)
        (void)strbuf_addf(&b, "(%s) ", code);
    managesieve_add_string(&b, text);
    (void)strbuf_adds(&b, "\r\n");
    stream_write(s->stream, strbuf_str(&b));
}

enum next ms_ok(struct managesieve *s, const char *text)
{
    write_completion(s, "OK", NULL, str_c(text));
    return NEXT_COMMAND;
}

enum next ms_no(struct managesieve *s, const char *code, const char *fmt, ...)
{
    CLEANUP(strbuf_release) struct strbuf text = { 0 };
    va_list ap;

    va_start(ap, fmt);
    (void)strbuf_vaddf(&text, fmt, ap);
    va_end(ap);
    write_completion(s, "NO", code, strbuf_str(&text));
    return NEXT_COMMAND;
}

enum next ms_bad(struct managesieve *s, const char *why)
{
    if (++s->bad >= BAD_MAX)
        return ms_bye(s, NULL, "Too many bad commands");
    return ms_no(s, NULL, "%s", why);
}

enum next ms_bye(struct managesieve *s, const char *code, const char *text)
{
    write_completion(s, "BYE", code, str_c(text));
    return NEXT_CLOSE;
}

enum next ms_no_result(struct managesieve *s, enum result r)
{
    switch (r) {
    case RES_NOTFOUND:
        return ms_no(s, "NONEXISTENT", "There is no script of that name");
    case RES_EXISTS:
        return ms_no(s, "ALREADYEXISTS", "There is a script of that name");
    case RES_LIMIT:
        return ms_no(s, "QUOTA/MAXSCRIPTS", "There are %d scripts already, and no more are allowed", SCRIPT_MAX_COUNT);
    case RES_CONFLICT:
        return ms_no(s, "ACTIVE", "The script is active; make another one active first, or none");
    default:
        return ms_no(s, "TRYLATER", "Temporary trouble, try again later");
    }
}

static void add_capability(struct strbuf *b, const char *name, struct str value)
{
    (void)strbuf_addf(b, "\"%s\"", name);
    if (value.p != NULL) {
        (void)strbuf_addc(b, ' ');
        managesieve_add_string(b, value);
    }
    (void)strbuf_adds(b, "\r\n");
}

enum next ms_capabilities(struct managesieve *s, const char *text)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    bool tls = stream_is_tls(s->stream);
    bool password = tls || settings_cleartext_allowed(settings_get(), stream_peer(s->stream));

    add_capability(&b, "IMPLEMENTATION", STR("Correio"));
    add_capability(&b, "VERSION", STR("1.0"));
    add_capability(&b, "SIEVE", sieve_extensions(&s->arena));
    add_capability(&b, "SASL", password ? STR("PLAIN LOGIN") : STR(""));
    if (!tls && s->service->tls != NULL && s->state == ST_GREETED)
        add_capability(&b, "STARTTLS", STR_NULL);
    add_capability(&b, "MAXREDIRECTS", arena_printf(&s->arena, "%u", sieve_default_limits.redirects));
    add_capability(&b, "NOTIFY", STR("mailto"));
    add_capability(&b, "LANGUAGE", STR("en"));
    add_capability(&b, "UNAUTHENTICATE", STR_NULL);
    if (s->state == ST_SIGNED)
        add_capability(&b, "OWNER", s->address);
    stream_write(s->stream, strbuf_str(&b));
    return ms_ok(s, text);
}
