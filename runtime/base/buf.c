/* Bounded growing buffer. */
#include "buf.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 64 };

void er_buf_init(struct er_buf *b, size_t max_bytes)
{
    assert(max_bytes > 0);
    *b = (struct er_buf){.max = max_bytes};
}

void er_buf_release(struct er_buf *b)
{
    free(b->data);
    *b = (struct er_buf){.max = b->max};
}

void er_buf_reset(struct er_buf *b)
{
    b->len = 0;
    b->failed = b->no_memory = false;
    if (b->data)
        b->data[0] = '\0';
}

static bool fail(struct er_buf *b)
{
    er_buf_release(b);
    b->failed = true;
    return false;
}

bool er_buf_reserve(struct er_buf *b, size_t extra)
{
    if (b->failed)
        return false;
    if (extra > b->max || b->len > b->max - extra)
        return fail(b);
    size_t need = b->len + extra + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max && need <= b->max + 1)
        cap = b->max + 1;
    char *data = realloc(b->data, cap);
    if (!data) {
        fail(b);
        b->no_memory = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    b->data[b->len] = '\0';
    return true;
}

/* Into the room there is; the length is known then, should it be too small.
 */
bool er_buf_vaddf(struct er_buf *b, const char *fmt, va_list ap)
{
    va_list twice;
    if (!er_buf_reserve(b, 0))
        return false;
    size_t room = b->cap - b->len;
    va_copy(twice, ap);
    int n = vsnprintf(b->data + b->len, room, fmt, twice);
    va_end(twice);
    if (n < 0)
        return fail(b);
    if ((size_t)n >= room) {
        b->data[b->len] = '\0';
        if (!er_buf_reserve(b, (size_t)n))
            return false;
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    }
    b->len += (size_t)n;
    return true;
}

bool er_buf_addf(struct er_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    bool ok = er_buf_vaddf(b, fmt, ap);
    va_end(ap);
    return ok;
}

bool er_buf_addi(struct er_buf *b, long long n)
{
    char text[24], *p = text + sizeof text;
    unsigned long long left = n < 0 ? 0 - (unsigned long long)n
                                    : (unsigned long long)n;
    do
        *--p = (char)('0' + left % 10);
    while (left /= 10);
    if (n < 0)
        *--p = '-';
    return er_buf_add(b, p, (size_t)(text + sizeof text - p));
}

void er_buf_drop(struct er_buf *b, size_t n)
{
    if (n > b->len)
        n = b->len;
    if (n == 0)
        return;
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    b->data[b->len] = '\0';
}

char *er_buf_take(struct er_buf *b, size_t *len)
{
    if (!er_buf_reserve(b, 0))
        return NULL;
    char *data = b->data;
    if (len)
        *len = b->len;
    *b = (struct er_buf){.max = b->max};
    return data;
}

const char *er_buf_str(const struct er_buf *b)
{
    return b->data ? b->data : "";
}
