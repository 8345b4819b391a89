/* Any text: it ends, lines only grow, and what was read comes back when it is written and read again. */
#include "api/csv.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct csv_record *record)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { .max = CSV_MAX_RECORD * 4 };
    struct csv_record again;
    struct csv csv;

    for (size_t i = 0; i < record->n; i++)
        csv_add(&b, record->cells[i], i == 0);
    csv_end(&b);
    csv_begin(&csv, STR("a,b"));
    csv.text = strbuf_str(&b);
    if (record->n == 1 && record->cells[0].len == 0)
        return; /* an empty line is none */
    if (csv_next(&csv, &a, &again) != RES_OK || again.n != record->n)
        abort();
    for (size_t i = 0; i < record->n; i++) {
        if (!str_eq(again.cells[i], record->cells[i]))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct csv_record record;
    unsigned line = 0;
    struct csv csv;
    enum result r;

    csv_begin(&csv, str_of((const char *)data, size));
    while ((r = csv_next(&csv, &a, &record)) != RES_NOTFOUND) {
        if (record.line < line || csv.at > csv.text.len || (r == RES_INVALID) != (record.why != NULL))
            abort();
        line = csv.line - 1;
        if (r == RES_OK && record.cells[0].len + size < CSV_MAX_RECORD)
            same_again(&record);
    }
    return 0;
}
