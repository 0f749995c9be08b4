/* errand-worker: the child program that runs tools.
 *
 * It reads requests from the socket that the runtime left as descriptor 3,
 * works on them one by one, and ends when the socket does. The protocol is
 * in protocol.md.
 */
#include "base/clock.h"
#include "base/frame.h"
#include "base/spin.h"
#include "chunk.h"
#include "host.h"
#include "lock.h"
#include "ops.h"
#include "plugin.h"
#include "send.h"
#include "watch.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    SOCKET = 3,
    TIMEOUT_MS = 30000, /* of a request that does not say */
    PROTOCOL = 2,
    LARGE = 1024 * 1024, /* bytes of a call after which memory is given
                            back */
};

struct worker {
    struct er_host host;
    struct er_chunks chunks;
    struct er_frame_reader reader;
    struct er_buf out;
    struct er_cage cage;
    bool locked; /* until then it works on nothing else */
    bool is_plugin; /* of that kind: no Lua is run here */
    struct er_plugin_host plugin;
    struct er_allowance allowed;
    struct er_spin spin; /* for the next request */
};

void er_answer_begin(struct er_buf *out, json_int_t id)
{
    er_buf_reset(out);
    er_frame_begin(out);
    er_buf_addf(out, "{\"id\":%lld", (long long)id);
}

static bool finish_answer(struct worker *w)
{
    er_buf_addc(&w->out, '}');
    if (!er_frame_end(&w->out, 0)) {
        er_answer_begin(&w->out, w->host.wire.id);
        er_buf_adds(&w->out, ",\"ok\":false,\"message\":\"the result is "
            "over 16 MiB\",\"detail\":\"\"}");
        if (!er_frame_end(&w->out, 0))
            return false;
    }
    return er_send(SOCKET, &w->out);
}

static bool hello(struct worker *w)
{
    er_buf_reset(&w->out);
    er_frame_begin(&w->out);
    er_buf_addf(&w->out, "{\"hello\":\"%s\",\"protocol\":%d}",
        ERRAND_VERSION, PROTOCOL);
    return er_frame_end(&w->out, 0) && er_send(SOCKET, &w->out);
}

/* The first request: what this process may touch from now on. */
static bool lock(struct worker *w, const json_t *request)
{
    er_answer_begin(&w->out, w->host.wire.id);
    w->locked = er_op_lock(request, &w->cage, &w->out);
    const char *kind = er_json_str(request, "kind");
    if (w->locked && strcmp(kind, "plugin") == 0) {
        w->is_plugin = true;
        er_plugin_host_init(&w->plugin, SOCKET, &w->reader, request);
        er_host_release(&w->host);
    }
    return finish_answer(w) && w->locked;
}

static bool work_lua(struct worker *w, const json_t *request, const char *op)
{
    static const struct {
        const char *name;
        void (*run)(struct er_host *h, struct er_chunk *chunk,
            const json_t *request, struct er_buf *out);
    } ops[] = {{"call", er_op_call}, {"describe", er_op_describe},
        {"config", er_op_config}, {"agent", er_op_agent},
        {"script", er_op_script}};
    struct er_chunk *chunk = er_chunk_find(&w->chunks, request);
    if (!chunk || !er_host_prepare(&w->host))
        return false;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (strcmp(op, ops[i].name) != 0)
            continue;
        ops[i].run(&w->host, chunk, request, &w->out);
        return true;
    }
    return false;
}

/* Work on one request. False: it breaks the protocol, or nobody hears. */
static bool work(struct worker *w, const json_t *request)
{
    const char *op = er_json_str(request, "op");
    if (!op || !json_is_integer(json_object_get(request, "id")))
        return false;
    er_wire_next(&w->host.wire, er_json_int(request, "id", 0));
    if (!w->locked && strcmp(op, "lock") == 0)
        return lock(w, request);
    if (!w->locked)
        return false;
    if (!w->is_plugin && strcmp(op, "load") == 0)
        return er_chunk_load(&w->chunks, request);
    er_platform_allow_cpu(
        er_json_int(request, "timeout_ms", TIMEOUT_MS), &w->allowed);
    er_answer_begin(&w->out, w->host.wire.id);
    bool known = w->is_plugin
        ? er_plugin_host_work(&w->plugin, request, op, &w->out)
        : work_lua(w, request, op);
    return known && finish_answer(w);
}

/* After the answer, when nobody waits: a fresh state for the next. */
static void tidy(struct worker *w)
{
    bool large = w->host.heap.now.used > LARGE || w->out.cap > LARGE;
    if (!w->is_plugin)
        er_host_end(&w->host);
    if (large) {
        er_buf_release(&w->out);
        er_platform_trim();
    }
    if (!w->is_plugin)
        er_host_prepare(&w->host);
}

/* The next request may come in a moment: look for it before sleeping. */
static void look(struct er_spin *spin)
{
    char byte;
    if (!er_spin_begin(spin))
        return;
    int64_t until = er_mono_ns() + ER_SPIN_REQUEST_NS;
    bool found;
    do
        found = recv(SOCKET, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
                errno != EAGAIN;
    while (!found && er_mono_ns() < until);
    er_spin_end(spin, found);
}

static int serve(struct worker *w)
{
    const char *text;
    size_t len;
    for (;;) {
        int got = er_frame_next(&w->reader, &text, &len);
        if (got < 0)
            return 1;
        if (got == 0) {
            look(&w->spin);
            ssize_t n = er_frame_recv(&w->reader, SOCKET);
            if (n <= 0)
                return n == 0 ? 0 : 1;
            continue;
        }
        json_t *request = er_json_parse(text, len, ER_JSON_STRICT, NULL);
        if (er_wire_is_late(request)) {
            json_decref(request);
            continue;
        }
        bool ok = json_is_object(request) && work(w, request);
        tidy(w);
        json_decref(request);
        if (!ok)
            return 1;
    }
}

static bool is_socket(int fd)
{
    int type;
    socklen_t len = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
           type == SOCK_STREAM;
}

int main(int argc, char **argv)
{
    static const char alone[] =
        "errand-worker runs errand's tools and is started by errand alone; "
        "to call a tool by hand: errand tools call NAME JSON\n";
    if (argc == 2 && strcmp(argv[1], "watch") == 0 &&
        is_socket(STDIN_FILENO))
        return er_watch_serve();
    if (!is_socket(SOCKET)) {
        ssize_t n = write(STDERR_FILENO, alone, sizeof alone - 1);
        return n < 0 ? 1 : 2;
    }
    er_platform_begin(SOCKET);
    struct worker w = {0};
    er_spin_init(&w.spin);
    er_frame_reader_init(&w.reader);
    er_host_init(&w.host, SOCKET, &w.reader);
    w.host.cage = &w.cage;
    er_buf_init(&w.out, (size_t)ER_FRAME_MAX + ER_FRAME_HEAD);
    er_host_prepare(&w.host);
    int status = hello(&w) ? serve(&w) : 1;
    if (w.is_plugin)
        er_plugin_host_end(&w.plugin);
    else
        er_host_release(&w.host);
    er_cage_release(&w.cage);
    er_chunks_release(&w.chunks);
    er_frame_reader_release(&w.reader);
    er_buf_release(&w.out);
    return status;
}
