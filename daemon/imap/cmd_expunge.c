/* EXPUNGE and UID EXPUNGE (RFC 3501, 6.4.3; RFC 4315, 2.1). */
#include "imap/stored.h"

enum next cmd_expunge(struct imap_session *s, struct imap_command *cmd)
{
    struct view_spans spans;
    enum result r;

    if (s->view->read_only)
        return imap_no(s, "[CANNOT] The mailbox was opened read-only");
    r = session_sync(s, false); /* what others marked \Deleted goes, too */
    if (r == RES_OK && cmd->uid && view_resolve(s->view, &s->arena, &cmd->expunge.set, true, &spans) != RES_OK)
        return imap_bad(s, "Bad UID set");
    if (r == RES_OK)
        r = expunge_deleted(s, cmd->uid ? &spans : NULL);
    if (r == RES_NOTFOUND)
        s->watch.dirty = true;
    return r == RES_OK ? imap_ok(s, "EXPUNGE completed") : imap_no_result(s, r);
}
