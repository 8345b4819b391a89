#include "auth/letters.h"
#include "base/encode.h"

#define LETTERS 26

/* Each letter is as likely as any other: bytes behind the last whole alphabet are thrown again. */
static char random_letter(void)
{
    unsigned char byte;

    do
        random_bytes(&byte, 1);
    while (byte >= 256 / LETTERS * LETTERS);
    return (char)('a' + byte % LETTERS);
}

struct str letters_make(struct arena *a, unsigned groups, unsigned each)
{
    char *text = arena_alloc(a, (size_t)groups * (each + 1));
    size_t n = 0;

    for (unsigned g = 0; g < groups; g++) {
        if (g > 0)
            text[n++] = '-';
        for (unsigned i = 0; i < each; i++)
            text[n++] = random_letter();
    }
    return str_of(text, n);
}

enum result letters_read(struct arena *a, struct str typed, size_t n, struct str *ret_letters)
{
    char *text = arena_alloc(a, n);
    size_t found = 0;

    for (size_t i = 0; i < typed.len; i++) {
        char c = typed.p[i];

        if (c == '-' || c == ' ')
            continue;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (c < 'a' || c > 'z' || found == n)
            return RES_INVALID;
        text[found++] = c;
    }
    *ret_letters = str_of(text, n);
    return found == n ? RES_OK : RES_INVALID;
}
