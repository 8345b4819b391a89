/* Any bytes as a delivery target, as a list of programs and of users. */
#include <assert.h>

#include "base/macros.h"
#include "route/delivery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str text = str_of((const char *)data, MIN(size, (size_t)65536)), error = STR_NULL, expanded;
    struct delivery_target target;
    struct program_list programs;
    struct name_list users;

    if (delivery_parse(text, &target, &error) == RES_OK) {
        if (target.kind == DELIVERY_MAILDIR || target.kind == DELIVERY_MBOX)
            assert(target.path.p[0] == '/');
        if (target.kind == DELIVERY_LMTP)
            assert(target.path.len > 0 || (target.host.len > 0 && target.port > 0));
        /* what stands for a mailbox never leads out of the directory that the administrator named */
        if (delivery_expand(text, STR("us.er"), STR("example.org"), &a, &expanded) == RES_OK && target.kind == DELIVERY_MAILDIR)
            assert(delivery_parse(expanded, &target, &error) == RES_OK || expanded.len > DELIVERY_MAX_TEXT);
    } else {
        assert(error.len > 0);
    }
    if (programs_parse(text, &a, &programs, &error) == RES_OK) {
        for (size_t i = 0; i < programs.n; i++) {
            struct str *words;
            size_t n;

            assert(command_words(programs.v[i].command, &a, &words, &n) == RES_OK && n > 0 && words[0].p[0] == '/');
            assert(!str_eq(programs.v[i].user, STR("root")));
        }
    }
    if (unix_users_parse(text, &a, &users, &error) == RES_OK)
        assert(!name_list_contains(&users, STR("root")));
    return 0;
}
