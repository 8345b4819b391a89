#include "store/queue_internal.h"
#include "base/strbuf.h"

#include <inttypes.h>

#define MAX_PAYLOAD 7900

const struct db_stmt queue_wake_stmt = { "queue_wake",
    "INSERT INTO queue_destination (destination) SELECT DISTINCT destination FROM queue_recipient"
    " WHERE queue_id = ANY ($1) AND state = 0 ORDER BY destination"
    " ON CONFLICT (destination) DO UPDATE SET due_at = least(queue_destination.due_at, now())" };
const struct db_stmt queue_version_stmt = { "queue_version",
    "UPDATE queue_message SET version = version + 1 WHERE id = ANY ($1)" };

struct str queue_changed(struct arena *a, const int64_t *ids, size_t n)
{
    CLEANUP(strbuf_release) struct strbuf b = { .max = MAX_PAYLOAD };

    for (size_t i = 0; i < n && !b.overflow; i++)
        (void)strbuf_addf(&b, "%s%" PRId64, i > 0 ? "," : "", ids[i]);
    return b.overflow ? STR("") : arena_str(a, strbuf_str(&b));
}

void queue_read_ids(const struct db_rows *rows, struct arena *a, int64_t **ret_ids, size_t *ret_n)
{
    *ret_n = db_count(rows);
    *ret_ids = arena_array(a, int64_t, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        (*ret_ids)[i] = db_get_int(rows, i, 0);
}
