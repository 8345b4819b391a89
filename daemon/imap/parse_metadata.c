/* GETMETADATA, SETMETADATA (RFC 5464, 5). */
#include "imap/parse_internal.h"
#include "store/annotation.h"

#define VENDOR_COMPONENTS 4 /* /shared/vendor/<token>/<name> (RFC 5464, 3.2) */

/* The number of components of an entry's name; 0: it is none. */
static unsigned components(struct str name)
{
    unsigned n = 0;

    if (name.len == 0 || name.len > ANNOTATION_NAME_MAX || name.p[0] != '/' || name.p[name.len - 1] == '/')
        return 0;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char ch = (unsigned char)name.p[i];

        if (ch < 0x20 || ch >= 0x7f || ch == '*' || ch == '%' || (ch == '/' && name.p[i + 1] == '/'))
            return 0;
        n += ch == '/';
    }
    return n;
}

/* An entry's name, in lower case.  `whole`: one that can have a value. */
static bool parse_entry(struct cursor *c, bool whole, struct str *ret)
{
    struct str name, scope;
    unsigned n;

    if (!parse_astring(c, &name))
        return false;
    name = arena_lower(c->a, name);
    n = components(name);
    scope = str_sub(name, 0, n == 1 ? name.len : n > 1 ? 1 + str_chr(str_from(name, 1), '/') : 0);
    if (!str_eq(scope, STR("/private")) && !str_eq(scope, STR("/shared")))
        return parse_fail(c, "An entry begins with /private/ or /shared/");
    if (whole && (n < 2 || (n < VENDOR_COMPONENTS && str_starts(str_from(name, scope.len), STR("/vendor")) &&
                            (name.len == scope.len + 7 || name.p[scope.len + 7] == '/'))))
        return parse_fail(c, "The entry's name is too short");
    *ret = name;
    return true;
}

static bool too_many(struct cursor *c, const struct imap_command *cmd)
{
    return cmd->metadata.n == IMAP_MAX_ENTRIES && !parse_fail(c, "Too many entries");
}

/* entry / "(" entry *(SP entry) ")"; the parenthesis is taken already when `list`. */
static bool parse_entries(struct cursor *c, struct imap_command *cmd, bool list)
{
    do {
        if (too_many(c, cmd) || !parse_entry(c, false, &cmd->metadata.v[cmd->metadata.n].name))
            return false;
        cmd->metadata.n++;
    } while (list && parse_char(c, ' '));
    return !list || parse_char(c, ')') || parse_fail(c, "Entries without end");
}

/* Behind the parenthesis. */
static bool parse_options(struct cursor *c, struct imap_command *cmd)
{
    do {
        if (take_word(c, "MAXSIZE")) {
            if (!parse_sp(c) || !parse_number(c, UINT32_MAX, &cmd->metadata.max))
                return parse_fail(c, "Bad MAXSIZE");
            cmd->metadata.has_max = true;
        } else if (take_word(c, "DEPTH")) {
            if (!parse_sp(c))
                return false;
            if (take_word(c, "infinity"))
                cmd->metadata.depth = DEPTH_INFINITY;
            else if (take_word(c, "1"))
                cmd->metadata.depth = DEPTH_1;
            else if (take_word(c, "0"))
                cmd->metadata.depth = DEPTH_0;
            else
                return parse_fail(c, "DEPTH is 0, 1 or infinity");
        } else {
            return parse_fail(c, "No such GETMETADATA option");
        }
    } while (parse_char(c, ' '));
    return parse_char(c, ')') || parse_fail(c, "GETMETADATA options without end");
}

static void begin(struct cursor *c, struct imap_command *cmd)
{
    memset(&cmd->metadata, 0, sizeof(cmd->metadata));
    cmd->metadata.v = arena_array(c->a, struct imap_entry, IMAP_MAX_ENTRIES);
}

/* The grammar has the options before the mailbox, the RFC's examples behind it: both are taken. */
bool parse_getmetadata(struct cursor *c, struct imap_command *cmd)
{
    begin(c, cmd);
    if (!parse_sp(c) || (parse_char(c, '(') && (!parse_options(c, cmd) || !parse_sp(c))) ||
        !parse_mailbox(c, &cmd->metadata.mailbox) || !parse_sp(c))
        return false;
    if (!parse_char(c, '('))
        return parse_entries(c, cmd, false);
    if (peek_char(c, 'M') || peek_char(c, 'm') || peek_char(c, 'D') || peek_char(c, 'd')) { /* an entry begins with "/" */
        if (!parse_options(c, cmd) || !parse_sp(c))
            return false;
        if (!parse_char(c, '('))
            return parse_entries(c, cmd, false);
    }
    return parse_entries(c, cmd, true);
}

bool parse_setmetadata(struct cursor *c, struct imap_command *cmd)
{
    begin(c, cmd);
    if (!parse_sp(c) || !parse_mailbox(c, &cmd->metadata.mailbox) || !parse_sp(c))
        return false;
    if (!parse_char(c, '('))
        return parse_fail(c, "Entries and values expected");
    do {
        struct imap_entry *e = &cmd->metadata.v[cmd->metadata.n];

        if (too_many(c, cmd) || !parse_entry(c, true, &e->name) || !parse_sp(c) || !parse_nstring8(c, &e->value))
            return false;
        cmd->metadata.n++;
    } while (parse_char(c, ' '));
    return parse_char(c, ')') || parse_fail(c, "Entries without end");
}
