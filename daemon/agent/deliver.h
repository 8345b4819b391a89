/* agent/deliver.h - the deliveries that correio-deliver can do, as the user that it has become.
 *
 * The message is read from the descriptor `message`, a regular file, from its start; its lines end in LF, it begins
 * with Return-Path.  They block.  What is wrong with files is "later": an administrator can put it right. */
#pragma once
#include "agent/request.h"

struct delivering {
    const struct request *request;
    struct arena *a;
    int message, output; /* output: request->output_max wants it; else -1 */
    const char *home, *shell; /* of the user */
};

/* The answer for a call that failed: "later", with what, and errno in words. */
struct answer answer_errno(struct arena *a, const char *what, struct str path);
struct answer answer_later(struct arena *a, const char *status, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Writes all; false: errno tells. */
bool write_all(int fd, struct str bytes);
/* Makes the directory of `path` durable; false: errno tells. */
bool sync_directory(const char *path);

/* A Maildir as its specification says: tmp, link to new, fsync of file and directory; with flags into cur.  The
 * Maildir, and the Maildir++ folder (".Lists.C"), are made when only they lack. */
struct answer maildir_deliver(const struct delivering *d, struct str path);
/* "Lists/C" -> ".Lists.C"; STR_NULL: the inbox, or no name that may stand in a path.  "." in a level becomes "_". */
struct str maildir_folder(struct arena *a, struct str folder);

/* mboxrd: a From_ line, ">" before lines that look like one; under an fcntl lock and a dotlock, made durable, cut back
 * to its old length when something fails. */
struct answer mbox_deliver(const struct delivering *d, struct str path);
/* The pure part: appends `text`, quoted, to out; *at_line_start is kept between pieces, which must end at line ends
 * except the last. */
void mbox_quote(struct str text, struct strbuf *out);
struct str mbox_from_line(struct arena *a, struct str sender, int64_t now_s);

/* Runs a program with the message as its standard input and the envelope in its environment (docs/delivery.md).  Words
 * that are "$NAME" of such a variable become its value. */
struct answer pipe_deliver(const struct delivering *d, const struct str *words, size_t n);
/* sysexits(3): what a program's status means; `said`: its first line. */
struct answer pipe_judge(struct arena *a, int status, struct str program, struct str said);

/* By the request's target, or by the user's .forward when it counts and there is one. */
struct answer deliver(const struct delivering *d);
