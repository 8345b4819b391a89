/* relay/relay.c - the relay's crew (queue/crew.h), and what it does for the whole queue.
 *
 *   keeper       each second purges what an administrator wanted to go and writes the letters to owners; heals the queue
 *                each minute; partitions and sweep each hour
 *   sweeper      each minute, warns whose mailbox is nearly full, and removes the bodies of mail that was expunged a week ago, and what was
 *                deleted longer ago than it is kept
 *   worker       worker.c */
#include "base/log.h"
#include "config/settings.h"
#include "io/tls.h"
#include "relay/relay_internal.h"
#include "relay/tell.h"
#include "relay/warn.h"
#include "store/owner_letter.h"
#include "store/sent.h"
#include "store/sweep.h"
#include "store/trace.h"

#include <assert.h>
#include <stdlib.h>

#define POLL_MS 1000
#define HEAL_MS (60 * 1000)
#define MAINTAIN_MS (60 * 60 * 1000)
#define SWEEP_BATCH 500

static struct relay *the_relay;

static bool is_due(int64_t *at, int64_t every_ms)
{
    if (loop_now() < *at)
        return false;
    *at = deadline_in(every_ms);
    return true;
}

/* What an administrator deleted or returned, once its time is over. */
static void purge(struct relay *relay)
{
    bool more = true;

    while (more && !relay->crew->stopping && queue_purge(relay->service->db, &more) == RES_OK)
        ;
}

static bool is_stopping(void *arg)
{
    return ((struct relay *)arg)->crew->stopping;
}

static void keep(void *arg)
{
    struct relay *relay = arg;
    struct db *db = relay->service->db;
    int64_t heal_at = 0, maintain_at = 0;

    while (!relay->crew->stopping) {
        purge(relay);
        tell_owners(db, is_stopping, relay);
        if (is_due(&heal_at, HEAL_MS) && queue_heal(db) != RES_OK)
            heal_at = deadline_in(POLL_MS);
        if (is_due(&maintain_at, MAINTAIN_MS) && (trace_maintain(db) != RES_OK || queue_sweep(db) != RES_OK || sent_sweep(db) != RES_OK ||
                                      owner_letter_sweep(db) != RES_OK))
            maintain_at = deadline_in(HEAL_MS);
        coroutine_wait(deadline_in(POLL_MS), false);
    }
}

/* A coroutine of its own: a large account's sweep must not keep leases waiting. */
static void sweep(void *arg)
{
    struct relay *relay = arg;

    while (!relay->crew->stopping) {
        int64_t swept = 0, wait_until = deadline_in(HEAL_MS);

        warn_full_mailboxes(relay->service->db, relay->service->deliver, is_stopping, relay);
        if (sweep_mail(relay->service->db, SWEEP_BATCH, is_stopping, relay, &swept) == RES_OK && swept > 0)
            log_info("relay-swept", F_INT("records", swept));
        if (sweep_accounts(relay->service->db, settings_get()->keep_deleted_s, SWEEP_BATCH, is_stopping, relay, &swept) == RES_OK &&
            swept > 0)
            log_info("relay-purged", F_INT("records", swept));
        while (!relay->crew->stopping && loop_now() < wait_until)
            coroutine_wait(deadline_in(POLL_MS), false);
    }
}

static void started(struct crew *crew)
{
    if (coroutine_spawn("relay-keeper", keep, crew->owner) == NULL || coroutine_spawn("relay-sweeper", sweep, crew->owner) == NULL)
        abort(); /* at the start there are stacks */
}

void relay_run(struct service *service)
{
    struct relay *relay = calloc(1, sizeof(*relay));

    if (relay == NULL)
        abort();
    assert(the_relay == NULL);
    the_relay = relay;
    relay->service = service;
    relay->tls = tls_client_new(NULL);
    relay->crew = crew_new(&relay_crew, service->db, service->config->node, service->name, relay, started);
}

void relay_stop(void)
{
    if (the_relay != NULL)
        crew_stop(the_relay->crew);
}

unsigned relay_workers(void)
{
    return the_relay != NULL ? the_relay->crew->n_workers : 0;
}
