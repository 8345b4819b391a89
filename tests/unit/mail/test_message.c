#include "tests/support/cmocka.h"

#include "base/strbuf.h"
#include "mail/message.h"

/* The tree as text: type/subtype[header size+body size,lines]( children ). */
static void show(struct strbuf *out, const struct mail_part *p)
{
    strbuf_addf(out, "%.*s/%.*s[%zu+%zu,%zu]", STR_ARG(p->type), STR_ARG(p->subtype), p->body_at - p->header_at,
                p->end - p->body_at, p->lines);
    if (p->children == NULL)
        return;
    strbuf_addc(out, p->kind == MAIL_MESSAGE ? '<' : '(');
    for (const struct mail_part *child = p->children; child != NULL; child = child->next) {
        if (child != p->children)
            strbuf_addc(out, ' ');
        show(out, child);
    }
    strbuf_addc(out, p->kind == MAIL_MESSAGE ? '>' : ')');
}

#define MP(boundary) "Content-Type: multipart/mixed; boundary=" boundary "\r\n\r\n"

struct tree_case {
    const char *name, *message, *want;
};

static struct tree_case cases[] = {
    { "empty", "", "text/plain[0+0,0]" },
    { "plain", "A: b\r\n\r\nx\r\ny", "text/plain[8+4,1]" },
    { "bare LF", "A: b\n\nx\ny\n", "text/plain[6+4,2]" },
    { "no header end", "A: b\r\nB: c", "text/plain[10+0,0]" },
    { "no header", "\r\nbody", "text/plain[2+4,0]" },
    { "type without slash", "Content-Type: text\r\n\r\n", "text/plain[22+0,0]" },
    { "type with half a slash", "Content-Type: /x\r\n\r\n", "text/plain[20+0,0]" },
    { "two parts", MP("b") "pre\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: a/c\r\n\r\ntwo\r\n\r\n--b--\r\nepi\r\n",
      "multipart/mixed[45+62,11](text/plain[2+3,0] a/c[21+5,1])" },
    { "bare LF parts", "Content-Type: multipart/x; boundary=b\n\n--b\n\none\n--b--\n",
      "multipart/x[39+15,4](text/plain[1+3,0])" },
    { "part without header end", MP("b") "--b\r\nA: b\r\n--b--\r\n", "multipart/mixed[45+18,3](text/plain[6+0,0])" },
    { "part without anything", MP("b") "--b\r\n--b--\r\n", "multipart/mixed[45+12,2](text/plain[0+0,0])" },
    { "truncated", MP("b") "--b\r\n\r\none\r\ntw", "multipart/mixed[45+14,3](text/plain[2+7,1])" },
    { "no boundary parameter", "Content-Type: multipart/mixed\r\n\r\n--b\r\n", "text/plain[33+5,1]" },
    { "empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\r\n\r\n--\r\n", "text/plain[46+4,1]" },
    { "boundary never comes", MP("b") "abc\r\n--c\r\n", "text/plain[45+10,2]" },
    { "only the closing delimiter", MP("b") "--b--\r\n", "text/plain[45+7,1]" },
    { "delimiter after the end", MP("b") "--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\ny",
      "multipart/mixed[45+25,6](text/plain[2+1,0])" },
    { "quoted boundary, blanks after",
      "Content-Type: multipart/x; boundary=\"a b \"\r\n\r\n--a b  \r\n\r\nx\r\n--a b--",
      "multipart/x[46+21,3](text/plain[2+1,0])" },
    { "nested", MP("o") "--o\r\n" MP("i") "--i\r\n\r\nx\r\n--i--\r\n--o\r\n\r\ny\r\n--o--\r\n",
      "multipart/mixed[45+84,11](multipart/mixed[45+15,3](text/plain[2+1,0]) text/plain[2+1,0])" },
    { "outer delimiter ends inner", MP("o") "--o\r\n" MP("i") "--i\r\n\r\nx\r\n--o--\r\n",
      "multipart/mixed[45+67,7](multipart/mixed[45+8,2](text/plain[2+1,0]))" },
    { "one boundary is the start of the other", MP("b") "--b\r\n" MP("bb") "--bb\r\n\r\nx\r\n--bb--\r\n--b--\r\n",
      "multipart/mixed[45+77,8](multipart/mixed[46+17,3](text/plain[2+1,0]))" },
    { "same boundary inside", MP("b") "--b\r\n" MP("b") "--b\r\n\r\nx\r\n--b--\r\n",
      "multipart/mixed[45+67,7](multipart/mixed[45+17,4](text/plain[2+1,0]))" },
    { "message", "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nx\r\n",
      "message/rfc822[32+11,3]<text/plain[8+3,1]>" },
    { "message in parts", MP("b") "--b\r\nContent-Type: message/rfc822\r\n\r\n" MP("i") "--i\r\n\r\nx\r\n--b--\r\n",
      "multipart/mixed[45+99,9](message/rfc822[32+53,4]<multipart/mixed[45+8,2](text/plain[2+1,0])>)" },
    { "message cut in its header", MP("b") "--b\r\nContent-Type: message/rfc822\r\n--b--",
      "multipart/mixed[45+40,2](message/rfc822[30+0,0]<text/plain[0+0,0]>)" },
    { "digest", "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b\r\n\r\nx\r\n--b--\r\n",
      "multipart/digest[46+25,6](message/rfc822[2+9,2]<text/plain[8+1,0]>)" },
    { "digest with a bad type",
      "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\nContent-Type: x\r\n\r\ny\r\n--b--\r\n",
      "multipart/digest[46+34,5](text/plain[19+1,0])" },
    { "second type is ignored", "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n", "a/b[40+0,0]" },
};

static void run_case(void **state)
{
    const struct tree_case *c = *state;
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };

    show(&out, mail_parse(&a, str_c(c->message)));
    if (!str_eq(strbuf_str(&out), str_c(c->want)))
        fail_msg("got  %.*s\nwant %s", STR_ARG(strbuf_str(&out)), c->want);
}

static void test_offsets(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str m = STR(MP("b") "--b\r\nContent-Transfer-Encoding: QUOTED-Printable (x)\r\nContent-ID: <1>\r\n\r\n"
                               "one\r\n--b--\r\n");
    struct mail_part *p = mail_parse(&a, m)->children;

    (void)state;
    assert_true(str_eq(str_sub(m, p->body_at, p->end - p->body_at), STR("one")));
    assert_true(str_starts(str_from(m, p->header_at), STR("Content-Transfer")));
    assert_int_equal(p->encoding, MAIL_QP);
    assert_true(str_eq(p->content_id, STR(" <1>")));
    assert_null(p->description.p);
    assert_null(mail_part_next(p));
}

static unsigned walk(struct mail_part *p, unsigned *ret_depth)
{
    unsigned n = 0;

    for (; p != NULL; p = mail_part_next(p)) {
        unsigned depth = 0;

        for (const struct mail_part *up = p; up != NULL; up = up->parent)
            depth++;
        *ret_depth = MAX(*ret_depth, depth);
        n++;
    }
    return n;
}

static void test_many_parts(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    unsigned depth = 0;
    struct mail_part *root;

    (void)state;
    strbuf_adds(&b, MP("b"));
    for (int i = 0; i < 10000; i++)
        strbuf_addf(&b, "--b\r\n\r\n%d\r\n", i);
    strbuf_adds(&b, "--b--\r\n");
    root = mail_parse(&a, strbuf_str(&b));
    assert_int_equal(walk(root, &depth), MAIL_MAX_PARTS);
    assert_int_equal(root->nchildren, MAIL_MAX_PARTS - 1);
    assert_int_equal(root->end, b.len);
}

static void test_deep(void **state)
{
    CLEANUP(strbuf_release) struct strbuf multiparts = { 0 }, messages = { 0 };

    (void)state;
    for (int i = 0; i < 1000; i++) {
        strbuf_addf(&multiparts, "Content-Type: multipart/mixed; boundary=b%04d\r\n\r\n--b%04d\r\n", i, i);
        strbuf_adds(&messages, "Content-Type: message/rfc822\r\n\r\n");
    }
    for (int i = 0; i < 2; i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        unsigned depth = 0;

        walk(mail_parse(&a, strbuf_str(i == 0 ? &multiparts : &messages)), &depth);
        assert_int_equal(depth, MAIL_MAX_DEPTH);
    }
}

/* Memory goes with the parts, not with the size. */
static void test_large(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct mail_part *root;

    (void)state;
    strbuf_adds(&b, MP("b") "--b\r\n\r\n");
    while (b.len < 50u << 20)
        strbuf_adds(&b, "--bAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA--x--\r\n"
                        "0123456789012345678901234567890123456789012345678901234567890123456789012345\r\n");
    root = mail_parse(&a, strbuf_str(&b));
    assert_int_equal(root->nchildren, MAIL_MAX_PARTS - 1);
    assert_true(a.used < 1000u * 1024);
}

static void test_huge_header(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct mail_part *root;

    (void)state;
    strbuf_adds(&b, "X: a\r\n");
    for (int i = 0; i < 100000; i++)
        strbuf_adds(&b, " folded\r\n");
    strbuf_adds(&b, "Content-Type: a/b\r\n\r\nbody");
    root = mail_parse(&a, strbuf_str(&b));
    assert_int_equal(root->end - root->body_at, 4);
    assert_true(str_eq(root->type, STR("text"))); /* it lies behind what is looked at */
    assert_true(a.used < 10000);
}

int main(void)
{
    static struct CMUnitTest tests[ARRAY_LEN(cases) + 5] = { cmocka_unit_test(test_offsets),
                                                             cmocka_unit_test(test_many_parts),
                                                             cmocka_unit_test(test_deep), cmocka_unit_test(test_large),
                                                             cmocka_unit_test(test_huge_header) };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[5 + i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = &cases[i] };
    return cmocka_run_group_tests_name("mail_message", tests, NULL, NULL);
}
