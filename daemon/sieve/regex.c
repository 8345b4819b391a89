/* Parser: expression -> tree -> program.  Machine: see regex_run.c. */
#include "sieve/regex_internal.h"

#define MAX_DEPTH  40
#define MAX_REPEAT 255
#define NO_MAXIMUM UINT32_MAX
#define NONE       UINT32_MAX

struct tree {
    enum { T_CHAR, T_ANY, T_CLASS, T_BEGIN, T_END, T_GROUP, T_CONCAT, T_ALTERNATE, T_REPEAT } kind;
    uint32_t c;
    struct regex_class *class;
    struct tree *child, *next; /* next: in the parent's list (T_CONCAT, T_ALTERNATE) */
    uint32_t min, max;         /* T_REPEAT */
    unsigned group;
};

struct parser {
    struct arena *arena, *scratch; /* for classes, for the tree */
    struct str s;
    size_t at;
    bool octets;
    unsigned depth, groups;
    const char *why;
};

static struct tree *fail(struct parser *p, const char *why)
{
    if (p->why == NULL)
        p->why = why;
    return NULL;
}

static struct tree *new_tree(struct parser *p, int kind, struct tree *child)
{
    struct tree *t = arena_new(p->scratch, struct tree);

    t->kind = (unsigned)kind;
    t->child = child;
    return t;
}

static bool more(const struct parser *p)
{
    return p->at < p->s.len;
}

static bool looking_at(const struct parser *p, char c)
{
    return more(p) && p->s.p[p->at] == c;
}

static uint32_t take_char(struct parser *p)
{
    return regex_take_char(p->s, &p->at, p->octets);
}

static void add_range(struct parser *p, struct regex_class *class, uint32_t from, uint32_t to)
{
    struct regex_range *r = arena_new(p->arena, struct regex_range);

    *r = (struct regex_range){ .from = from, .to = to, .next = class->ranges };
    class->ranges = r;
}

/* [:name:] and the letters of \w, \s, \d. */
static bool add_named(struct parser *p, struct regex_class *class, struct str name)
{
    static const struct {
        const char *name, *ranges; /* pairs of first and last */
    } known[] = {
        { "alpha", "azAZ" },    { "digit", "09" },
        { "alnum", "azAZ09" },  { "upper", "AZ" },
        { "lower", "az" },      { "space", "  \t\r" },
        { "blank", "  \t\t" },  { "punct", "!/:@[`{~" },
        { "xdigit", "09afAF" }, { "cntrl", "\x01\x1f\x7f\x7f" },
        { "print", " ~" },      { "graph", "!~" },
        { "w", "azAZ09__" },    { "s", "  \t\r" },
        { "d", "09" },
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        const char *r = known[i].ranges;

        if (!str_eq(name, str_c(known[i].name)))
            continue;
        for (; *r != '\0'; r += 2)
            add_range(p, class, (unsigned char)r[0], (unsigned char)r[1]);
        return true;
    }
    return false;
}

/* "[:name:]" inside brackets, p->at behind "[:". */
static bool parse_named(struct parser *p, struct regex_class *class)
{
    size_t end = str_find(str_from(p->s, p->at), STR(":]"));

    if (end == SIZE_MAX || !add_named(p, class, str_sub(p->s, p->at, end)))
        return fail(p, "there is no such class of characters") != NULL;
    p->at += end + 2;
    return true;
}

/* p->at behind "[" (POSIX.1, 9.3.5); a backslash is an ordinary character there. */
static struct tree *parse_brackets(struct parser *p)
{
    struct tree *t = new_tree(p, T_CLASS, NULL);
    bool first = true;

    t->class = arena_new(p->arena, struct regex_class);
    if (looking_at(p, '^')) {
        t->class->negated = true;
        p->at++;
    }
    for (;; first = false) {
        uint32_t from, to;

        if (!more(p))
            return fail(p, "a bracket is not closed");
        if (looking_at(p, ']') && !first) {
            p->at++;
            return t;
        }
        if (str_starts(str_from(p->s, p->at), STR("[:"))) {
            p->at += 2;
            if (!parse_named(p, t->class))
                return NULL;
            continue;
        }
        if (str_starts(str_from(p->s, p->at), STR("[.")) || str_starts(str_from(p->s, p->at), STR("[=")))
            return fail(p, "collating symbols are not supported");
        from = to = take_char(p);
        if (looking_at(p, '-') && p->at + 1 < p->s.len && p->s.p[p->at + 1] != ']') {
            p->at++;
            to = take_char(p);
        }
        if (to < from)
            return fail(p, "a range in brackets is backwards");
        add_range(p, t->class, from, to);
    }
}

static struct tree *parse_escape(struct parser *p)
{
    struct tree *t = new_tree(p, T_CHAR, NULL);
    char c;

    if (!more(p))
        return fail(p, "a backslash stands at the end");
    c = p->s.p[p->at];
    if (!ascii_alnum(c)) {
        t->c = take_char(p);
        return t;
    }
    p->at++;
    t->kind = T_CLASS;
    t->class = arena_new(p->arena, struct regex_class);
    t->class->negated = c >= 'A' && c <= 'Z';
    c = ascii_lower(c);
    if (!add_named(p, t->class, str_of(&c, 1)))
        return fail(p, "a backslash stands before a letter or digit that has no meaning");
    return t;
}

static struct tree *parse_alternatives(struct parser *p);

static struct tree *parse_group(struct parser *p)
{
    struct tree *t = new_tree(p, T_GROUP, NULL);

    if (++p->depth > MAX_DEPTH)
        return fail(p, "groups are nested too deep");
    t->group = ++p->groups;
    t->child = parse_alternatives(p);
    if (t->child == NULL)
        return NULL;
    if (!looking_at(p, ')'))
        return fail(p, "a parenthesis is not closed");
    p->at++;
    p->depth--;
    return t;
}

static struct tree *parse_atom(struct parser *p)
{
    struct tree *t;

    switch (p->s.p[p->at]) {
    case '(':
        p->at++;
        return parse_group(p);
    case '[':
        p->at++;
        return parse_brackets(p);
    case '.':
        p->at++;
        return new_tree(p, T_ANY, NULL);
    case '^':
        p->at++;
        return new_tree(p, T_BEGIN, NULL);
    case '$':
        p->at++;
        return new_tree(p, T_END, NULL);
    case '\\':
        p->at++;
        return parse_escape(p);
    case '*':
    case '+':
    case '?':
    case '{':
        return fail(p, "a repetition has nothing before it");
    default:
        t = new_tree(p, T_CHAR, NULL);
        t->c = take_char(p);
        return t;
    }
}

static bool parse_number(struct parser *p, uint32_t *ret)
{
    size_t from = p->at;

    for (*ret = 0; more(p) && ascii_digit(p->s.p[p->at]) && *ret <= MAX_REPEAT; p->at++)
        *ret = *ret * 10 + (uint32_t)(p->s.p[p->at] - '0');
    return p->at > from && *ret <= MAX_REPEAT;
}

/* "{m}", "{m,}", "{m,n}", p->at behind the brace. */
static bool parse_braces(struct parser *p, struct tree *t)
{
    bool ok = parse_number(p, &t->min);

    t->max = t->min;
    if (ok && looking_at(p, ',')) {
        p->at++;
        t->max = NO_MAXIMUM;
        if (!looking_at(p, '}'))
            ok = parse_number(p, &t->max) && t->max >= t->min;
    }
    if (!ok || !looking_at(p, '}'))
        return fail(p, "a repetition in braces must be {m}, {m,} or {m,n}, up to 255") != NULL;
    p->at++;
    return true;
}

static struct tree *parse_repeated(struct parser *p)
{
    struct tree *t = parse_atom(p);

    for (size_t n = 0; t != NULL && more(p) && strchr("*+?{", p->s.p[p->at]) != NULL; n++) {
        char c = p->s.p[p->at];

        if (c == '\0')
            break;
        if (n == 2)
            return fail(p, "too many repetitions follow each other");
        p->at++;
        t = new_tree(p, T_REPEAT, t);
        t->min = c == '+' ? 1 : 0;
        t->max = c == '?' ? 1 : NO_MAXIMUM;
        if (c == '{' && !parse_braces(p, t))
            return NULL;
    }
    return t;
}

/* Everything up to "|", ")" or the end, possibly nothing. */
static bool parse_branch(struct parser *p, struct tree **ret)
{
    struct tree *branch = new_tree(p, T_CONCAT, NULL), **link = &branch->child;

    while (more(p) && !looking_at(p, '|') && !(looking_at(p, ')') && p->depth > 0)) {
        *link = parse_repeated(p);
        if (*link == NULL)
            return false;
        link = &(*link)->next;
    }
    *ret = branch;
    return true;
}

static struct tree *parse_alternatives(struct parser *p)
{
    struct tree *t = new_tree(p, T_ALTERNATE, NULL), **link = &t->child;

    for (;;) {
        if (!parse_branch(p, link))
            return NULL;
        if (!looking_at(p, '|'))
            return t;
        link = &(*link)->next;
        p->at++;
    }
}

struct emitter {
    struct sieve_regex *re;
    bool full;
};

static uint32_t emit(struct emitter *e, enum regex_op op, uint32_t x, uint32_t y)
{
    if (e->re->n == REGEX_MAX_PROGRAM) {
        e->full = true;
        return REGEX_MAX_PROGRAM - 1;
    }
    e->re->program[e->re->n] = (struct regex_inst){ .op = op, .x = x, .y = y };
    return e->re->n++;
}

static void emit_tree(struct emitter *e, const struct tree *t);

static void emit_repeat(struct emitter *e, const struct tree *t)
{
    uint32_t split, last = NONE;

    for (uint32_t i = 0; i < t->min && !e->full; i++)
        emit_tree(e, t->child);
    if (t->max == NO_MAXIMUM) {
        split = emit(e, REGEX_SPLIT, 0, 0);
        emit_tree(e, t->child);
        emit(e, REGEX_JUMP, split, 0);
        e->re->program[split].x = split + 1;
        e->re->program[split].y = e->re->n;
        return;
    }
    for (uint32_t i = t->min; i < t->max && !e->full; i++) { /* until the end is known, .y links the splits */
        last = emit(e, REGEX_SPLIT, e->re->n + 1, last);
        emit_tree(e, t->child);
    }
    while (last != NONE && !e->full) {
        split = last;
        last = e->re->program[split].y;
        e->re->program[split].y = e->re->n;
    }
}

static void emit_alternatives(struct emitter *e, const struct tree *t)
{
    uint32_t jump, last = NONE;

    for (const struct tree *branch = t->child; branch != NULL && !e->full; branch = branch->next) {
        uint32_t split = branch->next != NULL ? emit(e, REGEX_SPLIT, e->re->n + 1, 0) : NONE;

        emit_tree(e, branch);
        if (split != NONE) { /* until the end is known, .x links the jumps */
            last = emit(e, REGEX_JUMP, last, 0);
            e->re->program[split].y = e->re->n;
        }
    }
    while (last != NONE && !e->full) {
        jump = last;
        last = e->re->program[jump].x;
        e->re->program[jump].x = e->re->n;
    }
}

static void emit_tree(struct emitter *e, const struct tree *t)
{
    uint32_t at;

    if (e->full)
        return;
    switch (t->kind) {
    case T_CHAR:
        emit(e, REGEX_CHAR, regex_fold(t->c, e->re->comparator), 0);
        break;
    case T_ANY:
        emit(e, REGEX_ANY, 0, 0);
        break;
    case T_CLASS:
        at = emit(e, REGEX_CLASS, 0, 0);
        e->re->program[at].class = t->class;
        break;
    case T_BEGIN:
        emit(e, REGEX_BEGIN, 0, 0);
        break;
    case T_END:
        emit(e, REGEX_END, 0, 0);
        break;
    case T_GROUP:
        emit(e, REGEX_SAVE, t->group * 2, 0);
        emit_tree(e, t->child);
        emit(e, REGEX_SAVE, t->group * 2 + 1, 0);
        break;
    case T_CONCAT:
        for (const struct tree *c = t->child; c != NULL; c = c->next)
            emit_tree(e, c);
        break;
    case T_ALTERNATE:
        emit_alternatives(e, t);
        break;
    case T_REPEAT:
        emit_repeat(e, t);
        break;
    }
}

bool regex_compile(struct arena *a, struct str pattern, enum sieve_comparator comparator, struct sieve_regex **ret,
                   const char **ret_why)
{
    CLEANUP(arena_releasep) struct arena scratch = { 0 };
    struct sieve_regex *re = arena_new(a, struct sieve_regex);
    struct parser p = { .arena = a, .scratch = &scratch, .s = pattern, .octets = comparator == COMPARATOR_OCTET };
    struct emitter e = { .re = re };
    struct regex_inst *program;
    struct tree *t;

    *ret_why = "it is too long";
    if (pattern.len > REGEX_MAX_PATTERN)
        return false;
    t = parse_alternatives(&p);
    *ret_why = p.why;
    if (t == NULL)
        return false;
    re->comparator = comparator;
    re->program = program = arena_array(&scratch, struct regex_inst, REGEX_MAX_PROGRAM);
    emit_tree(&e, t);
    emit(&e, REGEX_MATCH, 0, 0);
    *ret_why = "it is too large";
    if (e.full)
        return false;
    re->program = arena_array(a, struct regex_inst, re->n);
    memcpy(re->program, program, re->n * sizeof(*program));
    *ret = re;
    return true;
}

size_t regex_size(const struct sieve_regex *re)
{
    return re->n;
}
