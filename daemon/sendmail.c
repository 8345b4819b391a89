/* correio-sendmail: sendmail(1) for the programs of this machine (docs/delivery.md).
 *
 * Hands the message to the server's local socket, where the kernel says who the caller is; so it needs no privileges,
 * writes no files and keeps no queue: what it cannot hand in, its caller still has.  Ends with the words of sysexits.
 */
#include "sendmail/compose.h"
#include "sendmail/options.h"
#include "sendmail/submit.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static struct arena arena;

static const char *socket_path(void)
{
    const char *home = getenv("CORREIO_HOME"), *path = getenv("CORREIO_LISTEN_LOCAL");

    if (home == NULL || home[0] != '/')
        home = "/var/lib/correio";
    if (path == NULL)
        path = "run/local.sock";
    return path[0] == '/' ? path : arena_printf(&arena, "%s/%s", home, path).p;
}

/* correioctl, installed beside us, speaks to the API as its caller, who may be nobody there. */
static int run_ctl(const char *noun, const char *verb, const char *option)
{
    const char *args[] = { NULL, noun, verb, option, NULL };
    char own[4096] = "";
    ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
    struct str path = str_of(own, (size_t)MAX(n, (ssize_t)0));

    args[0] = arena_printf(&arena, "%.*s/../bin/correioctl", STR_ARG(str_sub(path, 0, str_rchr(path, '/')))).p;
    execv(args[0], (char **)(uintptr_t)args);
    fprintf(stderr, "sendmail: could not run %s: %s\n", args[0], strerror(errno));
    return EX_OSFILE;
}

/* Standard input, up to its end or to a line with a dot, in a file without a name, mapped. */
static int read_message(bool ignore_dots, struct str *ret)
{
    FILE *file = tmpfile();
    char *line = NULL;
    size_t cap = 0;
    struct stat st;
    ssize_t n;
    void *map;

    if (file == NULL) {
        fprintf(stderr, "sendmail: could not make a file: %s\n", strerror(errno));
        return EX_IOERR;
    }
    while ((n = getline(&line, &cap, stdin)) > 0) {
        if (!ignore_dots && (str_eq(str_of(line, (size_t)n), STR(".\n")) || str_eq(str_of(line, (size_t)n), STR("."))))
            break;
        (void)fwrite(line, 1, (size_t)n, file);
    }
    free(line);
    if (ferror(stdin) != 0 || fflush(file) != 0 || ferror(file) != 0 || fstat(fileno(file), &st) != 0) {
        fprintf(stderr, "sendmail: could not read the message: %s\n", strerror(errno));
        return EX_IOERR;
    }
    *ret = STR("");
    if (st.st_size == 0)
        return EX_OK;
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    if (map == MAP_FAILED)
        return EX_OSERR;
    *ret = str_of(map, (size_t)st.st_size);
    return EX_OK;
}

/* The caller's name for people: of the GECOS field. */
static struct str full_name(void)
{
    const struct passwd *pw = getpwuid(getuid());

    return pw == NULL ? STR("") : arena_str(&arena, str_sub(str_c(pw->pw_gecos), 0, strcspn(pw->pw_gecos, ",")));
}

struct sending {
    const struct sendmail_options *o;
    struct submit submit;
    struct str header, body, sender;
    struct str *recipients;
    size_t n;
};

static int usage(const char *what, struct str word)
{
    fprintf(stderr, "sendmail: %s%.*s\n", what, STR_ARG(word));
    return EX_USAGE;
}

static int find_addresses(struct sending *s)
{
    const struct sendmail_options *o = s->o;
    struct str bad = STR("");
    size_t n = 0;

    s->sender = s->submit.sender;
    if (o->sender.p != NULL && (o->sender.len == 0 || str_eq(o->sender, STR("<>"))))
        s->sender = STR("");
    else if (o->sender.p != NULL && sendmail_qualify(o->sender, s->submit.host, &arena, &s->sender) != RES_OK)
        return usage("this is no address: ", o->sender);
    if (o->from_header && sendmail_recipients(s->header, s->submit.host, &arena, &s->recipients, &s->n, &bad) != RES_OK)
        return usage("this is no address: ", bad);
    if (o->n_recipients > 0) { /* they join those of the header */
        struct str *all = arena_array(&arena, struct str, s->n + o->n_recipients);

        for (n = 0; n < s->n; n++)
            all[n] = s->recipients[n];
        for (size_t i = 0; i < o->n_recipients; i++, n++) {
            if (sendmail_qualify(o->recipients[i], s->submit.host, &arena, &all[n]) != RES_OK)
                return usage("this is no address: ", o->recipients[i]);
        }
        s->recipients = all;
        s->n = n;
    }
    return s->n > 0 ? EX_OK : usage("no recipient was named", STR(""));
}

/* MAIL's parameters: what the message and its addresses need, and DSN. */
static const char *mail_parameters(const struct sending *s)
{
    bool utf8 = !str_is_ascii(s->header) || !str_is_ascii(s->sender);
    struct str ret = STR(""), envid = STR("");

    for (size_t i = 0; i < s->n; i++)
        utf8 |= !str_is_ascii(s->recipients[i]);
    if (s->o->ret.p != NULL)
        ret = arena_printf(&arena, " RET=%s", str_istarts(s->o->ret, STR("f")) ? "FULL" : "HDRS");
    if (s->o->envid.p != NULL)
        envid = arena_printf(&arena, " ENVID=%.*s", STR_ARG(s->o->envid));
    return arena_printf(&arena, "%s%s%.*s%.*s", utf8 || !str_is_ascii(s->body) ? " BODY=8BITMIME" : "",
                        utf8 ? " SMTPUTF8" : "", STR_ARG(ret), STR_ARG(envid)).p;
}

static int send_message(const struct sendmail_options *o)
{
    struct sending s = { .o = o };
    const char *notify = o->notify.p != NULL ? arena_printf(&arena, " NOTIFY=%.*s", STR_ARG(o->notify)).p : "";
    struct str message;
    int status = read_message(o->ignore_dots, &message);

    if (status != EX_OK)
        return status;
    sendmail_split(message, &s.header, &s.body);
    status = submit_open(&s.submit, socket_path(), &arena);
    if (status == EX_OK)
        status = find_addresses(&s);
    if (status != EX_OK)
        return status;
    s.header = sendmail_header(s.header, s.sender.len > 0 ? s.sender : s.submit.sender,
                               o->name.p != NULL ? o->name : full_name(), &arena);
    status = submit_mail(&s.submit, s.sender, mail_parameters(&s));
    for (size_t i = 0; i < s.n && status == EX_OK; i++) /* one that is refused: nobody gets it, and the caller knows */
        status = submit_rcpt(&s.submit, s.recipients[i], notify);
    return status == EX_OK ? submit_data(&s.submit, s.header, s.body) : status;
}

int main(int argc, char **argv)
{
    struct sendmail_options o;
    struct str error;

    signal(SIGPIPE, SIG_IGN);
    if (sendmail_options(argc, argv, &arena, &o, &error) != RES_OK)
        return usage("", error);
    switch (o.mode) {
    case SENDMAIL_SMTP:
        return submit_pass(socket_path());
    case SENDMAIL_LIST:
        return run_ctl("queue", "list", NULL);
    case SENDMAIL_RUN:
        return run_ctl("queue", "retry", "--all");
    case SENDMAIL_ALIASES:
        return EX_OK;
    case SENDMAIL_SEND:
        break;
    }
    return send_message(&o);
}
