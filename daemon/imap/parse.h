/* imap/parse.h - the grammar of IMAP commands (RFC 3501, 9), apart from what the commands do.
 *
 * Pure: takes the bytes of one whole command, literals in place, and gives a struct.  Everything lives in the arena
 * given or points into the text.  Limits: IMAP_MAX_... below; the text's own size is the reader's limit. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "mail/parts.h"
#include "store/mailbox.h"

#define IMAP_MAX_DEPTH    32   /* parentheses and NOTs in SEARCH */
#define IMAP_MAX_KEYS     1000 /* search keys */
#define IMAP_MAX_SECTIONS 64   /* BODY[...] items of a FETCH */
#define IMAP_MAX_FIELDS   200  /* names in one HEADER.FIELDS */
#define IMAP_MAX_KEYWORDS 100  /* of a flag list */
#define IMAP_MAX_ENTRIES  100  /* of GETMETADATA and SETMETADATA */

enum imap_verb {
    IMAP_CAPABILITY, IMAP_NOOP, IMAP_LOGOUT, IMAP_ID, IMAP_STARTTLS, IMAP_AUTHENTICATE, IMAP_LOGIN, IMAP_ENABLE,
    IMAP_SELECT, IMAP_EXAMINE, IMAP_CREATE, IMAP_DELETE, IMAP_RENAME, IMAP_SUBSCRIBE, IMAP_UNSUBSCRIBE, IMAP_LIST,
    IMAP_LSUB, IMAP_NAMESPACE, IMAP_STATUS, IMAP_APPEND, IMAP_IDLE, IMAP_CHECK, IMAP_CLOSE, IMAP_UNSELECT,
    IMAP_EXPUNGE, IMAP_SEARCH, IMAP_FETCH, IMAP_STORE, IMAP_COPY, IMAP_MOVE, IMAP_GETQUOTA, IMAP_GETQUOTAROOT,
    IMAP_GETMETADATA, IMAP_SETMETADATA, IMAP_VERBS
};

/* A sequence set as written: in each range lo and hi may stand in any order; 0 is "*". */
struct imap_range {
    uint32_t lo, hi;
};
struct imap_set {
    struct imap_range *v;
    size_t n;
};

struct imap_flags {
    int system; /* FLAG_... of store/message.h */
    struct str *keywords;
    size_t n;
};

enum {
    FETCH_UID = 1, FETCH_FLAGS = 2, FETCH_INTERNALDATE = 4, FETCH_SIZE = 8, FETCH_ENVELOPE = 16,
    FETCH_BODYSTRUCTURE = 32, FETCH_BODY = 64, FETCH_MODSEQ = 128, FETCH_EMAILID = 256, FETCH_THREADID = 512
};
struct imap_section {
    struct str label; /* how the answer calls it: "BODY[1.MIME]", "RFC822.TEXT" */
    struct str part;  /* "1.2"; empty: the message */
    enum mail_section section;
    struct str *fields; /* HEADER.FIELDS, HEADER.FIELDS.NOT */
    size_t nfields;
    bool has_fields, except;
    bool partial; /* <offset.count> */
    uint32_t offset, count;
};
struct imap_fetch {
    unsigned items;
    struct imap_section *sections;
    size_t n;
    bool sets_seen;
    bool changed_since_given;
    int64_t changed_since;
};

enum imap_search_op {
    SEARCH_AND, SEARCH_OR, SEARCH_NOT, SEARCH_ALL,
    SEARCH_SEQUENCE, SEARCH_UID, SEARCH_FLAG, SEARCH_KEYWORD, SEARCH_RECENT, SEARCH_MODSEQ, /* the view knows */
    SEARCH_BEFORE, SEARCH_ON, SEARCH_SINCE, SEARCH_LARGER, SEARCH_SMALLER, SEARCH_EMAILID, SEARCH_THREADID, /* message */
    SEARCH_SENTBEFORE, SEARCH_SENTON, SEARCH_SENTSINCE,                                     /* ENVELOPE */
    SEARCH_FROM, SEARCH_TO, SEARCH_CC, SEARCH_BCC, SEARCH_SUBJECT, SEARCH_MESSAGE_ID, SEARCH_IN_REPLY_TO,
    SEARCH_HEADER,                                                                          /* the header */
    SEARCH_BODY, SEARCH_TEXT                                                                /* email_text */
};
struct imap_search_key {
    enum imap_search_op op;
    struct imap_search_key *child, *next; /* of AND, OR, NOT; siblings */
    int64_t number;                       /* flag bit, MODSEQ, size, id (0: none), or day since 1970 */
    struct str field, text;               /* header field; needle or keyword, UTF-8 */
    struct imap_set set;
    size_t index; /* counts the keys that the view does not decide, from 0 */
};

/* STATUS items. */
enum {
    STATUS_MESSAGES = 1, STATUS_RECENT = 2, STATUS_UIDNEXT = 4, STATUS_UIDVALIDITY = 8, STATUS_UNSEEN = 16,
    STATUS_HIGHESTMODSEQ = 32, STATUS_DELETED = 64, STATUS_DELETED_STORAGE = 128, STATUS_MAILBOXID = 256
};

/* An annotation (RFC 5464); its name is in lower case. */
struct imap_entry {
    struct str name;
    struct str value; /* SETMETADATA; STR_NULL: NIL */
};

struct imap_command {
    struct str tag;
    enum imap_verb verb;
    bool uid; /* UID FETCH, UID EXPUNGE, ... */
    union {
        struct {
            struct str user, password;
        } login;
        struct {
            struct str mechanism, initial; /* STR_NULL: none; "=" is the empty one (RFC 4959) */
        } authenticate;
        struct {
            bool condstore;
        } enable;
        struct {
            struct str mailbox;
            bool condstore; /* RFC 7162, 3.1.8 */
        } select;
        struct {
            struct str mailbox;
            enum special_use use; /* RFC 6154, 3 */
            bool bad_use;         /* a use that nobody can have here */
        } create;
        struct {
            struct str from, to;
        } rename;
        struct str mailbox;    /* DELETE, SUBSCRIBE, UNSUBSCRIBE, GETQUOTAROOT */
        struct str quota_root; /* GETQUOTA */
        struct {
            struct str reference, pattern; /* UTF-8 */
            bool only_special;             /* LIST (SPECIAL-USE), RFC 6154, 2 */
        } list;                            /* and LSUB */
        struct {
            struct str mailbox;
            unsigned items;
        } status;
        struct {
            struct str mailbox;
            struct imap_flags flags;
            bool has_date;
            int64_t date_us;
        } append;
        struct {
            struct imap_set set; /* UID EXPUNGE */
        } expunge;
        struct {
            struct imap_search_key *root;
            size_t ncostly;    /* keys with an index */
            bool modseq;       /* a MODSEQ key is in it */
            bool bad_charset;
        } search;
        struct {
            struct imap_set set;
            struct imap_fetch what;
        } fetch;
        struct {
            struct imap_set set;
            enum { STORE_REPLACE, STORE_ADD, STORE_REMOVE } how;
            bool silent;
            struct imap_flags flags;
            bool unchanged_since_given;
            int64_t unchanged_since;
        } store;
        struct {
            struct imap_set set;
            struct str mailbox;
        } copy; /* and MOVE */
        struct {
            struct str mailbox; /* empty: the server */
            struct imap_entry *v;
            size_t n;
            bool has_max;
            uint64_t max;                                     /* MAXSIZE, octets */
            enum { DEPTH_0, DEPTH_1, DEPTH_INFINITY } depth;
        } metadata; /* GETMETADATA, SETMETADATA */
    };
};

/* The message literal of APPEND is not in the text: "{n}" stands at offset `body_at` and the text ends with its CR LF
 * and what followed the literal; SIZE_MAX: there is none.
 * RES_INVALID: *ret_error says why; ret->tag is set when there was a tag, else STR_NULL. */
enum result imap_parse(struct arena *a, struct str text, size_t body_at, struct imap_command *ret,
                       const char **ret_error) NODISCARD;

/* For the reader: is a literal that begins behind `text` the message of an APPEND?  *ret_tag is then set. */
bool imap_parse_is_append(struct arena *a, struct str text, struct str *ret_tag);
/* The tag and the verb at the start of a command that is not complete yet; STR_NULL when there is none. */
struct str imap_parse_tag(struct str text);
/* Does the line end in a literal's announcement, "{123}" or "{123+}" (RFC 7888)?  *ret_at is where it begins. */
bool imap_parse_literal(struct str line, uint64_t *ret_size, bool *ret_sync, size_t *ret_at);

const char *imap_verb_name(enum imap_verb verb);
