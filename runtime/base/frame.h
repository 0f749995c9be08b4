/* Frames: how runtime and worker cut a byte stream into messages.
 *
 * A frame is a u32 length, little-endian, then that many bytes of JSON. The
 * reader holds at most one frame more than was asked for and never allocates
 * by a length it was told, only by bytes that really came: a peer that
 * announces 4 GiB costs nothing. An announced length over the limit is an
 * error at once, and the stream cannot be used afterwards.
 */
#ifndef ERRAND_BASE_FRAME_H
#define ERRAND_BASE_FRAME_H

#include "buf.h"
#include "error.h"
#include "json.h"

#include <sys/types.h>

enum {
    ER_FRAME_HEAD = 4,               /* bytes of the length */
    ER_FRAME_MAX = 16 * 1024 * 1024, /* bytes of JSON in one frame */
};

struct er_frame_reader {
    struct er_buf buf;
    size_t at; /* bytes of buf that were handed out already */
};

void er_frame_reader_init(struct er_frame_reader *r);
void er_frame_reader_release(struct er_frame_reader *r);

/* Add bytes that came. False if out of memory. [owner] */
bool er_frame_feed(struct er_frame_reader *r, const void *bytes, size_t len);

/* Read once from fd what fits. Bytes read; 0: the peer closed; -1: errno
 * (EAGAIN, ENOMEM, ...). [owner] */
ssize_t er_frame_recv(struct er_frame_reader *r, int fd);

/* The next whole frame: 1 and *json, *len (borrowed until the next call on
 * the reader); 0: more bytes are needed; -1: the length is over the limit.
 * [owner] */
int er_frame_next(
    struct er_frame_reader *r, const char **json, size_t *len);

/* Begin a frame at the end of out; write JSON into out; end it. end gives
 * false if out failed or the JSON is over the limit. The token is what begin
 * returned. [any] */
size_t er_frame_begin(struct er_buf *out);
bool er_frame_end(struct er_buf *out, size_t token);

/* A whole frame that holds value. */
bool er_frame_add(struct er_buf *out, const json_t *value);

#endif
