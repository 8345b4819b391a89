#include "api/explain.h"
#include "api/words.h"
#include "mail/advice.h"
#include "base/macros.h"

#define REPLY_MAX 2000

struct json_object *explanation_json(struct arena *a, struct str reason, struct str destination)
{
    const struct advice *advice = advice_find(reason);
    struct json_object *o;

    if (reason.len == 0)
        return NULL;
    o = js_object();
    js_set(o, "id", js_str(reason));
    js_set(o, "actor", js_str(advice_actor_name(advice != NULL ? advice->actor : ADVICE_NOBODY)));
    js_set(o, "certain", js_bool(advice != NULL && advice->certain));
    if (advice == NULL)
        return o;
    js_set(o, "text", js_str(advice_say(a, reason, ADVICE_TEXT, DSN_EN, destination)));
    js_set(o, "steps", js_str(advice_say(a, reason, ADVICE_STEPS, DSN_EN, destination)));
    return o;
}

/* "4.3.2" (RFC 3463, 2): digits, two dots. */
static bool is_enhanced(struct str s)
{
    size_t dots = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '.')
            dots++;
        else if (!ascii_digit(s.p[i]))
            return false;
    }
    return dots == 2 && s.len >= 5 && s.len <= 11 && ascii_digit(s.p[0]) && ascii_digit(s.p[s.len - 1]);
}

struct json_object *reply_line_json(struct str line)
{
    struct json_object *o;
    struct str rest, enhanced;
    uint64_t code;

    if (line.len < 3 || !str_u64(str_sub(line, 0, 3), 599, &code) || code < 200 || (line.len > 3 && line.p[3] != ' ' && line.p[3] != '-'))
        return NULL;
    rest = str_from(line, 4);
    enhanced = str_sub(rest, 0, str_chr(rest, ' '));
    if (is_enhanced(enhanced))
        rest = str_from(rest, enhanced.len + 1);
    else
        enhanced = STR_NULL;
    o = js_object();
    js_set(o, "code", js_int((int64_t)code));
    js_set(o, "enhanced", js_str(enhanced));
    js_set(o, "text", js_str(word_clip(rest.p != NULL ? rest : STR(""), REPLY_MAX)));
    return o;
}

struct str explain_reply_id(struct arena *a, struct str text)
{
    for (size_t i = 0; i + 3 <= text.len; i++) {
        struct str rest = str_from(text, i), enhanced;
        uint64_t code;

        if ((i > 0 && (ascii_alnum(text.p[i - 1]) || text.p[i - 1] == '.')) || (rest.p[0] != '4' && rest.p[0] != '5') ||
            !str_u64(str_sub(rest, 0, 3), 599, &code) || (rest.len > 3 && rest.p[3] != ' ' && rest.p[3] != '-'))
            continue;
        rest = str_from(rest, 4);
        enhanced = str_sub(rest, 0, str_chr(rest, ' '));
        if (is_enhanced(enhanced))
            rest = str_from(rest, enhanced.len + 1);
        else
            enhanced = STR_NULL;
        return advice_of_reply(PHASE_BODY, (int)code, arena_str(a, enhanced), rest);
    }
    return STR_NULL;
}
