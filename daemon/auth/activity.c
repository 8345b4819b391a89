#include "auth/activity.h"
#include "base/encode.h"
#include "base/log.h"
#include "io/coroutine.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#define ENTRIES 512
#define NETWORKS 20 /* of an account and result; more are counted together */
#define GATHER_MS 2000
#define SWEEP_MS (60 * 60 * 1000)

struct entry {
    int64_t account_id, first_us, last_us, count;
    enum activity_result result;
    char protocol[16], ip[INET6_ADDRSTRLEN];
};

static struct {
    struct db *db;
    struct coroutine *co;
    struct entry v[ENTRIES];
    size_t n;
    int64_t lost;
} self;

/* PostgreSQL takes nothing but addresses. */
static bool is_address(const char *ip)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, ip, bytes) == 1 || inet_pton(AF_INET6, ip, bytes) == 1;
}

static bool same(const struct entry *x, const struct entry *y)
{
    return x->account_id == y->account_id && x->result == y->result && strcmp(x->protocol, y->protocol) == 0;
}

/* Where it is counted; NULL: there is no place. */
static struct entry *find(struct entry *want)
{
    struct entry *any = NULL;
    size_t networks = 0;

    for (size_t i = 0; i < self.n; i++) {
        if (!same(&self.v[i], want))
            continue;
        if (strcmp(self.v[i].ip, want->ip) == 0)
            return &self.v[i];
        any = &self.v[i];
        networks++;
    }
    if (self.n < ENTRIES && networks < NETWORKS) {
        self.v[self.n] = *want;
        return &self.v[self.n++];
    }
    if (any != NULL)
        any->ip[0] = '\0';
    return any;
}

void activity_note(int64_t account_id, enum activity_result result, struct str protocol, struct str ip)
{
    struct entry want = { .account_id = account_id, .result = result, .first_us = wall_us() };
    struct entry *e;

    (void)snprintf(want.protocol, sizeof(want.protocol), "%.*s", STR_ARG(str_sub(protocol, 0, sizeof(want.protocol) - 1)));
    (void)snprintf(want.ip, sizeof(want.ip), "%.*s", STR_ARG(str_sub(ip, 0, sizeof(want.ip) - 1)));
    if (!is_address(want.ip))
        want.ip[0] = '\0';
    e = find(&want);
    if (e == NULL) {
        self.lost++;
        return;
    }
    e->count++;
    e->last_us = want.first_us;
    coroutine_wake(self.co);
}

/* What is in the table now, which is empty then. */
static void write_out(void)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct activity *v = arena_array(&a, struct activity, self.n);
    size_t n = self.n;

    for (size_t i = 0; i < n; i++) {
        const struct entry *e = &self.v[i];

        v[i] = (struct activity){ .account_id = e->account_id, .result = e->result, .first_us = e->first_us,
                                  .last_us = e->last_us, .count = e->count,
                                  .protocol = arena_str(&a, str_c(e->protocol)), .ip = arena_str(&a, str_c(e->ip)) };
    }
    self.n = 0;
    if (activity_add(self.db, v, n) != RES_OK)
        self.lost += (int64_t)n;
    if (self.lost > 0)
        log_warn("sign-ins-not-remembered", F_INT("count", self.lost));
    self.lost = 0;
}

static void run(void *arg UNUSED)
{
    int64_t sweep_at = 0;

    for (;;) {
        if (loop_now() >= sweep_at) {
            (void)!activity_sweep(self.db);
            sweep_at = deadline_in(SWEEP_MS);
        }
        if (self.n == 0) {
            coroutine_wait(sweep_at, false);
            continue;
        }
        (void)coroutine_sleep(GATHER_MS);
        write_out();
    }
}

void activity_init(struct db *db)
{
    self.db = db;
    self.co = coroutine_spawn("activity", run, NULL);
    if (self.co == NULL)
        abort();
}
