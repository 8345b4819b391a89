/* api/static.h - the dashboard's files, from memory.
 *
 * At start web/ is read, each file gets the hash of its content, and index.html an import map in which every module
 * carries its hash: such addresses are cached for ever, all others are asked for each time.  What gets smaller by it is
 * kept compressed, too. */
#pragma once
#include "api/request.h"

/* Blocks while it reads; before anything is served. */
void static_load(struct str dir);
/* Answers a request outside the API: a file, or index.html for the page's own paths. */
void static_answer(struct request *r);
/* api/openapi.yaml; STR_NULL: it is not installed. */
struct str static_contract(void);
