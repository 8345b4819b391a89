#include "smtp/domain_use.h"
#include "io/coroutine.h"
#include "route/quota.h"
#include "store/quota.h"

#include <stdlib.h>

#define SUM_MS (60 * 1000)
#define AGAIN_MS 1000 /* the database did not answer */

static struct quota_domain *domains; /* by id; in `arena` */
static size_t n_domains;
static struct arena arena;

static bool sum(struct db *db)
{
    struct arena fresh = { 0 };
    struct quota_domain *v;
    size_t n;

    if (quota_domains(db, &fresh, &v, &n) != RES_OK) {
        arena_reset(&fresh);
        return false;
    }
    arena_reset(&arena);
    arena = fresh;
    domains = v;
    n_domains = n;
    return true;
}

static void run(void *arg)
{
    while (!coroutine_cancelled())
        (void)coroutine_sleep(sum(arg) ? SUM_MS : AGAIN_MS);
}

void domain_use_start(struct db *db)
{
    if (coroutine_spawn("domain-use", run, db) == NULL)
        abort(); /* at the start there are stacks */
}

static int by_id(const void *key, const void *entry)
{
    int64_t id = *(const int64_t *)key, other = ((const struct quota_domain *)entry)->id;

    return (id > other) - (id < other);
}

bool domain_use_has_room(int64_t domain_id, uint64_t size)
{
    const struct quota_domain *d = n_domains == 0 ? NULL : bsearch(&domain_id, domains, n_domains, sizeof(*d), by_id);
    const struct quota_figures q = { .limit = d != NULL ? d->limit : -1, .used = d != NULL ? d->used : 0, .message_limit = -1 };

    return quota_has_room(&q, size, 0);
}
