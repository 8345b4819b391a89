/* IDLE (RFC 2177): news wakes it; it looks by itself every minute, too.  While it waits it holds no database
 * connection, no buffers and no arena. */
#include "imap/session.h"

/* Sleeps until there is input or news.  RES_TIMEOUT: time to look. */
static enum result sleep_for_news(struct imap_session *s, int64_t deadline)
{
    enum result r = RES_OK;

    stream_set_interruptible(s->stream, true);
    s->watch.sleeper = coroutine_self();
    while (r == RES_OK && stream_buffered(s->stream) == 0 && !session_has_news(s))
        r = stream_wait_input(s->stream, deadline);
    s->watch.sleeper = NULL;
    stream_set_interruptible(s->stream, false);
    return r;
}

static enum next idle_ends(struct imap_session *s)
{
    struct str line;
    enum result r = stream_read_line(s->stream, LINE_MAX_GREETED, &line);

    if (r != RES_OK && r != RES_LIMIT)
        return NEXT_CLOSE;
    if (r == RES_LIMIT || !str_ieq(line, STR("DONE")))
        return imap_bad(s, "DONE expected");
    return imap_ok(s, "IDLE completed");
}

static enum next say_goodbye(struct imap_session *s, const char *why)
{
    stream_printf(s->stream, "* BYE %s\r\n", why);
    return NEXT_CLOSE;
}

enum next cmd_idle(struct imap_session *s, struct imap_command *cmd UNUSED)
{
    int64_t logout = deadline_in(AUTOLOGOUT_MS), pause = LOOK_MS;

    if (s->state == ST_SELECTED && session_sync(s, false) == RES_NOTFOUND)
        return say_goodbye(s, "The selected mailbox was deleted");
    stream_puts(s->stream, "+ idling\r\n");
    for (;;) {
        enum result r = sleep_for_news(s, MIN(deadline_in(pause), logout)), news = RES_OK;

        if (stream_buffered(s->stream) > 0)
            return idle_ends(s);
        if (r == RES_CANCELLED && s->presence.over)
            return NEXT_CLOSE; /* the session says why */
        if (r == RES_CANCELLED)
            return say_goodbye(s, "[UNAVAILABLE] Server is shutting down");
        if (r == RES_TIMEOUT && loop_now() >= logout)
            return say_goodbye(s, "Autologout: idle for too long");
        if (r != RES_OK && r != RES_TIMEOUT)
            return NEXT_CLOSE;
        if (s->state == ST_SELECTED)
            news = session_sync(s, r == RES_OK);
        if (news == RES_NOTFOUND)
            return say_goodbye(s, "The selected mailbox was deleted");
        pause = news == RES_OK ? LOOK_MS : RETRY_MS;
        if (news != RES_OK) { /* the database is away: look again later, not at once */
            s->watch.dirty = false;
            s->watch.news = 0;
        }
    }
}
