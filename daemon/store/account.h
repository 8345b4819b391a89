/* store/account.h - accounts as the control plane sees them: lists, one account, creating, changing, removing.
 *
 * Addresses are in the form in which they are stored: local-part in lower case, domain in A-labels.  Everything returned
 * lives in the arena given; times are microseconds since 1970.  SUSPENDS: all.  RES_TEMPFAIL: database trouble, already
 * logged. */
#pragma once
#include "store/audit.h"
#include "store/credential.h"
#include "store/domain.h"
#include "store/sent.h"

enum account_role { ROLE_ACCOUNT, ROLE_DOMAIN_ADMIN, ROLE_SYSTEM_ADMIN };

struct account {
    int64_t id;
    struct str address, name;
    enum account_role role;
    enum account_state state;
    struct str language;                     /* STR_NULL: none */
    int64_t state_us;                        /* of a suspension: when, why and by whom; DB_NO_TIME, STR_NULL: not known */
    struct str state_reason, state_by;
    int64_t frozen_us;                       /* the same of a freeze, also while it is suspended; DB_NO_TIME: not frozen */
    struct str frozen_reason, frozen_by;
    int64_t deleted_us;                      /* ACCOUNT_DELETED: since when; else DB_NO_TIME */
    int64_t quota_bytes, quota_messages;     /* 0: no limit */
    int64_t used_bytes, used_messages;
    int64_t sign_in_us;                      /* the last one; DB_NO_TIME: never */
    struct str sign_in_protocol, sign_in_ip; /* sign_in_ip STR_NULL: unknown */
    struct str delivery, delivery_user;      /* route/delivery.h; STR_NULL: the domain's */
    struct str *forward;                     /* where its mail is sent on to */
    size_t n_forward;
    bool forward_keep;                       /* and a copy stays */
    struct sent_limits limits;               /* its own (store/sent.h) */
    int64_t sent_hour, sent_day;             /* recipients that it sent to in the last hour and day */
    int64_t created_us, version;
};

struct account_filter {
    unsigned states, roles; /* bits 1 << enum; 0: any, but of states not the deleted ones */
    const struct str *domains;
    size_t n_domains; /* 0: any */
    struct str text;  /* part of address or name, lower case; STR_NULL: any */
    struct visible visible;
};

/* By address; `after` is the last address of the page before, STR_NULL for the first page. */
enum result account_list(struct db *db, const struct account_filter *filter, bool descending, struct str after,
                         size_t limit, struct arena *a, struct account **ret_v, size_t *ret_n, bool *ret_more)
    SUSPENDS NODISCARD;
enum result account_count(struct db *db, const struct account_filter *filter, int64_t at_most, int64_t *ret_n)
    SUSPENDS NODISCARD;
/* RES_NOTFOUND: none, or not to be seen; a deleted one is none. */
enum result account_get(struct db *db, struct str address, const struct visible *visible, struct arena *a,
                        struct account *ret) SUSPENDS NODISCARD;
/* Those that have one of these addresses, in no order, also deleted ones that can be restored, and whoever may see them. */
enum result account_find(struct db *db, const struct str *addresses, size_t n, struct arena *a, struct account **ret_v,
                         size_t *ret_n) SUSPENDS NODISCARD;
/* The same of the deleted ones that can be restored. */
enum result account_get_deleted(struct db *db, struct str address, const struct visible *visible, struct arena *a,
                                struct account *ret) SUSPENDS NODISCARD;

struct account_write {
    struct str address, name; /* name STR_NULL: empty */
    enum account_role role;
    struct str language;
    int64_t quota_bytes, quota_messages; /* 0: no limit */
    struct str delivery, delivery_user; /* STR_NULL: the domain's */
    struct str *forward;
    size_t n_forward;
    bool forward_drop; /* no copy stays */
    struct sent_limits limits;
    /* account_create alone: */
    const struct str *further; /* store/account_address.h */
    size_t n_further;
    enum account_state state; /* ACCOUNT_INVITED, or at once frozen or suspended, by `by` */
    struct str by;
    /* account_create and account_update: the line of an import that asks for it, marked in the same transaction */
    int64_t import_id; /* 0: none */
    unsigned import_line;
};
/* Makes the account, its address, counters and the mailboxes INBOX, Drafts, Sent, Junk, Trash and Archive in one
 * transaction.  It is invited: the first password makes it active.  A domain administrator administers the account's
 * domain.  RES_NOTFOUND: its domain, or a further address's, is no local domain of ours; RES_EXISTS: an
 * address is taken, also by a deleted account; RES_CONFLICT: the line of the import is done. */
enum result account_create(struct db *db, const struct account_write *w, const struct audit *audit, int64_t *ret_id)
    SUSPENDS NODISCARD;
/* Replaces name, role, language, quota, delivery, forward and limits.  if_version -1: any.  RES_NOTFOUND; RES_CONFLICT: another version;
 * RES_DENIED: it is the last system administrator. */
enum result account_update(struct db *db, const struct account_write *w, int64_t if_version, const struct audit *audit)
    SUSPENDS NODISCARD;
/* No sign-in from now on; sessions end.  Already suspended: reason and author are replaced.  Results as above. */
enum result account_suspend(struct db *db, struct str address, struct str reason, struct str by, const struct audit *audit)
    SUSPENDS NODISCARD;
/* Sign-in is allowed again.  RES_OK also when it was not suspended. */
enum result account_resume(struct db *db, struct str address, const struct audit *audit) SUSPENDS NODISCARD;
/* Nothing is sent for it from now on; it may sign in and gets mail.  Already frozen: reason and author are replaced.
 * RES_NOTFOUND. */
enum result account_freeze(struct db *db, struct str address, struct str reason, struct str by, const struct audit *audit)
    SUSPENDS NODISCARD;
/* Marks as held what queue_act could not hold, since a relay has it in hand: a failed attempt is then its last. */
enum result account_hold_rest(struct db *db, int64_t account_id) SUSPENDS NODISCARD;
/* RES_OK also when it was not frozen. */
enum result account_unfreeze(struct db *db, struct str address, const struct audit *audit) SUSPENDS NODISCARD;
/* No sign-in, no mail from now on; sessions end.  The account keeps its addresses, its place in aliases and its mail, and
 * can be restored until a sweeper purges it (store/sweep.h).  purge: a deleted one, too; it is not kept: it gives up its
 * addresses at once and leaves the aliases (one left empty goes too).  Results as account_update. */
enum result account_delete(struct db *db, struct str address, bool purge, int64_t if_version, const struct audit *audit)
    SUSPENDS NODISCARD;
/* A deleted account is again what it was.  RES_NOTFOUND: it is not there any more, or its domain is deleted. */
enum result account_restore(struct db *db, struct str address, const struct audit *audit) SUSPENDS NODISCARD;
