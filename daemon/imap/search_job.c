/* The program of a SEARCH: evaluation in three values, and the steps that decide its keys. */
#include "imap/search_job.h"
#include "imap/read_ahead.h"
#include "imap/stored_envelope.h"
#include "imap/stored.h"
#include "mail/date.h"
#include "mail/header.h"
#include "mail/text.h"
#include "store/search.h"

#define GROUP       250
#define GROUP_BYTES ((uint64_t)1 << 20)
#define ALL_OF_BOX  2 /* when at least 1/ALL_OF_BOX of the mailbox is open, the statement takes all of it */

static enum search_step step_of(enum imap_search_op op)
{
    if (op >= SEARCH_BODY)
        return STEP_TEXT;
    if (op >= SEARCH_HEADER)
        return STEP_HEADER;
    return op >= SEARCH_SENTBEFORE ? STEP_ENVELOPE : STEP_ROW;
}

/* ---- evaluation ---- */

static bool in_ranges(const struct imap_set *set, size_t index)
{
    size_t lo = 0, hi = set->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (set->v[mid].hi < index)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < set->n && set->v[lo].lo <= index;
}

static bool has_keyword(const struct view *view, const struct view_entry *e, int64_t id)
{
    size_t n;
    const int64_t *ids = view_keywords(view, e, &n);

    for (size_t i = 0; i < n; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

static enum truth truth_of_children(const struct search_job *job, const struct imap_search_key *key, size_t index)
{
    enum truth decides = key->op == SEARCH_AND ? TRUTH_NO : TRUTH_YES;
    enum truth result = key->op == SEARCH_AND ? TRUTH_YES : TRUTH_NO;

    for (const struct imap_search_key *child = key->child; child != NULL; child = child->next) {
        enum truth t = search_truth(job, child, index);

        if (t == decides)
            return t;
        if (t == TRUTH_OPEN)
            result = TRUTH_OPEN;
    }
    return result;
}

enum truth search_truth(const struct search_job *job, const struct imap_search_key *key, size_t index)
{
    const struct view *view = job->s->view;
    const struct view_entry *e = &view->v[index];
    const struct search_key_state *k;
    enum truth t;

    switch (key->op) {
    case SEARCH_AND:
    case SEARCH_OR:
        return truth_of_children(job, key, index);
    case SEARCH_NOT:
        t = search_truth(job, key->child, index);
        return t == TRUTH_OPEN ? t : t == TRUTH_NO ? TRUTH_YES : TRUTH_NO;
    case SEARCH_ALL:
        return TRUTH_YES;
    case SEARCH_SEQUENCE:
    case SEARCH_UID:
        return in_ranges(&key->set, index) ? TRUTH_YES : TRUTH_NO;
    case SEARCH_FLAG:
        return ((int64_t)e->flags & key->number) != 0 ? TRUTH_YES : TRUTH_NO;
    case SEARCH_KEYWORD:
        return has_keyword(view, e, key->number) ? TRUTH_YES : TRUTH_NO;
    case SEARCH_RECENT:
        return e->recent ? TRUTH_YES : TRUTH_NO;
    case SEARCH_MODSEQ:
        return e->modseq >= key->number ? TRUTH_YES : TRUTH_NO;
    default:
        k = &job->costly[key->index];
        if (!k->known)
            return TRUTH_OPEN;
        return (k->bits[index / 8] >> (index % 8) & 1) != 0 ? TRUTH_YES : TRUTH_NO;
    }
}

/* ---- preparation ---- */

/* The set becomes ranges of view indexes. */
static enum result resolve_set(struct search_job *job, struct imap_search_key *key)
{
    struct view_spans spans;
    enum result r = view_resolve(job->s->view, &job->s->arena, &key->set, key->op == SEARCH_UID, &spans);

    if (r != RES_OK)
        return r;
    key->set = (struct imap_set){ .v = arena_array(&job->s->arena, struct imap_range, spans.n), .n = spans.n };
    for (size_t i = 0; i < spans.n; i++)
        key->set.v[i] = (struct imap_range){ (uint32_t)spans.v[i].first, (uint32_t)spans.v[i].last };
    return RES_OK;
}

static enum result resolve_keyword(struct search_job *job, struct imap_search_key *key)
{
    const struct imap_flags flags = { .keywords = &key->text, .n = 1 };
    int32_t *ids = NULL;
    size_t n = 0;
    enum result r = session_keyword_ids(job->s, &flags, false, &ids, &n);

    key->number = r == RES_OK && n == 1 ? ids[0] : 0;
    return r;
}

static void prepare_costly(struct search_job *job, struct imap_search_key *key)
{
    struct search_key_state *k = &job->costly[key->index];

    k->key = key;
    k->step = step_of(key->op);
    k->needle = key->text.p == NULL ? STR("") : text_casefold(&job->s->arena, key->text);
    job->has_step[k->step] = true;
    job->by_id = job->by_id || key->op == SEARCH_EMAILID || key->op == SEARCH_THREADID;
}

static enum result prepare_key(struct search_job *job, struct imap_search_key *key)
{
    enum result r = RES_OK;

    for (; key != NULL && r == RES_OK; key = key->next) {
        if (key->child != NULL)
            r = prepare_key(job, key->child);
        else if (key->op == SEARCH_SEQUENCE || key->op == SEARCH_UID)
            r = resolve_set(job, key);
        else if (key->op == SEARCH_KEYWORD)
            r = resolve_keyword(job, key);
        else if (key->op >= SEARCH_BEFORE)
            prepare_costly(job, key);
    }
    return r;
}

enum result search_prepare_keys(struct search_job *job, struct imap_search_key *root, size_t ncostly)
{
    if (ncostly > SEARCH_COSTLY_MAX)
        return RES_LIMIT;
    job->root = root;
    job->ncostly = ncostly;
    job->costly = arena_array(&job->s->arena, struct search_key_state, ncostly);
    return prepare_key(job, root);
}

/* ---- steps ---- */

static void set_bit(struct search_key_state *k, size_t index, bool on)
{
    if (on)
        k->bits[index / 8] |= (unsigned char)(1u << (index % 8));
}

static bool match_row(const struct imap_search_key *key, const struct message_row *row)
{
    int64_t day = date_day(row->internaldate_us, 0);

    switch (key->op) {
    case SEARCH_BEFORE:
        return day < key->number;
    case SEARCH_ON:
        return day == key->number;
    case SEARCH_SINCE:
        return day >= key->number;
    case SEARCH_LARGER:
        return row->shape.size > (uint64_t)key->number;
    case SEARCH_SMALLER:
        return row->shape.size < (uint64_t)key->number;
    case SEARCH_EMAILID:
        return row->email_id == key->number;
    case SEARCH_THREADID:
        return row->thread_id == key->number;
    default:
        return false;
    }
}

static void decide_row(struct search_job *job, enum search_step step, struct arena *a, const struct message_row *row,
                       size_t index)
{
    struct stored_envelope envelope = { 0 };

    if (step == STEP_ENVELOPE && stored_envelope_read(a, row->envelope, &envelope) != RES_OK)
        envelope = (struct stored_envelope){ 0 };
    for (size_t i = 0; i < job->ncostly; i++) {
        struct search_key_state *k = &job->costly[i];

        if (k->step == step)
            set_bit(k, index,
                    step == STEP_ROW ? match_row(k->key, row) : search_match_envelope(a, k, &envelope));
    }
}

/* Frame 0 of each row's message holds the header. */
static enum result decide_headers(struct search_job *job, struct arena *a, const struct message_row *v,
                                  const size_t *indexes, size_t n)
{
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    struct message_frames *want = arena_array(a, struct message_frames, n);

    for (size_t i = 0; i < n; i++)
        want[i] = (struct message_frames){ v[i].email_id, 0, 0 };
    if (message_frames(job->s->db, &job->s->who, a, want, n, &rows) != RES_OK)
        return RES_TEMPFAIL;
    for (size_t row = 0; row < db_count(&rows); row++) {
        int64_t email_id = db_get_int(&rows, row, 0);

        for (size_t i = 0; i < n; i++) {
            uint64_t at, len;
            char *raw;

            if (v[i].email_id != email_id)
                continue;
            body_frame_range(&v[i].shape, 0, &at, &len);
            raw = arena_alloc(a, len);
            if (body_unpack(db_get_str(&rows, row, 2), raw, len) != RES_OK)
                continue;
            for (size_t c = 0; c < job->ncostly; c++) {
                struct search_key_state *k = &job->costly[c];

                if (k->step == STEP_HEADER)
                    set_bit(k, indexes[i],
                            search_match_header(a, k, str_of(raw, MIN(len, v[i].shape.header_size))));
            }
        }
    }
    return RES_OK;
}

static enum result decide_header_group(struct search_job *job, const struct message_row *v, const size_t *indexes,
                                       size_t n)
{
    enum result r = RES_OK;

    for (size_t from = 0, i = 0; from < n && r == RES_OK; from = i) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        uint64_t bytes = 0, at, len;

        for (i = from; i < n; i++) {
            body_frame_range(&v[i].shape, 0, &at, &len);
            bytes += len;
            if (i > from && (bytes > GROUP_BYTES || i - from == 64))
                break;
        }
        r = decide_headers(job, &a, v + from, indexes + from, i - from);
    }
    return r;
}

/* At most GROUP messages of which rows are needed; the next group is read while this one is decided. */
struct group {
    struct search_job *job;
    struct message_want want;
    const size_t *open;
    size_t n; /* 0: none */
    struct db_rows rows;
    struct read_ahead ahead;
};

static enum result read_group(void *arg)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    struct group *g = arg;
    struct imap_session *s = g->job->s;
    const size_t *open = g->open;
    bool range = open[g->n - 1] - open[0] == g->n - 1;
    int64_t *uids = arena_array(&a, int64_t, MAX(g->n, (size_t)2));

    for (size_t i = 0; i < g->n; i++)
        uids[i] = s->view->v[open[i]].uid;
    if (range)
        uids[1] = s->view->v[open[g->n - 1]].uid;
    return message_fetch(s->db, &s->who, s->view->mailbox_id, &g->want, &a, uids, g->n, range, &g->rows);
}

static void start_group(struct search_job *job, enum search_step step, struct group *g, const size_t *open, size_t n)
{
    *g = (struct group){ .job = job, .open = open, .n = n };
    g->want = (struct message_want){ .email = step == STEP_HEADER || (step == STEP_ROW && job->by_id), .only_envelope = step == STEP_ENVELOPE };
    g->ahead = (struct read_ahead){ .read = read_group, .arg = g };
    read_ahead_start(&g->ahead);
}

static enum result decide_group(struct search_job *job, enum search_step step, const struct group *g)
{
    CLEANUP(arena_releasep) struct arena a = { 0 };
    const struct view *view = job->s->view;
    struct message_row *v = arena_array(&a, struct message_row, g->n);
    size_t *indexes = arena_array(&a, size_t, g->n), kept = 0;

    for (size_t row = 0; row < db_count(&g->rows) && kept < g->n; row++) {
        size_t index;

        message_row_get(&g->rows, row, &g->want, &v[kept]);
        index = view_find(view, v[kept].uid);
        if (index == SIZE_MAX)
            continue;
        indexes[kept] = index;
        if (step == STEP_HEADER)
            kept++;
        else
            decide_row(job, step, &a, &v[kept], index);
    }
    return kept > 0 ? decide_header_group(job, v, indexes, kept) : RES_OK;
}

static enum result run_groups(struct search_job *job, enum search_step step, const size_t *open, size_t n)
{
    struct group groups[2] = { 0 };
    unsigned turn = 0;
    enum result r = RES_OK;

    start_group(job, step, &groups[turn], open, MIN(n, (size_t)GROUP));
    for (size_t at = GROUP; groups[turn].n > 0; at += GROUP) {
        struct group *g = &groups[turn];
        enum result read;

        turn ^= 1;
        groups[turn].n = 0;
        if (r == RES_OK && at < n)
            start_group(job, step, &groups[turn], open + at, MIN(n - at, (size_t)GROUP));
        read = read_ahead_wait(&g->ahead);
        if (r == RES_OK)
            r = read == RES_OK ? decide_group(job, step, g) : RES_TEMPFAIL;
        db_rows_free(&g->rows);
    }
    return r;
}

static enum result run_text(struct search_job *job, const size_t *open, size_t n)
{
    struct imap_session *s = job->s;
    int64_t *uids = arena_array(&s->arena, int64_t, n);
    bool whole = n >= s->view->n / ALL_OF_BOX;
    enum result r;

    for (size_t i = 0; i < n; i++)
        uids[i] = s->view->v[open[i]].uid;
    r = search_prepare(s->db, &s->who, s->view->mailbox_id, uids, n);
    for (size_t i = 0; i < job->ncostly && r == RES_OK; i++) {
        CLEANUP(arena_releasep) struct arena a = { 0 };
        struct search_key_state *k = &job->costly[i];
        int64_t *hits = NULL;
        size_t nhits = 0;

        if (k->step != STEP_TEXT)
            continue;
        if (k->needle.len == 0 || str_chr(k->needle, '\1') != SIZE_MAX) {
            for (size_t c = 0; c < n && k->needle.len == 0; c++)
                set_bit(k, open[c], true);
            continue;
        }
        r = search_text(s->db, &s->who, s->view->mailbox_id, k->needle, k->key->op == SEARCH_BODY,
                        whole ? NULL : uids, n, &a, &hits, &nhits);
        for (size_t c = 0; c < nhits; c++) {
            size_t index = view_find(s->view, (uint32_t)hits[c]);

            if (index != SIZE_MAX)
                set_bit(k, index, true);
        }
    }
    return r;
}

enum result search_run_step(struct search_job *job, enum search_step step, const size_t *open, size_t n)
{
    enum result r;

    for (size_t i = 0; i < job->ncostly; i++) {
        if (job->costly[i].step == step)
            job->costly[i].bits = arena_alloc(&job->s->arena, job->s->view->n / 8 + 1);
    }
    r = step == STEP_TEXT ? run_text(job, open, n) : run_groups(job, step, open, n);
    for (size_t i = 0; i < job->ncostly && r == RES_OK; i++)
        job->costly[i].known = job->costly[i].known || job->costly[i].step == step;
    return r;
}
