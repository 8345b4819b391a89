/* /export: accounts as a file that /import takes.  No password and no hash of one is in it. */
#include "api/account_file.h"
#include "api/accounts.h"
#include "api/fields.h"
#include "api/handlers.h"
#include "api/problem.h"
#include "api/record.h"
#include "store/account_address.h"

#define ACCOUNTS_MOST 50000
#define BYTES_MOST ((size_t)64 << 20)
#define AT_ONCE 500

static const char *const formats[] = { "csv", "jsonl" };

static const struct field members[] = {
    { .name = "format", .type = FIELD_WORD, .words = formats, .n_words = ARRAY_LEN(formats) },
    { .name = "domain", .type = FIELD_STRINGS, .max = 20, .each = 255 },
    { .name = "state", .type = FIELD_STRINGS, .max = ACCOUNT_STATES, .words = account_state_names, .n_words = ACCOUNT_STATES - 1 },
    { .name = "role", .type = FIELD_STRINGS, .max = ACCOUNT_ROLES, .words = account_role_names, .n_words = ACCOUNT_ROLES },
    { .name = "q", .type = FIELD_STRING, .min = 1, .max = 320 },
};

/* A bit for each word of a list. */
static unsigned bits_of(struct request *r, const struct json_object *body, const char *name, const char *const *words, size_t n_words)
{
    struct str *v;
    unsigned bits = 0;
    size_t n;

    if (!field_strs(r, body, name, &v, &n))
        return 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n_words; k++)
            bits |= str_eq(v[i], str_c(words[k])) ? 1u << k : 0;
    }
    return bits;
}

static struct account_filter filter_of(struct request *r, const struct json_object *body)
{
    struct account_filter filter = { .visible = r->caller.visible };
    struct str *domains;

    filter.states = bits_of(r, body, "state", account_state_names, ACCOUNT_STATES);
    filter.roles = bits_of(r, body, "role", account_role_names, ACCOUNT_ROLES);
    filter.text = arena_lower(&r->arena, field_str(body, "q", STR_NULL));
    if (field_strs(r, body, "domain", &domains, &filter.n_domains)) {
        for (size_t i = 0; i < filter.n_domains; i++)
            domains[i] = arena_lower(&r->arena, domains[i]);
        filter.domains = domains;
    }
    return filter;
}

/* Adds the accounts behind `after`; *after is then the last of them, STR_NULL: that was all. */
static enum result add_some(struct request *r, const struct account_filter *filter, enum account_format format, struct str *after,
                            struct strbuf *b)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct account_addresses *further = arena_array(&a, struct account_addresses, AT_ONCE);
    int64_t *ids = arena_array(&a, int64_t, AT_ONCE);
    struct account *v;
    size_t n;
    bool more;
    enum result result = account_list(r->service->db, filter, false, *after, AT_ONCE, &a, &v, &n, &more);

    for (size_t i = 0; result == RES_OK && i < n; i++)
        ids[i] = v[i].id;
    if (result == RES_OK)
        result = account_address_further(r->service->db, ids, n, &a, further);
    if (result != RES_OK)
        return result;
    for (size_t i = 0; i < n; i++)
        account_file_add(b, format, &v[i], further[i].v, further[i].n, &a);
    *after = more ? arena_str(&r->arena, v[n - 1].address) : STR_NULL;
    return RES_OK;
}

static enum result write_file(struct request *r, const struct account_filter *filter, enum account_format format, struct strbuf *b)
{
    struct str after = STR_NULL;
    enum result result;

    account_file_head(b, format);
    do {
        result = add_some(r, filter, format, &after, b);
    } while (result == RES_OK && after.p != NULL && !b->overflow);
    return result;
}

static void answer(struct request *r, enum account_format format, const struct strbuf *b)
{
    if (b->overflow) {
        problem(r, PROBLEM_TOO_LARGE, "The file would be larger than %zu MiB: choose fewer accounts.", BYTES_MOST >> 20);
        return;
    }
    reply_header(r, "Content-Disposition", arena_printf(&r->arena, "attachment; filename=\"accounts.%s\"", formats[format]));
    reply_text(r, 200, format == ACCOUNT_CSV ? STR("text/csv; charset=utf-8; header=present") : STR("application/jsonl"),
               arena_str(&r->arena, strbuf_str(b)));
}

void export_post(struct request *r)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = BYTES_MOST };
    struct account_filter filter;
    enum account_format format;
    struct json_object *body;
    int64_t count;
    enum result result;

    if ((body = body_object(r, true)) == NULL)
        return;
    fields_check(r, body, STR(""), members, ARRAY_LEN(members), NULL);
    if (errors_of_body(r))
        return;
    format = (enum account_format)field_word(body, "format", formats, ARRAY_LEN(formats), ACCOUNT_CSV);
    filter = filter_of(r, body);
    result = account_count(r->service->db, &filter, ACCOUNTS_MOST + 1, &count);
    if (result == RES_OK && count > ACCOUNTS_MOST) {
        error_at(r, STR(""), "too-many", "More than %d accounts match: choose fewer, for instance by domain.", ACCOUNTS_MOST);
        (void)errors_of_body(r);
        return;
    }
    if (result == RES_OK)
        result = write_file(r, &filter, format, &b);
    if (result == RES_OK)
        result = audit_write(r->service->db, record(r, "account.export", STR_NULL, NULL, js_share(body)));
    if (result == RES_OK)
        answer(r, format, &b);
    else
        problem_of_result(r, result);
}
