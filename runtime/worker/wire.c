/* Frames out, frames in, one question at a time. */
#include "wire.h"

#include "base/clock.h"
#include "send.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

void er_wire_init(
    struct er_wire *w, int sock, struct er_frame_reader *reader)
{
    *w = (struct er_wire){.sock = sock, .reader = reader};
}

void er_wire_next(struct er_wire *w, json_int_t id)
{
    json_decref(w->answer);
    w->answer = NULL;
    w->id = id;
    w->asked = 0;
    w->listens = false;
    atomic_store(&w->cancelled, false);
}

/* ------------------------------------------------------------ frames out */

/* Nobody is there to work for: with the socket the process ends. */
static enum er_wire_got give_up(struct er_wire *w)
{
    shutdown(w->sock, SHUT_RDWR);
    return ER_WIRE_GONE;
}

size_t er_wire_begin(
    struct er_wire *w, struct er_buf *out, const char *service)
{
    er_buf_reset(out);
    size_t token = er_frame_begin(out);
    er_buf_addf(out, "{\"id\":%lld,\"ask\":\"%s\",\"n\":%lld,\"params\":",
        (long long)w->id, service, (long long)++w->asked);
    return token;
}

bool er_wire_end(struct er_wire *w, struct er_buf *out, size_t token)
{
    er_buf_addc(out, '}');
    bool fits = er_frame_end(out, token);
    if (fits && !er_send(w->sock, out))
        give_up(w);
    er_buf_reset(out);
    return fits;
}

void er_wire_listen(struct er_wire *w)
{
    struct er_buf out;
    if (w->listens)
        return;
    w->listens = true;
    er_buf_init(&out, 200);
    size_t token = er_frame_begin(&out);
    er_buf_addf(&out, "{\"id\":%lld,\"listens\":true}", (long long)w->id);
    if (er_frame_end(&out, token))
        er_send(w->sock, &out);
    er_buf_release(&out);
}

/* ------------------------------------------------------------- frames in */

static bool is_cancel(const json_t *frame)
{
    const char *op = er_json_str(frame, "op");
    return op && strcmp(op, "cancel") == 0;
}

bool er_wire_is_late(const json_t *frame)
{
    return json_is_object(frame) &&
           (is_cancel(frame) ||
               (!json_object_get(frame, "op") &&
                   json_is_integer(json_object_get(frame, "n"))));
}

/* One frame that came while the call is worked on; 0: nothing for it. */
static int take(struct er_wire *w, json_t *frame)
{
    bool ours = er_json_int(frame, "id", -1) == w->id;
    if (!er_wire_is_late(frame)) {
        json_decref(frame);
        return (int)give_up(w);
    }
    if (ours && is_cancel(frame)) {
        json_decref(frame);
        bool was = atomic_exchange(&w->cancelled, true);
        return was ? 0 : ER_WIRE_CANCELLED;
    }
    if (!ours || er_json_int(frame, "n", -1) != w->asked) {
        json_decref(frame);
        return 0;
    }
    json_decref(w->answer);
    w->answer = frame;
    return ER_WIRE_ANSWERED;
}

/* What of the frames that have come whole counts first; 0: nothing. */
static int take_all(struct er_wire *w)
{
    const char *text;
    size_t len;
    int got;
    while ((got = er_frame_next(w->reader, &text, &len)) > 0) {
        int what =
            take(w, er_json_parse(text, len, ER_JSON_STRICT, NULL));
        if (what)
            return what;
    }
    return got < 0 ? (int)give_up(w) : 0;
}

/* Read once from the socket, if something comes within wait_ms. */
static bool read_more(struct er_wire *w, int wait_ms)
{
    struct pollfd p = {.fd = w->sock, .events = POLLIN};
    if (poll(&p, 1, wait_ms) <= 0)
        return true;
    ssize_t got = er_frame_recv(w->reader, w->sock);
    if (got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN)))
        return true;
    give_up(w);
    return false;
}

enum er_wire_got er_wire_wait(struct er_wire *w, int64_t until_ms)
{
    for (;;) {
        int got = take_all(w);
        if (got)
            return (enum er_wire_got)got;
        int64_t left = until_ms - er_mono_ms();
        if (left <= 0)
            return ER_WIRE_LATE;
        if (!read_more(w, left > 1000 ? 1000 : (int)left))
            return ER_WIRE_GONE;
    }
}

bool er_wire_look(struct er_wire *w)
{
    struct pollfd p = {.fd = w->sock, .events = POLLIN};
    int got;
    while (poll(&p, 1, 0) > 0)
        if (!read_more(w, 0))
            return false;
    while ((got = take_all(w)) != 0)
        if (got == ER_WIRE_GONE)
            return false;
    return true;
}

const json_t *er_wire_value(const struct er_wire *w, const char **why)
{
    const json_t *value = json_object_get(w->answer, "value");
    const char *message = er_json_str(w->answer, "message");
    if (json_is_true(json_object_get(w->answer, "ok")) && value)
        return value;
    *why = message ? message : "the runtime gave no answer";
    return NULL;
}
