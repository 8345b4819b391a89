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

/* ---- op_app.c: app passwords ---- */
enum result op_app_add(struct db *db, struct str in, struct arena *a, struct str *ret) SUSPENDS NODISCARD;
enum result op_app_list(struct db *db, struct str in, struct arena *a, struct str *ret) SUSPENDS NODISCARD;
enum result op_app_remove(struct db *db, struct str in) SUSPENDS NODISCARD;
/* The hash of a password that has the form of an app password, as it is stored; STR_NULL: it has another form. */
struct str op_app_hash(struct arena *a, struct str password);
