/* sieve/lexer.h - tokens of a script (RFC 5228, 8.1).  Internal to sieve/. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

enum sieve_token {
    TOKEN_END,
    TOKEN_IDENTIFIER,
    TOKEN_TAG,    /* text: without the colon */
    TOKEN_NUMBER, /* number: with its K, M or G */
    TOKEN_STRING, /* text: without quotes and escapes */
    TOKEN_PUNCTUATION,
    TOKEN_BAD /* text: what is wrong */
};

struct sieve_lexer {
    struct arena *arena;
    struct str s;
    size_t at, line_at; /* line_at: where the line begins */
    unsigned line;

    enum sieve_token token; /* the current token */
    struct str text;
    uint64_t number;
    char punctuation; /* one of ( ) [ ] { } , ; */
    unsigned token_line, token_column;
};

/* Reads the first token.  s must outlive what is made of the tokens. */
void lexer_init(struct sieve_lexer *l, struct arena *a, struct str s);
/* Moves to the next token; stays at TOKEN_END and TOKEN_BAD. */
void lexer_next(struct sieve_lexer *l);
