/* pages TEMPLATE PAGE: writes a manual page.  Lines of the template that are @WORDS@, @OPTIONS@, @VERBS@,
 * @GLOBALS@, @KEYS@ or @SETTINGS@ become the tables from which the programs themselves work; @VERSION@ is replaced
 * anywhere.  Run by the build, never installed. */
#include "api/ctl/verbs.h"
#include "base/macros.h"
#include "config/config.h"
#include "config/settings.h"
#include "words_help.h"

#include <stdio.h>
#include <string.h>

/* Text as roff shows it: a hyphen that can be copied, no escapes, no request at a line's start. */
static void put(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '-')
            fputs("\\-", stdout);
        else if (*text == '\\')
            fputs("\\e", stdout);
        else
            putchar(*text);
    }
}

static void put_item(const char *term, const char *help)
{
    printf(".TP\n.B ");
    put(term);
    putchar('\n');
    put(help);
    putchar('\n');
}

static void write_words(void)
{
    for (size_t i = 0; i < ARRAY_LEN(correiod_words); i++)
        put_item(correiod_words[i].word[0] != '\0' ? correiod_words[i].word : "(no word)", correiod_words[i].help);
}

static void write_options(void)
{
    for (size_t i = 0; i < ARRAY_LEN(correiod_options); i++)
        put_item(correiod_options[i].option, correiod_options[i].help);
}

/* "name=NAME link" as "[--name=NAME] [--link]". */
static void put_options(const char *list)
{
    struct str rest = str_c(list), one;

    while (str_split(&rest, ' ', &one)) {
        char option[100];

        snprintf(option, sizeof(option), "[--%.*s] ", STR_ARG(one));
        put(option);
    }
    putchar('\n');
}

static void write_verbs(void)
{
    for (size_t i = 0; i < verbs_count; i++) {
        const struct verb *v = &verbs[i];

        if (i == 0 || strcmp(v->noun, verbs[i - 1].noun) != 0)
            printf(".SS %s\n", v->noun);
        printf(".TP\n.B ");
        put(v->noun);
        if (v->name != NULL) {
            putchar(' ');
            put(v->name);
        }
        printf(" \\fI");
        put(v->args);
        printf("\\fR\n");
        put(v->help);
        putchar('\n');
        if (v->options[0] != '\0') {
            printf(".br\n");
            put_options(v->options);
        }
    }
}

static void write_globals(void)
{
    put_options(global_options);
}

static void write_keys(void)
{
    struct config_key k, before = { .section = "" };

    for (size_t i = 0; i < config_keys(i, &k); i++) {
        if (strcmp(k.section, before.section) != 0)
            printf(".SS [%s]\n", k.section);
        printf(".TP\n.B ");
        put(k.name);
        if (k.fallback != NULL) {
            printf(" \\fR(");
            put(k.fallback);
            putchar(')');
        }
        putchar('\n');
        put(k.help);
        putchar('\n');
        before = k;
    }
}

static void write_settings(void)
{
    for (size_t i = 0; i < setting_defs_count; i++) {
        const struct setting_def *d = &setting_defs[i];

        printf(".TP\n.B ");
        put(d->key);
        if (d->default_value[0] != '\0') {
            printf(" \\fR(");
            put(d->default_value);
            putchar(')');
        }
        putchar('\n');
        put(d->description);
        putchar('\n');
    }
}

static void put_line(const char *line)
{
    const char *at;

    while ((at = strstr(line, "@VERSION@")) != NULL) {
        printf("%.*s%s", (int)(at - line), line, CORREIO_VERSION);
        line = at + 9;
    }
    fputs(line, stdout);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *line;
        void (*write)(void);
    } tables[] = { { "@WORDS@\n", write_words },     { "@OPTIONS@\n", write_options }, { "@VERBS@\n", write_verbs },
                   { "@GLOBALS@\n", write_globals }, { "@KEYS@\n", write_keys },       { "@SETTINGS@\n", write_settings } };
    FILE *f = argc == 3 ? fopen(argv[1], "re") : NULL;
    char line[1024];

    if (f == NULL || freopen(argv[2], "w", stdout) == NULL) {
        fprintf(stderr, "usage: pages TEMPLATE PAGE\n");
        return 2;
    }
    while (fgets(line, sizeof(line), f) != NULL) {
        size_t i = 0;

        while (i < ARRAY_LEN(tables) && strcmp(line, tables[i].line) != 0)
            i++;
        if (i < ARRAY_LEN(tables))
            tables[i].write();
        else
            put_line(line);
    }
    fclose(f);
    return fflush(stdout) == 0 ? 0 : 1;
}
