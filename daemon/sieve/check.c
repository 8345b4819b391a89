/* Arguments against the tables: tags and their values, then positional arguments, then what a match needs. */
#include "sieve/compiler.h"
#include "sieve/regex.h"

const struct sieve_arg *node_tag(const struct sieve_node *n, enum sieve_slot slot)
{
    for (const struct sieve_arg *t = n->tags; t != NULL; t = t->next) {
        if (t->tag->slot == slot)
            return t;
    }
    return NULL;
}

struct str arg_constant(const struct sieve_arg *arg)
{
    if (arg == NULL || arg->n != 1 || arg->strings[0].pieces != NULL)
        return STR_NULL;
    return arg->strings[0].text;
}

/* Has the extension been required?  With ihave that is seen when the script runs (RFC 5463, 4). */
static bool check_extension(struct sieve_compiler *c, struct sieve_node *n, enum sieve_ext ext, uint32_t line,
                            uint32_t column, const char *colon, struct str name)
{
    if (compiler_has(c, ext))
        return true;
    n->late |= EXT_BIT(ext);
    if (compiler_has(c, EXT_IHAVE))
        return true;
    return compile_error(c, line, column, "\"%s%.*s\" needs \"require\" of \"%s\"", colon, STR_ARG(name),
                         ext_name(ext));
}

static const char *type_name(char letter)
{
    switch (ascii_upper(letter)) {
    case 'N':
        return "a number";
    case 'L':
    case 'C':
        return "a string or a list of strings";
    default:
        return "a string";
    }
}

/* What an error is about: a tag's value, or with an ordinal a positional argument of a command. */
struct subject {
    struct str name;
    size_t ordinal;
};

static struct str subject_text(struct arena *a, const struct subject *s)
{
    if (s->ordinal > 0)
        return arena_printf(a, "argument %zu of \"%.*s\"", s->ordinal, STR_ARG(s->name));
    return arena_printf(a, "what follows \":%.*s\"", STR_ARG(s->name));
}

/* Is the argument of the type that the letter stands for?  Its strings are compiled. */
static bool check_type(struct sieve_compiler *c, struct sieve_arg *arg, char letter, const struct subject *what)
{
    char type = ascii_upper(letter);
    bool list = type == 'L' || type == 'C';

    if (type == 'N' ? arg->kind != ARG_NUMBER : arg->kind != ARG_STRING && !(list && arg->kind == ARG_LIST))
        return compile_error(c, arg->line, arg->column, "%.*s must be %s", STR_ARG(subject_text(c->arena, what)),
                             type_name(letter));
    for (size_t i = 0; i < arg->n; i++) {
        if (!compile_string(c, arg, &arg->strings[i]))
            return false;
        if ((type == 'K' || type == 'C') && arg->strings[i].pieces != NULL)
            return compile_error(c, arg->line, arg->column, "%.*s must be constant, without variables",
                                 STR_ARG(subject_text(c->arena, what)));
    }
    return true;
}

static const struct sieve_tag *find_in(const struct sieve_tag *table, struct str name)
{
    for (; table != NULL && table->name != NULL; table++) {
        if (str_ieq(name, str_c(table->name)))
            return table;
    }
    return NULL;
}

static const struct sieve_tag *find_tag(const struct sieve_spec *spec, struct str name)
{
    const struct sieve_tag *tag = (spec->flags & SPEC_MATCHES) != 0 ? find_in(sieve_match_tags, name) : NULL;

    for (size_t i = 0; i < ARRAY_LEN(spec->tags) && tag == NULL; i++)
        tag = find_in(spec->tags[i], name);
    return tag;
}

/* Takes a tag with its value from the front of *args. */
static bool take_tag(struct sieve_compiler *c, struct sieve_node *n, struct sieve_arg **args)
{
    struct sieve_arg *arg = *args;
    const struct sieve_arg *twin;
    struct str what = arg->name;

    arg->tag = find_tag(n->spec, arg->name);
    c->unknown |= arg->tag == NULL;
    if (arg->tag == NULL)
        return compile_error(c, arg->line, arg->column, "\"%.*s\" has no tag \":%.*s\"", STR_ARG(n->name),
                             STR_ARG(what));
    if (!check_extension(c, n, arg->tag->ext, arg->line, arg->column, ":", what))
        return false;
    twin = node_tag(n, arg->tag->slot);
    if (twin != NULL && twin->tag == arg->tag)
        return compile_error(c, arg->line, arg->column, "\":%.*s\" is given twice", STR_ARG(what));
    if (twin != NULL)
        return compile_error(c, arg->line, arg->column, "\":%.*s\" cannot stand together with \":%.*s\"", STR_ARG(what),
                             STR_ARG(twin->name));
    *args = arg->next;
    if (arg->tag->value != 0) {
        if (*args == NULL)
            return compile_error(c, arg->line, arg->column, "\":%.*s\" must be followed by %s", STR_ARG(what),
                                 type_name(arg->tag->value));
        if (!check_type(c, *args, arg->tag->value, &(struct subject){ .name = arg->name }))
            return false;
        arg->value = *args;
        *args = arg->value->next;
    }
    arg->next = n->tags;
    n->tags = arg;
    return true;
}

/* Gives the positional arguments their places. */
static bool place_arguments(struct sieve_compiler *c, struct sieve_node *n, struct sieve_arg *args)
{
    size_t given = 0, needed = 0, place = 0, ordinal = 0;
    const char *letters = n->spec->args;

    for (const struct sieve_arg *a = args; a != NULL; a = a->next) {
        if (a->kind == ARG_TAG)
            return compile_error(c, a->line, a->column, "tags such as \":%.*s\" must stand before the other arguments",
                                 STR_ARG(a->name));
        given++;
    }
    for (const char *l = letters; *l != '\0'; l++)
        needed += *l >= 'A' && *l <= 'Z';
    if (given < needed)
        return compile_error(c, n->line, n->column, "\"%.*s\" needs %zu argument%s, but has %zu", STR_ARG(n->name),
                             needed, needed == 1 ? "" : "s", given);
    for (given -= needed; args != NULL && letters[place] != '\0'; place++) {
        bool optional = letters[place] >= 'a';

        if (optional && given == 0)
            continue;
        given -= optional;
        ordinal++;
        if (!check_type(c, args, letters[place], &(struct subject){ .name = n->name, .ordinal = ordinal }))
            return false;
        n->args[place] = args;
        args = args->next;
    }
    if (args != NULL)
        return compile_error(c, args->line, args->column, "\"%.*s\" has too many arguments", STR_ARG(n->name));
    return true;
}

static bool has_table(const struct sieve_spec *spec, const struct sieve_tag *table)
{
    for (size_t i = 0; i < ARRAY_LEN(spec->tags); i++) {
        if (spec->tags[i] == table)
            return true;
    }
    return false;
}

static bool check_index(struct sieve_compiler *c, struct sieve_node *n)
{
    const struct sieve_arg *last = node_tag(n, SLOT_LAST), *index = node_tag(n, SLOT_INDEX);

    if (last != NULL && index == NULL)
        return compile_error(c, last->line, last->column, "\":last\" needs \":index\"");
    if (index != NULL && index->value->number == 0)
        return compile_error(c, index->value->line, index->value->column, "\":index\" counts from 1");
    return true;
}

static bool check_arguments(struct sieve_compiler *c, struct sieve_node *n, struct sieve_arg *args)
{
    enum sieve_ext ext = n->spec->ext;

    if (n->spec->or_ext != EXT_NONE && compiler_has(c, n->spec->or_ext))
        ext = n->spec->or_ext;
    if (!check_extension(c, n, ext, n->line, n->column, "", n->name))
        return false;
    while (args != NULL && args->kind == ARG_TAG) {
        if (!take_tag(c, n, &args))
            return false;
    }
    if (!place_arguments(c, n, args))
        return false;
    if (has_table(n->spec, sieve_index_tags) && !check_index(c, n))
        return false;
    if ((n->spec->flags & SPEC_MATCHES) != 0 && !check_match(c, n))
        return false;
    return n->spec->check == NULL || n->spec->check(c, n);
}

/* With ihave, what names an unknown tag or comparator, or is wrong in a command that an ihave has to allow, must not
 * stop the compiler: it is an error when the script gets there (RFC 5463, 4). */
bool check_node(struct sieve_compiler *c, struct sieve_node *n, struct sieve_arg *args)
{
    struct sieve_error *real = c->error, error;

    if (!compiler_has(c, EXT_IHAVE))
        return check_arguments(c, n, args);
    c->error = &error;
    c->unknown = false;
    if (!check_arguments(c, n, args)) {
        if (c->result == RES_LIMIT || !(c->unknown || n->late != 0)) {
            *real = error;
        } else {
            c->result = RES_OK;
            n->deferred = error.text;
        }
    }
    c->error = real;
    return c->result == RES_OK;
}

static bool read_relation(struct str name, enum sieve_relation *ret)
{
    static const char *const names[] = { "gt", "ge", "lt", "le", "eq", "ne" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (str_ieq(name, str_c(names[i]))) {
            *ret = (enum sieve_relation)i;
            return true;
        }
    }
    return false;
}

static bool check_comparator(struct sieve_compiler *c, struct sieve_node *n)
{
    static const struct {
        const char *name;
        enum sieve_comparator comparator;
        enum sieve_ext ext;
    } known[] = {
        { "i;ascii-casemap", COMPARATOR_CASEMAP, EXT_CASEMAP },
        { "i;octet", COMPARATOR_OCTET, EXT_OCTET },
        { "i;ascii-numeric", COMPARATOR_NUMERIC, EXT_NUMERIC },
        { "i;unicode-casemap", COMPARATOR_UNICODE, EXT_UNICODE },
    };
    const struct sieve_arg *value = node_tag_value(n, SLOT_COMPARATOR);
    struct str name = arg_constant(value);

    if (value == NULL)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (!str_eq(name, str_c(known[i].name)))
            continue;
        n->match.comparator = known[i].comparator;
        return check_extension(c, n, known[i].ext, value->line, value->column, "", name);
    }
    c->unknown = true;
    return compile_error(c, value->line, value->column, "there is no comparator \"%.*s\"", STR_ARG(name));
}

/* The regular expressions among the constant keys. */
static bool compile_keys(struct sieve_compiler *c, struct sieve_node *n, const struct sieve_arg *keys)
{
    n->regexes = arena_array(c->arena, struct sieve_regex *, keys->n);
    for (size_t i = 0; i < keys->n; i++) {
        const char *why;

        if (keys->strings[i].pieces != NULL)
            continue;
        if (!regex_compile(c->arena, keys->strings[i].text, n->match.comparator, &n->regexes[i], &why))
            return compile_error(c, keys->line, keys->column, "the regular expression \"%.*s\" is wrong: %s",
                                 (int)MIN(keys->strings[i].text.len, (size_t)100), keys->strings[i].text.p, why);
        c->instructions += regex_size(n->regexes[i]);
        if (c->instructions > SIEVE_MAX_INSTRUCTIONS)
            return compile_limit(c, keys->line, keys->column, "the regular expressions of the script are too large");
    }
    return true;
}

bool check_match(struct sieve_compiler *c, struct sieve_node *n)
{
    const struct sieve_arg *type = node_tag(n, SLOT_MATCH), *keys;
    bool substring;

    n->match = (struct sieve_match){ .type = MATCH_IS, .comparator = COMPARATOR_CASEMAP };
    if (!check_comparator(c, n))
        return false;
    if (type != NULL)
        n->match.type = (enum sieve_match_type)type->tag->id;
    if (type != NULL && type->value != NULL && !read_relation(arg_constant(type->value), &n->match.relation))
        return compile_error(c, type->value->line, type->value->column,
                             "\":%.*s\" must be followed by \"gt\", \"ge\", \"lt\", \"le\", \"eq\" or \"ne\"",
                             STR_ARG(type->name));
    substring = n->match.type == MATCH_CONTAINS || n->match.type == MATCH_MATCHES || n->match.type == MATCH_REGEX;
    if (n->match.comparator == COMPARATOR_NUMERIC && substring)
        return compile_error(c, type->line, type->column, "the comparator \"i;ascii-numeric\" cannot do \":%.*s\"",
                             STR_ARG(type->name));
    keys = n->args[strlen(n->spec->args) - 1];
    if (n->match.type == MATCH_REGEX && keys != NULL)
        return compile_keys(c, n, keys);
    return true;
}
