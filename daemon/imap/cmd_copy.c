/* COPY and MOVE (RFC 3501, 6.4.7; RFC 6851; COPYUID: RFC 4315, 3). */
#include "imap/event.h"
#include "imap/stored.h"

static enum next refused(struct imap_session *s, enum result r)
{
    if (r == RES_NOTFOUND)
        return imap_no(s, "[TRYCREATE] No such mailbox");
    if (r == RES_LIMIT)
        return imap_no(s, "[OVERQUOTA] The quota is used up");
    return imap_no_result(s, r);
}

static struct str copyuid(struct imap_session *s, const struct message_copied *copied)
{
    return arena_printf(&s->arena, "[COPYUID %lld %.*s %.*s]", (long long)copied->uidvalidity,
                        STR_ARG(number_set(&s->arena, copied->from, copied->n)),
                        STR_ARG(number_set(&s->arena, copied->to, copied->n)));
}

/* MOVE: COPYUID comes untagged, before the EXPUNGEs (RFC 6851, 4.3). */
static void moved(struct imap_session *s, const struct message_copied *copied)
{
    stream_printf(s->stream, "* OK %.*s Moved\r\n", STR_ARG(copyuid(s, copied)));
    for (size_t i = 0; i < copied->removed.n; i++)
        view_mark_gone(s->view, (uint32_t)copied->removed.uids[i]);
    (void)session_changed(s, copied->removed.modseq_before, copied->removed.modseq);
}

enum next cmd_copy(struct imap_session *s, struct imap_command *cmd)
{
    bool move = cmd->verb == IMAP_MOVE;
    struct message_copied copied = { 0 };
    struct view_spans spans;
    struct mailbox box = { 0 };
    struct str name;
    int64_t *uids;
    size_t n;
    enum result r;

    if (move && s->view->read_only)
        return imap_no(s, "[CANNOT] The mailbox was opened read-only");
    if (view_resolve(s->view, &s->arena, &cmd->copy.set, cmd->uid, &spans) != RES_OK)
        return imap_bad(s, "No message has such a number");
    r = mailbox_name_check(&s->arena, cmd->copy.mailbox, &name);
    if (r == RES_OK)
        r = mailbox_find(s->db, &s->who, name, &s->arena, &box);
    if (r != RES_OK)
        return refused(s, r == RES_INVALID ? RES_NOTFOUND : r);
    n = spans_uids(s->view, &s->arena, &spans, &uids);
    if (n > 0)
        r = (move ? message_move : message_copy)(s->db, &s->who, s->view->mailbox_id, uids, n, box.id, &s->arena,
                                                 &copied);
    if (r != RES_OK)
        return refused(s, r);
    if (copied.n == 0 && spans.n > 0) {
        s->watch.dirty = true;
        return imap_no(s, "[EXPUNGEISSUED] The messages are no longer there");
    }
    if (copied.n == 0)
        return imap_ok(s, "%s completed, nothing to do", imap_verb_name(cmd->verb));
    if (move)
        moved(s, &copied);
    if (copied.scripted)
        event_added(s, EVENT_COPY, box.id, name, copied.to, copied.n);
    if (move)
        return imap_ok(s, "MOVE completed");
    return imap_ok(s, "%.*s COPY completed", STR_ARG(copyuid(s, &copied)));
}
