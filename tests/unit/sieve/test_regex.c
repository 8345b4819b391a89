/* Regular expressions: matches with their groups, refusals, time. */
#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "sieve/regex.h"

/* The match and its groups with "|" between; NULL: no match. */
static struct regex_case {
    const char *name, *pattern, *text, *want;
    enum sieve_comparator comparator;
} cases[] = {
    { "literal", "abc", "xabcx", "abc", COMPARATOR_OCTET },
    { "no match", "abc", "xab", NULL, COMPARATOR_OCTET },
    { "empty pattern", "", "abc", "", COMPARATOR_OCTET },
    { "empty text", "a*", "", "", COMPARATOR_OCTET },
    { "leftmost", "a|b", "xbya", "b", COMPARATOR_OCTET },
    { "longest", "a|ab|abc", "xabcd", "abc", COMPARATOR_OCTET },
    { "longest alternative in group", "x(a|ab)(c|bcd)", "xabcd", "xabcd|a|bcd", COMPARATOR_OCTET },
    { "greedy", "a.*b", "xaabab", "aabab", COMPARATOR_OCTET },
    { "star", "ba*", "baaac", "baaa", COMPARATOR_OCTET },
    { "plus", "ba+", "b", NULL, COMPARATOR_OCTET },
    { "optional", "colou?r", "color", "color", COMPARATOR_OCTET },
    { "braces", "a{2}", "aaa", "aa", COMPARATOR_OCTET },
    { "braces range", "a{2,3}", "aaaa", "aaa", COMPARATOR_OCTET },
    { "braces open", "a{2,}", "aaaa", "aaaa", COMPARATOR_OCTET },
    { "braces too few", "a{3}", "aa", NULL, COMPARATOR_OCTET },
    { "braces zero", "xa{0}y", "xy", "xy", COMPARATOR_OCTET },
    { "group repeated", "(ab)+", "ababx", "abab|ab", COMPARATOR_OCTET },
    { "group in no part", "(a)|(b)", "b", "b||b", COMPARATOR_OCTET },
    { "nested groups", "((a)(b))", "ab", "ab|ab|a|b", COMPARATOR_OCTET },
    { "empty group", "a()b", "ab", "ab|", COMPARATOR_OCTET },
    { "empty loop", "(a*)*b", "aab", "aab|aa", COMPARATOR_OCTET },
    { "empty alternative", "a(b|)c", "ac", "ac|", COMPARATOR_OCTET },
    { "begin", "^ab", "xab", NULL, COMPARATOR_OCTET },
    { "end", "ab$", "abx", NULL, COMPARATOR_OCTET },
    { "both", "^ab$", "ab", "ab", COMPARATOR_OCTET },
    { "end alone", "$", "ab", "", COMPARATOR_OCTET },
    { "begin in alternative", "(^|,)b", "a,b", ",b|,", COMPARATOR_OCTET },
    { "dot", "a.c", "a\nc", "a\nc", COMPARATOR_OCTET },
    { "bracket", "[abc]+", "xcabx", "cab", COMPARATOR_OCTET },
    { "bracket range", "[a-c0-2]+", "zb1d", "b1", COMPARATOR_OCTET },
    { "bracket negated", "[^a-c]+", "abxyc", "xy", COMPARATOR_OCTET },
    { "bracket with bracket", "[]a]+", "x]a", "]a", COMPARATOR_OCTET },
    { "bracket negated bracket", "[^]]", "]x", "x", COMPARATOR_OCTET },
    { "bracket with dash", "[a-]+", "x-a", "-a", COMPARATOR_OCTET },
    { "bracket backslash", "[\\]+", "a\\b", "\\", COMPARATOR_OCTET },
    { "bracket class", "[[:digit:]x]+", "ab1x2", "1x2", COMPARATOR_OCTET },
    { "bracket space", "a[[:space:]]b", "a\tb", "a\tb", COMPARATOR_OCTET },
    { "bracket punct", "[[:punct:]]+", "ab!?c", "!?", COMPARATOR_OCTET },
    { "escape", "a\\.b", "axb a.b", "a.b", COMPARATOR_OCTET },
    { "escaped paren", "\\(a\\)", "(a)", "(a)", COMPARATOR_OCTET },
    { "word", "\\w+", "- ab_1 -", "ab_1", COMPARATOR_OCTET },
    { "no word", "\\W+", "ab  c", "  ", COMPARATOR_OCTET },
    { "digits", "\\d+\\s\\d+", "a 12 34", "12 34", COMPARATOR_OCTET },
    { "literal braces close", "a}", "a}", "a}", COMPARATOR_OCTET },
    { "case", "ABC", "xabcx", "abc", COMPARATOR_CASEMAP },
    { "case bracket", "[A-C]+", "xabc", "abc", COMPARATOR_CASEMAP },
    { "case negated bracket", "[^A-C]+", "abcX", "X", COMPARATOR_CASEMAP },
    { "case sensitive", "ABC", "abc", NULL, COMPARATOR_OCTET },
    { "dot is a character", "^.$", "\xc3\xa9", "\xc3\xa9", COMPARATOR_CASEMAP },
    { "dot is a byte", "^.$", "\xc3\xa9", NULL, COMPARATOR_OCTET },
    { "dot takes a bad byte", "^a.b$",
      "a\xff"
      "b",
      "a\xff"
      "b",
      COMPARATOR_CASEMAP },
    { "utf-8 bracket", "[\xc3\xa0-\xc3\xaf]", "x\xc3\xa9", "\xc3\xa9", COMPARATOR_CASEMAP },
    { "casemap is ascii", "\xc3\x89", "\xc3\xa9", NULL, COMPARATOR_CASEMAP },
    { "unicode case", "\xc3\x89+", "\xc3\xa9\xc3\x89", "\xc3\xa9\xc3\x89", COMPARATOR_UNICODE },
    { "unicode bracket", "[\xc3\x80-\xc3\x96]", "\xc3\xa9", "\xc3\xa9", COMPARATOR_UNICODE },
    { "many groups", "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", "abcdefghijk", "abcdefghijk|a|b|c|d|e|f|g|h|i",
      COMPARATOR_OCTET },
};

static void run_case(void **state)
{
    const struct regex_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct sieve_budget budget = { .left = 1000000 };
    struct str groups[SIEVE_MATCH_VALUES];
    struct sieve_regex *re;
    const char *why;
    size_t n = 1, more = 0;
    bool found;

    assert_true(regex_compile(&a, str_c(c->pattern), c->comparator, &re, &why));
    found = regex_match(re, str_c(c->text), &budget, groups, SIEVE_MATCH_VALUES);
    assert_int_equal(found, c->want != NULL);
    if (!found)
        return;
    for (const char *p = c->pattern; *p != '\0'; p++)
        n += *p == '(' && (p == c->pattern || p[-1] != '\\');
    for (size_t i = 0; i < n && i < SIEVE_MATCH_VALUES; i++)
        strbuf_addf(&out, "%s%.*s", i > 0 ? "|" : "", STR_ARG(groups[i]));
    assert_string_equal(out.p, c->want);
    for (size_t i = n; i < SIEVE_MATCH_VALUES; i++)
        more += groups[i].len;
    assert_int_equal(more, 0);
}

static struct bad_case {
    const char *name, *pattern, *why;
} bad[] = {
    { "open group", "(a", "a parenthesis is not closed" },
    { "open bracket", "[a", "a bracket is not closed" },
    { "empty bracket", "[]", "a bracket is not closed" },
    { "range backwards", "[b-a]", "a range in brackets is backwards" },
    { "no such class", "[[:foo:]]", "there is no such class of characters" },
    { "collating", "[[.a.]]", "collating symbols are not supported" },
    { "star first", "*a", "a repetition has nothing before it" },
    { "plus in group", "(+)", "a repetition has nothing before it" },
    { "braces first", "{2}", "a repetition has nothing before it" },
    { "braces backwards", "a{3,2}", "a repetition in braces must be {m}, {m,} or {m,n}, up to 255" },
    { "braces large", "a{256}", "a repetition in braces must be {m}, {m,} or {m,n}, up to 255" },
    { "braces open", "a{2", "a repetition in braces must be {m}, {m,} or {m,n}, up to 255" },
    { "braces empty", "a{}", "a repetition in braces must be {m}, {m,} or {m,n}, up to 255" },
    { "backslash at end", "a\\", "a backslash stands at the end" },
    { "unknown escape", "a\\q", "a backslash stands before a letter or digit that has no meaning" },
    { "too large", "((a{255}){255}){255}", "it is too large" },
    { "stars in a row", "a****", "too many repetitions follow each other" },
};

static void run_bad(void **state)
{
    const struct bad_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_regex *re;
    const char *why = NULL;

    assert_false(regex_compile(&a, str_c(c->pattern), COMPARATOR_CASEMAP, &re, &why));
    assert_string_equal(why, c->why);
}

/* What makes backtracking matchers explode: steps grow with the text, not faster. */
static void test_linear(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    uint64_t used[2];
    struct sieve_regex *re;
    const char *why;

    assert_true(regex_compile(&a, STR("^(a*)*(a|aa)+(.*a.*)*b$"), COMPARATOR_CASEMAP, &re, &why));
    for (size_t i = 0; i < 2; i++) {
        struct sieve_budget budget = { .left = 100000000 };
        size_t n = i == 0 ? 1000 : 10000;
        char *text = arena_alloc(&a, n);

        memset(text, 'a', n);
        assert_false(regex_match(re, str_of(text, n), &budget, NULL, 0));
        used[i] = 100000000 - budget.left;
        assert_true(budget.left > 0);
    }
    assert_true(used[1] < used[0] * 11);
}

static void test_budget(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct sieve_budget budget = { .left = 10 };
    struct sieve_regex *re;
    const char *why;

    assert_true(regex_compile(&a, STR("a*b"), COMPARATOR_CASEMAP, &re, &why));
    assert_false(regex_match(re, STR("aaaaaaaaaaaaaaaaaaaaaaaab"), &budget, NULL, 0));
    assert_int_equal(budget.left, 0);
}

static void test_deep(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf deep = { 0 };
    struct sieve_regex *re;
    const char *why;

    for (int i = 0; i < 900; i++)
        strbuf_addc(&deep, '(');
    assert_false(regex_compile(&a, strbuf_str(&deep), COMPARATOR_CASEMAP, &re, &why));
    assert_string_equal(why, "groups are nested too deep");
    for (int i = 0; i < 900; i++)
        strbuf_addc(&deep, 'a');
    assert_false(regex_compile(&a, strbuf_str(&deep), COMPARATOR_CASEMAP, &re, &why));
    assert_string_equal(why, "it is too long");
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + ARRAY_LEN(bad) + 3] = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = &cases[i] };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        tests[n++] = (struct CMUnitTest){ .name = bad[i].name, .test_func = run_bad, .initial_state = &bad[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_linear);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_budget);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_deep);
    return cmocka_run_group_tests_name("sieve_regex", tests, NULL, NULL);
}
