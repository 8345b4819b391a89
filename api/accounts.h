/* api/accounts.h - an account as an answer; shared by /accounts and /me. */
#pragma once
#include "api/request.h"

#define ACCOUNT_ROLES 3
#define ACCOUNT_STATES 5
extern const char *const account_role_names[ACCOUNT_ROLES], *const account_state_names[ACCOUNT_STATES]; /* as the enums */

struct json_object *account_json(const struct account *a);
/* Answers with the account as it is now. */
void account_answer(struct request *r, struct str address, int status) SUSPENDS;
/* The account of the path, which the caller may change.  False: answered. */
bool account_take(struct request *r, struct account *ret) SUSPENDS;
/* The account of a path below /accounts/{address} or /me, which the caller may change; *ret_rest (may be NULL) is the
 * placeholder behind it, STR_NULL when there is none.  False: answered. */
bool account_of_path(struct request *r, struct account *ret, struct str *ret_rest) SUSPENDS;
/* The same of a deleted one. */
bool account_take_deleted(struct request *r, struct account *ret) SUSPENDS;
/* A further address as somebody wrote it, in the stored form; and whether the caller may give it.  False: noted at `place`. */
bool account_address_check(struct request *r, struct str place, struct str text, struct str *ret_further);
bool account_address_allowed(struct request *r, struct str place, struct str further);
/* Gives and takes a further address, and records it.  Results as in store/account_address.h. */
enum result account_address_give(struct request *r, const struct account *account, struct str further, bool *ret_made) SUSPENDS NODISCARD;
enum result account_address_withdraw(struct request *r, const struct account *account, struct str further) SUSPENDS NODISCARD;
/* A one-time link for the account, recorded; *ret_expires in microseconds. */
enum result account_make_link(struct request *r, const struct account *account, struct str *ret_url, int64_t *ret_expires) SUSPENDS NODISCARD;
/* stale, last-admin and so on. */
void account_refuse(struct request *r, enum result result, struct str address) SUSPENDS;

/* Rights of the account (0: of any) have changed: event streams and the sessions of mail programs look whether they still
 * hold.  Behind the commit; what gets lost they find out within a minute. */
void account_changed(struct request *r, int64_t account_id) SUSPENDS;

/* Checks a new password that stands at `pointer`; errors are noted. */
void account_check_password(struct request *r, struct str pointer, struct str password);
/* Sets it through auth.  RES_LIMIT: busy. */
enum result account_set_password(struct request *r, int64_t account_id, struct str password, struct str keep_session) SUSPENDS;
