/* sieve/mime.h - what the MIME commands of RFC 5703 need of each other.  Internal to sieve/. */
#pragma once
#include "sieve/runtime.h"

/* The message's body with all replacements, in the result's arena or a view of the message. */
struct str mime_body(struct sieve_run *r);
