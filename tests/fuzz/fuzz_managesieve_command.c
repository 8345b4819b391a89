/* The grammar of ManageSieve: whole commands with their literals, and strings there and back. */
#include "base/macros.h"
#include "managesieve/parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A string that was parsed is written and read back as it is. */
static void there_and_back(struct arena *a, struct str s)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct str back;

    managesieve_add_string(&b, s);
    if (managesieve_parse_string(strbuf_str(&b), a, &back) != RES_OK || !str_eq(s, back))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str text = str_of((const char *)data, size), s;
    struct managesieve_command cmd;
    const char *error = NULL;
    uint64_t literal;

    if (managesieve_parse(text, &a, &cmd, &error) == RES_OK) {
        for (size_t i = 0; i < cmd.n; i++)
            there_and_back(&a, cmd.args[i].is_number ? STR("") : cmd.args[i].string);
    } else if (error == NULL) {
        abort();
    }
    if (managesieve_parse_string(text, &a, &s) == RES_OK)
        there_and_back(&a, s);
    if (managesieve_literal(text, &literal) && (size < 3 || data[size - 1] != '}'))
        abort();
    there_and_back(&a, text);
    return 0;
}
