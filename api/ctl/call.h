/* api/ctl/call.h - one run of correioctl: what was asked, and how answers are given.
 *
 * Data goes to standard output, words to standard error.  A verb returns one of enum outcome, the exit status. */
#pragma once
#include "api/json.h"
#include "base/arena.h"
#include "base/str.h"

enum outcome {
    DONE = 0, FAILED = 1, USAGE = 2, NOT_FOUND = 3, CONFLICT = 4, DENIED = 5, INVALID = 6, UNREACHABLE = 7, IN_PART = 8,
    PROBLEMS_FOUND = 9,
};

#define MAX_ARGS 1000
#define MAX_OPTIONS 60

struct option_given {
    const char *name; /* without "--" */
    const char *value; /* NULL: a switch */
};

struct call {
    struct arena arena;
    const struct verb *verb;
    const char *args[MAX_ARGS]; /* what stands behind the verb */
    size_t n_args;
    struct option_given options[MAX_OPTIONS];
    size_t n_options;
    bool json, quiet, yes;
    struct client *client;
};

struct verb {
    const char *noun, *name; /* name NULL: the noun is the whole verb; it may be two words: "filter get" */
    const char *args;        /* "ADDRESS", for the help */
    size_t min_args, max_args;
    const char *options;     /* "relay to=HOST:PORT": switches, and those that take a value */
    const char *help;        /* one English sentence */
    enum outcome (*run)(struct call *c);
};
extern const struct verb verbs[];
extern const size_t verbs_count;
/* Options that every verb takes, written as those of a verb. */
extern const char global_options[];

/* The value of an option; NULL when it was not given.  A switch gives "". */
const char *option(const struct call *c, const char *name);
/* Whether a list such as verb.options has an option of this name; *ret_value: it takes a value. */
bool option_known(const char *list, struct str name, bool *ret_value);
/* Takes the option at argv[*i], of the list or of global_options, and moves *i over its value.  False: said. */
bool option_take(struct call *c, const char *list, int argc, char **argv, int *i);

/* ---- words ---- */
/* The text in the user's language (LANG): English or Portuguese. */
const char *t(const char *english) __attribute__((format_arg(1)));
void say(const char *format, ...) PRINTF_LIKE(1, 2); /* a line on standard error */
/* Asks on the terminal; true: go on.  Without a terminal only --yes says so. */
bool confirm(struct call *c, const char *format, ...) PRINTF_LIKE(2, 3);

/* ---- files ---- */
/* All of a file, or of standard input ("-" or NULL), at most max bytes.  False: it cannot be had; said. */
bool take_file(struct call *c, const char *file, size_t max, struct str *ret);

/* ---- secrets ---- */
/* From --password-file (a file, or - for standard input), else asked for twice on the terminal.  False: none; said. */
bool take_password(struct call *c, struct str *ret);

/* ---- printing ---- */
struct column {
    const char *title, *path; /* "quota.used" */
    enum { COLUMN_TEXT, COLUMN_TIME, COLUMN_SIZE, COLUMN_NUMBER, COLUMN_REASON } kind; /* REASON: an explanation, or its id */
};
/* A row of objects as a table (people), JSON Lines (--json) or one id a line (--quiet). */
void print_rows(struct call *c, struct json_object *rows, const struct column *columns, size_t n, const char *id, bool first);
/* What people read of one value. */
struct str cell_text(struct call *c, struct json_object *row, const struct column *column);
/* A row of what goes on without an end: its cells alone, two blanks between them; as print_rows with --json and --quiet. */
void print_row(struct call *c, struct json_object *row, const struct column *columns, size_t n, const char *id);
/* One object: "name: value" lines, unchanged JSON, or its id. */
void print_object(struct call *c, struct json_object *object, const struct column *columns, size_t n, const char *id);
/* What became of the verb's first argument ("added"), in words; for --json the object, for --quiet its id (NULL: there
 * is none any more). */
void print_done(struct call *c, struct json_object *object, const char *id, const char *what);
/* No value of the server's may move the cursor. */
struct str harmless(struct arena *a, struct str s);
struct json_object *at_path(struct json_object *object, const char *path);
