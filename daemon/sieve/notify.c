/* notify by mailto (RFC 5435, RFC 5436): the URI is taken apart here (RFC 6068), the message is the caller's. */
#include "sieve/runtime.h"

#include "base/strbuf.h"
#include "mail/charset.h"

#define MAX_RECIPIENTS 10
#define MAX_HEADERS    ((size_t)4096)

struct mailto {
    struct str *to;
    size_t n;
    struct str subject, body;
    struct strbuf headers;
};

static int hex_value(char c)
{
    if (ascii_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Without percent encoding; false: it is malformed or is no UTF-8. */
static bool decode(struct arena *a, struct str s, struct str *ret)
{
    char *p = arena_alloc(a, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != '%') {
            p[n++] = s.p[i];
            continue;
        }
        if (i + 2 >= s.len || hex_value(s.p[i + 1]) < 0 || hex_value(s.p[i + 2]) < 0)
            return false;
        p[n++] = (char)(hex_value(s.p[i + 1]) << 4 | hex_value(s.p[i + 2]));
        i += 2;
    }
    *ret = str_of(p, n);
    return str_is_utf8(*ret);
}

/* "a@b,c@d", still encoded. */
static bool add_recipients(struct sieve_run *r, struct str list, struct mailto *m)
{
    struct str one, decoded;

    while (str_split(&list, ',', &one)) {
        if (one.len == 0)
            continue;
        if (m->n == MAX_RECIPIENTS || !decode(&r->scratch, one, &decoded) || !run_address(r, decoded, &m->to[m->n]))
            return false;
        m->n++;
    }
    return true;
}

/* Fields that a notification has from us, or that would say what is not so (RFC 5436, 2.7). */
static bool is_ours(struct str name)
{
    static const char *const ours[] = {
        "from",    "sender", "date", "message-id", "received",    "auto-submitted", "mime-version", "return-path",
        "subject", "to",     "bcc",  "references", "in-reply-to", "reply-to",       "delivered-to", "importance"
    };

    if (str_istarts(name, STR("content-")) || str_istarts(name, STR("resent-")) || str_istarts(name, STR("list-")) ||
        str_istarts(name, STR("dkim-")) || str_istarts(name, STR("arc-")) || str_istarts(name, STR("authentication-")))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        if (str_ieq(name, str_c(ours[i])))
            return true;
    }
    return false;
}

static bool add_field(struct sieve_run *r, struct str name, struct str value, struct mailto *m)
{
    char *p;

    for (size_t i = 0; i < name.len; i++) {
        if (name.p[i] <= 32 || name.p[i] >= 127 || name.p[i] == ':')
            return false;
    }
    if (name.len == 0 || name.len > 60 || is_ours(name))
        return name.len > 0;
    p = arena_cstr(&r->scratch, value);
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)p[i] < 32 || p[i] == 127)
            p[i] = ' ';
    }
    value = header_encode(&r->scratch, name, str_of(p, value.len));
    strbuf_add(&m->headers, name);
    strbuf_adds(&m->headers, ": ");
    strbuf_add(&m->headers, value);
    return strbuf_adds(&m->headers, "\r\n") == RES_OK;
}

/* "name=value&name=value". */
static bool read_fields(struct sieve_run *r, struct str query, struct mailto *m)
{
    struct str one, name, value;

    while (str_split(&query, '&', &one)) {
        size_t equals = str_chr(one, '=');

        if (equals == SIZE_MAX || !decode(&r->scratch, str_of(one.p, equals), &name) ||
            !decode(&r->scratch, str_from(one, equals + 1), &value))
            return false;
        if (str_ieq(name, STR("to")) || str_ieq(name, STR("cc"))) {
            if (!add_recipients(r, str_from(one, equals + 1), m))
                return false;
        } else if (str_ieq(name, STR("subject"))) {
            m->subject = value;
        } else if (str_ieq(name, STR("body"))) {
            m->body = value;
        } else if (!add_field(r, name, value, m)) {
            return false;
        }
    }
    return true;
}

/* Takes a mailto URI apart; m->to has room for MAX_RECIPIENTS. */
static bool read_mailto(struct sieve_run *r, struct str uri, struct mailto *m)
{
    size_t question;

    if (!str_istarts(uri, STR("mailto:")) || uri.len > 4000)
        return false;
    uri = str_from(uri, strlen("mailto:"));
    question = str_chr(uri, '?');
    return add_recipients(r, str_sub(uri, 0, question), m) &&
           (question == SIZE_MAX || read_fields(r, str_from(uri, question + 1), m)) && m->n > 0;
}

static bool is_mailto(struct sieve_run *r, struct str uri)
{
    CLEANUP(strbuf_release) struct strbuf unused = { .max = MAX_HEADERS };
    struct mailto m = { .to = arena_array(&r->scratch, struct str, MAX_RECIPIENTS), .headers = unused };
    bool ok = read_mailto(r, uri, &m);

    unused = m.headers;
    return ok;
}

/* Mail that a program sent is not answered by mail that a program sends (RFC 5436, 2.3). */
static bool is_automatic(struct sieve_run *r)
{
    struct sieve_field *f = run_field(r, STR("Auto-Submitted"));

    return f != NULL && !str_istarts(view_field_text(&r->view, f), STR("no"));
}

/* Subject: :message, else the URI's, else the message's own (RFC 5436, 2.4). */
static struct str subject_of(struct sieve_run *r, struct str message, struct str uri_subject)
{
    struct sieve_field *f;

    if (message.p != NULL)
        return arena_str(r->arena, utf8_clean(&r->scratch, message));
    if (uri_subject.p != NULL)
        return arena_str(r->arena, uri_subject);
    f = run_field(r, STR("Subject"));
    if (f == NULL)
        return STR("New message");
    return arena_printf(r->arena, "New message: %.*s", STR_ARG(str_sub(view_field_text(&r->view, f), 0, 900)));
}

static bool read_importance(struct sieve_run *r, const struct sieve_node *n, char *ret)
{
    struct str s = run_arg(r, node_tag_value(n, SLOT_IMPORTANCE));

    *ret = '2';
    if (s.p == NULL)
        return true;
    if (s.len != 1 || s.p[0] < '1' || s.p[0] > '3')
        return run_error(r, n, "\":importance\" must be \"1\", \"2\" or \"3\"");
    *ret = s.p[0];
    return true;
}

static bool add_notification(struct sieve_run *r, const struct sieve_node *n, struct str uri, struct mailto *m)
{
    struct str from = run_arg(r, node_tag_value(n, SLOT_FROM)), bare;
    struct str message = run_arg(r, node_tag_value(n, SLOT_MESSAGE));
    const struct sieve_target *fcc;
    struct sieve_notify notify = { 0 };
    struct sieve_action *a;

    if (from.p != NULL && !run_address(r, from, &bare))
        return run_error(r, n, "\":from\" of \"notify\" is no address");
    if (!read_importance(r, n, &notify.importance) || !run_fcc(r, n, &fcc))
        return false;
    if (!read_mailto(r, uri, m))
        return run_error(r, n, "\"%.*s\" is no address that a notification can go to", (int)MIN(uri.len, (size_t)200),
                         uri.p);
    notify.to = m->to;
    notify.nto = m->n;
    notify.from = arena_str(r->arena, from);
    notify.subject = subject_of(r, message, m->subject);
    notify.text = arena_str(r->arena, m->body.p != NULL ? m->body : STR(""));
    notify.headers = arena_str(r->arena, strbuf_str(&m->headers));
    if (is_automatic(r)) {
        run_trace_action(r, n, STR("no notification about an automatic message"));
        return true;
    }
    a = run_action(r, n, SIEVE_NOTIFY);
    if (a == NULL)
        return false;
    a->address = arena_str(r->arena, uri);
    a->notify = notify;
    a->fcc = fcc;
    run_trace_action(r, n, uri);
    return true;
}

static enum sieve_flow run_notify(struct sieve_run *r, const struct sieve_node *n)
{
    struct mailto m = { .to = arena_array(r->arena, struct str, MAX_RECIPIENTS), .headers = { .max = MAX_HEADERS } };
    bool ok = run_spend(r, n, 10000) && add_notification(r, n, run_arg(r, n->args[0]), &m);

    strbuf_release(&m.headers);
    return ok ? FLOW_NEXT : FLOW_ERROR;
}

static bool test_valid_notify_method(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    struct str *uris = run_list(r, n->args[0]);

    *ret = true;
    for (size_t i = 0; i < n->args[0]->n && *ret; i++) {
        if (!run_spend(r, n, uris[i].len + 10000))
            return false;
        *ret = is_mailto(r, uris[i]);
    }
    return true;
}

/* Of mail nobody knows whether it is read at once: "online" is "maybe" (RFC 5436, 2.2). */
static bool test_capability(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    struct str uri = run_arg(r, n->args[0]), capability = run_arg(r, n->args[1]);
    struct sieve_matcher m;

    matcher_begin(&m, r, n, n->args[2]);
    if (str_ieq(capability, STR("online")) && is_mailto(r, uri))
        matcher_value(&m, STR("maybe"));
    return matcher_end(&m, ret);
}

static const struct sieve_tag tags[] = {
    { "from", SLOT_FROM, EXT_NONE, 0, 'S' },
    { "importance", SLOT_IMPORTANCE, EXT_NONE, 0, 'S' },
    { "options", SLOT_OPTIONS, EXT_NONE, 0, 'L' },
    { "message", SLOT_MESSAGE, EXT_NONE, 0, 'S' },
    { 0 },
};

const struct sieve_spec sieve_notify_specs[] = {
    { .name = "notify", .ext = EXT_ENOTIFY, .args = "S", .tags = { tags, sieve_fcc_tags }, .command = run_notify },
    { .name = "valid_notify_method",
      .ext = EXT_ENOTIFY,
      .flags = SPEC_TEST,
      .args = "L",
      .test = test_valid_notify_method },
    { .name = "notify_method_capability",
      .ext = EXT_ENOTIFY,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "SSL",
      .test = test_capability },
    { 0 },
};
