/* The scan of Autodiscover's request: which address it gives, and what it refuses. */
#include "tests/support/cmocka.h"

#include "api/autodiscover.h"
#include "base/strbuf.h"

#define NS " xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006\""
#define SCHEMA "<AcceptableResponseSchema>http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a</AcceptableResponseSchema>"
#define BODY(inside) STR("<Autodiscover" NS "><Request>" inside "</Request></Autodiscover>")
#define MAIL "<EMailAddress>alice@example.org</EMailAddress>"

static const struct scan_case {
    const char *name;
    struct str text;
    const char *want; /* NULL: RES_INVALID */
} cases[] = {
    { "as Outlook sends it",
      STR("<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<Autodiscover" NS ">\r\n  <Request>\r\n    " MAIL "\r\n    " SCHEMA "\r\n  </Request>\r\n</Autodiscover>\r\n"),
      "alice@example.org" },
    { "address last", BODY(SCHEMA MAIL), "alice@example.org" },
    { "mark of byte order", STR("\xef\xbb\xbf<Autodiscover><Request>" MAIL "</Request></Autodiscover>"), "alice@example.org" },
    { "blanks around it", BODY("<EMailAddress>\n\t a@b.test \n</EMailAddress>"), "a@b.test" },
    { "UTF-8", BODY("<EMailAddress>jos\xc3\xa9@example.org</EMailAddress>"), "jos\xc3\xa9@example.org" },
    { "attributes in both quotes", BODY("<x a='\"' b=\"'\" /><EMailAddress a = 'b' >a@b.test</EMailAddress >"), "a@b.test" },
    { "a quoted bracket", BODY("<x a='>'/>" MAIL), "alice@example.org" },
    { "the name elsewhere", BODY("<x><EMailAddress>x@y.test</EMailAddress></x>" MAIL), "alice@example.org" },
    { "nothing", STR(""), NULL },
    { "blanks", STR(" \n"), NULL },
    { "no XML", STR("alice@example.org"), NULL },
    { "JSON", STR("{\"EMailAddress\": \"alice@example.org\"}"), NULL },
    { "no address", BODY(SCHEMA), NULL },
    { "empty address", BODY("<EMailAddress></EMailAddress>"), NULL },
    { "blank address", BODY("<EMailAddress> </EMailAddress>"), NULL },
    { "closed address", BODY("<EMailAddress/>"), NULL },
    { "two addresses", BODY(MAIL MAIL), NULL },
    { "a closed one and one", BODY("<EMailAddress/>" MAIL), NULL },
    { "two requests", STR("<Autodiscover><Request>" MAIL "</Request><Request>" MAIL "</Request></Autodiscover>"), NULL },
    { "two documents", STR("<Autodiscover><Request>" MAIL "</Request></Autodiscover><Autodiscover/>"), NULL },
    { "other case", BODY("<EmailAddress>a@b.test</EmailAddress>"), NULL },
    { "elsewhere only", STR("<Autodiscover>" MAIL "</Autodiscover>"), NULL },
    { "other root", STR("<x><Request>" MAIL "</Request></x>"), NULL },
    { "element in it", BODY("<EMailAddress>a@<b/>b.test</EMailAddress>"), NULL },
    { "text behind", STR("<Autodiscover><Request>" MAIL "</Request></Autodiscover> x"), NULL },
    { "text before", STR("x<Autodiscover><Request>" MAIL "</Request></Autodiscover>"), NULL },
    { "cut", STR("<Autodiscover><Request>" MAIL "</Request>"), NULL },
    { "cut in a tag", STR("<Autodiscover><Request>" MAIL "</Request></Autodiscover"), NULL },
    { "cut in an attribute", STR("<Autodiscover a=\""), NULL },
    { "crossed", STR("<Autodiscover><Request>" MAIL "</Autodiscover></Request>"), NULL },
    { "end without a beginning", STR("</Autodiscover>"), NULL },
    { "DTD", STR("<!DOCTYPE Autodiscover [<!ENTITY e \"x\">]><Autodiscover><Request>" MAIL "</Request></Autodiscover>"), NULL },
    { "entity", BODY("<EMailAddress>&e;</EMailAddress>"), NULL },
    { "entity of XML", BODY("<EMailAddress>a&amp;b@b.test</EMailAddress>"), NULL },
    { "character reference", BODY("<EMailAddress>&#97;@b.test</EMailAddress>"), NULL },
    { "entity elsewhere", BODY("<x>&lt;</x>" MAIL), NULL },
    { "entity in an attribute", BODY("<x a='&lt;'/>" MAIL), NULL },
    { "comment", BODY("<!-- x -->" MAIL), NULL },
    { "CDATA", BODY("<EMailAddress><![CDATA[a@b.test]]></EMailAddress>"), NULL },
    { "instruction", BODY("<?x y?>" MAIL), NULL },
    { "two declarations", STR("<?xml version='1.0'?><?xml version='1.0'?><Autodiscover><Request>" MAIL "</Request></Autodiscover>"), NULL },
    { "open declaration", STR("<?xml version='1.0'>"), NULL },
    { "attribute without a value", BODY("<x a/>" MAIL), NULL },
    { "attribute without quotes", BODY("<x a=b/>" MAIL), NULL },
    { "attributes without a blank", BODY("<x a='1'b='2'/>" MAIL), NULL },
    { "bracket in an attribute", BODY("<x a='<'/>" MAIL), NULL },
    { "name with a digit first", BODY("<1/>" MAIL), NULL },
    { "blank before the name", BODY("< x/>" MAIL), NULL },
    { "NUL", BODY("<EMailAddress>a\0@b.test</EMailAddress>"), NULL },
    { "control character", BODY("<EMailAddress>a\x01@b.test</EMailAddress>"), NULL },
    { "no UTF-8", BODY("<EMailAddress>\xff@b.test</EMailAddress>"), NULL },
    { "UTF-16", STR("\xff\xfe<\0A\0"), NULL },
};

static void run_case(void **state)
{
    const struct scan_case *c = *state;
    struct str address = STR_NULL;
    enum result result = autodiscover_address(c->text, &address);

    assert_int_equal(result, c->want != NULL ? RES_OK : RES_INVALID);
    if (c->want != NULL)
        assert_true(str_eq(address, str_c(c->want)));
}

/* depth elements around nothing, beside the address. */
static enum result nested(size_t depth)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct str address;

    (void)strbuf_adds(&b, "<Autodiscover><Request>" MAIL);
    for (size_t i = 0; i < depth; i++)
        (void)strbuf_adds(&b, "<x>");
    for (size_t i = 0; i < depth; i++)
        (void)strbuf_adds(&b, "</x>");
    (void)strbuf_adds(&b, "</Request></Autodiscover>");
    return autodiscover_address(strbuf_str(&b), &address);
}

/* An address of n bytes, with blanks so that the document has `size`. */
static enum result sized(size_t n, size_t size)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };
    struct str address;

    (void)strbuf_adds(&b, "<Autodiscover><Request><EMailAddress>");
    for (size_t i = 0; i < n; i++)
        (void)strbuf_addc(&b, 'a');
    (void)strbuf_adds(&b, "</EMailAddress></Request></Autodiscover>");
    while (b.len < size)
        (void)strbuf_addc(&b, ' ');
    return autodiscover_address(strbuf_str(&b), &address);
}

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(nested(14), RES_OK);
    assert_int_equal(nested(15), RES_INVALID);
    assert_int_equal(nested(5000), RES_INVALID);
    assert_int_equal(sized(320, 0), RES_OK);
    assert_int_equal(sized(321, 0), RES_INVALID);
    assert_int_equal(sized(9, AUTODISCOVER_MAX), RES_OK);
    assert_int_equal(sized(9, AUTODISCOVER_MAX + 1), RES_LIMIT);
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(cases) + 1] = { 0 };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        tests[i] = (struct CMUnitTest){ .name = cases[i].name, .test_func = run_case, .initial_state = (void *)(uintptr_t)&cases[i] };
    tests[ARRAY_LEN(cases)] = (struct CMUnitTest)cmocka_unit_test(test_limits);
    return cmocka_run_group_tests_name("autodiscover", tests, NULL, NULL);
}
