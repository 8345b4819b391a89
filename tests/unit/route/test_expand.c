#include "tests/support/cmocka.h"

#include "route/expand.h"

#define S(text) { text, sizeof(text) - 1 }

static struct arena arena;

/* What our.test knows of a local part. */
static struct route_facts world_of(struct str local)
{
    static struct str team[] = { S("alice@our.test"), S("bob@our.test"), S("far@far.test"), S("ALICE@our.test") };
    static struct str ring1[] = { S("ring2@our.test") }, ring2[] = { S("ring1@our.test"), S("bob@our.test") };
    static struct str self[] = { S("self@our.test") }, none[] = { S("nobody@our.test"), S("no address") };
    static struct str program[] = { S("|archive"), S("|archive") }, closed[] = { S("alice@our.test"), S("friend@far.test") };
    static struct str allowed[] = { S("@far.test"), S("bob@our.test") }, there[] = { S("away@far.test") }, back[] = { S("circle@our.test") };
    struct route_facts alias = { .kind = FACT_ALIAS }, account = { .kind = FACT_ACCOUNT, .quota_bytes = -1, .quota_messages = -1 };

    alias.address = arena_printf(&arena, "%.*s@our.test", STR_ARG(local));
    account.address = alias.address;
#define IS(name) str_ieq(local, STR(name))
#define MEMBERS(v) (alias.members = (v), alias.n_members = ARRAY_LEN(v))
    if (IS("alice") || IS("bob")) {
        account.account_id = account.inbox_id = IS("alice") ? 1 : 2;
        return account;
    }
    if (IS("keeps") || IS("sends") || IS("circle")) {
        account.account_id = account.inbox_id = IS("keeps") ? 3 : IS("sends") ? 4 : 5;
        account.forward = IS("circle") ? back : there;
        account.n_forward = 1;
        account.forward_keep = IS("keeps");
        return account;
    }
    if (IS("faulty")) {
        account.account_id = 9;
        return account;
    }
    if (IS("team"))
        MEMBERS(team);
    else if (IS("ring1"))
        MEMBERS(ring1);
    else if (IS("ring2"))
        MEMBERS(ring2);
    else if (IS("self"))
        MEMBERS(self);
    else if (IS("empty"))
        MEMBERS(none);
    else if (IS("program"))
        MEMBERS(program);
    else if (IS("domain") || IS("members") || IS("list"))
        MEMBERS(closed);
    else if (local.len > 4 && str_istarts(local, STR("deep"))) { /* deep1 leads to deep2, ... */
        uint64_t n = 0;

        (void)str_u64(str_from(local, 4), 99, &n);
        alias.members = arena_new(&arena, struct str);
        alias.members[0] = n >= 20 ? STR("alice@our.test") : arena_printf(&arena, "deep%d@our.test", (int)n + 1);
        alias.n_members = 1;
    } else if (str_istarts(local, STR("wide"))) { /* a tree whose leaves are elsewhere */
        alias.members = arena_array(&arena, struct str, 50);
        for (size_t i = 0; i < 50; i++)
            alias.members[i] = IS("wide") ? arena_printf(&arena, "wide%zu@our.test", i)
                                          : arena_printf(&arena, "%.*s-%zu@far.test", STR_ARG(local), i);
        alias.n_members = 50;
    } else
        return (struct route_facts){ .kind = FACT_UNKNOWN };
    alias.senders = IS("domain") ? SENDERS_DOMAIN : IS("members") ? SENDERS_MEMBERS : IS("list") ? SENDERS_LIST : SENDERS_ANYONE;
    alias.allowed = allowed;
    alias.n_allowed = ARRAY_LEN(allowed);
    return alias;
}

static enum result look_up(void *data, struct str local, struct str domain, struct arena *a, struct route_facts *ret)
{
    (void)data;
    (void)a;
    *ret = (struct route_facts){ .kind = FACT_REMOTE };
    if (str_eq(domain, STR("our.test")))
        *ret = world_of(local);
    else if (str_eq(domain, STR("off.test")))
        ret->kind = FACT_DISABLED;
    else if (str_eq(domain, STR("backup.test")))
        ret->kind = FACT_RELAY;
    else if (str_eq(domain, STR("trouble.test")))
        return RES_TEMPFAIL;
    return RES_OK;
}

static struct route_result expand(const char *address, const char *from, bool trusted)
{
    const struct route_sender sender = { str_c(from), trusted };
    struct route_result r;

    route_expand(str_c(address), &sender, look_up, NULL, &arena, &r);
    return r;
}

/* "account:1 remote:far@far.test", in order. */
static const char *recipients(const char *address)
{
    struct route_result r = expand(address, "x@far.test", false);
    struct str out = STR("");

    for (size_t i = 0; i < r.n_recipients; i++) {
        const struct route_recipient *one = &r.recipients[i];

        out = one->kind == ROUTE_MAILBOX ? arena_printf(&arena, "%.*s%d ", STR_ARG(out), (int)one->facts.account_id)
              : one->kind == ROUTE_PROGRAM
                  ? arena_printf(&arena, "%.*s|%.*s ", STR_ARG(out), STR_ARG(one->program))
                  : arena_printf(&arena, "%.*s%.*s(%.*s) ", STR_ARG(out), STR_ARG(one->address), STR_ARG(one->via));
    }
    return out.p;
}

static void test_recipients(void **state)
{
    (void)state;
    assert_string_equal(recipients("alice@our.test"), "1 ");
    assert_string_equal(recipients("team@our.test"), "1 2 far@far.test(team@our.test) ");
    assert_string_equal(recipients("ring1@our.test"), "2 ");
    assert_string_equal(recipients("program@our.test"), "|archive ");
    assert_string_equal(recipients("keeps@our.test"), "3 away@far.test(keeps@our.test) ");
    assert_string_equal(recipients("sends@our.test"), "away@far.test(sends@our.test) ");
    assert_string_equal(recipients("circle@our.test"), "5 "); /* a forward to itself must not lose its mail */
    assert_string_equal(recipients("x@far.test"), "x@far.test() ");
    assert_string_equal(recipients("x@backup.test"), "x@backup.test() ");
}

static void test_verdicts(void **state)
{
    (void)state;
    assert_int_equal(expand("nobody@our.test", "", false).verdict, ROUTE_UNKNOWN);
    assert_int_equal(expand("x@off.test", "", false).verdict, ROUTE_DISABLED);
    assert_int_equal(expand("x@trouble.test", "", false).verdict, ROUTE_TROUBLE);
    assert_int_equal(expand("faulty@our.test", "", false).verdict, ROUTE_TROUBLE);
    assert_int_equal(expand("self@our.test", "", false).verdict, ROUTE_LOOP);
    assert_int_equal(expand("empty@our.test", "", false).verdict, ROUTE_UNKNOWN);
    assert_int_equal(expand("no address", "", false).verdict, ROUTE_UNKNOWN);
    assert_int_equal(expand("deep13@our.test", "", false).verdict, ROUTE_FOUND); /* eight in a row */
    assert_int_equal(expand("deep12@our.test", "", false).verdict, ROUTE_LOOP);
    assert_int_equal(expand("wide@our.test", "", false).verdict, ROUTE_TOO_MANY);
}

static void test_senders(void **state)
{
    static const struct {
        const char *alias, *from;
        bool trusted, may;
    } cases[] = {
        { "domain@our.test", "bob@our.test", true, true },    { "domain@our.test", "bob@our.test", false, false },
        { "domain@our.test", "x@far.test", false, false },    { "domain@our.test", "", false, false },
        { "members@our.test", "alice@our.test", true, true }, { "members@our.test", "bob@our.test", true, false },
        { "members@our.test", "Friend@far.test", false, true }, { "members@our.test", "alice@our.test", false, false },
        { "list@our.test", "any@far.test", false, true },     { "list@our.test", "bob@our.test", true, true },
        { "list@our.test", "alice@our.test", true, false },   { "list@our.test", "x@sub.far.test", false, false },
        { "team@our.test", "", false, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        enum route_verdict verdict = expand(cases[i].alias, cases[i].from, cases[i].trusted).verdict;

        if (verdict != (cases[i].may ? ROUTE_FOUND : ROUTE_DENIED))
            fail_msg("%s to %s", cases[i].from, cases[i].alias);
    }
}

static void test_steps(void **state)
{
    struct route_result r = expand("ring1@our.test", "", false);

    (void)state;
    assert_int_equal(r.n_steps, 5); /* to ring2; to ring1: a loop; to bob: an account */
    assert_int_equal(r.steps[0].kind, STEP_ALIAS);
    assert_int_equal(r.steps[2].kind, STEP_LOOP);
    assert_int_equal(r.steps[4].kind, STEP_ACCOUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recipients),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_senders),
        cmocka_unit_test(test_steps),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    arena_reset(&arena);
    return failed;
}
