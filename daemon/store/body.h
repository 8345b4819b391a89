/* store/body.h - the bytes of stored messages: cut into frames, packed, and read back in pieces.
 *
 * A message of at most 16 KiB is one frame.  A larger one is frame 0, its header block (at most 256 KiB of it), and
 * then 256 KiB of the rest each.  A frame is one row and one zstd frame with its content size.  So any part of any
 * message is read with the few frames that hold it, and nobody needs all of a large message in memory. */
#pragma once
#include "base/arena.h"
#include "base/result.h"
#include "base/str.h"
#include "db/db.h"
#include "store/principal.h"

#define BODY_FRAME_MAX  ((uint64_t)256 * 1024)
#define BODY_SINGLE_MAX ((uint64_t)16 * 1024)

/* How a stored message is cut: the columns size, header_size and frames of `email` and `queue_message`. */
struct body_shape {
    uint64_t size, header_size;
    unsigned frames;
};

/* The shape that a message of this size gets. */
struct body_shape body_shape_of(uint64_t size, uint64_t header_size);
/* Where frame n lies in the message. */
void body_frame_range(const struct body_shape *shape, unsigned n, uint64_t *ret_at, uint64_t *ret_len);
/* The frames that hold [at, at + len), which must lie in the message; an empty range gives the frame at `at`. */
void body_frames_of(const struct body_shape *shape, uint64_t at, uint64_t len, unsigned *ret_first, unsigned *ret_last);

/* Packs one frame.  Safe on any thread. */
struct str body_pack(struct arena *a, struct str raw);
/* Unpacks a frame that must give exactly len bytes, into out.  RES_INVALID: it does not. */
enum result body_unpack(struct str frame, char *out, size_t len) NODISCARD;

/* All frames of a message that is in memory, packed (body_shape_of says how many).  A large one takes a while: 5 ms a
 * megabyte; safe on any thread. */
void body_frames(struct arena *a, struct str message, size_t header_size, struct str **ret_frames, size_t *ret_n);

/* A stored message. */
struct body_source {
    struct db *db;
    struct str token;   /* of the principal; STR_NULL for queued mail */
    int64_t account_id; /* 0: `id` is a queue_message */
    int64_t id;         /* email.id or queue_message.id */
    struct body_shape shape;
};

/* The bytes [at, at + len), in the arena: for what is known to be small.  The range must lie in the message.
 * RES_TEMPFAIL: database trouble, or the stored bytes are damaged or gone; already logged. */
enum result body_read(const struct body_source *src, uint64_t at, uint64_t len, struct arena *a,
                      struct str *ret_bytes) SUSPENDS NODISCARD;

/* Piece after piece of a range, each at most 256 KiB: memory stays bounded, and the caller may wait for a peer between
 * two calls.  Zero the struct, set source, at and end; release it in the end. */
struct body_cursor {
    struct body_source source;
    uint64_t at, end; /* what is left of the range */
    struct db_rows rows;
    size_t row;
    char *piece;
};
/* The next piece, valid until the next call; empty at the end.  RES_TEMPFAIL as above. */
enum result body_next(struct body_cursor *c, struct str *ret_piece) SUSPENDS NODISCARD;
void body_cursor_release(struct body_cursor *c);
