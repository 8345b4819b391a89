#include "sieve/extension.h"
#include "base/strbuf.h"
#include "sieve/compile.h"

static const char *const names[EXT_COUNT] = {
    [EXT_BODY] = "body",
    [EXT_OCTET] = "comparator-i;octet",
    [EXT_CASEMAP] = "comparator-i;ascii-casemap",
    [EXT_NUMERIC] = "comparator-i;ascii-numeric",
    [EXT_UNICODE] = "comparator-i;unicode-casemap",
    [EXT_COPY] = "copy",
    [EXT_DATE] = "date",
    [EXT_DUPLICATE] = "duplicate",
    [EXT_EDITHEADER] = "editheader",
    [EXT_ENCLOSE] = "enclose",
    [EXT_ENCODED] = "encoded-character",
    [EXT_ENOTIFY] = "enotify",
    [EXT_ENVELOPE] = "envelope",
    [EXT_ENVELOPE_DELIVERBY] = "envelope-deliverby",
    [EXT_ENVELOPE_DSN] = "envelope-dsn",
    [EXT_ENVIRONMENT] = "environment",
    [EXT_EREJECT] = "ereject",
    [EXT_EXTLISTS] = "extlists",
    [EXT_EXTRACTTEXT] = "extracttext",
    [EXT_FCC] = "fcc",
    [EXT_FILEINTO] = "fileinto",
    [EXT_FILTER] = "vnd.correio.filter",
    [EXT_FOREVERYPART] = "foreverypart",
    [EXT_IHAVE] = "ihave",
    [EXT_IMAP4FLAGS] = "imap4flags",
    [EXT_IMAPSIEVE] = "imapsieve",
    [EXT_INCLUDE] = "include",
    [EXT_INDEX] = "index",
    [EXT_MAILBOX] = "mailbox",
    [EXT_MAILBOXID] = "mailboxid",
    [EXT_MBOXMETADATA] = "mboxmetadata",
    [EXT_MIME] = "mime",
    [EXT_PIPE] = "vnd.correio.pipe",
    [EXT_REDIRECT_DELIVERBY] = "redirect-deliverby",
    [EXT_REDIRECT_DSN] = "redirect-dsn",
    [EXT_REGEX] = "regex",
    [EXT_REJECT] = "reject",
    [EXT_RELATIONAL] = "relational",
    [EXT_REPLACE] = "replace",
    [EXT_SERVERMETADATA] = "servermetadata",
    [EXT_SPAMTEST] = "spamtest",
    [EXT_SPAMTESTPLUS] = "spamtestplus",
    [EXT_SPECIAL_USE] = "special-use",
    [EXT_SUBADDRESS] = "subaddress",
    [EXT_VACATION] = "vacation",
    [EXT_VACATION_SECONDS] = "vacation-seconds",
    [EXT_VARIABLES] = "variables",
    [EXT_VIRUSTEST] = "virustest",
};
_Static_assert(EXT_COUNT <= 64, "extensions are bits of a uint64_t");

enum sieve_ext ext_find(struct str name)
{
    for (int e = EXT_NONE + 1; e < EXT_COUNT; e++) {
        if (str_eq(name, str_c(names[e])))
            return (enum sieve_ext)e;
    }
    return EXT_NONE;
}

const char *ext_name(enum sieve_ext ext)
{
    return names[ext];
}

struct str sieve_extensions(struct arena *a)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };

    for (int e = EXT_NONE + 1; e < EXT_COUNT; e++) {
        if (out.len > 0)
            strbuf_addc(&out, ' ');
        strbuf_add(&out, str_c(names[e]));
    }
    return arena_str(a, strbuf_str(&out));
}
