/* base/fault.h - named points where a test may kill, delay or fail the program.  Nothing in release builds.
 *
 * The environment variable CORREIO_FAULT="name=kill|fail|delay:MS[@N]" arms one point: at its Nth passage (default
 * the first).  FAULT(name) kills or delays; FAULT_FAILS(name) is true when the point is armed with "fail". */
#pragma once
#include <stdbool.h>

#ifdef CORREIO_FAULTS
bool fault_hit(const char *name);
#define FAULT(name) ((void)fault_hit(name))
#define FAULT_FAILS(name) fault_hit(name)
#else
#define FAULT(name) ((void)0)
#define FAULT_FAILS(name) false
#endif
