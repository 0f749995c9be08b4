/* One question at a time: a frame out, and the wait for its answer.
 *
 * While it waits nothing else can come but answers to questions of calls
 * before, which ended at their deadline; anything else is a runtime that
 * speaks otherwise, and then this process is of no use. */
#include "question.h"

#include "base/frame.h"
#include "convert.h"
#include "host.h"
#include "send.h"

#include <errno.h>
#include <lauxlib.h>
#include <poll.h>
#include <sys/socket.h>

bool er_question_is_late(const json_t *frame)
{
    return json_is_object(frame) && !json_object_get(frame, "op") &&
           json_is_integer(json_object_get(frame, "n"));
}

/* Nobody is there to work for: end the call, and with the socket the
 * process. */
static void give_up(lua_State *L, struct er_host *h)
{
    shutdown(h->sock, SHUT_RDWR);
    er_host_stop(L);
}

static void send_question(
    lua_State *L, struct er_host *h, const char *service, int index)
{
    struct er_buf *out = &h->scratch;
    er_buf_reset(out);
    size_t token = er_frame_begin(out);
    er_buf_addf(out, "{\"id\":%lld,\"ask\":\"%s\",\"n\":%lld,\"params\":",
        (long long)h->id, service, (long long)++h->asked);
    er_convert_write(L, index, out, ER_CONVERT_PLAIN, service);
    er_buf_addc(out, '}');
    if (!er_frame_end(out, token)) {
        er_buf_reset(out);
        luaL_error(L, "the question to %s is over 16 MiB", service);
    }
    bool sent = er_send(h->sock, out);
    er_buf_reset(out);
    if (!sent)
        give_up(L, h);
}

/* Read once from the socket, if something comes within the deadline. */
static void read_more(lua_State *L, struct er_host *h)
{
    struct pollfd p = {.fd = h->sock, .events = POLLIN};
    int64_t left = er_host_left_ms(h);
    if (left <= 0)
        er_host_stop(L);
    if (poll(&p, 1, left > 1000 ? 1000 : (int)left) <= 0)
        return;
    ssize_t got = er_frame_recv(h->reader, h->sock);
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
        give_up(L, h);
}

/* The next frame, parsed into the host's slot; false: none yet. */
static bool next_frame(lua_State *L, struct er_host *h)
{
    const char *text;
    size_t len;
    int got = er_frame_next(h->reader, &text, &len);
    json_decref(h->answer);
    h->answer = NULL;
    if (got < 0)
        give_up(L, h);
    if (got <= 0)
        return false;
    h->answer = er_json_parse(text, len, ER_JSON_STRICT, NULL);
    if (!er_question_is_late(h->answer))
        give_up(L, h);
    return true;
}

static bool is_ours(const struct er_host *h)
{
    return er_json_int(h->answer, "id", -1) == h->id &&
           er_json_int(h->answer, "n", -1) == h->asked;
}

const json_t *er_question_json(
    lua_State *L, const char *service, int index)
{
    struct er_host *h = er_host_of(L);
    send_question(L, h, service, index);
    for (;;) {
        while (next_frame(L, h)) {
            if (!is_ours(h))
                continue;
            const json_t *value = json_object_get(h->answer, "value");
            const char *why = er_json_str(h->answer, "message");
            if (json_is_true(json_object_get(h->answer, "ok")) && value)
                return value;
            luaL_error(L, "%s", why ? why : "the runtime gave no answer");
        }
        read_more(L, h);
    }
}

int er_question_ask(lua_State *L, const char *service, int index)
{
    er_convert_push(L, er_question_json(L, service, index));
    return 1;
}
