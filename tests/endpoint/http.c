/* Connections: HTTP/1.1 requests in, plans played out.
 *
 * Raw sockets and one event each, rather than bufferevents: an answer is
 * written at once and the write event is only armed when the socket is full,
 * so a small reply costs one read and one write. One request at a time per
 * connection; what is pipelined behind it waits in the buffer.
 */
#define _GNU_SOURCE /* accept4, memmem, strcasestr */
#include "endpoint.h"

#include "base/text.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_HEAD = 64 << 10, MAX_BODY = 64 << 20, READ_SIZE = 64 << 10 };

struct conn {
    struct ep_server *server;
    struct conn *next, **at; /* all connections */
    int fd;
    struct event readable, writable, timer;
    struct er_buf in;
    struct er_arena arena;
    struct ep_plan plan;
    size_t sent;         /* of the current step */
    bool busy, last;     /* playing a plan; close after it */
    bool continued;      /* 100 Continue was sent for this request */
    bool gone;           /* to be freed by whoever entered */
};

static struct conn *all;

static void conn_free(struct conn *c)
{
    event_del(&c->readable);
    event_del(&c->writable);
    event_del(&c->timer);
    close(c->fd);
    er_buf_release(&c->in);
    er_arena_release(&c->arena);
    ep_plan_release(&c->plan);
    *c->at = c->next;
    if (c->next)
        c->next->at = c->at;
    c->server->totals.open--;
    free(c);
}

/* --- playing a plan */

static void arm(struct event *timer, long ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    event_add(timer, &tv);
}

/* Write some of the current step; false when the socket is full or dead. */
static bool push(struct conn *c, const struct ep_step *s, size_t most)
{
    while (most > 0) {
        ssize_t n = send(c->fd, c->plan.bytes.data + s->off + c->sent, most,
            MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            event_add(&c->writable, NULL);
            return false;
        }
        if (n < 0) {
            c->gone = true;
            return false;
        }
        c->server->totals.bytes_out += (unsigned long long)n;
        c->sent += (size_t)n;
        most -= (size_t)n;
    }
    return true;
}

static void reset_now(struct conn *c)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    c->gone = true;
}

/* Play one step; true to go on at once. */
static bool play_step(struct conn *c, const struct ep_step *s)
{
    switch (s->type) {
    case EP_SEND:
        if (!push(c, s, s->len - c->sent))
            return false;
        break;
    case EP_REPEAT:
        if (!push(c, s, s->len - c->sent))
            return false;
        c->sent = 0;
        event_add(&c->writable, NULL); /* let others have a turn */
        return false;
    case EP_TRICKLE:
        if (!push(c, s, 1))
            return false;
        if (c->sent == s->len)
            break;
        arm(&c->timer, s->ms);
        return false;
    case EP_SLEEP:
        if (c->sent == 0) { /* sent tells whether it was armed */
            c->sent = 1;
            arm(&c->timer, s->ms);
            return false;
        }
        break;
    case EP_STALL:
        return false;
    case EP_CLOSE:
        c->gone = true;
        return false;
    case EP_RESET:
        reset_now(c);
        return false;
    }
    c->sent = 0;
    c->plan.at++;
    return true;
}

/* True when the whole plan was played. */
static bool play(struct conn *c)
{
    while (c->plan.at < c->plan.n)
        if (!play_step(c, &c->plan.steps[c->plan.at]))
            return false;
    if (c->plan.close || c->last)
        c->gone = true;
    return !c->gone;
}

/* --- reading a request */

struct head {
    char *method, *path, *session, *auth, *host, *range;
    size_t len, body_len;
    bool chunked, close, expects;
    long delay_ms;
};

static char *skip_space(char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

static void take_header(
    struct head *h, const char *name, char *value)
{
    if (!strcasecmp(name, "content-length"))
        h->body_len = strtoul(value, NULL, 10);
    else if (!strcasecmp(name, "transfer-encoding"))
        h->chunked = strcasestr(value, "chunked") != NULL;
    else if (!strcasecmp(name, "connection"))
        h->close = strcasestr(value, "close") != NULL;
    else if (!strcasecmp(name, "expect"))
        h->expects = true;
    else if (!strcasecmp(name, "authorization"))
        h->auth = value;
    else if (!strcasecmp(name, "host"))
        h->host = value;
    else if (!strcasecmp(name, "range"))
        h->range = value;
    else if (!strcasecmp(name, "x-session-affinity"))
        h->session = value;
    else if (!strcasecmp(name, "x-delay-ms"))
        h->delay_ms = strtol(value, NULL, 10);
}

/* Cut the head's copy into lines; each "name: value" goes to take. */
static bool parse_head(char *text, struct head *h, json_t *names)
{
    char *line = strsep(&text, "\n");
    h->method = strsep(&line, " ");
    h->path = line ? strsep(&line, " \r") : NULL;
    if (!h->path || h->path[0] != '/')
        return false;
    while ((line = strsep(&text, "\n")) != NULL) {
        line[strcspn(line, "\r")] = '\0';
        char *value = strchr(line, ':');
        if (!value)
            continue;
        *value++ = '\0';
        value = skip_space(value);
        take_header(h, line, value);
        if (names)
            json_object_set_new(names, line, json_string(value));
    }
    return true;
}

/* Decode a chunked body that starts at from. 1 done (*end behind it), 0 more
 * is needed, -1 broken. */
static int unchunk(
    const struct er_buf *in, size_t from, struct er_buf *out, size_t *end)
{
    for (;;) {
        const char *p = in->data + from;
        const char *eol = memchr(p, '\n', in->len - from);
        if (!eol)
            return in->len - from > 64 ? -1 : 0;
        char *stop;
        unsigned long n = strtoul(p, &stop, 16);
        if (stop == p || n > MAX_BODY)
            return -1;
        size_t data = (size_t)(eol - in->data) + 1;
        if (in->len < data + n + 2)
            return 0;
        er_buf_add(out, in->data + data, n);
        from = data + n + 2;
        if (n == 0) {
            *end = from;
            return out->failed ? -1 : 1;
        }
    }
}

static enum ep_route route_of(const char *path)
{
    size_t len = strcspn(path, "?");
    static const char chat[] = "/chat/completions", models[] = "/models";
    if (len >= sizeof chat - 1 &&
        !strncmp(path + len - (sizeof chat - 1), chat, sizeof chat - 1))
        return EP_CHAT;
    if (len >= sizeof models - 1 &&
        !strncmp(path + len - (sizeof models - 1), models, sizeof models - 1))
        return EP_MODELS;
    if (strstr(path, "/ai/run/") || strstr(path, "/workers-ai/"))
        return EP_WORKERS;
    return EP_NOWHERE;
}

static void write_logs(struct conn *c, const struct ep_request *r,
    const json_t *headers)
{
    if (c->server->log && r->body_len > 0) {
        for (size_t i = 0; i < r->body_len; i++)
            putc(r->body_text[i] == '\n' ? ' ' : r->body_text[i],
                c->server->log);
        putc('\n', c->server->log);
        fflush(c->server->log);
    }
    if (c->server->log_heads) {
        json_t *line = json_pack("{s:s,s:s,s:O}", "method", r->method,
            "path", r->path, "headers", headers);
        char *text = line ? er_json_text(line) : NULL;
        fprintf(c->server->log_heads, "%s\n", text ? text : "null");
        fflush(c->server->log_heads);
        free(text);
        json_decref(line);
    }
}

static void answer(struct conn *c, const struct head *h, const char *body,
    size_t body_len, const json_t *headers)
{
    struct ep_request r = {.route = route_of(h->path), .method = h->method,
        .path = h->path, .session = h->session, .auth = h->auth,
        .host = h->host, .range = h->range,
        .delay_ms = h->delay_ms, .body_text = body, .body_len = body_len,
        .arena = &c->arena};
    c->server->totals.requests++;
    write_logs(c, &r, headers);
    ep_answer_request(c->server, &r, &c->plan);
    c->last = h->close;
    c->busy = true;
    c->sent = 0;
}

static void bad_request(struct conn *c)
{
    ep_plan_whole(&c->plan, 400, "text/plain", "Connection: close\r\n",
        "bad request\n", 12);
    c->server->totals.rejected++;
    c->last = c->busy = true;
}

static void send_continue(struct conn *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    if (!c->continued &&
        send(c->fd, text, sizeof text - 1, MSG_NOSIGNAL) < 0)
        c->gone = true;
    c->continued = true;
}

/* With the head read: take the body and answer. False if more is needed. */
static bool take_body(struct conn *c, struct head *h, const json_t *headers)
{
    size_t end = h->len + h->body_len;
    struct er_buf flat;
    er_buf_init(&flat, MAX_BODY);
    int state = h->body_len > MAX_BODY ? -1
        : h->chunked ? unchunk(&c->in, h->len, &flat, &end)
                     : c->in.len >= end;
    if (state == 0 && h->expects)
        send_continue(c);
    if (state < 0)
        bad_request(c);
    if (state > 0) {
        if (h->chunked)
            answer(c, h, er_buf_str(&flat), flat.len, headers);
        else
            answer(c, h, c->in.data + h->len, h->body_len, headers);
        er_buf_drop(&c->in, end);
        c->continued = false;
    }
    er_buf_release(&flat);
    return state != 0;
}

/* Answer the next whole request in the buffer; false if there is none. */
static bool next_request(struct conn *c)
{
    ep_plan_reset(&c->plan);
    er_arena_release(&c->arena);
    char *stop = c->in.len
        ? memmem(c->in.data, c->in.len, "\r\n\r\n", 4) : NULL;
    if (!stop) {
        if (c->in.len > MAX_HEAD)
            bad_request(c);
        return c->busy;
    }
    struct head h = {.len = (size_t)(stop - c->in.data) + 4};
    char *copy = er_arena_strn(&c->arena, c->in.data, h.len - 4);
    json_t *names = c->server->log_heads ? json_object() : NULL;
    bool took = true;
    if (!copy || !parse_head(copy, &h, names))
        bad_request(c);
    else
        took = take_body(c, &h, names);
    json_decref(names);
    return took;
}

/* Go on until there is nothing to do now. Frees c if it is gone. */
static void work(struct conn *c)
{
    while (!c->gone) {
        if (!c->busy && !next_request(c))
            break;
        if (!c->gone && !play(c))
            break;
        c->busy = false;
    }
    if (c->gone)
        conn_free(c);
}

static void on_readable(int fd, short what, void *ctx)
{
    struct conn *c = ctx;
    (void)what;
    char piece[READ_SIZE];
    ssize_t n = read(fd, piece, sizeof piece);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0 || !er_buf_add(&c->in, piece, (size_t)n)) {
        conn_free(c);
        return;
    }
    c->server->totals.bytes_in += (unsigned long long)n;
    if (!c->busy)
        work(c);
}

static void on_ready(int fd, short what, void *ctx)
{
    (void)fd, (void)what;
    work(ctx);
}

void ep_accept(struct ep_server *s, int fd)
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return;
    }
    c->server = s;
    c->fd = fd;
    er_buf_init(&c->in, MAX_BODY + 2 * MAX_HEAD);
    er_arena_init(&c->arena);
    ep_plan_init(&c->plan);
    event_assign(
        &c->readable, s->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    event_assign(&c->writable, s->base, fd, EV_WRITE, on_ready, c);
    event_assign(&c->timer, s->base, -1, 0, on_ready, c);
    event_add(&c->readable, NULL);
    c->next = all;
    c->at = &all;
    if (all)
        all->at = &c->next;
    all = c;
    s->totals.connections++;
    if (++s->totals.open > s->totals.max_open)
        s->totals.max_open = s->totals.open;
}

void ep_close_all(struct ep_server *s)
{
    (void)s;
    while (all)
        conn_free(all);
}
