/* A TCP peer for tests: listens on a free port of the loopback and hands
 * each connection to a function, in a thread of its own. Everything that
 * waits gives up when the peer is stopped.
 */
#ifndef ERRAND_TESTS_SUPPORT_PEER_H
#define ERRAND_TESTS_SUPPORT_PEER_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PEER_THREADS = 64, PEER_REQUEST = 1 << 20 };

struct peer {
    int listen_fd, port;
    atomic_int connections, requests;
    atomic_bool stop;
    void (*serve)(struct peer *p, int fd);
    const char *answer; /* for serve functions, as they like */
    size_t answer_len;
    void *arg;
    pthread_t acceptor, threads[PEER_THREADS];
    int thread_count;
    pthread_mutex_t lock;
    char last[PEER_REQUEST]; /* the newest request, under lock */
};

struct peer_conn {
    struct peer *p;
    int fd;
};

/* A port that refuses, and that nobody else gets while fd is open. */
static inline int peer_bind(int *port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
        perror("peer");
        abort();
    }
    *port = ntohs(a.sin_port);
    return fd;
}

static inline int peer_listen(int *port)
{
    int fd = peer_bind(port);
    if (listen(fd, 1024) != 0) {
        perror("peer");
        abort();
    }
    return fd;
}

/* Wait until fd can be read; false if the peer is to stop first. */
static inline bool peer_readable(struct peer *p, int fd)
{
    while (!atomic_load(&p->stop)) {
        struct pollfd f = {.fd = fd, .events = POLLIN};
        if (poll(&f, 1, 10) > 0)
            return true;
    }
    return false;
}

/* Do nothing for ms milliseconds; false if the peer is to stop or the other
 * side has closed. */
static inline bool peer_idle(struct peer *p, int fd, int ms)
{
    struct timespec t0, t;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    for (;;) {
        char c;
        struct pollfd f = {.fd = fd, .events = POLLIN};
        clock_gettime(CLOCK_MONOTONIC, &t);
        long gone = (t.tv_sec - t0.tv_sec) * 1000 +
                    (t.tv_nsec - t0.tv_nsec) / 1000000;
        if (gone >= ms)
            return true;
        if (atomic_load(&p->stop))
            return false;
        long left = ms - gone < 10 ? ms - gone : 10;
        if (poll(&f, 1, (int)left) > 0 &&
            recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
            return false;
    }
}

/* Read one request whole; false at the connection's end. text (may be NULL)
 * takes it, cut to size. */
static inline bool peer_request(
    struct peer *p, int fd, char *text, size_t size)
{
    char *buf = malloc(PEER_REQUEST);
    size_t len = 0, want = 0;
    bool ok = false;
    while (buf && len < PEER_REQUEST - 1 && peer_readable(p, fd)) {
        ssize_t n = recv(fd, buf + len,
            want ? want - len : PEER_REQUEST - 1 - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
        buf[len] = '\0';
        char *end = strstr(buf, "\r\n\r\n");
        if (!end)
            continue;
        const char *cl = strcasestr(buf, "\r\ncontent-length:");
        size_t head = (size_t)(end + 4 - buf);
        want = head + (cl && cl < end ? strtoul(cl + 17, NULL, 10) : 0);
        if (len >= want) {
            ok = true;
            break;
        }
    }
    if (ok) {
        if (text)
            snprintf(text, size, "%s", buf);
        pthread_mutex_lock(&p->lock);
        memcpy(p->last, buf, len + 1);
        pthread_mutex_unlock(&p->lock);
        atomic_fetch_add(&p->requests, 1);
    }
    free(buf);
    return ok;
}

static inline bool peer_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static inline bool peer_say(int fd, const char *text)
{
    return peer_send(fd, text, strlen(text));
}

/* An answer with a length, as most have it. */
static inline bool peer_answer(
    int fd, const char *status, const char *headers, const char *body)
{
    char head[2048];
    snprintf(head, sizeof head,
        "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n", status, headers,
        strlen(body));
    return peer_say(fd, head) && peer_say(fd, body);
}

static inline void peer_reset(int fd)
{
    struct linger l = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}

static inline void *peer_conn_main(void *ctx)
{
    struct peer_conn *c = ctx;
    c->p->serve(c->p, c->fd);
    close(c->fd);
    free(c);
    return NULL;
}

static inline void *peer_accept_main(void *ctx)
{
    struct peer *p = ctx;
    while (peer_readable(p, p->listen_fd)) {
        int fd = accept4(p->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        atomic_fetch_add(&p->connections, 1);
        struct peer_conn *c = malloc(sizeof *c);
        *c = (struct peer_conn){p, fd};
        if (p->thread_count == PEER_THREADS ||
            pthread_create(&p->threads[p->thread_count], NULL,
                peer_conn_main, c) != 0)
            abort();
        p->thread_count++;
    }
    return NULL;
}

static inline struct peer *peer_start(
    void (*serve)(struct peer *p, int fd), void *arg)
{
    struct peer *p = calloc(1, sizeof *p);
    p->serve = serve;
    p->arg = arg;
    pthread_mutex_init(&p->lock, NULL);
    p->listen_fd = peer_listen(&p->port);
    if (pthread_create(&p->acceptor, NULL, peer_accept_main, p) != 0)
        abort();
    return p;
}

static inline void peer_stop(struct peer *p)
{
    atomic_store(&p->stop, true);
    pthread_join(p->acceptor, NULL);
    for (int i = 0; i < p->thread_count; i++)
        pthread_join(p->threads[i], NULL);
    close(p->listen_fd);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

#endif
