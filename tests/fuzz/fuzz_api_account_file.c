/* Any text as both kinds of file: it ends, lines only grow, and each is an account or says what is wrong. */
#include "api/account_file.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(enum account_format format, struct str text)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct account_file f;
    struct account_line line;
    unsigned before = 0;
    enum result r;

    if (account_file_begin(&f, format, text, &a, &line) != RES_OK) {
        if (line.code == NULL || line.detail.len == 0)
            abort();
        return;
    }
    while ((r = account_file_next(&f, &a, &line)) != RES_NOTFOUND) {
        if (line.number <= before && r == RES_OK)
            abort();
        if ((r == RES_OK) != (js_kind_of(line.body) == JS_OBJECT) || (r != RES_OK && line.code == NULL))
            abort();
        before = line.number;
        js_free(line.body);
    }
    (void)account_file_column(&f, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_all(ACCOUNT_CSV, str_of((const char *)data, size));
    read_all(ACCOUNT_JSONL, str_of((const char *)data, size));
    return 0;
}
