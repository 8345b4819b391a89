/* mail/server_letter.h - a plain text of the server to one of its people, as a complete message.
 *
 * Pure: time and id are given. */
#pragma once
#include "base/str.h"
#include "base/strbuf.h"

struct server_letter {
    bool pt_br;              /* in Brazilian Portuguese, else in English */
    struct str hostname, to; /* our host name; the account's address */
    struct str message_id;   /* without angle brackets */
    int64_t now_us;          /* microseconds since 1970 UTC */
    struct str subject, text; /* UTF-8; lines of the text end in LF */
};

/* Appends the message to `out`, CR LF lines, Return-Path first: *ret_return_path_len bytes. */
void server_letter_build(const struct server_letter *l, struct strbuf *out, size_t *ret_return_path_len);
