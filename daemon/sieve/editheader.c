/* addheader and deleteheader (RFC 5293).  A change makes a new list of fields, so that a script that fails later can
 * be taken back by going back to the old one. */
#include "sieve/compiler.h"
#include "sieve/runtime.h"

#include "mail/charset.h"

#define MAX_EDITS ((unsigned)100)
#define MAX_VALUE ((size_t)8192)

static bool is_field_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] <= 32 || s.p[i] >= 127 || s.p[i] == ':')
            return false;
    }
    return s.len > 0 && s.len <= 100;
}

/* Fields whose loss would hide loops (RFC 5293, 6); an attempt is ignored. */
static bool is_protected(struct str name)
{
    return str_ieq(name, STR("Received")) || str_ieq(name, STR("Auto-Submitted"));
}

static bool check_name(struct sieve_compiler *c, struct sieve_node *n)
{
    struct str name = arg_constant(n->args[0]);

    if (name.p != NULL && !is_field_name(name))
        return compile_error(c, n->args[0]->line, n->args[0]->column, "\"%.*s\" is no name of a header field",
                             (int)MIN(name.len, (size_t)100), name.p);
    return true;
}

static bool begin_edit(struct sieve_run *r, const struct sieve_node *n, struct str name)
{
    if (!is_field_name(name))
        return run_error(r, n, "\"%.*s\" is no name of a header field", (int)MIN(name.len, (size_t)100), name.p);
    return r->state.version < MAX_EDITS || run_error(r, n, "more than %u changes of the message", MAX_EDITS);
}

static struct str field_raw(struct sieve_run *r, struct str name, struct str value)
{
    char *p;

    value = utf8_clean(&r->scratch, value);
    p = arena_cstr(&r->scratch, value);
    for (size_t i = 0; i < value.len; i++) {
        if ((unsigned char)p[i] < 32 || p[i] == 127)
            p[i] = ' ';
    }
    value = header_encode(&r->scratch, name, str_of(p, value.len));
    return arena_printf(&r->keep, "%.*s: %.*s\r\n", STR_ARG(name), STR_ARG(value));
}

static enum sieve_flow run_addheader(struct sieve_run *r, const struct sieve_node *n)
{
    struct str name = run_arg(r, n->args[0]), value = str_trim(run_arg(r, n->args[1]));
    struct sieve_fields old = r->state.header, new = { .rest = old.rest, .n = old.n + 1 };
    bool last = node_tag(n, SLOT_LAST) != NULL;
    struct sieve_field *f;
    struct str raw;

    if (!begin_edit(r, n, name))
        return FLOW_ERROR;
    if (value.len > MAX_VALUE) {
        run_error(r, n, "the value of the header field is longer than %zu bytes", MAX_VALUE);
        return FLOW_ERROR;
    }
    raw = field_raw(r, name, value);
    new.list = arena_array(&r->keep, struct sieve_field, new.n);
    memcpy(new.list + !last, old.list, old.n * sizeof(*f));
    f = &new.list[last ? old.n : 0];
    *f = (struct sieve_field){ .name = str_sub(raw, 0, name.len), .raw = raw };
    f->value = str_sub(raw, name.len + 1, raw.len - name.len - 3);
    if (last && old.n > 0 && !str_ends(old.list[old.n - 1].raw, STR("\n"))) { /* a message that ends in its header */
        f = &new.list[old.n - 1];
        f->raw = arena_printf(&r->keep, "%.*s\r\n", STR_ARG(f->raw));
    }
    r->state.header = new;
    r->state.version++;
    return FLOW_NEXT;
}

/* Is this the field that the command means? */
static bool matches(struct sieve_run *r, const struct sieve_node *n, struct sieve_field *f, bool *ret)
{
    struct sieve_matcher m;

    *ret = true;
    if (n->args[1] == NULL)
        return true;
    matcher_begin(&m, r, n, n->args[1]);
    m.no_variables = true;
    matcher_value(&m, view_field_text(&r->view, f));
    return matcher_end(&m, ret);
}

static enum sieve_flow run_deleteheader(struct sieve_run *r, const struct sieve_node *n)
{
    struct str name = run_arg(r, n->args[0]);
    struct sieve_fields old = r->state.header, new = { .rest = old.rest };
    struct sieve_field **chosen;
    size_t nchosen, next = 0;

    if (!begin_edit(r, n, name))
        return FLOW_ERROR;
    chosen = run_fields(r, n, name, &nchosen);
    if (nchosen == 0 || is_protected(name))
        return FLOW_NEXT;
    new.list = arena_array(&r->keep, struct sieve_field, old.n);
    for (size_t i = 0; i < old.n; i++) {
        bool gone = false;

        if (next < nchosen && chosen[next] == &old.list[i]) {
            next++;
            if (!matches(r, n, &old.list[i], &gone))
                return FLOW_ERROR;
        }
        if (!gone)
            new.list[new.n++] = old.list[i];
    }
    if (new.n < old.n) {
        r->state.header = new;
        r->state.version++;
    }
    return FLOW_NEXT;
}

static const struct sieve_tag add_tags[] = {
    { "last", SLOT_LAST, EXT_NONE, 0, 0 },
    { 0 },
};

/* :index of deleteheader belongs to editheader itself (RFC 5293, 5). */
static const struct sieve_tag delete_tags[] = {
    { "index", SLOT_INDEX, EXT_NONE, 0, 'N' },
    { "last", SLOT_LAST, EXT_NONE, 0, 0 },
    { 0 },
};

static bool check_delete(struct sieve_compiler *c, struct sieve_node *n)
{
    const struct sieve_arg *last = node_tag(n, SLOT_LAST), *index = node_tag_value(n, SLOT_INDEX);

    if (last != NULL && index == NULL)
        return compile_error(c, last->line, last->column, "\":last\" needs \":index\"");
    if (index != NULL && index->number == 0)
        return compile_error(c, index->line, index->column, "\":index\" counts from 1");
    return check_name(c, n);
}

const struct sieve_spec sieve_editheader_specs[] = {
    { .name = "addheader",
      .ext = EXT_EDITHEADER,
      .args = "SS",
      .tags = { add_tags },
      .check = check_name,
      .command = run_addheader },
    { .name = "deleteheader",
      .ext = EXT_EDITHEADER,
      .flags = SPEC_MATCHES,
      .args = "Sl",
      .tags = { delete_tags },
      .check = check_delete,
      .command = run_deleteheader },
    { 0 },
};
