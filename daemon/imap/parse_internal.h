/* imap/parse_internal.h - the cursor that all of the grammar moves, and its small productions.
 *
 * A production returns false when it does not match; the first one that says why in `error` wins.  Productions that
 * begin with parse_ consume what they match and may leave the cursor anywhere when they fail. */
#pragma once
#include "imap/parse.h"

struct cursor {
    const char *p, *end;
    struct arena *a;
    const char *error;
    const char *body; /* where the message literal of APPEND is announced; NULL: nowhere */
    unsigned depth;
    size_t keys, costly;
};

/* Remembers the first mistake; always false, and inline so that the compiler knows it. */
static inline bool parse_fail(struct cursor *c, const char *why)
{
    if (c->error == NULL)
        c->error = why;
    return false;
}

bool parse_char(struct cursor *c, char want);
bool parse_sp(struct cursor *c);
bool parse_end(struct cursor *c);
bool peek_char(const struct cursor *c, char want);
/* Takes `word` when it stands here, in any case, and no atom character follows. */
bool take_word(struct cursor *c, const char *word);

bool parse_atom(struct cursor *c, struct str *ret);
bool parse_string(struct cursor *c, struct str *ret);  /* quoted or literal; no NUL */
bool parse_astring(struct cursor *c, struct str *ret);
bool parse_nstring(struct cursor *c, struct str *ret); /* NIL: STR_NULL */
bool parse_nstring8(struct cursor *c, struct str *ret); /* nstring or literal8 (RFC 3516): any byte */
bool parse_mailbox(struct cursor *c, struct str *ret); /* UTF-8 */
bool parse_list_pattern(struct cursor *c, struct str *ret);
bool parse_number(struct cursor *c, uint64_t max, uint64_t *ret);
bool parse_set(struct cursor *c, struct imap_set *ret);
bool parse_flag(struct cursor *c, struct imap_flags *flags);
bool parse_flag_list(struct cursor *c, struct imap_flags *ret); /* with parentheses */
bool parse_date(struct cursor *c, int64_t *ret_day);
bool parse_date_time(struct cursor *c, int64_t *ret_us);

/* The larger families. */
bool parse_fetch_items(struct cursor *c, struct imap_fetch *ret);
bool parse_search(struct cursor *c, struct imap_command *cmd);
bool parse_getmetadata(struct cursor *c, struct imap_command *cmd);
bool parse_setmetadata(struct cursor *c, struct imap_command *cmd);
