/* auth/letters.h - secrets that people copy by hand: random lower-case letters in groups, "abcde-fghij-klmno-pqrst".
 *
 * 4.7 bits a letter.  Made by us and as random as their length says, so a fast hash keeps them. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"

struct str letters_make(struct arena *a, unsigned groups, unsigned each);
/* The n letters alone, however they were typed: in groups by blanks or hyphens, in capitals.  RES_INVALID: it is
 * something else. */
enum result letters_read(struct arena *a, struct str typed, size_t n, struct str *ret_letters) NODISCARD;
