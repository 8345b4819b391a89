#include "api/ctl/complete.h"
#include "api/ctl/call.h"
#include "base/macros.h"

#define MAX_PHRASE 3 /* words that name a verb */

struct place {
    struct str phrase[MAX_PHRASE]; /* the words that are no options */
    size_t n;
    const struct verb *verb; /* that they name; NULL: not yet */
    size_t n_args;
    bool value;              /* the word is the value of an option */
};

/* The words of a verb's name: "account", "filter", "get". */
static size_t words_of(const struct verb *v, struct str ret[MAX_PHRASE])
{
    struct str rest = str_c(v->name != NULL ? v->name : ""), one;
    size_t n = 1;

    ret[0] = str_c(v->noun);
    while (n < MAX_PHRASE && str_word(&rest, &one))
        ret[n++] = one;
    return n;
}

/* Whether the verb's name begins with the phrase. */
static bool begins(const struct verb *v, const struct place *p, struct str words[MAX_PHRASE], size_t *ret_n)
{
    *ret_n = words_of(v, words);
    for (size_t i = 0; i < p->n; i++) {
        if (i >= *ret_n || !str_eq(words[i], p->phrase[i]))
            return false;
    }
    return true;
}

static void take_word(struct place *p, struct str word)
{
    struct str words[MAX_PHRASE];
    size_t n;

    p->n_args += p->verb != NULL;
    if (p->verb != NULL || p->n == MAX_PHRASE)
        return;
    p->phrase[p->n++] = word;
    for (size_t i = 0; i < verbs_count; i++) {
        if (begins(&verbs[i], p, words, &n) && n == p->n)
            p->verb = &verbs[i];
    }
}

/* Does the option want a value that is not in its own word? */
static bool wants_value(const struct place *p, struct str word)
{
    struct str name = str_from(word, 2);
    bool value = false;

    return str_chr(word, '=') == SIZE_MAX &&
           (option_known(global_options, name, &value) || (p->verb != NULL && option_known(p->verb->options, name, &value))) && value;
}

/* Reads what stands before the word that is completed. */
static void find_place(struct place *p, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str word = str_c(words[i]);

        if (p->value) { /* "--state", "=", "held" */
            p->value = str_eq(word, STR("="));
        } else if (!str_starts(word, STR("--"))) {
            take_word(p, word);
        } else {
            p->value = wants_value(p, word);
        }
    }
}

static void put(struct strbuf *out, struct str word, const char *help)
{
    (void)strbuf_addf(out, "%.*s\t%s\n", STR_ARG(word), help);
}

static void put_options(const char *list, struct str begun, struct strbuf *out)
{
    struct str rest = str_c(list), one;

    while (str_split(&rest, ' ', &one)) {
        size_t eq = str_chr(one, '=');
        struct str name = str_sub(one, 0, eq);

        if (str_starts(name, begun))
            (void)strbuf_addf(out, "--%.*s%s\t%.*s\n", STR_ARG(name), eq != SIZE_MAX ? "=" : "",
                              STR_ARG(eq != SIZE_MAX ? str_from(one, eq + 1) : STR("")));
    }
}

/* The next words of all verbs that go on like this, each once: they stand together in the table. */
static void put_phrases(const struct place *p, struct str begun, struct strbuf *out)
{
    struct str last = STR("");

    for (size_t i = 0; i < verbs_count; i++) {
        struct str words[MAX_PHRASE];
        size_t n;

        if (!begins(&verbs[i], p, words, &n) || n == p->n || !str_starts(words[p->n], begun) || str_eq(words[p->n], last))
            continue;
        last = words[p->n];
        put(out, last, n == p->n + 1 ? t(verbs[i].help) : "");
    }
}

/* "bash|zsh|fish" as an argument is itself the list of what it may be. */
static void put_choices(const char *args, struct str begun, struct strbuf *out)
{
    struct str rest = str_c(args), one;

    if (str_chr(rest, '|') == SIZE_MAX || str_chr(rest, '[') != SIZE_MAX || str_chr(rest, ' ') != SIZE_MAX)
        return;
    while (str_split(&rest, '|', &one)) {
        if (str_starts(one, begun))
            put(out, one, "");
    }
}

void complete(const char *const *words, size_t n, struct strbuf *out)
{
    struct place p = { .n = 0 };
    struct str begun = n > 0 ? str_c(words[n - 1]) : STR("");

    if (n == 0)
        return;
    find_place(&p, words, n - 1);
    if (p.value || str_eq(begun, STR("=")))
        return;
    if (str_starts(begun, STR("-"))) {
        struct str name = str_from(begun, MIN(begun.len, (size_t)2));

        if (begun.len > 1 && begun.p[1] != '-')
            return;
        if (p.verb != NULL)
            put_options(p.verb->options, name, out);
        put_options(global_options, name, out);
    } else if (p.verb != NULL && p.n_args == 0) {
        put_choices(p.verb->args, begun, out);
    } else if (p.verb == NULL) {
        put_phrases(&p, begun, out);
    }
}
