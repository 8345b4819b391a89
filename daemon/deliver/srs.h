/* deliver/srs.h - reverse-paths of forwarded mail, rewritten so that SPF passes at the next hop and bounces find back.
 *
 * The Sender Rewriting Scheme (SRS0 and SRS1, Meng Weng Wong 2003): SRS0=hash=day=domain=local@ours, and over a second
 * forwarder SRS1=hash=first-forwarder==rest@ours.  The hash is an HMAC under a key of the whole installation, so nobody
 * can make us an open relay; the day lets it end after three weeks. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

/* The key, for the whole process: secret_get(db, STR("srs")).  Until then nothing is rewritten, and nothing found. */
void srs_set_key(struct str key);

/* The reverse-path for mail that `ours` (one of our domains) sends on.  Null reverse-paths and those at `ours` stay as
 * they are, as does one that would become too long. */
struct str srs_forward(struct arena *a, struct str reverse_path, struct str ours);

/* The address that a rewritten one stands for.  local: unquoted.  RES_NOTFOUND: it is none of ours.  RES_INVALID: it is
 * forged or too old. */
enum result srs_reverse(struct arena *a, struct str local, struct str *ret_address) NODISCARD;
