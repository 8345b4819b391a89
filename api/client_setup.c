#include "api/client_setup.h"
#include "api/caller.h"
#include "base/encode.h"
#include "base/strbuf.h"

#define MAX_TEXT ((size_t)64 << 10)

size_t client_setup_servers(const struct client_setup *s, struct client_server ret[CLIENT_SERVERS])
{
    static const struct client_server all[CLIENT_SERVERS] = {
        { LISTEN_IMAPS, false, true, STR("IMAP"), 0 }, { LISTEN_IMAP, false, false, STR("IMAP"), 0 },
        { LISTEN_POP3S, false, true, STR("POP3"), 0 }, { LISTEN_POP3, false, false, STR("POP3"), 0 },
        { LISTEN_SMTPS, true, true, STR("SMTP"), 0 },  { LISTEN_SUBMISSION, true, false, STR("SMTP"), 0 },
    };
    size_t n = 0;

    for (size_t i = 0; i < CLIENT_SERVERS; i++) {
        ret[n] = all[i];
        ret[n].port = s->ports[all[i].listener];
        n += ret[n].port != 0;
    }
    return n;
}

/* The first that listens.  False: none. */
static bool first(const struct client_setup *s, bool sends, struct client_server *ret)
{
    struct client_server v[CLIENT_SERVERS];
    size_t n = client_setup_servers(s, v);

    for (size_t i = 0; i < n; i++) {
        if (v[i].sends == sends) {
            *ret = v[i];
            return true;
        }
    }
    return false;
}

bool client_setup_reads(const struct client_setup *s)
{
    struct client_server any;

    return first(s, false, &any);
}

bool client_setup_sends(const struct client_setup *s)
{
    struct client_server any;

    return first(s, true, &any);
}

/* The text, kept in the arena. */
static struct str finish(struct strbuf *b, struct arena *a)
{
    struct str out = arena_str(a, strbuf_str(b));

    strbuf_release(b);
    return out;
}

/* Text of an element; characters that XML 1.0 (2.2) does not have become "?". */
static struct str xml(struct arena *a, struct str s)
{
    static const struct { struct str from, to; } known[] = {
        { STR("&"), STR("&amp;") },   { STR("<"), STR("&lt;") },   { STR(">"), STR("&gt;") },
        { STR("\""), STR("&quot;") }, { STR("'"), STR("&apos;") }, { STR("\x7f"), STR("?") },
        { STR("\xef\xbf\xbe"), STR("?") }, { STR("\xef\xbf\xbf"), STR("?") },
    };
    struct strbuf b = { .max = MAX_TEXT };

    while (s.len > 0) {
        size_t i = 0;

        while (i < ARRAY_LEN(known) && !str_starts(s, known[i].from))
            i++;
        if (i < ARRAY_LEN(known))
            (void)strbuf_add(&b, known[i].to);
        else
            (void)strbuf_addc(&b, (unsigned char)s.p[0] < ' ' ? '?' : s.p[0]);
        s = str_from(s, i < ARRAY_LEN(known) ? known[i].from.len : 1);
    }
    return finish(&b, a);
}

struct str client_setup_autoconfig(const struct client_setup *s, struct arena *a)
{
    struct str domain = xml(a, s->domain), host = xml(a, s->host);
    struct strbuf b = { .max = MAX_TEXT };
    struct client_server v[CLIENT_SERVERS];
    size_t n = client_setup_servers(s, v);

    (void)strbuf_addf(&b,
                      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<clientConfig version=\"1.1\">\n"
                      "  <emailProvider id=\"%.*s\">\n"
                      "    <domain>%.*s</domain>\n"
                      "    <displayName>%.*s</displayName>\n"
                      "    <displayShortName>%.*s</displayShortName>\n",
                      STR_ARG(domain), STR_ARG(domain), STR_ARG(domain), STR_ARG(domain));
    for (size_t i = 0; i < n; i++) {
        const struct client_server *one = &v[i];
        const char *element = one->sends ? "outgoingServer" : "incomingServer";

        (void)strbuf_addf(&b,
                          "    <%s type=\"%.*s\">\n"
                          "      <hostname>%.*s</hostname>\n"
                          "      <port>%d</port>\n"
                          "      <socketType>%s</socketType>\n"
                          "      <username>%%EMAILADDRESS%%</username>\n"
                          "      <authentication>password-cleartext</authentication>\n"
                          "    </%s>\n",
                          element, STR_ARG(arena_lower(a, one->type)), STR_ARG(host), one->port,
                          one->tls ? "SSL" : "STARTTLS", element);
    }
    (void)strbuf_adds(&b, "  </emailProvider>\n</clientConfig>\n");
    return finish(&b, a);
}

struct str client_setup_autodiscover(const struct client_setup *s, struct arena *a)
{
    struct str address = xml(a, s->address), host = xml(a, s->host);
    struct strbuf b = { .max = MAX_TEXT };
    struct client_server v[CLIENT_SERVERS];
    size_t n = client_setup_servers(s, v);

    (void)strbuf_adds(&b,
                      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
                      "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\n"
                      "  <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a\">\n"
                      "    <Account>\n"
                      "      <AccountType>email</AccountType>\n"
                      "      <Action>settings</Action>\n");
    for (size_t i = 0; i < n; i++) {
        const struct client_server *one = &v[i];

        (void)strbuf_addf(&b,
                          "      <Protocol>\n"
                          "        <Type>%.*s</Type>\n"
                          "        <Server>%.*s</Server>\n"
                          "        <Port>%d</Port>\n"
                          "        <DomainRequired>off</DomainRequired>\n"
                          "        <LoginName>%.*s</LoginName>\n"
                          "        <SPA>off</SPA>\n"
                          "        <SSL>on</SSL>\n"
                          "        <Encryption>%s</Encryption>\n"
                          "        <AuthRequired>on</AuthRequired>\n"
                          "      </Protocol>\n",
                          STR_ARG(one->type), STR_ARG(host), one->port, STR_ARG(address), one->tls ? "SSL" : "TLS");
    }
    (void)strbuf_adds(&b, "    </Account>\n  </Response>\n</Autodiscover>\n");
    return finish(&b, a);
}

/* ---- the profile ---- */

/* Always the same for the same account on the same host (RFC 9562, 5.8). */
static struct str uuid(const struct client_setup *s, const char *what, struct arena *a)
{
    struct str digest = sha256(a, arena_printf(a, "%s\n%.*s\n%.*s", what, STR_ARG(s->host), STR_ARG(s->address)));
    unsigned char b[16];

    memcpy(b, digest.p, sizeof(b));
    b[6] = (unsigned char)(0x80 | (b[6] & 0x0f));
    b[8] = (unsigned char)(0x80 | (b[8] & 0x3f));
    return arena_printf(a, "%02X%02X%02X%02X-%02X%02X-%02X%02X-%02X%02X-%02X%02X%02X%02X%02X%02X", b[0], b[1], b[2], b[3], b[4],
                        b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void add_string(struct strbuf *b, struct arena *a, const char *key, struct str value)
{
    (void)strbuf_addf(b, "<key>%s</key><string>%.*s</string>\n", key, STR_ARG(xml(a, value)));
}

/* prefix: "IncomingMailServer". */
static void add_server(struct strbuf *b, struct arena *a, const struct client_setup *s, const char *prefix,
                       const struct client_server *server)
{
    add_string(b, a, arena_printf(a, "%sHostName", prefix).p, s->host);
    (void)strbuf_addf(b, "<key>%sPortNumber</key><integer>%d</integer>\n", prefix, server->port);
    (void)strbuf_addf(b, "<key>%sUseSSL</key><true/>\n", prefix);
    add_string(b, a, arena_printf(a, "%sUsername", prefix).p, s->address);
    add_string(b, a, arena_printf(a, "%sAuthentication", prefix).p, STR("EmailAuthPassword"));
}

/* What every payload has; what: "mail" or "profile". */
static void add_payload(struct strbuf *b, struct arena *a, const struct client_setup *s, const char *what, struct str type)
{
    struct str id = uuid(s, what, a);

    add_string(b, a, "PayloadType", type);
    add_string(b, a, "PayloadUUID", id);
    add_string(b, a, "PayloadIdentifier", arena_printf(a, "%.*s.%s.%.*s", STR_ARG(s->host), what, STR_ARG(id)));
    add_string(b, a, "PayloadDisplayName", s->address);
    (void)strbuf_adds(b, "<key>PayloadVersion</key><integer>1</integer>\n");
}

struct str client_setup_profile(const struct client_setup *s, struct arena *a)
{
    struct client_server in = { .port = 0 }, out = { .port = 0 };
    struct strbuf b = { .max = MAX_TEXT };

    (void)first(s, false, &in);
    (void)first(s, true, &out);
    (void)strbuf_adds(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                          "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                          "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
                          "<plist version=\"1.0\">\n<dict>\n<key>PayloadContent</key>\n<array>\n<dict>\n");
    add_payload(&b, a, s, "mail", STR("com.apple.mail.managed"));
    add_string(&b, a, "EmailAccountDescription", s->address);
    add_string(&b, a, "EmailAccountName", s->name.len > 0 ? s->name : s->address);
    add_string(&b, a, "EmailAccountType", str_eq(in.type, STR("IMAP")) ? STR("EmailTypeIMAP") : STR("EmailTypePOP"));
    add_string(&b, a, "EmailAddress", s->address);
    add_server(&b, a, s, "IncomingMailServer", &in);
    add_server(&b, a, s, "OutgoingMailServer", &out);
    (void)strbuf_adds(&b, "<key>OutgoingPasswordSameAsIncomingPassword</key><true/>\n</dict>\n</array>\n");
    add_payload(&b, a, s, "profile", STR("Configuration"));
    (void)strbuf_adds(&b, "</dict>\n</plist>\n");
    return finish(&b, a);
}
