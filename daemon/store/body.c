/* Frames of stored messages.  zstd's contexts are kept for each thread: making one costs more than packing a small
 * message. */
#include "store/body.h"
#include "base/log.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>

#define FRAMES_A_QUERY 4 /* of a cursor: 1 MiB of raw bytes */
#define LEVEL 3
#define LEVEL_SMALL 1    /* of what is one frame: 2 % larger, a quarter faster to pack, faster to unpack (docs/adr/0025) */

static pthread_key_t pack_key, unpack_key;
static pthread_once_t keys_once = PTHREAD_ONCE_INIT;

static void free_pack(void *ctx)
{
    ZSTD_freeCCtx(ctx);
}

static void free_unpack(void *ctx)
{
    ZSTD_freeDCtx(ctx);
}

static void make_keys(void)
{
    int failed = pthread_key_create(&pack_key, free_pack) | pthread_key_create(&unpack_key, free_unpack);

    assert(failed == 0);
}

static ZSTD_CCtx *pack_context(void)
{
    ZSTD_CCtx *ctx;

    pthread_once(&keys_once, make_keys);
    ctx = pthread_getspecific(pack_key);
    if (ctx == NULL) {
        ctx = ZSTD_createCCtx();
        assert(ctx != NULL);
        pthread_setspecific(pack_key, ctx);
    }
    return ctx;
}

static ZSTD_DCtx *unpack_context(void)
{
    ZSTD_DCtx *ctx;

    pthread_once(&keys_once, make_keys);
    ctx = pthread_getspecific(unpack_key);
    if (ctx == NULL) {
        ctx = ZSTD_createDCtx();
        assert(ctx != NULL);
        pthread_setspecific(unpack_key, ctx);
    }
    return ctx;
}

/* Bytes of frame 0. */
static uint64_t first_len(const struct body_shape *shape)
{
    return shape->frames == 1 ? shape->size : MIN(MIN(shape->header_size, BODY_FRAME_MAX), shape->size);
}

struct body_shape body_shape_of(uint64_t size, uint64_t header_size)
{
    struct body_shape shape = { .size = size, .header_size = header_size, .frames = 1 };
    uint64_t split = MIN(MIN(header_size, BODY_FRAME_MAX), size);

    if (size > BODY_SINGLE_MAX)
        shape.frames += (unsigned)((size - split + BODY_FRAME_MAX - 1) / BODY_FRAME_MAX);
    return shape;
}

void body_frame_range(const struct body_shape *shape, unsigned n, uint64_t *ret_at, uint64_t *ret_len)
{
    uint64_t split = first_len(shape);

    assert(n < shape->frames);
    if (n == 0) {
        *ret_at = 0;
        *ret_len = split;
    } else {
        *ret_at = MIN(split + (n - 1) * BODY_FRAME_MAX, shape->size);
        *ret_len = MIN(BODY_FRAME_MAX, shape->size - *ret_at);
    }
}

static unsigned frame_at(const struct body_shape *shape, uint64_t at)
{
    uint64_t split = first_len(shape), n;

    if (at < split || shape->frames <= 1)
        return 0;
    n = 1 + (at - split) / BODY_FRAME_MAX;
    return (unsigned)MIN(n, shape->frames - 1);
}

void body_frames_of(const struct body_shape *shape, uint64_t at, uint64_t len, unsigned *ret_first, unsigned *ret_last)
{
    assert(at <= shape->size && len <= shape->size - at);
    *ret_first = frame_at(shape, at);
    *ret_last = len == 0 ? *ret_first : frame_at(shape, at + len - 1);
}

struct str body_pack(struct arena *a, struct str raw)
{
    size_t room = ZSTD_compressBound(raw.len), n;
    ZSTD_CCtx *ctx = pack_context();
    struct str packed;
    char *p = malloc(room);

    assert(p != NULL);
    ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, raw.len <= BODY_SINGLE_MAX ? LEVEL_SMALL : LEVEL);
    n = ZSTD_compress2(ctx, p, room, raw.p != NULL ? raw.p : "", raw.len);
    assert(!ZSTD_isError(n));
    packed = arena_str(a, str_of(p, n));
    free(p);
    return packed;
}

enum result body_unpack(struct str frame, char *out, size_t len)
{
    size_t n;

    if (ZSTD_getFrameContentSize(frame.p, frame.len) != len)
        return RES_INVALID;
    n = ZSTD_decompressDCtx(unpack_context(), out, len, frame.p, frame.len);
    return !ZSTD_isError(n) && n == len ? RES_OK : RES_INVALID;
}

void body_frames(struct arena *a, struct str message, size_t header_size, struct str **ret_frames, size_t *ret_n)
{
    struct body_shape shape = body_shape_of(message.len, header_size);
    struct str *frames = arena_array(a, struct str, shape.frames);

    for (unsigned n = 0; n < shape.frames; n++) {
        uint64_t at, len;

        body_frame_range(&shape, n, &at, &len);
        frames[n] = body_pack(a, str_sub(message, at, len));
    }
    *ret_frames = frames;
    *ret_n = shape.frames;
}

static enum result read_frames(const struct body_source *src, unsigned first, unsigned last, struct db_rows *rows)
{
    static const struct db_stmt of_email = { "body_frames",
        "SELECT n, data FROM blob WHERE account_id = $1 AND email_id = $2 AND n BETWEEN $3 AND $4 ORDER BY n" };
    static const struct db_stmt of_queue = { "body_queue_frames",
        "SELECT n, data FROM queue_blob WHERE queue_id = $1 AND n BETWEEN $2 AND $3 ORDER BY n" };
    const struct db_param params[] = { db_int8(src->account_id), db_int8(src->id), db_int4((int32_t)first),
                                       db_int4((int32_t)last) };

    if (src->account_id == 0)
        return db_query(src->db, &of_queue, params + 1, ARRAY_LEN(params) - 1, rows);
    return db_query_as(src->db, src->token, &of_email, params, ARRAY_LEN(params), rows);
}

static enum result damaged(const struct body_source *src, unsigned n)
{
    log_error("body-damaged", F_INT("account", src->account_id), F_INT("id", src->id), F_INT("frame", n));
    return RES_TEMPFAIL;
}

/* Unpacks row `row`, which must be frame n, into out. */
static enum result unpack_row(const struct body_source *src, const struct db_rows *rows, size_t row, unsigned n,
                              char *out, uint64_t len)
{
    if (row >= db_count(rows) || db_get_int(rows, row, 0) != (int64_t)n ||
        body_unpack(db_get_str(rows, row, 1), out, len) != RES_OK)
        return damaged(src, n);
    return RES_OK;
}

enum result body_read(const struct body_source *src, uint64_t at, uint64_t len, struct arena *a, struct str *ret_bytes)
{
    CLEANUP(db_rows_freep) struct db_rows rows = { 0 };
    uint64_t from, to, frame_at_, frame_len;
    unsigned first, last;
    enum result r;
    char *buf;

    body_frames_of(&src->shape, at, len, &first, &last);
    r = read_frames(src, first, last, &rows);
    if (r != RES_OK)
        return RES_TEMPFAIL;
    body_frame_range(&src->shape, first, &from, &frame_len);
    body_frame_range(&src->shape, last, &to, &frame_len);
    buf = arena_alloc(a, to + frame_len - from);
    for (unsigned n = first; n <= last; n++) {
        body_frame_range(&src->shape, n, &frame_at_, &frame_len);
        r = unpack_row(src, &rows, n - first, n, buf + (frame_at_ - from), frame_len);
        if (r != RES_OK)
            return r;
    }
    *ret_bytes = str_of(buf + (at - from), len);
    return RES_OK;
}

enum result body_next(struct body_cursor *c, struct str *ret_piece)
{
    const struct body_source *src = &c->source;
    uint64_t from, len, skip, take;
    unsigned n, last;
    enum result r;

    if (c->at >= c->end) {
        *ret_piece = STR("");
        return RES_OK;
    }
    body_frames_of(&src->shape, c->at, c->end - c->at, &n, &last);
    if (c->row >= db_count(&c->rows)) {
        db_rows_free(&c->rows);
        c->row = 0;
        r = read_frames(src, n, MIN(last, n + FRAMES_A_QUERY - 1), &c->rows);
        if (r != RES_OK)
            return RES_TEMPFAIL;
    }
    body_frame_range(&src->shape, n, &from, &len);
    if (c->piece == NULL) {
        c->piece = malloc(BODY_FRAME_MAX);
        assert(c->piece != NULL);
    }
    assert(len <= BODY_FRAME_MAX);
    r = unpack_row(src, &c->rows, c->row, n, c->piece, len);
    if (r != RES_OK)
        return r;
    c->row++;
    skip = c->at - from;
    take = MIN(len - skip, c->end - c->at);
    c->at += take;
    *ret_piece = str_of(c->piece + skip, take);
    return RES_OK;
}

void body_cursor_release(struct body_cursor *c)
{
    db_rows_free(&c->rows);
    free(c->piece);
    c->piece = NULL;
}
