#include "mail/digest.h"
#include "mail/bodystructure.h"
#include "mail/charset.h"
#include "mail/date.h"
#include "mail/envelope.h"
#include "mail/parts.h"
#include "mail/subject.h"
#include "mail/text.h"

#define ENVELOPE_BUDGET  ((size_t)256 * 1024) /* bytes of text in ENVELOPE */
#define STRUCTURE_BUDGET ((size_t)512 * 1024)

#define REFS_HALF (MAIL_REFS_MAX / 2)

/* References as they come: the first half stays, of the others the last ones do. */
struct refs {
    struct str first[REFS_HALF], last[REFS_HALF]; /* `last` is a ring */
    size_t nfirst, nlast;                         /* nlast counts all that came */
};

/* The inside of the next "<...>" of *rest, blanks removed; false: no more. */
static bool next_id(struct arena *a, struct str *rest, struct str *ret_id)
{
    size_t open = str_chr(*rest, '<'), close, n = 0;
    struct str raw;
    char *p;

    if (open == SIZE_MAX)
        return false;
    *rest = str_from(*rest, open + 1);
    close = str_chr(*rest, '>');
    if (close == SIZE_MAX)
        return false;
    raw = str_of(rest->p, close);
    *rest = str_from(*rest, close + 1);
    if (raw.len > 2 * MAIL_ID_MAX) {
        *ret_id = STR("");
        return true;
    }
    p = arena_alloc(a, raw.len + 1);
    for (size_t i = 0; i < raw.len; i++) {
        if ((unsigned char)raw.p[i] > 32 || raw.p[i] == '\0')
            p[n++] = raw.p[i];
    }
    *ret_id = utf8_clean(a, str_of(p, n));
    return true;
}

static struct str message_id(struct arena *a, struct str value)
{
    struct str rest = value, id;

    if (value.p == NULL)
        return STR_NULL;
    if (!next_id(a, &rest, &id)) { /* without brackets: the first word */
        rest = value;
        if (!str_word(&rest, &id) || id.len > MAIL_ID_MAX)
            return STR_NULL;
        id = utf8_clean(a, arena_str(a, id));
    }
    return id.len > 0 && id.len <= MAIL_ID_MAX ? id : STR_NULL;
}

static bool have_ref(const struct refs *refs, struct str id)
{
    for (size_t i = 0; i < refs->nfirst; i++) {
        if (str_eq(refs->first[i], id))
            return true;
    }
    for (size_t i = 0; i < MIN(refs->nlast, (size_t)REFS_HALF); i++) {
        if (str_eq(refs->last[i], id))
            return true;
    }
    return false;
}

static void add_refs(struct arena *a, struct str value, struct refs *refs)
{
    struct str id;

    while (next_id(a, &value, &id)) {
        if (id.len == 0 || id.len > MAIL_ID_MAX || have_ref(refs, id))
            continue;
        if (refs->nfirst < REFS_HALF)
            refs->first[refs->nfirst++] = id;
        else
            refs->last[refs->nlast++ % REFS_HALF] = id;
    }
}

static void digest_refs(struct arena *a, struct arena *scratch, const struct envelope *e, struct mail_digest *ret)
{
    struct refs refs = { 0 };
    size_t kept;

    add_refs(scratch, e->references, &refs);
    add_refs(scratch, e->in_reply_to, &refs);
    kept = MIN(refs.nlast, (size_t)REFS_HALF);
    ret->nrefs = refs.nfirst + kept;
    ret->refs = arena_array(a, struct str, ret->nrefs);
    for (size_t i = 0; i < refs.nfirst; i++)
        ret->refs[i] = arena_str(a, refs.first[i]);
    for (size_t i = 0; i < kept; i++)
        ret->refs[refs.nfirst + i] = arena_str(a, refs.last[(refs.nlast - kept + i) % REFS_HALF]);
}

static void digest_subject(struct arena *a, struct arena *scratch, struct str value, struct mail_digest *ret)
{
    struct str subject, base;

    if (value.p == NULL)
        return;
    subject = utf8_cut_bytes(header_decode(scratch, value), MAIL_SUBJECT_MAX);
    base = utf8_cut_chars(subject_base(scratch, subject), MAIL_SORT_KEY_MAX);
    ret->subject = arena_str(a, subject);
    ret->base_subject = arena_str(a, utf8_cut_chars(text_casefold(scratch, base), MAIL_SORT_KEY_MAX));
}

/* What SORT compares: addr-mailbox of the first address (RFC 5256, 3). */
static struct str sort_key(struct arena *a, struct arena *scratch, const struct envelope *e, enum envelope_list list)
{
    struct mail_address first;
    struct str key;

    if (!envelope_first(scratch, e, list, &first) || first.kind == ADDRESS_GROUP_END)
        return STR_NULL;
    key = utf8_clean(scratch, first.kind == ADDRESS_GROUP ? first.name : first.local);
    key = text_casefold(scratch, utf8_cut_chars(key, MAIL_SORT_KEY_MAX));
    return arena_str(a, utf8_cut_chars(key, MAIL_SORT_KEY_MAX));
}

void mail_digest(struct arena *a, struct str message, struct mail_digest *ret)
{
    CLEANUP(arena_releasep) struct arena scratch = { 0 };
    struct imap_writer w = { .budget = ENVELOPE_BUDGET };
    struct mail_part *root = mail_parse(&scratch, message);
    struct envelope e;
    int zone;

    *ret = (struct mail_digest){ .header_size = root->body_at, .sent_at_us = MAIL_NO_DATE };
    envelope_read(&scratch, header_block(message), &e);
    if (e.date.p != NULL && date_parse(e.date, &ret->sent_at_us, &zone) != RES_OK)
        ret->sent_at_us = MAIL_NO_DATE;
    ret->message_id = arena_str(a, message_id(&scratch, e.message_id));
    digest_refs(a, &scratch, &e, ret);
    digest_subject(a, &scratch, e.subject, ret);
    ret->sort_from = sort_key(a, &scratch, &e, ENVELOPE_FROM);
    ret->sort_to = sort_key(a, &scratch, &e, ENVELOPE_TO);
    ret->sort_cc = sort_key(a, &scratch, &e, ENVELOPE_CC);
    envelope_write(&w, &e, &scratch);
    ret->envelope = arena_str(a, strbuf_str(&w.out));
    strbuf_reset(&w.out);
    w.budget = STRUCTURE_BUDGET;
    bodystructure_write(&w, message, root, &scratch);
    ret->bodystructure = arena_str(a, strbuf_str(&w.out));
    strbuf_release(&w.out);
    ret->parts = mail_parts_build(a, root);
}
