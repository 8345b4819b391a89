/* EXPUNGE and UID EXPUNGE (RFC 3501, 6.4.3; RFC 4315, 2.1). */
#include "imap/stored.h"

/* What others marked \Deleted goes, too: when what is known of it was not enough, a second round looks first. */
static enum result expunge(struct imap_session *s, const struct imap_set *set)
{
    bool current = false;
    enum result r = RES_OK;

    for (int round = 0; r == RES_OK && !current && round < 2; round++) {
        struct view_spans spans; /* numbers may change when we look */

        r = session_sync(s, round == 0);
        if (r == RES_OK && set != NULL)
            r = view_resolve(s->view, &s->arena, set, true, &spans);
        if (r == RES_OK)
            r = expunge_deleted(s, set != NULL ? &spans : NULL, &current);
    }
    return r;
}

enum next cmd_expunge(struct imap_session *s, struct imap_command *cmd)
{
    enum result r;

    if (s->view->read_only)
        return imap_no(s, "[CANNOT] The mailbox was opened read-only");
    r = expunge(s, cmd->uid ? &cmd->expunge.set : NULL);
    if (r == RES_NOTFOUND)
        s->watch.dirty = true;
    return r == RES_OK ? imap_ok(s, "EXPUNGE completed") : imap_no_result(s, r);
}
