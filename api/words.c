#include "api/words.h"

#define LONGEST 40 /* longer words are not compared */

struct str word_clip(struct str s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && ((unsigned char)s.p[max] & 0xc0) == 0x80)
        max--;
    return str_sub(s, 0, max);
}

/* How many letters must be added, taken out or changed (Levenshtein). */
static size_t distance(struct str x, struct str y)
{
    size_t row[LONGEST + 1];

    for (size_t j = 0; j <= y.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= x.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= y.len; j++) {
            size_t above = row[j], best = diagonal + (ascii_lower(x.p[i - 1]) != y.p[j - 1]);

            best = best < above + 1 ? best : above + 1;
            best = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[y.len];
}

struct str word_nearest(struct str given, const char *const *words, size_t n)
{
    size_t best = 3;
    struct str nearest = STR_NULL;

    if (given.len == 0 || given.len > LONGEST)
        return STR_NULL;
    for (size_t i = 0; i < n; i++) {
        struct str word = str_c(words[i]);
        size_t d = word.len > LONGEST ? best : distance(given, word);

        if (d < best && d < word.len) {
            best = d;
            nearest = word;
        }
    }
    return nearest;
}

struct str word_hint(struct arena *a, struct str given, const char *const *words, size_t n)
{
    struct str nearest = word_nearest(given, words, n);

    return nearest.p == NULL ? STR("") : arena_printf(a, " Did you mean \"%.*s\"?", STR_ARG(nearest));
}

int word_find(struct str given, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(given, str_c(words[i])))
            return (int)i;
    }
    return -1;
}

bool word_has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c < 0x20 || c == 0x7f || (c == 0xc2 && i + 1 < s.len && (unsigned char)s.p[i + 1] < 0xa0))
            return true;
    }
    return false;
}

size_t word_length(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}
