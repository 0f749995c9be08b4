/* A growing byte buffer with a maximum.
 *
 * Invariants: data is never NULL after the first append and always has one
 * extra byte that is NUL; len never counts it. Every buffer is given its
 * maximum at init, so that nothing from outside grows without bound. Errors
 * stick: after a failed append the buffer is empty, failed is set, and every
 * further append fails, so a chain of appends needs one check at its end.
 */
#ifndef ERRAND_BASE_BUF_H
#define ERRAND_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct er_buf {
    char *data;  /* NUL-terminated once anything was appended */
    size_t len;  /* bytes used */
    size_t cap;  /* bytes allocated, the NUL included */
    size_t max;  /* len never exceeds it */
    bool failed; /* an append failed: too large or out of memory */
    bool no_memory; /* it was the memory */
};

/* Set up without allocating. max_bytes of 0 is a bug. [any] */
void er_buf_init(struct er_buf *b, size_t max_bytes);

/* Free the contents; the buffer may be used again. [any] */
void er_buf_release(struct er_buf *b);

/* Forget contents and failure, keep the memory. */
void er_buf_reset(struct er_buf *b);

/* Make room for extra more bytes without changing len. */
bool er_buf_reserve(struct er_buf *b, size_t extra);

/* Append; false if it failed now or earlier. In the header because most of
 * what errand writes is written a few bytes at a time: while there is room,
 * that costs a comparison and a copy. */
static inline bool er_buf_add(
    struct er_buf *b, const void *bytes, size_t len)
{
    if (b->cap - b->len <= len && !er_buf_reserve(b, len))
        return false;
    if (len)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
    return true;
}

static inline bool er_buf_adds(struct er_buf *b, const char *text)
{
    return er_buf_add(b, text, strlen(text));
}

static inline bool er_buf_addc(struct er_buf *b, char c)
{
    if (b->cap - b->len <= 1 && !er_buf_reserve(b, 1))
        return false;
    b->data[b->len++] = c;
    b->data[b->len] = '\0';
    return true;
}

bool er_buf_addf(struct er_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool er_buf_vaddf(struct er_buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* A whole number in decimal. */
bool er_buf_addi(struct er_buf *b, long long n);

/* Drop n bytes (at most len) from the front. */
void er_buf_drop(struct er_buf *b, size_t n);

/* Take the bytes out, NUL-terminated; the caller frees with free(). An empty
 * buffer gives "". NULL if the buffer failed. The buffer is reset. */
char *er_buf_take(struct er_buf *b, size_t *len);

/* The text; "" while nothing was appended. Borrowed until the next change. */
const char *er_buf_str(const struct er_buf *b);

#endif
