/* The ops of a worker of the kind "plugin": describe, call, probe. */
#include "plugin.h"

#include "base/frame.h"
#include "base/plugin_call.h"
#include "base/text.h"
#include "ops.h"
#include "send.h"

#include <pthread.h>
#include <string.h>

enum { INIT_MS = 10 * 1000, DETAIL_MOST = 1000 };

/* A line of the log: a frame of its own, before the answer's. */
static void send_log(void *ctx, int level, const char *text, size_t len)
{
    struct er_plugin_host *h = ctx;
    struct er_buf frame;
    er_buf_init(&frame, 16384);
    size_t token = er_frame_begin(&frame);
    er_buf_addf(&frame, "{\"id\":%lld,\"log\":", (long long)h->wire.id);
    er_json_add_string(&frame, text, len);
    er_buf_addf(&frame, ",\"level\":%d}", level);
    pthread_mutex_lock(&h->sending);
    if (er_frame_end(&frame, token))
        er_send(h->wire.sock, &frame);
    pthread_mutex_unlock(&h->sending);
    er_buf_release(&frame);
}

/* Has the call been cancelled? While another thread of it waits for an
 * answer, that one reads the news. */
static bool is_over(void *ctx)
{
    struct er_plugin_host *h = ctx;
    bool gone = false;
    pthread_mutex_lock(&h->sending);
    er_wire_listen(&h->wire);
    pthread_mutex_unlock(&h->sending);
    if (pthread_mutex_trylock(&h->reading) == 0) {
        gone = !er_wire_look(&h->wire);
        pthread_mutex_unlock(&h->reading);
    }
    return gone || atomic_load(&h->wire.cancelled);
}

static bool send_question(
    struct er_plugin_host *h, const char *service, const json_t *params)
{
    struct er_buf out;
    er_buf_init(&out, (size_t)ER_FRAME_MAX + ER_FRAME_HEAD);
    size_t token = er_wire_begin(&h->wire, &out, service);
    er_json_add(&out, params);
    pthread_mutex_lock(&h->sending);
    bool ok = er_wire_end(&h->wire, &out, token);
    pthread_mutex_unlock(&h->sending);
    er_buf_release(&out);
    return ok;
}

static json_t *wait_for_answer(struct er_plugin_host *h, struct er_buf *why)
{
    const char *text = "the time of the call is over";
    int64_t until =
        h->deadline_ms + (h->wire.listens ? ER_WIRE_GRACE_MS : 0);
    enum er_wire_got got = er_wire_wait(&h->wire, until);
    const json_t *value = NULL;
    if (got == ER_WIRE_ANSWERED)
        value = er_wire_value(&h->wire, &text);
    else if (got == ER_WIRE_CANCELLED)
        text = "the call was cancelled";
    else if (got == ER_WIRE_GONE)
        text = "errand has ended";
    if (!value)
        er_buf_add(why, text, er_utf8_cut(text, strlen(text),
            ER_PLUGIN_MESSAGE));
    return json_incref((json_t *)(uintptr_t)value);
}

static json_t *ask_runtime(
    void *ctx, const char *service, json_t *params, struct er_buf *why)
{
    struct er_plugin_host *h = ctx;
    json_t *value = NULL;
    pthread_mutex_lock(&h->reading);
    if (send_question(h, service, params))
        value = wait_for_answer(h, why);
    else
        er_buf_adds(why, "the question is over 16 MiB, or memory ran out");
    pthread_mutex_unlock(&h->reading);
    json_decref(params);
    return value;
}

static void write_refusal(struct er_buf *out, const char *message, size_t len,
    const char *detail)
{
    er_buf_adds(out, ",\"ok\":false,\"message\":");
    er_json_add_string(out, message, len);
    er_buf_adds(out, ",\"detail\":");
    er_json_add_string(out, detail,
        er_utf8_cut(detail, strlen(detail), DETAIL_MOST));
}

static void refuse(struct er_buf *out, const char *message,
    const char *detail)
{
    write_refusal(out, message, strlen(message), detail);
}

/* --------------------------------------------------------------- loading */

/* The one plugin, loaded at its first use. NULL with err. */
static const struct errand_plugin *find(struct er_plugin_host *h,
    const json_t *request, struct errand_error *err)
{
    const char *path = er_json_str(request, "path");
    const char *version = er_json_str(request, "version");
    if (!h->plugin)
        h->plugin = er_plugin_load(path, version, h->version, err);
    else if (version && *version && strcmp(version, h->version) != 0)
        er_fail(err, ERRAND_STATE, "%s is loaded in another version", path);
    else
        return h->plugin;
    return err->code == ERRAND_OK ? h->plugin : NULL;
}

/* Run init, once. False: it refused. */
static bool prepare(struct er_plugin_host *h)
{
    struct er_plugin_call call;
    int32_t (*init)(void **, struct errand_tool_call *) =
        er_plugin_init(h->plugin);
    if (h->is_ready || h->is_refused)
        return h->is_ready;
    if (!init) {
        h->is_ready = true;
        return true;
    }
    if (!er_plugin_call_init(&call, h->config, "", 1, INIT_MS))
        return false;
    call.log = send_log;
    call.ctx = h;
    h->is_ready = init(&h->self, &call.shown) == 0;
    h->is_refused = !h->is_ready;
    if (h->is_refused) {
        bool ok;
        size_t len;
        const char *why = er_plugin_call_end(&call, &ok, &len);
        bool told = call.answered && call.failed;
        er_buf_adds(&h->refusal, told ? why : "it does not say why");
    }
    er_plugin_call_release(&call);
    return h->is_ready;
}

/* ------------------------------------------------------------------- ops */

static void describe(struct er_plugin_host *h, const json_t *request,
    struct er_buf *out)
{
    struct errand_error err = {0};
    const struct errand_plugin *p = find(h, request, &err);
    if (p) {
        er_plugin_describe(p, h->version, out);
        return;
    }
    er_buf_adds(out, ",\"ok\":false,\"problems\":[{\"line\":0,\"message\":");
    er_json_add_string(out, err.msg, strlen(err.msg));
    er_buf_addf(out, "}],\"code\":%d", (int)err.code);
}

/* The tool a request names, ready to be called; NULL after an answer. */
static const struct errand_tool *tool_of(struct er_plugin_host *h,
    const json_t *request, struct er_buf *out)
{
    struct errand_error err = {0};
    const char *name = er_json_str(request, "tool");
    const struct errand_tool *tool = NULL;
    if (!find(h, request, &err)) {
        refuse(out, err.code == ERRAND_STATE
                ? "the tool's file was changed after it was loaded, so it "
                  "was not run"
                : "the tool's file cannot be loaded", err.msg);
        return NULL;
    }
    if (!prepare(h)) {
        refuse(out, "the tool's plugin refuses to start",
            er_buf_str(&h->refusal));
        return NULL;
    }
    tool = name ? er_plugin_tool(h->plugin, name) : NULL;
    if (!tool || !tool->run)
        refuse(out, "the plugin has no such tool", name ? name : "");
    return tool && tool->run ? tool : NULL;
}

static bool begin_call(struct er_plugin_host *h, const json_t *request,
    struct er_plugin_call *call, struct er_buf *out)
{
    if (!er_plugin_call_init(call, json_object_get(request, "arguments"),
            er_json_str(request, "key"),
            (uint32_t)er_json_int(request, "attempt", 1),
            (uint32_t)er_json_int(request, "timeout_ms", 30000))) {
        refuse(out, "the tool ran out of memory", "");
        return false;
    }
    call->log = send_log;
    call->ctx = h;
    call->ask = ask_runtime;
    call->ask_ctx = h;
    call->is_over = is_over;
    call->over_ctx = h;
    h->deadline_ms = call->deadline_ms;
    return true;
}

/* The answer that the tool gave. */
static void write_answer(struct er_plugin_call *call, struct er_buf *out)
{
    bool ok;
    size_t len;
    const char *text = er_plugin_call_end(call, &ok, &len);
    if (!ok) {
        write_refusal(out, text, len, "");
        return;
    }
    er_buf_adds(out, ",\"ok\":true,\"result\":");
    er_json_add_string(out, text, len);
}

static void run(struct er_plugin_host *h, const json_t *request,
    struct er_buf *out)
{
    struct er_plugin_call call;
    const struct errand_tool *tool = tool_of(h, request, out);
    if (!tool || !begin_call(h, request, &call, out))
        return;
    tool->run(h->self, &call.shown);
    write_answer(&call, out);
    er_plugin_call_release(&call);
}

static void probe(struct er_plugin_host *h, const json_t *request,
    struct er_buf *out)
{
    static const char *const found[] = {"unknown", "done", "not-done"};
    struct er_plugin_call call;
    const struct errand_tool *tool = tool_of(h, request, out);
    if (!tool)
        return;
    int32_t (*ask)(void *, struct errand_tool_call *) = er_plugin_probe(tool);
    if (!ask) {
        refuse(out, "the tool has no probe", "");
        return;
    }
    if (!begin_call(h, request, &call, out))
        return;
    int32_t is = ask(h->self, &call.shown);
    if (is < ERRAND_TOOL_PROBE_UNKNOWN || is > ERRAND_TOOL_PROBE_NOT_DONE)
        is = ERRAND_TOOL_PROBE_UNKNOWN;
    er_buf_addf(out, ",\"probe\":\"%s\"", found[is]);
    if (call.answered && !call.failed)
        write_answer(&call, out);
    else
        er_buf_adds(out, ",\"ok\":true,\"result\":\"\"");
    er_plugin_call_release(&call);
}

/* ------------------------------------------------------------------ life */

void er_plugin_host_init(struct er_plugin_host *h, int sock,
    struct er_frame_reader *reader, const json_t *lock)
{
    *h = (struct er_plugin_host){.is_ready = false};
    er_wire_init(&h->wire, sock, reader);
    pthread_mutex_init(&h->sending, NULL);
    pthread_mutex_init(&h->reading, NULL);
    h->config = json_incref(json_object_get(lock, "config"));
    er_buf_init(&h->refusal, 8192);
}

bool er_plugin_host_work(struct er_plugin_host *h, const json_t *request,
    const char *op, struct er_buf *out)
{
    static const struct {
        const char *name;
        void (*work)(struct er_plugin_host *h, const json_t *request,
            struct er_buf *out);
    } ops[] = {{"call", run}, {"describe", describe}, {"probe", probe}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(op, ops[i].name) != 0)
            continue;
        er_wire_next(&h->wire, er_json_int(request, "id", 0));
        ops[i].work(h, request, out);
        return true;
    }
    return false;
}

void er_plugin_host_end(struct er_plugin_host *h)
{
    void (*fini)(void *) = h->plugin ? er_plugin_fini(h->plugin) : NULL;
    if (fini && h->is_ready)
        fini(h->self);
    json_decref(h->config);
    er_buf_release(&h->refusal);
    er_wire_next(&h->wire, 0); /* drops the last answer */
    pthread_mutex_destroy(&h->sending);
    pthread_mutex_destroy(&h->reading);
    h->config = NULL;
    h->is_ready = false;
}
