/* One IMAP connection: greeting, commands one after another, goodbye.  Between two commands it owns its view and the
 * account's keywords, and nothing else. */
#include "imap/session.h"
#include "base/encode.h"
#include "base/log.h"
#include "imap/imap.h"
#include "imap/seen.h"
#include "store/durability.h"

#include <stdlib.h>

/* `states`: where the command is legal (RFC 3501, 3). */
static const struct {
    imap_handler *run;
    unsigned states;
} handlers[IMAP_VERBS] = {
    [IMAP_CAPABILITY] = { cmd_capability, ST_ANY },
    [IMAP_NOOP] = { cmd_noop, ST_ANY },
    [IMAP_LOGOUT] = { cmd_logout, ST_ANY },
    [IMAP_ID] = { cmd_id, ST_ANY },
    [IMAP_STARTTLS] = { cmd_starttls, ST_GREETED },
    [IMAP_AUTHENTICATE] = { cmd_authenticate, ST_GREETED },
    [IMAP_LOGIN] = { cmd_login, ST_GREETED },
    [IMAP_ENABLE] = { cmd_enable, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_SELECT] = { cmd_select, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_EXAMINE] = { cmd_select, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_CREATE] = { cmd_create, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_DELETE] = { cmd_delete, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_RENAME] = { cmd_rename, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_SUBSCRIBE] = { cmd_subscribe, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_UNSUBSCRIBE] = { cmd_unsubscribe, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_LIST] = { cmd_list, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_LSUB] = { cmd_lsub, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_NAMESPACE] = { cmd_namespace, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_STATUS] = { cmd_status, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_APPEND] = { cmd_append, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_IDLE] = { cmd_idle, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_CHECK] = { cmd_noop, ST_SELECTED },
    [IMAP_CLOSE] = { cmd_close, ST_SELECTED },
    [IMAP_UNSELECT] = { cmd_unselect, ST_SELECTED },
    [IMAP_EXPUNGE] = { cmd_expunge, ST_SELECTED },
    [IMAP_SEARCH] = { cmd_search, ST_SELECTED },
    [IMAP_FETCH] = { cmd_fetch, ST_SELECTED },
    [IMAP_STORE] = { cmd_store, ST_SELECTED },
    [IMAP_COPY] = { cmd_copy, ST_SELECTED },
    [IMAP_MOVE] = { cmd_copy, ST_SELECTED },
    [IMAP_GETQUOTA] = { cmd_getquota, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_GETQUOTAROOT] = { cmd_getquotaroot, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_GETMETADATA] = { cmd_getmetadata, ST_AUTHENTICATED | ST_SELECTED },
    [IMAP_SETMETADATA] = { cmd_setmetadata, ST_AUTHENTICATED | ST_SELECTED },
};

void imap_init(struct service *service)
{
    notify_init(service->db);
    durability_watch(service->db);
}

/* Waits for the first byte of a command.  RES_OK: it is there. */
static enum result wait_command(struct imap_session *s)
{
    int64_t deadline = s->state == ST_GREETED ? s->started_ms + GREETED_MS : deadline_in(AUTOLOGOUT_MS);
    enum result r;

    if (coroutine_cancelled())
        return RES_CANCELLED;
    if (stream_buffered(s->stream) > 0)
        return RES_OK; /* pipelined: the answers gather and go in one write */
    stream_set_interruptible(s->stream, true);
    do {
        r = stream_wait_input(s->stream, MIN(deadline, seen_deadline(s)));
        if (r == RES_TIMEOUT && s->nseen > 0) {
            seen_write(s);
            r = RES_OK;
        }
    } while (r == RES_OK && stream_buffered(s->stream) == 0);
    stream_set_interruptible(s->stream, false);
    return r;
}

/* The flags in the database do not matter to these commands, so \Seen need not be written before. */
static bool leaves_flags(enum imap_verb verb)
{
    return verb == IMAP_FETCH || verb == IMAP_SEARCH || verb == IMAP_APPEND || verb == IMAP_CAPABILITY;
}

static enum next dispatch(struct imap_session *s, struct imap_command *cmd)
{
    s->cmd = cmd;
    if ((handlers[cmd->verb].states & s->state) == 0) {
        if (s->state == ST_GREETED)
            return imap_bad(s, "Please sign in first");
        return imap_bad(s, cmd->verb == IMAP_LOGIN || cmd->verb == IMAP_AUTHENTICATE || cmd->verb == IMAP_STARTTLS
                               ? "Already signed in"
                               : "No mailbox is selected");
    }
    if (s->state != ST_GREETED)
        s->bad = 0;
    if (!leaves_flags(cmd->verb))
        seen_write(s);
    return handlers[cmd->verb].run(s, cmd);
}

/* Reads and runs one command. */
static enum next one_command(struct imap_session *s)
{
    struct strbuf text = { 0 };
    struct imap_command cmd = { .tag = STR_NULL };
    enum next next = NEXT_COMMAND;
    const char *error = NULL;
    size_t body_at;
    enum result r = read_command(s, &text, &body_at);

    s->cmd = &cmd;
    if (r == RES_LIMIT) {
        if (++s->bad >= BAD_MAX) {
            stream_puts(s->stream, "* BYE Too many bad commands\r\n");
            next = NEXT_CLOSE;
        }
    } else if (r != RES_OK) {
        next = NEXT_CLOSE;
    } else if (imap_parse(&s->arena, strbuf_str(&text), body_at, &cmd, &error) != RES_OK) {
        next = imap_bad(s, error);
    } else {
        next = dispatch(s, &cmd);
    }
    strbuf_release(&text);
    if (s->has_body)
        spool_release(&s->body);
    s->has_body = false;
    arena_reset(&s->arena);
    s->cmd = NULL;
    return next;
}

static void greet(struct imap_session *s)
{
    struct str name = settings_get()->hostname;

    stream_printf(s->stream, "* OK [CAPABILITY %.*s] %.*s ready\r\n", STR_ARG(capabilities(s)),
                  STR_ARG(name.len > 0 ? name : STR("Correio")));
    arena_reset(&s->arena);
}

static void say_goodbye(struct imap_session *s, enum result why)
{
    if (s->presence.over)
        stream_puts(s->stream, "* BYE This session was ended: please sign in again\r\n");
    else if (why == RES_CANCELLED)
        stream_puts(s->stream, "* BYE [UNAVAILABLE] Server is shutting down\r\n");
    else if (why == RES_TIMEOUT)
        stream_puts(s->stream, "* BYE Autologout: idle for too long\r\n");
}

void imap_session(struct service *service, struct stream *stream, enum listener listener)
{
    struct imap_session *s = calloc(1, sizeof(*s));
    enum next next = NEXT_COMMAND;
    enum result r = RES_OK;

    if (s == NULL)
        abort();
    s->service = service;
    s->db = service->db;
    s->stream = stream;
    s->state = ST_GREETED;
    s->started_ms = loop_now();
    stream_set_timeout(stream, GREETED_READ_MS);
    s->id = random_id(&s->account);
    log_debug("imap-connected", F_STR("session", s->id), F_STR("ip", stream_peer_ip(stream)),
              F_C("listener", listener_name(listener)));
    greet(s);
    while (next == NEXT_COMMAND && (r = wait_command(s)) == RES_OK)
        next = one_command(s);
    say_goodbye(s, r);
    (void)stream_flush(stream);
    presence_leave(&s->presence);
    session_unselect(s);
    log_debug("imap-closed", F_STR("session", s->id), F_C("why", result_name(r)));
    arena_reset(&s->keyword_mem);
    arena_reset(&s->account);
    arena_reset(&s->arena);
    free(s);
}
