/* mail/header.h - header fields: iterating, subsets, decoded text, parameters, encoding (RFC 5322, RFC 2047, RFC 2231).
 *
 * A header block is the bytes of a message up to and including the empty line, or any prefix of a message: nothing
 * behind the empty line is looked at.  Lines end in LF, with or without CR.  Nothing here fails on bad input. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "base/strbuf.h"

#define HEADER_MAX_SCAN   ((size_t)256 * 1024) /* bytes of a header that digest, tree and checks look at */
#define HEADER_MAX_FIELDS 1000                 /* and fields */
#define HEADER_MAX_PARAMS 100                  /* parameters of one field */

struct header_field {
    struct str name;  /* without the colon; empty: this line is no header field */
    struct str value; /* behind the colon, folded as it stands, without the last line end */
    struct str raw;   /* the whole field, its last line end included */
};

/* Takes the next field from *rest; false at the empty line (then *rest begins with it) and at the end. */
bool header_next(struct str *rest, struct header_field *ret_field);

/* Bytes of the header at the start of `message`, the empty line included; message.len when there is none. */
size_t header_size(struct str message);

/* The header of a message, at most HEADER_MAX_SCAN bytes of it: what everything but FETCH works on. */
struct str header_block(struct str message);

/* The first field of that name, case ignored; false: none. */
bool header_find(struct str header, struct str name, struct header_field *ret_field);
/* The next field of that name, from *rest; for all of them, call it until false. */
bool header_find_next(struct str *rest, struct str name, struct header_field *ret_field);

/* BODY[HEADER.FIELDS (names)], with `except` BODY[HEADER.FIELDS.NOT (names)]: the fields byte for byte in their
 * order, then the empty line as it stands in `header`, if there is one (RFC 3501, 6.4.5).  RES_LIMIT: out's maximum. */
enum result header_subset(struct str header, const struct str *names, size_t n, bool except,
                          struct strbuf *out) NODISCARD;

/* A value on one line: line ends are removed, blanks at both ends too; bytes are otherwise as they are. */
struct str header_unfold(struct arena *a, struct str value);

/* An unstructured value for people: unfolded, encoded words decoded (RFC 2047), valid UTF-8 without NUL,
 * controls turned to blanks.  Also right for a phrase and, as many programs send it, for an encoded word inside a
 * quoted string. */
struct str header_decode(struct arena *a, struct str value);

/* UTF-8 text as the value of an unstructured field called `name`: encoded words where the text is not printable
 * ASCII, folded so that no line passes 76 columns where the text has blanks to fold at.  No line end at the end. */
struct str header_encode(struct arena *a, struct str name, struct str text);
/* The same for a display name: a plain phrase, a quoted string, or encoded words (RFC 2047, 5 (3)). */
struct str header_encode_phrase(struct arena *a, struct str text);

struct header_param {
    struct str name;  /* lower case, as written: "filename*0*" too */
    struct str value; /* quotes and backslashes removed, otherwise raw */
};

/* Splits "token; a=b; c="d"" (Content-Type, Content-Disposition) into its first word ("text/plain", "attachment", lower
 * case, empty if there is none) and at most HEADER_MAX_PARAMS parameters.  Comments are skipped. */
void header_params(struct arena *a, struct str value, struct str *ret_word, struct header_param **ret_params,
                   size_t *ret_n);

/* The parameter's value as UTF-8: plain, continued and charset-marked (RFC 2231, 3, 4), or with encoded words in it.
 * STR_NULL: not there. */
struct str header_param(struct arena *a, const struct header_param *params, size_t n, struct str name);
