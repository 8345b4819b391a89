/* base/result.h - what a call says of its outcome: what the caller can do about it.
 *
 * Each protocol maps these to its own answers in one place.  Outputs of a function (ret_...) are written only
 * with RES_OK. */
#pragma once

enum result {
    RES_OK = 0,
    RES_NOTFOUND,  /* no such thing, or not visible to the caller */
    RES_EXISTS,    /* it is there already */
    RES_INVALID,   /* what was given is malformed */
    RES_LIMIT,     /* a limit would be passed: size, count, quota */
    RES_DENIED,    /* not allowed */
    RES_CONFLICT,  /* it changed meanwhile: the precondition no longer holds */
    RES_TEMPFAIL,  /* trouble of ours (database, memory, DNS): try again later; already logged */
    RES_CLOSED,    /* the peer closed the connection */
    RES_TIMEOUT,   /* the deadline passed */
    RES_CANCELLED, /* the coroutine was told to end (shutdown) */
};

/* The name of r without the prefix, in lower case, for log lines: "ok", "notfound", ... */
const char *result_name(enum result r);
