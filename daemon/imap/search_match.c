/* Matching of SEARCH strings and dates: pure. */
#include "imap/stored_envelope.h"
#include "imap/search_job.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/text.h"

#define SHORT_MAX 512

/* Plain ASCII without encoded words needs neither decoding nor tables. */
static bool is_simple(struct str raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        if ((unsigned char)raw.p[i] >= 0x80 || raw.p[i] == '\r' || raw.p[i] == '\n' || raw.p[i] == '\0' ||
            (raw.p[i] == '=' && i + 1 < raw.len && raw.p[i + 1] == '?'))
            return false;
    }
    return raw.len <= SHORT_MAX;
}

bool search_match_raw(struct arena *a, struct str raw, struct str needle)
{
    char lower[SHORT_MAX];

    if (needle.len == 0)
        return true;
    if (!is_simple(raw))
        return str_find(text_casefold(a, header_decode(a, raw)), needle) != SIZE_MAX;
    for (size_t i = 0; i < raw.len; i++)
        lower[i] = ascii_lower(raw.p[i]);
    return str_find(str_of(lower, raw.len), needle) != SIZE_MAX;
}

/* An address as people write it: name <mailbox@host>. */
static bool match_addresses(struct arena *a, struct str list, struct str needle)
{
    struct stored_address address;
    struct strbuf b = { 0 };
    bool found = needle.len == 0;

    while (!found && stored_envelope_address(a, &list, &address)) {
        strbuf_reset(&b);
        (void)strbuf_addf(&b, "%.*s%s%.*s", STR_ARG(address.name), address.host.p != NULL ? " <" : "",
                          STR_ARG(address.mailbox));
        if (address.host.p != NULL)
            (void)strbuf_addf(&b, "@%.*s>", STR_ARG(address.host));
        found = search_match_raw(a, strbuf_str(&b), needle);
    }
    strbuf_release(&b);
    return found;
}

/* The day that the Date field shows, zone and time disregarded (RFC 3501, 6.4.4). */
static bool sent_day(struct str date, int64_t *ret_day)
{
    int64_t us;
    int zone;

    if (date.p == NULL || date_parse(date, &us, &zone) != RES_OK)
        return false;
    *ret_day = date_day(us, zone);
    return true;
}

static bool match_unstructured(struct arena *a, const struct search_key_state *k, struct str value)
{
    if (value.p == NULL && (k->key->field.len > 0 || k->needle.len > 0))
        return false; /* HEADER asks for the field itself */
    return search_match_raw(a, value, k->needle);
}

bool search_match_envelope(struct arena *a, const struct search_key_state *k, const struct stored_envelope *e)
{
    int64_t day = 0;

    switch (k->key->op) {
    case SEARCH_SENTBEFORE:
        return sent_day(e->date, &day) && day < k->key->number;
    case SEARCH_SENTON:
        return sent_day(e->date, &day) && day == k->key->number;
    case SEARCH_SENTSINCE:
        return sent_day(e->date, &day) && day >= k->key->number;
    case SEARCH_FROM:
        return match_addresses(a, e->from, k->needle);
    case SEARCH_TO:
        return match_addresses(a, e->to, k->needle);
    case SEARCH_CC:
        return match_addresses(a, e->cc, k->needle);
    case SEARCH_BCC:
        return match_addresses(a, e->bcc, k->needle);
    case SEARCH_SUBJECT:
        return match_unstructured(a, k, e->subject);
    case SEARCH_MESSAGE_ID:
        return match_unstructured(a, k, e->message_id);
    case SEARCH_IN_REPLY_TO:
        return match_unstructured(a, k, e->in_reply_to);
    default:
        return false;
    }
}

bool search_match_header(struct arena *a, const struct search_key_state *k, struct str header)
{
    struct header_field field;

    while (header_find_next(&header, k->key->field, &field)) {
        if (search_match_raw(a, field.value, k->needle))
            return true;
    }
    return false;
}
