/* daemon/words_help.h - what correiod can be asked to do: for --help and for the manual. */
#pragma once

static const struct {
    const char *word, *help;
} correiod_words[] = {
    { "", "Runs the server in the foreground until SIGTERM or SIGINT." },
    { "check", "Reads the configuration and says what is wrong with it." },
    { "migrate", "Brings the database to this version's schema; every start does so, too." },
    { "admin-link", "Prints a one-time link that signs the first administrator in, within 30 minutes." },
};
static const struct {
    const char *option, *help;
} correiod_options[] = {
    { "--log-format=logfmt|json", "The form of log lines, over what the configuration says." },
    { "--help", "Prints this and ends." },
    { "--version", "Prints the version and ends." },
};
