/* LIST, LSUB, NAMESPACE (RFC 3501, 6.3.8, 6.3.9; CHILDREN: RFC 3348; SPECIAL-USE: RFC 6154; RFC 2342).
 *
 * A level that has mailboxes below it and none itself is shown as \Noselect. */
#include "imap/list_match.h"
#include "imap/session.h"
#include "io/coroutine.h"

#include <stdlib.h>

#define ATOMIC 200 /* names that are matched before others get their turn */

struct list_entry {
    struct str name;
    enum special_use use;
    bool exists, subscribed, has_children;
};
struct list_tree { /* in byte order of the names */
    struct list_entry *v;
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct list_entry *)a)->name, ((const struct list_entry *)b)->name);
}

static size_t levels_above(struct str name)
{
    size_t n = 0;

    for (size_t i = 0; i < name.len; i++)
        n += name.p[i] == '/';
    return n;
}

/* Adds the levels above `name`, except those that the name before it brought already. */
static void add_levels(struct list_tree *tree, struct str name, struct str previous)
{
    for (size_t i = 0; i < name.len; i++) {
        struct str level = str_of(name.p, i);

        if (name.p[i] != '/')
            continue;
        if (previous.len > i && str_starts(previous, level) && previous.p[i] == '/')
            continue;
        tree->v[tree->n++] = (struct list_entry){ .name = level, .has_children = true };
    }
}

/* Sorts, and makes one of what has the same name. */
static void settle(struct list_tree *tree)
{
    size_t kept = 0;

    qsort(tree->v, tree->n, sizeof(*tree->v), by_name);
    for (size_t i = 0; i < tree->n; i++) {
        struct list_entry *e = &tree->v[i];

        if (kept > 0 && str_eq(tree->v[kept - 1].name, e->name)) {
            struct list_entry *same = &tree->v[kept - 1];

            same->exists = same->exists || e->exists;
            same->subscribed = same->subscribed || e->subscribed;
            same->has_children = same->has_children || e->has_children;
            same->use = MAX(same->use, e->use);
        } else {
            tree->v[kept++] = *e;
        }
    }
    tree->n = kept;
}

/* All mailboxes and, with `subscribed`, only what is subscribed, mailbox or not. */
static enum result load_tree(struct imap_session *s, bool subscribed, struct list_tree *ret)
{
    struct mailbox *boxes = NULL;
    struct str *names = NULL, previous = STR("");
    size_t nboxes = 0, nnames = 0, most;
    struct list_tree tree = { 0 };
    enum result r = mailbox_list(s->db, &s->who, &s->arena, &boxes, &nboxes);

    if (r == RES_OK && subscribed)
        r = mailbox_subscribed_names(s->db, &s->who, &s->arena, &names, &nnames);
    if (r != RES_OK)
        return r;
    most = nboxes + nnames;
    for (size_t i = 0; i < nboxes; i++)
        most += levels_above(boxes[i].name);
    for (size_t i = 0; i < nnames; i++)
        most += levels_above(names[i]);
    tree.v = arena_array(&s->arena, struct list_entry, most);
    for (size_t i = 0; i < nboxes; i++) {
        if (subscribed && !boxes[i].subscribed)
            continue;
        tree.v[tree.n++] = (struct list_entry){ .name = boxes[i].name, .use = boxes[i].special_use, .exists = true,
                                                .subscribed = boxes[i].subscribed };
        add_levels(&tree, boxes[i].name, previous);
        previous = boxes[i].name;
    }
    previous = STR("");
    for (size_t i = 0; i < nnames; i++) {
        tree.v[tree.n++] = (struct list_entry){ .name = names[i], .subscribed = true };
        add_levels(&tree, names[i], previous);
        previous = names[i];
    }
    settle(&tree);
    *ret = tree;
    return RES_OK;
}

static const char *const use_names[SPECIAL_USES] = { "", " \\Archive", " \\Drafts", " \\Junk", " \\Sent", " \\Trash",
                                                     " \\All", " \\Flagged" };

static void write_entry(struct imap_session *s, const char *verb, const char *attributes, struct str name)
{
    stream_printf(s->stream, "* %s (%s) \"/\" %.*s\r\n", verb, attributes,
                  STR_ARG(wire_mailbox(&s->arena, name)));
}

/* The name that LIST interprets: reference and pattern together; a pattern that begins with '/' starts anew. */
static struct str full_pattern(struct imap_session *s, const struct imap_command *cmd)
{
    if (str_starts(cmd->list.pattern, STR("/")))
        return str_from(cmd->list.pattern, 1);
    return arena_printf(&s->arena, "%.*s%.*s", STR_ARG(cmd->list.reference), STR_ARG(cmd->list.pattern));
}

static void take_turns(size_t i)
{
    if (i % ATOMIC == ATOMIC - 1)
        coroutine_yield();
}

enum next cmd_list(struct imap_session *s, struct imap_command *cmd)
{
    struct str pattern = full_pattern(s, cmd);
    struct list_tree tree;
    enum result r;

    if (cmd->list.pattern.len == 0) { /* asks for the separator */
        stream_puts(s->stream, "* LIST (\\Noselect) \"/\" \"\"\r\n");
        return imap_ok(s, "LIST completed");
    }
    r = load_tree(s, false, &tree);
    if (r != RES_OK)
        return imap_no_result(s, r);
    for (size_t i = 0; i < tree.n; i++) {
        const struct list_entry *e = &tree.v[i];

        take_turns(i);
        if ((cmd->list.only_special && e->use == SPECIAL_NONE) || !list_match(pattern, e->name))
            continue;
        write_entry(s, "LIST",
                    arena_printf(&s->arena, "%s%s%s", e->exists ? "" : "\\Noselect ",
                                 e->has_children ? "\\HasChildren" : "\\HasNoChildren", use_names[e->use])
                        .p,
                    e->name);
    }
    return imap_ok(s, "LIST completed");
}

/* A name whose match is only because of a "%" that ends above a subscribed name is \Noselect (RFC 3501, 6.3.9). */
enum next cmd_lsub(struct imap_session *s, struct imap_command *cmd)
{
    struct str pattern = full_pattern(s, cmd);
    struct list_tree tree;
    enum result r;

    if (cmd->list.pattern.len == 0) {
        stream_puts(s->stream, "* LSUB (\\Noselect) \"/\" \"\"\r\n");
        return imap_ok(s, "LSUB completed");
    }
    r = load_tree(s, true, &tree);
    if (r != RES_OK)
        return imap_no_result(s, r);
    for (size_t i = 0; i < tree.n; i++) {
        const struct list_entry *e = &tree.v[i];
        bool level = !e->subscribed;

        take_turns(i);
        if (!list_match(pattern, e->name) || (level && !str_ends(pattern, STR("%"))))
            continue;
        write_entry(s, "LSUB", level || !e->exists ? "\\Noselect" : "", e->name);
    }
    return imap_ok(s, "LSUB completed");
}

enum next cmd_namespace(struct imap_session *s, struct imap_command *cmd UNUSED)
{
    stream_puts(s->stream, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
    return imap_ok(s, "NAMESPACE completed");
}
