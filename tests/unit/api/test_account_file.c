#include "tests/support/cmocka.h"

#include "api/account_file.h"

/* want: a line "N JSON" for each account, "N!code" for what is wrong; "!" alone: the first line cannot be used. */
static const struct file_case {
    const char *name;
    enum account_format format;
    struct str text;
    const char *want;
} cases[] = {
    { "csv: nothing", ACCOUNT_CSV, STR(""), "1!empty\n" },
    { "csv: no address", ACCOUNT_CSV, STR("name,role\nx,y\n"), "1!required\n" },
    { "csv: unknown column", ACCOUNT_CSV, STR("address,adress\n"), "1!unknown-column\n" },
    { "csv: doubled column", ACCOUNT_CSV, STR("address, ADDRESS \n"), "1!duplicate\n" },
    { "csv: bad first line", ACCOUNT_CSV, STR("\"address"), "1!syntax\n" },
    { "csv: all columns", ACCOUNT_CSV,
      STR("address,name,role,state,language,addresses,quota,quota_messages,recipients_per_hour,recipients_per_day,forward,"
          "forward_keep,delivery,delivery_user,password\r\n"
          "a@b.c,A,account,frozen,en,x@b.c  y@b.c,5,6,7,0,z@b.c,No,store,u, p \r\n"),
      "2 {\"address\":\"a@b.c\",\"name\":\"A\",\"role\":\"account\",\"state\":\"frozen\",\"language\":\"en\",\"addresses\":[\"x@b.c\",\"y@b.c\"],"
      "\"quota\":{\"limit\":5,\"message_limit\":6},\"limits\":{\"recipients_per_hour\":7,\"recipients_per_day\":0},"
      "\"forward\":[\"z@b.c\"],\"forward_keep\":false,\"delivery\":\"store\",\"delivery_user\":\"u\",\"password\":\" p \"}\n" },
    { "csv: empty cells", ACCOUNT_CSV, STR("address;name;role;state;language;addresses;quota;forward_keep;delivery;password\na;;;;;;;;;\n"),
      "2 {\"address\":\"a\",\"name\":\"\",\"language\":null,\"addresses\":[],\"quota\":{\"limit\":null},\"delivery\":null}\n" },
    { "csv: no numbers", ACCOUNT_CSV, STR("address,quota,quota_messages,forward_keep\na,-1,99999999999999999999,maybe\n"),
      "2 {\"address\":\"a\",\"quota\":{\"limit\":\"-1\",\"message_limit\":\"99999999999999999999\"},\"forward_keep\":\"maybe\"}\n" },
    { "csv: goes on behind a bad line", ACCOUNT_CSV, STR("address,name\na\nb,c,d\n\xff,e\nf,\"g\nh\"\ni,j\n"),
      "2!cells\n3!cells\n4!syntax\n5 {\"address\":\"f\",\"name\":\"g\\nh\"}\n7 {\"address\":\"i\",\"name\":\"j\"}\n" },
    { "lines: nothing", ACCOUNT_JSONL, STR("\n \r\n\n"), "" },
    { "lines", ACCOUNT_JSONL, STR("\xef\xbb\xbf{\"address\":\"a\"}\r\n\n{\"x\":[1]}"), "1 {\"address\":\"a\"}\n3 {\"x\":[1]}\n" },
    { "lines: goes on behind a bad line", ACCOUNT_JSONL, STR("{\n[1]\n{\"a\":1,\"a\":2}\n\"\xff\"\n{\"a\":1} x\nnull\n{}\n"),
      "1!syntax\n2!type\n3!syntax\n4!syntax\n5!syntax\n6!type\n7 {}\n" },
};

static void run_case(void **state)
{
    const struct file_case *k = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf got = { .max = 65536 };
    struct account_file f;
    struct account_line line;
    enum result r = account_file_begin(&f, k->format, k->text, &a, &line);

    if (r != RES_OK)
        strbuf_addf(&got, "%u!%s\n", line.number, line.code);
    while (r == RES_OK && (r = account_file_next(&f, &a, &line)) != RES_NOTFOUND) {
        if (r == RES_INVALID) {
            strbuf_addf(&got, "%u!%s\n", line.number, line.code);
            assert_true(line.detail.len > 0 && line.body == NULL);
        } else {
            strbuf_addf(&got, "%u %.*s\n", line.number, STR_ARG(js_text(line.body, &a)));
            js_free(line.body);
        }
        r = RES_OK;
    }
    assert_string_equal(got.p != NULL ? got.p : "", k->want);
}

static void too_long(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf text = { .max = CSV_MAX_RECORD * 2 };
    struct account_file f;
    struct account_line line;

    (void)state;
    strbuf_addc(&text, '"');
    for (size_t i = 0; i < CSV_MAX_RECORD; i++)
        strbuf_addc(&text, 'x');
    strbuf_adds(&text, "\"\n{}\n");
    assert_int_equal(account_file_begin(&f, ACCOUNT_JSONL, strbuf_str(&text), &a, &line), RES_OK);
    assert_int_equal(account_file_next(&f, &a, &line), RES_INVALID);
    assert_string_equal(line.code, "too-long");
    assert_int_equal(account_file_next(&f, &a, &line), RES_OK);
    js_free(line.body);
}

static void columns(void **state)
{
    static const struct { struct str place; const char *want; } v[] = {
        { STR("/address"), "address" }, { STR("/addresses/7"), "addresses" }, { STR("/quota/limit"), "quota" }, { STR("/quota"), NULL },
        { STR("/limits/recipients_per_day"), "recipients_per_day" }, { STR("/limits/recipients_per_hour"), NULL }, { STR("/name"), NULL },
        { STR(""), NULL }, { STR("/"), NULL }, { STR("address"), NULL }, { STR("/a~1b"), NULL },
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct account_file f;
    struct account_line line;

    (void)state;
    assert_int_equal(account_file_begin(&f, ACCOUNT_CSV, STR("address,addresses,quota,recipients_per_day\n"), &a, &line), RES_OK);
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        struct str got = account_file_column(&f, v[i].place);

        assert_true(v[i].want == NULL ? got.p == NULL : str_eq(got, str_c(v[i].want)));
    }
    assert_int_equal(account_file_begin(&f, ACCOUNT_JSONL, STR("{}"), &a, &line), RES_OK);
    assert_null(account_file_column(&f, STR("/address")).p);
}

/* What is written is read as the same in both forms. */
static void written(void **state)
{
    static struct str forward[] = { STR("x@example.net"), STR("y@example.net") };
    static const struct str further[] = { STR("b@example.org"), STR("c@example.org") };
    const struct account account = {
        .address = STR("a@example.org"), .name = STR("=1+1, \"A\""), .role = ROLE_DOMAIN_ADMIN, .state = ACCOUNT_SUSPENDED,
        .quota_bytes = 5, .forward = forward, .n_forward = 2, .forward_keep = true, .limits = { 7, SENT_NO_LIMIT },
        .delivery = STR("pipe:/bin/x"),
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str texts[2];

    (void)state;
    for (enum account_format format = ACCOUNT_CSV; format <= ACCOUNT_JSONL; format++) {
        CLEANUP(strbuf_release) struct strbuf b = { .max = 10000 };
        struct account_file f;
        struct account_line line;

        account_file_head(&b, format);
        account_file_add(&b, format, &account, further, 2, &a);
        assert_int_equal(account_file_begin(&f, format, strbuf_str(&b), &a, &line), RES_OK);
        assert_int_equal(account_file_next(&f, &a, &line), RES_OK);
        assert_int_equal(line.number, format == ACCOUNT_CSV ? 2 : 1);
        texts[format] = js_text(line.body, &a);
        js_free(line.body);
        assert_int_equal(account_file_next(&f, &a, &line), RES_NOTFOUND);
    }
    assert_string_equal(arena_cstr(&a, texts[0]), arena_cstr(&a, texts[1]));
    assert_true(str_find(texts[0], STR("\"limits\":{\"recipients_per_hour\":7,\"recipients_per_day\":0}")) != SIZE_MAX);
    assert_true(str_find(texts[0], STR("\"name\":\"=1+1, \\\"A\\\"\"")) != SIZE_MAX);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 3] = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = (void *)(uintptr_t)&cases[i] };
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest){ .name = "too long", .test_func = too_long };
    tests[ARRAY_LEN(cases) + 1] = (struct CMUnitTest){ .name = "columns", .test_func = columns };
    tests[ARRAY_LEN(cases) + 2] = (struct CMUnitTest){ .name = "written", .test_func = written };
    return cmocka_run_group_tests_name("account file", tests, NULL, NULL);
}
