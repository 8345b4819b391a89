/* filter/ops.h - the questions of a running script (sieve/run.h), answered from the database.
 *
 * Mailboxes are read once a run, when first asked for.  External lists (RFC 6134) are the aliases of the account's
 * tenant: "alias:team@example.org". */
#pragma once
#include "filter/cache.h"
#include "sieve/run.h"
#include "store/mailbox.h"

#define FILTER_MAX_INCLUDES 80 /* more than sieve_default_limits lets one run load */

struct filter_view {
    struct db *db;
    int64_t account_id;
    struct arena *arena;
    /* Below: its own. */
    struct mailbox *mailboxes;
    size_t n_mailboxes;
    bool have_mailboxes;
    struct filter_script includes[FILTER_MAX_INCLUDES]; /* held until the run ends */
    size_t n_includes;
};

/* For sieve_env.ops; sieve_env.data is then a struct that begins with a struct filter_view. */
extern const struct sieve_ops filter_ops;

/* Gives back what the run held. */
void filter_view_release(struct filter_view *v);

/* Where a target leads: the mailbox with its id, its special use, or its name; all of them may be absent.
 * RES_NOTFOUND: there is none (yet). */
enum result filter_find_mailbox(struct filter_view *v, const struct sieve_target *target, struct mailbox *ret)
    SUSPENDS NODISCARD;
/* Makes the target's mailbox.  RES_INVALID: it cannot have that name.  RES_LIMIT: there are too many. */
enum result filter_make_mailbox(struct filter_view *v, const struct sieve_target *target, struct mailbox *ret)
    SUSPENDS NODISCARD;

/* The members of an external list.  RES_NOTFOUND: there is none of that name. */
enum result filter_list_members(struct filter_view *v, struct str list, struct str **ret_v, size_t *ret_n)
    SUSPENDS NODISCARD;
