#include "mail/subject.h"

/* Step (1): tabs to blanks, runs of blanks to one. */
static struct str collapse(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i] == '\t' || s.p[i] == '\r' || s.p[i] == '\n' ? ' ' : s.p[i];

        if (c != ' ' || n == 0 || p[n - 1] != ' ')
            p[n++] = c;
    }
    return str_of(p, n);
}

/* Step (2): subj-trailer. */
static struct str without_trailers(struct str s)
{
    for (;;) {
        if (s.len > 0 && s.p[s.len - 1] == ' ')
            s.len--;
        else if (str_iends(s, STR("(fwd)")))
            s.len -= 5;
        else
            return s;
    }
}

static size_t blanks_at(struct str s, size_t at)
{
    size_t n = 0;

    while (at + n < s.len && s.p[at + n] == ' ')
        n++;
    return n;
}

/* Length of the subj-blob at s.p[at], 0 if there is none. */
static size_t blob_at(struct str s, size_t at)
{
    size_t end = at;

    if (at >= s.len || s.p[at] != '[')
        return 0;
    for (end++; end < s.len && s.p[end] != ']'; end++) {
        if (s.p[end] == '[')
            return 0;
    }
    if (end == s.len)
        return 0;
    end++;
    return end + blanks_at(s, end) - at;
}

/* Length of the subj-refwd at s.p[at], 0 if there is none. */
static size_t refwd_at(struct str s, size_t at)
{
    struct str rest = str_from(s, at);
    size_t end;

    if (str_istarts(rest, STR("re")))
        end = 2;
    else if (str_istarts(rest, STR("fwd")))
        end = 3;
    else if (str_istarts(rest, STR("fw")))
        end = 2;
    else
        return 0;
    end += blanks_at(rest, end);
    end += blob_at(rest, end);
    return end < rest.len && rest.p[end] == ':' ? end + 1 : 0;
}

/* Length of the subj-leader at the start of s. */
static size_t leader(struct str s)
{
    size_t at = 0, n;

    if (s.len > 0 && s.p[0] == ' ')
        return 1;
    while ((n = blob_at(s, at)) > 0)
        at += n;
    n = refwd_at(s, at);
    return n > 0 ? at + n : 0;
}

/* Steps (3) to (5). */
static struct str without_leaders(struct str s)
{
    for (;;) {
        size_t n = leader(s);

        if (n == 0) {
            n = blob_at(s, 0);
            if (n == s.len) /* nothing would remain: the blob is the base */
                n = 0;
        }
        if (n == 0)
            return s;
        s = str_from(s, n);
    }
}

struct str subject_base(struct arena *a, struct str subject)
{
    struct str s = collapse(a, subject);

    for (;;) {
        s = without_leaders(without_trailers(s));
        if (!str_istarts(s, STR("[fwd:")) || !str_ends(s, STR("]"))) /* step (6) */
            return s;
        s = str_sub(s, 5, s.len - 6);
    }
}
