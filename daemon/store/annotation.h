/* store/annotation.h - annotations of mailboxes and of the server, as one account sees them (RFC 5464).
 *
 * A name is in lower case and begins with "/private/" or "/shared/"; a value is any bytes.  They go with their mailbox
 * and follow its name; INBOX keeps its own when it is renamed, and the new mailbox gets a copy.
 * SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/principal.h"

#define ANNOTATION_NAME_MAX    255
#define ANNOTATION_VALUE_MAX   ((size_t)16384) /* bytes */
#define ANNOTATION_COUNT_MAX   100             /* of a mailbox, and of the server */
#define ANNOTATION_ACCOUNT_MAX (10 << 20)      /* bytes of all values of an account */
#define ANNOTATION_SERVER      0               /* instead of a mailbox */

/* For statements of store/ ($1: the account): does a script run on changes of the mailbox (RFC 6785, 2.3.1)? */
#define ANNOTATION_SCRIPT "/shared/imapsieve/script"
#define ANNOTATION_SCRIPTED(box)                                                                                   \
    "EXISTS (SELECT FROM annotation WHERE account_id = $1 AND mailbox_id IN (0, " box ")"                          \
    " AND name = '" ANNOTATION_SCRIPT "')"

struct annotation {
    struct str name, value; /* annotation_set: value STR_NULL: it goes */
};

/* All of a mailbox, by name. */
enum result annotation_list(struct db *db, const struct principal *who, int64_t mailbox_id, struct arena *a,
                            struct annotation **ret_v, size_t *ret_n) SUSPENDS NODISCARD;
/* Sets all or none; of a name that is there twice the last counts.  RES_NOTFOUND: no such mailbox; RES_LIMIT: there
 * would be too many. */
enum result annotation_set(struct db *db, const struct principal *who, int64_t mailbox_id, const struct annotation *v,
                           size_t n) SUSPENDS NODISCARD;
