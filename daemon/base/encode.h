/* base/encode.h - base64, hex, random ids, the clock. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

/* Base64 (RFC 4648, 4), without line breaks. */
struct str base64_encode(struct arena *a, struct str s);
/* Strict: padding required, nothing but the alphabet.  RES_INVALID otherwise. */
enum result base64_decode(struct arena *a, struct str s, struct str *ret_bytes) NODISCARD;

/* Base32 (RFC 4648, 6) without padding. */
struct str base32_encode(struct arena *a, struct str s);

struct str hex_encode(struct arena *a, struct str s);
enum result hex_decode(struct arena *a, struct str s, struct str *ret_bytes) NODISCARD;

struct strbuf;
/* Adds s as a JSON string (RFC 8259, 7).  Bytes that are not UTF-8 become \u00XX. */
void json_add_string(struct strbuf *b, struct str s);

/* URL-safe base64 without padding (RFC 4648, 5). */
struct str base64url_encode(struct arena *a, struct str s);

/* Ids that people see: a letter for the kind and the number in base 32 (digits and lower-case letters without
 * i, l, o, u), e.g. queue id 1234 is "q16j".  Decoding accepts exactly what encoding gives; ids are > 0. */
struct str id_encode(struct arena *a, char kind, int64_t id);
#define ID_TEXT_MAX 16
/* The same inside `out`. */
struct str id_text(char out[ID_TEXT_MAX], char kind, int64_t id);
bool id_decode(char kind, struct str text, int64_t *ret_id);

/* n bytes from the kernel's generator; aborts when there are none. */
void random_bytes(void *p, size_t n);
/* 10 random characters of the id alphabet (50 bits): sessions, boundaries, Message-IDs. */
struct str random_id(struct arena *a);

/* Milliseconds of the monotonic clock; microseconds since 1970 of the wall clock. */
int64_t mono_ms(void);
int64_t wall_us(void);

/* Compares without telling by its time where the two differ. */
bool bytes_equal_secret(struct str a, struct str b);
