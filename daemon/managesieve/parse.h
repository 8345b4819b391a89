/* managesieve/parse.h - the grammar of ManageSieve (RFC 5804, 4): bytes in, words out.
 *
 * Pure.  A command's text is its lines with the literals in place: `PUTSCRIPT "a" {3+}` CR LF `abc`. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "base/strbuf.h"

#define MANAGESIEVE_MAX_ARGS 2

struct managesieve_arg {
    bool is_number;
    struct str string; /* points into the text, or into the arena when it was written with backslashes */
    uint64_t number;
};
struct managesieve_command {
    struct str verb; /* upper case */
    struct managesieve_arg args[MANAGESIEVE_MAX_ARGS];
    size_t n;
};

/* Does the line end by announcing a literal, "{n+}" (or "{n}", as clients of before the RFC wrote it)? */
bool managesieve_literal(struct str line, uint64_t *ret_size);
/* The whole command.  RES_INVALID: *ret_error says what is wrong. */
enum result managesieve_parse(struct str text, struct arena *a, struct managesieve_command *ret, const char **ret_error)
    NODISCARD;
/* One string alone: what a client answers to a SASL challenge.  RES_INVALID. */
enum result managesieve_parse_string(struct str text, struct arena *a, struct str *ret) NODISCARD;

/* Writes a string: quoted where the grammar allows it, else a literal. */
void managesieve_add_string(struct strbuf *b, struct str s);
