/* daemon/words.h - words of correio-worker that are no kind of process: run for a moment as the database's owner. */
#pragma once
#include "config/config.h"

/* Its exit status.  The arena lives as long as the process. */
typedef int word_run(const struct config *config, struct arena *a);

/* "migrate", "admin-link", and "first-admin", which is for the supervisor's start.  NULL: no such word. */
word_run *words_find(const char *name);
