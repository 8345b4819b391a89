/* base/fault.h - named points where tests/faults kills the program or holds it up.
 *
 * In what is installed a point does nothing.  The programs under libexec/faults are the same objects, linked with daemon/fault.c
 * besides: there the environment variable CORREIO_FAULT="name=kill|delay:MS[@N]" arms one point: at its Nth passage (default the
 * first). */
#pragma once

void fault_point(const char *name);
