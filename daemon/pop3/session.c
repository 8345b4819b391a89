#include "auth/presence.h"
#include "auth/sasl.h"
#include "base/encode.h"
#include "base/log.h"
#include "pop3/line.h"
#include "pop3/pop3.h"
#include "store/body.h"
#include "store/message.h"
#include "store/pop3.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 2048 /* RFC 2449, 4: 255; a SASL response may be longer */
#define IDLE_MS (10 * 60 * 1000) /* RFC 1939, 3: at least 10 minutes */
#define MAX_ERRORS 20
#define MAX_FAILURES 3
#define AHEAD_MESSAGES 32
#define AHEAD_BYTES ((uint64_t)256 << 10)

enum { ST_AUTH = 1, ST_TRANSACTION = 2, ST_ANY = 3 };
enum next { NEXT_COMMAND, NEXT_CLOSE };

struct pop3 {
    struct service *service;
    struct stream *stream;
    unsigned state, errors, failures;
    struct arena arena; /* of the session */
    struct str id, user, holder;
    struct principal who;
    struct presence presence;
    bool locked;
    int64_t mailbox_id, uidvalidity;
    struct pop3_message *v;
    size_t n;
    struct db_rows ahead; /* small messages that were read ahead, from ahead_row on not served yet */
    size_t ahead_row;
};

struct cmd {
    struct arena *arena;
    struct pop3_line line;
};

static struct {
    struct service *service;
    struct str prefix; /* of the holders of this process's locks */
    struct arena arena;
    unsigned sessions; /* with a lock */
} self;

/* ---- replies ---- */

static enum next ok(struct pop3 *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static enum next ok(struct pop3 *s, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    stream_printf(s->stream, "+OK %s\r\n", text);
    return NEXT_COMMAND;
}

static enum next err(struct pop3 *s, const char *text)
{
    stream_printf(s->stream, "-ERR %s\r\n", text);
    s->errors++;
    return NEXT_COMMAND;
}

static enum next trouble(struct pop3 *s)
{
    return err(s, "[SYS/TEMP] Our storage does not answer; please try again later");
}

/* ---- signing in ---- */

static bool password_allowed(const struct pop3 *s)
{
    return stream_is_tls(s->stream) || settings_cleartext_allowed(settings_get(), stream_peer(s->stream));
}

/* Takes the lock and reads the maildrop (RFC 1939, 4). */
static enum next open_maildrop(struct pop3 *s)
{
    uint64_t bytes = 0;
    enum result r;

    s->holder = arena_printf(&s->arena, "%.*s%.*s", STR_ARG(self.prefix), STR_ARG(s->id));
    r = pop3_lock(s->service->db, &s->who, s->holder);
    if (r == RES_EXISTS)
        return err(s, "[IN-USE] Another session has this maildrop");
    if (r != RES_OK)
        return trouble(s);
    s->locked = true;
    self.sessions++;
    r = pop3_list(s->service->db, &s->who, &s->mailbox_id, &s->uidvalidity, &s->v, &s->n);
    if (r != RES_OK)
        return trouble(s);
    s->state = ST_TRANSACTION;
    for (size_t i = 0; i < s->n; i++)
        bytes += s->v[i].size;
    return ok(s, "%zu messages (%llu octets)", s->n, (unsigned long long)bytes);
}

static void unlock(struct pop3 *s)
{
    if (!s->locked)
        return;
    s->locked = false;
    self.sessions--;
    (void)!pop3_unlock(s->service->db, &s->who, s->holder);
}

static enum next sign_in(struct pop3 *s, struct str user, struct str password)
{
    const struct auth_request req = { .user = user, .password = password, .protocol = "pop3",
                                      .ip = stream_peer_ip(s->stream) };
    struct auth_identity identity = { 0 };
    enum result r = auth_password(s->service->auth, &req, &s->arena, &identity);
    enum next next;

    if (r == RES_DENIED) {
        err(s, "[AUTH] Wrong user or password");
        return ++s->failures >= MAX_FAILURES ? NEXT_CLOSE : NEXT_COMMAND;
    }
    if (r == RES_LIMIT)
        return err(s, "[LOGIN-DELAY] Too many attempts; please wait a minute");
    if (r != RES_OK)
        return trouble(s);
    s->who = (struct principal){ .account_id = identity.account_id, .token = identity.token };
    next = open_maildrop(s);
    if (s->state != ST_TRANSACTION) {
        unlock(s);
        return next;
    }
    presence_enter(&s->presence, &identity, "pop3", s->stream);
    log_info("pop3-signed-in", F_STR("session", s->id), F_STR("account", identity.address), F_INT("messages", s->n));
    return next;
}

static enum next pop3_user(struct pop3 *s, struct cmd *c)
{
    if (!password_allowed(s))
        return err(s, "[AUTH] Encryption is required: say STLS first");
    if (c->line.rest.len == 0)
        return err(s, "Syntax: USER name");
    s->user = arena_str(&s->arena, c->line.rest);
    return ok(s, "Password?");
}

static enum next pop3_pass(struct pop3 *s, struct cmd *c)
{
    struct str user = s->user;

    if (user.p == NULL)
        return err(s, "USER comes first");
    s->user = STR_NULL;
    return sign_in(s, user, c->line.rest);
}

/* RFC 5034; with an initial response, or after an empty challenge. */
static enum next pop3_auth(struct pop3 *s, struct cmd *c)
{
    struct str response, user, password;
    enum result r;

    if (c->line.n_args == 0) { /* what there is, as old clients ask */
        ok(s, "Mechanisms:");
        stream_write(s->stream, password_allowed(s) ? STR("PLAIN\r\n.\r\n") : STR(".\r\n"));
        return NEXT_COMMAND;
    }
    if (!password_allowed(s))
        return err(s, "[AUTH] Encryption is required: say STLS first");
    if (!str_ieq(c->line.args[0], STR("PLAIN")))
        return err(s, "[AUTH] Mechanism not supported");
    if (c->line.n_args >= 2) {
        response = c->line.args[1];
    } else {
        stream_puts(s->stream, "+ \r\n");
        if (stream_flush(s->stream) != RES_OK || stream_read_line(s->stream, LINE_MAX_BYTES, &response) != RES_OK)
            return NEXT_CLOSE;
        if (str_eq(response, STR("*")))
            return err(s, "Cancelled");
    }
    r = sasl_plain(c->arena, response, &user, &password);
    return r == RES_OK ? sign_in(s, user, password) : err(s, "[AUTH] The response is malformed");
}

/* RFC 2595, 4. */
static enum next pop3_stls(struct pop3 *s, struct cmd *c)
{
    struct tls_context *tls = s->service->tls;

    (void)c;
    if (stream_is_tls(s->stream))
        return err(s, "TLS is already active");
    if (tls == NULL)
        return err(s, "[SYS/TEMP] TLS is not available now");
    ok(s, "Begin TLS negotiation");
    s->user = STR_NULL;
    if (stream_tls_accept(s->stream, tls) != RES_OK) {
        log_info("pop3-tls-failed", F_STR("session", s->id), F_STR("error", stream_tls_error(s->stream)));
        return NEXT_CLOSE;
    }
    return NEXT_COMMAND;
}

/* ---- the maildrop ---- */

static struct pop3_message *message_arg(struct pop3 *s, struct str arg)
{
    uint64_t n;

    if (!str_u64(arg, s->n, &n) || n == 0 || s->v[n - 1].deleted)
        return NULL;
    return &s->v[n - 1];
}

static enum next no_such(struct pop3 *s)
{
    return err(s, "No such message");
}

static enum next pop3_stat(struct pop3 *s, struct cmd *c)
{
    uint64_t bytes = 0;
    size_t count = 0;

    (void)c;
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].deleted)
            continue;
        count++;
        bytes += s->v[i].size;
    }
    return ok(s, "%zu %llu", count, (unsigned long long)bytes);
}

static void list_line(struct pop3 *s, const struct pop3_message *m)
{
    stream_printf(s->stream, "%zu %llu\r\n", (size_t)(m - s->v) + 1, (unsigned long long)m->size);
}

static void uidl_line(struct pop3 *s, const struct pop3_message *m)
{
    stream_printf(s->stream, "%zu %lld.%u\r\n", (size_t)(m - s->v) + 1, (long long)s->uidvalidity, m->uid);
}

/* LIST and UIDL: one message, or all. */
static enum next listing(struct pop3 *s, struct cmd *c, void (*line)(struct pop3 *, const struct pop3_message *))
{
    if (c->line.n_args > 0) {
        const struct pop3_message *m = message_arg(s, c->line.args[0]);

        if (m == NULL)
            return no_such(s);
        stream_puts(s->stream, "+OK ");
        line(s, m);
        return NEXT_COMMAND;
    }
    ok(s, "Listing follows");
    for (size_t i = 0; i < s->n; i++) {
        if (!s->v[i].deleted)
            line(s, &s->v[i]);
    }
    stream_puts(s->stream, ".\r\n");
    return NEXT_COMMAND;
}

static enum next pop3_list_command(struct pop3 *s, struct cmd *c)
{
    return listing(s, c, list_line);
}

static enum next pop3_uidl(struct pop3 *s, struct cmd *c)
{
    return listing(s, c, uidl_line);
}

static void write_out(void *arg, struct str bytes)
{
    stream_write(arg, bytes);
}

static void finish_message(struct pop3 *s, const struct pop3_stuffer *stuffer)
{
    stream_write(s->stream, pop3_stuffer_end(stuffer));
    stream_puts(s->stream, ".\r\n");
}

/* Sends the message piece by piece; no database connection is held while the client reads. */
static enum next send_pieces(struct pop3 *s, struct cmd *c, const struct pop3_message *m, uint64_t body_lines)
{
    const struct message_want want = { .email = true };
    const int64_t uid = m->uid;
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct body_cursor cursor = { .source = { .db = s->service->db, .token = s->who.token,
                                              .account_id = s->who.account_id } };
    struct message_row row;
    struct pop3_stuffer stuffer;
    struct str piece;
    enum result r = message_fetch(s->service->db, &s->who, s->mailbox_id, &want, c->arena, &uid, 1, false, &rows);

    if (r != RES_OK)
        return trouble(s);
    if (db_count(&rows) == 0) /* another session expunged it by IMAP */
        return err(s, "[SYS/TEMP] The message is gone");
    message_row_get(&rows, 0, &want, &row);
    cursor.source.id = row.email_id;
    cursor.source.shape = row.shape;
    cursor.end = row.shape.size;
    pop3_stuffer_init(&stuffer, body_lines);
    r = body_next(&cursor, &piece);
    if (r != RES_OK) {
        body_cursor_release(&cursor);
        return trouble(s);
    }
    ok(s, "%llu octets", (unsigned long long)row.shape.size);
    while (r == RES_OK && piece.len > 0 && !stuffer.done) {
        pop3_stuff(&stuffer, piece, write_out, s->stream);
        r = body_next(&cursor, &piece);
    }
    body_cursor_release(&cursor);
    if (r != RES_OK)
        return NEXT_CLOSE; /* in the middle of a reply: the client must not take it as whole */
    finish_message(s, &stuffer);
    return NEXT_COMMAND;
}

/* Reads the small ones among this message and those behind it. */
static enum result read_ahead(struct pop3 *s, struct cmd *c, const struct pop3_message *m)
{
    int64_t uids[AHEAD_MESSAGES];
    uint64_t bytes = 0;
    size_t n = 0;

    for (; m < s->v + s->n && n < AHEAD_MESSAGES && bytes <= AHEAD_BYTES; m++) {
        if (m->deleted || m->size > BODY_SINGLE_MAX)
            continue;
        uids[n++] = m->uid;
        bytes += m->size;
    }
    db_rows_free(&s->ahead);
    s->ahead_row = 0;
    return pop3_read_small(s->service->db, &s->who, s->mailbox_id, uids, n, c->arena, &s->ahead);
}

/* The message among those read ahead; rows before it are not asked for again by a client that goes on. */
static bool take_ahead(struct pop3 *s, const struct pop3_message *m, struct pop3_small *ret)
{
    for (size_t row = s->ahead_row; row < db_count(&s->ahead); row++) {
        *ret = pop3_small_get(&s->ahead, row);
        if (ret->uid == m->uid) {
            s->ahead_row = row;
            return true;
        }
    }
    return false;
}

static enum next send_message(struct pop3 *s, struct cmd *c, const struct pop3_message *m, uint64_t body_lines)
{
    struct pop3_small small;
    struct pop3_stuffer stuffer;
    char *text;

    if (m->size > BODY_SINGLE_MAX)
        return send_pieces(s, c, m, body_lines);
    if (!take_ahead(s, m, &small)) {
        if (read_ahead(s, c, m) != RES_OK)
            return trouble(s);
        if (!take_ahead(s, m, &small))
            return err(s, "[SYS/TEMP] The message is gone"); /* another session expunged it by IMAP */
    }
    text = arena_alloc(c->arena, small.size);
    if (body_unpack(small.frame, text, small.size) != RES_OK) {
        log_error("pop3-damaged", F_STR("session", s->id), F_INT("uid", m->uid));
        return trouble(s);
    }
    ok(s, "%llu octets", (unsigned long long)small.size);
    pop3_stuffer_init(&stuffer, body_lines);
    pop3_stuff(&stuffer, str_of(text, small.size), write_out, s->stream);
    finish_message(s, &stuffer);
    return NEXT_COMMAND;
}

static enum next pop3_retr(struct pop3 *s, struct cmd *c)
{
    const struct pop3_message *m = c->line.n_args == 1 ? message_arg(s, c->line.args[0]) : NULL;

    return m != NULL ? send_message(s, c, m, UINT64_MAX) : no_such(s);
}

static enum next pop3_top(struct pop3 *s, struct cmd *c)
{
    const struct pop3_message *m = c->line.n_args == 2 ? message_arg(s, c->line.args[0]) : NULL;
    uint64_t lines;

    if (m == NULL)
        return no_such(s);
    if (!str_u64(c->line.args[1], INT64_MAX, &lines))
        return err(s, "Syntax: TOP message lines");
    return send_message(s, c, m, lines);
}

static enum next pop3_dele(struct pop3 *s, struct cmd *c)
{
    struct pop3_message *m = c->line.n_args == 1 ? message_arg(s, c->line.args[0]) : NULL;

    if (m == NULL)
        return no_such(s);
    m->deleted = true;
    return ok(s, "Deleted");
}

static enum next pop3_rset(struct pop3 *s, struct cmd *c)
{
    (void)c;
    for (size_t i = 0; i < s->n; i++)
        s->v[i].deleted = false;
    return ok(s, "Nothing is deleted");
}

static enum next pop3_noop(struct pop3 *s, struct cmd *c)
{
    (void)c;
    return ok(s, "Ok");
}

static enum next pop3_utf8(struct pop3 *s, struct cmd *c)
{
    (void)c;
    return ok(s, "UTF-8 it is"); /* messages are served as they came, in both modes (RFC 6856, 2.1) */
}

/* The UPDATE state (RFC 1939, 6): all deletions in one transaction, or none. */
static enum next pop3_quit_command(struct pop3 *s, struct cmd *c)
{
    int64_t *uids;
    size_t n = 0;
    enum result r;

    if (s->state != ST_TRANSACTION) {
        ok(s, "Bye");
        return NEXT_CLOSE;
    }
    uids = arena_array(c->arena, int64_t, s->n + 1);
    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i].deleted)
            uids[n++] = s->v[i].uid;
    }
    r = pop3_quit(s->service->db, &s->who, s->holder, s->mailbox_id, uids, n, c->arena);
    if (r == RES_OK) {
        s->locked = false;
        self.sessions--;
        ok(s, "Bye");
    } else {
        err(s, "[SYS/TEMP] Nothing was deleted; please try again later");
    }
    return NEXT_CLOSE;
}

/* RFC 2449, 5. */
static enum next pop3_capa(struct pop3 *s, struct cmd *c)
{
    (void)c;
    ok(s, "Capabilities:");
    stream_puts(s->stream, "TOP\r\nUIDL\r\nPIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nUTF8\r\nEXPIRE NEVER\r\n");
    if (password_allowed(s))
        stream_puts(s->stream, "USER\r\nSASL PLAIN\r\n");
    if (!stream_is_tls(s->stream))
        stream_puts(s->stream, "STLS\r\n");
    stream_puts(s->stream, "IMPLEMENTATION Correio\r\n.\r\n");
    return NEXT_COMMAND;
}

/* `states`: where the command is legal. */
static const struct pop3_verb {
    const char *name;
    enum next (*run)(struct pop3 *s, struct cmd *c);
    unsigned states;
} verbs[] = {
    { "USER", pop3_user, ST_AUTH },        { "PASS", pop3_pass, ST_AUTH },
    { "AUTH", pop3_auth, ST_AUTH },        { "STLS", pop3_stls, ST_AUTH },
    { "CAPA", pop3_capa, ST_ANY },         { "QUIT", pop3_quit_command, ST_ANY },
    { "UTF8", pop3_utf8, ST_AUTH },        { "STAT", pop3_stat, ST_TRANSACTION },
    { "LIST", pop3_list_command, ST_TRANSACTION }, { "UIDL", pop3_uidl, ST_TRANSACTION },
    { "RETR", pop3_retr, ST_TRANSACTION }, { "TOP", pop3_top, ST_TRANSACTION },
    { "DELE", pop3_dele, ST_TRANSACTION }, { "RSET", pop3_rset, ST_TRANSACTION },
    { "NOOP", pop3_noop, ST_TRANSACTION },
};

static enum next dispatch(struct pop3 *s, struct cmd *c, struct str line)
{
    if (pop3_parse(line, c->arena, &c->line) != RES_OK)
        return err(s, "Syntax error");
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!str_eq(c->line.verb, str_c(verbs[i].name)))
            continue;
        if ((verbs[i].states & s->state) == 0)
            return err(s, s->state == ST_AUTH ? "Sign in first" : "You are signed in");
        return verbs[i].run(s, c);
    }
    return err(s, "Unknown command");
}

static void run(struct pop3 *s)
{
    CLEANUP(arena_releasep) struct arena arena = { 0 };
    struct cmd c = { .arena = &arena };
    enum next next = NEXT_COMMAND;
    enum result r = RES_OK;

    while (next == NEXT_COMMAND) {
        struct str line;

        r = stream_read_command(s->stream, LINE_MAX_BYTES, &line);
        if (r == RES_LIMIT)
            next = err(s, "Line too long");
        else if (r != RES_OK)
            break;
        else
            next = dispatch(s, &c, line);
        if (s->errors > MAX_ERRORS && next == NEXT_COMMAND) {
            err(s, "Too many errors");
            next = NEXT_CLOSE;
        }
        arena_reset(&arena);
    }
    if (s->presence.over)
        err(s, "[AUTH] This session was ended; please sign in again");
    else if (r == RES_CANCELLED)
        err(s, "[SYS/TEMP] The server is going down");
    stream_flush(s->stream);
}

void pop3_session(struct service *service, struct stream *stream, enum listener listener)
{
    struct pop3 s = { .service = service, .stream = stream, .state = ST_AUTH };

    s.id = random_id(&s.arena);
    stream_set_timeout(stream, IDLE_MS);
    log_info("pop3-connect", F_STR("session", s.id), F_C("listener", listener_name(listener)),
             F_STR("ip", stream_peer_ip(stream)));
    ok(&s, "%.*s Correio ready", STR_ARG(settings_get()->hostname));
    run(&s);
    presence_leave(&s.presence);
    unlock(&s);
    db_rows_free(&s.ahead);
    free(s.v);
    arena_reset(&s.arena);
}

/* ---- the process ---- */

static void renew(void *arg)
{
    (void)arg;
    while (coroutine_sleep(POP3_RENEW_MS) == RES_OK) {
        if (self.sessions > 0)
            (void)!pop3_renew(self.service->db, self.prefix);
    }
}

void pop3_init(struct service *service)
{
    self.service = service;
    self.prefix = arena_printf(&self.arena, "%s/%.*s/", service->name, STR_ARG(random_id(&self.arena)));
    (void)coroutine_spawn("pop3-renew", renew, NULL);
}
