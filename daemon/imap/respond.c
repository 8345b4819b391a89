/* Answers: completion lines, the one table from results to response codes, strings, flags, sets. */
#include "imap/session.h"
#include "mail/utf7.h"

#include <inttypes.h>
#include <stdio.h>

#define MANAGESIEVE_PORT 4190 /* RFC 5804, 1.8 */

static void write_completion(struct imap_session *s, const char *status, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);

static void write_completion(struct imap_session *s, const char *status, const char *fmt, va_list ap)
{
    struct strbuf b = { 0 }; /* COPYUID may be long */

    (void)strbuf_addf(&b, "%.*s %s ", STR_ARG(s->cmd->tag.p != NULL ? s->cmd->tag : STR("*")), status);
    (void)strbuf_vaddf(&b, fmt, ap);
    (void)strbuf_adds(&b, "\r\n");
    stream_write(s->stream, strbuf_str(&b));
    strbuf_release(&b);
}

/* News goes before the tagged line, so that the client knows it when the command is done. */
static enum next tell_news(struct imap_session *s)
{
    if (s->state != ST_SELECTED || session_sync(s, true) != RES_NOTFOUND)
        return NEXT_COMMAND;
    stream_puts(s->stream, "* BYE The selected mailbox was deleted\r\n");
    return NEXT_CLOSE;
}

enum next imap_ok(struct imap_session *s, const char *fmt, ...)
{
    enum next next = tell_news(s);
    va_list ap;

    va_start(ap, fmt);
    write_completion(s, "OK", fmt, ap);
    va_end(ap);
    return next;
}

enum next imap_no(struct imap_session *s, const char *fmt, ...)
{
    enum next next = tell_news(s);
    va_list ap;

    va_start(ap, fmt);
    write_completion(s, "NO", fmt, ap);
    va_end(ap);
    return next;
}

enum next imap_bad(struct imap_session *s, const char *why)
{
    stream_printf(s->stream, "%.*s BAD %s\r\n", STR_ARG(s->cmd->tag.p != NULL ? s->cmd->tag : STR("*")), why);
    if (++s->bad < BAD_MAX)
        return NEXT_COMMAND;
    stream_puts(s->stream, "* BYE Too many bad commands\r\n");
    return NEXT_CLOSE;
}

enum next imap_no_result(struct imap_session *s, enum result r)
{
    static const char *const texts[] = {
        [RES_NOTFOUND] = "[NONEXISTENT] No such mailbox",
        [RES_EXISTS] = "[ALREADYEXISTS] There is a mailbox of that name",
        [RES_INVALID] = "[CANNOT] That cannot be",
        [RES_LIMIT] = "[LIMIT] A limit was reached",
        [RES_DENIED] = "[NOPERM] That is not allowed",
        [RES_CONFLICT] = "[INUSE] It changed meanwhile, try again",
    };
    const char *text = "[UNAVAILABLE] Temporary trouble, try again later";

    if ((size_t)r < ARRAY_LEN(texts) && texts[r] != NULL)
        text = texts[r];
    return imap_no(s, "%s", text);
}

/* ---- strings ---- */

struct str quoted_string(struct arena *a, struct str s)
{
    struct strbuf b = { 0 };
    bool plain = s.len < 1000;
    struct str out;

    for (size_t i = 0; i < s.len && plain; i++) {
        unsigned char c = (unsigned char)s.p[i];

        plain = c >= 0x20 && c < 0x7f;
    }
    if (!plain)
        return arena_printf(a, "{%zu}\r\n%.*s", s.len, STR_ARG(s));
    (void)strbuf_addc(&b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            (void)strbuf_addc(&b, '\\');
        (void)strbuf_addc(&b, s.p[i]);
    }
    (void)strbuf_addc(&b, '"');
    out = arena_str(a, strbuf_str(&b));
    strbuf_release(&b);
    return out;
}

struct str wire_mailbox(struct arena *a, struct str name)
{
    return quoted_string(a, utf7_encode(a, name));
}

void add_number(struct strbuf *b, uint64_t n)
{
    char digits[20], *p = digits + sizeof(digits);

    do
        *--p = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    (void)strbuf_add(b, str_of(p, (size_t)(digits + sizeof(digits) - p)));
}

struct str number_set(struct arena *a, const int64_t *v, size_t n)
{
    struct strbuf b = { 0 };
    struct str out;

    for (size_t i = 0; i < n;) {
        size_t k = i;

        while (k + 1 < n && v[k + 1] == v[k] + 1)
            k++;
        if (i > 0)
            (void)strbuf_addc(&b, ',');
        add_number(&b, (uint64_t)v[i]);
        if (k > i) {
            (void)strbuf_addc(&b, ':');
            add_number(&b, (uint64_t)v[k]);
        }
        i = k + 1;
    }
    out = arena_str(a, strbuf_str(&b));
    strbuf_release(&b);
    return out;
}

/* ---- flags ---- */

static struct str keyword_name(const struct imap_session *s, int64_t id)
{
    size_t lo = 0, hi = s->nkeywords;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (s->keywords[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->nkeywords && s->keywords[lo].id == id ? s->keywords[lo].name : STR_NULL;
}

void add_flags(const struct imap_session *s, struct strbuf *b, const struct view_entry *e)
{
    static const struct {
        int bit;
        struct str name;
    } names[] = { { FLAG_ANSWERED, { "\\Answered", 9 } },
                  { FLAG_FLAGGED, { "\\Flagged", 8 } },
                  { FLAG_DELETED, { "\\Deleted", 8 } },
                  { FLAG_SEEN, { "\\Seen", 5 } },
                  { FLAG_DRAFT, { "\\Draft", 6 } } };
    size_t n, start = b->len + 1;
    const int64_t *ids = view_keywords(s->view, e, &n);

    (void)strbuf_addc(b, '(');
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (((int)e->flags & names[i].bit) == 0)
            continue;
        if (b->len > start)
            (void)strbuf_addc(b, ' ');
        (void)strbuf_add(b, names[i].name);
    }
    if (e->recent)
        (void)strbuf_add(b, b->len > start ? STR(" \\Recent") : STR("\\Recent"));
    for (size_t i = 0; i < n; i++) {
        struct str name = keyword_name(s, ids[i]);

        if (name.len == 0)
            continue;
        if (b->len > start)
            (void)strbuf_addc(b, ' ');
        (void)strbuf_add(b, name);
    }
    (void)strbuf_addc(b, ')');
}

void write_flag_list(struct imap_session *s)
{
    struct strbuf b = { 0 };

    for (size_t i = 0; i < s->nkeywords; i++)
        (void)strbuf_addf(&b, " %.*s", STR_ARG(s->keywords[i].name));
    stream_puts(s->stream, "* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft");
    stream_write(s->stream, strbuf_str(&b));
    stream_puts(s->stream, ")\r\n* OK [PERMANENTFLAGS (");
    if (!s->view->read_only) {
        stream_puts(s->stream, "\\Answered \\Flagged \\Deleted \\Seen \\Draft");
        stream_write(s->stream, strbuf_str(&b));
        stream_puts(s->stream, " \\*");
    }
    stream_puts(s->stream, ")] Flags that are kept\r\n");
    strbuf_release(&b);
}

void write_flags_fetch(struct imap_session *s, struct strbuf *b, size_t index, bool flags, bool uid)
{
    const struct view_entry *e = &s->view->v[index];
    const char *space = "";

    strbuf_reset(b);
    (void)strbuf_adds(b, "* ");
    add_number(b, index + 1);
    (void)strbuf_adds(b, " FETCH (");
    if (uid || s->condstore) {
        (void)strbuf_adds(b, "UID ");
        add_number(b, e->uid);
        space = " ";
    }
    if (flags) {
        (void)strbuf_addf(b, "%sFLAGS ", space);
        add_flags(s, b, e);
        space = " ";
    }
    if (s->condstore) {
        (void)strbuf_addf(b, "%sMODSEQ (", space);
        add_number(b, (uint64_t)e->modseq);
        (void)strbuf_addc(b, ')');
    }
    (void)strbuf_adds(b, ")\r\n");
    stream_write(s->stream, strbuf_str(b));
    if (flags)
        view_told_flags(s->view, index);
}

/* ---- CAPABILITY (RFC 3501, 7.2.1): what is there in this state ---- */

/* " IMAPSIEVE=sieve://host:port": where scripts are kept (RFC 6785, 2.1); empty: nowhere that a client can reach. */
static struct str imapsieve(struct imap_session *s)
{
    struct str host = settings_get()->hostname, first = STR("off");
    uint64_t port = 0;

    if (s->service->config != NULL)
        first = s->service->config->listen[LISTEN_SIEVE];
    first = str_sub(first, 0, str_chr(first, ','));
    if (host.len == 0 || str_eq(first, STR("off")) || !str_u64(str_from(first, str_rchr(first, ':') + 1), 65535, &port))
        return STR("");
    if (port == 0 || port == MANAGESIEVE_PORT)
        return arena_printf(&s->arena, " IMAPSIEVE=sieve://%.*s", STR_ARG(host));
    return arena_printf(&s->arena, " IMAPSIEVE=sieve://%.*s:%u", STR_ARG(host), (unsigned)port);
}

struct str capabilities(struct imap_session *s)
{
    static const char always[] = "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE";
    bool tls = stream_is_tls(s->stream);

    if (s->state != ST_GREETED)
        return arena_printf(&s->arena,
                            "%s NAMESPACE UIDPLUS IDLE MOVE SPECIAL-USE CREATE-SPECIAL-USE UNSELECT CHILDREN QUOTA"
                            " QUOTA=RES-STORAGE QUOTA=RES-MESSAGE METADATA%.*s CONDSTORE OBJECTID",
                            always, STR_ARG(imapsieve(s)));
    return arena_printf(&s->arena, "%s%s%s", always, tls || s->service->tls == NULL ? "" : " STARTTLS",
                        tls || settings_cleartext_allowed(settings_get(), stream_peer(s->stream))
                            ? " AUTH=PLAIN AUTH=LOGIN"
                            : " LOGINDISABLED");
}
