/* foreverypart, break, extracttext, replace and enclose (RFC 5703).
 *
 * The tests of a script see the parts of the message as it came; what is replaced is a list of ranges of its bytes,
 * put in place when an action takes the message. */
#include "sieve/mime.h"
#include "sieve/compiler.h"

#include "mail/charset.h"
#include "mail/date.h"
#include "mail/transfer.h"

#define MAX_EDITS 100

struct str mime_body(struct sieve_run *r)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    size_t at = r->view.body_at;

    if (r->state.edits == NULL)
        return str_from(r->env->message, at);
    for (const struct sieve_edit *e = r->state.edits; e != NULL; e = e->next) {
        strbuf_add(&out, str_sub(r->env->message, at, e->from - at));
        strbuf_add(&out, e->bytes);
        at = e->to;
    }
    strbuf_add(&out, str_from(r->env->message, at));
    return arena_str(r->arena, strbuf_str(&out));
}

/* Puts bytes in place of a range: edits inside it go, one around it makes this one void.  The list is made anew, so
 * that a script that fails later can be taken back. */
static void edit(struct sieve_run *r, size_t from, size_t to, struct str bytes)
{
    struct sieve_edit *list = NULL, **link = &list, *new = arena_new(&r->keep, struct sieve_edit);
    bool placed = false;

    *new = (struct sieve_edit){ .from = from, .to = to, .bytes = bytes };
    for (const struct sieve_edit *e = r->state.edits; e != NULL; e = e->next) {
        if (e->from <= from && e->to >= to && !(e->from == from && e->to == to))
            return;
        if (e->from >= from && e->to <= to)
            continue;
        if (e->from >= to && !placed) {
            *link = new;
            link = &new->next;
            placed = true;
        }
        *link = arena_new(&r->keep, struct sieve_edit);
        **link = *e;
        link = &(*link)->next;
    }
    *link = placed ? NULL : new;
    r->state.edits = list;
}

/* Text with CR LF at each line's end. */
static struct str with_crlf(struct sieve_run *r, struct str s)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
            strbuf_addc(&out, '\r');
        strbuf_addc(&out, s.p[i]);
    }
    return arena_str(&r->keep, strbuf_str(&out));
}

/* A text/plain entity: its fields, and its body. */
static void text_entity(struct sieve_run *r, struct str text, struct str *ret_fields, struct str *ret_body)
{
    text = with_crlf(r, utf8_clean(&r->keep, text));
    *ret_fields = STR("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n");
    *ret_body = transfer_qp_encode(&r->keep, text);
}

static bool begin_change(struct sieve_run *r, const struct sieve_node *n, uint64_t bytes)
{
    if (r->state.version >= MAX_EDITS)
        return run_error(r, n, "more than %d changes of the message", MAX_EDITS);
    return run_spend(r, n, bytes);
}

/* A new header: of the fields that are there, those that `keeps` wants, then the new ones. */
static void set_header(struct sieve_run *r,
                       bool (*keeps)(const struct sieve_field *f, const struct str *names, size_t n),
                       const struct str *names, size_t nnames, struct str fields)
{
    struct sieve_fields old = r->state.header, added = view_read_fields(&r->view, fields), new = { .rest = old.rest };

    new.list = arena_array(&r->keep, struct sieve_field, old.n + added.n);
    for (size_t i = 0; i < old.n; i++) {
        if (keeps(&old.list[i], names, nnames))
            new.list[new.n++] = old.list[i];
    }
    memcpy(new.list + new.n, added.list, added.n * sizeof(*new.list));
    new.n += added.n;
    if (new.rest.len == 0)
        new.rest = STR("\r\n");
    r->state.header = new;
}

/* All but what describes the content, and `names`. */
static bool keeps_envelope(const struct sieve_field *f, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_ieq(f->name, names[i]))
            return false;
    }
    return !str_istarts(f->name, STR("Content-")) && !str_ieq(f->name, STR("MIME-Version"));
}

/* Only `names`, and the trace (RFC 5321, 4.4). */
static bool keeps_named(const struct sieve_field *f, const struct str *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_ieq(f->name, names[i]))
            return true;
    }
    return str_ieq(f->name, STR("Received")) || str_ieq(f->name, STR("Return-Path")) ||
           str_ieq(f->name, STR("Auto-Submitted"));
}

static void add_unstructured(struct sieve_run *r, struct strbuf *out, struct str name, struct str text)
{
    strbuf_add(out, name);
    strbuf_adds(out, ": ");
    strbuf_add(out, header_encode(&r->scratch, name, header_decode(&r->scratch, text)));
    strbuf_adds(out, "\r\n");
}

/* The part that a command is about: the loop's, outside of one the whole message. */
static const struct mail_part *current_part(struct sieve_run *r)
{
    return r->view.loop != NULL ? r->view.loop->part : view_root(&r->view);
}

/* The entity that `replace` puts in place. */
static void replacement(struct sieve_run *r, const struct sieve_node *n, struct str *ret_fields, struct str *ret_body)
{
    struct str text = run_arg(r, n->args[0]);
    size_t header;

    if (node_tag(n, SLOT_MIME_REASON) == NULL) {
        text_entity(r, text, ret_fields, ret_body);
        return;
    }
    text = with_crlf(r, text);
    header = header_size(text);
    *ret_fields =
        str_sub(text, 0, header >= 2 && str_ends(str_sub(text, 0, header), STR("\r\n\r\n")) ? header - 2 : header);
    if (str_eq(str_sub(text, 0, 2), STR("\r\n")))
        *ret_fields = STR("");
    *ret_body = str_from(text, header);
}

static enum sieve_flow run_replace(struct sieve_run *r, const struct sieve_node *n)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };
    struct str subject = run_arg(r, node_tag_value(n, SLOT_SUBJECT)), from = run_arg(r, node_tag_value(n, SLOT_FROM));
    const struct mail_part *part = current_part(r);
    struct str fields, body, gone[2], bare;
    size_t ngone = 0;

    if (!begin_change(r, n, SIEVE_STEP_COST))
        return FLOW_ERROR;
    if (from.p != NULL && !run_address(r, from, &bare)) {
        run_error(r, n, "\":from\" of \"replace\" is no address");
        return FLOW_ERROR;
    }
    replacement(r, n, &fields, &body);
    if (part != view_root(&r->view)) {
        strbuf_add(&out, fields);
        strbuf_adds(&out, "\r\n");
        strbuf_add(&out, body);
        edit(r, part->header_at, part->end, arena_str(&r->keep, strbuf_str(&out)));
        r->state.version++;
        return FLOW_NEXT;
    }
    if (subject.p != NULL) {
        gone[ngone++] = STR("Subject");
        add_unstructured(r, &out, STR("Subject"), subject);
    }
    if (from.p != NULL) {
        gone[ngone++] = STR("From");
        strbuf_addf(&out, "From: %.*s\r\n", STR_ARG(bare));
    }
    strbuf_adds(&out, "MIME-Version: 1.0\r\n");
    strbuf_add(&out, fields);
    set_header(r, keeps_envelope, gone, ngone, arena_str(&r->keep, strbuf_str(&out)));
    edit(r, r->view.body_at, r->env->message.len, body);
    r->state.version++;
    return FLOW_NEXT;
}

/* A delimiter that occurs nowhere in the message. */
static struct str find_boundary(struct sieve_run *r, struct str header, struct str body)
{
    struct str boundary;
    uint64_t seed = str_hash(body) ^ (uint64_t)r->env->now_us;

    do {
        boundary = arena_printf(&r->keep, "=_enclosed_%016llx", (unsigned long long)seed++);
    } while (str_find(header, boundary) != SIZE_MAX || memmem(body.p, body.len, boundary.p, boundary.len) != NULL);
    return boundary;
}

static struct str header_bytes(struct sieve_run *r)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 };

    for (size_t i = 0; i < r->state.header.n; i++)
        strbuf_add(&out, r->state.header.list[i].raw);
    strbuf_add(&out, r->state.header.rest);
    return arena_str(&r->keep, strbuf_str(&out));
}

/* The fields of the message around the enclosed one, which :headers does not take over. */
static void outer_fields(struct sieve_run *r, const struct sieve_node *n, const struct str *names, size_t nnames,
                         struct str boundary, struct strbuf *out)
{
    struct str subject = run_arg(r, node_tag_value(n, SLOT_SUBJECT));
    struct sieve_field *f = run_field(r, STR("Subject"));
    bool has_from = false, has_date = false, has_subject = false;

    for (size_t i = 0; i < nnames; i++) {
        has_from |= str_ieq(names[i], STR("From"));
        has_date |= str_ieq(names[i], STR("Date"));
        has_subject |= str_ieq(names[i], STR("Subject"));
    }
    if (subject.p == NULL && f != NULL && !has_subject)
        subject = view_field_text(&r->view, f);
    if (subject.p != NULL)
        add_unstructured(r, out, STR("Subject"), subject);
    if (!has_from)
        strbuf_addf(out, "From: %.*s\r\n", STR_ARG(r->env->to));
    if (!has_date)
        strbuf_addf(out, "Date: %.*s\r\n", STR_ARG(date_print(&r->scratch, r->env->now_us, r->env->zone_minutes)));
    strbuf_addf(out, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"%.*s\"\r\n", STR_ARG(boundary));
}

/* The whole message becomes the second part of a new one; the text is the first. */
static enum sieve_flow run_enclose(struct sieve_run *r, const struct sieve_node *n)
{
    CLEANUP(strbuf_release) struct strbuf out = { 0 }, fields_out = { 0 };
    const struct sieve_arg *headers = node_tag_value(n, SLOT_HEADERS);
    struct str *names = headers != NULL ? run_list(r, headers) : NULL, header, body, fields, text, boundary;
    size_t nnames = headers != NULL ? headers->n : 0;

    for (const struct sieve_edit *e = r->state.edits; e != NULL; e = e->next) {
        if (e->enclosed) {
            run_error(r, n, "\"enclose\" can be used only once");
            return FLOW_ERROR;
        }
    }
    if (!begin_change(r, n, 2 * r->env->message.len))
        return FLOW_ERROR;
    header = header_bytes(r);
    body = mime_body(r);
    boundary = find_boundary(r, header, body);
    text_entity(r, run_arg(r, n->args[0]), &fields, &text);
    strbuf_addf(&out, "--%.*s\r\n%.*s\r\n%.*s\r\n--%.*s\r\nContent-Type: message/rfc822\r\n\r\n", STR_ARG(boundary),
                STR_ARG(fields), STR_ARG(text), STR_ARG(boundary));
    strbuf_add(&out, header);
    strbuf_add(&out, body);
    strbuf_addf(&out, "\r\n--%.*s--\r\n", STR_ARG(boundary));
    outer_fields(r, n, names, nnames, boundary, &fields_out);
    edit(r, r->view.body_at, r->env->message.len, arena_str(&r->keep, strbuf_str(&out)));
    r->state.edits->enclosed = true;
    set_header(r, keeps_named, names, nnames, arena_str(&r->keep, strbuf_str(&fields_out)));
    r->state.version++;
    return FLOW_NEXT;
}

/* The current part's text; one that is no text gives the empty string. */
static enum sieve_flow run_extracttext(struct sieve_run *r, const struct sieve_node *n)
{
    const struct sieve_arg *first = node_tag_value(n, SLOT_FIRST);
    const struct mail_part *part = current_part(r);
    struct str text = STR("");

    if (part->kind == MAIL_LEAF && str_eq(part->type, STR("text")))
        text = view_part_text(&r->view, part);
    if (first != NULL)
        text = utf8_cut_chars(text, first->number);
    text = variable_modify(r, n, text);
    if (!run_spend(r, n, text.len))
        return FLOW_ERROR;
    run_set(r, r->frame->variables[n->number], text);
    return FLOW_NEXT;
}

static bool check_extracttext(struct sieve_compiler *c, struct sieve_node *n)
{
    unsigned index;

    if (!compiler_has(c, EXT_VARIABLES))
        return compile_error(c, n->line, n->column, "\"extracttext\" needs \"require\" of \"variables\"");
    if (c->loops == 0)
        return compile_error(c, n->line, n->column, "\"extracttext\" must stand inside \"foreverypart\"");
    if (!compile_variable(c, n->args[0], arg_constant(n->args[0]), &index))
        return false;
    c->script->variables[index].assigned = true;
    n->number = (int)index;
    return true;
}

/* The part behind `p` in the walk over what `top` holds; NULL: that was the last. */
static const struct mail_part *next_inside(const struct mail_part *p, const struct mail_part *top)
{
    if (p->children != NULL)
        return p->children;
    while (p != top && p->next == NULL)
        p = p->parent;
    return p == top ? NULL : p->next;
}

/* All parts, the message first; inside another loop those of its current part (RFC 5703, 3). */
static enum sieve_flow run_foreverypart(struct sieve_run *r, const struct sieve_node *n)
{
    struct sieve_loop loop = { .parent = r->view.loop, .name = run_arg(r, node_tag_value(n, SLOT_NAME)) };
    const struct mail_part *top = current_part(r);
    enum sieve_flow flow = FLOW_NEXT;

    loop.part = loop.parent == NULL ? top : top->children;
    for (; loop.part != NULL && flow == FLOW_NEXT; loop.part = next_inside(loop.part, top)) {
        r->view.loop = &loop;
        flow = run_spend(r, n, SIEVE_STEP_COST) ? run_block(r, n->block) : FLOW_ERROR;
    }
    r->view.loop = loop.parent;
    if (flow != FLOW_BREAK)
        return flow;
    if (r->break_name.p == NULL || str_eq(r->break_name, loop.name)) {
        r->break_name = STR_NULL;
        return FLOW_NEXT;
    }
    return loop.parent != NULL ? FLOW_BREAK : FLOW_NEXT;
}

static enum sieve_flow run_break(struct sieve_run *r, const struct sieve_node *n)
{
    r->break_name = arg_constant(node_tag_value(n, SLOT_NAME));
    return FLOW_BREAK;
}

static bool check_break(struct sieve_compiler *c, struct sieve_node *n)
{
    struct str name = arg_constant(node_tag_value(n, SLOT_NAME));

    if (c->loops == 0)
        return compile_error(c, n->line, n->column, "\"break\" must stand inside \"foreverypart\"");
    if (name.p == NULL)
        return true;
    for (unsigned i = 0; i < c->loops; i++) {
        if (str_eq(c->loop_names[i], name))
            return true;
    }
    return compile_error(c, n->line, n->column, "there is no \"foreverypart\" named \"%.*s\" around this",
                         (int)MIN(name.len, (size_t)100), name.p);
}

static const struct sieve_tag name_tags[] = {
    { "name", SLOT_NAME, EXT_NONE, 0, 'K' },
    { 0 },
};

static const struct sieve_tag replace_tags[] = {
    { "mime", SLOT_MIME_REASON, EXT_NONE, 0, 0 },
    { "subject", SLOT_SUBJECT, EXT_NONE, 0, 'S' },
    { "from", SLOT_FROM, EXT_NONE, 0, 'S' },
    { 0 },
};

static const struct sieve_tag enclose_tags[] = {
    { "subject", SLOT_SUBJECT, EXT_NONE, 0, 'S' },
    { "headers", SLOT_HEADERS, EXT_NONE, 0, 'L' },
    { 0 },
};

static const struct sieve_tag extract_tags[] = {
    { "first", SLOT_FIRST, EXT_NONE, 0, 'N' },
    { 0 },
};

const struct sieve_spec sieve_mime_specs[] = {
    { .name = "foreverypart",
      .ext = EXT_FOREVERYPART,
      .flags = SPEC_TAKES_BLOCK,
      .args = "",
      .tags = { name_tags },
      .command = run_foreverypart },
    { .name = "break",
      .ext = EXT_FOREVERYPART,
      .args = "",
      .tags = { name_tags },
      .check = check_break,
      .command = run_break },
    { .name = "extracttext",
      .ext = EXT_EXTRACTTEXT,
      .args = "K",
      .tags = { extract_tags, sieve_modifier_tags },
      .check = check_extracttext,
      .command = run_extracttext },
    { .name = "replace", .ext = EXT_REPLACE, .args = "S", .tags = { replace_tags }, .command = run_replace },
    { .name = "enclose", .ext = EXT_ENCLOSE, .args = "S", .tags = { enclose_tags }, .command = run_enclose },
    { 0 },
};
