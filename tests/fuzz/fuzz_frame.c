/* The frame reader, fed in pieces whose sizes the input chooses: it never
 * holds more than was fed, hands out what was fed, in order, and an
 * oversized length is final. */
#include "base/frame.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

/* Take all whole frames; their bytes must be those at *at in data. */
static bool take(struct er_frame_reader *r, const uint8_t *data, size_t fed,
    size_t *at)
{
    const char *json;
    size_t len;
    int got;
    while ((got = er_frame_next(r, &json, &len)) > 0) {
        check(len <= ER_FRAME_MAX && *at + ER_FRAME_HEAD + len <= fed);
        check(memcmp(json, data + *at + ER_FRAME_HEAD, len) == 0);
        *at += ER_FRAME_HEAD + len;
        json_t *value = er_json_parse(json, len, ER_JSON_STRICT, NULL);
        json_decref(value);
    }
    check(r->buf.len - r->at <= fed - *at);
    return got == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct er_frame_reader r;
    size_t fed = 0, at = 0;
    if (size == 0)
        return 0;
    size_t step = data[0] % 37 + 1u;
    data++;
    size--;
    er_frame_reader_init(&r);
    while (fed < size) {
        size_t n = size - fed < step ? size - fed : step;
        check(er_frame_feed(&r, data + fed, n));
        fed += n;
        step = step * 5 % 41 + 1;
        if (!take(&r, data, fed, &at))
            break;
    }
    er_frame_reader_release(&r);
    return 0;
}
