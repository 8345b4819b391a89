/* smtp/incoming.h - a message on its way in, by DATA or BDAT: gathered in a spool behind our trace fields, then judged,
 * delivered and answered. */
#pragma once
#include "io/spool.h"
#include "smtp/data.h"
#include "smtp/session.h"

#define INCOMING_BLOCK_MS (3 * 60 * 1000) /* RFC 5321, 4.5.3.2.5: between two pieces of the data */
#define INCOMING_END_MS (60 * 60 * 1000)  /* all of the data: a slow client ends here */

struct incoming {
    struct spool spool;    /* its error sticks: the rest is read and dropped */
    struct smtp_data data;
    size_t return_path_len, head_len; /* of our fields at the spool's start */
    int64_t id;
    int64_t until; /* when all of it has to be there */
};

/* Takes an id and writes Return-Path and Received.  RES_TEMPFAIL: no id; nothing is to be released. */
enum result incoming_begin(struct incoming *in, struct cmd *c) SUSPENDS NODISCARD;
/* NULL is fine. */
void incoming_release(struct incoming *in);

/* All of the data is there: judges it, delivers it, and gives the answer to its end (smtp_reply_end). */
enum next incoming_finish(struct incoming *in, struct cmd *c) SUSPENDS;

/* The client was lost or too slow in its data; what is to be done then. */
enum next incoming_lost(struct smtp_session *s, enum result r);
