/* agent/deliver.c - the target, or the user's .forward. */
#include "agent/deliver.h"

#include "route/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct answer deliver_to_target(const struct delivering *d)
{
    const struct request *r = d->request;

    switch (r->kind) {
    case DELIVERY_MAILDIR:
        return maildir_deliver(d, r->path);
    case DELIVERY_MBOX:
        return mbox_deliver(d, r->path);
    default:
        return pipe_deliver(d, r->words, r->n_words);
    }
}

static struct answer deliver_to_command(const struct delivering *d, struct str command)
{
    struct str *words;
    size_t n;

    if (command_words(command, d->a, &words, &n) != RES_OK)
        return answer_later(d->a, "4.3.5", "a command in .forward is malformed");
    return pipe_deliver(d, words, n);
}

/* Addresses are only collected: the mda queues them when all else is done. */
static struct answer follow(const struct delivering *d, const struct forward_entry *v, size_t n)
{
    struct str *addresses = arena_array(d->a, struct str, FORWARD_MAX_ENTRIES);
    struct answer answer = { .kind = ANSWER_DONE };
    size_t n_addresses = 0;

    for (size_t i = 0; i < n && answer.kind == ANSWER_DONE; i++) {
        switch (v[i].kind) {
        case FORWARD_ADDRESS:
            addresses[n_addresses++] = v[i].text;
            break;
        case FORWARD_SELF:
            answer = deliver_to_target(d);
            break;
        case FORWARD_PIPE:
            answer = deliver_to_command(d, v[i].text);
            break;
        case FORWARD_FILE:
            answer = v[i].text.p[v[i].text.len - 1] == '/' ? maildir_deliver(d, v[i].text) : mbox_deliver(d, v[i].text);
            break;
        }
    }
    if (answer.kind == ANSWER_DONE) {
        answer.addresses = addresses;
        answer.n_addresses = n_addresses;
    }
    return answer;
}

/* RES_NOTFOUND: there is none.  RES_INVALID: *ret_why. */
static enum result read_forward(const struct delivering *d, struct str *ret_text, struct answer *ret_why)
{
    struct str path = arena_printf(d->a, "%s/.forward", d->home);
    char *text = arena_alloc(d->a, FORWARD_MAX_BYTES + 1);
    int fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    enum result r = RES_INVALID;
    struct stat st;
    ssize_t n = -1;

    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return RES_NOTFOUND;
    if (fd < 0 || fstat(fd, &st) != 0) {
        *ret_why = answer_errno(d->a, "could not open", path);
    } else if (!S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022) != 0) {
        *ret_why = answer_later(d->a, "4.7.0", "others may write %.*s", STR_ARG(path));
    } else if ((n = read(fd, text, FORWARD_MAX_BYTES + 1)) < 0) {
        *ret_why = answer_errno(d->a, "could not read", path);
    } else if (n > (ssize_t)FORWARD_MAX_BYTES) {
        *ret_why = answer_later(d->a, "4.3.5", "%.*s is too long", STR_ARG(path));
    } else {
        *ret_text = str_of(text, (size_t)n);
        r = RES_OK;
    }
    if (fd >= 0)
        close(fd);
    return r;
}

struct answer deliver(const struct delivering *d)
{
    struct forward_entry *entries;
    struct answer why;
    struct str text;
    unsigned line;
    size_t n;
    enum result r = d->request->forward ? read_forward(d, &text, &why) : RES_NOTFOUND;

    if (r == RES_NOTFOUND)
        return deliver_to_target(d);
    if (r != RES_OK)
        return why;
    if (forward_parse(text, d->request->user, d->a, &entries, &n, &line) != RES_OK)
        return answer_later(d->a, "4.3.5", ".forward of %.*s is malformed in line %u", STR_ARG(d->request->user), line);
    return n > 0 ? follow(d, entries, n) : deliver_to_target(d);
}
