/* What the compiler refuses: line, column and sentence. */
#include "tests/unit/sieve/sieve_case.h"

static struct outcome_case cases[] = {
    /* lexer */
    { "empty", "", "KEEP" },
    { "blanks and comments", "# one\r\n/* two\n */ \t", "KEEP" },
    { "byte order mark", "\xef\xbb\xbfkeep;", "keep" },
    { "comment open", "keep; /* x", "1:7 this comment has no end" },
    { "string open", "redirect \"a@b;", "1:10 this string has no closing quote" },
    { "string ends in backslash", "redirect \"a\\\"", "1:10 this string has no closing quote" },
    { "multiline open", "require \"reject\"; reject text:\nabc\n",
      "1:26 this multi-line string has no line with a single dot at its end" },
    { "multiline with rest", "require \"reject\"; reject text: abc\n.\n;",
      "1:26 only blanks or a # comment may follow \"text:\" on its line" },
    { "bad character", "keep; %", "1:7 this character is not allowed here" },
    { "colon alone", "keep : ;", "1:6 a colon must be followed by the name of a tag" },
    { "number unit", "if size :over 1X { stop; }", "1:15 a number may be followed only by K, M or G" },
    { "number too large", "if size :over 99999999999999999999 { stop; }", "1:15 this number is too large" },
    { "number too large with unit", "if size :over 9999999999G { stop; }", "1:15 this number is too large" },
    { "not UTF-8", "keep;\n# \xff\n", "2:1 this line is not valid UTF-8 or holds a NUL" },

    /* grammar */
    { "no semicolon", "keep", "1:5 the script ends here, but \";\" was expected" },
    { "no semicolon before command", "keep stop;", "1:6 \";\" was expected here" },
    { "only a semicolon", ";", "1:1 a command was expected here" },
    { "test as command", "true;", "1:1 there is no command \"true\"" },
    { "command as test", "if keep { stop; }", "1:4 there is no test \"keep\"" },
    { "unknown command", "keep;\n  frobnicate;", "2:3 there is no command \"frobnicate\"" },
    { "unknown test", "if frob \"x\" { stop; }", "1:4 there is no test \"frob\"" },
    { "no block", "if true;", "1:8 a block in braces was expected here" },
    { "block not closed", "if true { keep;", "1:16 the script ends here, but a command or \"}\" was expected" },
    { "block closed twice", "if true { keep; } }", "1:19 a command was expected here" },
    { "block behind action", "keep { }", "1:6 \";\" was expected here" },
    { "if without test", "if { stop; }", "1:1 \"if\" takes one test" },
    { "if with a list", "if (true, true) { stop; }", "1:1 \"if\" takes one test" },
    { "not without test", "if not { stop; }", "1:4 \"not\" takes one test" },
    { "allof without list", "if allof true { stop; }", "1:4 \"allof\" takes a list of tests in parentheses" },
    { "test with a test", "if true (false) { stop; }", "1:10 \"true\" takes no test" },
    { "empty test list", "if allof () { stop; }", "1:11 a test was expected here" },
    { "test list not closed", "if allof (true { stop; }", "1:16 a comma or \")\" was expected here" },
    { "else first", "else { stop; }", "1:1 \"else\" must follow the block of \"if\" or \"elsif\"" },
    { "elsif first", "keep; elsif true { stop; }", "1:7 \"elsif\" must follow the block of \"if\" or \"elsif\"" },
    { "else twice", "if true {} else {} else {}", "1:20 \"else\" must follow the block of \"if\" or \"elsif\"" },
    { "else behind a command", "if true {} keep; else {}",
      "1:18 \"else\" must follow the block of \"if\" or \"elsif\"" },
    { "empty list", "if exists [] { stop; }", "1:12 a string was expected here" },
    { "list with number", "if exists [\"a\", 1] { stop; }", "1:17 a string was expected here" },
    { "list not closed", "if exists [\"a\" { stop; }", "1:16 a comma or \"]\" was expected here" },
    { "list with comma at end", "if exists [\"a\",] { stop; }", "1:16 a string was expected here" },

    /* require */
    { "require unknown", "require \"frob\";", "1:9 there is no extension \"frob\"" },
    { "require unknown in list", "require [\"fileinto\", \"frob\"];", "1:9 there is no extension \"frob\"" },
    { "require convert", "require \"convert\";", "1:9 there is no extension \"convert\"" },
    { "require old imapflags", "require \"imapflags\";", "1:9 there is no extension \"imapflags\"" },
    { "require is case sensitive", "require \"FileInto\";", "1:9 there is no extension \"FileInto\"" },
    { "require comparators", "require [\"comparator-i;octet\", \"comparator-i;ascii-casemap\"];", "KEEP" },
    { "require unknown comparator", "require \"comparator-elbonia\";",
      "1:9 there is no extension \"comparator-elbonia\"" },
    { "require late", "keep; require \"fileinto\";", "1:7 \"require\" must stand before all other commands" },
    { "require in block", "if true { require \"fileinto\"; }",
      "1:11 \"require\" must stand before all other commands" },
    { "require twice", "require \"copy\"; require \"fileinto\"; fileinto :copy \"x\";", "fileinto \"x\" copy; KEEP" },
    { "not required", "fileinto \"x\";", "1:1 \"fileinto\" needs \"require\" of \"fileinto\"" },
    { "test not required", "if envelope \"from\" \"x\" { stop; }",
      "1:4 \"envelope\" needs \"require\" of \"envelope\"" },
    { "tag not required", "require \"fileinto\"; fileinto :copy \"x\";",
      "1:30 \":copy\" needs \"require\" of \"copy\"" },
    { "match type not required", "if header :regex \"a\" \"b\" { stop; }",
      "1:11 \":regex\" needs \"require\" of \"regex\"" },
    { "count not required", "if header :count \"gt\" \"a\" \"1\" { stop; }",
      "1:11 \":count\" needs \"require\" of \"relational\"" },
    { "comparator not required", "if header :comparator \"i;ascii-numeric\" \"a\" \"1\" { stop; }",
      "1:23 \"i;ascii-numeric\" needs \"require\" of \"comparator-i;ascii-numeric\"" },
    { "address part not required", "if address :detail \"to\" \"x\" { stop; }",
      "1:12 \":detail\" needs \"require\" of \"subaddress\"" },
    { "index not required", "if header :index 1 \"to\" \"x\" { stop; }",
      "1:11 \":index\" needs \"require\" of \"index\"" },
    { "seconds not required", "require \"vacation\"; vacation :seconds 5 \"x\";",
      "1:30 \":seconds\" needs \"require\" of \"vacation-seconds\"" },
    { "percent not required", "require \"spamtest\"; if spamtest :percent \"1\" { stop; }",
      "1:33 \":percent\" needs \"require\" of \"spamtestplus\"" },
    { "envelope part not required", "require \"envelope\"; if envelope \"envid\" \"x\" { stop; }",
      "1:33 the envelope part \"envid\" needs \"require\" of \"envelope-dsn\"" },
    { "seconds implies vacation", "require \"vacation-seconds\"; if false { vacation :seconds 5 \"x\"; }", "KEEP" },

    /* arguments */
    { "too few", "if header \"subject\" { stop; }", "1:4 \"header\" needs 2 arguments, but has 1" },
    { "one missing", "redirect;", "1:1 \"redirect\" needs 1 argument, but has 0" },
    { "too many", "redirect \"a@b.example\" \"c@d.example\";", "1:24 \"redirect\" has too many arguments" },
    { "number for string", "redirect 5;", "1:10 argument 1 of \"redirect\" must be a string" },
    { "list for string", "redirect [\"a@b.example\"];", "1:10 argument 1 of \"redirect\" must be a string" },
    { "number for list", "if header \"a\" 5 { stop; }",
      "1:15 argument 2 of \"header\" must be a string or a list of strings" },
    { "string for number", "if size :over \"5\" { stop; }", "1:15 what follows \":over\" must be a number" },
    { "tag without value", "if size :over { stop; }", "1:9 \":over\" must be followed by a number" },
    { "tag behind arguments", "if header \"a\" \"b\" :is { stop; }",
      "1:19 tags such as \":is\" must stand before the other arguments" },
    { "unknown tag", "if header :frob \"a\" \"b\" { stop; }", "1:11 \"header\" has no tag \":frob\"" },
    { "tag of another", "redirect :over 5 \"a@b.example\";", "1:10 \"redirect\" has no tag \":over\"" },
    { "tag twice", "if header :is :is \"a\" \"b\" { stop; }", "1:15 \":is\" is given twice" },
    { "tags exclude", "if header :is :contains \"a\" \"b\" { stop; }",
      "1:15 \":contains\" cannot stand together with \":is\"" },
    { "over and under", "if size :over 1 :under 2 { stop; }", "1:17 \":under\" cannot stand together with \":over\"" },
    { "size without tag", "if size { stop; }", "1:4 \"size\" needs \":over\" or \":under\"" },
    { "stop with argument", "stop \"x\";", "1:6 \"stop\" has too many arguments" },
    { "last without index", "require \"index\"; if header :last \"a\" \"b\" { stop; }",
      "1:28 \":last\" needs \":index\"" },
    { "index zero", "require \"index\"; if header :index 0 \"a\" \"b\" { stop; }", "1:35 \":index\" counts from 1" },

    /* matching */
    { "unknown comparator", "if header :comparator \"i;elbonia\" \"a\" \"b\" { stop; }",
      "1:23 there is no comparator \"i;elbonia\"" },
    { "numeric contains",
      "require \"comparator-i;ascii-numeric\"; if header :contains :comparator \"i;ascii-numeric\" \"a\" \"1\" { stop; "
      "}",
      "1:49 the comparator \"i;ascii-numeric\" cannot do \":contains\"" },
    { "numeric matches",
      "require \"comparator-i;ascii-numeric\"; if header :comparator \"i;ascii-numeric\" :matches \"a\" \"1\" { stop; "
      "}",
      "1:79 the comparator \"i;ascii-numeric\" cannot do \":matches\"" },
    { "bad relation", "require \"relational\"; if header :count \"foo\" \"a\" \"1\" { stop; }",
      "1:40 \":count\" must be followed by \"gt\", \"ge\", \"lt\", \"le\", \"eq\" or \"ne\"" },
    { "no relation", "require \"relational\"; if header :value { stop; }",
      "1:33 \":value\" must be followed by a string" },
    { "bad regex", "require \"regex\"; if header :regex \"a\" \"(b\" { stop; }",
      "1:39 the regular expression \"(b\" is wrong: a parenthesis is not closed" },
    { "address of a field without", "if address \"subject\" \"x\" { stop; }",
      "1:12 the field \"subject\" holds no addresses" },
    { "unknown envelope part", "require \"envelope\"; if envelope \"frob\" \"x\" { stop; }",
      "1:33 the envelope has no part \"frob\"" },
    { "envelope address part",
      "require [\"envelope\", \"envelope-dsn\"]; if envelope :domain \"envid\" \"x\" { stop; }",
      "1:59 the envelope part \"envid\" is no address" },

    /* families */
    { "set number", "require \"variables\"; set \"1\" \"x\";", "1:26 the match variable \"1\" cannot be set" },
    { "set bad name", "require \"variables\"; set \"a-b\" \"x\";",
      "1:26 \"a-b\" is no name of a variable that can be set" },
    { "set namespace", "require \"variables\"; set \"a.b\" \"x\";",
      "1:26 \"a.b\" is no name of a variable that can be set" },
    { "set variable name", "require \"variables\"; set \"${a}\" \"x\";",
      "1:26 argument 1 of \"set\" must be constant, without variables" },
    { "set two of a precedence", "require \"variables\"; set :lower :upper \"a\" \"x\";",
      "1:33 \":upper\" cannot stand together with \":lower\"" },
    { "match variable too high", "require \"variables\"; set \"a\" \"${10}\";",
      "1:30 there is no match variable \"${10}\": the last is ${9}" },
    { "unknown namespace", "require \"variables\"; set \"a\" \"${env.x}\";",
      "1:30 there is no namespace \"env\" for variables" },
    { "global namespace without include", "require \"variables\"; set \"a\" \"${global.x}\";",
      "1:30 there is no namespace \"global\" for variables" },
    { "unicode too large", "require \"encoded-character\"; redirect \"${unicode:200000}\";",
      "1:39 this string names a Unicode character that does not exist" },
    { "unicode surrogate", "require \"encoded-character\"; redirect \"${Unicode:DF01}\";",
      "1:39 this string names a Unicode character that does not exist" },
    { "flag variable without variables", "require \"imap4flags\"; setflag \"v\" \"\\\\Seen\";",
      "1:31 naming a variable here needs \"require\" of \"variables\"" },
    { "date part", "require \"date\"; if date \"date\" \"century\" \"20\" { stop; }",
      "1:32 there is no part \"century\" of a date" },
    { "zone", "require \"date\"; if date :zone \"CET\" \"date\" \"year\" \"2026\" { stop; }",
      "1:31 a time zone must be as in \"+0100\"" },
    { "zone and originalzone",
      "require \"date\"; if date :zone \"+0000\" :originalzone \"date\" \"year\" \"1\" { stop; }",
      "1:39 \":originalzone\" cannot stand together with \":zone\"" },
    { "duplicate header and uniqueid", "require \"duplicate\"; if duplicate :header \"a\" :uniqueid \"b\" { stop; }",
      "1:47 \":uniqueid\" cannot stand together with \":header\"" },
    { "addheader name", "require \"editheader\"; addheader \"a b\" \"x\";",
      "1:33 \"a b\" is no name of a header field" },
    { "deleteheader last", "require \"editheader\"; deleteheader :last \"a\";", "1:36 \":last\" needs \":index\"" },
    { "global without variables", "require \"include\"; global \"a\";",
      "1:20 \"global\" needs \"require\" of \"variables\"" },
    { "global after set", "require [\"include\", \"variables\"]; set \"a\" \"1\"; global \"a\";",
      "1:55 the variable \"a\" was set before it is made global" },
    { "global with namespace", "require [\"include\", \"variables\"]; global \"global.a\";",
      "1:42 \"global.a\" must be named without a namespace" },
    { "global number", "require [\"include\", \"variables\"]; set \"global.12\" \"1\";",
      "1:39 the match variable \"global.12\" cannot be set" },
    { "include variable", "require [\"include\", \"variables\"]; include \"${a}\";",
      "1:43 argument 1 of \"include\" must be constant, without variables" },
    { "include bad name", "require \"include\"; include \"\";", "1:28 \"\" is no name of a script" },
    { "include both places", "require \"include\"; include :personal :global \"a\";",
      "1:38 \":global\" cannot stand together with \":personal\"" },
    { "break outside", "require \"foreverypart\"; break;", "1:25 \"break\" must stand inside \"foreverypart\"" },
    { "break of none", "require \"foreverypart\"; foreverypart :name \"a\" { break :name \"b\"; }",
      "1:50 there is no \"foreverypart\" named \"b\" around this" },
    { "extracttext outside", "require [\"extracttext\", \"variables\"]; extracttext \"a\";",
      "1:39 \"extracttext\" must stand inside \"foreverypart\"" },
    { "anychild without mime", "require \"mime\"; if header :anychild \"a\" \"b\" { stop; }",
      "1:27 \":anychild\" needs \":mime\"" },
    { "anychild of address without mime", "require \"mime\"; if address :anychild \"from\" \"b\" { stop; }",
      "1:28 \":anychild\" needs \":mime\"" },
    { "bymode alone", "require \"redirect-deliverby\"; redirect :bymode \"notify\" \"a@b.example\";",
      "1:40 \":bymode\" needs \":bytimerelative\" or \":bytimeabsolute\"" },
    { "ihave leaves plain errors", "require \"ihave\"; if ihave \"x\" { redirect 5; }",
      "1:42 argument 1 of \"redirect\" must be a string" },
    { "ihave and require unknown", "require \"ihave\"; require \"frob\";", "1:26 there is no extension \"frob\"" },
};

static void test_limits(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf deep = { 0 };
    struct sieve_limits limits = sieve_default_limits;
    struct sieve_env env = case_env();
    struct sieve_result result;

    limits.script_bytes = 10;
    case_assert(case_run(&a, "keep; keep; keep;", &env, &limits, &result),
                "limit 1:1 the script is larger than 10 bytes");
    limits = sieve_default_limits;
    limits.nesting = 4;
    case_assert(case_run(&a, "if true { if true { if true { keep; } } }", &env, &limits, &result), "keep");
    case_assert(case_run(&a, "if true { if true { if true { if true { keep; } } } }", &env, &limits, &result),
                "limit 1:34 blocks and tests are nested more than 4 deep");
    limits = sieve_default_limits;
    limits.variables = 2;
    case_assert(case_run(&a, "require \"variables\"; set \"a\" \"${b}\"; set \"A\" \"${B}\";", &env, &limits, &result),
                "KEEP");
    case_assert(case_run(&a, "require \"variables\"; set \"a\" \"${b}${c}\";", &env, &limits, &result),
                "limit 1:26 the script uses more than 2 variables");
    strbuf_adds(&deep, "if ");
    for (int i = 0; i < 100000; i++)
        strbuf_adds(&deep, "not ");
    case_assert(case_run(&a, deep.p, &env, NULL, &result), "limit 1:128 blocks and tests are nested more than 32 deep");
    strbuf_reset(&deep);
    strbuf_adds(&deep, "if allof(");
    for (int i = 0; i < 31; i++)
        strbuf_adds(&deep, "not ");
    strbuf_adds(&deep, "true) { keep; }");
    case_assert(case_run(&a, deep.p, &env, NULL, &result), "limit 1:130 blocks and tests are nested more than 32 deep");
}

static void test_many_arguments(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf text = { 0 };
    struct sieve_env env = case_env();
    struct sieve_result result;

    strbuf_adds(&text, "keep");
    for (int i = 0; i < 40; i++)
        strbuf_adds(&text, " :flags");
    case_assert(case_run(&a, text.p, &env, NULL, &result), "limit 1:230 more than 32 arguments");
}

static void test_names(void **state)
{
    (void)state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str list = sieve_extensions(&a), one;
    size_t n = 0;

    while (str_split(&list, ' ', &one)) {
        struct sieve_script *script;
        struct sieve_error error;

        assert_int_equal(sieve_compile(arena_printf(&a, "require \"%.*s\";", STR_ARG(one)), NULL, &a, &script, &error),
                         RES_OK);
        n++;
    }
    assert_int_equal(n, 48);
    assert_true(sieve_is_script_name(STR("main script \xc3\xa9")));
    assert_false(sieve_is_script_name(STR("")));
    assert_false(sieve_is_script_name(STR("a\nb")));
    assert_false(sieve_is_script_name(STR("a\xc2\x85")));
    assert_false(sieve_is_script_name(STR("a\xe2\x80\xa8")));
    assert_false(sieve_is_script_name(STR("\xff")));
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 3] = { 0 };
    size_t n = 0;

    ADD_CASES(tests, n, cases, run_outcome);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_limits);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_many_arguments);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(test_names);
    return cmocka_run_group_tests_name("sieve_compile", tests, NULL, NULL);
}
