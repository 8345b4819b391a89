/* mail/deliver_by.h - until when a message is to be delivered, and what is to happen then (RFC 2852): the BY parameter of
 * MAIL. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

#include <stdint.h>

struct deliver_by {
    int64_t at_us;  /* microseconds since 1970; 0: the sender set no time */
    bool give_back; /* by-mode R: after it the message is returned, not delivered; else N: its sender is told of the delay */
    bool trace;     /* by-trace: its sender is told of each server that it passes */
};

#define DELIVER_BY_MAX INT64_C(999999999) /* seconds, either way (RFC 2852, 4) */

/* A by-value, "600;R" or "-120;NT", from now on.  RES_INVALID: it is none, or is to be returned at once. */
enum result deliver_by_parse(struct str value, int64_t now_us, struct deliver_by *ret) NODISCARD;
/* Seconds that are left: negative when it is late. */
int64_t deliver_by_left(const struct deliver_by *by, int64_t now_us);
/* by-mode and by-trace: "N", "R", "NT", "RT"; STR_NULL: no time is set. */
struct str deliver_by_mode(const struct deliver_by *by);
/* The other way; a mode that is none of these: N without a trace. */
struct deliver_by deliver_by_of(int64_t at_us, struct str mode);
