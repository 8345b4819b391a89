/* fault.c - the fault points, armed: stands in for base/fault.c in a program that is linked with it. */
#include "base/fault.h"

#include "base/str.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void fault_point(const char *name)
{
    static unsigned passages;
    struct str spec = str_c(getenv("CORREIO_FAULT"));
    struct str action = spec, point, count;
    uint64_t nth = 1, ms;

    if (spec.p == NULL || !str_split(&action, '=', &point) || !str_eq(point, str_c(name)))
        return;
    count = action;
    str_split(&count, '@', &action);
    if (count.p != NULL && !str_u64(count, 1000000, &nth))
        return;
    if (++passages != nth)
        return;
    fprintf(stderr, "fault point %s: %.*s\n", name, STR_ARG(action));
    if (str_eq(action, STR("kill")))
        kill(getpid(), SIGKILL);
    if (str_starts(action, STR("delay:")) && str_u64(str_from(action, 6), 60000, &ms))
        usleep((useconds_t)ms * 1000);
}
