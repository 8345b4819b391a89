/* mail/data.h - a message's bytes as the lines of DATA (RFC 5321, 4.5.2): dots doubled, the end marked.
 *
 * Pure.  Every line ends in CR LF: a bare CR or LF, which no message that was accepted holds, goes out as CR LF, so that
 * nothing in a body can look like its end to a careless server. */
#pragma once
#include "base/str.h"

typedef void data_out(void *arg, struct str bytes);

struct data_writer {
    data_out *out;
    void *arg;
    bool in_line, cr; /* cr: the last byte was a CR, not yet given to out */
};

/* A piece of the message; a piece may end anywhere. */
void data_write(struct data_writer *w, struct str piece);
/* The end: a missing last line end, and the line with the dot. */
void data_end(struct data_writer *w);
