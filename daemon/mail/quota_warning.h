/* mail/quota_warning.h - the server's word to somebody whose mailbox is nearly full, as a complete message.
 *
 * Pure: time and id are given. */
#pragma once
#include "base/str.h"
#include "base/strbuf.h"

struct quota_warning {
    bool pt_br;                                        /* in Brazilian Portuguese, else in English */
    struct str hostname, to;                           /* our host name; the account's address */
    struct str message_id;                             /* without angle brackets */
    int64_t now_us;                                    /* microseconds since 1970 UTC */
    bool messages;                                     /* `used` and `limit` are messages, not bytes */
    int64_t used, limit;
};

/* Appends the message to `out`, CR LF lines, Return-Path first: *ret_return_path_len bytes. */
void quota_warning_build(const struct quota_warning *w, struct strbuf *out, size_t *ret_return_path_len);
