#include "base/fault.h"

typedef int fault_is_not_empty; /* a file must hold something in builds without fault points */

#ifdef CORREIO_FAULTS
#include "base/str.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool fault_hit(const char *name)
{
    static unsigned passages;
    struct str spec = str_c(getenv("CORREIO_FAULT"));
    struct str action = spec, point, count;
    uint64_t nth = 1, ms;

    if (spec.p == NULL || !str_split(&action, '=', &point) || !str_eq(point, str_c(name)))
        return false;
    count = action;
    str_split(&count, '@', &action);
    if (count.p != NULL && !str_u64(count, 1000000, &nth))
        return false;
    if (++passages != nth)
        return false;
    fprintf(stderr, "fault point %s: %.*s\n", name, STR_ARG(action));
    if (str_eq(action, STR("kill")))
        kill(getpid(), SIGKILL);
    if (str_starts(action, STR("delay:")) && str_u64(str_from(action, 6), 60000, &ms))
        usleep((useconds_t)ms * 1000);
    return str_eq(action, STR("fail"));
}
#endif
