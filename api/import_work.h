/* api/import_work.h - does imports, line by line, in a coroutine of its own (store/import.h).
 *
 * Passwords of a file are kept here alone, in memory, until their line is done: none is in the database, where backups would
 * keep it.  A line that is taken up after this process has ended goes on without its password, and says so. */
#pragma once
#include "api/request.h"
#include "store/import.h"

struct import_password {
    unsigned line;
    struct str password; /* allocated; wiped and freed by this module */
};

void imports_start(struct service *service);
/* Begins an import on behalf of r->caller.  passwords: in the order of their lines; taken over in any case.  RES_LIMIT: too many
 * imports are under way. */
enum result imports_begin(struct request *r, bool updates, const struct import_line *v, size_t n, struct import_password *passwords,
                          size_t n_passwords, const struct audit *audit, int64_t *ret_id) SUSPENDS NODISCARD;
/* No further line is begun. */
void imports_drain(void);
