/* Answers of endpoints, both dialects, both framings: however the bytes are
 * cut, the events are the same; so are they by the long way; the last is
 * DONE or ERROR and comes once. */
#include "model/reader.h"
#include "support/reader_kit.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static void check_ends_once(const json_t *events)
{
    size_t n = json_array_size(events);
    check(n > 0);
    for (size_t i = 0; i < n; i++) {
        const json_t *e = json_array_get(events, i);
        bool end = json_object_get(e, "done") || json_object_get(e, "error");
        check(end == (i == n - 1));
    }
}

/* Without the short cut: it is taken away again and again. */
static json_t *read_long_way(enum er_dialect dialect,
    enum er_framing framing, size_t max_bytes, const char *bytes, size_t len)
{
    json_t *events = json_array();
    struct er_reader r;
    er_reader_init(&r, dialect, framing, max_bytes, kit_on_event, events);
    for (size_t at = 0; at < len; at += 16) {
        er_shortcut_release(&r.fast);
        er_shortcut_init(&r.fast, max_bytes);
        er_reader_feed(&r, bytes + at, len - at < 16 ? len - at : 16);
    }
    er_reader_end(&r);
    er_reader_release(&r);
    return events;
}

static void check_same(json_t *got, const json_t *want)
{
    json_t *last = json_array_get(got, json_array_size(got) - 1);
    json_object_del(last, "retriable");
    check(json_equal(got, (json_t *)want));
    json_decref(got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    enum er_dialect dialect = data[0] & 1 ? ER_WORKERS_AI : ER_OPENAI;
    enum er_framing framing = data[0] & 2 ? ER_WHOLE : ER_SSE;
    size_t max_bytes = data[0] & 32 ? 300 : 1 << 20;
    size_t step = data[1] % 61 + 1u;
    const char *bytes = (const char *)data + 2;
    size_t len = size - 2;
    json_t *whole =
        kit_read(dialect, framing, max_bytes, bytes, len, 0, 0);
    check_ends_once(whole);
    json_object_del(
        json_array_get(whole, json_array_size(whole) - 1), "retriable");
    check_same(
        kit_read(dialect, framing, max_bytes, bytes, len, 0, 1), whole);
    check_same(
        kit_read(dialect, framing, max_bytes, bytes, len, 0, step), whole);
    check_same(
        read_long_way(dialect, framing, max_bytes, bytes, len), whole);
    json_decref(whole);
    return 0;
}
