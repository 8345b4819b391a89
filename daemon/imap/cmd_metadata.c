/* GETMETADATA and SETMETADATA: annotations (RFC 5464). */
#include "imap/session.h"
#include "store/annotation.h"

static const struct str admin_entry = STR("/shared/admin");

/* The mailbox's id; ANNOTATION_SERVER for the empty name. */
static enum result find(struct imap_session *s, struct str mailbox, struct str *ret_name, int64_t *ret_id)
{
    struct mailbox box;
    enum result r;

    *ret_name = mailbox;
    *ret_id = ANNOTATION_SERVER;
    if (mailbox.len == 0)
        return RES_OK;
    r = mailbox_name_check(&s->arena, mailbox, ret_name);
    if (r == RES_OK)
        r = mailbox_find(s->db, &s->who, *ret_name, &s->arena, &box);
    if (r == RES_OK)
        *ret_id = box.id;
    return r == RES_INVALID ? RES_NOTFOUND : r;
}

/* ---- GETMETADATA ---- */

static bool asked(struct str name, struct str entry, int depth)
{
    struct str below;

    if (str_eq(name, entry))
        return true;
    if (depth == DEPTH_0 || !str_starts(name, entry) || name.p[entry.len] != '/')
        return false;
    below = str_from(name, entry.len + 1);
    return depth == DEPTH_INFINITY || str_chr(below, '/') == SIZE_MAX;
}

static bool is_asked(const struct imap_command *cmd, struct str name)
{
    for (size_t i = 0; i < cmd->metadata.n; i++) {
        if (asked(name, cmd->metadata.v[i].name, (int)cmd->metadata.depth))
            return true;
    }
    return false;
}

static bool is_there(const struct annotation *v, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(v[i].name, name))
            return true;
    }
    return false;
}

/* A value with NUL is a literal8 (RFC 3516). */
static void write_value(struct imap_session *s, struct str value)
{
    if (value.len == 0 || memchr(value.p, '\0', value.len) == NULL) {
        stream_write(s->stream, quoted_string(&s->arena, value));
        return;
    }
    stream_printf(s->stream, "~{%zu}\r\n", value.len);
    stream_write(s->stream, value);
}

static void write_entry(struct imap_session *s, struct str mailbox, bool *first, struct str name)
{
    if (*first)
        stream_printf(s->stream, "* METADATA %.*s (", STR_ARG(wire_mailbox(&s->arena, mailbox)));
    stream_printf(s->stream, "%s%.*s ", *first ? "" : " ", STR_ARG(quoted_string(&s->arena, name)));
    *first = false;
}

enum next cmd_getmetadata(struct imap_session *s, struct imap_command *cmd)
{
    struct annotation *v = NULL;
    struct str mailbox;
    size_t n = 0, longest = 0;
    bool first = true;
    int64_t id;
    enum result r = find(s, cmd->metadata.mailbox, &mailbox, &id);

    if (r == RES_OK)
        r = annotation_list(s->db, &s->who, id, &s->arena, &v, &n);
    if (r != RES_OK)
        return imap_no_result(s, r);
    for (size_t i = 0; i < n; i++) {
        if (!is_asked(cmd, v[i].name))
            continue;
        if (cmd->metadata.has_max && v[i].value.len > cmd->metadata.max) {
            longest = MAX(longest, v[i].value.len);
            continue;
        }
        write_entry(s, mailbox, &first, v[i].name);
        write_value(s, v[i].value);
    }
    for (size_t i = 0; i < cmd->metadata.n && cmd->metadata.depth == DEPTH_0; i++) {
        if (is_there(v, n, cmd->metadata.v[i].name))
            continue;
        write_entry(s, mailbox, &first, cmd->metadata.v[i].name);
        stream_puts(s->stream, "NIL");
    }
    if (!first)
        stream_puts(s->stream, ")\r\n");
    if (longest > 0)
        return imap_ok(s, "[METADATA LONGENTRIES %zu] GETMETADATA completed", longest);
    return imap_ok(s, "GETMETADATA completed");
}

/* ---- SETMETADATA ---- */

enum next cmd_setmetadata(struct imap_session *s, struct imap_command *cmd)
{
    struct annotation *v = arena_array(&s->arena, struct annotation, cmd->metadata.n);
    struct str mailbox;
    int64_t id;
    enum result r = find(s, cmd->metadata.mailbox, &mailbox, &id);

    if (r != RES_OK)
        return imap_no_result(s, r);
    for (size_t i = 0; i < cmd->metadata.n; i++) {
        v[i] = (struct annotation){ cmd->metadata.v[i].name, cmd->metadata.v[i].value };
        if (v[i].value.len > ANNOTATION_VALUE_MAX)
            return imap_no(s, "[METADATA MAXSIZE %zu] The value is too large", ANNOTATION_VALUE_MAX);
        if (id == ANNOTATION_SERVER && str_eq(v[i].name, admin_entry)) /* RFC 5464, 3.2.1.1 */
            return imap_no(s, "[NOPERM] %.*s cannot be changed", STR_ARG(admin_entry));
    }
    r = annotation_set(s->db, &s->who, id, v, cmd->metadata.n);
    if (r == RES_LIMIT)
        return imap_no(s, "[METADATA TOOMANY] There are too many annotations");
    return r == RES_OK ? imap_ok(s, "SETMETADATA completed") : imap_no_result(s, r);
}
