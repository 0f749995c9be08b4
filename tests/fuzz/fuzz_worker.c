/* What a worker reads: tool files as the loader gets them, and the lists of a
 * lock. Whatever a text says, describing it ends in one answer that is JSON:
 * a tool, or problems with lines. Nothing is locked here, and nothing granted.
 */
#include "base/frame.h"
#include "base/text.h"
#include "worker/guard.h"
#include "worker/ops.h"
#include "worker/roots.h"

#include <stdint.h>
#include <string.h>

enum { TIME_MS = 50 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

/* As in the worker's main.c. */
void er_answer_begin(struct er_buf *out, json_int_t id)
{
    er_buf_reset(out);
    er_frame_begin(out);
    er_buf_addf(out, "{\"id\":%lld", (long long)id);
}

static void check_answer(struct er_buf *out)
{
    er_buf_addc(out, '}');
    check(er_frame_end(out, 0));
    json_t *answer = er_json_parse(out->data + ER_FRAME_HEAD,
        out->len - ER_FRAME_HEAD, ER_JSON_STRICT, NULL);
    check(json_is_object(answer));
    check(json_is_boolean(json_object_get(answer, "ok")));
    check(json_is_true(json_object_get(answer, "ok")) ==
          json_is_object(json_object_get(answer, "tool")));
    json_decref(answer);
}

static void describe(const char *text, size_t len)
{
    static struct er_host host;
    struct er_chunks chunks = {0};
    struct er_buf out;
    if (!host.L)
        er_host_init(&host, -1, NULL);
    json_t *request = json_pack("{s:i,s:s,s:s%,s:i}", "code", 1, "path",
        "fuzz.lua", "text", text, len, "timeout_ms", TIME_MS);
    check(request && er_host_prepare(&host));
    check(er_chunk_load(&chunks, request));
    er_buf_init(&out, (size_t)ER_FRAME_MAX + ER_FRAME_HEAD);
    er_answer_begin(&out, 1);
    er_op_describe(&host, er_chunk_find(&chunks, request), request, &out);
    check_answer(&out);
    er_host_end(&host);
    er_buf_release(&out);
    er_chunks_release(&chunks);
    json_decref(request);
}

static void read_lists(const json_t *request)
{
    struct er_guard guard;
    struct er_roots roots;
    er_guard_open(&guard, request);
    er_guard_release(&guard);
    er_roots_open(&roots, json_object_get(request, "read"), false);
    er_roots_release(&roots);
    er_roots_open_programs(&roots, json_object_get(request, "run"));
    er_roots_release(&roots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    json_t *request = er_json_parse(text, size, ER_JSON_STRICT, NULL);
    if (json_is_object(request))
        read_lists(request);
    json_decref(request);
    if (size > 0 && er_utf8_valid_prefix(text, size) == size)
        describe(text, size);
    return 0;
}
