/* store/owner_letter.h - what the owner of an account is told about its sign-in (mail/owner_letter.h): written by auth in
 * the transaction of the change, made a message of the queue by relay, once.
 *
 * Nothing is written with the setting accounts.notify_owner off, nor the eleventh time in a day of one kind, of new
 * networks the sixth.  SUSPENDS: all.  RES_TEMPFAIL: database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "mail/owner_letter.h"
#include "store/queue.h"

#define OWNER_LETTERS_A_DAY 10
#define OWNER_NETWORKS_A_DAY 5

/* With the caller's transaction, also when none is to be written.  name: of OWNER_APP_PASSWORD.  OWNER_NETWORK is written
 * by activity_add. */
enum result owner_letter_add(struct tx *tx, int64_t account_id, enum owner_letter_kind kind, struct str name) SUSPENDS NODISCARD;

struct owner_letter_due {
    int64_t id, account_id, at_us;
    enum owner_letter_kind kind;
    struct str address, language; /* language: the account's, else its domain's; STR_NULL: neither has one */
    struct str name, protocol, ip;
    bool is_last;
};
/* The oldest letters that are still to be made, at most `most`; those of deleted accounts wait, they may come back. */
enum result owner_letter_list(struct db *db, int most, struct arena *a, struct owner_letter_due **ret_v, size_t *ret_n)
    SUSPENDS NODISCARD;
/* Puts the letter into the queue and notes that, in one transaction.  RES_CONFLICT: somebody else did it. */
enum result owner_letter_send(struct db *db, int64_t id, const struct queue_new *letter) SUSPENDS NODISCARD;
/* Removes what nobody counts any more, and what was not made in a week. */
enum result owner_letter_sweep(struct db *db) SUSPENDS NODISCARD;
