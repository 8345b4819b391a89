/* SEARCH programs (RFC 3501, 6.4.4; MODSEQ: RFC 7162, 3.1.5; EMAILID, THREADID: RFC 8474, 6) as a tree. */
#include "base/encode.h"
#include "imap/parse_internal.h"
#include "mail/charset.h"
#include "store/message.h"

/* What has to follow the name of a key. */
enum argument { ARG_NONE, ARG_DATE, ARG_SIZE, ARG_TEXT, ARG_KEYWORD, ARG_ID };

struct key_name {
    const char *name;
    enum imap_search_op op;
    enum argument argument;
    int64_t number; /* flag bit; kind of id */
    bool negated;
};

static const struct key_name key_names[] = {
    { "ALL", SEARCH_ALL, ARG_NONE, 0, false },
    { "ANSWERED", SEARCH_FLAG, ARG_NONE, FLAG_ANSWERED, false },
    { "BCC", SEARCH_BCC, ARG_TEXT, 0, false },
    { "BEFORE", SEARCH_BEFORE, ARG_DATE, 0, false },
    { "BODY", SEARCH_BODY, ARG_TEXT, 0, false },
    { "CC", SEARCH_CC, ARG_TEXT, 0, false },
    { "DELETED", SEARCH_FLAG, ARG_NONE, FLAG_DELETED, false },
    { "DRAFT", SEARCH_FLAG, ARG_NONE, FLAG_DRAFT, false },
    { "EMAILID", SEARCH_EMAILID, ARG_ID, 'e', false },
    { "FLAGGED", SEARCH_FLAG, ARG_NONE, FLAG_FLAGGED, false },
    { "FROM", SEARCH_FROM, ARG_TEXT, 0, false },
    { "KEYWORD", SEARCH_KEYWORD, ARG_KEYWORD, 0, false },
    { "LARGER", SEARCH_LARGER, ARG_SIZE, 0, false },
    { "OLD", SEARCH_RECENT, ARG_NONE, 0, true },
    { "ON", SEARCH_ON, ARG_DATE, 0, false },
    { "RECENT", SEARCH_RECENT, ARG_NONE, 0, false },
    { "SEEN", SEARCH_FLAG, ARG_NONE, FLAG_SEEN, false },
    { "SENTBEFORE", SEARCH_SENTBEFORE, ARG_DATE, 0, false },
    { "SENTON", SEARCH_SENTON, ARG_DATE, 0, false },
    { "SENTSINCE", SEARCH_SENTSINCE, ARG_DATE, 0, false },
    { "SINCE", SEARCH_SINCE, ARG_DATE, 0, false },
    { "SMALLER", SEARCH_SMALLER, ARG_SIZE, 0, false },
    { "SUBJECT", SEARCH_SUBJECT, ARG_TEXT, 0, false },
    { "TEXT", SEARCH_TEXT, ARG_TEXT, 0, false },
    { "THREADID", SEARCH_THREADID, ARG_ID, 't', false },
    { "TO", SEARCH_TO, ARG_TEXT, 0, false },
    { "UNANSWERED", SEARCH_FLAG, ARG_NONE, FLAG_ANSWERED, true },
    { "UNDELETED", SEARCH_FLAG, ARG_NONE, FLAG_DELETED, true },
    { "UNDRAFT", SEARCH_FLAG, ARG_NONE, FLAG_DRAFT, true },
    { "UNFLAGGED", SEARCH_FLAG, ARG_NONE, FLAG_FLAGGED, true },
    { "UNKEYWORD", SEARCH_KEYWORD, ARG_KEYWORD, 0, true },
    { "UNSEEN", SEARCH_FLAG, ARG_NONE, FLAG_SEEN, true },
};

/* Charsets of search strings; what is no UTF-8 is converted. */
static const char *const charsets[] = { "UTF-8", "US-ASCII", "ISO-8859-1", "ISO-8859-15", "WINDOWS-1252" };

struct search_state {
    struct imap_command *cmd;
    struct str charset;
};

static bool parse_key(struct cursor *c, struct search_state *s, struct imap_search_key **ret);

static bool new_key(struct cursor *c, enum imap_search_op op, struct imap_search_key **ret)
{
    if (c->keys++ == IMAP_MAX_KEYS)
        return parse_fail(c, "Too many search keys");
    *ret = arena_new(c->a, struct imap_search_key);
    (*ret)->op = op;
    if (op >= SEARCH_BEFORE)
        (*ret)->index = c->costly++;
    return true;
}

static bool negate(struct cursor *c, struct imap_search_key *key, struct imap_search_key **ret)
{
    if (!new_key(c, SEARCH_NOT, ret))
        return false;
    (*ret)->child = key;
    return true;
}

static bool parse_text(struct cursor *c, struct search_state *s, struct str *ret)
{
    struct str text;

    if (!parse_sp(c) || !parse_astring(c, &text))
        return false;
    *ret = charset_to_utf8(c->a, text, s->charset);
    return true;
}

static bool parse_named(struct cursor *c, struct search_state *s, const struct key_name *name,
                        struct imap_search_key **ret)
{
    struct imap_search_key *key;
    uint64_t size;
    bool ok = true;

    if (!new_key(c, name->op, &key))
        return false;
    key->number = name->number;
    switch (name->argument) {
    case ARG_NONE:
        break;
    case ARG_DATE:
        ok = parse_sp(c) && parse_date(c, &key->number);
        break;
    case ARG_SIZE:
        ok = parse_sp(c) && parse_number(c, UINT32_MAX, &size);
        key->number = ok ? (int64_t)size : 0;
        break;
    case ARG_TEXT:
        ok = parse_text(c, s, &key->text);
        break;
    case ARG_KEYWORD:
        ok = parse_sp(c) && parse_atom(c, &key->text);
        break;
    case ARG_ID:
        ok = parse_sp(c) && parse_atom(c, &key->text);
        if (ok && !id_decode((char)name->number, key->text, &key->number))
            key->number = 0; /* no message has it */
        break;
    }
    if (!ok)
        return false;
    *ret = key;
    return !name->negated || negate(c, key, ret);
}

/* HEADER: what ENVELOPE holds unstructured is looked up there. */
static bool parse_header_key(struct cursor *c, struct search_state *s, struct imap_search_key **ret)
{
    struct str field, text;
    enum imap_search_op op = SEARCH_HEADER;

    if (!parse_sp(c) || !parse_astring(c, &field) || !parse_text(c, s, &text))
        return false;
    if (str_ieq(field, STR("Subject")))
        op = SEARCH_SUBJECT;
    else if (str_ieq(field, STR("Message-ID")))
        op = SEARCH_MESSAGE_ID;
    else if (str_ieq(field, STR("In-Reply-To")))
        op = SEARCH_IN_REPLY_TO;
    if (!new_key(c, op, ret))
        return false;
    (*ret)->field = field;
    (*ret)->text = text;
    return true;
}

static bool parse_modseq_key(struct cursor *c, struct search_state *s, struct imap_search_key **ret)
{
    struct str entry;
    uint64_t modseq;

    if (!parse_sp(c))
        return false;
    if (peek_char(c, '"')) { /* an entry's name and type: there is one MODSEQ for all, so they say nothing */
        if (!parse_string(c, &entry) || !parse_sp(c))
            return false;
        if (!take_word(c, "all") && !take_word(c, "priv") && !take_word(c, "shared"))
            return parse_fail(c, "Bad MODSEQ entry type");
        if (!parse_sp(c))
            return false;
    }
    if (!parse_number(c, INT64_MAX, &modseq) || !new_key(c, SEARCH_MODSEQ, ret))
        return false;
    (*ret)->number = (int64_t)modseq;
    s->cmd->search.modseq = true;
    return true;
}

/* Keys one after another: all must hold. */
static bool parse_keys(struct cursor *c, struct search_state *s, struct imap_search_key **ret)
{
    struct imap_search_key *all, **link;

    if (!new_key(c, SEARCH_AND, &all))
        return false;
    link = &all->child;
    do {
        if (!parse_key(c, s, link))
            return false;
        link = &(*link)->next;
    } while (parse_char(c, ' '));
    *ret = all;
    return true;
}

static bool parse_compound(struct cursor *c, struct search_state *s, struct imap_search_key **ret, bool *ret_taken)
{
    struct imap_search_key *key;

    *ret_taken = true;
    if (parse_char(c, '('))
        return parse_keys(c, s, ret) && (parse_char(c, ')') || parse_fail(c, "Parenthesis without end"));
    if (take_word(c, "NOT"))
        return parse_sp(c) && parse_key(c, s, &key) && negate(c, key, ret);
    if (take_word(c, "OR")) {
        if (!new_key(c, SEARCH_OR, ret))
            return false;
        return parse_sp(c) && parse_key(c, s, &(*ret)->child) && parse_sp(c) && parse_key(c, s, &(*ret)->child->next);
    }
    *ret_taken = false;
    return true;
}

static bool parse_leaf(struct cursor *c, struct search_state *s, struct imap_search_key **ret)
{
    static const struct key_name unseen = { "UNSEEN", SEARCH_FLAG, ARG_NONE, FLAG_SEEN, true };

    if (c->p < c->end && (ascii_digit(*c->p) || *c->p == '*'))
        return new_key(c, SEARCH_SEQUENCE, ret) && parse_set(c, &(*ret)->set);
    if (take_word(c, "UID"))
        return new_key(c, SEARCH_UID, ret) && parse_sp(c) && parse_set(c, &(*ret)->set);
    if (take_word(c, "HEADER"))
        return parse_header_key(c, s, ret);
    if (take_word(c, "MODSEQ"))
        return parse_modseq_key(c, s, ret);
    if (take_word(c, "NEW")) { /* RECENT UNSEEN */
        if (!new_key(c, SEARCH_AND, ret) || !new_key(c, SEARCH_RECENT, &(*ret)->child))
            return false;
        return parse_named(c, s, &unseen, &(*ret)->child->next);
    }
    for (size_t i = 0; i < ARRAY_LEN(key_names); i++) {
        if (take_word(c, key_names[i].name))
            return parse_named(c, s, &key_names[i], ret);
    }
    return parse_fail(c, "No such search key");
}

static bool parse_key(struct cursor *c, struct search_state *s, struct imap_search_key **ret)
{
    bool taken = false, ok;

    if (++c->depth > IMAP_MAX_DEPTH)
        return parse_fail(c, "Search keys nested too deeply");
    ok = parse_compound(c, s, ret, &taken) && (taken || parse_leaf(c, s, ret));
    c->depth--;
    return ok;
}

bool parse_search(struct cursor *c, struct imap_command *cmd)
{
    struct search_state s = { .cmd = cmd, .charset = STR("UTF-8") };

    if (!parse_sp(c))
        return false;
    if (take_word(c, "CHARSET")) {
        if (!parse_sp(c) || !parse_astring(c, &s.charset) || !parse_sp(c))
            return false;
        cmd->search.bad_charset = true;
        for (size_t i = 0; i < ARRAY_LEN(charsets); i++) {
            if (str_ieq(s.charset, str_c(charsets[i])))
                cmd->search.bad_charset = false;
        }
        if (cmd->search.bad_charset)
            s.charset = STR("UTF-8");
    }
    if (!parse_keys(c, &s, &cmd->search.root))
        return false;
    cmd->search.ncostly = c->costly;
    return true;
}
