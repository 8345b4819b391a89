/* A script and a message, with a NUL byte between them: compiled and run with small limits.  Whatever comes, an error
 * names a line, and a run ends with something done; what a script can make of a message is well-formed. */
#include <assert.h>

#include "base/macros.h"
#include "mail/header.h"
#include "sieve/compile.h"
#include "sieve/reply.h"
#include "sieve/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum result yes(void *data, struct str mailbox, bool *ret)
{
    (void)data;
    *ret = mailbox.len % 2 == 0;
    return RES_OK;
}

static enum result yes_twice(void *data, struct str a, struct str b, bool *ret)
{
    (void)data;
    *ret = (a.len + b.len) % 2 == 0;
    return RES_OK;
}

static enum result annotation(void *data, struct str mailbox, struct str name, struct arena *a, struct str *ret)
{
    (void)data;
    *ret = arena_str(a, name);
    return mailbox.len % 2 == 0 ? RES_OK : RES_NOTFOUND;
}

/* Each script includes itself under any other name. */
static enum result include(void *data, bool global, struct str name, const struct sieve_script **ret)
{
    (void)global;
    *ret = data;
    return name.len > 3 ? RES_NOTFOUND : RES_OK;
}

static void count(void *data, const struct sieve_trace *t)
{
    (void)data;
    assert(t->detail.p == NULL || t->detail.len < ((size_t)1 << 24));
}

/* An answer's header has no field twice: nothing of the script or the message became one. */
static void check_reply(const struct sieve_action *a, const struct sieve_env *env)
{
    static const char *const once[] = { "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Bcc" };
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct sieve_reply reply = {
        .action = a, .env = env, .message_id = STR("id@example.com"), .owner = STR("o@x.example")
    };

    assert(sieve_reply_write(&reply, &out) == RES_OK);
    for (size_t i = 0; i < ARRAY_LEN(once); i++) {
        struct str rest = strbuf_str(&out);
        struct header_field f;
        size_t n = 0;

        while (header_find_next(&rest, str_c(once[i]), &f))
            n++;
        assert(n == (strcmp(once[i], "Bcc") == 0 ? 0 : 1));
    }
}

static void check_action(const struct sieve_action *a, const struct sieve_env *env)
{
    if (a->kind == SIEVE_FILEINTO)
        assert(str_is_utf8(a->target.mailbox) && a->target.mailbox.len > 0);
    if (a->kind == SIEVE_REDIRECT && a->address.p != NULL)
        assert(str_chr(a->address, '\n') == SIZE_MAX && str_rchr(a->address, '@') != SIZE_MAX);
    if (a->kind == SIEVE_VACATION)
        assert(a->vacation.to.len > 0 && a->vacation.mark_key.len > 0);
    if (a->kind == SIEVE_NOTIFY)
        assert(a->notify.nto > 0);
    if (a->kind == SIEVE_VACATION || a->kind == SIEVE_NOTIFY)
        check_reply(a, env);
    for (size_t i = 0; i < a->target.nflags; i++)
        assert(a->target.flags[i].len > 0 && str_chr(a->target.flags[i], ' ') == SIZE_MAX);
    if (a->content != NULL)
        assert(a->content->header.len + a->content->body.len < env->message.len * 4 + 1000000);
}

static bool any_program(void *data, struct str name)
{
    (void)data;
    return name.len % 2 == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct sieve_ops ops = { .mailbox_exists = yes,
                                          .special_use_exists = yes_twice,
                                          .mailbox_id_exists = yes,
                                          .metadata = annotation,
                                          .seen = yes,
                                          .include = include,
                                          .list_contains = yes_twice,
                                          .list_exists = yes,
                                          .program_exists = any_program };
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str text = str_of((const char *)data, size), message = STR("");
    struct sieve_limits limits = sieve_default_limits;
    const struct sieve_script *scripts[2];
    struct sieve_error error = { 0 };
    struct sieve_result result;
    struct sieve_script *script;
    struct sieve_env env;

    if (str_chr(text, '\0') != SIZE_MAX) {
        message = str_from(text, str_chr(text, '\0') + 1);
        text = str_sub(text, 0, str_chr(text, '\0'));
    }
    limits.steps = 200000;
    limits.variable_bytes = 300;
    if (sieve_compile(text, &limits, &a, &script, &error) != RES_OK) {
        assert(error.line > 0 && error.column > 0 && str_is_utf8(error.text) && error.text.len > 0);
        return 0;
    }
    env = (struct sieve_env){ .message = message,
                              .from = STR("a@example.org"),
                              .to = STR("b+c@example.com"),
                              .now_us = 1795812395000000,
                              .spam_score = 3,
                              .spam_percent = 20,
                              .ops = &ops,
                              .trace = count,
                              .data = script };
    scripts[0] = scripts[1] = script;
    assert(sieve_run(scripts, 2, &env, &limits, &a, &result) == RES_OK);
    assert(result.nactions > 0 && result.steps <= limits.steps);
    if (result.failed)
        assert(result.actions[result.nactions - 1].implicit && str_is_utf8(result.error.text));
    for (size_t i = 0; i < result.nactions; i++)
        check_action(&result.actions[i], &env);
    return 0;
}
