/* FETCH BODY[section]<partial>: from the part table to the frames that hold it.
 *
 * Small messages whose frame came with the rows need no more.  Messages whose frames are together at most 256 KiB are
 * read with one statement, while those before them are sent.  A larger one is answered by itself, piece by piece. */
#include "base/log.h"
#include "imap/fetch.h"
#include "imap/read_ahead.h"
#include "mail/header.h"

#include <stdlib.h>

#define BATCH_BYTES  ((uint64_t)256 << 10) /* packed, it fits into the socket's buffer */
#define HEADER_BYTES ((uint64_t)1 << 20) /* of a header that HEADER.FIELDS looks at */

/* Where a section lies; for HEADER.FIELDS the header to take them from. */
struct section_place {
    bool found;
    struct mail_range range;
};
struct body_plan {
    const struct fetch_message *m;
    struct section_place *places; /* as many as sections */
    unsigned first, last;         /* frames */
    uint64_t at, bytes;           /* what those frames hold */
    char *raw;                    /* once read; NULL: not complete */
};

static void cut_partial(const struct imap_section *section, struct mail_range *range)
{
    uint64_t skip = MIN((uint64_t)section->offset, range->len);

    if (!section->partial)
        return;
    range->at += skip;
    range->len = MIN(range->len - skip, (uint64_t)section->count);
}

static struct section_place place_of(const struct fetch_message *m, const struct imap_section *section)
{
    const struct body_shape *shape = &m->row.shape;
    struct section_place place = { .found = true };

    if (section->part.len > 0) {
        place.found =
            mail_parts_range(m->row.parts, section->part, section->section, &place.range) == RES_OK &&
            place.range.at <= shape->size && place.range.len <= shape->size - place.range.at;
    } else if (section->section == MAIL_SECTION_ALL) {
        place.range = (struct mail_range){ 0, shape->size };
    } else if (section->section == MAIL_SECTION_HEADER) {
        place.range = (struct mail_range){ 0, MIN(shape->header_size, shape->size) };
    } else {
        place.range.at = MIN(shape->header_size, shape->size);
        place.range.len = shape->size - place.range.at;
    }
    if (!place.found)
        return place;
    if (section->has_fields)
        place.range.len = MIN(place.range.len, HEADER_BYTES);
    else
        cut_partial(section, &place.range);
    return place;
}

static void make_plan(struct fetch_job *job, struct arena *a, const struct fetch_message *m, struct body_plan *plan)
{
    uint64_t lo = UINT64_MAX, hi = 0, last_at, last_len;

    *plan = (struct body_plan){ .m = m, .places = arena_array(a, struct section_place, job->what->n) };
    for (size_t i = 0; i < job->what->n; i++) {
        struct section_place *place = &plan->places[i];

        *place = place_of(m, &job->what->sections[i]);
        if (!place->found || place->range.len == 0)
            continue;
        lo = MIN(lo, place->range.at);
        hi = MAX(hi, place->range.at + place->range.len);
    }
    if (lo >= hi)
        return; /* nothing to read */
    body_frames_of(&m->row.shape, lo, hi - lo, &plan->first, &plan->last);
    body_frame_range(&m->row.shape, plan->first, &plan->at, &last_len);
    body_frame_range(&m->row.shape, plan->last, &last_at, &last_len);
    plan->bytes = last_at + last_len - plan->at;
}

static void item_name(struct fetch_job *job, bool *first, const struct imap_section *section)
{
    if (!*first)
        (void)strbuf_addc(&job->out, ' ');
    *first = false;
    (void)strbuf_add(&job->out, section->label);
    (void)strbuf_addc(&job->out, ' ');
}

static void add_literal_size(struct strbuf *b, uint64_t n)
{
    (void)strbuf_addc(b, '{');
    add_number(b, n);
    (void)strbuf_adds(b, "}\r\n");
}

/* A literal whose bytes are here. */
static void add_literal(struct fetch_job *job, struct str bytes)
{
    add_literal_size(&job->out, bytes.len);
    if (bytes.len > (8 << 10)) {
        fetch_flush(job, 0);
        stream_write(job->s->stream, bytes);
    } else {
        (void)strbuf_add(&job->out, bytes);
    }
}

/* HEADER.FIELDS of a header that is here. */
static void add_fields(struct fetch_job *job, const struct imap_section *section, struct str header)
{
    struct strbuf subset = { .max = header.len + 2 };
    struct mail_range range = { 0, 0 };

    if (header_subset(header, section->fields, section->nfields, section->except, &subset) != RES_OK)
        job->damaged = true;
    range.len = subset.len;
    cut_partial(section, &range);
    add_literal(job, str_sub(strbuf_str(&subset), range.at, range.len));
    strbuf_release(&subset);
}

static void report_damage(struct fetch_job *job, const struct fetch_message *m)
{
    log_error("body-damaged", F_STR("session", job->s->id), F_INT("account", job->s->who.account_id),
              F_INT("id", m->row.email_id));
    job->damaged = true;
}

/* The answer for a message whose frames are in memory. */
static void write_from_memory(struct fetch_job *job, const struct body_plan *plan)
{
    bool first;

    fetch_begin(job, plan->m, &first);
    for (size_t i = 0; i < job->what->n; i++) {
        const struct imap_section *section = &job->what->sections[i];
        const struct section_place *place = &plan->places[i];
        struct str bytes;

        item_name(job, &first, section);
        if (!place->found || (plan->raw == NULL && place->range.len > 0)) {
            if (place->found)
                report_damage(job, plan->m);
            (void)strbuf_adds(&job->out, "NIL");
            continue;
        }
        bytes = place->range.len == 0 ? STR("") : str_of(plan->raw + (place->range.at - plan->at), place->range.len);
        if (section->has_fields)
            add_fields(job, section, bytes);
        else
            add_literal(job, bytes);
    }
    (void)strbuf_adds(&job->out, ")\r\n");
    fetch_flush(job, FETCH_FLUSH_AT);
}

/* ---- many small ones ---- */

/* The row of the first frame of an email; rows are ordered by (email_id, n). */
static size_t find_frames(const struct db_rows *rows, int64_t email_id)
{
    size_t lo = 0, hi = db_count(rows);

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (db_get_int(rows, mid, 0) < email_id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* A message may be here twice (COPY), and its frames with it: takes what fits next. */
static void unpack(struct body_plan *plan, struct arena *a, const struct db_rows *rows)
{
    const struct body_shape *shape = &plan->m->row.shape;
    unsigned want = plan->first;
    char *raw = arena_alloc(a, plan->bytes);

    for (size_t row = find_frames(rows, plan->m->row.email_id);
         want <= plan->last && row < db_count(rows) && db_get_int(rows, row, 0) == plan->m->row.email_id; row++) {
        uint64_t at, len;

        if (db_get_int(rows, row, 1) != (int64_t)want)
            continue;
        body_frame_range(shape, want, &at, &len);
        if (body_unpack(db_get_str(rows, row, 2), raw + (at - plan->at), len) != RES_OK)
            break;
        want++;
    }
    if (want > plan->last)
        plan->raw = raw;
}

/* The only frame came with the row. */
static void unpack_blob(struct body_plan *plan, struct arena *a)
{
    char *raw = arena_alloc(a, plan->bytes);

    if (body_unpack(plan->m->row.blob, raw, plan->bytes) == RES_OK)
        plan->raw = raw;
}

/* Messages whose frames are read together. */
struct batch {
    struct imap_session *s;
    struct body_plan *plans;
    size_t n;
    struct message_frames *want;
    size_t nwant;
    struct db_rows rows;
    struct read_ahead ahead;
};

static enum result read_frames(void *arg)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct batch *batch = arg;

    return message_frames(batch->s->db, &batch->s->who, &a, batch->want, batch->nwant, &batch->rows);
}

static void start_batch(struct fetch_job *job, struct arena *a, struct batch *batch, struct body_plan *plans, size_t n)
{
    *batch = (struct batch){ .s = job->s, .plans = plans, .n = n, .want = arena_array(a, struct message_frames, n) };
    for (size_t i = 0; i < n; i++) {
        if (plans[i].bytes > 0 && plans[i].m->row.blob.p == NULL)
            batch->want[batch->nwant++] =
                (struct message_frames){ plans[i].m->row.email_id, plans[i].first, plans[i].last };
    }
    batch->ahead = (struct read_ahead){ .read = read_frames, .arg = batch, .done = batch->nwant == 0 };
    if (batch->nwant > 0)
        read_ahead_start(&batch->ahead);
}

static enum result answer_batch(struct fetch_job *job, struct batch *batch)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    enum result r = read_ahead_wait(&batch->ahead);

    for (size_t i = 0; i < batch->n && r == RES_OK; i++) {
        if (batch->plans[i].bytes > 0 && batch->plans[i].m->row.blob.p != NULL)
            unpack_blob(&batch->plans[i], &a);
        else if (batch->plans[i].bytes > 0)
            unpack(&batch->plans[i], &a, &batch->rows);
    }
    db_rows_free(&batch->rows);
    for (size_t i = 0; i < batch->n && r == RES_OK; i++)
        write_from_memory(job, &batch->plans[i]);
    batch->n = 0;
    coroutine_yield(); /* others have their turn, and the rows that follow come in */
    return r;
}

/* ---- a large one ---- */

/* The literal's size is promised before its bytes are here: a failure then ends the connection. */
static enum result stream_section(struct fetch_job *job, const struct body_source *source,
                                  const struct mail_range *range)
{
    struct body_cursor cursor = { .source = *source, .at = range->at, .end = range->at + range->len };
    struct str piece = STR_NULL;
    enum result r = body_next(&cursor, &piece);

    if (r != RES_OK) {
        job->damaged = true;
        (void)strbuf_adds(&job->out, "NIL");
        body_cursor_release(&cursor);
        return RES_OK;
    }
    add_literal_size(&job->out, range->len);
    fetch_flush(job, 0);
    while (r == RES_OK && piece.len > 0) {
        stream_write(job->s->stream, piece);
        r = body_next(&cursor, &piece);
    }
    body_cursor_release(&cursor);
    return r == RES_OK ? RES_OK : RES_CLOSED;
}

static enum result answer_large(struct fetch_job *job, const struct body_plan *plan)
{
    const struct fetch_message *m = plan->m;
    const struct body_source source = { .db = job->s->db, .token = job->s->who.token,
                                        .account_id = job->s->who.account_id, .id = m->row.email_id,
                                        .shape = m->row.shape };
    enum result r = RES_OK;
    bool first;

    fetch_begin(job, m, &first);
    for (size_t i = 0; i < job->what->n && r == RES_OK; i++) {
        const struct imap_section *section = &job->what->sections[i];
        const struct section_place *place = &plan->places[i];

        item_name(job, &first, section);
        if (!place->found) {
            (void)strbuf_adds(&job->out, "NIL");
        } else if (section->has_fields) {
            CLEANUP(arena_releasep) struct arena a = { 0 };
            struct str header = STR("");

            if (place->range.len > 0 &&
                body_read(&source, place->range.at, place->range.len, &a, &header) != RES_OK)
                job->damaged = true;
            add_fields(job, section, header);
        } else if (place->range.len == 0) {
            add_literal(job, STR(""));
        } else {
            r = stream_section(job, &source, &place->range);
        }
    }
    (void)strbuf_adds(&job->out, ")\r\n");
    fetch_flush(job, FETCH_FLUSH_AT);
    return r;
}

/* How many of the plans make the next batch: 0 when the first of them is a large one. */
static size_t batch_size(const struct body_plan *plans, size_t n)
{
    uint64_t bytes = 0;
    size_t k = 0;

    while (k < n && bytes + plans[k].bytes <= BATCH_BYTES)
        bytes += plans[k++].bytes;
    return k;
}

enum result fetch_bodies(struct fetch_job *job, struct arena *a, const struct fetch_message *m, size_t n)
{
    struct body_plan *plans = arena_array(a, struct body_plan, n);
    struct batch batches[2] = { 0 };
    unsigned turn = 0;
    enum result r = RES_OK, unused;

    for (size_t i = 0; i < n; i++)
        make_plan(job, a, &m[i], &plans[i]);
    for (size_t at = 0, k; at < n && r == RES_OK; at += MAX(k, (size_t)1)) {
        k = batch_size(plans + at, n - at);
        if (k > 0)
            start_batch(job, a, &batches[turn], plans + at, k);
        turn ^= 1;
        if (batches[turn].n > 0) /* the one before is answered while the new one is read */
            r = answer_batch(job, &batches[turn]);
        if (k == 0 && r == RES_OK)
            r = answer_large(job, &plans[at]);
    }
    turn ^= 1;
    if (batches[turn].n == 0)
        return r;
    if (r == RES_OK)
        return answer_batch(job, &batches[turn]);
    unused = read_ahead_wait(&batches[turn].ahead); /* the reader still writes into it */
    db_rows_free(&batches[turn].rows);
    return unused != RES_OK ? unused : r;
}
