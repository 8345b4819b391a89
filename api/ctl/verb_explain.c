/* explain: what would become of a message, and what an answer means */
#include "api/ctl/client.h"
#include "api/ctl/verbs.h"
#include "base/macros.h"

#include <stdio.h>

static void print_advice(struct call *c, struct json_object *explanation)
{
    static const struct column advice[] = { { "Why", "text", COLUMN_TEXT }, { "Who can act", "actor", COLUMN_REASON },
                                            { "What to do", "steps", COLUMN_TEXT } };

    print_object(c, explanation, advice, ARRAY_LEN(advice), "id");
}

static void print_explanation(struct call *c, struct json_object *answer)
{
    static const struct column result[] = { { "Result", "result", COLUMN_REASON }, { "Answer", "reply.text", COLUMN_TEXT } };
    static const struct column recipients[] = { { "To", "address", COLUMN_TEXT }, { "Outcome", "outcome", COLUMN_REASON },
                                                { "Mailbox", "mailbox", COLUMN_TEXT } };
    static const struct column steps[] = { { "Step", "step", COLUMN_TEXT }, { "Verdict", "verdict", COLUMN_TEXT },
                                           { "To", "for", COLUMN_TEXT }, { "Why", "because", COLUMN_TEXT },
                                           { "Setting", "setting", COLUMN_TEXT } };

    print_object(c, answer, result, ARRAY_LEN(result), "result");
    if (c->json || c->quiet)
        return;
    printf("\n");
    print_rows(c, js_get(answer, "recipients", NULL), recipients, ARRAY_LEN(recipients), "address", true);
    printf("\n");
    print_rows(c, js_get(answer, "steps", NULL), steps, ARRAY_LEN(steps), "step", true);
}

enum outcome verb_explain_delivery(struct call *c)
{
    static const char *const texts[] = { "from", "to", "ip", "account" };
    struct json_object *body, *answer = NULL;
    struct str headers, word;
    enum outcome out;
    uint64_t size;

    if (option(c, "to") == NULL) {
        say("%s", t("--to says to whom"));
        return USAGE;
    }
    if (option(c, "size") != NULL && !str_u64(str_c(option(c, "size")), INT64_MAX, &size)) {
        say(t("\"%s\" is not a number"), option(c, "size"));
        return USAGE;
    }
    if (option(c, "headers") != NULL && !take_file(c, option(c, "headers"), 65536, &headers))
        return USAGE;
    body = js_object();
    js_set(body, "from", js_str(STR("")));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (option(c, texts[i]) != NULL)
            js_set(body, texts[i], js_str(str_c(option(c, texts[i]))));
    }
    if (option(c, "size") != NULL)
        js_set(body, "size", js_int((int64_t)size));
    if (option(c, "headers") != NULL)
        js_set(body, "headers", js_str(headers));
    if (option(c, "probe") != NULL)
        js_set(body, "probe", js_bool(true));
    out = client_call(c, "POST", "/api/v1/explain/delivery", body, "", &answer);
    if (out == DONE) {
        print_explanation(c, answer);
        word = js_get_str(js_get(answer, "result", NULL));
        out = str_eq(word, STR("accepted")) ? DONE : PROBLEMS_FOUND;
    }
    js_free(answer);
    return out;
}

enum outcome verb_explain_reply(struct call *c)
{
    struct json_object *body = js_object(), *answer = NULL;
    enum outcome out;

    js_set(body, "text", js_str(str_c(c->args[0])));
    out = client_call(c, "POST", "/api/v1/explain/reply", body, "", &answer);
    if (out == DONE)
        print_advice(c, js_get(answer, "explanation", NULL));
    js_free(answer);
    return out;
}
