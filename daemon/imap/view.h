/* imap/view.h - what a session knows of its selected mailbox: UIDs, flags, MODSEQs, in the order of sequence numbers.
 *
 * 16 bytes a message.  Nothing is renumbered until the client may be told (RFC 3501, 5.5, 7.4.1): a message that is
 * gone keeps its number until view_drop_gone.  Pure memory: view_sync.c brings news into it. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "imap/parse.h"
#include "store/message.h"

struct view_entry {
    uint32_t uid;
    uint32_t keywords : 24; /* view_keywords() */
    uint32_t flags : 5;
    uint32_t recent : 1;
    uint32_t gone : 1;    /* expunged, and the client was not told yet */
    uint32_t changed : 1; /* the client does not know these flags yet */
    int64_t modseq;
};

struct keyword_set;
struct view {
    int64_t mailbox_id, uidvalidity, uidnext;
    int64_t modseq; /* everything up to it is in the view */
    int64_t first_recent;
    char *name; /* of the mailbox, UTF-8, NUL-terminated */
    bool read_only;
    struct view_entry *v;
    size_t n, cap;
    size_t told;            /* the client knows this many messages to exist */
    size_t ngone, nchanged; /* entries with these bits */
    size_t nrecent, recent_told;
    int64_t max_keyword;       /* the largest keyword number in it */
    struct keyword_set **sets; /* by number, 0 is the empty set */
    uint32_t nsets, *buckets, nbuckets;
};

struct view *view_new(void);
void view_free(struct view *view); /* NULL is fine */
void view_set_name(struct view *view, struct str name);

/* Index of a UID, SIZE_MAX when it is not here; of the first UID that is not smaller (n: none). */
size_t view_find(const struct view *view, uint32_t uid);
size_t view_lower_bound(const struct view *view, uint32_t uid);

/* A new message (UIDs ascend) or the new state of a known one; RES_INVALID: neither.  `tell`: a difference in flags
 * has to be reported. */
enum result view_put(struct view *view, const struct message_state *m, bool tell);
void view_mark_gone(struct view *view, uint32_t uid);
/* Closes the gaps; numbers change now. */
void view_drop_gone(struct view *view);
/* From which UID on messages are \Recent in this session. */
void view_set_recent(struct view *view, int64_t first_recent);
void view_told_flags(struct view *view, size_t index);

/* The keyword numbers of a message, ascending. */
const int64_t *view_keywords(const struct view *view, const struct view_entry *e, size_t *ret_n);

/* Messages as index ranges [first, last], ascending and apart; those that are gone are inside. */
struct view_spans {
    struct view_span {
        size_t first, last;
    } *v;
    size_t n;
};
/* RES_INVALID: a sequence number that no message has (RFC 3501, 9, seq-number).  UIDs that do not exist are left
 * out. */
enum result view_resolve(const struct view *view, struct arena *a, const struct imap_set *set, bool uid,
                         struct view_spans *ret) NODISCARD;
