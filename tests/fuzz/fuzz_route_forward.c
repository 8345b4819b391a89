/* Any bytes as a .forward; what is read keeps the promises of route/forward.h. */
#include <assert.h>

#include "base/macros.h"
#include "route/delivery.h"
#include "route/forward.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str text = str_of((const char *)data, MIN(size, FORWARD_MAX_BYTES)), *words;
    struct forward_entry *v;
    unsigned line;
    size_t n, n_words;

    if (forward_parse(text, STR("alice"), &a, &v, &n, &line) != RES_OK) {
        assert(line > 0);
        return 0;
    }
    assert(n <= FORWARD_MAX_ENTRIES);
    for (size_t i = 0; i < n; i++) {
        assert(v[i].text.len > 0 && str_is_utf8(v[i].text) && str_chr(v[i].text, '\n') == SIZE_MAX);
        if (v[i].kind == FORWARD_PIPE)
            assert(command_words(v[i].text, &a, &words, &n_words) == RES_OK && words[0].p[0] == '/');
        if (v[i].kind == FORWARD_FILE)
            assert(v[i].text.p[0] == '/' && str_find(v[i].text, STR("/../")) == SIZE_MAX);
        if (v[i].kind == FORWARD_SELF)
            assert(str_eq(v[i].text, STR("alice")));
    }
    return 0;
}
