/* sieve/regex_internal.h - the program that regex.c writes and regex_run.c runs. */
#pragma once
#include "sieve/regex.h"

#define REGEX_MAX_PROGRAM 2000 /* instructions */
#define REGEX_MAX_PATTERN 1000 /* bytes */

enum regex_op {
    REGEX_CHAR, /* x: the character, folded */
    REGEX_ANY,
    REGEX_CLASS,
    REGEX_BEGIN,
    REGEX_END,
    REGEX_SPLIT, /* goes on at x, and with less weight at y */
    REGEX_JUMP,
    REGEX_SAVE, /* x: 2 * group, + 1 at its end */
    REGEX_MATCH,
};

struct regex_range {
    uint32_t from, to;
    struct regex_range *next;
};

struct regex_class {
    struct regex_range *ranges;
    bool negated;
};

struct regex_inst {
    enum regex_op op;
    uint32_t x, y;
    const struct regex_class *class;
};

struct sieve_regex {
    struct regex_inst *program;
    uint32_t n;
    enum sieve_comparator comparator;
};

/* The character at s.p[*at], moving over it; a byte that is not UTF-8 is a character of its own beyond Unicode. */
uint32_t regex_take_char(struct str s, size_t *at, bool octets);
/* A character as the comparator compares it. */
uint32_t regex_fold(uint32_t c, enum sieve_comparator comparator);
