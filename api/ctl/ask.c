/* Words to and from the person: messages, confirmations, passwords (call.h). */
#include "api/ctl/call.h"
#include "base/strbuf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#define MAX_PASSWORD 1024

void say(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    (void)vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

/* A line from the terminal, without its end; false: none. */
static bool read_line(FILE *tty, char *buf, size_t size)
{
    size_t n;

    if (fgets(buf, (int)size, tty) == NULL)
        return false;
    n = strlen(buf);
    while (n > 0 && (buf[n - 1] == '\n' || buf[n - 1] == '\r'))
        buf[--n] = '\0';
    return true;
}

bool confirm(struct call *c, const char *format, ...)
{
    char answer[16] = "";
    va_list ap;
    FILE *tty;

    if (c->yes)
        return true;
    tty = isatty(STDIN_FILENO) ? fopen("/dev/tty", "r+e") : NULL;
    va_start(ap, format);
    (void)vfprintf(stderr, format, ap);
    va_end(ap);
    if (tty == NULL) {
        say(" %s", t("Without a terminal this needs --yes."));
        return false;
    }
    fprintf(stderr, " %s ", t("Go on? [y/N]"));
    (void)read_line(tty, answer, sizeof(answer));
    fclose(tty);
    return answer[0] == 'y' || answer[0] == 'Y' || answer[0] == 's' || answer[0] == 'S';
}

bool take_file(struct call *c, const char *file, size_t max, struct str *ret)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = max };
    int fd = file == NULL || strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    char buf[16384];
    ssize_t got = -1;

    while (fd >= 0 && (got = read(fd, buf, sizeof(buf))) > 0 && strbuf_add(&b, str_of(buf, (size_t)got)) == RES_OK)
        ;
    if (got < 0)
        say(t("could not open %s: %s"), file != NULL ? file : "-", strerror(errno));
    else if (b.overflow)
        say(t("%s is larger than %zu bytes"), file != NULL ? file : "-", max);
    if (fd > STDIN_FILENO)
        close(fd);
    *ret = arena_str(&c->arena, strbuf_str(&b));
    return got >= 0 && !b.overflow;
}

static bool read_password_file(struct call *c, const char *file, struct str *ret)
{
    char buf[MAX_PASSWORD + 2];
    int fd = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got = 0;

    if (fd < 0) {
        say(t("could not open %s: %s"), file, strerror(errno));
        return false;
    }
    while (n < sizeof(buf) && (got = read(fd, buf + n, sizeof(buf) - n)) > 0)
        n += (size_t)got;
    if (fd != STDIN_FILENO)
        close(fd);
    if (n > 0 && buf[n - 1] == '\n') /* what an editor or echo adds; no more */
        n--;
    if (n > 0 && buf[n - 1] == '\r')
        n--;
    if (got < 0 || n == 0 || n > MAX_PASSWORD)
        say(t("%s holds no password"), file);
    else
        *ret = arena_str(&c->arena, str_of(buf, n));
    explicit_bzero(buf, sizeof(buf));
    return got >= 0 && n > 0 && n <= MAX_PASSWORD;
}

/* Without echo. */
static bool prompt(FILE *tty, const char *text, char *buf, size_t size)
{
    struct termios old, quiet;
    bool ok;

    if (tcgetattr(fileno(tty), &old) != 0)
        return false;
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(tty, "%s ", text);
    fflush(tty);
    if (tcsetattr(fileno(tty), TCSAFLUSH, &quiet) != 0)
        return false;
    ok = read_line(tty, buf, size);
    (void)tcsetattr(fileno(tty), TCSAFLUSH, &old);
    fputc('\n', tty);
    return ok && buf[0] != '\0';
}

bool take_password(struct call *c, struct str *ret)
{
    char first[MAX_PASSWORD], second[MAX_PASSWORD];
    const char *file = option(c, "password-file");
    FILE *tty;
    bool ok;

    if (file != NULL)
        return read_password_file(c, file, ret);
    tty = fopen("/dev/tty", "r+e");
    if (tty == NULL) {
        say("%s", t("there is no terminal to ask for a password; use --password-file"));
        return false;
    }
    ok = prompt(tty, t("Password:"), first, sizeof(first)) && prompt(tty, t("Again:"), second, sizeof(second));
    fclose(tty);
    if (!ok)
        say("%s", t("no password was given"));
    else if (strcmp(first, second) != 0)
        say("%s", t("the two are not the same"));
    ok = ok && strcmp(first, second) == 0;
    if (ok)
        *ret = arena_str(&c->arena, str_c(first));
    explicit_bzero(first, sizeof(first));
    explicit_bzero(second, sizeof(second));
    return ok;
}
