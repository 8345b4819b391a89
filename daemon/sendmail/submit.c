#include "sendmail/submit.h"

#include "base/strbuf.h"
#include "mail/data.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#define ANSWER_S 660 /* a little longer than the server's own limits */

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const struct timeval limit = { .tv_sec = ANSWER_S };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, path);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0 &&
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* One reply, of which each line is kept.  EX_TEMPFAIL: there was none. */
static int read_reply(struct submit *s)
{
    CLEANUP(strbuf_release) struct strbuf all = { .max = 65536 };
    char line[2048];

    for (;;) {
        uint64_t code;

        if (fgets(line, sizeof(line), s->in) == NULL || strlen(line) < 4 || !str_u64(str_of(line, 3), 599, &code)) {
            fprintf(stderr, "sendmail: the mail server does not answer\n");
            return EX_TEMPFAIL;
        }
        (void)strbuf_add(&all, str_c(line));
        if (line[3] == '-')
            continue;
        s->code = (int)code;
        s->said = arena_str(s->a, strbuf_str(&all));
        return EX_OK;
    }
}

/* 2xx and 3xx are good.  `permanent`: what a 5xx means. */
static int judge(struct submit *s, struct str about, int permanent)
{
    if (s->code < 400)
        return EX_OK;
    fprintf(stderr, "sendmail: %.*s%s%.*s\n", STR_ARG(about), about.len > 0 ? ": " : "", STR_ARG(str_trim(s->said)));
    return s->code < 500 ? EX_TEMPFAIL : permanent;
}

static int command(struct submit *s, struct str line, struct str about, int permanent)
{
    int status;

    if (str_chr(line, '\n') != SIZE_MAX || str_chr(line, '\r') != SIZE_MAX) {
        fprintf(stderr, "sendmail: an address holds a line end\n");
        return EX_USAGE;
    }
    fprintf(s->out, "%.*s\r\n", STR_ARG(line));
    fflush(s->out);
    status = read_reply(s);
    return status == EX_OK ? judge(s, about, permanent) : status;
}

static void read_greeting(struct submit *s)
{
    struct str rest = str_from(s->said, 4), word;

    s->host = str_word(&rest, &word) ? word : STR("localhost");
}

static void read_extensions(struct submit *s)
{
    struct str rest = s->said, line;

    s->sender = STR_NULL;
    while (str_split(&rest, '\n', &line)) {
        if (str_starts(str_from(line, 4), STR("XSENDER ")))
            s->sender = str_trim(str_from(line, 12));
    }
}

int submit_open(struct submit *s, const char *path, struct arena *a)
{
    int status;

    *s = (struct submit){ .fd = connect_to(path), .a = a };
    if (s->fd < 0) {
        fprintf(stderr, "sendmail: could not connect to %s: %s\n", path, strerror(errno));
        return EX_TEMPFAIL;
    }
    s->in = fdopen(s->fd, "r");
    s->out = fdopen(dup(s->fd), "w");
    if (s->in == NULL || s->out == NULL)
        return EX_OSERR;
    status = read_reply(s);
    if (status == EX_OK)
        status = judge(s, STR(""), EX_UNAVAILABLE);
    if (status != EX_OK)
        return status;
    read_greeting(s);
    status = command(s, STR("EHLO localhost"), STR(""), EX_PROTOCOL);
    if (status == EX_OK)
        read_extensions(s);
    if (status == EX_OK && s->sender.len == 0) {
        fprintf(stderr, "sendmail: %s is not the socket of a mail server of this kind\n", path);
        return EX_CONFIG;
    }
    return status;
}

int submit_mail(struct submit *s, struct str sender, const char *parameters)
{
    return command(s, arena_printf(s->a, "MAIL FROM:<%.*s>%s", STR_ARG(sender), parameters), sender, EX_NOPERM);
}

int submit_rcpt(struct submit *s, struct str recipient, const char *parameters)
{
    return command(s, arena_printf(s->a, "RCPT TO:<%.*s>%s", STR_ARG(recipient), parameters), recipient, EX_NOUSER);
}

static void put(void *arg, struct str bytes)
{
    (void)fwrite(bytes.p, 1, bytes.len, arg);
}

int submit_data(struct submit *s, struct str header, struct str body)
{
    struct data_writer w = { .out = put, .arg = s->out };
    int status = command(s, STR("DATA"), STR(""), EX_UNAVAILABLE);

    if (status != EX_OK)
        return status;
    data_write(&w, header);
    data_write(&w, STR("\n"));
    data_write(&w, body);
    data_end(&w);
    fflush(s->out);
    status = read_reply(s);
    return status == EX_OK ? judge(s, STR(""), EX_UNAVAILABLE) : status;
}

static bool pass_piece(int from, int to)
{
    char bytes[16384];
    ssize_t n = read(from, bytes, sizeof(bytes)), done = 0;

    while (n > 0 && done < n) {
        ssize_t written = write(to, bytes + done, (size_t)(n - done));

        if (written < 0 && errno != EINTR)
            return false;
        done += MAX(written, (ssize_t)0);
    }
    return n > 0 || (n < 0 && errno == EINTR);
}

int submit_pass(const char *path)
{
    int fd = connect_to(path);
    bool reading = true;

    if (fd < 0) {
        fprintf(stderr, "sendmail: could not connect to %s: %s\n", path, strerror(errno));
        return EX_TEMPFAIL;
    }
    for (;;) {
        struct pollfd p[] = { { .fd = reading ? 0 : -1, .events = POLLIN }, { .fd = fd, .events = POLLIN } };

        if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
            return EX_OSERR;
        if (p[1].revents != 0 && !pass_piece(fd, 1))
            return EX_OK;
        if (p[0].revents != 0 && !pass_piece(0, fd)) {
            reading = false;
            (void)shutdown(fd, SHUT_WR);
        }
    }
}
