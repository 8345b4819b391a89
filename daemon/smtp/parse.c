#include "smtp/parse.h"
#include "mail/address.h"

#define XTEXT_MAX 500

enum result smtp_parse_command(struct str line, struct arena *a, struct str *ret_verb, struct str *ret_args)
{
    size_t blank;
    char *verb;

    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.p[i];

        if ((c < ' ' && c != '\t') || c == 0x7f)
            return RES_INVALID;
    }
    blank = str_chr(line, ' ');
    if (blank == SIZE_MAX)
        blank = line.len;
    if (blank == 0 || blank > 20)
        return RES_INVALID;
    verb = arena_alloc(a, blank + 1);
    for (size_t i = 0; i < blank; i++) {
        if (!ascii_alpha(line.p[i]))
            return RES_INVALID;
        verb[i] = ascii_upper(line.p[i]);
    }
    *ret_verb = str_of(verb, blank);
    *ret_args = str_trim(str_from(line, blank));
    return RES_OK;
}

/* The end of "<...>", with quoted strings skipped; SIZE_MAX: none. */
static size_t path_end(struct str s)
{
    bool quoted = false;

    for (size_t i = 1; i < s.len; i++) {
        if (quoted && s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            quoted = !quoted;
        else if (s.p[i] == '>' && !quoted)
            return i;
    }
    return SIZE_MAX;
}

/* Takes "KEYWORD:<path>" from *rest.  A source route is accepted and ignored (RFC 5321, 4.1.1.3 and F.2). */
static enum result take_path(struct str *rest, struct str keyword, bool utf8, struct arena *a, struct smtp_path *ret)
{
    struct str inner;
    size_t end, colon;
    enum result r;

    if (!str_istarts(*rest, keyword))
        return RES_INVALID;
    *rest = str_trim(str_from(*rest, keyword.len)); /* a blank behind the colon is forgiven */
    if (rest->len < 2 || rest->p[0] != '<')
        return RES_INVALID;
    end = path_end(*rest);
    if (end == SIZE_MAX)
        return RES_INVALID;
    inner = str_sub(*rest, 1, end - 1);
    *rest = str_from(*rest, end + 1);
    if (rest->len > 0 && rest->p[0] != ' ')
        return RES_INVALID;
    if (inner.len == 0) {
        *ret = (struct smtp_path){ .null = true, .local = STR(""), .domain = STR(""), .text = STR("") };
        return RES_OK;
    }
    if (inner.p[0] == '@') {
        colon = str_chr(inner, ':');
        if (colon == SIZE_MAX)
            return RES_INVALID;
        inner = str_from(inner, colon + 1);
    }
    if (str_ieq(inner, STR("postmaster"))) {
        *ret = (struct smtp_path){ .local = STR("postmaster"), .domain = STR(""), .text = STR("postmaster") };
        return RES_OK;
    }
    r = address_parse_mailbox(inner, true, a, &ret->local, &ret->domain);
    if (r != RES_OK)
        return r;
    ret->null = false;
    ret->text = address_write_mailbox(a, ret->local, ret->domain);
    return !utf8 && !str_is_ascii(inner) ? RES_CONFLICT : RES_OK;
}

/* xtext (RFC 3461, 4): printable ASCII but "+" and "=", and "+" with two upper-case hex digits. */
static bool xtext_ok(struct str s)
{
    if (s.len > XTEXT_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (c == '+') {
            for (size_t k = 1; k <= 2; k++) {
                char h = i + k < s.len ? s.p[i + k] : ' ';

                if (!ascii_digit(h) && (h < 'A' || h > 'F'))
                    return false;
            }
            i += 2;
        } else if (c < '!' || c > '~' || c == '=') {
            return false;
        }
    }
    return true;
}

static void split_param(struct str param, struct str *ret_key, struct str *ret_value)
{
    size_t at = str_chr(param, '=');

    *ret_key = at == SIZE_MAX ? param : str_sub(param, 0, at);
    *ret_value = at == SIZE_MAX ? STR_NULL : str_from(param, at + 1);
}

static enum result take_mail_param(struct str key, struct str value, int64_t now_us, struct arena *a, struct smtp_mail_params *p)
{
    if (str_ieq(key, STR("SIZE"))) {
        if (p->has_size || !str_u64(value, INT64_MAX, &p->size))
            return RES_INVALID;
        p->has_size = true;
        return RES_OK;
    }
    if (str_ieq(key, STR("BODY"))) { /* RFC 6152; RFC 3030, 3 */
        p->eight_bit = str_ieq(value, STR("8BITMIME"));
        p->binary = str_ieq(value, STR("BINARYMIME"));
        return p->eight_bit || p->binary || str_ieq(value, STR("7BIT")) ? RES_OK : RES_INVALID;
    }
    if (str_ieq(key, STR("SMTPUTF8"))) { /* RFC 6531, 3.4: without a value */
        p->smtputf8 = true;
        return value.p == NULL ? RES_OK : RES_INVALID;
    }
    if (str_ieq(key, STR("RET"))) {
        if (p->ret != 0)
            return RES_INVALID;
        p->ret = str_ieq(value, STR("FULL")) ? 'F' : 'H';
        return p->ret == 'F' || str_ieq(value, STR("HDRS")) ? RES_OK : RES_INVALID;
    }
    if (str_ieq(key, STR("ENVID"))) {
        if (p->envid.p != NULL || value.len == 0 || value.len > 100 || !xtext_ok(value))
            return RES_INVALID;
        p->envid = arena_str(a, value);
        return RES_OK;
    }
    if (str_ieq(key, STR("BY")))
        return p->by.at_us != 0 ? RES_INVALID : deliver_by_parse(value, now_us, &p->by);
    if (str_ieq(key, STR("AUTH"))) /* RFC 4954, 5: we trust no such claim, as if it were "<>" */
        return value.len > 0 && xtext_ok(value) ? RES_OK : RES_INVALID;
    return RES_DENIED;
}

enum result smtp_parse_mail(struct str args, int64_t now_us, struct arena *a, struct smtp_path *ret_path,
                            struct smtp_mail_params *ret_params)
{
    struct smtp_mail_params params = { 0 };
    struct smtp_path path = { 0 };
    struct str rest = args, word, key, value;
    enum result r = take_path(&rest, STR("FROM:"), true, a, &path);

    if (r != RES_OK)
        return r;
    while (str_word(&rest, &word)) {
        split_param(word, &key, &value);
        r = take_mail_param(key, value, now_us, a, &params);
        if (r != RES_OK)
            return r;
    }
    if (!params.smtputf8 && !str_is_ascii(path.text))
        return RES_CONFLICT;
    if (str_eq(path.text, STR("postmaster")))
        return RES_INVALID; /* only RCPT may leave the domain out */
    *ret_path = path;
    *ret_params = params;
    return RES_OK;
}

static enum result take_notify(struct str value, unsigned *ret)
{
    static const struct { const char *name; unsigned bit; } words[] = { { "NEVER", 1 }, { "SUCCESS", 2 }, { "FAILURE", 4 },
                                                                        { "DELAY", 8 } };
    unsigned bits = 0;
    struct str word;

    while (str_split(&value, ',', &word)) {
        unsigned bit = 0;

        for (size_t i = 0; i < ARRAY_LEN(words); i++) {
            if (str_ieq(word, str_c(words[i].name)))
                bit = words[i].bit;
        }
        if (bit == 0)
            return RES_INVALID;
        bits |= bit;
    }
    if (bits == 0 || ((bits & 1) != 0 && bits != 1)) /* NEVER stands alone (RFC 3461, 4.1) */
        return RES_INVALID;
    *ret = bits;
    return RES_OK;
}

static enum result take_rcpt_param(struct str key, struct str value, struct arena *a, struct smtp_rcpt_params *p)
{
    if (str_ieq(key, STR("NOTIFY")))
        return p->notify != 0 ? RES_INVALID : take_notify(value, &p->notify);
    if (str_ieq(key, STR("ORCPT"))) { /* RFC 3461, 4.2; utf-8 type: RFC 6533, 3 */
        size_t semicolon = str_chr(value, ';');

        if (p->orcpt.p != NULL || semicolon == SIZE_MAX || semicolon == 0 || semicolon + 1 == value.len)
            return RES_INVALID;
        if (!xtext_ok(value) && !(str_istarts(value, STR("utf-8;")) && str_is_utf8(value) && value.len <= XTEXT_MAX))
            return RES_INVALID;
        p->orcpt = arena_str(a, value);
        return RES_OK;
    }
    return RES_DENIED;
}

enum result smtp_parse_rcpt(struct str args, bool smtputf8, struct arena *a, struct smtp_path *ret_path,
                            struct smtp_rcpt_params *ret_params)
{
    struct smtp_rcpt_params params = { 0 };
    struct smtp_path path = { 0 };
    struct str rest = args, word, key, value;
    enum result r = take_path(&rest, STR("TO:"), smtputf8, a, &path);

    if (r != RES_OK)
        return r;
    if (path.null)
        return RES_INVALID;
    while (str_word(&rest, &word)) {
        split_param(word, &key, &value);
        r = take_rcpt_param(key, value, a, &params);
        if (r != RES_OK)
            return r;
    }
    *ret_path = path;
    *ret_params = params;
    return RES_OK;
}

enum result smtp_parse_bdat(struct str args, uint64_t *ret_size, bool *ret_last)
{
    struct str rest = args, size;
    uint64_t value;

    if (!str_word(&rest, &size))
        return RES_INVALID;
    for (size_t i = 0; i < size.len; i++) {
        if (!ascii_digit(size.p[i]))
            return RES_INVALID;
    }
    rest = str_trim(rest);
    if (rest.len > 0 && !str_ieq(rest, STR("LAST")))
        return RES_INVALID;
    *ret_size = str_u64(size, INT64_MAX, &value) ? value : INT64_MAX;
    *ret_last = rest.len > 0;
    return RES_OK;
}

bool smtp_helo_ok(struct str args)
{
    if (args.len == 0 || args.len > 255)
        return false;
    for (size_t i = 0; i < args.len; i++) {
        if (args.p[i] <= ' ' || args.p[i] == 0x7f)
            return false;
    }
    return str_is_utf8(args);
}
