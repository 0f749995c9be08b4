/* Event-stream framing: however the bytes are cut, the events, the retry
 * time and the refusal are the same. */
#include "base/sha256.h"
#include "model/sse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

/* What was given, folded into one number. */
struct seen {
    struct er_sha256 events;
    size_t n;
};

static bool on_event(void *ctx, const char *event, const char *data,
    size_t len, const char *id)
{
    struct seen *s = ctx;
    er_sha256_add(&s->events, event, strlen(event) + 1);
    er_sha256_add(&s->events, &len, sizeof len);
    er_sha256_add(&s->events, data, len);
    er_sha256_add(&s->events, id, strlen(id) + 1);
    s->n++;
    return s->n < 500;
}

static bool on_stray(void *ctx, const char *line, size_t len)
{
    return on_event(ctx, "", line, len, "");
}

struct outcome {
    unsigned char events[32];
    size_t n;
    int64_t retry_ms;
    bool too_large, stopped;
};

static struct outcome read_all(
    const uint8_t *data, size_t size, size_t max_bytes, size_t step)
{
    struct seen seen = {0};
    struct er_sse s;
    er_sha256_init(&seen.events);
    er_sse_init(&s, max_bytes, on_event, &seen);
    s.on_stray = on_stray;
    for (size_t at = 0; at < size;) {
        size_t n = size - at < step ? size - at : step;
        char *piece = malloc(n);
        check(piece != NULL);
        memcpy(piece, data + at, n);
        bool going = er_sse_feed(&s, piece, n);
        free(piece);
        check(going == !(s.too_large || s.stopped));
        check(s.line.len <= max_bytes && s.data.len <= max_bytes);
        at += n;
    }
    er_sse_end(&s, true);
    struct outcome o = {.n = seen.n, .retry_ms = s.retry_ms,
        .too_large = s.too_large, .stopped = s.stopped};
    er_sha256_end(&seen.events, o.events);
    er_sse_release(&s);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t max_bytes = data[0] & 1 ? 40 : 100000, step = data[1] % 31 + 1u;
    struct outcome whole = read_all(data + 2, size - 2, max_bytes, size);
    size_t steps[] = {1, step, 4096};
    for (size_t i = 0; i < 3; i++) {
        struct outcome cut =
            read_all(data + 2, size - 2, max_bytes, steps[i]);
        check(whole.n == cut.n && whole.retry_ms == cut.retry_ms);
        check(whole.too_large == cut.too_large);
        check(whole.stopped == cut.stopped);
        check(memcmp(whole.events, cut.events, 32) == 0);
    }
    return 0;
}
