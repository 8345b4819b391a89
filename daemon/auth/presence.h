/* auth/presence.h - the sessions of this process that are signed in: the database knows of them, and they follow what becomes
 * of their accounts within two seconds.
 *
 * A session whose account may no longer sign in, whose credential is gone, or that somebody has ended is cancelled as by a
 * shutdown, and two seconds later its connection is cut. */
#pragma once
#include "auth/service.h"

struct presence {
    struct presence *prev, *next;
    int64_t n, account_id, credential_id, began_us, cut_at;
    const char *protocol;
    struct stream *stream;
    struct coroutine *co;
    bool written, unchecked;
    bool frozen; /* may read, may not send */
    bool over;   /* ended from outside: the last words are not those of a shutdown */
};

/* Once a process, before the first session.  Without it sessions are only kept in mind. */
void presence_init(struct service *service);
/* The session of the caller's coroutine signed in.  p stays where it is until presence_leave. */
void presence_enter(struct presence *p, const struct auth_identity *who, const char *protocol, struct stream *stream);
/* It has ended or signed out; an unused, zeroed one is fine. */
void presence_leave(struct presence *p);
