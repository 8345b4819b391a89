/* api/words.h - small things about words: the nearest of several, cutting a text for a message. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

/* s, or as much of it as fits into max bytes without cutting a character. */
struct str word_clip(struct str s, size_t max);
/* The one of `words` that was probably meant: at most two letters differ.  STR_NULL: none is near. */
struct str word_nearest(struct str given, const char *const *words, size_t n);
/* " Did you mean \"x\"?", or "" when nothing is near. */
struct str word_hint(struct arena *a, struct str given, const char *const *words, size_t n);
/* Its place among `words`, or -1. */
int word_find(struct str given, const char *const *words, size_t n);
/* Whether s has a control character (a C1 one, too). */
bool word_has_control(struct str s);
/* How many characters (code points) of UTF-8. */
size_t word_length(struct str s);
