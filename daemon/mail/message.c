/* The MIME tree in one pass over the lines.
 *
 * `open` holds the multiparts whose delimiters are looked for; `current` is the innermost part that lines belong to
 * now.
 *
 *   part header --empty line--> leaf body, or preamble of a multipart, or (message/rfc822) the header of its child
 *   "--boundary" of any open multipart: parts inside it end, the next part header begins
 *   "--boundary--": parts inside it end, and what follows is its epilogue, until an outer delimiter
 */
#include "mail/message.h"

struct open_multipart {
    struct mail_part *part;
    struct str boundary;
};

struct parser {
    struct arena *arena;
    struct str s;
    size_t at;    /* start of the next line */
    size_t lines; /* line feeds before it */
    struct mail_part *current;
    size_t nparts;
    struct open_multipart open[MAIL_MAX_DEPTH];
    size_t nopen;
    unsigned depth; /* of current: the root has 1 */
};

struct str mail_encoding_name(enum mail_encoding encoding)
{
    static const char *const names[] = { "7bit", "8bit", "binary", "base64", "quoted-printable", NULL };

    return str_c(names[encoding]);
}

static enum mail_encoding encoding_of(struct arena *a, struct str value)
{
    struct header_param *params;
    struct str word;
    size_t n;

    if (value.p == NULL)
        return MAIL_7BIT;
    header_params(a, value, &word, &params, &n);
    for (int e = MAIL_7BIT; e < MAIL_ENCODING_OTHER; e++) {
        if (str_eq(word, mail_encoding_name((enum mail_encoding)e)))
            return (enum mail_encoding)e;
    }
    return MAIL_ENCODING_OTHER;
}

static void set_type(struct mail_part *part, const char *type, const char *subtype)
{
    part->type = str_c(type);
    part->subtype = str_c(subtype);
    part->params = NULL;
    part->nparams = 0;
}

/* A missing or malformed Content-Type leaves the default (RFC 2045, 5.2; RFC 2046, 5.1.5 for digests). */
static void read_type(struct arena *a, struct str value, struct mail_part *part)
{
    struct header_param *params;
    struct str word;
    size_t n, slash;

    if (part->parent != NULL && part->parent->kind == MAIL_MULTIPART && str_eq(part->parent->subtype, STR("digest")) &&
        value.p == NULL)
        set_type(part, "message", "rfc822");
    else
        set_type(part, "text", "plain");
    if (value.p == NULL)
        return;
    header_params(a, value, &word, &params, &n);
    slash = str_chr(word, '/');
    if (slash == SIZE_MAX || slash == 0 || slash + 1 == word.len)
        return;
    part->type = str_of(word.p, slash);
    part->subtype = str_from(word, slash + 1);
    part->params = params;
    part->nparams = n;
}

static void note_field(struct mail_part *part, struct str *content_type, const struct header_field *f)
{
    const struct str name = str_from(f->name, strlen("Content-"));
    const struct {
        struct str name;
        struct str *value;
    } known[] = {
        { STR("type"), content_type },
        { STR("id"), &part->content_id },
        { STR("description"), &part->description },
        { STR("transfer-encoding"), &part->transfer_encoding },
        { STR("disposition"), &part->disposition },
        { STR("language"), &part->language },
        { STR("location"), &part->location },
        { STR("md5"), &part->md5 },
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].value->p == NULL && str_ieq(name, known[i].name))
            *known[i].value = f->value;
    }
}

static struct str boundary_of(const struct mail_part *part)
{
    for (size_t i = 0; i < part->nparams; i++) {
        if (str_eq(part->params[i].name, STR("boundary"))) {
            struct str b = part->params[i].value;

            while (b.len > 0 && (b.p[b.len - 1] == ' ' || b.p[b.len - 1] == '\t'))
                b.len--;
            return b;
        }
    }
    return STR("");
}

/* Takes one line. */
static struct str next_line(struct parser *p)
{
    struct str rest = str_from(p->s, p->at);
    size_t lf = str_chr(rest, '\n');
    struct str line = lf == SIZE_MAX ? rest : str_of(rest.p, lf + 1);

    p->at += line.len;
    p->lines += lf != SIZE_MAX;
    return line;
}

/* Is the line a delimiter of an open multipart?  Its index; the longest boundary wins, then the innermost. */
static bool find_delimiter(const struct parser *p, struct str line, size_t *ret_index, bool *ret_closing)
{
    size_t best = 0;
    bool found = false;

    if (line.len < 3 || line.p[0] != '-' || line.p[1] != '-')
        return false;
    line = str_from(line, 2);
    for (size_t i = p->nopen; i-- > 0;) {
        struct str b = p->open[i].boundary;

        if (b.len > best && str_starts(line, b)) {
            best = b.len;
            found = true;
            *ret_index = i;
            *ret_closing = str_starts(str_from(line, b.len), STR("--"));
        }
    }
    return found;
}

/* Ends the part at offset `end`, before which there are `lines` line feeds. */
static void end_part(struct mail_part *part, size_t end, size_t lines)
{
    part->end = MAX(end, part->body_at);
    part->lines = end > part->body_at ? lines - part->lines : 0; /* held those before the body until now */
    if (part->kind == MAIL_MULTIPART && part->nchildren == 0) {
        part->kind = MAIL_LEAF;
        set_type(part, "text", "plain");
    }
}

/* Ends all parts from the current one up to, not including, `outer`, at the line that begins at `line_at`. */
static void end_parts(struct parser *p, const struct mail_part *outer, size_t line_at, size_t lines, bool delimiter)
{
    size_t end = line_at;

    if (delimiter && end > 0 && p->s.p[end - 1] == '\n') { /* the line end before a delimiter belongs to it */
        end--;
        lines--;
        if (end > 0 && p->s.p[end - 1] == '\r')
            end--;
    }
    for (struct mail_part *part = p->current; part != outer; part = part->parent) {
        end_part(part, end, lines);
        p->depth--;
    }
}

static struct mail_part *add_part(struct parser *p, struct mail_part *parent)
{
    struct mail_part *part = arena_new(p->arena, struct mail_part), **link;

    part->parent = parent;
    part->header_at = part->body_at = p->at;
    p->nparts++;
    p->depth++;
    p->current = part;
    if (parent == NULL)
        return part;
    link = &parent->children;
    if (parent->nchildren > 0)
        link = &parent->last_child->next;
    *link = part;
    parent->last_child = part;
    parent->nchildren++;
    return part;
}

/* Decides what the part is, now that its header is known. */
static void classify(struct parser *p, struct mail_part *part)
{
    struct header_field f;
    struct str content_type = STR_NULL, boundary;
    struct str rest = str_sub(p->s, part->header_at, MIN(part->body_at - part->header_at, HEADER_MAX_SCAN));

    for (size_t n = 0; n < HEADER_MAX_FIELDS && header_next(&rest, &f); n++) {
        if (str_istarts(f.name, STR("Content-")))
            note_field(part, &content_type, &f);
    }
    read_type(p->arena, content_type, part);
    part->encoding = encoding_of(p->arena, part->transfer_encoding);
    if (str_eq(part->type, STR("multipart"))) {
        boundary = boundary_of(part);
        if (boundary.len == 0) {
            set_type(part, "text", "plain");
        } else if (p->depth >= MAIL_MAX_DEPTH || p->nparts >= MAIL_MAX_PARTS) {
            set_type(part, "application", "octet-stream");
        } else {
            part->kind = MAIL_MULTIPART;
            p->open[p->nopen++] = (struct open_multipart){ part, boundary };
        }
    } else if (str_eq(part->type, STR("message")) && str_eq(part->subtype, STR("rfc822"))) {
        if (p->depth >= MAIL_MAX_DEPTH || p->nparts >= MAIL_MAX_PARTS)
            set_type(part, "application", "octet-stream");
        else
            part->kind = MAIL_MESSAGE;
    }
}

/* Moves over the header of the current part: behind its empty line, or to the delimiter that cuts it off. */
static void read_header(struct parser *p)
{
    size_t index;
    bool closing;

    while (p->at < p->s.len) {
        size_t line_at = p->at, lines = p->lines;
        struct str line = next_line(p);

        if (find_delimiter(p, line, &index, &closing)) {
            p->at = line_at;
            p->lines = lines;
            break;
        }
        if (line.p[0] == '\n' || (line.len == 2 && line.p[0] == '\r' && line.p[1] == '\n'))
            break;
    }
    p->current->body_at = p->at;
    p->current->lines = p->lines;
}

/* A new part inside `parent`, and as long as it is a message/rfc822, the message in it. */
static struct mail_part *begin_part(struct parser *p, struct mail_part *parent)
{
    struct mail_part *first = add_part(p, parent), *part = first;

    for (;;) {
        read_header(p);
        classify(p, part);
        if (part->kind != MAIL_MESSAGE)
            return first;
        part = add_part(p, part);
    }
}

struct mail_part *mail_parse(struct arena *a, struct str message)
{
    struct parser p = { .arena = a, .s = message };
    struct mail_part *root = begin_part(&p, NULL);

    while (p.at < message.len) {
        size_t line_at = p.at, lines = p.lines, index = 0;
        bool closing = false;
        struct mail_part *outer;

        if (!find_delimiter(&p, next_line(&p), &index, &closing))
            continue;
        outer = p.open[index].part;
        end_parts(&p, outer, line_at, lines, true);
        p.current = outer;
        p.nopen = closing ? index : index + 1;
        if (!closing && p.nparts < MAIL_MAX_PARTS)
            begin_part(&p, outer);
    }
    end_parts(&p, NULL, message.len, p.lines, false);
    return root;
}

struct mail_part *mail_part_next(const struct mail_part *part)
{
    if (part->children != NULL)
        return part->children;
    while (part != NULL && part->next == NULL)
        part = part->parent;
    return part != NULL ? part->next : NULL;
}
