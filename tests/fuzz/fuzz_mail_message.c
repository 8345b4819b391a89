/* Any bytes as a message: digest, part table, text.  What would reach the database or a client must be well-formed. */
#include <assert.h>

#include "mail/digest.h"
#include "mail/parts.h"
#include "mail/received.h"
#include "mail/text.h"
#include "tests/unit/mail/imap_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(struct str message, struct str table, struct str number)
{
    struct mail_range range;

    for (int section = MAIL_SECTION_ALL; section <= MAIL_SECTION_MIME; section++) {
        if (mail_parts_range(table, number, (enum mail_section)section, &range) == RES_OK)
            assert(range.at <= message.len && range.len <= message.len - range.at);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str numbers[] = {
        { "", 0 }, { "1", 1 }, { "2", 1 }, { "1.1", 3 }, { "1.2", 3 }, { "2.1.1", 5 }
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf body = { 0 };
    struct str message = str_of((const char *)data, size);
    struct header_check check;
    struct mail_digest d;

    mail_digest(&a, message, &d);
    assert(str_is_utf8(d.subject) && str_is_utf8(d.base_subject) && str_is_utf8(d.message_id));
    assert(str_is_utf8(d.sort_from) && str_is_utf8(d.sort_to) && str_is_utf8(d.sort_cc));
    for (size_t i = 0; i < d.nrefs; i++)
        assert(str_is_utf8(d.refs[i]) && d.refs[i].len <= MAIL_ID_MAX);
    assert(imap_is_envelope(d.envelope));
    assert(imap_is_body(d.bodystructure, true));
    assert(imap_body_from_structure(d.bodystructure, &body) == RES_OK);
    assert(imap_is_body(strbuf_str(&body), false));
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        check_part(message, d.parts, numbers[i]);
    assert(str_is_utf8(text_of_body(&a, message)));
    assert(str_is_utf8(text_of_header(&a, message)));
    header_check(&a, message, &check);

    /* The same bytes as a damaged table and a damaged structure. */
    strbuf_reset(&body);
    (void)!imap_body_from_structure(message, &body);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct mail_range range;

        (void)!mail_parts_range(message, numbers[i], MAIL_SECTION_HEADER, &range);
    }
    return 0;
}
