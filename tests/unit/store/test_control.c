/* Domains, accounts, aliases, tokens and the record of changes against a real PostgreSQL, as api's role. */
#include "tests/support/queue_fixture.h"

#include "base/encode.h"
#include "store/alias.h"
#include "store/bootstrap.h"
#include "store/session.h"
#include "store/setting.h"
#include "store/token.h"

static const struct visible all = { .limited = false };
static const struct str actor = STR("{\"kind\": \"test\"}");

static const struct audit *did(const char *action)
{
    static struct audit audit;

    audit = (struct audit){ .actor = actor, .action = str_c(action), .after = STR("{\"b\": 1,  \"a\": [2]}") };
    return &audit;
}

static void add_domain(const char *name)
{
    const struct domain_write w = { .name = str_c(name) };

    assert_int_equal(domain_create(db, &w, did("domain.create")), RES_OK);
}

static int64_t add_account(const char *address, enum account_role role)
{
    const struct account_write w = { .address = str_c(address), .name = STR("N"), .role = role, .quota_bytes = 5000000 };
    int64_t id;

    assert_int_equal(account_create(db, &w, did("account.create"), &id), RES_OK);
    return id;
}

static enum result put_alias(struct str address, const struct str *members, size_t n, bool create, int64_t if_version,
                             const struct audit *audit)
{
    const struct alias alias = { .address = address, .members = (struct str *)(uintptr_t)members, .n_members = n,
                                 .who_may_send = STR("members"), .expires_us = DB_NO_TIME };

    return alias_put(db, &alias, create, if_version, audit);
}

static void body_account(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct account_write w = { .address = STR("x@here.test") };
    struct account got;
    int64_t id, other;

    assert_int_equal(account_create(db, &w, NULL, &id), RES_NOTFOUND);
    add_domain("here.test");
    id = add_account("x@here.test", ROLE_ACCOUNT);
    assert_int_equal(account_create(db, &w, NULL, &other), RES_EXISTS);
    assert_int_equal(count("mailbox WHERE special_use = CASE name WHEN 'INBOX' THEN 0 WHEN 'Archive' THEN 1 WHEN 'Drafts' THEN 2"
                           " WHEN 'Junk' THEN 3 WHEN 'Sent' THEN 4 WHEN 'Trash' THEN 5 END"), 6);
    assert_int_equal(number("SELECT count(DISTINCT uidvalidity) FROM mailbox"), 6);
    assert_int_equal(number("SELECT s.last_uidvalidity - max(m.uidvalidity) FROM account_state s, mailbox m GROUP BY s.last_uidvalidity"), 0);
    assert_int_equal(account_get(db, STR("x@here.test"), &all, &a, &got), RES_OK);
    assert_true(got.id == id && got.state == ACCOUNT_INVITED && got.quota_bytes == 5000000 && got.version == 1);

    w = (struct account_write){ .address = STR("x@here.test"), .name = STR("M"), .role = ROLE_DOMAIN_ADMIN };
    assert_int_equal(account_update(db, &w, 7, NULL), RES_CONFLICT);
    assert_int_equal(account_update(db, &w, 1, NULL), RES_OK);
    assert_int_equal(count("domain_admin"), 1);
    assert_int_equal(account_get(db, STR("x@here.test"), &all, &a, &got), RES_OK);
    assert_true(got.quota_bytes == 0 && got.version == 2 && got.role == ROLE_DOMAIN_ADMIN);

    assert_int_equal(account_delete(db, STR("x@here.test"), false, 1, NULL), RES_CONFLICT);
    assert_int_equal(account_delete(db, STR("x@here.test"), false, 2, NULL), RES_OK);
    assert_int_equal(account_get(db, STR("x@here.test"), &all, &a, &got), RES_NOTFOUND);
    assert_int_equal(account_get_deleted(db, STR("x@here.test"), &all, &a, &got), RES_OK);
    assert_true(got.id == id && got.state == ACCOUNT_DELETED && got.deleted_us != DB_NO_TIME);
    assert_int_equal(account_create(db, &w, NULL, &other), RES_EXISTS);
    assert_int_equal(account_delete(db, STR("x@here.test"), false, -1, NULL), RES_NOTFOUND);
    assert_int_equal(account_restore(db, STR("x@here.test"), did("account.restore")), RES_OK);
    assert_int_equal(account_restore(db, STR("x@here.test"), NULL), RES_NOTFOUND);
    assert_int_equal(account_get(db, STR("x@here.test"), &all, &a, &got), RES_OK);
    assert_true(got.state == ACCOUNT_INVITED && got.deleted_us == DB_NO_TIME && got.role == ROLE_DOMAIN_ADMIN);
    assert_int_equal(account_delete(db, STR("x@here.test"), false, -1, NULL), RES_OK);
    assert_int_equal(account_delete(db, STR("x@here.test"), true, -1, did("account.purge")), RES_OK);
    assert_int_equal(account_get_deleted(db, STR("x@here.test"), &all, &a, &got), RES_NOTFOUND);
    assert_int_equal(account_restore(db, STR("x@here.test"), NULL), RES_NOTFOUND);
    assert_int_equal(count("address"), 0);
    assert_int_equal(count("mailbox"), 6); /* its mail stays for the sweeper */
    assert_int_not_equal(add_account("x@here.test", ROLE_ACCOUNT), id);
}

/* A deleted domain keeps its name, its aliases and the accounts that were deleted with it. */
static void body_deleted_domain(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct str member[] = { STR("x@here.test") };
    const struct domain_write again = { .name = STR("here.test") };
    struct domain_filter f = { .states = 4 };
    struct account account;
    struct alias alias;
    struct domain d, *v;
    size_t n;
    bool more;

    add_domain("here.test");
    (void)add_account("x@here.test", ROLE_ACCOUNT);
    (void)add_account("gone@here.test", ROLE_ACCOUNT);
    assert_int_equal(put_alias(STR("team@here.test"), member, 1, true, -1, NULL), RES_OK);
    assert_int_equal(account_delete(db, STR("gone@here.test"), false, -1, NULL), RES_OK);
    assert_int_equal(domain_delete(db, STR("here.test"), true, false, -1, NULL), RES_OK);
    assert_int_equal(domain_get(db, STR("here.test"), &all, &a, &d), RES_NOTFOUND);
    assert_int_equal(alias_get(db, STR("team@here.test"), &all, &a, &alias), RES_NOTFOUND);
    assert_int_equal(account_get_deleted(db, STR("x@here.test"), &all, &a, &account), RES_NOTFOUND);
    assert_int_equal(account_restore(db, STR("x@here.test"), NULL), RES_NOTFOUND);
    assert_int_equal(domain_create(db, &again, NULL), RES_EXISTS);
    assert_int_equal(domain_list(db, &f, false, STR_NULL, 10, &a, &v, &n, &more), RES_OK);
    assert_true(n == 1 && v[0].deleted_us != DB_NO_TIME);
    f.states = 0;
    assert_int_equal(domain_list(db, &f, false, STR_NULL, 10, &a, &v, &n, &more), RES_OK);
    assert_int_equal(n, 0);
    assert_int_equal(domain_restore(db, STR("here.test"), did("domain.restore")), RES_OK);
    assert_int_equal(domain_restore(db, STR("here.test"), NULL), RES_NOTFOUND);
    assert_int_equal(account_get(db, STR("x@here.test"), &all, &a, &account), RES_OK);
    assert_int_equal(account_get(db, STR("gone@here.test"), &all, &a, &account), RES_NOTFOUND); /* before its domain */
    assert_int_equal(alias_get(db, STR("team@here.test"), &all, &a, &alias), RES_OK);
    assert_int_equal(domain_delete(db, STR("here.test"), true, true, -1, NULL), RES_OK);
    assert_int_equal(domain_restore(db, STR("here.test"), NULL), RES_NOTFOUND);
    assert_int_equal(count("address"), 0);
    add_domain("here.test");
    (void)add_account("x@here.test", ROLE_ACCOUNT);
}

static void body_last_admin(void)
{
    struct account_write w = { .address = STR("root@here.test"), .role = ROLE_ACCOUNT };
    const struct domain_write off = { .name = STR("here.test"), .disabled = true };

    add_domain("here.test");
    add_domain("there.test");
    (void)add_account("root@here.test", ROLE_SYSTEM_ADMIN); /* invited only, and still the last one */
    assert_int_equal(account_delete(db, w.address, false, -1, NULL), RES_DENIED);
    (void)database_sql(owner, "UPDATE account SET state = 1");
    (void)add_account("new@there.test", ROLE_SYSTEM_ADMIN); /* who is only invited does not count for one who can sign in */
    assert_int_equal(account_update(db, &w, -1, NULL), RES_DENIED);
    assert_int_equal(account_suspend(db, w.address, STR_NULL, STR("t"), NULL), RES_DENIED);
    assert_int_equal(domain_update(db, &off, -1, NULL), RES_DENIED);
    assert_int_equal(domain_delete(db, STR("here.test"), true, false, -1, NULL), RES_DENIED);
    assert_int_equal(count("account WHERE state = 1 AND role = 2 AND deleted_at IS NULL"), 1);
    (void)database_sql(owner, "UPDATE account SET state = 1");
    assert_int_equal(account_update(db, &w, -1, NULL), RES_OK);
}

static enum result first_result, second_result;
static struct coroutine *waiting;

static void remove_second(void *arg)
{
    (void)arg;
    second_result = account_delete(db, STR("two@here.test"), false, -1, NULL);
    coroutine_wake(waiting);
    waiting = NULL;
}

/* Two transactions, each of which leaves the other's administrator, do not leave none. */
static void body_two_admins_at_once(void)
{
    add_domain("here.test");
    (void)add_account("one@here.test", ROLE_SYSTEM_ADMIN);
    (void)add_account("two@here.test", ROLE_SYSTEM_ADMIN);
    (void)database_sql(owner, "UPDATE account SET state = 1");
    waiting = coroutine_self();
    assert_non_null(coroutine_spawn("second", remove_second, NULL));
    first_result = account_delete(db, STR("one@here.test"), false, -1, NULL);
    while (waiting != NULL)
        (void)coroutine_wait(NO_DEADLINE, false);
    assert_true((first_result == RES_OK) != (second_result == RES_OK));
    assert_int_equal(count("account WHERE state = 1"), 1);
}

static void body_suspend(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct session session;
    struct account got;

    add_domain("here.test");
    (void)add_account("x@here.test", ROLE_ACCOUNT);
    (void)database_sql(owner, "INSERT INTO session (hash, account_id, csrf) SELECT 'h', id, 'c' FROM account");
    assert_int_equal(session_find(db, STR("h"), &a, &session), RES_OK);
    assert_true(str_eq(session.address, STR("x@here.test")) && str_eq(session.csrf, STR("c")) && !session.must_set_password);
    assert_int_equal(account_suspend(db, STR("x@here.test"), STR("spam"), STR("root"), NULL), RES_OK);
    assert_int_equal(session_find(db, STR("h"), &a, &session), RES_NOTFOUND);
    assert_int_equal(account_suspend(db, STR("x@here.test"), STR("more"), STR("root"), NULL), RES_OK);
    assert_int_equal(account_get(db, STR("x@here.test"), &all, &a, &got), RES_OK);
    assert_true(got.state == ACCOUNT_SUSPENDED && str_eq(got.state_reason, STR("more")) && str_eq(got.state_by, STR("root")));
    assert_int_equal(account_resume(db, STR("x@here.test"), NULL), RES_OK);
    assert_int_equal(account_get(db, STR("x@here.test"), &all, &a, &got), RES_OK);
    assert_int_equal(got.state, ACCOUNT_INVITED);
}

static void body_sessions_end(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct session session;

    add_domain("here.test");
    (void)add_account("x@here.test", ROLE_ACCOUNT);
    (void)database_sql(owner, "INSERT INTO session (hash, account_id, csrf, created_at, seen_at) SELECT h, id, 'c', now() - c, now() - s"
                              " FROM account, (VALUES ('new'::bytea, interval '0', interval '0'), ('idle', '31 min', '31 min'),"
                              " ('used', '11 h', '29 min'), ('old', '12 h 1 min', '1 min')) AS v (h, c, s)");
    assert_int_equal(session_find(db, STR("new"), &a, &session), RES_OK);
    assert_int_equal(session_find(db, STR("idle"), &a, &session), RES_NOTFOUND);
    assert_int_equal(session_find(db, STR("old"), &a, &session), RES_NOTFOUND);
    assert_int_equal(session_find(db, STR("used"), &a, &session), RES_OK);
    assert_int_equal(count("session WHERE hash = 'used' AND seen_at > now() - interval '1 min'"), 1);
    assert_int_equal(session_sweep(db), RES_OK);
    assert_int_equal(count("session"), 2);
}

static void body_alias(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct str members[] = { STR("x@here.test"), STR("far@far.test") }, nested[] = { STR("team@here.test") };
    const struct str back[] = { STR("two@here.test") };
    const struct str ask[] = { STR("x@here.test"), STR("far@far.test"), STR("team@here.test"), STR("none@here.test"),
                               STR("x+sub@here.test") };
    enum alias_member_kind kinds[ARRAY_LEN(ask)];
    struct alias got;

    add_domain("here.test");
    (void)add_account("x@here.test", ROLE_ACCOUNT);
    assert_int_equal(put_alias(STR("team@none.test"), members, 2, true, -1, NULL), RES_NOTFOUND);
    assert_int_equal(put_alias(STR("x@here.test"), members, 2, true, -1, NULL), RES_EXISTS);
    assert_int_equal(put_alias(STR("team@here.test"), members, 2, true, -1, did("alias.create")), RES_OK);
    assert_int_equal(put_alias(STR("two@here.test"), nested, 1, true, -1, NULL), RES_OK);
    assert_int_equal(put_alias(STR("team@here.test"), back, 1, false, -1, NULL), RES_DENIED);
    assert_int_equal(count("alias"), 2);
    assert_int_equal(alias_check_members(db, ask, ARRAY_LEN(ask), &a, kinds), RES_OK);
    assert_true(kinds[0] == MEMBER_ACCOUNT && kinds[1] == MEMBER_ELSEWHERE && kinds[2] == MEMBER_ALIAS &&
                kinds[3] == MEMBER_UNKNOWN && kinds[4] == MEMBER_ACCOUNT);
    assert_int_equal(put_alias(STR("team@here.test"), members, 1, false, 5, NULL), RES_CONFLICT);
    assert_int_equal(put_alias(STR("team@here.test"), members, 1, false, 1, NULL), RES_OK);
    assert_int_equal(alias_get(db, STR("team@here.test"), &all, &a, &got), RES_OK);
    assert_true(got.n_members == 1 && got.version == 2 && str_eq(got.who_may_send, STR("members")) && !got.has_send_as);
    assert_int_equal(alias_delete(db, STR("two@here.test"), -1, NULL), RES_OK);
    assert_int_equal(domain_delete(db, STR("here.test"), false, false, -1, NULL), RES_LIMIT);
    assert_int_equal(account_delete(db, STR("x@here.test"), true, -1, NULL), RES_OK); /* it was the only member */
    assert_int_equal(count("alias") + count("alias_member") + count("address"), 0);
    assert_int_equal(domain_delete(db, STR("here.test"), false, true, -1, NULL), RES_OK);
    add_domain("here.test");
}

static void body_alias_depth(void)
{
    char name[40], member[40];

    add_domain("deep.test");
    for (int i = 0; i < 9; i++) {
        const struct str members[] = { str_c(i == 0 ? "far@far.test" : member) };

        (void)snprintf(name, sizeof(name), "a%d@deep.test", i);
        assert_int_equal(put_alias(str_c(name), members, 1, true, -1, NULL), i < 8 ? RES_OK : RES_LIMIT);
        (void)snprintf(member, sizeof(member), "%s", name);
    }
}

static void body_visible(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct str mine[] = { STR("here.test") };
    const struct visible limited = { true, mine, 1 }, nothing = { true, NULL, 0 };
    struct account_filter f = { .visible = limited };
    struct account got, *v;
    struct domain d;
    size_t n;
    bool more;

    add_domain("here.test");
    add_domain("there.test");
    (void)add_account("x@here.test", ROLE_ACCOUNT);
    (void)add_account("y@there.test", ROLE_ACCOUNT);
    assert_int_equal(account_list(db, &f, false, STR_NULL, 10, &a, &v, &n, &more), RES_OK);
    assert_true(n == 1 && str_eq(v[0].address, STR("x@here.test")));
    assert_int_equal(account_get(db, STR("y@there.test"), &limited, &a, &got), RES_NOTFOUND);
    assert_int_equal(domain_get(db, STR("there.test"), &limited, &a, &d), RES_NOTFOUND);
    assert_int_equal(domain_get(db, STR("here.test"), &nothing, &a, &d), RES_NOTFOUND);
    f.visible = nothing;
    assert_int_equal(account_list(db, &f, false, STR_NULL, 10, &a, &v, &n, &more), RES_OK);
    assert_int_equal(n, 0);
}

static void body_token(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str scopes[] = { STR("queue:read") }, networks[] = { STR("10.0.0.0/8") };
    struct token t = { .name = STR("t"), .role = ROLE_SYSTEM_ADMIN, .scopes = scopes, .n_scopes = 1, .networks = networks,
                       .n_networks = 1 };
    struct token_use use;
    int64_t account;

    add_domain("here.test");
    account = add_account("x@here.test", ROLE_ACCOUNT);
    t.expires_us = number("SELECT extract(epoch FROM now() + interval '1 h') * 1000000");
    assert_int_equal(token_id(db, &t.id), RES_OK);
    assert_int_equal(token_create(db, &t, STR("h1"), did("token.create")), RES_OK);
    assert_int_equal(token_find(db, STR("h1"), &a, &use), RES_OK);
    assert_true(use.token.id == t.id && use.maker_role == ROLE_SYSTEM_ADMIN && use.token.domains == NULL);
    assert_true(use.token.n_networks == 1 && str_eq(use.token.networks[0], STR("10.0.0.0/8")));

    assert_int_equal(token_id(db, &t.id), RES_OK);
    t.account_id = account;
    assert_int_equal(token_create(db, &t, STR("h2"), NULL), RES_OK);
    assert_int_equal(token_find(db, STR("h2"), &a, &use), RES_NOTFOUND); /* its maker is only invited */
    (void)database_sql(owner, "UPDATE account SET state = 1");
    assert_int_equal(token_find(db, STR("h2"), &a, &use), RES_OK);
    assert_int_equal(use.maker_role, ROLE_ACCOUNT);
    assert_int_equal(token_used(db, &use.token), RES_OK);
    assert_int_equal(token_find(db, STR("h2"), &a, &use), RES_OK);
    assert_true(use.token.last_used_us > wall_us() - 1000000000 && use.token.last_used_us <= wall_us() + 1000000000);
    (void)database_sql(owner, "UPDATE token SET last_used_at = now() - interval '50 s'");
    assert_int_equal(token_used(db, &use.token), RES_OK); /* a minute has not gone by */
    assert_string_equal(database_sql(owner, "SELECT count(*) FROM token WHERE last_used_at < now() - interval '40 s'"), "2");
    (void)database_sql(owner, "UPDATE token SET expires_at = now()");
    assert_int_equal(token_find(db, STR("h2"), &a, &use), RES_NOTFOUND);
    assert_int_equal(token_revoke(db, t.id, NULL), RES_OK);
    assert_int_equal(token_revoke(db, t.id, NULL), RES_NOTFOUND);
    assert_int_equal(account_delete(db, STR("x@here.test"), false, -1, NULL), RES_OK);
    assert_int_equal(token_find(db, STR("h2"), &a, &use), RES_NOTFOUND);
    assert_int_equal(count("token"), 1);
}

/* Each row's hash is that of the row before and of its own members; what fails leaves no row. */
static void body_audit(void)
{
    static const char chain[] =
        "(SELECT hash <> sha256(coalesce(lag(hash) OVER (ORDER BY id), ''::bytea) || convert_to(jsonb_build_array("
        "extract(epoch FROM at), actor, action, objects, before, after, result, request_id)::text, 'UTF8')) AS wrong"
        " FROM audit) x WHERE wrong";

    (void)database_sql(owner, "TRUNCATE audit");
    for (int i = 0; i < 5; i++) {
        char name[20];

        (void)snprintf(name, sizeof(name), "d%d.test", i);
        add_domain(name);
    }
    {
        const struct domain_write again = { .name = STR("d0.test") };

        assert_int_equal(domain_create(db, &again, did("domain.create")), RES_EXISTS);
    }
    assert_int_equal(count("audit WHERE action = 'domain.create' AND after = '{\"a\": [2], \"b\": 1}'"), 5);
    assert_int_equal(count(chain), 0);
    (void)database_sql(owner, "UPDATE audit SET action = 'other' WHERE id = (SELECT min(id) + 1 FROM audit)");
    assert_int_equal(count(chain), 1);
    (void)database_sql(owner, "DELETE FROM audit WHERE id = (SELECT min(id) + 3 FROM audit)");
    assert_int_equal(count(chain), 2);
}

/* The record is written with the change, and not without it. */
static void body_setting(void)
{
    static const char written[] = "audit WHERE action LIKE 'setting.%'";
    const struct str key = STR("queue.expire"), me = STR("me");

    assert_int_equal(setting_put(db, key, STR("6d"), me, 1, did("setting.put")), RES_CONFLICT); /* none is set */
    assert_int_equal(count(written), 0);
    assert_int_equal(setting_put(db, key, STR("6d"), me, 0, did("setting.put")), RES_OK);
    assert_int_equal(setting_put(db, key, STR("7d"), me, 0, did("setting.put")), RES_CONFLICT);
    assert_int_equal(setting_put(db, key, STR("7d"), me, 1, did("setting.put")), RES_OK);
    assert_int_equal(count("setting WHERE value = '\"7d\"' AND version = 2"), 1);
    assert_int_equal(setting_put(db, key, STR_NULL, me, 1, did("setting.delete")), RES_CONFLICT);
    assert_int_equal(setting_put(db, key, STR_NULL, me, 2, did("setting.delete")), RES_OK);
    assert_int_equal(count("setting"), 0);
    assert_int_equal(count(written), 3);
}

static void body_bootstrap(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str first, second, address;
    struct db *as_owner = db_new(database_conninfo("none"), 2);

    assert_int_equal(bootstrap_admin_link(as_owner, &a, &first, &address), RES_OK);
    assert_true(str_eq(address, STR("admin@localhost")) && first.len == 43);
    assert_int_equal(bootstrap_admin_link(as_owner, &a, &second, &address), RES_OK);
    assert_false(str_eq(first, second));
    assert_int_equal(count("account WHERE role = 2 AND state = 0"), 1);
    assert_int_equal(count("credential WHERE kind = 4 AND expires_at < now() + interval '31 min'"), 1); /* the first is void */
    db_free(as_owner);
}

static void body_first_admin(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str link, address;
    struct db *as_owner = db_new(database_conninfo("none"), 2);

    assert_int_equal(bootstrap_wanted(as_owner), RES_OK);
    assert_int_equal(bootstrap_admin_link(as_owner, &a, &link, &address), RES_OK);
    assert_int_equal(bootstrap_wanted(as_owner), RES_OK); /* nobody has used it */
    add_domain("here.test");
    add_account("taken@here.test", ROLE_ACCOUNT);
    assert_int_equal(bootstrap_admin(as_owner, &a, STR("taken@here.test"), STR("$y$hash")), RES_CONFLICT);
    assert_int_equal(bootstrap_admin(as_owner, &a, STR("root@new.test"), STR("$y$hash")), RES_OK);
    assert_int_equal(count("account JOIN credential c ON c.account_id = account.id WHERE address = 'root@new.test' AND role = 2 "
                           "AND state = 1 AND c.kind = 0 AND verifier = '$y$hash'"), 1);
    assert_int_equal(bootstrap_wanted(as_owner), RES_EXISTS);
    assert_int_equal(bootstrap_admin(as_owner, &a, STR("root@new.test"), STR("$y$other")), RES_CONFLICT);
    /* the link's account, still invited: a start that was cut off between account and password goes on here */
    assert_int_equal(bootstrap_admin(as_owner, &a, STR("admin@localhost"), STR("$y$hash")), RES_OK);
    db_free(as_owner);
}

int main(void)
{
    struct body bodies[] = { { "account", body_account },   { "deleted domain", body_deleted_domain }, { "last admin", body_last_admin },
                             { "two admins at once", body_two_admins_at_once },
                             { "suspend", body_suspend },   { "sessions end", body_sessions_end },
                             { "alias", body_alias }, { "aliases in a row", body_alias_depth },       { "visible", body_visible },
                             { "token", body_token },       { "audit", body_audit },
                             { "setting", body_setting },   { "bootstrap", body_bootstrap },
                             { "first admin", body_first_admin } };

    return run_bodies("control", "correio_api", bodies, ARRAY_LEN(bodies));
}
