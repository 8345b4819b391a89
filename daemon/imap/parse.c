/* The commands: tag, verb, and the arguments of all but the large families. */
#include "imap/parse_internal.h"
#include "store/message.h"

typedef bool parse_fn(struct cursor *c, struct imap_command *cmd);

static bool parse_nothing(struct cursor *c UNUSED, struct imap_command *cmd UNUSED)
{
    return true;
}

/* RFC 2971, 3.1: NIL or pairs of strings.  What clients say of themselves is checked and not kept. */
static bool parse_id(struct cursor *c, struct imap_command *cmd UNUSED)
{
    struct str key, value;

    if (!parse_sp(c))
        return false;
    if (take_word(c, "NIL"))
        return true;
    if (!parse_char(c, '('))
        return parse_fail(c, "ID list expected");
    if (parse_char(c, ')'))
        return true;
    for (size_t n = 0; n < 30; n++) { /* RFC 2971, 3.3 */
        if (!parse_string(c, &key) || !parse_sp(c) || !parse_nstring(c, &value))
            return parse_fail(c, "Bad ID list");
        if (parse_char(c, ')'))
            return true;
        if (!parse_sp(c))
            return false;
    }
    return parse_fail(c, "Too many ID fields");
}

static bool parse_authenticate(struct cursor *c, struct imap_command *cmd)
{
    if (!parse_sp(c) || !parse_atom(c, &cmd->authenticate.mechanism))
        return false;
    cmd->authenticate.initial = STR_NULL;
    if (!parse_char(c, ' '))
        return true;
    cmd->authenticate.initial = str_of(c->p, (size_t)(c->end - c->p));
    c->p = c->end;
    for (size_t i = 0; i < cmd->authenticate.initial.len; i++) {
        char ch = cmd->authenticate.initial.p[i];

        if (!ascii_alnum(ch) && ch != '+' && ch != '/' && ch != '=')
            return parse_fail(c, "Initial response is not base64");
    }
    return cmd->authenticate.initial.len > 0 || parse_fail(c, "Initial response expected");
}

static bool parse_login(struct cursor *c, struct imap_command *cmd)
{
    return parse_sp(c) && parse_astring(c, &cmd->login.user) && parse_sp(c) && parse_astring(c, &cmd->login.password);
}

/* RFC 5161, 3.1: names we do not know are ignored. */
static bool parse_enable(struct cursor *c, struct imap_command *cmd)
{
    struct str name;

    cmd->enable.condstore = false;
    if (!parse_sp(c))
        return false;
    do {
        if (!parse_atom(c, &name))
            return false;
        if (str_ieq(name, STR("CONDSTORE")))
            cmd->enable.condstore = true;
    } while (parse_char(c, ' '));
    return true;
}

/* RFC 4466, 2.1: (CONDSTORE). */
static bool parse_select(struct cursor *c, struct imap_command *cmd)
{
    if (!parse_sp(c) || !parse_mailbox(c, &cmd->select.mailbox))
        return false;
    cmd->select.condstore = false;
    if (!parse_char(c, ' '))
        return true;
    if (!parse_char(c, '(') || !take_word(c, "CONDSTORE") || !parse_char(c, ')'))
        return parse_fail(c, "No such SELECT parameter");
    cmd->select.condstore = true;
    return true;
}

/* RFC 6154, 3: CREATE name (USE (\Sent)).  A mailbox has one use at most here. */
static bool parse_create(struct cursor *c, struct imap_command *cmd)
{
    static const struct {
        const char *name;
        enum special_use use;
    } uses[] = { { "Archive", SPECIAL_ARCHIVE }, { "Drafts", SPECIAL_DRAFTS }, { "Junk", SPECIAL_JUNK },
                 { "Sent", SPECIAL_SENT }, { "Trash", SPECIAL_TRASH } };
    struct str name;

    cmd->create.use = SPECIAL_NONE;
    cmd->create.bad_use = false;
    if (!parse_sp(c) || !parse_mailbox(c, &cmd->create.mailbox))
        return false;
    if (!parse_char(c, ' '))
        return true;
    if (!parse_char(c, '(') || !take_word(c, "USE") || !parse_sp(c) || !parse_char(c, '('))
        return parse_fail(c, "No such CREATE parameter");
    while (!peek_char(c, ')')) {
        enum special_use use = SPECIAL_NONE;

        if (!parse_char(c, '\\') || !parse_atom(c, &name))
            return parse_fail(c, "Special use expected");
        for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
            if (str_ieq(name, str_c(uses[i].name)))
                use = uses[i].use;
        }
        if (use == SPECIAL_NONE || cmd->create.use != SPECIAL_NONE)
            cmd->create.bad_use = true;
        cmd->create.use = use;
        if (!parse_char(c, ' '))
            break;
    }
    return (parse_char(c, ')') && parse_char(c, ')')) || parse_fail(c, "CREATE parameters without end");
}

static bool parse_one_mailbox(struct cursor *c, struct imap_command *cmd)
{
    return parse_sp(c) && parse_mailbox(c, &cmd->mailbox);
}

static bool parse_rename(struct cursor *c, struct imap_command *cmd)
{
    return parse_sp(c) && parse_mailbox(c, &cmd->rename.from) && parse_sp(c) && parse_mailbox(c, &cmd->rename.to);
}

/* RFC 3501, 6.3.8, with the options of RFC 6154, 2. */
static bool parse_list_command(struct cursor *c, struct imap_command *cmd)
{
    cmd->list.only_special = false;
    if (!parse_sp(c))
        return false;
    if (cmd->verb == IMAP_LIST && parse_char(c, '(')) {
        cmd->list.only_special = take_word(c, "SPECIAL-USE");
        if (!parse_char(c, ')'))
            return parse_fail(c, "No such LIST selection option");
        if (!parse_sp(c))
            return false;
    }
    if (!parse_mailbox(c, &cmd->list.reference) || !parse_sp(c) || !parse_list_pattern(c, &cmd->list.pattern))
        return false;
    if (cmd->verb == IMAP_LSUB || !parse_char(c, ' '))
        return true;
    if (!take_word(c, "RETURN") || !parse_sp(c) || !parse_char(c, '('))
        return parse_fail(c, "RETURN expected");
    while (take_word(c, "SPECIAL-USE") || take_word(c, "CHILDREN")) { /* both are always given */
        if (!parse_char(c, ' '))
            break;
    }
    return parse_char(c, ')') || parse_fail(c, "No such LIST return option");
}

static bool parse_status(struct cursor *c, struct imap_command *cmd)
{
    static const struct {
        const char *name;
        unsigned item;
    } items[] = { { "MESSAGES", STATUS_MESSAGES },       { "RECENT", STATUS_RECENT }, { "UIDNEXT", STATUS_UIDNEXT },
                  { "UIDVALIDITY", STATUS_UIDVALIDITY }, { "UNSEEN", STATUS_UNSEEN },
                  { "HIGHESTMODSEQ", STATUS_HIGHESTMODSEQ },
                  { "DELETED", STATUS_DELETED },         { "DELETED-STORAGE", STATUS_DELETED_STORAGE },
                  { "MAILBOXID", STATUS_MAILBOXID } };

    cmd->status.items = 0;
    if (!parse_sp(c) || !parse_mailbox(c, &cmd->status.mailbox) || !parse_sp(c) || !parse_char(c, '('))
        return parse_fail(c, "STATUS items expected");
    do {
        size_t i = 0;

        while (i < ARRAY_LEN(items) && !take_word(c, items[i].name))
            i++;
        if (i == ARRAY_LEN(items))
            return parse_fail(c, "No such STATUS item");
        cmd->status.items |= items[i].item;
    } while (parse_char(c, ' '));
    return parse_char(c, ')') || parse_fail(c, "STATUS items without end");
}

/* Up to the message literal. */
static bool parse_append_head(struct cursor *c, struct imap_command *cmd)
{
    if (!parse_sp(c) || !parse_mailbox(c, &cmd->append.mailbox) || !parse_sp(c))
        return false;
    cmd->append.flags = (struct imap_flags){ 0 };
    if (peek_char(c, '(') && (!parse_flag_list(c, &cmd->append.flags) || !parse_sp(c)))
        return false;
    cmd->append.has_date = peek_char(c, '"');
    return !cmd->append.has_date || (parse_date_time(c, &cmd->append.date_us) && parse_sp(c));
}

static bool parse_append(struct cursor *c, struct imap_command *cmd)
{
    const char *lf;

    if (!parse_append_head(c, cmd))
        return false;
    if (c->body == NULL || c->p != c->body)
        return parse_fail(c, "Message literal expected");
    lf = memchr(c->p, '\n', (size_t)(c->end - c->p));
    c->p = lf == NULL ? c->end : lf + 1;
    return true;
}

static bool parse_expunge(struct cursor *c, struct imap_command *cmd)
{
    return !cmd->uid || (parse_sp(c) && parse_set(c, &cmd->expunge.set)); /* RFC 4315, 2.1 */
}

static bool parse_fetch(struct cursor *c, struct imap_command *cmd)
{
    cmd->fetch.what = (struct imap_fetch){ 0 };
    if (!parse_sp(c) || !parse_set(c, &cmd->fetch.set) || !parse_sp(c) || !parse_fetch_items(c, &cmd->fetch.what))
        return false;
    if (cmd->uid)
        cmd->fetch.what.items |= FETCH_UID;
    return true;
}

/* RFC 3501, 6.4.6, and UNCHANGEDSINCE (RFC 7162, 3.1.3). */
static bool parse_store(struct cursor *c, struct imap_command *cmd)
{
    uint64_t modseq;

    cmd->store.flags = (struct imap_flags){ 0 };
    cmd->store.unchanged_since_given = false;
    if (!parse_sp(c) || !parse_set(c, &cmd->store.set) || !parse_sp(c))
        return false;
    if (parse_char(c, '(')) {
        if (!take_word(c, "UNCHANGEDSINCE"))
            return parse_fail(c, "No such STORE modifier");
        if (!parse_sp(c) || !parse_number(c, INT64_MAX, &modseq) || !parse_char(c, ')') || !parse_sp(c))
            return parse_fail(c, "Bad UNCHANGEDSINCE");
        cmd->store.unchanged_since_given = true;
        cmd->store.unchanged_since = (int64_t)modseq;
    }
    cmd->store.how = parse_char(c, '+') ? STORE_ADD : parse_char(c, '-') ? STORE_REMOVE : STORE_REPLACE;
    cmd->store.silent = take_word(c, "FLAGS.SILENT");
    if (!cmd->store.silent && !take_word(c, "FLAGS"))
        return parse_fail(c, "FLAGS expected");
    if (!parse_sp(c))
        return false;
    if (peek_char(c, '('))
        return parse_flag_list(c, &cmd->store.flags);
    do { /* the parentheses may be left out */
        if (!parse_flag(c, &cmd->store.flags))
            return false;
    } while (parse_char(c, ' '));
    return true;
}

static bool parse_copy(struct cursor *c, struct imap_command *cmd)
{
    return parse_sp(c) && parse_set(c, &cmd->copy.set) && parse_sp(c) && parse_mailbox(c, &cmd->copy.mailbox);
}

/* RFC 9208, 4.1.1. */
static bool parse_getquota(struct cursor *c, struct imap_command *cmd)
{
    return parse_sp(c) && parse_astring(c, &cmd->quota_root);
}

static const struct verb {
    const char *name;
    parse_fn *parse;
    bool uid; /* may follow UID (RFC 3501, 6.4.8; RFC 4315; RFC 6851) */
} verbs[IMAP_VERBS] = {
    [IMAP_CAPABILITY] = { "CAPABILITY", parse_nothing, false },
    [IMAP_NOOP] = { "NOOP", parse_nothing, false },
    [IMAP_LOGOUT] = { "LOGOUT", parse_nothing, false },
    [IMAP_ID] = { "ID", parse_id, false },
    [IMAP_STARTTLS] = { "STARTTLS", parse_nothing, false },
    [IMAP_AUTHENTICATE] = { "AUTHENTICATE", parse_authenticate, false },
    [IMAP_LOGIN] = { "LOGIN", parse_login, false },
    [IMAP_ENABLE] = { "ENABLE", parse_enable, false },
    [IMAP_SELECT] = { "SELECT", parse_select, false },
    [IMAP_EXAMINE] = { "EXAMINE", parse_select, false },
    [IMAP_CREATE] = { "CREATE", parse_create, false },
    [IMAP_DELETE] = { "DELETE", parse_one_mailbox, false },
    [IMAP_RENAME] = { "RENAME", parse_rename, false },
    [IMAP_SUBSCRIBE] = { "SUBSCRIBE", parse_one_mailbox, false },
    [IMAP_UNSUBSCRIBE] = { "UNSUBSCRIBE", parse_one_mailbox, false },
    [IMAP_LIST] = { "LIST", parse_list_command, false },
    [IMAP_LSUB] = { "LSUB", parse_list_command, false },
    [IMAP_NAMESPACE] = { "NAMESPACE", parse_nothing, false },
    [IMAP_STATUS] = { "STATUS", parse_status, false },
    [IMAP_APPEND] = { "APPEND", parse_append, false },
    [IMAP_IDLE] = { "IDLE", parse_nothing, false },
    [IMAP_CHECK] = { "CHECK", parse_nothing, false },
    [IMAP_CLOSE] = { "CLOSE", parse_nothing, false },
    [IMAP_UNSELECT] = { "UNSELECT", parse_nothing, false },
    [IMAP_EXPUNGE] = { "EXPUNGE", parse_expunge, true },
    [IMAP_SEARCH] = { "SEARCH", parse_search, true },
    [IMAP_FETCH] = { "FETCH", parse_fetch, true },
    [IMAP_STORE] = { "STORE", parse_store, true },
    [IMAP_COPY] = { "COPY", parse_copy, true },
    [IMAP_MOVE] = { "MOVE", parse_copy, true },
    [IMAP_GETQUOTA] = { "GETQUOTA", parse_getquota, false },
    [IMAP_GETQUOTAROOT] = { "GETQUOTAROOT", parse_one_mailbox, false },
    [IMAP_GETMETADATA] = { "GETMETADATA", parse_getmetadata, false },
    [IMAP_SETMETADATA] = { "SETMETADATA", parse_setmetadata, false },
};

const char *imap_verb_name(enum imap_verb verb)
{
    return verbs[verb].name;
}

/* tag = 1*<any ASTRING-CHAR except "+"> */
struct str imap_parse_tag(struct str text)
{
    size_t n = 0;

    while (n < text.len && (unsigned char)text.p[n] > 0x20 && (unsigned char)text.p[n] < 0x7f &&
           strchr("(){%*\"\\+", text.p[n]) == NULL)
        n++;
    return n > 0 && n <= 100 && n < text.len && text.p[n] == ' ' ? str_of(text.p, n) : STR_NULL;
}

static bool parse_verb(struct cursor *c, struct imap_command *cmd)
{
    cmd->uid = take_word(c, "UID");
    if (cmd->uid && !parse_sp(c))
        return false;
    for (size_t i = 0; i < IMAP_VERBS; i++) {
        if ((!cmd->uid || verbs[i].uid) && take_word(c, verbs[i].name)) {
            cmd->verb = (enum imap_verb)i;
            return true;
        }
    }
    return parse_fail(c, "No such command");
}

enum result imap_parse(struct arena *a, struct str text, size_t body_at, struct imap_command *ret,
                       const char **ret_error)
{
    struct cursor c = { .p = text.p, .end = text.p + text.len, .a = a };
    struct imap_command cmd = { .tag = imap_parse_tag(text) };

    ret->tag = cmd.tag;
    if (cmd.tag.p == NULL) {
        *ret_error = "Tag and command expected";
        return RES_INVALID;
    }
    if (body_at < text.len)
        c.body = text.p + body_at;
    c.p += cmd.tag.len + 1;
    if (!parse_verb(&c, &cmd) || !verbs[cmd.verb].parse(&c, &cmd) || !parse_end(&c)) {
        *ret_error = c.error != NULL ? c.error : "Syntax error";
        return RES_INVALID;
    }
    *ret = cmd;
    return RES_OK;
}

bool imap_parse_is_append(struct arena *a, struct str text, struct str *ret_tag)
{
    struct cursor c = { .p = text.p, .end = text.p + text.len, .a = a };
    struct imap_command cmd = { .tag = imap_parse_tag(text) };

    if (cmd.tag.p == NULL)
        return false;
    c.p += cmd.tag.len + 1;
    if (!parse_verb(&c, &cmd) || cmd.verb != IMAP_APPEND || !parse_append_head(&c, &cmd) || c.p != c.end)
        return false;
    *ret_tag = cmd.tag;
    return true;
}

bool imap_parse_literal(struct str line, uint64_t *ret_size, bool *ret_sync, size_t *ret_at)
{
    size_t open = str_rchr(line, '{');
    struct str inside;
    bool sync;

    if (open == SIZE_MAX || !str_ends(line, STR("}")))
        return false;
    inside = str_sub(line, open + 1, line.len - open - 2);
    sync = !str_ends(inside, STR("+"));
    if (!sync)
        inside.len--;
    if (!str_u64(inside, INT64_MAX, ret_size))
        return false;
    *ret_sync = sync;
    *ret_at = open;
    return true;
}
