/* All commands and tests, and the tags that several of them take. */
#include "sieve/script.h"

const struct sieve_tag sieve_match_tags[] = {
    { "is", SLOT_MATCH, EXT_NONE, MATCH_IS, 0 },
    { "contains", SLOT_MATCH, EXT_NONE, MATCH_CONTAINS, 0 },
    { "matches", SLOT_MATCH, EXT_NONE, MATCH_MATCHES, 0 },
    { "regex", SLOT_MATCH, EXT_REGEX, MATCH_REGEX, 0 },
    { "count", SLOT_MATCH, EXT_RELATIONAL, MATCH_COUNT, 'K' },
    { "value", SLOT_MATCH, EXT_RELATIONAL, MATCH_VALUE, 'K' },
    { "list", SLOT_MATCH, EXT_EXTLISTS, MATCH_LIST, 0 },
    { "comparator", SLOT_COMPARATOR, EXT_NONE, 0, 'K' },
    { 0 },
};

const struct sieve_tag sieve_index_tags[] = {
    { "index", SLOT_INDEX, EXT_INDEX, 0, 'N' },
    { "last", SLOT_LAST, EXT_INDEX, 0, 0 },
    { 0 },
};

const struct sieve_tag sieve_mime_tags[] = {
    { "mime", SLOT_MIME, EXT_MIME, 0, 0 },
    { "anychild", SLOT_ANYCHILD, EXT_MIME, 0, 0 },
    { 0 },
};

const struct sieve_tag sieve_mailbox_tags[] = {
    { "create", SLOT_CREATE, EXT_MAILBOX, 0, 0 },
    { "flags", SLOT_FLAGS, EXT_IMAP4FLAGS, 0, 'L' },
    { "specialuse", SLOT_SPECIAL_USE, EXT_SPECIAL_USE, 0, 'S' },
    { "mailboxid", SLOT_MAILBOX_ID, EXT_MAILBOXID, 0, 'S' },
    { 0 },
};

const struct sieve_tag sieve_fcc_tags[] = {
    { "fcc", SLOT_FCC, EXT_FCC, 0, 'S' },
    { "create", SLOT_CREATE, EXT_MAILBOX, 0, 0 },
    { "flags", SLOT_FLAGS, EXT_IMAP4FLAGS, 0, 'L' },
    { "specialuse", SLOT_SPECIAL_USE, EXT_SPECIAL_USE, 0, 'S' },
    { "mailboxid", SLOT_MAILBOX_ID, EXT_MAILBOXID, 0, 'S' },
    { 0 },
};

static const struct sieve_spec *const tables[] = {
    sieve_base_specs,      sieve_address_specs,    sieve_fileinto_specs,    sieve_variables_specs, sieve_flags_specs,
    sieve_redirect_specs,  sieve_reject_specs,     sieve_vacation_specs,    sieve_body_specs,      sieve_date_specs,
    sieve_duplicate_specs, sieve_editheader_specs, sieve_environment_specs, sieve_include_specs,   sieve_ihave_specs,
    sieve_mailbox_specs,   sieve_notify_specs,     sieve_spam_specs,        sieve_extlists_specs,  sieve_mime_specs,
    sieve_pipe_specs,
};

const struct sieve_spec *spec_find(struct str name, bool test)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (const struct sieve_spec *s = tables[t]; s->name != NULL; s++) {
            if (((s->flags & SPEC_TEST) != 0) == test && ascii_lower(name.p[0]) == s->name[0] &&
                str_ieq(name, str_c(s->name)))
                return s;
        }
    }
    return NULL;
}
