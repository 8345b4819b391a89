/* store/hold_rule.h - rules that hold new mail: looked at by the statement that puts mail into the queue (queue_insert.c).
 *
 * What a rule has held stays held when the rule ends: an administrator releases it.  Times are microseconds since 1970,
 * DB_NO_TIME where there is none.  Everything returned lives in the arena given.  All functions suspend.  RES_TEMPFAIL:
 * database trouble, already logged. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/audit.h"
#include "store/queue_admin.h"

#define HOLD_RULES_MAX 1000 /* each costs a little with every message */

struct hold_rule {
    int64_t id;
    struct str sender, sender_domain, destination; /* one of them, in lower case; the others STR_NULL */
    int64_t until;                                 /* DB_NO_TIME: until it is removed */
    struct str reason, created_by;
    int64_t created_at;
};
/* Those in force, by id, behind `after`.  domains: only rules for senders of these (n 0: all). */
enum result hold_rule_list(struct db *db, int64_t after, struct str_list domains, size_t limit, struct arena *a,
                           struct hold_rule **ret_v, size_t *ret_n, bool *ret_more) SUSPENDS NODISCARD;
/* RES_NOTFOUND: none, over, or not to be seen. */
enum result hold_rule_get(struct db *db, int64_t id, struct str_list domains, struct arena *a, struct hold_rule *ret)
    SUSPENDS NODISCARD;
/* Adds v (without id and created_at).  RES_LIMIT: there are HOLD_RULES_MAX. */
enum result hold_rule_add(struct db *db, const struct hold_rule *v, const struct audit *audit, int64_t *ret_id) SUSPENDS NODISCARD;
enum result hold_rule_remove(struct db *db, int64_t id, struct str_list domains, const struct audit *audit) SUSPENDS NODISCARD;
/* Forgets rules that are over; now and then. */
enum result hold_rule_sweep(struct db *db) SUSPENDS NODISCARD;
