/* address and envelope (RFC 5228, 5.1 and 5.4; RFC 5233; RFC 6009, 3). */
#include "sieve/compiler.h"
#include "sieve/runtime.h"

enum { PART_ALL, PART_LOCAL, PART_DOMAIN, PART_USER, PART_DETAIL };

/* Fields that hold addresses: those of the RFCs, and what is seen (RFC 5228, 5.1 wants others refused). */
static bool is_address_field(struct str name)
{
    static const char *const known[] = {
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "reply-to",
        "resent-from",
        "resent-to",
        "resent-cc",
        "resent-bcc",
        "resent-sender",
        "resent-reply-to",
        "return-path",
        "delivered-to",
        "x-original-to",
        "envelope-to",
        "x-envelope-to",
        "x-envelope-from",
        "envelope-from",
        "errors-to",
        "apparently-to",
        "x-delivered-to",
        "mail-followup-to",
        "mail-reply-to",
        "disposition-notification-to",
        "return-receipt-to",
        "x-forwarded-to",
        "x-forwarded-for",
        "x-sender",
        "abuse-reports-to",
        "x-complaints-to",
        "x-report-abuse-to",
        "x-beenthere",
        "x-mailing-list",
        "list-post",
        "original-recipient",
        "final-recipient",
        "author",
        "original-from",
        "approved",
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (str_ieq(name, str_c(known[i])))
            return true;
    }
    return false;
}

static bool check_address(struct sieve_compiler *c, struct sieve_node *n)
{
    const struct sieve_arg *child = node_tag(n, SLOT_ANYCHILD);

    if (child != NULL && node_tag(n, SLOT_MIME) == NULL)
        return compile_error(c, child->line, child->column, "\":anychild\" needs \":mime\"");
    for (size_t i = 0; i < n->args[0]->n; i++) {
        const struct sieve_string *s = &n->args[0]->strings[i];

        if (s->pieces == NULL && !is_address_field(s->text))
            return compile_error(c, n->args[0]->line, n->args[0]->column, "the field \"%.*s\" holds no addresses",
                                 (int)MIN(s->text.len, (size_t)100), s->text.p);
    }
    return true;
}

/* Index of the separator of a sub-address, SIZE_MAX if there is none (RFC 5233, 4). */
static size_t find_separator(const struct sieve_run *r, struct str local)
{
    struct str separators = r->env->separators.len > 0 ? r->env->separators : STR("+");

    for (size_t i = 0; i < local.len; i++) {
        if (str_chr(separators, local.p[i]) != SIZE_MAX)
            return i;
    }
    return SIZE_MAX;
}

struct str address_part(struct sieve_run *r, const struct sieve_node *n, struct str local, struct str domain)
{
    const struct sieve_arg *tag = node_tag(n, SLOT_ADDRESS_PART);
    size_t separator;

    switch (tag != NULL ? tag->tag->id : PART_ALL) {
    case PART_LOCAL:
        return local;
    case PART_DOMAIN:
        return domain;
    case PART_USER:
        return str_sub(local, 0, find_separator(r, local));
    case PART_DETAIL:
        separator = find_separator(r, local);
        return separator == SIZE_MAX ? STR_NULL : str_from(local, separator + 1);
    default:
        return address_write_mailbox(&r->scratch, local, domain);
    }
}

static bool match_addresses(struct sieve_run *r, const struct sieve_node *n, struct sieve_matcher *m,
                            struct sieve_field *field)
{
    view_field_addresses(&r->view, field);
    for (size_t i = 0; i < field->naddresses; i++) {
        const struct mail_address *a = &field->addresses[i];
        struct str part;

        if (a->kind != ADDRESS_MAILBOX || a->local.p == NULL)
            continue;
        part = address_part(r, n, a->local, a->domain);
        if (part.p != NULL && matcher_value(m, part))
            return true;
    }
    return false;
}

static bool test_address(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    struct str *names = run_list(r, n->args[0]);
    struct sieve_matcher m;
    bool done = false;

    matcher_begin(&m, r, n, n->args[1]);
    for (size_t i = 0; i < n->args[0]->n && !done; i++) {
        size_t nfields = 0;
        struct sieve_field **fields = NULL;

        if (is_address_field(names[i]))
            fields = run_fields(r, n, names[i], &nfields);
        for (size_t k = 0; k < nfields && !done; k++)
            done = match_addresses(r, n, &m, fields[k]);
    }
    return matcher_end(&m, ret);
}

static const struct envelope_part {
    const char *name;
    enum sieve_ext ext;
    bool address;
} envelope_parts[] = {
    { "from", EXT_ENVELOPE, true },
    { "to", EXT_ENVELOPE, true },
    { "auth", EXT_ENVELOPE, false }, /* as other servers have it */
    { "notify", EXT_ENVELOPE_DSN, false },
    { "orcpt", EXT_ENVELOPE_DSN, false },
    { "ret", EXT_ENVELOPE_DSN, false },
    { "envid", EXT_ENVELOPE_DSN, false },
    { "bytimeabsolute", EXT_ENVELOPE_DELIVERBY, false },
    { "bymode", EXT_ENVELOPE_DELIVERBY, false },
    { "bytrace", EXT_ENVELOPE_DELIVERBY, false },
};

static const struct envelope_part *find_part(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(envelope_parts); i++) {
        if (str_ieq(name, str_c(envelope_parts[i].name)))
            return &envelope_parts[i];
    }
    return NULL;
}

static bool check_envelope(struct sieve_compiler *c, struct sieve_node *n)
{
    const struct sieve_arg *names = n->args[0];

    for (size_t i = 0; i < names->n; i++) {
        const struct envelope_part *part = find_part(names->strings[i].text);

        if (names->strings[i].pieces != NULL)
            continue;
        if (part == NULL)
            return compile_error(c, names->line, names->column, "the envelope has no part \"%.*s\"",
                                 (int)MIN(names->strings[i].text.len, (size_t)100), names->strings[i].text.p);
        if (!compiler_has(c, part->ext) && !compiler_has(c, EXT_IHAVE))
            return compile_error(c, names->line, names->column, "the envelope part \"%s\" needs \"require\" of \"%s\"",
                                 part->name, ext_name(part->ext));
        if (!part->address && node_tag(n, SLOT_ADDRESS_PART) != NULL)
            return compile_error(c, names->line, names->column, "the envelope part \"%s\" is no address", part->name);
    }
    return true;
}

/* A path without its angle brackets.  The null sender is the empty string for each address part (RFC 5228, 5.4). */
static bool match_path(struct sieve_run *r, const struct sieve_node *n, struct sieve_matcher *m, struct str path)
{
    size_t at = str_rchr(path, '@');
    struct str local = str_sub(path, 0, at), domain = at == SIZE_MAX ? STR_NULL : str_from(path, at + 1), part;

    if (path.len == 0)
        return matcher_value(m, STR(""));
    if (node_tag(n, SLOT_ADDRESS_PART) == NULL)
        return matcher_value(m, path);
    part = address_part(r, n, local, domain);
    return part.p != NULL && matcher_value(m, part);
}

static bool test_envelope(struct sieve_run *r, const struct sieve_node *n, bool *ret)
{
    struct str *names = run_list(r, n->args[0]);
    struct sieve_matcher m;
    bool done = false;

    if (r->env->imap) /* RFC 6785, 4.6 */
        return run_error(r, n, "\"envelope\" cannot be tested for changes of a mailbox");
    matcher_begin(&m, r, n, n->args[1]);
    for (size_t i = 0; i < n->args[0]->n && !done; i++) {
        const struct envelope_part *part = find_part(names[i]);
        struct str value;

        if (part == NULL || !run_has(r, part->ext))
            continue;
        if (str_ieq(names[i], STR("from")))
            value = r->env->from;
        else if (str_ieq(names[i], STR("to")))
            value = r->env->to;
        else if (str_ieq(names[i], STR("auth")))
            value = r->env->auth;
        else
            value = env_item(r->env->envelope, r->env->nenvelope, names[i]);
        if (value.p == NULL)
            continue;
        done = part->address ? match_path(r, n, &m, value) : matcher_value(&m, value);
    }
    return matcher_end(&m, ret);
}

static const struct sieve_tag part_tags[] = {
    { "all", SLOT_ADDRESS_PART, EXT_NONE, PART_ALL, 0 },
    { "localpart", SLOT_ADDRESS_PART, EXT_NONE, PART_LOCAL, 0 },
    { "domain", SLOT_ADDRESS_PART, EXT_NONE, PART_DOMAIN, 0 },
    { "user", SLOT_ADDRESS_PART, EXT_SUBADDRESS, PART_USER, 0 },
    { "detail", SLOT_ADDRESS_PART, EXT_SUBADDRESS, PART_DETAIL, 0 },
    { 0 },
};

const struct sieve_spec sieve_address_specs[] = {
    { .name = "address",
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "LL",
      .tags = { part_tags, sieve_index_tags, sieve_mime_tags },
      .check = check_address,
      .test = test_address },
    { .name = "envelope",
      .ext = EXT_ENVELOPE,
      .or_ext = EXT_NONE,
      .flags = SPEC_TEST | SPEC_MATCHES,
      .args = "LL",
      .tags = { part_tags },
      .check = check_envelope,
      .test = test_envelope },
    { 0 },
};
