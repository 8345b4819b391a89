/* One ManageSieve connection: capabilities, commands one after another, goodbye. */
#include "managesieve/session.h"
#include "base/encode.h"
#include "base/log.h"
#include "managesieve/managesieve.h"

/* `states`: where the command is legal (RFC 5804, 2).  `args`: what it takes, "s" a string, "n" a number; those behind
 * "?" may be left out. */
static const struct verb {
    const char *name;
    managesieve_handler *run;
    unsigned states;
    const char *args, *syntax;
} verbs[] = {
    { "AUTHENTICATE", ms_authenticate, ST_GREETED, "s?s", "Syntax: AUTHENTICATE \"mechanism\" [\"initial response\"]" },
    { "STARTTLS", ms_starttls, ST_GREETED, "", "Syntax: STARTTLS" },
    { "LOGOUT", ms_logout, ST_ANY, "", "Syntax: LOGOUT" },
    { "CAPABILITY", ms_capability, ST_ANY, "", "Syntax: CAPABILITY" },
    { "NOOP", ms_noop, ST_ANY, "?s", "Syntax: NOOP [\"tag\"]" },
    { "UNAUTHENTICATE", ms_unauthenticate, ST_SIGNED, "", "Syntax: UNAUTHENTICATE" },
    { "HAVESPACE", ms_havespace, ST_SIGNED, "sn", "Syntax: HAVESPACE \"name\" size" },
    { "PUTSCRIPT", ms_putscript, ST_SIGNED, "ss", "Syntax: PUTSCRIPT \"name\" {size+} script" },
    { "CHECKSCRIPT", ms_checkscript, ST_SIGNED, "s", "Syntax: CHECKSCRIPT {size+} script" },
    { "LISTSCRIPTS", ms_listscripts, ST_SIGNED, "", "Syntax: LISTSCRIPTS" },
    { "SETACTIVE", ms_setactive, ST_SIGNED, "s", "Syntax: SETACTIVE \"name\"" },
    { "GETSCRIPT", ms_getscript, ST_SIGNED, "s", "Syntax: GETSCRIPT \"name\"" },
    { "DELETESCRIPT", ms_deletescript, ST_SIGNED, "s", "Syntax: DELETESCRIPT \"name\"" },
    { "RENAMESCRIPT", ms_renamescript, ST_SIGNED, "ss", "Syntax: RENAMESCRIPT \"old name\" \"new name\"" },
};

/* RFC 5804, 2.3. */
enum next ms_logout(struct managesieve *s, const struct managesieve_command *cmd UNUSED)
{
    (void)ms_ok(s, "Bye");
    return NEXT_CLOSE;
}

/* RFC 5804, 2.4. */
enum next ms_capability(struct managesieve *s, const struct managesieve_command *cmd UNUSED)
{
    return ms_capabilities(s, "These are all");
}

/* RFC 5804, 2.13. */
enum next ms_noop(struct managesieve *s, const struct managesieve_command *cmd)
{
    CLEANUP(strbuf_release) struct strbuf b = { 0 };

    if (cmd->n == 0)
        return ms_ok(s, "Nothing was done");
    (void)strbuf_adds(&b, "OK (TAG ");
    managesieve_add_string(&b, cmd->args[0].string);
    (void)strbuf_adds(&b, ") \"Nothing was done\"\r\n");
    stream_write(s->stream, strbuf_str(&b));
    return NEXT_COMMAND;
}

static bool arguments_fit(const struct managesieve_command *cmd, const char *args)
{
    bool optional = false;
    size_t n = 0;

    for (; *args != '\0'; args++) {
        if (*args == '?') {
            optional = true;
            continue;
        }
        if (n == cmd->n)
            return optional;
        if (cmd->args[n++].is_number != (*args == 'n'))
            return false;
    }
    return n == cmd->n;
}

static enum next dispatch(struct managesieve *s, struct str text)
{
    struct managesieve_command cmd;
    const char *error;

    if (managesieve_parse(text, &s->arena, &cmd, &error) != RES_OK)
        return ms_bad(s, error);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!str_eq(cmd.verb, str_c(verbs[i].name)))
            continue;
        if ((verbs[i].states & s->state) == 0)
            return ms_bad(s, s->state == ST_GREETED ? "Please sign in first" : "Already signed in");
        if (!arguments_fit(&cmd, verbs[i].args))
            return ms_bad(s, verbs[i].syntax);
        if (s->state == ST_SIGNED)
            s->bad = 0;
        return verbs[i].run(s, &cmd);
    }
    return ms_bad(s, "No such command");
}

/* Waits for the first byte of a command.  RES_OK: it is there. */
static enum result wait_command(struct managesieve *s)
{
    int64_t deadline = s->state == ST_GREETED ? s->greeted_ms + GREETED_MS : deadline_in(AUTOLOGOUT_MS);
    enum result r;

    if (coroutine_cancelled())
        return RES_CANCELLED;
    if (stream_buffered(s->stream) > 0)
        return RES_OK; /* pipelined: the answers gather and go in one write */
    stream_set_interruptible(s->stream, true);
    do
        r = stream_wait_input(s->stream, deadline);
    while (r == RES_OK && stream_buffered(s->stream) == 0);
    stream_set_interruptible(s->stream, false);
    return r;
}

static enum next one_command(struct managesieve *s)
{
    CLEANUP(strbuf_release) struct strbuf text = { 0 };
    enum result r = ms_read_command(s, &text, LINE_MAX_BYTES + (s->state == ST_SIGNED ? SCRIPT_MAX_BYTES : 0));
    enum next next = NEXT_CLOSE;

    if (r == RES_OK)
        next = dispatch(s, strbuf_str(&text));
    else if (r == RES_LIMIT)
        next = ++s->bad >= BAD_MAX ? ms_bye(s, NULL, "Too many bad commands") : NEXT_COMMAND;
    arena_reset(&s->arena);
    return next;
}

static void say_goodbye(struct managesieve *s, enum result why)
{
    if (s->presence.over)
        (void)ms_bye(s, NULL, "This session was ended: please sign in again");
    else if (why == RES_CANCELLED)
        (void)ms_bye(s, "TRYLATER", "The server is shutting down");
    else if (why == RES_TIMEOUT)
        (void)ms_bye(s, NULL, "Idle for too long");
}

void managesieve_session(struct service *service, struct stream *stream, enum listener listener)
{
    struct managesieve s = { .service = service, .stream = stream, .state = ST_GREETED, .greeted_ms = loop_now() };
    enum next next = NEXT_COMMAND;
    enum result r = RES_OK;

    s.id = random_id(&s.session);
    stream_set_timeout(stream, GREETED_READ_MS);
    log_debug("managesieve-connected", F_STR("session", s.id), F_STR("ip", stream_peer_ip(stream)),
              F_C("listener", listener_name(listener)));
    (void)ms_capabilities(&s, "Ready");
    arena_reset(&s.arena);
    while (next == NEXT_COMMAND && (r = wait_command(&s)) == RES_OK)
        next = one_command(&s);
    say_goodbye(&s, r);
    (void)stream_flush(stream);
    presence_leave(&s.presence);
    log_debug("managesieve-closed", F_STR("session", s.id), F_C("why", result_name(r)));
    arena_reset(&s.session);
    arena_reset(&s.arena);
}
