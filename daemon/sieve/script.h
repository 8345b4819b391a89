/* sieve/script.h - a compiled script: a checked tree, and the tables that say what a command may look like.
 * Internal to sieve/.
 *
 * Each family of commands (base.c, fileinto.c, ...) has a table of `struct sieve_spec`; specs.c lists the tables. */
#pragma once
#include "sieve/compile.h"
#include "sieve/extension.h"

struct sieve_run;
struct sieve_compiler;
struct sieve_node;

#define SIEVE_MAX_POSITIONAL 3
#define SIEVE_MAX_ARGUMENTS  32
#define SIEVE_MATCH_VALUES   10 /* ${0} to ${9} */

/* What a string is made of (RFC 5229, 3). */
struct sieve_piece {
    enum { PIECE_TEXT, PIECE_VARIABLE, PIECE_MATCH } kind;
    struct str text; /* PIECE_TEXT */
    unsigned index;  /* of a variable of this script, or of a match value */
};

struct sieve_string {
    struct str text;            /* as written, when it is constant */
    struct sieve_piece *pieces; /* NULL: it is constant */
    size_t npieces;
};

/* What a tag says; a command has at most one tag of each. */
enum sieve_slot {
    SLOT_MATCH,
    SLOT_COMPARATOR,
    SLOT_ADDRESS_PART,
    SLOT_INDEX,
    SLOT_LAST,
    SLOT_MIME,
    SLOT_ANYCHILD,
    SLOT_MIME_PART,
    SLOT_COPY,
    SLOT_CREATE,
    SLOT_FLAGS,
    SLOT_SPECIAL_USE,
    SLOT_MAILBOX_ID,
    SLOT_FCC,
    SLOT_LIST,
    SLOT_NOTIFY,
    SLOT_RET,
    SLOT_BY_TIME,
    SLOT_BY_MODE,
    SLOT_BY_TRACE,
    SLOT_SIZE,
    SLOT_CASE,
    SLOT_CASE_FIRST,
    SLOT_QUOTE,
    SLOT_LENGTH,
    SLOT_PERIOD,
    SLOT_SUBJECT,
    SLOT_FROM,
    SLOT_ADDRESSES,
    SLOT_MIME_REASON,
    SLOT_HANDLE,
    SLOT_BODY,
    SLOT_ZONE,
    SLOT_LOCATION,
    SLOT_ONCE,
    SLOT_OPTIONAL,
    SLOT_UNIQUE,
    SLOT_IMPORTANCE,
    SLOT_OPTIONS,
    SLOT_MESSAGE,
    SLOT_PERCENT,
    SLOT_NAME,
    SLOT_FIRST,
    SLOT_HEADERS,
};

struct sieve_tag {
    const char *name;
    enum sieve_slot slot;
    enum sieve_ext ext;
    int id;     /* tells tags of one slot apart */
    char value; /* 0: none, or a letter as in sieve_spec.args */
};

struct sieve_arg {
    enum { ARG_TAG, ARG_NUMBER, ARG_STRING, ARG_LIST } kind;
    uint32_t line, column;
    uint64_t number;
    struct sieve_string *strings; /* ARG_STRING: one */
    size_t n;
    struct str name; /* ARG_TAG: as written */
    const struct sieve_tag *tag;
    struct sieve_arg *value; /* of a tag */
    struct sieve_arg *next;
};

enum sieve_flow { FLOW_NEXT, FLOW_STOP, FLOW_RETURN, FLOW_BREAK, FLOW_ERROR };

/* sieve_spec.flags */
enum {
    SPEC_TEST = 1,
    SPEC_TAKES_TEST = 2,  /* one test behind the arguments */
    SPEC_TAKES_TESTS = 4, /* a list of tests */
    SPEC_TAKES_BLOCK = 8,
    SPEC_MATCHES = 16, /* takes match type and comparator */
};

struct sieve_spec {
    const char *name;
    enum sieve_ext ext, or_ext; /* either must have been required */
    unsigned flags;
    /* Positional arguments, a letter each: N number, S string, K constant string, L list, C constant list; small: may
     * be left out (the first ones first). */
    const char *args;
    const struct sieve_tag *tags[4]; /* tables that end with a NULL name */
    /* More checks, with the arguments in place; false after compile_error(). */
    bool (*check)(struct sieve_compiler *c, struct sieve_node *n);
    enum sieve_flow (*command)(struct sieve_run *r, const struct sieve_node *n);
    bool (*test)(struct sieve_run *r, const struct sieve_node *n, bool *ret); /* false after run_error() */
};

enum sieve_match_type { MATCH_IS, MATCH_CONTAINS, MATCH_MATCHES, MATCH_REGEX, MATCH_COUNT, MATCH_VALUE, MATCH_LIST };
enum sieve_relation { RELATION_GT, RELATION_GE, RELATION_LT, RELATION_LE, RELATION_EQ, RELATION_NE };
enum sieve_comparator { COMPARATOR_CASEMAP, COMPARATOR_OCTET, COMPARATOR_NUMERIC, COMPARATOR_UNICODE };

struct sieve_match {
    enum sieve_match_type type;
    enum sieve_relation relation; /* of MATCH_COUNT and MATCH_VALUE */
    enum sieve_comparator comparator;
};

struct sieve_node {
    const struct sieve_spec *spec; /* NULL: unknown, see `deferred` */
    struct str name;               /* as written */
    uint32_t line, column;
    struct sieve_arg *args[SIEVE_MAX_POSITIONAL]; /* NULL: left out */
    struct sieve_arg *tags;
    struct sieve_node *tests, *block, *next;
    struct sieve_match match;
    struct sieve_regex **regexes; /* for the keys of MATCH_REGEX; an element is NULL when its key is not constant */
    uint64_t late;                /* extensions that an `ihave` must have found before (RFC 5463, 4) */
    struct str deferred;          /* the error when this is reached (the same); STR_NULL: none */
    int number;                   /* of the family's own use */
};

struct sieve_variable {
    struct str name; /* lower case, without "global." */
    bool global;     /* shared by the scripts of a run (RFC 6609, 3.4) */
    bool qualified;  /* it was written as "global.name" */
    bool assigned;   /* `set` was seen */
};

struct sieve_script {
    struct sieve_node *first;
    uint64_t required;
    struct sieve_variable *variables;
    size_t nvariables;
};

/* The tag in that slot, NULL if there is none; its value. */
const struct sieve_arg *node_tag(const struct sieve_node *n, enum sieve_slot slot);
static inline const struct sieve_arg *node_tag_value(const struct sieve_node *n, enum sieve_slot slot)
{
    const struct sieve_arg *tag = node_tag(n, slot);

    return tag != NULL ? tag->value : NULL;
}

const struct sieve_spec *spec_find(struct str name, bool test);

/* Tables of tags that several commands share. */
extern const struct sieve_tag sieve_match_tags[];     /* :is ... :comparator */
extern const struct sieve_tag sieve_index_tags[];     /* :index, :last */
extern const struct sieve_tag sieve_mime_tags[];      /* :mime, :anychild */
extern const struct sieve_tag sieve_mime_part_tags[]; /* :type, :subtype, :contenttype, :param */
extern const struct sieve_tag sieve_mailbox_tags[];   /* :create, :flags, :specialuse, :mailboxid */
extern const struct sieve_tag sieve_fcc_tags[];       /* :fcc and those above */
extern const struct sieve_tag sieve_modifier_tags[];  /* of set */

extern const struct sieve_spec sieve_address_specs[], sieve_base_specs[], sieve_body_specs[], sieve_date_specs[],
    sieve_duplicate_specs[], sieve_editheader_specs[], sieve_environment_specs[], sieve_extlists_specs[],
    sieve_fileinto_specs[], sieve_flags_specs[], sieve_ihave_specs[], sieve_include_specs[], sieve_mailbox_specs[],
    sieve_mime_specs[], sieve_notify_specs[], sieve_pipe_specs[], sieve_redirect_specs[], sieve_reject_specs[], sieve_spam_specs[],
    sieve_vacation_specs[], sieve_variables_specs[];
