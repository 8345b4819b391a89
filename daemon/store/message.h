/* store/message.h - reading the messages of a mailbox: opening, changes, what FETCH needs.
 *
 * A call reads in statements of at most 1,000 rows and holds a database connection only while it runs.  Everything
 * SUSPENDS; RES_TEMPFAIL is database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/body.h"
#include "store/mailbox.h"
#include "store/principal.h"

/* message.flags; the rest of the bits is not used. */
enum { FLAG_SEEN = 1, FLAG_ANSWERED = 2, FLAG_FLAGGED = 4, FLAG_DELETED = 8, FLAG_DRAFT = 16, FLAGS_ALL = 31 };
/* What IMAP calls them: "\\Seen". */
#define FLAG_NAMES 5
extern const struct message_flag {
    int bit;
    struct str name;
} message_flags[FLAG_NAMES];

struct message_state {
    uint32_t uid;
    int flags;
    int64_t modseq;
    const int64_t *keywords; /* ascending numbers of the account's keywords */
    size_t nkeywords;
};
/* Called for each message, ascending by UID; must not suspend.  Views are valid only inside. */
typedef void message_state_fn(void *arg, const struct message_state *m);
typedef void message_gone_fn(void *arg, uint32_t uid);

/* Reads the mailbox of that name and the state of all its messages from one snapshot.  RES_NOTFOUND: no such one. */
enum result message_open(struct db *db, const struct principal *who, struct str name, struct arena *a,
                         struct mailbox *ret_box, message_state_fn *fn, void *arg) SUSPENDS NODISCARD;

/* What happened in the mailbox after MODSEQ `since`, from one snapshot: the messages that came or changed, then the
 * UIDs that went.  When the record of expunges does not go back to `since`, `changed` is called for every message,
 * `gone` for none, and *ret_all is set: what was not named is gone.  RES_NOTFOUND: the mailbox is gone. */
enum result message_changes(struct db *db, const struct principal *who, int64_t mailbox_id, int64_t since,
                            struct arena *a, struct mailbox *ret_box, message_state_fn *changed, message_gone_fn *gone,
                            void *arg, bool *ret_all) SUSPENDS NODISCARD;

/* Which columns message_fetch reads; without any of them only uid, internaldate and size, and no join. */
struct message_want {
    bool email;    /* email_id, thread_id, header_size, frames */
    bool blob;     /* the frame of those that have only one: at most 16 KiB each */
    bool envelope, bodystructure, parts;
    bool only_envelope; /* uid and envelope, and nothing else whatever the others say */
};
struct message_row {
    uint32_t uid;
    int64_t internaldate_us;
    int64_t email_id, thread_id;
    struct body_shape shape;                  /* .size always */
    struct str envelope, bodystructure, parts; /* views of the rows; STR_NULL when not wanted */
    struct str blob;                           /* also STR_NULL when there are several frames */
};

/* The messages with these UIDs (ascending), at most 1,000; those that are gone are left out.  `range`: uids holds two,
 * the first and the last of a range in which at most 1,000 messages lie. */
enum result message_fetch(struct db *db, const struct principal *who, int64_t mailbox_id,
                          const struct message_want *want, struct arena *a, const int64_t *uids, size_t n, bool range,
                          struct db_rows *ret_rows) SUSPENDS NODISCARD;
/* `want` as it was in the call. */
void message_row_get(const struct db_rows *rows, size_t row, const struct message_want *want, struct message_row *ret);

/* One message as a script sees it (RFC 6785): its state, and where its bytes are.  RES_NOTFOUND: it is gone. */
enum result message_look(struct db *db, const struct principal *who, int64_t mailbox_id, int64_t uid, struct arena *a,
                         struct message_state *ret_state, struct body_source *ret_source) SUSPENDS NODISCARD;

/* Frames of several messages with one statement: the caller sees to it that they are few megabytes. */
struct message_frames {
    int64_t email_id;
    unsigned first, last;
};
/* *ret_rows: email_id, n, data, ordered by the first two. */
enum result message_frames(struct db *db, const struct principal *who, struct arena *a,
                           const struct message_frames *want, size_t n, struct db_rows *ret_rows) SUSPENDS NODISCARD;
