/* api/accounts.h - an account as an answer; shared by /accounts and /me. */
#pragma once
#include "api/request.h"

struct json_object *account_json(const struct account *a);
/* Answers with the account as it is now. */
void account_answer(struct request *r, struct str address, int status) SUSPENDS;
/* The account of the path, which the caller may change.  False: answered. */
bool account_take(struct request *r, struct account *ret) SUSPENDS;
/* The same of a deleted one. */
bool account_take_deleted(struct request *r, struct account *ret) SUSPENDS;
/* stale, last-admin and so on. */
void account_refuse(struct request *r, enum result result, struct str address) SUSPENDS;

/* Checks a new password that stands at `pointer`; errors are noted. */
void account_check_password(struct request *r, struct str pointer, struct str password);
/* Sets it through auth.  RES_LIMIT: busy. */
enum result account_set_password(struct request *r, int64_t account_id, struct str password, struct str keep_session) SUSPENDS;
