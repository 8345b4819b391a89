/* mail/advice.h - why an attempt ended as it did: one word, who can act, and what to say to people.
 *
 * Pure.  The one table of what mail servers answer: relay and mda store its ids as reasons of queue and trace, the API
 * explains by it, and notifications of failed mail say the same words.  The words themselves are the dashboard's
 * catalogues web/i18n/advice.*.json, compiled in.  An id is never taken away: it stands in the database. */
#pragma once
#include "base/arena.h"
#include "mail/dsn.h"

/* How far an attempt came. */
enum attempt_phase {
    PHASE_DNS, PHASE_CONNECT, PHASE_TLS, PHASE_GREETING, PHASE_EHLO, PHASE_AUTH, PHASE_MAIL, PHASE_RCPT, PHASE_DATA,
    PHASE_BODY, PHASES
};
struct str attempt_phase_name(enum attempt_phase phase); /* "dns", "connect", ... */

/* The id for a reply with `code` (>= 400), enhanced code ("4.7.1"; STR_NULL: none) and text, which may have several
 * lines.  Never empty: "temporary" or "permanent" when nothing is known of such a reply. */
struct str advice_of_reply(enum attempt_phase phase, int code, struct str enhanced, struct str text);

/* Who can do something about it: nobody means wait, you is who sent the message, admin is who runs this server. */
enum advice_actor { ADVICE_NOBODY, ADVICE_YOU, ADVICE_RECIPIENT, ADVICE_REMOTE_ADMIN, ADVICE_ADMIN };
struct str advice_actor_name(enum advice_actor actor); /* "nobody", "you", ... */

struct advice {
    const char *id;
    enum advice_actor actor;
    bool certain; /* false: the reply may also mean something else */
};
/* NULL: no such id. */
const struct advice *advice_find(struct str id);
/* All of them, in order of id. */
const struct advice *advice_all(size_t *ret_n);

/* A sentence on what happened; what to do.  destination: the domain of the recipient, or empty. */
enum advice_words { ADVICE_TEXT, ADVICE_STEPS };
/* In the arena.  STR_NULL: no such id. */
struct str advice_say(struct arena *a, struct str id, enum advice_words what, enum dsn_language language, struct str destination);
