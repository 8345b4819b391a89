/* auth/ops.h - the requests of auth/protocol.h that stand apart from signing in: each reads its payload, does it, and
 * writes the reply.  RES_INVALID: malformed; else as the function of auth/client.h says. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"

struct strbuf;

/* What both this process and its client's side write. */
struct str op_sha256(struct arena *a, struct str s);
/* The bytes of b in the arena; releases b. */
struct str op_reply(struct arena *a, struct strbuf *b);

/* A random cookie or key of the page. */
struct str op_random(struct arena *a);

/* ---- op_totp.c: two-step sign-in ---- */
/* Checks a code of the account and uses it up.  RES_DENIED: wrong, or used; RES_LIMIT: too many wrong ones, try later. */
enum result op_totp_check(struct db *db, int64_t account_id, struct str code, struct arena *a) SUSPENDS NODISCARD;
enum result op_code_sign_in(struct db *db, struct str in, struct arena *a, struct str *ret) SUSPENDS NODISCARD;
enum result op_totp_state(struct db *db, struct str in, struct arena *a, struct str *ret) SUSPENDS NODISCARD;
enum result op_totp_begin(struct db *db, struct str in, struct arena *a, struct str *ret) SUSPENDS NODISCARD;
enum result op_totp_confirm(struct db *db, struct str in, struct arena *a, struct str *ret) SUSPENDS NODISCARD;
enum result op_totp_remove(struct db *db, struct str in) SUSPENDS NODISCARD;

/* ---- op_app.c: app passwords ---- */
enum result op_app_add(struct db *db, struct str in, struct arena *a, struct str *ret) SUSPENDS NODISCARD;
enum result op_app_list(struct db *db, struct str in, struct arena *a, struct str *ret) SUSPENDS NODISCARD;
enum result op_app_remove(struct db *db, struct str in) SUSPENDS NODISCARD;
/* The hash of a password that has the form of an app password, as it is stored; STR_NULL: it has another form. */
struct str op_app_hash(struct arena *a, struct str password);
