/* Sieve scripts against a real PostgreSQL, as the roles that write them. */
#include "tests/support/queue_fixture.h"

#include "store/script.h"

static struct script_owner person(int64_t account)
{
    return (struct script_owner){ .account_id = account, .place = SCRIPT_PERSONAL };
}

static void add_people(void)
{
    (void)database_sql(owner, "INSERT INTO domain (id, tenant_id, name) OVERRIDING SYSTEM VALUE VALUES (7, 1, 'here.test'), (8, 1, 'there.test');"
                              "INSERT INTO account (id, tenant_id, domain_id, address) OVERRIDING SYSTEM VALUE VALUES "
                              "(1, 1, 7, 'x@here.test'), (2, 1, 7, 'y@here.test'), (3, 1, 8, 'z@there.test')");
}

static void put(const struct script_owner *o, const char *name, const char *text)
{
    assert_int_equal(script_put(db, o, str_c(name), str_c(text), -1, NULL), RES_OK);
}

static enum result set_active(const struct script_owner *o, const char *name, bool active)
{
    const struct script_change change = { .sets_active = true, .active = active };

    return script_change(db, o, str_c(name), &change, -1, NULL);
}

static void body_write(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct script_owner x = person(1), y = person(2);
    const struct script_change rename = { .name = STR("b") }, both = { .name = STR("c"), .sets_active = true, .active = true };
    struct script got, *v;
    size_t n;

    add_people();
    assert_int_equal(script_put(db, &x, STR("a"), STR("keep;"), 3, NULL), RES_CONFLICT);
    assert_int_equal(script_put(db, &x, STR("a"), STR("keep;"), 0, NULL), RES_OK);
    assert_int_equal(script_put(db, &x, STR("a"), STR("stop;"), 0, NULL), RES_CONFLICT);
    assert_int_equal(script_put(db, &x, STR("a"), STR("stop;"), 1, NULL), RES_OK);
    assert_int_equal(script_get(db, &y, STR("a"), &a, &got), RES_NOTFOUND);
    assert_int_equal(script_get(db, &x, STR("a"), &a, &got), RES_OK);
    assert_true(str_eq(got.content, STR("stop;")) && got.version == 2 && got.size == 5 && !got.active);

    put(&x, "b", "keep;");
    assert_int_equal(script_change(db, &x, STR("none"), &rename, -1, NULL), RES_NOTFOUND);
    assert_int_equal(script_change(db, &x, STR("a"), &rename, 1, NULL), RES_CONFLICT);
    assert_int_equal(script_change(db, &x, STR("a"), &rename, -1, NULL), RES_EXISTS);
    assert_int_equal(script_change(db, &x, STR("a"), &both, 2, NULL), RES_OK);
    assert_int_equal(set_active(&x, "c", true), RES_OK);
    assert_int_equal(script_get(db, &x, STR("c"), &a, &got), RES_OK);
    assert_true(got.active && got.version == 3); /* nothing changed the second time */
    assert_int_equal(script_delete(db, &x, STR("c"), -1, false, NULL), RES_CONFLICT);
    assert_int_equal(script_delete(db, &x, STR("b"), 7, false, NULL), RES_CONFLICT);
    assert_int_equal(script_delete(db, &x, STR("b"), 1, false, NULL), RES_OK);
    assert_int_equal(script_delete(db, &x, STR("b"), -1, false, NULL), RES_NOTFOUND);
    assert_int_equal(script_delete(db, &x, STR("c"), -1, true, NULL), RES_OK);
    assert_int_equal(script_list(db, &x, &a, &v, &n), RES_OK);
    assert_int_equal(n, 0);
}

static void body_active(void)
{
    const struct script_owner x = person(1), y = person(2), before = { .place = SCRIPT_BEFORE };

    add_people();
    put(&x, "a", "keep;");
    put(&x, "b", "keep;");
    put(&y, "a", "keep;");
    put(&before, "a", "keep;");
    put(&before, "b", "keep;");
    assert_int_equal(set_active(&x, "a", true), RES_OK);
    assert_int_equal(set_active(&y, "a", true), RES_OK);
    assert_int_equal(set_active(&before, "a", true), RES_OK);
    assert_int_equal(set_active(&before, "b", true), RES_OK); /* an administrator's: any number */
    assert_int_equal(set_active(&x, "b", true), RES_OK);
    assert_int_equal(count("sieve_script WHERE active"), 4);
    assert_int_equal(count("sieve_script WHERE active AND account_id = 1 AND name = 'b'"), 1);
    put(&x, "b", "stop;"); /* replaced: it stays active */
    assert_int_equal(set_active(&y, "a", false), RES_OK);
    assert_int_equal(script_deactivate(db, &x, NULL), RES_OK);
    assert_int_equal(script_deactivate(db, &x, NULL), RES_OK);
    assert_int_equal(count("sieve_script WHERE active"), 2);
}

static void body_limits(void)
{
    const struct script_owner x = person(1);
    char *big = calloc(1, SCRIPT_MAX_BYTES + 2);
    char name[16];

    add_people();
    assert_non_null(big);
    memset(big, '#', SCRIPT_MAX_BYTES + 1);
    assert_int_equal(script_put(db, &x, STR("a"), str_of(big, SCRIPT_MAX_BYTES + 1), -1, NULL), RES_LIMIT);
    assert_int_equal(script_put(db, &x, STR("a"), str_of(big, SCRIPT_MAX_BYTES), -1, NULL), RES_OK);
    free(big);
    for (int i = 1; i < SCRIPT_MAX_COUNT; i++) {
        (void)snprintf(name, sizeof(name), "s%d", i);
        put(&x, name, "keep;");
    }
    assert_int_equal(script_put(db, &x, STR("more"), STR("keep;"), -1, NULL), RES_LIMIT);
    assert_int_equal(script_put(db, &x, STR("a"), STR("keep;"), -1, NULL), RES_OK);
}

static void body_chain(void)
{
    static const char *const want[] = { "server before a", "server before b", "domain before", "own", "domain after", "server after" };
    const struct script_owner x = person(1), z = person(3), server_before = { .place = SCRIPT_BEFORE },
                              server_after = { .place = SCRIPT_AFTER }, server_global = { .place = SCRIPT_GLOBAL },
                              server_imap = { .place = SCRIPT_IMAP },
                              domain_before = { .domain_id = 7, .place = SCRIPT_BEFORE },
                              domain_after = { .domain_id = 7, .place = SCRIPT_AFTER },
                              domain_global = { .domain_id = 7, .place = SCRIPT_GLOBAL };
    const struct { const struct script_owner *o; const char *name; } scripts[] = {
        { &server_after, "server after" }, { &domain_after, "domain after" }, { &x, "own" }, { &domain_before, "domain before" },
        { &server_before, "server before b" }, { &server_before, "server before a" },
    };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct script_ref *v, ref;
    unsigned char hash[SCRIPT_HASH_BYTES];
    struct str text;
    size_t n;

    add_people();
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        put(scripts[i].o, scripts[i].name, "keep;");
        assert_int_equal(set_active(scripts[i].o, scripts[i].name, true), RES_OK);
    }
    put(&server_before, "asleep", "keep;");
    assert_int_equal(script_chain(db, 1, &a, &v, &n), RES_OK);
    assert_int_equal(n, ARRAY_LEN(want));
    for (size_t i = 0; i < n; i++)
        assert_true(str_eq(v[i].name, str_c(want[i])));
    assert_int_equal(script_chain(db, 3, &a, &v, &n), RES_OK);
    assert_int_equal(n, 3); /* of another domain: the server's alone */

    put(&server_global, "g", "discard;");
    assert_int_equal(script_find(db, 1, false, STR("g"), &a, &ref), RES_NOTFOUND);
    assert_int_equal(script_find(db, 1, true, STR("own"), &a, &ref), RES_NOTFOUND);
    put(&domain_global, "g", "keep;");
    assert_int_equal(script_find(db, 3, true, STR("g"), &a, &ref), RES_OK);
    assert_int_equal(script_content(db, ref.id, &a, &text, hash), RES_OK);
    assert_true(str_eq(text, STR("discard;")));
    assert_int_equal(script_find(db, 1, true, STR("g"), &a, &ref), RES_OK);
    assert_int_equal(script_content(db, ref.id, &a, &text, hash), RES_OK);
    assert_true(str_eq(text, STR("keep;")));

    put(&server_imap, "on move", "keep;");
    put(&z, "on move", "discard;");
    assert_int_equal(script_find_imap(db, 1, STR("on move"), &a, &ref), RES_OK);
    assert_int_equal(ref.place, SCRIPT_IMAP);
    assert_int_equal(script_find_imap(db, 3, STR("on move"), &a, &ref), RES_OK);
    assert_int_equal(ref.place, SCRIPT_PERSONAL); /* any of a person's filters */
    assert_int_equal(script_find_imap(db, 1, STR("g"), &a, &ref), RES_NOTFOUND);
}

int main(void)
{
    struct body bodies[] = { { "write", body_write }, { "active", body_active }, { "limits", body_limits }, { "chain", body_chain } };

    return run_bodies("script", "correio_access", bodies, ARRAY_LEN(bodies));
}
