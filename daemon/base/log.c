#include "base/log.h"
#include "base/encode.h"
#include "base/macros.h"
#include "base/strbuf.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192

static const char *process_name = "correio";
static enum log_level least_level = LOG_INFO;
static bool as_json;

void log_init(const char *process, enum log_level least, bool json)
{
    process_name = process;
    least_level = least;
    as_json = json;
}

bool log_enabled(enum log_level level)
{
    return level >= least_level;
}

static bool plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
            return false;
    }
    return s.len > 0;
}

static void add_field(struct strbuf *b, const struct log_field *f)
{
    struct str s = str_sub(f->s, 0, 1024);
    char id[ID_TEXT_MAX];

    if (as_json)
        strbuf_addf(b, ",\"%s\":", f->name);
    else
        strbuf_addf(b, " %s=", f->name);
    if (f->kind == LOG_F_QUEUE_ID)
        s = id_text(id, 'q', f->i);
    if (f->kind == LOG_F_INT)
        strbuf_addf(b, "%lld", (long long)f->i);
    else if (!as_json && plain(s))
        strbuf_add(b, s);
    else
        json_add_string(b, s);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    struct strbuf b = { .max = LINE_MAX_BYTES };
    struct timespec now;
    struct tm tm;
    char at[32];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
    if (as_json)
        strbuf_addf(&b, "{\"at\":\"%s.%03ldZ\",\"level\":\"%s\",\"process\":\"%s\",\"pid\":%d,\"event\":\"%s\"", at,
                    now.tv_nsec / 1000000, names[level], process_name, (int)getpid(), event);
    else
        strbuf_addf(&b, "%s.%03ldZ %s %s %s", at, now.tv_nsec / 1000000, names[level], process_name, event);
    for (size_t i = 0; i < n; i++)
        add_field(&b, &fields[i]);
    b.overflow = false; /* a line that is too long is cut, never dropped */
    b.max = 0;
    strbuf_add(&b, as_json ? STR("}\n") : STR("\n"));
    while (write(STDERR_FILENO, b.p, b.len) < 0) {
        if (errno != EINTR)
            break;
    }
    strbuf_release(&b);
}
