/* Commands of every state: CAPABILITY, NOOP (and CHECK), LOGOUT, ID, ENABLE. */
#include "imap/session.h"

/* RFC 3501, 6.1.1. */
enum next cmd_capability(struct imap_session *s, struct imap_command *cmd UNUSED)
{
    stream_printf(s->stream, "* CAPABILITY %.*s\r\n", STR_ARG(capabilities(s)));
    return imap_ok(s, "CAPABILITY completed");
}

/* RFC 3501, 6.1.2 and 6.4.1: everything is on disk already, so CHECK is NOOP. */
enum next cmd_noop(struct imap_session *s, struct imap_command *cmd)
{
    if (s->state == ST_SELECTED && session_sync(s, false) == RES_NOTFOUND)
        s->watch.dirty = true; /* the completion finds it out again and says BYE */
    return imap_ok(s, "%s completed", imap_verb_name(cmd->verb));
}

/* RFC 3501, 6.1.3. */
enum next cmd_logout(struct imap_session *s, struct imap_command *cmd)
{
    stream_puts(s->stream, "* BYE Logging out\r\n");
    stream_printf(s->stream, "%.*s OK LOGOUT completed\r\n", STR_ARG(cmd->tag));
    return NEXT_CLOSE;
}

/* RFC 2971. */
enum next cmd_id(struct imap_session *s, struct imap_command *cmd UNUSED)
{
    stream_puts(s->stream, "* ID (\"name\" \"Correio\")\r\n");
    return imap_ok(s, "ID completed");
}

/* RFC 5161, 3.1. */
enum next cmd_enable(struct imap_session *s, struct imap_command *cmd)
{
    bool news = cmd->enable.condstore && !s->condstore;

    stream_write(s->stream, news ? STR("* ENABLED CONDSTORE\r\n") : STR("* ENABLED\r\n"));
    if (cmd->enable.condstore)
        session_enable_condstore(s);
    return imap_ok(s, "ENABLE completed");
}
