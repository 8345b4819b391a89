/* docs/sieve.md says what the compiler takes: its table has every extension, and no other. */
#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "sieve/compile.h"

#include <stdio.h>

/* The names in the first column of the table: "| `fileinto` | ...". */
static void read_table(struct arena *a, struct strbuf *names)
{
    FILE *f = fopen(SOURCE_DIR "/docs/sieve.md", "re");
    char line[1000];

    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        struct str s = str_c(line);
        size_t end;

        if (!str_starts(s, STR("| `")))
            continue;
        s = str_from(s, 3);
        end = str_chr(s, '`');
        assert_true(end != SIZE_MAX);
        if (str_starts(str_from(s, end), STR("` | ")))
            (void)strbuf_addf(names, "%.*s ", STR_ARG(arena_str(a, str_sub(s, 0, end))));
    }
    fclose(f);
}

static bool has_word(struct str words, struct str wanted)
{
    struct str word;

    while (str_word(&words, &word)) {
        if (str_eq(word, wanted))
            return true;
    }
    return false;
}

static void test_table(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf names = { 0 };
    struct str real = sieve_extensions(&a), rest, word;

    (void)state;
    read_table(&a, &names);
    for (rest = real; str_word(&rest, &word);) {
        if (!has_word(strbuf_str(&names), word))
            fail_msg("docs/sieve.md lacks %.*s", STR_ARG(word));
    }
    for (rest = strbuf_str(&names); str_word(&rest, &word);) {
        if (!has_word(real, word))
            fail_msg("docs/sieve.md has %.*s, which require does not take", STR_ARG(word));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_table) };

    return cmocka_run_group_tests_name("sieve_docs", tests, NULL, NULL);
}
