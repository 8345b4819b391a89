/* route/forward.h - a Unix user's .forward file: where his mail goes instead.
 *
 * Pure.  Entries are separated by commas and line ends; "#" at the start of an entry begins a comment up to the line's
 * end; "..." keeps commas, in it a backslash keeps the next character. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

#define FORWARD_MAX_BYTES ((size_t)64 * 1024)
#define FORWARD_MAX_ENTRIES 50

enum forward_kind {
    FORWARD_ADDRESS, /* text: an address, maybe without domain */
    FORWARD_SELF,    /* "\user": the user's own mailbox */
    FORWARD_PIPE,    /* text: a command line, without "|" */
    FORWARD_FILE,    /* text: an absolute path; with "/" at its end a Maildir */
};
struct forward_entry {
    enum forward_kind kind;
    struct str text;
};

/* `user`: whose file it is; his name alone is FORWARD_SELF, too.  Each entry once.  RES_INVALID: an entry is none of
 * these (":include:..."), or there are too many; *ret_line (from 1) says where. */
enum result forward_parse(struct str text, struct str user, struct arena *a, struct forward_entry **ret_v,
                          size_t *ret_n, unsigned *ret_line) NODISCARD;
