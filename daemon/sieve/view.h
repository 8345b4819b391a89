/* sieve/view.h - the message as tests see it: fields, decoded once each, MIME parts, body texts.  Internal to sieve/.
 */
#pragma once
#include "mail/address.h"
#include "mail/header.h"
#include "mail/message.h"

struct sieve_field {
    struct str name, value, raw; /* as in mail/header.h */
    struct str text;             /* unfolded, decoded, trimmed; STR_NULL: not made yet */
    struct mail_address *addresses;
    size_t naddresses;
    bool parsed; /* addresses are there */
};

struct sieve_fields {
    struct sieve_field *list;
    size_t n;
    struct str rest; /* what follows the fields that were read, the empty line included */
};

/* Bytes of the message that `replace` or `enclose` gave another content. */
struct sieve_edit {
    size_t from, to;
    struct str bytes;
    bool enclosed; /* it holds the whole message */
    struct sieve_edit *next;
};

/* What was read of a part. */
struct sieve_part {
    const struct mail_part *part;
    struct sieve_fields fields;
    bool have_fields;
    struct str text; /* decoded; STR_NULL: not yet */
    struct sieve_part *next;
};

struct sieve_loop { /* a foreverypart that is running */
    const struct mail_part *part;
    struct str name;
    struct sieve_loop *parent;
};

#define SIEVE_PART_BUCKETS 64

struct sieve_view {
    struct arena *arena;
    struct str message;
    size_t body_at;
    size_t text_left; /* bytes that may still be decoded */
    struct mail_part *root;
    struct sieve_fields original;                 /* the header as it came */
    struct sieve_part *parts[SIEVE_PART_BUCKETS]; /* those that were looked at, by where they begin */
    struct sieve_loop *loop;
    struct str *texts; /* of body :text */
    size_t ntexts;
    bool have_texts;
};

void view_init(struct sieve_view *v, struct arena *a, struct str message, size_t text_bytes);
/* The fields of the header that begins at the start of s. */
struct sieve_fields view_read_fields(struct sieve_view *v, struct str s);
/* The same of a part. */
struct sieve_fields *view_part_fields(struct sieve_view *v, const struct mail_part *part);
/* The tree, made when it is first asked for. */
const struct mail_part *view_root(struct sieve_view *v);
/* The body of a part without transfer encoding and, if it is text, in UTF-8; as far as the limit on text goes. */
struct str view_part_text(struct sieve_view *v, const struct mail_part *part);
/* body :text (RFC 5173, 5.3): all text parts, HTML without its tags, one by one. */
const struct str *view_texts(struct sieve_view *v, size_t *ret_n);
struct str view_field_text(struct sieve_view *v, struct sieve_field *f);
void view_field_addresses(struct sieve_view *v, struct sieve_field *f);
