/* sieve/extension.h - what `require` may name.  Internal to sieve/. */
#pragma once
#include "base/str.h"

enum sieve_ext {
    EXT_NONE,
    EXT_BODY,
    EXT_OCTET,
    EXT_CASEMAP,
    EXT_NUMERIC,
    EXT_UNICODE,
    EXT_COPY,
    EXT_DATE,
    EXT_DUPLICATE,
    EXT_EDITHEADER,
    EXT_ENCLOSE,
    EXT_ENCODED,
    EXT_ENOTIFY,
    EXT_ENVELOPE,
    EXT_ENVELOPE_DELIVERBY,
    EXT_ENVELOPE_DSN,
    EXT_ENVIRONMENT,
    EXT_EREJECT,
    EXT_EXTLISTS,
    EXT_EXTRACTTEXT,
    EXT_FCC,
    EXT_FILEINTO,
    EXT_FILTER,
    EXT_FOREVERYPART,
    EXT_IHAVE,
    EXT_IMAP4FLAGS,
    EXT_IMAPSIEVE,
    EXT_INCLUDE,
    EXT_INDEX,
    EXT_MAILBOX,
    EXT_MAILBOXID,
    EXT_MBOXMETADATA,
    EXT_MIME,
    EXT_PIPE,
    EXT_REDIRECT_DELIVERBY,
    EXT_REDIRECT_DSN,
    EXT_REGEX,
    EXT_REJECT,
    EXT_RELATIONAL,
    EXT_REPLACE,
    EXT_SERVERMETADATA,
    EXT_SPAMTEST,
    EXT_SPAMTESTPLUS,
    EXT_SPECIAL_USE,
    EXT_SUBADDRESS,
    EXT_VACATION,
    EXT_VACATION_SECONDS,
    EXT_VARIABLES,
    EXT_VIRUSTEST,
    EXT_COUNT
};

#define EXT_BIT(ext) ((uint64_t)1 << (ext))

/* By name, case as written; EXT_NONE: we have none of that name. */
enum sieve_ext ext_find(struct str name);
const char *ext_name(enum sieve_ext ext);
