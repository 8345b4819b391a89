/* SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501, 6.3.1, 6.3.2, 6.4.2; RFC 3691). */
#include "base/encode.h"
#include "imap/stored.h"

static void on_message(void *arg, const struct message_state *m)
{
    (void)view_put(arg, m, false); /* UIDs ascend: always a new one */
}

static size_t first_unseen(const struct view *view)
{
    for (size_t i = 0; i < view->n; i++) {
        if ((view->v[i].flags & FLAG_SEEN) == 0)
            return i + 1;
    }
    return 0;
}

/* The answers of RFC 3501, 6.3.1, in its order; MAILBOXID: RFC 8474, 4.2. */
static void describe(struct imap_session *s)
{
    struct view *view = s->view;
    size_t unseen = first_unseen(view);

    view->told = view->n;
    view->recent_told = view->nrecent;
    write_flag_list(s);
    stream_printf(s->stream, "* %zu EXISTS\r\n* %zu RECENT\r\n", view->n, view->nrecent);
    if (unseen > 0)
        stream_printf(s->stream, "* OK [UNSEEN %zu] First unseen message\r\n", unseen);
    stream_printf(s->stream,
                  "* OK [UIDVALIDITY %lld] UIDs are valid\r\n* OK [UIDNEXT %lld] Next UID\r\n"
                  "* OK [HIGHESTMODSEQ %lld] Mailbox state\r\n* OK [MAILBOXID (%.*s)] Its id\r\n",
                  (long long)view->uidvalidity, (long long)view->uidnext, (long long)view->modseq,
                  STR_ARG(id_encode(&s->arena, 'm', view->mailbox_id)));
}

/* Messages that nobody was told of as \Recent become this session's (RFC 3501, 2.3.2). */
static void take_recent(struct imap_session *s, const struct mailbox *box)
{
    int64_t first = box->first_recent;

    if (!s->view->read_only && first < box->uidnext &&
        mailbox_claim_recent(s->db, &s->who, box->id, box->uidnext, &first) != RES_OK)
        first = box->first_recent;
    view_set_recent(s->view, first);
}

static enum result open_view(struct imap_session *s, struct str name, bool read_only)
{
    struct view *view = view_new();
    struct mailbox box = { 0 };
    enum result r;

    view->first_recent = INT64_MAX;
    view->read_only = read_only;
    r = message_open(s->db, &s->who, name, &s->arena, &box, on_message, view);
    if (r != RES_OK) {
        view_free(view);
        return r;
    }
    view->mailbox_id = box.id;
    view->uidvalidity = box.uidvalidity;
    view->uidnext = box.uidnext;
    view->modseq = box.highestmodseq;
    view_set_name(view, box.name);
    s->view = view;
    s->state = ST_SELECTED;
    notify_add(&s->watch, box.id);
    take_recent(s, &box);
    return RES_OK;
}

/* The keywords that FLAGS names: all of the account. */
static enum result know_keywords(struct imap_session *s)
{
    int32_t *ids;
    size_t n;

    if (s->view->max_keyword == 0)
        return RES_OK;
    if (s->nkeywords == 0 || s->keywords[s->nkeywords - 1].id < s->view->max_keyword) {
        const struct imap_flags unknown = { .keywords = &(struct str){ "", 0 }, .n = 1 };

        return session_keyword_ids(s, &unknown, false, &ids, &n);
    }
    return RES_OK;
}

enum next cmd_select(struct imap_session *s, struct imap_command *cmd)
{
    bool read_only = cmd->verb == IMAP_EXAMINE;
    struct str name;
    enum result r;

    session_unselect(s); /* also when this fails (RFC 3501, 6.3.1) */
    if (cmd->select.condstore)
        session_enable_condstore(s);
    r = mailbox_name_check(&s->arena, cmd->select.mailbox, &name);
    if (r == RES_OK)
        r = open_view(s, name, read_only);
    if (r != RES_OK)
        return imap_no_result(s, r == RES_INVALID ? RES_NOTFOUND : r);
    r = know_keywords(s);
    if (r != RES_OK) {
        session_unselect(s);
        return imap_no_result(s, r);
    }
    describe(s);
    if (session_sync(s, false) == RES_NOTFOUND) /* what came between the snapshot and the watch */
        s->watch.dirty = true;
    return imap_ok(s, read_only ? "[READ-ONLY] %s completed" : "[READ-WRITE] %s completed", imap_verb_name(cmd->verb));
}

/* RFC 3501, 6.4.2: \Deleted messages go without a word, unless the mailbox is read-only. */
enum next cmd_close(struct imap_session *s, struct imap_command *cmd UNUSED)
{
    bool current;
    enum result r = s->view->read_only ? RES_OK : expunge_deleted(s, NULL, &current);

    session_unselect(s);
    return r == RES_OK || r == RES_NOTFOUND ? imap_ok(s, "CLOSE completed") : imap_no_result(s, r);
}

enum next cmd_unselect(struct imap_session *s, struct imap_command *cmd UNUSED)
{
    session_unselect(s);
    return imap_ok(s, "UNSELECT completed");
}
