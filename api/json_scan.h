/* api/json_scan.h - is this text strict JSON (RFC 8259)?
 *
 * json-c lets through what must not get through (doubled names, single quotes, NaN, lone surrogates), so this one pass
 * over the bytes comes first.  Refused besides bad grammar: text that is not UTF-8, a lone surrogate, a name that
 * stands twice in one object, more than JSON_MAX_DEPTH levels, more than JSON_MAX_NAMES names, bytes behind the value. */
#pragma once
#include "base/arena.h"
#include "base/str.h"

#define JSON_MAX_DEPTH 32
#define JSON_MAX_NAMES 20000

/* True when it is.  Otherwise *ret_at is where (an offset in bytes) and *ret_why what is wrong, in words. */
bool json_scan(struct str text, size_t *ret_at, const char **ret_why);
