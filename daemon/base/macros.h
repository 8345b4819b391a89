/* base/macros.h - attributes and small macros used everywhere. */
#pragma once
#include <stddef.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define UNUSED __attribute__((unused))

/* The function may suspend the calling coroutine: other coroutines run meanwhile, so keep no pointer into
 * shared tables across the call.  It must not be called outside a coroutine. */
#define SUSPENDS

/* CLEANUP(fn) T *x = ...; calls fn(&x) when x leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* The struct of which `ptr` is the member `member`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
