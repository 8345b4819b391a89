/* route/delivery.h - where a mailbox lives: delivery targets, the command lines in them, and the lists of Unix users
 * and of programs that an administrator allows.
 *
 * Pure.  Texts are views into what was parsed, or live in the arena; errors are one English sentence. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

enum delivery_kind { DELIVERY_STORE, DELIVERY_MAILDIR, DELIVERY_MBOX, DELIVERY_PIPE, DELIVERY_LMTP };

struct delivery_target {
    enum delivery_kind kind;
    struct str path;    /* maildir, mbox: of it; lmtp: of the socket, STR_NULL: host and port; all absolute */
    struct str command; /* pipe */
    struct str host;    /* lmtp: a name, an address; IPv6 without brackets */
    unsigned port;
};

#define DELIVERY_MAX_TEXT 1000

/* "store", "maildir:/path", "mbox:/path", "pipe:/program arguments", "lmtp:host:port", "lmtp:/socket".
 * RES_INVALID: *ret_error tells. */
enum result delivery_parse(struct str text, struct delivery_target *ret, struct str *ret_error) NODISCARD;

/* "%u" becomes local, "%d" domain, "%%" a percent sign.  RES_INVALID: another "%", or a value that must not stand in a
 * path: it holds "/", "..", NUL or a control character, begins with "." or is empty. */
enum result delivery_expand(struct str text, struct str local, struct str domain, struct arena *a,
                            struct str *ret) NODISCARD;

#define COMMAND_MAX_WORDS 64

/* The words of a command line, without a shell: blanks separate, '...' and "..." keep them, a backslash keeps the next
 * character.  RES_INVALID: an open quote, too many words, none, or a program without absolute path. */
enum result command_words(struct str text, struct arena *a, struct str **ret_words, size_t *ret_n) NODISCARD;

/* A name that a Unix user may have: letters, digits, "_", "-" and ".", no digit, "-" or "." first, at most 32. */
bool unix_name_ok(struct str name);

struct name_list {
    struct str *v;
    size_t n;
};
bool name_list_contains(const struct name_list *list, struct str name);
/* Unix users, separated by blanks; never root. */
enum result unix_users_parse(struct str text, struct arena *a, struct name_list *ret, struct str *ret_error) NODISCARD;

struct program {
    struct str name, user, command;
};
struct program_list {
    struct program *v;
    size_t n;
};
const struct program *program_find(const struct program_list *list, struct str name);
/* "name=user:/absolute/path arguments; name2=..." */
enum result programs_parse(struct str text, struct arena *a, struct program_list *ret, struct str *ret_error) NODISCARD;
