/* POP3: command lines, and the stuffing of a message cut anywhere: the same bytes whatever the pieces. */
#include "base/macros.h"
#include "base/strbuf.h"
#include "pop3/line.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void keep(void *arg, struct str piece)
{
    (void)strbuf_add(arg, piece);
}

static void stuff(struct str message, uint64_t lines, size_t step, struct strbuf *out)
{
    struct pop3_stuffer st;

    pop3_stuffer_init(&st, lines);
    for (size_t at = 0; at < message.len && !st.done; at += step)
        pop3_stuff(&st, str_sub(message, at, step), keep, out);
    (void)strbuf_add(out, pop3_stuffer_end(&st));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct str input = str_of((const char *)bytes, n), rest = input, line;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf whole = { 0 };
    CLEANUP(strbuf_release) struct strbuf pieces = { 0 };
    struct pop3_line l;
    uint64_t number, lines = n % 3 == 0 ? UINT64_MAX : n % 5;

    while (str_split(&rest, '\n', &line)) {
        if (pop3_parse(line, &a, &l) == RES_OK && l.n_args > 0)
            (void)str_u64(l.args[0], 1000, &number);
    }
    stuff(input, lines, n + 1, &whole);
    stuff(input, lines, 1 + n % 7, &pieces);
    if (!str_eq(strbuf_str(&whole), strbuf_str(&pieces)))
        abort();
    /* No line of what is sent is a lone dot, which would end the reply early. */
    if (str_starts(strbuf_str(&whole), STR(".\r\n")) || str_find(strbuf_str(&whole), STR("\n.\r\n")) != SIZE_MAX)
        abort();
    return 0;
}
