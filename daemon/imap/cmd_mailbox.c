/* CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS (RFC 3501, 6.3). */
#include "base/encode.h"
#include "imap/session.h"

/* RFC 3501, 6.3.3; USE: RFC 6154, 3; MAILBOXID: RFC 8474, 4.1. */
enum next cmd_create(struct imap_session *s, struct imap_command *cmd)
{
    struct str name;
    int64_t id;
    enum result r;

    if (cmd->create.bad_use)
        return imap_no(s, "[USEATTR] A mailbox can be one of Archive, Drafts, Junk, Sent, Trash");
    if (mailbox_name_check(&s->arena, cmd->create.mailbox, &name) != RES_OK)
        return imap_no(s, "[CANNOT] That is no name for a mailbox");
    r = mailbox_create(s->db, &s->who, name, cmd->create.use, &id);
    if (r != RES_OK)
        return imap_no_result(s, r);
    return imap_ok(s, "[MAILBOXID (%.*s)] CREATE completed", STR_ARG(id_encode(&s->arena, 'm', id)));
}

/* RFC 3501, 6.3.4. */
enum next cmd_delete(struct imap_session *s, struct imap_command *cmd)
{
    struct str name;
    enum result r = mailbox_name_check(&s->arena, cmd->mailbox, &name);

    if (r != RES_OK)
        return imap_no_result(s, RES_NOTFOUND);
    if (str_eq(name, STR("INBOX")))
        return imap_no(s, "[CANNOT] INBOX cannot be deleted");
    if (s->view != NULL && str_eq(name, str_c(s->view->name)))
        session_unselect(s);
    r = mailbox_delete(s->db, &s->who, name);
    return r == RES_OK ? imap_ok(s, "DELETE completed") : imap_no_result(s, r);
}

/* RFC 3501, 6.3.5. */
enum next cmd_rename(struct imap_session *s, struct imap_command *cmd)
{
    struct str from, to;
    enum result r;

    if (mailbox_name_check(&s->arena, cmd->rename.from, &from) != RES_OK)
        return imap_no_result(s, RES_NOTFOUND);
    if (mailbox_name_check(&s->arena, cmd->rename.to, &to) != RES_OK)
        return imap_no(s, "[CANNOT] That is no name for a mailbox");
    r = mailbox_rename(s->db, &s->who, from, to);
    if (r != RES_OK)
        return imap_no_result(s, r);
    if (s->view != NULL && !str_eq(from, STR("INBOX"))) {
        struct str selected = str_c(s->view->name);

        if (str_starts(selected, from) && (selected.len == from.len || selected.p[from.len] == '/'))
            view_set_name(s->view, arena_printf(&s->arena, "%.*s%.*s", STR_ARG(to),
                                                STR_ARG(str_from(selected, from.len))));
    }
    return imap_ok(s, "RENAME completed");
}

/* RFC 3501, 6.3.6. */
enum next cmd_subscribe(struct imap_session *s, struct imap_command *cmd)
{
    struct str name;
    enum result r = mailbox_name_check(&s->arena, cmd->mailbox, &name);

    if (r == RES_OK)
        r = mailbox_subscribe(s->db, &s->who, name);
    return r == RES_OK ? imap_ok(s, "SUBSCRIBE completed") : imap_no_result(s, r == RES_INVALID ? RES_NOTFOUND : r);
}

/* RFC 3501, 6.3.7. */
enum next cmd_unsubscribe(struct imap_session *s, struct imap_command *cmd)
{
    struct str name;
    enum result r = mailbox_name_check(&s->arena, cmd->mailbox, &name);

    if (r == RES_OK)
        r = mailbox_unsubscribe(s->db, &s->who, name);
    return r == RES_OK ? imap_ok(s, "UNSUBSCRIBE completed") : imap_no_result(s, r == RES_INVALID ? RES_NOTFOUND : r);
}

/* RFC 3501, 6.3.10; HIGHESTMODSEQ: RFC 7162, 3.1.7; DELETED, DELETED-STORAGE: RFC 9208, 4.1.4; MAILBOXID: RFC 8474, 4.3. */
enum next cmd_status(struct imap_session *s, struct imap_command *cmd)
{
    unsigned items = cmd->status.items;
    struct mailbox box = { 0 };
    struct strbuf b = { 0 };
    int64_t recent = 0, deleted_bytes = 0;
    struct str name;
    enum result r = mailbox_name_check(&s->arena, cmd->status.mailbox, &name);

    if (r == RES_OK)
        r = mailbox_find(s->db, &s->who, name, &s->arena, &box);
    if (r == RES_OK && (items & STATUS_RECENT))
        r = mailbox_count_recent(s->db, &s->who, &box, &recent);
    if (r == RES_OK && (items & STATUS_DELETED_STORAGE))
        r = mailbox_deleted_bytes(s->db, &s->who, &box, &deleted_bytes);
    if (r != RES_OK)
        return imap_no_result(s, r == RES_INVALID ? RES_NOTFOUND : r);
    if (items & STATUS_HIGHESTMODSEQ)
        session_enable_condstore(s);

    const struct {
        unsigned item;
        const char *name;
        int64_t value;
    } values[] = { { STATUS_MESSAGES, "MESSAGES", box.messages },
                   { STATUS_RECENT, "RECENT", recent },
                   { STATUS_UIDNEXT, "UIDNEXT", box.uidnext },
                   { STATUS_UIDVALIDITY, "UIDVALIDITY", box.uidvalidity },
                   { STATUS_UNSEEN, "UNSEEN", box.unseen },
                   { STATUS_HIGHESTMODSEQ, "HIGHESTMODSEQ", box.highestmodseq },
                   { STATUS_DELETED, "DELETED", box.deleted },
                   { STATUS_DELETED_STORAGE, "DELETED-STORAGE", deleted_bytes } };
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (items & values[i].item)
            (void)strbuf_addf(&b, "%s%s %lld", b.len > 0 ? " " : "", values[i].name, (long long)values[i].value);
    }
    if (items & STATUS_MAILBOXID)
        (void)strbuf_addf(&b, "%sMAILBOXID (%.*s)", b.len > 0 ? " " : "", STR_ARG(id_encode(&s->arena, 'm', box.id)));
    stream_printf(s->stream, "* STATUS %.*s (%s)\r\n", STR_ARG(wire_mailbox(&s->arena, name)), b.p);
    strbuf_release(&b);
    return imap_ok(s, "STATUS completed");
}
