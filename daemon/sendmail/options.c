#include "sendmail/options.h"

/* Options with a value, in the same word or the next, and without; most of them mean nothing here. */
static const char with_value[] = "frFNRVBoOXLdhpACD", flags[] = "tinmvGUsEJ";

struct reading {
    int argc, at;
    char **argv;
    struct sendmail_options o;
    struct arena *a;
    struct str error;
};

static bool fail(struct reading *r, const char *fmt, struct str word)
{
    r->error = arena_printf(r->a, "%s%.*s", fmt, STR_ARG(str_sub(word, 0, 100)));
    return false;
}

static bool take_mode(struct reading *r, struct str value)
{
    static const struct {
        char letter;
        enum sendmail_mode mode;
    } modes[] = { { 'm', SENDMAIL_SEND }, { 's', SENDMAIL_SMTP }, { 'p', SENDMAIL_LIST }, { 'i', SENDMAIL_ALIASES } };

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (value.len == 1 && value.p[0] == modes[i].letter) {
            r->o.mode = modes[i].mode;
            return true;
        }
    }
    return fail(r, "this server has no mode -b", value);
}

static bool take_value(struct reading *r, char option, struct str value)
{
    switch (option) {
    case 'f':
    case 'r':
        r->o.sender = value;
        return true;
    case 'F':
        r->o.name = value;
        return true;
    case 'N':
        r->o.notify = value;
        return true;
    case 'R':
        r->o.ret = value;
        return true;
    case 'V':
        r->o.envid = value;
        return true;
    case 'o': /* the long form is -O; of the others none changes what is done here */
        if (value.len == 1 && value.p[0] == 'i')
            r->o.ignore_dots = true;
        return true;
    default:
        return true;
    }
}

/* One word of options: "-it", "-fuser", "-f user". */
static bool take_options(struct reading *r, struct str word)
{
    for (size_t i = 1; i < word.len; i++) {
        char c = word.p[i];
        struct str rest = str_from(word, i + 1);

        if (c == 'b')
            return take_mode(r, rest);
        if (c == 'q') { /* -q, -q30m, -qRdomain: all of them ask to try */
            r->o.mode = SENDMAIL_RUN;
            return true;
        }
        if (strchr(with_value, c) != NULL) {
            if (rest.len > 0 || c == 'd')
                return take_value(r, c, rest);
            if (++r->at >= r->argc)
                return fail(r, "a value is missing behind -", str_of(&c, 1));
            return take_value(r, c, str_c(r->argv[r->at]));
        }
        if (strchr(flags, c) == NULL)
            return fail(r, "unknown option -", str_of(&c, 1));
        r->o.from_header |= c == 't';
        r->o.ignore_dots |= c == 'i';
    }
    return word.len > 1;
}

static void mode_of_name(struct reading *r, struct str program)
{
    struct str name = str_from(program, str_rchr(program, '/') + 1);

    if (str_eq(name, STR("mailq")))
        r->o.mode = SENDMAIL_LIST;
    else if (str_eq(name, STR("newaliases")))
        r->o.mode = SENDMAIL_ALIASES;
}

enum result sendmail_options(int argc, char **argv, struct arena *a, struct sendmail_options *ret,
                             struct str *ret_error)
{
    struct reading r = { .argc = argc, .argv = argv, .a = a };
    bool only_recipients = false;

    if (argc > 0)
        mode_of_name(&r, str_c(argv[0]));
    r.o.recipients = arena_array(a, struct str, (size_t)argc);
    for (r.at = 1; r.at < argc; r.at++) {
        struct str word = str_c(argv[r.at]);

        if (!only_recipients && str_eq(word, STR("--"))) {
            only_recipients = true;
        } else if (!only_recipients && word.len > 1 && word.p[0] == '-') {
            if (!take_options(&r, word)) {
                *ret_error = r.error;
                return RES_INVALID;
            }
        } else {
            r.o.recipients[r.o.n_recipients++] = word;
        }
    }
    *ret = r.o;
    return RES_OK;
}
