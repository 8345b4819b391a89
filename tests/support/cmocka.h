/* tests/support/cmocka.h - cmocka with the headers that it wants first. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
