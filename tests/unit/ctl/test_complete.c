/* What a command line may go on with. */
#include "tests/support/cmocka.h"

#include "api/ctl/call.h"
#include "api/ctl/complete.h"
#include "base/macros.h"

#include <stdlib.h>

#define MAX_WORDS 8

static const struct complete_case {
    const char *name, *words[MAX_WORDS]; /* NULL behind the last */
    const char *first, *without;         /* what it begins with, what is not in it; first "": there is nothing */
    int lines;                           /* -1: several */
} cases[] = {
    { "nothing at all", { NULL }, "", NULL, 0 },
    { "nouns", { "", NULL }, "status\tIs mail flowing?\n", "status add", -1 },
    { "a noun", { "qu", NULL }, "queue\t\n", "domain", 1 },
    { "a verb and its meaning", { "queue", "rel", NULL }, "release\tEnds a hold.\n", NULL, 1 },
    { "a verb that begins another", { "queue", "hold", NULL }, "hold\tHolds until released.\nhold-rule\t\n", NULL, 2 },
    { "three words", { "account", "app-password", "", NULL }, "add\tMakes a password for one program; it is shown once.\nlist\t", "filter", 3 },
    { "a noun that is a verb", { "status", "", NULL }, "", NULL, 0 },
    { "no such noun", { "mail", "", NULL }, "", NULL, 0 },
    { "too many words", { "account", "filter", "get", "a", "b", "", NULL }, "", NULL, 0 },
    { "options of the verb, then those of all", { "queue", "list", "--", NULL }, "--state=\tSTATE\n", "--note", -1 },
    { "an option", { "queue", "retry", "--al", NULL }, "--all\t\n", NULL, 1 },
    { "options before the verb", { "--j", NULL }, "--json\t\n", NULL, 1 },
    { "behind an option with a value", { "--url", "x", "queue", "un", NULL }, "undo\t", NULL, 1 },
    { "behind a switch", { "--json", "queue", "un", NULL }, "undo\t", NULL, 1 },
    { "a value is not guessed", { "queue", "list", "--state", "", NULL }, "", NULL, 0 },
    { "nor one that bash cut off", { "queue", "list", "--state", "=", "he", NULL }, "", NULL, 0 },
    { "nor its sign", { "queue", "list", "--state", "=", NULL }, "", NULL, 0 },
    { "behind a value that bash cut off", { "queue", "list", "--state", "=", "held", "--rea", NULL }, "--reason=\tR\n", NULL, 1 },
    { "behind a value in one word", { "queue", "list", "--state=held", "--rea", NULL }, "--reason=\tR\n", NULL, 1 },
    { "an argument that is a choice", { "completion", "", NULL }, "bash\t\nzsh\t\nfish\t\n", NULL, 3 },
    { "a choice that was made", { "completion", "bash", "", NULL }, "", NULL, 0 },
    { "arguments are not guessed", { "queue", "show", "q", NULL }, "", NULL, 0 },
    { "one hyphen", { "queue", "list", "-", NULL }, "--state=\t", NULL, -1 },
    { "what is no option here", { "queue", "list", "-x", NULL }, "", NULL, 0 },
    { "blanks are no words", { "account filter", "", NULL }, "", NULL, 0 },
};

static void run_case(void **state)
{
    const struct complete_case *c = *state;
    CLEANUP(strbuf_release) struct strbuf out = { .max = 1 << 20 };
    size_t n = 0;
    int lines = 0;

    while (c->words[n] != NULL)
        n++;
    complete(c->words, n, &out);
    for (size_t i = 0; i < out.len; i++)
        lines += out.p[i] == '\n';
    if (!str_starts(strbuf_str(&out), str_c(c->first)) || (c->lines >= 0 && lines != c->lines) || (c->lines < 0 && lines < 8) ||
        (c->without != NULL && str_find(strbuf_str(&out), str_c(c->without)) != SIZE_MAX))
        fail_msg("%d lines: %.*s", lines, STR_ARG(strbuf_str(&out)));
}

/* Every verb is reached word by word. */
static void test_all_verbs(void **state)
{
    (void)state;
    for (size_t i = 0; i < verbs_count; i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct str rest = arena_printf(&a, "%s %s", verbs[i].noun, verbs[i].name != NULL ? verbs[i].name : ""), one;
        const char *words[MAX_WORDS] = { NULL };
        size_t n = 0;

        while (str_word(&rest, &one)) {
            CLEANUP(strbuf_release) struct strbuf out = { .max = 1 << 20 };

            words[n++] = arena_cstr(&a, one);
            complete(words, n, &out);
            if (str_find(strbuf_str(&out), arena_printf(&a, "%.*s\t", STR_ARG(one))) == SIZE_MAX)
                fail_msg("%s %s", verbs[i].noun, verbs[i].name);
        }
    }
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 1] = { 0 };

    (void)setenv("LC_ALL", "C", 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = (void *)(uintptr_t)&cases[i] };
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest)cmocka_unit_test(test_all_verbs);
    return cmocka_run_group_tests_name("ctl/complete", tests, NULL, NULL);
}
