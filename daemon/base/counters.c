#include "base/counters.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const unsigned counters_bucket_ms[COUNTERS_BUCKETS] = { 1, 2, 5, 10, 20, 50, 100, 500, 2000, 10000 };

static struct counters own;
struct counters *counters = &own;

static void *map(int fd, int protection)
{
    struct stat st;
    void *p = fstat(fd, &st) == 0 && st.st_size == (off_t)sizeof(struct counters)
                  ? mmap(NULL, sizeof(struct counters), protection, MAP_SHARED, fd, 0)
                  : MAP_FAILED;

    close(fd);
    return p == MAP_FAILED ? NULL : p;
}

bool counters_attach(int fd)
{
    struct counters *shared = map(fd, PROT_READ | PROT_WRITE);

    if (shared == NULL)
        return false;
    memset(shared->open, 0, sizeof(shared->open)); /* those of the process before this one are closed */
    counters = shared;
    return true;
}

const struct counters *counters_map(int fd)
{
    return map(fd, PROT_READ);
}

void counters_commit(uint64_t microseconds, size_t messages)
{
    size_t i = 0;

    while (i < COUNTERS_BUCKETS && microseconds > (uint64_t)counters_bucket_ms[i] * 1000)
        i++;
    counters->commits[i]++;
    counters->commit_us += microseconds;
    counters->commit_messages += messages;
}

uint64_t counters_take(uint64_t *told, uint64_t now)
{
    uint64_t before = *told;

    *told = now;
    return now >= before ? now - before : now;
}
