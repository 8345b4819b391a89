/* mail/owner_letter.h - the server's word to the owner of an account about its sign-in, as a complete message.
 *
 * Nothing secret is in it, and no link: who expects none is not led elsewhere by an imitation.  Pure: time and id are given. */
#pragma once
#include "base/str.h"
#include "base/strbuf.h"

enum owner_letter_kind { OWNER_PASSWORD, OWNER_TOTP_OFF, OWNER_APP_PASSWORD, OWNER_NETWORK };
#define OWNER_LETTER_KINDS 4

struct owner_letter {
    enum owner_letter_kind kind;
    bool pt_br;                /* in Brazilian Portuguese, else in English */
    struct str hostname, to;   /* our host name; the account's address */
    struct str message_id;     /* without angle brackets */
    int64_t now_us, at_us;     /* now; when it happened: microseconds since 1970 UTC */
    struct str name;           /* OWNER_APP_PASSWORD */
    struct str protocol, ip;   /* OWNER_NETWORK: as auth/client.h has it; an address */
    bool is_last;              /* no further one of its kind is written today: it says so */
};

/* Appends the message to `out`, CR LF lines, Return-Path first: *ret_return_path_len bytes. */
void owner_letter_build(const struct owner_letter *l, struct strbuf *out, size_t *ret_return_path_len);
