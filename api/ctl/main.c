/* correioctl: the command line of a Correio server.  verbs.c has the table from which words, options and help come. */
#include "api/ctl/client.h"
#include "api/words.h"
#include "base/strbuf.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HELP_WIDTH 80
#define MAX_NOUNS 20

/* ---- help ---- */

/* Words of `text` behind what stands on the line already, broken before HELP_WIDTH. */
static void print_wrapped(FILE *f, struct str text, size_t at, const char *indent)
{
    struct str word;

    while (str_word(&text, &word)) {
        if (at + 1 + word_length(word) > HELP_WIDTH) {
            fprintf(f, "\n%s", indent);
            at = strlen(indent);
        }
        at += (size_t)fprintf(f, " %.*s", STR_ARG(word));
    }
    fputc('\n', f);
}

static void print_options(FILE *f, const char *list, size_t at)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = 4096 };
    struct str rest = str_c(list), one;

    while (str_split(&rest, ' ', &one))
        strbuf_addf(&b, "[--%.*s] ", STR_ARG(one));
    print_wrapped(f, strbuf_str(&b), at, "   ");
}

static void print_verb(FILE *f, const struct verb *v)
{
    char words[200];

    (void)snprintf(words, sizeof(words), "%s%s%s%s%s", v->noun, v->name != NULL ? " " : "", v->name != NULL ? v->name : "",
                   v->args[0] != '\0' ? " " : "", v->args);
    fprintf(f, "  %-36s %s\n", words, t(v->help));
    if (v->options[0] != '\0') {
        fputs("   ", f);
        print_options(f, v->options, 3);
    }
}

/* noun NULL: all verbs. */
static void print_help(FILE *f, const char *noun)
{
    fprintf(f, "%s\n\n", t("usage: correioctl NOUN VERB [ARGUMENTS] [OPTIONS]"));
    for (size_t i = 0; i < verbs_count; i++) {
        if (noun == NULL || strcmp(noun, verbs[i].noun) == 0)
            print_verb(f, &verbs[i]);
    }
    fprintf(f, "\n%s", t("Everywhere:"));
    print_options(f, global_options, strlen(t("Everywhere:")));
    fprintf(f, "%s", t("Exit:"));
    print_wrapped(f, str_c(t("0 done, 1 failed, 2 usage, 3 not found, 4 conflict, 5 denied, 6 invalid, 7 unreachable, "
                             "8 done in part, 9 problems found.")), strlen(t("Exit:")), "   ");
}

/* What was meant by a noun that is none. */
static void hint_noun(const char *given)
{
    const char *nouns[MAX_NOUNS];
    struct str nearest;
    size_t n = 0;

    for (size_t i = 0; i < verbs_count && n < MAX_NOUNS; i++) {
        if (n == 0 || strcmp(nouns[n - 1], verbs[i].noun) != 0)
            nouns[n++] = verbs[i].noun;
    }
    nearest = word_nearest(str_c(given), nouns, n);
    if (nearest.p != NULL)
        say(t("Did you mean \"%s\"?"), nearest.p);
    say("%s", t("correioctl --help lists all verbs."));
}

/* ---- the verb ---- */

/* How many words of the command line name the verb. */
static size_t words_of(const struct verb *v)
{
    return v->name == NULL ? 1 : strchr(v->name, ' ') == NULL ? 2 : 3;
}

/* words: up to three, NULL behind the last.  A verb of three words needs all of them. */
static const struct verb *find_verb(const char *const words[3])
{
    char two[64];

    (void)snprintf(two, sizeof(two), "%s %s", words[1] != NULL ? words[1] : "", words[2] != NULL ? words[2] : "");
    for (size_t i = 0; i < verbs_count; i++) {
        const struct verb *v = &verbs[i];

        if (strcmp(v->noun, words[0]) == 0 &&
            (v->name == NULL || (words[1] != NULL && strcmp(v->name, words_of(v) == 3 ? two : words[1]) == 0)))
            return v;
    }
    return NULL;
}

static bool is_noun(const char *word)
{
    for (size_t i = 0; i < verbs_count; i++) {
        if (strcmp(verbs[i].noun, word) == 0)
            return true;
    }
    return false;
}

/* Splits the command line: words, then the verb's arguments and options.  DONE: go on. */
static enum outcome parse(struct call *c, int argc, char **argv)
{
    const char *words[3] = { NULL, NULL, NULL };
    size_t n_words = 0;
    bool only_args = false;

    /* the words first: they say which options there are */
    for (int i = 1; i < argc && n_words < ARRAY_LEN(words) && c->verb == NULL; i++) {
        bool value;
        struct str text;

        if (strncmp(argv[i], "--", 2) != 0) {
            words[n_words++] = argv[i];
            c->verb = find_verb(words);
            continue;
        }
        text = str_c(argv[i] + 2);
        if (str_chr(text, '=') == SIZE_MAX && option_known(global_options, text, &value) && value)
            i++;
    }
    if (c->verb == NULL)
        n_words = MIN(n_words, (size_t)2);
    for (int i = 1; i < argc; i++) {
        if (!only_args && strcmp(argv[i], "--") == 0) {
            only_args = true;
        } else if (!only_args && strncmp(argv[i], "--", 2) == 0) {
            if (!option_take(c, c->verb != NULL ? c->verb->options : "", argc, argv, &i))
                return USAGE;
        } else if (n_words > 0) { /* a word of the verb, seen already */
            n_words--;
        } else if (c->n_args < MAX_ARGS) {
            c->args[c->n_args++] = argv[i];
        }
    }
    if (option(c, "version") != NULL) {
        printf("correioctl %s\n", CORREIO_VERSION);
        return PROBLEMS_FOUND; /* the caller ends */
    }
    if (option(c, "help") != NULL || argc == 1 || (words[0] != NULL && strcmp(words[0], "help") == 0)) {
        print_help(stdout, words[0] != NULL && is_noun(words[0]) ? words[0] : NULL);
        return PROBLEMS_FOUND;
    }
    if (c->verb == NULL || c->n_args < c->verb->min_args || c->n_args > c->verb->max_args) {
        if (c->verb == NULL)
            say(t("there is no verb \"%s%s%s\""), words[0] != NULL ? words[0] : "", words[1] != NULL ? " " : "",
                words[1] != NULL ? words[1] : "");
        else
            say("%s", t("the arguments do not fit"));
        if (words[0] != NULL && is_noun(words[0]))
            print_help(stderr, words[0]);
        else
            hint_noun(words[0]);
        return USAGE;
    }
    return DONE;
}

int main(int argc, char **argv)
{
    static struct call c;
    struct client_options o;
    enum outcome out;

    setlocale(LC_ALL, "");
    out = parse(&c, argc, argv);
    if (out != DONE)
        return out == USAGE ? USAGE : DONE;
    c.json = option(&c, "json") != NULL;
    c.quiet = option(&c, "quiet") != NULL;
    c.yes = option(&c, "yes") != NULL;
    o = (struct client_options){ .socket = option(&c, "socket"),
                                 .url = option(&c, "url"),
                                 .token_file = option(&c, "token-file"),
                                 .ca_file = option(&c, "cacert"),
                                 .insecure = option(&c, "insecure") != NULL };
    if (o.url == NULL && o.socket == NULL)
        o.url = getenv("CORREIO_URL");
    if (o.token_file == NULL)
        o.token_file = getenv("CORREIO_TOKEN_FILE");
    c.client = client_new(&o);
    out = c.client == NULL ? FAILED : c.verb->run(&c);
    if (out == DONE && option(&c, "dry-run") != NULL)
        say("%s", t("This was a dry run: nothing has changed."));
    client_free(c.client);
    arena_reset(&c.arena);
    if (fflush(stdout) != 0 && out == DONE)
        out = FAILED;
    return (int)out;
}
