/* agent/request.c - request and answer. */
#include "agent/request.h"

#include "route/forward.h"

#include <inttypes.h>
#include <stddef.h>

#define MAX_TEXT 1000 /* of an answer */

static const struct {
    const char *name;
    size_t at;
} texts[] = {
    { "path", offsetof(struct request, path) },           { "folder", offsetof(struct request, folder) },
    { "flags", offsetof(struct request, flags) },         { "user", offsetof(struct request, user) },
    { "sender", offsetof(struct request, sender) },       { "recipient", offsetof(struct request, recipient) },
    { "original", offsetof(struct request, original) },   { "local", offsetof(struct request, local) },
    { "extension", offsetof(struct request, extension) }, { "domain", offsetof(struct request, domain) },
    { "host", offsetof(struct request, host) },
};
static const char *const kinds[] = {
    [DELIVERY_MAILDIR] = "maildir", [DELIVERY_MBOX] = "mbox", [DELIVERY_PIPE] = "pipe"
};

static void add(struct strbuf *out, const char *name, struct str value)
{
    (void)strbuf_addf(out, "%s%c", name, '\0');
    (void)strbuf_add(out, value);
    (void)strbuf_addc(out, '\0');
}

void request_write(const struct request *r, struct strbuf *out)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };

    add(out, "kind", str_c(kinds[r->kind]));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const struct str *value = (const struct str *)(const void *)((const char *)r + texts[i].at);

        if (value->p != NULL)
            add(out, texts[i].name, *value);
    }
    for (size_t i = 0; i < r->n_words; i++)
        add(out, "word", r->words[i]);
    add(out, "size", arena_printf(&a, "%" PRIu64, r->size));
    add(out, "time", arena_printf(&a, "%" PRIu64, r->time_ms));
    if (r->output_max > 0)
        add(out, "output", arena_printf(&a, "%" PRIu64, r->output_max));
    if (r->forward)
        add(out, "forward", STR("1"));
}

static bool take(struct request *r, struct str name, struct str value)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (str_eq(name, str_c(texts[i].name))) {
            *(struct str *)(void *)((char *)r + texts[i].at) = value;
            return true;
        }
    }
    if (str_eq(name, STR("word"))) {
        if (r->n_words == COMMAND_MAX_WORDS)
            return false;
        r->words[r->n_words++] = value;
        return true;
    }
    if (str_eq(name, STR("size")))
        return str_u64(value, INT64_MAX, &r->size);
    if (str_eq(name, STR("time")))
        return str_u64(value, INT32_MAX, &r->time_ms) && r->time_ms > 0;
    if (str_eq(name, STR("output")))
        return str_u64(value, INT64_MAX, &r->output_max) && r->output_max > 0;
    if (str_eq(name, STR("forward"))) {
        r->forward = true;
        return true;
    }
    for (size_t i = DELIVERY_MAILDIR; i < ARRAY_LEN(kinds); i++) {
        if (str_eq(name, STR("kind")) && str_eq(value, str_c(kinds[i]))) {
            r->kind = (enum delivery_kind)i;
            return true;
        }
    }
    return false;
}

enum result request_read(struct str text, struct arena *a, struct request *ret)
{
    struct request r = { .kind = DELIVERY_STORE };

    while (text.len > 0) {
        struct str pair[2];

        for (size_t i = 0; i < ARRAY_LEN(pair); i++) {
            size_t end = str_chr(text, '\0');

            if (end == SIZE_MAX)
                return RES_INVALID;
            pair[i] = arena_str(a, str_sub(text, 0, end)); /* so that it is a C string, too */
            text = str_from(text, end + 1);
        }
        if (!take(&r, pair[0], pair[1]))
            return RES_INVALID;
    }
    if (r.kind == DELIVERY_STORE || r.user.len == 0 || r.time_ms == 0 || (r.kind == DELIVERY_PIPE) != (r.n_words > 0) ||
        (r.kind == DELIVERY_PIPE) != (r.path.len == 0) || (r.output_max > 0 && (r.kind != DELIVERY_PIPE || r.forward)))
        return RES_INVALID;
    *ret = r;
    return RES_OK;
}

void answer_write(const struct answer *answer, struct strbuf *out)
{
    struct str line = answer->text;

    for (size_t i = 0; i < answer->n_addresses; i++)
        (void)strbuf_addf(out, ">%.*s\n", STR_ARG(answer->addresses[i]));
    if (answer->kind == ANSWER_DONE) {
        (void)strbuf_adds(out, "+\n");
        return;
    }
    line = str_sub(line, 0, MIN(str_chr(line, '\n'), (size_t)MAX_TEXT));
    (void)strbuf_addf(out, "%c%.*s %.*s\n", answer->kind == ANSWER_LATER ? '~' : '-', STR_ARG(answer->status),
                      STR_ARG(line));
}

static bool status_ok(struct str s, char class)
{
    struct str part;

    if (s.len < 5 || s.len > 9 || s.p[0] != class || s.p[1] != '.')
        return false;
    while (str_split(&s, '.', &part)) {
        uint64_t n;

        if (!str_u64(part, 999, &n))
            return false;
    }
    return true;
}

static bool take_line(struct str line, struct answer *answer, bool *ret_last)
{
    char kind = line.p[0];
    struct str rest = str_from(line, 1);
    size_t blank = str_chr(rest, ' ');

    *ret_last = kind != '>';
    if (kind == '>') {
        if (answer->n_addresses == FORWARD_MAX_ENTRIES || rest.len == 0)
            return false;
        answer->addresses[answer->n_addresses++] = rest;
        return true;
    }
    if (kind == '+') {
        answer->kind = ANSWER_DONE;
        return rest.len == 0;
    }
    if ((kind != '~' && kind != '-') || blank == SIZE_MAX)
        return false;
    answer->kind = kind == '~' ? ANSWER_LATER : ANSWER_NEVER;
    answer->status = str_sub(rest, 0, blank);
    answer->text = str_from(rest, blank + 1);
    return status_ok(answer->status, kind == '~' ? '4' : '5');
}

enum result answer_read(struct str text, struct arena *a, struct answer *ret)
{
    struct answer answer = { .addresses = arena_array(a, struct str, FORWARD_MAX_ENTRIES) };
    bool last = false;

    if (text.len == 0 || text.p[text.len - 1] != '\n')
        return RES_INVALID;
    while (text.len > 0 && !last) {
        size_t end = str_chr(text, '\n');

        if (end == 0 || !take_line(arena_str(a, str_sub(text, 0, end)), &answer, &last))
            return RES_INVALID;
        text = str_from(text, end + 1);
    }
    if (!last || text.len > 0)
        return RES_INVALID;
    *ret = answer;
    return RES_OK;
}
