/* sieve/runtime.h - a run's state and what commands and tests do with it.  Internal to sieve/. */
#pragma once
#include "base/strbuf.h"
#include "sieve/regex.h"
#include "sieve/run.h"
#include "sieve/view.h"

#define SIEVE_STEP_COST     100 /* steps of a command or test */
#define SIEVE_MAX_DEPTH     64  /* blocks and tests inside each other over all included scripts */
#define SIEVE_MAX_MARKS     32
#define SIEVE_MAX_FLAGS     100 /* of one message */
#define SIEVE_MAX_QUESTIONS 200 /* to the caller in one run, includes apart */

/* A string that is written again and again keeps its memory. */
struct sieve_value {
    char *p;
    size_t len, cap;
};

struct sieve_global {
    struct str name;
    struct sieve_value value;
    struct sieve_global *next;
};

/* A script that is running; included ones point to who included them. */
struct sieve_frame {
    const struct sieve_script *script;
    struct sieve_frame *parent;
    struct str name; /* of an included script */
    bool global;
    struct sieve_value **variables; /* one for each of the script */
    struct sieve_value matches[SIEVE_MATCH_VALUES];
    uint64_t enabled; /* extensions, with what ihave added */
    unsigned depth;
};

struct sieve_included {
    struct str name;
    bool global;
    struct sieve_included *next;
};

/* What a script has decided so far, so that it can be taken back when it fails. */
struct sieve_state {
    size_t nactions, nmarks, redirects;
    bool keep; /* nothing cancelled the implicit keep */
    struct sieve_fields header;
    struct sieve_edit *edits;
    struct str flags; /* those of the run when the script began */
    struct str program; /* what is stored from here on goes through it first; STR_NULL: none */
    unsigned version;
};

struct sieve_run {
    const struct sieve_env *env;
    const struct sieve_limits *limits;
    struct arena *arena;  /* what the result needs */
    struct arena scratch; /* emptied after each command and after each test that holds no other */
    struct arena keep;    /* what lives as long as the run */
    struct sieve_view view;
    struct sieve_budget budget;

    struct sieve_frame *frame;
    struct sieve_global *globals;
    size_t nglobals;
    struct sieve_included *included;
    size_t nincluded;
    struct sieve_value flags; /* the internal variable of imap4flags */
    unsigned script;          /* index in the run */
    unsigned depth;
    unsigned questions;
    const struct sieve_node *current; /* what is run now, for errors */

    struct sieve_action *actions;
    size_t cap_actions;
    struct sieve_mark *marks;
    struct sieve_state state;
    struct str break_name; /* of the loop that a break leaves; STR_NULL: the innermost */
    size_t first_action;   /* of this script */

    const struct sieve_content *content; /* of state.version, NULL: not made or not changed */
    unsigned content_version;

    enum result result;       /* of a callback that ended the run */
    struct sieve_error error; /* text.p NULL: none */
    struct str error_include;
};

/* Notes the first error; always false. */
bool run_error(struct sieve_run *r, const struct sieve_node *n, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* For the result of a callback: true when it is RES_OK or `allowed`; else the run ends. */
bool run_callback(struct sieve_run *r, enum result got, enum result allowed);
/* Before a callback is asked; false after an error when that was too often. */
bool run_question(struct sieve_run *r, const struct sieve_node *n);
/* Takes steps; false after an error when they are used up. */
bool run_spend(struct sieve_run *r, const struct sieve_node *n, uint64_t steps);
void run_trace_action(struct sieve_run *r, const struct sieve_node *n, struct str detail);

enum sieve_flow run_block(struct sieve_run *r, const struct sieve_node *first);
bool run_test(struct sieve_run *r, const struct sieve_node *n, bool *ret);
enum sieve_flow run_script(struct sieve_run *r, struct sieve_frame *frame);

static inline struct str value_str(const struct sieve_value *v)
{
    return str_of(v->p != NULL ? v->p : "", v->len);
}

static inline bool run_has(const struct sieve_run *r, enum sieve_ext ext)
{
    return (r->frame->enabled & EXT_BIT(ext)) != 0;
}

/* The value of a string, of a one-string argument (STR_NULL when it is left out), of all strings of a list.  They live
 * until the command ends. */
struct str run_string(struct sieve_run *r, const struct sieve_string *s);
struct str run_arg(struct sieve_run *r, const struct sieve_arg *arg);
struct str *run_list(struct sieve_run *r, const struct sieve_arg *arg);
/* Writes a value, cut to the limit.  Values keep their memory, so a loop does not make the run grow. */
void run_set(struct sieve_run *r, struct sieve_value *v, struct str value);
struct sieve_value *run_global(struct sieve_run *r, struct str name);

/* The value as the modifiers of `set` change it (RFC 5229, 4.1). */
struct str variable_modify(struct sieve_run *r, const struct sieve_node *n, struct str value);

/* A new action of this kind, NULL after an error (too many of them).  Its content is the message as it is now.
 * What the kind does to the implicit keep and to other actions is the caller's business. */
struct sieve_action *run_action(struct sieve_run *r, const struct sieve_node *n, enum sieve_action_kind kind);
/* The keep of RFC 5228, 2.10.2, with the flags that were set (RFC 5232, 2); it never fails. */
void run_implicit_keep(struct sieve_run *r);
/* Is there an action of one of these kinds (a bit each) by this script? */
bool run_has_action(const struct sieve_run *r, unsigned kinds);
/* :create, :flags and so on of a command; false after an error. */
bool run_target(struct sieve_run *r, const struct sieve_node *n, struct str mailbox, struct sieve_target *ret);
/* :fcc of a command; *ret NULL when it has none. */
bool run_fcc(struct sieve_run *r, const struct sieve_node *n, const struct sieve_target **ret);
/* A mailbox name that a script may file into: 1 to 1000 bytes of UTF-8 without controls; false after an error. */
bool run_check_mailbox(struct sieve_run *r, const struct sieve_node *n, struct str name);
/* sieve-address (RFC 5228, 2.4.2.3): its addr-spec; false: it is none. */
bool run_address(struct sieve_run *r, struct str text, struct str *ret_address);
/* An item of env by name, case ignored; STR_NULL: none. */
struct str env_item(const struct sieve_item *items, size_t n, struct str name);

/* Flags (RFC 5232): a string of words with one blank between; what is no flag is dropped, none stays twice. */
struct str flags_join(struct sieve_run *r, const struct str *lists, size_t nlists);
const struct str *flags_split(struct sieve_run *r, struct str words, size_t *ret_n);

/* The comparison of a test: matcher_begin, then matcher_value for each value until it says true, then matcher_end. */
struct sieve_matcher {
    struct sieve_run *r;
    const struct sieve_node *n;
    struct str *key;
    size_t nkeys;
    uint64_t count;
    bool found, failed;
    bool no_variables; /* a match sets no match variables */
};

void matcher_begin(struct sieve_matcher *m, struct sieve_run *r, const struct sieve_node *n,
                   const struct sieve_arg *keys);
bool matcher_value(struct sieve_matcher *m, struct str value);
bool matcher_end(struct sieve_matcher *m, bool *ret);

/* The fields that a test means: by name, with :index and :last, and :mime, :anychild.  They live in the scratch arena.
 */
struct sieve_field **run_fields(struct sieve_run *r, const struct sieve_node *n, struct str name, size_t *ret_n);
/* The fields of the message, as the script has changed them, of that name; the first of them, NULL if there is none. */
struct sieve_field *run_field(struct sieve_run *r, struct str name);

/* For `address`, `envelope` and external lists: the part of an address that SLOT_ADDRESS_PART names.  STR_NULL: it has
 * none. */
struct str address_part(struct sieve_run *r, const struct sieve_node *n, struct str local, struct str domain);
