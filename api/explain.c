#include "api/explain.h"
#include "api/words.h"
#include "base/macros.h"

#define REPLY_MAX 2000

/* "%s" in a text is the destination. */
static const struct {
    const char *id, *actor;
    bool certain;
    const char *text;
} explanations[] = {
    { "not-tried", "nobody", true, "It has not been tried yet." },
    { "held", "you", true, "It is held until somebody releases it." },
    { "sending", "nobody", true, "It is being sent at this moment." },
    { "connection-refused", "remote_admin", true, "%s refuses our connection. Nothing is wrong with the message." },
    { "connection-timeout", "remote_admin", false, "%s does not answer. Nothing is wrong with the message." },
    { "connection-lost", "remote_admin", false, "The connection to %s broke in the middle." },
    { "no-route", "you", false, "There is no way to %s from here." },
    { "dns-failed", "remote_admin", false, "The name servers of %s do not answer." },
    { "dns-no-such-domain", "you", true, "There is no domain %s." },
    { "null-mx", "recipient", true, "%s takes no mail." },
    { "tls-failed", "remote_admin", false, "No protected connection to %s could be made." },
    { "auth-failed", "you", true, "%s does not take the user name and password of the route." },
    { "slow-down", "nobody", false, "%s asks us to slow down." },
    { "greylisted", "nobody", true, "%s wants to see a second attempt. It will be made." },
    { "mailbox-full", "recipient", true, "The recipient's mailbox is full." },
    { "unknown-recipient", "you", true, "%s does not know this recipient." },
    { "too-large", "you", true, "The message is too large for %s." },
    { "policy", "you", false, "%s refuses the message by its own rules." },
    { "not-supported", "you", true, "%s cannot take a message of this form." },
    { "loop", "you", true, "The message goes round in circles." },
    { "temporary", "nobody", false, "%s has a temporary problem." },
    { "permanent", "you", false, "%s refuses the message." },
    { "expired", "nobody", true, "It waited as long as it may." },
    { "bounced-by-admin", "you", true, "An administrator returned it to its sender." },
    { "removed-by-admin", "you", true, "An administrator removed it." },
};

struct json_object *explanation_json(struct arena *a, struct str reason, struct str destination)
{
    struct json_object *o;
    struct str text, name = destination.len > 0 ? destination : STR("The other server");
    size_t mark;

    if (reason.len == 0)
        return NULL;
    o = js_object();
    js_set(o, "id", js_str(reason));
    for (size_t i = 0; i < ARRAY_LEN(explanations); i++) {
        if (!str_eq(reason, str_c(explanations[i].id)))
            continue;
        text = str_c(explanations[i].text);
        mark = str_find(text, STR("%s"));
        if (mark != SIZE_MAX)
            text = arena_printf(a, "%.*s%.*s%.*s", STR_ARG(str_sub(text, 0, mark)), STR_ARG(name), STR_ARG(str_from(text, mark + 2)));
        js_set(o, "actor", js_str(str_c(explanations[i].actor)));
        js_set(o, "certain", js_bool(explanations[i].certain));
        js_set(o, "text", js_str(text));
        return o;
    }
    js_set(o, "actor", js_str(STR("nobody")));
    js_set(o, "certain", js_bool(false));
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
