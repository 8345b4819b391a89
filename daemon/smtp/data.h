/* smtp/data.h - the bytes behind DATA: only CR LF ends a line, only CR LF . CR LF ends the data (RFC 5321, 4.1.1.4).
 *
 * A bare CR or LF is data and is remembered: the message is refused after its real end, so that nobody can hide a
 * second message in one (SMTP smuggling). */
#pragma once
#include "base/str.h"

struct smtp_data {
    enum { DATA_LINE_START, DATA_IN_LINE, DATA_CR, DATA_DOT, DATA_DOT_CR, DATA_END } state; /* zero: the beginning */
    bool bare; /* a CR without LF or an LF without CR was seen */
    bool eight_bit;
};

/* Takes bytes up to the end of the data; what the message gets (dots unstuffed) goes to out in a few pieces.  Returns
 * how many bytes were taken: all of them unless state is then DATA_END. */
typedef void smtp_data_out(void *arg, struct str piece);
size_t smtp_data_feed(struct smtp_data *d, struct str bytes, smtp_data_out *out, void *arg);

/* Looks at bytes of BDAT in the same way; they have neither dots nor an end of their own (RFC 3030, 2).  `last`: no
 * more come, so a CR at their end is bare. */
void smtp_data_scan(struct smtp_data *d, struct str bytes, bool last);
