#include "tests/support/cmocka.h"

#include "base/macros.h"
#include "config/config.h"
#include "config/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct setting_case {
    const char *key, *value;
    enum result want;
    const char *canonical;
} cases[] = {
    { "queue.retry_schedule", "60s 5m 900s 1h 240m", RES_OK, "1m 5m 15m 1h 4h" },
    { "queue.retry_schedule", "", RES_INVALID, NULL },
    { "queue.retry_schedule", "1m soon", RES_INVALID, NULL },
    { "queue.retry_schedule", "0s", RES_INVALID, NULL },
    { "queue.expire", "5d", RES_OK, "5d" },
    { "queue.expire", "1s", RES_INVALID, NULL },
    { "queue.delay_notice", "0s", RES_OK, "0s" },
    { "smtp.max_message_size", "52428800", RES_OK, "50 MiB" },
    { "smtp.max_message_size", "1", RES_INVALID, NULL },
    { "smtp.max_message_size", "-1", RES_INVALID, NULL },
    { "smtp.max_recipients", "99", RES_INVALID, NULL },
    { "smtp.max_messages", "1000001", RES_INVALID, NULL },
    { "smtp.max_recipient_domains", "0", RES_OK, "0" },
    { "smtp.max_recipient_domains", "many", RES_INVALID, NULL },
    { "smtp.relay_networks", "10.0.0.0/8 2001:db8::/32", RES_OK, "10.0.0.0/8 2001:db8::/32" },
    { "smtp.relay_networks", "10.0.0.1/8", RES_INVALID, NULL },
    { "smtp.relay_networks", "example.org", RES_INVALID, NULL }, /* never by host name */
    { "smtp.auth_on_25", "true", RES_OK, "true" },
    { "smtp.auth_on_25", "on", RES_OK, "true" },
    { "smtp.auth_on_25", "off", RES_OK, "false" },
    { "smtp.auth_on_25", "yes", RES_INVALID, NULL },
    { "auth.cleartext", "loopback 192.0.2.0/24", RES_OK, "loopback 192.0.2.0/24" },
    { "auth.cleartext", "sometimes", RES_INVALID, NULL },
    { "quota.full_reply", "452", RES_OK, "452" },
    { "quota.full_reply", "550", RES_INVALID, NULL },
    { "quota.grace", "10 MB", RES_OK, "10000000" },
    { "quota.grace", "2 GiB", RES_INVALID, NULL },
    { "quota.apart", "on", RES_OK, "true" },
    { "server.first_steps", "off", RES_OK, "false" },
    { "server.first_steps", "hidden", RES_INVALID, NULL },
    { "trace.keep", "30d", RES_OK, "30d" },
    { "trace.keep_refused", "12h", RES_INVALID, NULL },
    { "accounts.notify_owner", "off", RES_OK, "false" },
    { "accounts.notify_owner", "sometimes", RES_INVALID, NULL },
    { "accounts.keep_deleted", "168h", RES_OK, "7d" },
    { "accounts.keep_deleted", "400d", RES_INVALID, NULL },
    { "accounts.recipients_per_hour", "200", RES_OK, "200" },
    { "accounts.recipients_per_hour", "-1", RES_INVALID, NULL },
    { "accounts.recipients_per_day", "1000001", RES_INVALID, NULL },
    { "relay.routes", "*=[smart.example]:587,tls=must", RES_OK, "*=[smart.example]:587,tls=must" },
    { "relay.routes", "*", RES_INVALID, NULL },
    { "server.hostname", "mail.example.org", RES_OK, "mail.example.org" },
    { "server.hostname", "mail..org", RES_INVALID, NULL },
    { "server.hostname", "a\nb", RES_INVALID, NULL },
    { "server.color", "red", RES_NOTFOUND, NULL },
};

static void test_check(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct str value, error = STR_NULL;
        enum result r = setting_check(str_c(cases[i].key), str_c(cases[i].value), &a, &value, &error);

        if (r != cases[i].want)
            fail_msg("%s = %s: got %s", cases[i].key, cases[i].value, result_name(r));
        if (r == RES_OK && !str_eq(value, str_c(cases[i].canonical)))
            fail_msg("%s = %s: got %.*s", cases[i].key, cases[i].value, STR_ARG(value));
        if (r == RES_INVALID)
            assert_true(error.len > 0);
    }
}

static void test_defaults_are_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < setting_defs_count; i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct str value, error;

        assert_int_equal(setting_check(str_c(setting_defs[i].key), str_c(setting_defs[i].default_value), &a, &value, &error), RES_OK);
    }
}

static void test_bad_stored_value_gives_the_default(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct str keys[] = { STR("queue.expire"), STR("smtp.max_recipients") };
    const struct str values[] = { STR("nonsense"), STR("500") };
    struct settings s;

    (void)state;
    settings_build(&a, keys, values, 2, &s);
    assert_int_equal(s.expire_s, 5 * 86400);
    assert_int_equal(s.max_recipients, 500);
}

/* ---- the file ---- */

static void test_every_key_is_explained(void **state)
{
    struct config_key k, before = { .section = "" };
    size_t n = config_keys(0, &k);

    (void)state;
    assert_true(n > 20);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(config_keys(i, &k), n);
        assert_true(strlen(k.help) > 4 && k.help[strlen(k.help) - 1] == '.');
        before = k;
    }
    config_keys(n, &k); /* none: k stays */
    assert_string_equal(k.name, before.name);
}

static enum result load(const char *text, struct arena *a, struct config *c, struct str *errors)
{
    char path[] = "/tmp/correio-test-XXXXXX";
    int fd = mkstemp(path);
    enum result r;

    assert_true(fd >= 0);
    assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    setenv("CORREIO_CONFIG", path, 1);
    r = config_load(a, c, errors);
    unlink(path);
    unsetenv("CORREIO_CONFIG");
    return r;
}

static void test_file(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct config c;
    struct str errors;

    (void)state;
    setenv("CORREIO_HOME", "/tmp/x", 1);
    assert_int_equal(load("[listen]\nsmtp = 127.0.0.1:99\n[queue]\nexpire = 2d\n", &a, &c, &errors), RES_OK);
    assert_true(str_eq(c.listen[LISTEN_SMTP], STR("127.0.0.1:99")));
    assert_int_equal(load("[listen]\nsmpt = 127.0.0.1:99\n", &a, &c, &errors), RES_INVALID);
    assert_true(str_find(errors, STR(":2: [listen] smpt:")) != SIZE_MAX);
    assert_int_equal(load("[smtp]\nprocesses = many\n[queue]\nexpire = never\n", &a, &c, &errors), RES_INVALID);
    assert_true(str_find(errors, STR(":2: [smtp] processes:")) != SIZE_MAX);
    assert_true(str_find(errors, STR(":4: [queue] expire:")) != SIZE_MAX); /* all mistakes at once */
    assert_int_equal(load("nonsense\n", &a, &c, &errors), RES_INVALID);
    assert_int_equal(load("[admin]\nlink = yes\npassword_file = here\n", &a, &c, &errors), RES_INVALID);
    assert_true(str_find(errors, STR(":2: [admin] link: is neither log nor off")) != SIZE_MAX);
    assert_true(str_find(errors, STR(":3: [admin] password_file: is not an absolute path")) != SIZE_MAX);
    setenv("CORREIO_LISTEN_SMTP", "off", 1);
    assert_int_equal(load("[listen]\nsmtp = 127.0.0.1:99\n", &a, &c, &errors), RES_OK);
    assert_true(str_eq(c.listen[LISTEN_SMTP], STR("off"))); /* the environment wins */
    unsetenv("CORREIO_LISTEN_SMTP");
    setenv("CORREIO_LISTEN_SMPT", "off", 1);
    assert_int_equal(load("", &a, &c, &errors), RES_INVALID);
    unsetenv("CORREIO_LISTEN_SMPT");
    setenv("CORREIO_HOME", "relative", 1);
    assert_int_equal(load("", &a, &c, &errors), RES_INVALID);
}

static void test_fixed_setting(void **state)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct config c = { 0 };
    struct str value, source;

    (void)state;
    assert_int_equal(config_fixed_setting(&c, STR("queue.expire"), &a, &value, &source), RES_NOTFOUND);
    setenv("CORREIO_QUEUE_EXPIRE", "3d", 1);
    assert_int_equal(config_fixed_setting(&c, STR("queue.expire"), &a, &value, &source), RES_OK);
    assert_true(str_eq(value, STR("3d")) && str_eq(source, STR("environment")));
    unsetenv("CORREIO_QUEUE_EXPIRE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_is_explained),
        cmocka_unit_test(test_check),  cmocka_unit_test(test_defaults_are_right), cmocka_unit_test(test_bad_stored_value_gives_the_default),
        cmocka_unit_test(test_file),   cmocka_unit_test(test_fixed_setting),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
