/* api/ctl/complete.h - what a command line may go on with, from the table of verbs.  Pure but for the language of texts. */
#pragma once
#include "base/strbuf.h"

/* words: those behind "correioctl", the last one not finished (maybe ""), each maybe cut at "=" as bash does.  Appends a
 * line for each candidate: the word, a tab and what it means.  A word that ends in "=" wants its value behind that. */
void complete(const char *const *words, size_t n, struct strbuf *out);
