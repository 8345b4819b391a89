/* correiod: the mail server.  Without a word it runs it (supervisor/); words_help.h has the others.
 *
 * This program links neither libpq nor OpenSSL nor json-c: tests/e2e reads its symbols. */
#include "base/log.h"
#include "config/config.h"
#include "supervisor/home.h"
#include "supervisor/supervisor.h"
#include "words_help.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int usage(FILE *f, int status)
{
    fprintf(f, "usage: correiod [OPTION...] [WORD]\n");
    for (size_t i = 0; i < ARRAY_LEN(correiod_words); i++)
        fprintf(f, "  %-26s %s\n", correiod_words[i].word, correiod_words[i].help);
    for (size_t i = 0; i < ARRAY_LEN(correiod_options); i++)
        fprintf(f, "  %-26s %s\n", correiod_options[i].option, correiod_options[i].help);
    fprintf(f, "CORREIO_HOME is the server's directory (/var/lib/correio), CORREIO_CONFIG its configuration file.\n");
    return status;
}

static bool take_options(int *argc, char **argv)
{
    int kept = 1;

    for (int i = 1; i < *argc; i++) {
        if (strncmp(argv[i], "--log-format=", 13) == 0)
            setenv("CORREIO_LOG_FORMAT", argv[i] + 13, 1);
        else if (argv[i][0] == '-' && strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "--version") != 0)
            return false;
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    return true;
}

int main(int argc, char **argv)
{
    static struct arena arena;
    struct config config;
    struct str errors;
    const char *word;

    if (!take_options(&argc, argv) || argc > 2)
        return usage(stderr, 2);
    word = argc == 2 ? argv[1] : "";
    if (strcmp(word, "--help") == 0)
        return usage(stdout, 0);
    if (strcmp(word, "--version") == 0) {
        printf("correiod %s\n", CORREIO_VERSION);
        return 0;
    }
    if (config_load(&arena, &config, &errors) != RES_OK) {
        fprintf(stderr, "%.*s", STR_ARG(errors));
        return 2;
    }
    log_init("correiod", LOG_INFO, str_eq(config.log_format, STR("json")));
    if (strcmp(word, "check") == 0) {
        if (!home_fits(&config))
            return 2;
        printf("The configuration is right.\n");
        return 0;
    }
    if (strcmp(word, "migrate") == 0 || strcmp(word, "admin-link") == 0) {
        char *const args[] = { (char *)"correio-worker", argv[1], NULL };

        return run_word(&config, args);
    }
    if (word[0] != '\0')
        return usage(stderr, 2);
    return supervise(&config);
}
