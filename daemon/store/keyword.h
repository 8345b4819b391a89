/* store/keyword.h - IMAP keywords ($Forwarded, Work, ...) and their numbers.
 *
 * One table an account, not a mailbox, so COPY and MOVE keep the numbers.  Numbers are never given again to another
 * name.  Names compare without ASCII case and keep the spelling that came first. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/principal.h"

#define KEYWORD_MAX      500 /* of an account */
#define KEYWORD_NAME_MAX 100 /* bytes */

struct keyword {
    int32_t id;
    struct str name;
};

/* All of the account, by ascending id.  RES_TEMPFAIL: database trouble, already logged. */
enum result keyword_list(struct db *db, const struct principal *who, struct arena *a, struct keyword **ret_list,
                         size_t *ret_n) SUSPENDS NODISCARD;

/* Makes those of the names that do not exist.  RES_LIMIT: there would be more than KEYWORD_MAX; then none is made. */
enum result keyword_add(struct db *db, const struct principal *who, struct arena *a, const struct str *names, size_t n)
    SUSPENDS NODISCARD;
