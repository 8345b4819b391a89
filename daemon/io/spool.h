/* io/spool.h - bytes from a client that may be many: in memory up to 1 MiB, then in a file without a name, mapped when
 * it is read.  So a connection's memory stays bounded whatever it sends. */
#pragma once
#include "base/result.h"
#include "base/strbuf.h"

#define SPOOL_MEMORY ((size_t)1 << 20)

struct spool {
    struct strbuf memory; /* all of it, or what has not been written to the file yet */
    int fd;               /* -1: no file */
    size_t in_file, max;
    char *map;
    enum result error; /* sticks: RES_LIMIT over max, RES_TEMPFAIL no file or disk full */
};

/* `max` bytes at most. */
void spool_init(struct spool *s, size_t max);
/* Directory of the files, for the whole process; "/tmp" until it is set. */
void spool_set_directory(const char *dir);
void spool_release(struct spool *s);

/* After an error nothing is kept and every later call fails with it.  Blocks for the time of a write to the page cache. */
enum result spool_add(struct spool *s, struct str bytes);
size_t spool_size(const struct spool *s);
/* All of it, NUL behind it not promised; valid until the next add, insert or release. */
enum result spool_view(struct spool *s, struct str *ret_bytes) NODISCARD;
/* Puts bytes at position `at`: moves or copies what is behind. */
enum result spool_insert(struct spool *s, size_t at, struct str bytes) NODISCARD;
