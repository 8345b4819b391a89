/* Replies of SMTP servers: any lines, in any number.  The text stays clean and bounded; nothing is read out of place. */
#include "relay/dialogue.h"
#include "relay/reply.h"
#include "route/reason.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct reply *reply)
{
    struct ehlo ehlo;

    assert(reply->code >= 200 && reply->code <= 599);
    assert(reply->text.len <= REPLY_MAX_TEXT && str_is_utf8(reply->text));
    assert(reply->enhanced.p == NULL || (reply->enhanced.len >= 5 && reply->enhanced.len <= 9));
    ehlo_parse(reply->text, &ehlo);
    assert(advice_of_reply(PHASE_RCPT, reply->code, reply->enhanced, reply->text).len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(reply_parser_release) struct reply_parser p = { 0 };
    CLEANUP(dialogue_release) struct dialogue d = { 0 };
    struct str rest = str_of((const char *)data, size), line;
    enum reply_step step = REPLY_MORE;

    dialogue_begin(&d, 0);
    while (step != REPLY_BAD && str_split(&rest, '\n', &line)) {
        dialogue_add(&d, 'S', line, 1);
        step = reply_feed(&p, line);
        if (step == REPLY_DONE) {
            struct reply reply;

            reply_take(&p, &a, &reply);
            look_at(&reply);
        }
    }
    assert(d.text.len <= DIALOGUE_MAX && str_is_utf8(strbuf_str(&d.text)));
    return 0;
}
