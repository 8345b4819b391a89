/* mda/mda.c - its crew. */
#include "mda/mda_internal.h"

#include <assert.h>

static struct crew *the_crew;

void mda_run(struct service *service)
{
    assert(the_crew == NULL);
    the_crew = crew_new(&mda_crew, service->db, service->config->node, service->name, service, NULL);
}

void mda_stop(void)
{
    if (the_crew != NULL)
        crew_stop(the_crew);
}

unsigned mda_workers(void)
{
    return the_crew != NULL ? the_crew->n_workers : 0;
}
