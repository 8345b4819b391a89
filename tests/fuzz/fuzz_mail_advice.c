/* What a mail server answers, as advice: always an id that there is, with words. */
#include "base/macros.h"
#include "mail/advice.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct str rest = str_of((const char *)data, size), enhanced, id;
    int code;

    if (size < 3)
        return 0;
    code = 400 + data[0] % 200;
    enhanced = str_sub(rest, 2, str_chr(str_from(rest, 2), ' '));
    id = advice_of_reply((enum attempt_phase)(data[1] % PHASES), code, enhanced, str_from(rest, 2 + enhanced.len));
    assert(advice_find(id) != NULL);
    assert(advice_say(&a, id, ADVICE_TEXT, DSN_EN, str_from(rest, 2)).len > 0);
    return 0;
}
