/* Whole dialogues over a socket pair, against a real PostgreSQL.  A transcript's lines: "C:" is sent, "S:" must come,
 * "X" shuts the session down, "X100" sends a hundred of them and ")".  "%%" in an S: line stands for any text, "%a" for an
 * id that is the same each time, also in C: lines. */
#include "tests/support/database.h"

#include "base/macros.h"
#include "imap/imap.h"
#include "imap/session.h"
#include "io/coroutine.h"
#include "store/durability.h"

#include <string.h>
#include <sys/socket.h>

/* Stands for auth: every name "userN" with password "pw" is account N. */
enum result auth_password(struct auth_client *c UNUSED, const struct auth_request *req, struct arena *a,
                          struct auth_identity *ret)
{
    uint64_t n;

    if (!str_eq(req->password, STR("pw")) || !str_u64(str_from(req->user, 4), 1000, &n))
        return RES_DENIED;
    *ret = (struct auth_identity){ .account_id = (int64_t)n, .address = arena_str(a, req->user), .token = STR("t") };
    return RES_OK;
}

static PGconn *owner;
static struct service service;

struct line {
    int client; /* 0 or 1: two sessions */
    const char *text;
};

/* ---- the dialogue's other side ---- */

struct peer {
    struct stream *stream;
    struct coroutine *session;
    bool ended;
    struct stream *server;
};

static void serve(void *arg)
{
    struct peer *peer = arg;

    imap_session(&service, peer->server, LISTEN_IMAP);
    stream_free(peer->server);
    peer->ended = true;
}

static void open_peer(struct peer *peer)
{
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    peer->stream = stream_new(fds[0]);
    peer->server = stream_new(fds[1]);
    stream_set_timeout(peer->stream, 10000);
    peer->ended = false;
    peer->session = coroutine_spawn("session", serve, peer);
    assert_non_null(peer->session);
}

/* Reads one answer, literals included, without the last CR LF. */
static void read_answer(struct peer *peer, struct strbuf *out)
{
    bool more = true;

    strbuf_reset(out);
    while (more) {
        struct str line;
        uint64_t size;
        size_t at;
        bool sync;
        enum result r = stream_read_line(peer->stream, 1 << 20, &line);

        if (r != RES_OK) {
            (void)strbuf_adds(out, "END");
            return;
        }
        (void)strbuf_add(out, line);
        more = imap_parse_literal(line, &size, &sync, &at);
        if (more) {
            (void)strbuf_adds(out, "\r\n");
            assert_int_equal(stream_read_exact(peer->stream, strbuf_room(out, size), size), RES_OK);
            out->len += size;
            out->p[out->len] = '\0';
        }
    }
}

static char ids[26][24]; /* "%a" to "%z" of the transcript that is played */

/* "%%" is any text; "%a" an id, the same each time; all else is itself. */
static bool matches(const char *pattern, const char *text)
{
    const char *p = pattern, *t = text;
    size_t len;
    char *id;

    for (; *p != '\0' && *p != '%'; p++, t++) {
        if (*p != *t)
            return false;
    }
    if (*p == '\0')
        return *t == '\0';
    if (p[1] == '%') {
        while (!matches(p + 2, t)) {
            if (*t++ == '\0')
                return false;
        }
        return true;
    }
    id = ids[p[1] - 'a'];
    len = strspn(t, "0123456789abcdefghjkmnpqrstvwxyz");
    if (len == 0 || len >= sizeof(ids[0]))
        return false;
    if (id[0] != '\0')
        return len == strlen(id) && strncmp(t, id, len) == 0 && matches(p + 2, t + len);
    memcpy(id, t, len);
    if (matches(p + 2, t + len))
        return true;
    memset(id, 0, sizeof(ids[0]));
    return false;
}

static void send_line(struct peer *peer, const char *text)
{
    for (; *text != '\0'; text++) {
        if (text[0] == '%' && text[1] != '%')
            stream_write(peer->stream, str_c(ids[*++text - 'a']));
        else
            stream_printf(peer->stream, "%c", *text == '%' ? *++text : *text);
    }
    stream_puts(peer->stream, "\r\n");
}

static void play(const struct line *lines)
{
    CLEANUP(strbuf_release) struct strbuf answer = { 0 };
    struct peer peers[2] = { 0 };

    memset(ids, 0, sizeof(ids));
    for (const struct line *l = lines; l->text != NULL; l++) {
        struct peer *peer = &peers[l->client];

        if (peer->stream == NULL)
            open_peer(peer);
        if (l->text[0] == 'C') {
            send_line(peer, l->text + 3);
            assert_int_equal(stream_flush(peer->stream), RES_OK);
            continue;
        }
        if (l->text[0] == 'X' && l->text[1] != '\0') { /* so many bytes, and the end of a list */
            for (long n = strtol(l->text + 1, NULL, 10); n > 0; n--)
                stream_puts(peer->stream, "x");
            stream_puts(peer->stream, ")\r\n");
            assert_int_equal(stream_flush(peer->stream), RES_OK);
            continue;
        }
        if (l->text[0] == 'X') { /* the server shuts down */
            coroutine_cancel(peer->session);
            continue;
        }
        read_answer(peer, &answer);
        if (!matches(l->text + 3, answer.p))
            fail_msg("line %zu of the transcript: wanted \"%s\", got \"%s\"", (size_t)(l - lines) + 1, l->text + 3, answer.p);
    }
    for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
        stream_free(peers[i].stream);
        while (peers[i].stream != NULL && !peers[i].ended)
            (void)coroutine_sleep(1);
    }
}

/* ---- transcripts ---- */

#define SIGN_IN(n)                                                                                                 \
    { n, "S: * OK [CAPABILITY IMAP4rev1 %%] %% ready" }, { n, "C: a LOGIN user7 pw" },                              \
        { n, "S: a OK [CAPABILITY %% CONDSTORE OBJECTID] Signed in" }
#define SELECT(n)                                                                                                  \
    { n, "C: b SELECT inbox" }, { n, "S: * FLAGS (%%)" }, { n, "S: * OK [PERMANENTFLAGS (%%\\*)] %%" },              \
        { n, "S: * %% EXISTS" }, { n, "S: * %% RECENT" }, { n, "S: * OK [UIDVALIDITY 1] %%" },                      \
        { n, "S: * OK [UIDNEXT %%] %%" }, { n, "S: * OK [HIGHESTMODSEQ %%] %%" },                                   \
        { n, "S: * OK [MAILBOXID (m%%)] %%" },                                                                      \
        { n, "S: b OK [READ-WRITE] SELECT completed" }
#define APPEND(n, tag, flags)                                                                                      \
    { n, "C: " tag " APPEND INBOX " flags " {21}" }, { n, "S: + %%" }, { n, "C: Subject: hi\r\n\r\nbody\r\n" }
#define END { 0, NULL }

static const struct line greeted[] = {
    { 0, "S: * OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE AUTH=PLAIN AUTH=LOGIN] %% ready" },
    { 0, "C: a SELECT INBOX" }, { 0, "S: a BAD Please sign in first" },
    { 0, "C: a CAPABILITY" }, { 0, "S: * CAPABILITY %%" }, { 0, "S: a OK CAPABILITY completed" },
    { 0, "C: nonsense" }, { 0, "S: * BAD Tag and command expected" },
    { 0, "C: a STARTTLS" }, { 0, "S: a NO [UNAVAILABLE] No certificate" },
    { 0, "C: a LOGIN user7 {5}" }, { 0, "S: + %%" }, { 0, "C: wrong" },
    { 0, "S: a NO [AUTHENTICATIONFAILED] %%" },
    { 0, "C: a AUTHENTICATE CRAM-MD5" }, { 0, "S: a NO [CANNOT] No such mechanism" },
    { 0, "C: a AUTHENTICATE PLAIN" }, { 0, "S: + " }, { 0, "C: *" }, { 0, "S: a BAD Authentication was cancelled" },
    { 0, "C: a AUTHENTICATE PLAIN !" }, { 0, "S: a BAD %%" },
    { 0, "C: a AUTHENTICATE PLAIN AHVzZXI3" }, { 0, "S: a BAD Bad SASL response" },
    { 0, "C: a AUTHENTICATE LOGIN" }, { 0, "S: + VXNlcm5hbWU6" }, { 0, "C: dXNlcjc=" }, { 0, "S: + UGFzc3dvcmQ6" },
    { 0, "C: cHc=" }, { 0, "S: a OK [CAPABILITY IMAP4rev1 %%] Signed in" },
    { 0, "C: a LOGIN user7 pw" }, { 0, "S: a BAD Already signed in" },
    { 0, "C: a NOOP" }, { 0, "S: a OK NOOP completed" },
    { 0, "C: a LOGOUT" }, { 0, "S: * BYE Logging out" }, { 0, "S: a OK LOGOUT completed" }, { 0, "S: END" }, END };

static const struct line sasl_ir[] = {
    { 0, "S: * OK %%" }, { 0, "C: a AUTHENTICATE PLAIN AHVzZXI3AHB3" }, { 0, "S: a OK %%" },
    { 0, "C: b LOGIN {3+}\r\nabc {70000+}" }, { 0, "C: x" }, END };

/* RFC 8474: copies of a message have its EMAILID, answers its THREADID. */
static const struct line objects[] = {
    SIGN_IN(0),
    { 0, "C: b STATUS INBOX (MAILBOXID)" }, { 0, "S: * STATUS \"INBOX\" (MAILBOXID (%i))" }, { 0, "S: b OK %%" },
    { 0, "C: b CREATE Other" }, { 0, "S: b OK [MAILBOXID (%o)] CREATE completed" },
    { 0, "C: b RENAME Other Another" }, { 0, "S: b OK %%" },
    { 0, "C: b STATUS Another (MESSAGES MAILBOXID)" }, { 0, "S: * STATUS \"Another\" (MESSAGES 0 MAILBOXID (%o))" }, { 0, "S: b OK %%" },
    { 0, "C: c APPEND INBOX {33+}\r\nMessage-ID: <1@x>\r\nSubject: a\r\n\r\n" }, { 0, "S: c OK %%" },
    { 0, "C: c APPEND INBOX {57+}\r\nMessage-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\nSubject: Re: a\r\n\r\n" }, { 0, "S: c OK %%" },
    { 0, "C: c APPEND INBOX {33+}\r\nMessage-ID: <3@x>\r\nSubject: b\r\n\r\n" }, { 0, "S: c OK %%" },
    { 0, "C: d EXAMINE INBOX" }, { 0, "S: * FLAGS%%" }, { 0, "S: * OK [PERM%%" }, { 0, "S: * 3 EXISTS" }, { 0, "S: * 3 RECENT" },
    { 0, "S: * OK [UNSEEN 1]%%" }, { 0, "S: * OK [UIDVALIDITY%%" }, { 0, "S: * OK [UIDNEXT%%" }, { 0, "S: * OK [HIGH%%" },
    { 0, "S: * OK [MAILBOXID (%i)] Its id" }, { 0, "S: d OK %%" },
    { 0, "C: e FETCH 1:3 (EMAILID THREADID)" }, { 0, "S: * 1 FETCH (EMAILID (%a) THREADID (%t))" },
    { 0, "S: * 2 FETCH (EMAILID (%b) THREADID (%t))" }, { 0, "S: * 3 FETCH (EMAILID (%c) THREADID (%u))" }, { 0, "S: e OK %%" },
    { 0, "C: f COPY 2 Another" }, { 0, "S: f OK %%" },
    { 0, "C: g SEARCH THREADID %t" }, { 0, "S: * SEARCH 1 2" }, { 0, "S: g OK %%" },
    { 0, "C: g SEARCH NOT THREADID %t LARGER 1" }, { 0, "S: * SEARCH 3" }, { 0, "S: g OK %%" },
    { 0, "C: g SEARCH OR EMAILID %c EMAILID %a" }, { 0, "S: * SEARCH 1 3" }, { 0, "S: g OK %%" },
    { 0, "C: g SEARCH EMAILID %t" }, { 0, "S: * SEARCH" }, { 0, "S: g OK %%" },
    { 0, "C: g SEARCH EMAILID e0" }, { 0, "S: * SEARCH" }, { 0, "S: g OK %%" },
    { 0, "C: g SEARCH EMAILID" }, { 0, "S: g BAD %%" }, { 0, "C: g SEARCH THREADID (x)" }, { 0, "S: g BAD %%" },
    { 0, "C: h EXAMINE Another" }, { 0, "S: * FLAGS%%" }, { 0, "S: * OK [PERM%%" }, { 0, "S: * 1 EXISTS" }, { 0, "S: * 1 RECENT" },
    { 0, "S: * OK [UNSEEN 1]%%" }, { 0, "S: * OK [UIDVALIDITY%%" }, { 0, "S: * OK [UIDNEXT%%" }, { 0, "S: * OK [HIGH%%" },
    { 0, "S: * OK [MAILBOXID (%o)] Its id" }, { 0, "S: h OK %%" },
    { 0, "C: i FETCH 1 (THREADID UID EMAILID)" }, { 0, "S: * 1 FETCH (UID 1 EMAILID (%b) THREADID (%t))" }, { 0, "S: i OK %%" },
    END };

static const struct line messages[] = {
    SIGN_IN(0), SELECT(0),
    APPEND(0, "c", "(\\Seen Work)"), { 0, "S: * FLAGS (%% Work)" }, { 0, "S: * OK [PERMANENTFLAGS %%" },
    { 0, "S: * 1 EXISTS" }, { 0, "S: * 1 RECENT" }, { 0, "S: c OK [APPENDUID 1 1] APPEND completed" },
    APPEND(0, "c", "\" 1-Jan-2020 00:00:00 +0100\""), { 0, "S: * 2 EXISTS" }, { 0, "S: * 2 RECENT" },
    { 0, "S: c OK [APPENDUID 1 2] APPEND completed" },
    { 0, "C: d FETCH 1:2 (UID FLAGS INTERNALDATE RFC822.SIZE BODY[TEXT])" },
    { 0, "S: * 1 FETCH (UID 1 FLAGS (\\Seen \\Recent Work) INTERNALDATE %% RFC822.SIZE 21 BODY[TEXT] {6}\r\nbody\r\n)" },
    { 0, "S: * 2 FETCH (UID 2 FLAGS (\\Seen \\Recent) INTERNALDATE \"31-Dec-2019 23:00:00 +0000\" RFC822.SIZE 21 BODY[TEXT] {6}\r\nbody\r\n)" },
    { 0, "S: d OK FETCH completed" },
    { 0, "C: d FETCH 2 (BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[]<4.6> BODY.PEEK[1] BODY.PEEK[2])" },
    { 0, "S: * 2 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {15}\r\nSubject: hi\r\n\r\n BODY[]<4> {6}\r\nect: h BODY[1] {6}\r\nbody\r\n BODY[2] NIL)" },
    { 0, "S: d OK FETCH completed" },
    { 0, "C: e STORE 1 +FLAGS.SILENT (\\Flagged)" }, { 0, "S: e OK STORE completed" },
    { 0, "C: e STORE 2 (UNCHANGEDSINCE 1) FLAGS ()" }, { 0, "S: * OK [HIGHESTMODSEQ %%] %%" },
    { 0, "S: e OK [MODIFIED 2] %%" },
    { 0, "C: e UID STORE 1:2 -FLAGS (Work)" }, { 0, "S: * 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen \\Recent) MODSEQ (%%))" },
    { 0, "S: * 2 FETCH (UID 2 FLAGS (\\Seen \\Recent) MODSEQ (%%))" }, { 0, "S: e OK STORE completed" },
    { 0, "C: f UID SEARCH FLAGGED BODY \"BODY\" SUBJECT hi" }, { 0, "S: * SEARCH 1" }, { 0, "S: f OK SEARCH completed" },
    { 0, "C: f SEARCH OR BEFORE 1-Jan-2020 TEXT nowhere" }, { 0, "S: * SEARCH 2" }, { 0, "S: f OK SEARCH completed" },
    { 0, "C: f SEARCH HEADER X-No a" }, { 0, "S: * SEARCH" }, { 0, "S: f OK SEARCH completed" },
    { 0, "C: f SEARCH 3" }, { 0, "S: f BAD No message has such a number" },
    { 0, "C: g COPY 1:2 Other" }, { 0, "S: g NO [TRYCREATE] %%" },
    { 0, "C: g CREATE Other" }, { 0, "S: g OK [MAILBOXID (m%%)] CREATE completed" },
    { 0, "C: g COPY 2:1 Other" }, { 0, "S: g OK [COPYUID %% 1:2 1:2] COPY completed" },
    { 0, "C: g MOVE 1 Other" }, { 0, "S: * OK [COPYUID %% 1 3] Moved" }, { 0, "S: * 1 EXPUNGE" }, { 0, "S: * 1 RECENT" },
    { 0, "S: g OK MOVE completed" },
    { 0, "C: h STORE 1 +FLAGS.SILENT \\Deleted" }, { 0, "S: * 1 FETCH (UID 2 MODSEQ (%%))" }, { 0, "S: h OK %%" },
    { 0, "C: h UID EXPUNGE 1" }, { 0, "S: h OK EXPUNGE completed" },
    { 0, "C: h EXPUNGE" }, { 0, "S: * 1 EXPUNGE" }, { 0, "S: * 0 RECENT" }, { 0, "S: h OK EXPUNGE completed" },
    { 0, "C: i STATUS Other (MESSAGES UNSEEN UIDNEXT)" }, { 0, "S: * STATUS \"Other\" (MESSAGES 3 UIDNEXT 4 UNSEEN 0)" },
    { 0, "S: i OK STATUS completed" },
    { 0, "C: i EXAMINE Other" }, { 0, "S: * FLAGS %%" }, { 0, "S: * OK [PERMANENTFLAGS ()] %%" }, { 0, "S: * 3 EXISTS" },
    { 0, "S: * 3 RECENT" }, { 0, "S: * OK [UIDVALIDITY %%" }, { 0, "S: * OK [UIDNEXT 4] %%" },
    { 0, "S: * OK [HIGHESTMODSEQ %%" }, { 0, "S: * OK [MAILBOXID%%" }, { 0, "S: i OK [READ-ONLY] EXAMINE completed" },
    { 0, "C: i STORE 1 FLAGS ()" }, { 0, "S: i NO [CANNOT] %%" },
    { 0, "C: i CLOSE" }, { 0, "S: i OK CLOSE completed" },
    { 0, "C: i FETCH 1 UID" }, { 0, "S: i BAD No mailbox is selected" }, END };

/* What the second session does, the first must hear of: at the right moment. */
static const struct line two[] = {
    SIGN_IN(0), SELECT(0), SIGN_IN(1), SELECT(1),
    APPEND(1, "c", "()"), { 1, "S: * 1 EXISTS" }, { 1, "S: * 1 RECENT" }, { 1, "S: c OK %%" },
    { 0, "C: d NOOP" }, { 0, "S: * 1 EXISTS" }, { 0, "S: * 1 RECENT" }, { 0, "S: d OK NOOP completed" },
    { 0, "C: e IDLE" }, { 0, "S: + idling" },
    APPEND(1, "c", "()"), { 0, "S: * 2 EXISTS" }, { 0, "S: * 2 RECENT" },
    { 1, "S: * 2 EXISTS" }, { 1, "S: * 2 RECENT" }, { 1, "S: c OK %%" },
    { 1, "C: f STORE 1 FLAGS (\\Deleted)" }, { 1, "S: * 1 FETCH (FLAGS (\\Deleted \\Recent))" }, { 1, "S: f OK %%" },
    { 0, "S: * 1 FETCH (FLAGS (\\Deleted \\Recent))" },
    { 0, "C: DONE" }, { 0, "S: e OK IDLE completed" },
    { 1, "C: f EXPUNGE" }, { 1, "S: * 1 EXPUNGE" }, { 1, "S: * 1 RECENT" }, { 1, "S: f OK %%" },
    { 0, "C: g FETCH 1:2 (UID RFC822.SIZE)" }, { 0, "S: * 2 FETCH (UID 2 RFC822.SIZE 21)" }, /* 1 keeps its number */
    { 0, "S: g NO [EXPUNGEISSUED] %%" },
    { 0, "C: g UID SEARCH ALL" }, { 0, "S: * 1 EXPUNGE" }, { 0, "S: * 1 RECENT" }, { 0, "S: * SEARCH 2" },
    { 0, "S: g OK SEARCH completed" },
    { 1, "C: h CREATE x" }, { 1, "S: h OK %%" }, { 1, "C: h EXAMINE x" }, { 1, "S: * FLAGS %%" }, { 1, "S: * OK %%" },
    { 1, "S: * 0 EXISTS" }, { 1, "S: * 0 RECENT" }, { 1, "S: * OK %%" }, { 1, "S: * OK %%" }, { 1, "S: * OK %%" }, { 1, "S: * OK %%" }, { 1, "S: h OK %%" },
    { 0, "C: h DELETE x" }, { 0, "S: h OK DELETE completed" },
    { 1, "C: i NOOP" }, { 1, "S: * BYE The selected mailbox was deleted" }, { 1, "S: i OK %%" }, { 1, "S: END" },
    { 0, "C: j IDLE" }, { 0, "S: + idling" }, { 0, "X" }, { 0, "S: * BYE [UNAVAILABLE] Server is shutting down" },
    { 0, "S: END" }, END };

/* \Seen of FETCH BODY[...] is told at once and written later: before a command to which it matters, by the clock, and
 * before news is read.  With CONDSTORE its MODSEQ is told, so it is written at once. */
#define BODY(tag, number, flags)                                                                                   \
    { 0, "C: " tag " FETCH " number " BODY[TEXT]" },                                                               \
        { 0, "S: * " number " FETCH (FLAGS (" flags ") BODY[TEXT] {6}\r\nbody\r\n)" }, { 0, "S: " tag " OK %%" }
static const struct line seen[] = {
    SIGN_IN(0), SELECT(0), APPEND(0, "c", "()"), { 0, "S: * 1 EXISTS" }, { 0, "S: * 1 RECENT" }, { 0, "S: c OK %%" },
    APPEND(0, "c", "()"), { 0, "S: * 2 EXISTS" }, { 0, "S: * 2 RECENT" }, { 0, "S: c OK %%" },
    SIGN_IN(1), { 1, "C: b SELECT INBOX" }, { 1, "S: * FLAGS %%" }, { 1, "S: * OK [PERM%%" }, { 1, "S: * 2 EXISTS" },
    { 1, "S: * 2 RECENT" }, { 1, "S: * OK [UNSEEN 1]%%" }, { 1, "S: * OK [UIDV%%" }, { 1, "S: * OK [UIDN%%" },
    { 1, "S: * OK [HIGH%%" }, { 1, "S: * OK [MAILBOXID%%" }, { 1, "S: b OK %%" },
    BODY("d", "1", "\\Seen \\Recent"),
    { 0, "C: d SEARCH UNSEEN" }, { 0, "S: * SEARCH 2" }, { 0, "S: d OK %%" },
    { 1, "C: e IDLE" }, { 1, "S: + idling" }, { 1, "S: * 1 FETCH (FLAGS (\\Seen \\Recent))" }, /* by the clock */
    { 1, "C: DONE" }, { 1, "S: e OK %%" },
    BODY("f", "2", "\\Seen \\Recent"),
    { 1, "C: g STORE 2 +FLAGS (\\Flagged)" }, { 1, "S: * 2 FETCH (FLAGS (\\Flagged \\Recent))" }, { 1, "S: g OK %%" },
    { 0, "C: h NOOP" }, { 0, "S: * 2 FETCH (FLAGS (\\Flagged \\Seen \\Recent))" }, { 0, "S: h OK %%" },
    { 1, "C: h NOOP" }, { 1, "S: * 2 FETCH (FLAGS (\\Flagged \\Seen \\Recent))" }, { 1, "S: h OK %%" },
    { 1, "C: i STORE 2 FLAGS ()" }, { 1, "S: * 2 FETCH (FLAGS (\\Recent))" }, { 1, "S: i OK %%" },
    { 0, "C: i NOOP" }, { 0, "S: * 2 FETCH (FLAGS (\\Recent))" }, { 0, "S: i OK %%" },
    BODY("j", "2", "\\Seen \\Recent"),
    { 0, "C: j STATUS INBOX (UNSEEN)" }, { 0, "S: * STATUS \"INBOX\" (UNSEEN 0)" }, { 0, "S: j OK %%" },
    { 1, "C: k STORE 2 FLAGS.SILENT ()" }, { 1, "S: k OK %%" },
    { 0, "C: k NOOP" }, { 0, "S: * 2 FETCH (FLAGS (\\Recent))" }, { 0, "S: k OK %%" },
    BODY("k", "2", "\\Seen \\Recent"),
    { 0, "C: l UNSELECT" }, { 0, "S: l OK %%" }, /* written when the mailbox is left */
    { 1, "C: l NOOP" }, { 1, "S: * 2 FETCH (FLAGS (\\Seen \\Recent))" }, { 1, "S: l OK %%" },
    { 1, "C: m STORE 2 FLAGS.SILENT ()" }, { 1, "S: m OK %%" },
    { 1, "C: m ENABLE CONDSTORE" }, { 1, "S: * ENABLED CONDSTORE" }, { 1, "S: * OK [HIGH%%" }, { 1, "S: m OK %%" },
    { 1, "C: n FETCH 2 BODY[TEXT]" },
    { 1, "S: * 2 FETCH (FLAGS (\\Seen \\Recent) MODSEQ (%%) BODY[TEXT] {6}\r\nbody\r\n)" }, { 1, "S: n OK %%" }, END };

static const struct line mailboxes[] = {
    SIGN_IN(0),
    { 0, "C: a CREATE a/b/" }, { 0, "S: a OK %%" }, { 0, "C: a CREATE A&-B" }, { 0, "S: a OK %%" },
    { 0, "C: a CREATE inbox" }, { 0, "S: a NO [ALREADYEXISTS] %%" }, { 0, "C: a CREATE a//b" }, { 0, "S: a NO [CANNOT] %%" },
    { 0, "C: a LIST \"\" *" }, { 0, "S: * LIST (\\HasNoChildren) \"/\" \"A&-B\"" }, { 0, "S: * LIST (\\HasNoChildren) \"/\" \"INBOX\"" },
    { 0, "S: * LIST (\\Noselect \\HasChildren) \"/\" \"a\"" }, { 0, "S: * LIST (\\HasNoChildren) \"/\" \"a/b\"" }, { 0, "S: a OK %%" },
    { 0, "C: a SELECT a" }, { 0, "S: a NO [NONEXISTENT] %%" },
    { 0, "C: a CREATE a" }, { 0, "S: a OK %%" },
    { 0, "C: a LIST \"\" a" }, { 0, "S: * LIST (\\HasChildren) \"/\" \"a\"" }, { 0, "S: a OK %%" },
    { 0, "C: a SUBSCRIBE a/b" }, { 0, "S: a OK %%" }, { 0, "C: a LSUB \"\" %%" }, { 0, "S: * LSUB () \"/\" \"INBOX\"" },
    { 0, "S: * LSUB (\\Noselect) \"/\" \"a\"" }, { 0, "S: a OK %%" },
    { 0, "C: a RENAME a z" }, { 0, "S: a OK %%" }, { 0, "C: a LSUB \"\" *" }, { 0, "S: * LSUB () \"/\" \"INBOX\"" },
    { 0, "S: * LSUB () \"/\" \"z/b\"" }, { 0, "S: a OK %%" },
    { 0, "C: a DELETE z/b" }, { 0, "S: a OK %%" }, { 0, "C: a DELETE z/b" }, { 0, "S: a NO [NONEXISTENT] %%" },
    { 0, "C: a DELETE INBOX" }, { 0, "S: a NO [CANNOT] %%" },
    { 0, "C: a LSUB z/ *" }, { 0, "S: * LSUB (\\Noselect) \"/\" \"z/b\"" }, { 0, "S: a OK %%" },
    { 0, "C: a UNSUBSCRIBE z/b" }, { 0, "S: a OK %%" }, { 0, "C: a LSUB z/ *" }, { 0, "S: a OK %%" },
    { 0, "C: a NAMESPACE" }, { 0, "S: * NAMESPACE ((\"\" \"/\")) NIL NIL" }, { 0, "S: a OK %%" }, END };

static const struct line limits[] = {
    SIGN_IN(0),
    { 0, "C: a APPEND INBOX {999999999999}" }, { 0, "S: a NO [TOOBIG] %%" },
    { 0, "C: a APPEND INBOX {2+}\r\nab {2+}\r\ncd" }, { 0, "S: a BAD %%" },
    { 0, "C: a APPEND INBOX {0+}\r\n" }, { 0, "S: a NO [CANNOT] %%" },
    { 0, "C: a SELECT {99999}" }, { 0, "S: a BAD [TOOBIG] %%" },
    { 0, "C: a SEARCH FROM {3+}\r\nALL" }, { 0, "S: a BAD No mailbox is selected" },
    { 0, "C: a NOOP" }, { 0, "S: a OK NOOP completed" }, END };

/* 7 has quota_bytes 100 and quota_messages 3; Trash is one mailbox of it. */
static const struct line quota[] = {
    SIGN_IN(0),
    { 0, "C: a GETQUOTAROOT inbox" }, { 0, "S: * QUOTAROOT \"INBOX\" \"\"" }, { 0, "S: * QUOTA \"\" (STORAGE 0 1 MESSAGE 0 3)" },
    { 0, "S: a OK GETQUOTAROOT completed" },
    { 0, "C: a GETQUOTAROOT not/yet" }, { 0, "S: * QUOTAROOT \"not/yet\" \"\"" }, { 0, "S: * QUOTA %%" }, { 0, "S: a OK %%" },
    { 0, "C: a GETQUOTA nothing" }, { 0, "S: a NO [NONEXISTENT] %%" },
    { 0, "C: a SETQUOTA \"\" (STORAGE 9)" }, { 0, "S: a BAD No such command" },
    APPEND(0, "b", "(\\Deleted)"), { 0, "S: b OK %%" }, APPEND(0, "b", "()"), { 0, "S: b OK %%" },
    { 0, "C: c GETQUOTA \"\"" }, { 0, "S: * QUOTA \"\" (STORAGE 1 1 MESSAGE 2 3)" }, { 0, "S: c OK GETQUOTA completed" },
    { 0, "C: c STATUS INBOX (DELETED-STORAGE DELETED MESSAGES)" },
    { 0, "S: * STATUS \"INBOX\" (MESSAGES 2 DELETED 1 DELETED-STORAGE 21)" }, { 0, "S: c OK %%" },
    { 0, "C: d SELECT INBOX" }, { 0, "S: * FLAGS %%" }, { 0, "S: * OK [PERM%%" }, { 0, "S: * 2 EXISTS" }, { 0, "S: * %% RECENT" },
    { 0, "S: * OK [UNSEEN %%" }, { 0, "S: * OK [UIDV%%" }, { 0, "S: * OK [UIDN%%" }, { 0, "S: * OK [HIGH%%" }, { 0, "S: * OK [MAILBOXID%%" }, { 0, "S: d OK %%" },
    { 0, "C: e COPY 1:2 Trash" }, { 0, "S: e NO [OVERQUOTA] %%" },
    { 0, "C: e COPY 1 Trash" }, { 0, "S: e OK %%" },
    APPEND(0, "f", "()"), { 0, "S: f NO [OVERQUOTA] %%" },
    { 0, "C: g MOVE 1 Trash" }, { 0, "S: * OK [COPYUID %%" }, { 0, "S: * 1 EXPUNGE" }, { 0, "S: * 1 RECENT" }, { 0, "S: g OK %%" },
    { 0, "C: h EXPUNGE" }, { 0, "S: h OK %%" }, END };

static const struct line metadata[] = {
    SIGN_IN(0),
    { 0, "C: a GETMETADATA INBOX /private/comment" }, { 0, "S: * METADATA \"INBOX\" (\"/private/comment\" NIL)" }, { 0, "S: a OK GETMETADATA completed" },
    { 0, "C: a SETMETADATA nowhere (/private/comment \"x\")" }, { 0, "S: a NO [NONEXISTENT] %%" },
    { 0, "C: a SETMETADATA INBOX (/private/Comment \"My own\" /shared/vendor/x/y {4+}\r\na\r\nb)" }, { 0, "S: a OK SETMETADATA completed" },
    { 0, "C: a GETMETADATA INBOX (/PRIVATE/COMMENT /shared/vendor/x/y)" },
    { 0, "S: * METADATA \"INBOX\" (\"/private/comment\" \"My own\" \"/shared/vendor/x/y\" {4}\r\na\r\nb)" }, { 0, "S: a OK %%" },
    { 0, "C: a GETMETADATA INBOX (MAXSIZE 5 DEPTH infinity) (/private /shared)" },
    { 0, "S: * METADATA \"INBOX\" (\"/shared/vendor/x/y\" {4}\r\na\r\nb)" }, { 0, "S: a OK [METADATA LONGENTRIES 6] %%" },
    { 0, "C: a GETMETADATA (DEPTH 1) INBOX /shared/vendor" }, { 0, "S: a OK %%" },
    { 0, "C: a SETMETADATA INBOX (/private/a \"1\" /private/b {16385+}" }, { 0, "X16385" }, { 0, "S: a NO [METADATA MAXSIZE 16384] %%" },
    { 0, "C: a GETMETADATA INBOX /private/a" }, { 0, "S: * METADATA \"INBOX\" (\"/private/a\" NIL)" }, { 0, "S: a OK %%" },
    { 0, "C: a SETMETADATA \"\" (/shared/admin \"mailto:x\")" }, { 0, "S: a NO [NOPERM] %%" },
    { 0, "C: a SETMETADATA \"\" (/private/vendor/x/z \"server's\")" }, { 0, "S: a OK %%" },
    { 0, "C: a GETMETADATA \"\" (DEPTH infinity) /private" },
    { 0, "S: * METADATA \"\" (\"/private/vendor/x/z\" \"server's\")" }, { 0, "S: a OK %%" },
    { 0, "C: a CREATE box" }, { 0, "S: a OK %%" }, { 0, "C: a SETMETADATA box (/private/comment \"boxed\")" }, { 0, "S: a OK %%" },
    { 0, "C: a RENAME box other" }, { 0, "S: a OK %%" },
    { 0, "C: a GETMETADATA other /private/comment" }, { 0, "S: * METADATA \"other\" (\"/private/comment\" \"boxed\")" }, { 0, "S: a OK %%" },
    { 0, "C: a DELETE other" }, { 0, "S: a OK %%" }, { 0, "C: a CREATE other" }, { 0, "S: a OK %%" },
    { 0, "C: a GETMETADATA other /private/comment" }, { 0, "S: * METADATA \"other\" (\"/private/comment\" NIL)" }, { 0, "S: a OK %%" },
    { 0, "C: a RENAME INBOX old" }, { 0, "S: a OK %%" },
    { 0, "C: a GETMETADATA INBOX /private/comment" }, { 0, "S: * METADATA \"INBOX\" (\"/private/comment\" \"My own\")" }, { 0, "S: a OK %%" },
    { 0, "C: a GETMETADATA old /private/comment" }, { 0, "S: * METADATA \"old\" (\"/private/comment\" \"My own\")" }, { 0, "S: a OK %%" },
    { 0, "C: a SETMETADATA INBOX (/private/comment NIL)" }, { 0, "S: a OK %%" },
    { 0, "C: a GETMETADATA INBOX /private/comment" }, { 0, "S: * METADATA \"INBOX\" (\"/private/comment\" NIL)" }, { 0, "S: a OK %%" }, END };

static const struct {
    const char *name;
    const struct line *lines;
} transcripts[] = { { "greeted", greeted }, { "sasl-ir", sasl_ir }, { "messages", messages }, { "two sessions", two },
                    { "seen", seen }, { "mailboxes", mailboxes }, { "limits", limits }, { "quota", quota },
                    { "metadata", metadata }, { "objects", objects } };

/* ---- running ---- */

/* One process, one pool, one listener for NOTIFY: as a worker has it. */
static void start_process(void)
{
    if (service.db != NULL)
        return;
    service = (struct service){ .db = db_new(database_conninfo("correio_access"), 3), .name = "access-1" };
    imap_init(&service);
}

static void run_transcript(void *arg)
{
    const struct line *const *lines = arg;

    start_process();
    while (durability_problem() != NULL) /* the first look is under way */
        (void)coroutine_sleep(1);
    play(*lines);
    loop_stop();
}

static void run(void **state)
{
    (void)database_sql(owner, "TRUNCATE account_state, mailbox, subscription, keyword, message, email, blob, email_text,"
                              " expunged, annotation; INSERT INTO account_state (account_id) VALUES (7);"
                              " INSERT INTO mailbox (account_id, name, uidvalidity) VALUES (7, 'INBOX', 1)");
    if (*(const struct line *const *)*state == quota)
        (void)database_sql(owner, "UPDATE account_state SET quota_bytes = 100, quota_messages = 3;"
                                  " INSERT INTO mailbox (account_id, name, uidvalidity, special_use) VALUES (7, 'Trash', 2, 5)");
    assert_non_null(coroutine_spawn("test", run_transcript, *state));
    loop_run();
}

static int group_setup(void **state UNUSED)
{
    owner = database_connect(database_name, "none");
    (void)database_sql(owner, "INSERT INTO domain (tenant_id, name) VALUES (1, 'example.test'); INSERT INTO account"
                              " (id, tenant_id, domain_id, address) OVERRIDING SYSTEM VALUE SELECT 7, 1, id,"
                              " 'seven@example.test' FROM domain");
    return 0;
}

static int group_teardown(void **state UNUSED)
{
    PQfinish(owner);
    database_drop();
    return 0;
}

int main(void)
{
    struct CMUnitTest tests[ARRAY_LEN(transcripts)] = { 0 };
    static const struct line *lines[ARRAY_LEN(transcripts)];

    for (size_t i = 0; i < ARRAY_LEN(transcripts); i++) {
        lines[i] = transcripts[i].lines;
        tests[i] = (struct CMUnitTest){ .name = transcripts[i].name, .test_func = run, .initial_state = &lines[i] };
    }
    if (!database_create()) {
        (void)printf("skipped: CORREIO_TEST_CONNINFO is not set\n");
        return 0;
    }
    return cmocka_run_group_tests_name("imap_session", tests, group_setup, group_teardown);
}
