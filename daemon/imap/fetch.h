/* imap/fetch.h - one FETCH under way, shared by cmd_fetch.c and fetch_body.c. */
#pragma once
#include "imap/session.h"
#include "store/message.h"

#define FETCH_FLUSH_AT ((size_t)40 << 10) /* more than the stream gathers, so it goes out without another copy */

struct fetch_job {
    struct imap_session *s;
    const struct imap_fetch *what;
    struct message_want want;
    bool set_seen;    /* BODY[...] without PEEK in a mailbox that may be written to */
    bool missing;     /* messages were expunged meanwhile */
    bool damaged;     /* something could not be read */
    struct strbuf out; /* what was made and not handed to the stream yet */
    size_t group;     /* messages of the next group of rows */
};

/* One message of a group. */
struct fetch_message {
    size_t index; /* in the view */
    struct message_row row;
    bool seen_now; /* this FETCH set \Seen: FLAGS belong into the answer */
};

/* "* n FETCH (" and the items that need no body; *ret_first: nothing was written yet. */
void fetch_begin(struct fetch_job *job, const struct fetch_message *m, bool *ret_first);
void fetch_flush(struct fetch_job *job, size_t above) SUSPENDS;

/* Answers for messages of which BODY sections are wanted.  RES_TEMPFAIL: already logged; RES_CLOSED: the answer broke
 * off inside a literal, the connection cannot go on. */
enum result fetch_bodies(struct fetch_job *job, struct arena *a, const struct fetch_message *m, size_t n)
    SUSPENDS NODISCARD;
