/* Which sockets are watched, and for what.
 *
 * libcurl stops watching a connection after each answer and starts again
 * with the next request. Following it to the letter would cost two system
 * calls per request, so a watch for reading stays until the socket is closed
 * or has something to say that nobody asked for. That needs to know when a
 * descriptor is closed, which libcurl tells only of sockets opened through
 * our own function; all others (its resolver's) are followed to the letter.
 */
#include "base/http_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct er_http_socket {
    struct event ev;
    struct er_http_sockets *all;
    int fd;
    short wanted, armed; /* EV_READ | EV_WRITE */
    bool ours;           /* opened by us: we hear of its end */
};

static struct er_http_socket *find(struct er_http_sockets *s, int fd)
{
    return fd >= 0 && (size_t)fd < s->fd_count ? s->by_fd[fd] : NULL;
}

static bool make_room(struct er_http_sockets *s, size_t fd)
{
    if (fd < s->fd_count)
        return true;
    size_t count = s->fd_count ? s->fd_count : 64;
    while (count <= fd)
        count *= 2;
    struct er_http_socket **grown =
        realloc(s->by_fd, count * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + s->fd_count, 0, (count - s->fd_count) * sizeof *grown);
    s->by_fd = grown;
    s->fd_count = count;
    return true;
}

static struct er_http_socket *add(
    struct er_http_sockets *s, int fd, bool ours)
{
    if (fd < 0 || !make_room(s, (size_t)fd))
        return NULL;
    struct er_http_socket *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->all = s;
    k->fd = fd;
    k->ours = ours;
    s->by_fd[fd] = k;
    return k;
}

static void drop(struct er_http_socket *k)
{
    if (k->armed)
        event_del(&k->ev);
    k->all->by_fd[k->fd] = NULL;
    free(k);
}

static void on_ready(evutil_socket_t fd, short what, void *ctx);

static bool arm(struct er_http_socket *k, short what)
{
    if (k->armed)
        event_del(&k->ev);
    k->armed = 0;
    if (!what)
        return true;
    event_assign(&k->ev, k->all->base, k->fd, (short)(what | EV_PERSIST),
        on_ready, k);
    if (event_add(&k->ev, NULL) != 0)
        return false;
    k->armed = what;
    return true;
}

static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
    struct er_http_socket *k = ctx;
    if (what & ~k->wanted)
        arm(k, k->wanted);
    what &= k->wanted;
    int flags = 0;
    if (what & EV_READ)
        flags |= CURL_CSELECT_IN;
    if (what & EV_WRITE)
        flags |= CURL_CSELECT_OUT;
    if (flags) /* k may be gone when this returns */
        k->all->act(k->all->ctx, fd, flags);
}

static short wanted_of(int what)
{
    switch (what) {
    case CURL_POLL_IN:
        return EV_READ;
    case CURL_POLL_OUT:
        return EV_WRITE;
    case CURL_POLL_INOUT:
        return EV_READ | EV_WRITE;
    default:
        return 0;
    }
}

static int on_watch(
    CURL *easy, curl_socket_t fd, int what, void *ctx, void *unused)
{
    struct er_http_sockets *s = ctx;
    struct er_http_socket *k = find(s, fd);
    (void)easy;
    (void)unused;
    if (!k && what == CURL_POLL_REMOVE)
        return 0;
    if (!k)
        k = add(s, fd, false);
    if (!k)
        return -1;
    k->wanted = wanted_of(what);
    if (what == CURL_POLL_REMOVE && !k->ours) {
        drop(k);
        return 0;
    }
    short missing = (short)(k->wanted & ~k->armed);
    short spinning = (short)(k->armed & ~k->wanted & EV_WRITE);
    if (missing || spinning)
        return arm(k, k->wanted) ? 0 : -1;
    return 0;
}

curl_socket_t er_http_sockets_open(
    struct er_http_sockets *s, const struct curl_sockaddr *addr)
{
    int fd = socket(
        addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    struct er_http_socket *k = find(s, fd);
    if (k) /* was closed behind our back */
        drop(k);
    if (!add(s, fd, true)) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    return fd;
}

static curl_socket_t on_open(
    void *ctx, curlsocktype purpose, struct curl_sockaddr *addr)
{
    (void)purpose;
    return er_http_sockets_open(ctx, addr);
}

static int on_close(void *ctx, curl_socket_t fd)
{
    struct er_http_socket *k = find(ctx, fd);
    if (k)
        drop(k);
    return close(fd);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct er_http_sockets *s = ctx;
    (void)fd;
    (void)what;
    s->act(s->ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_set(CURLM *multi, long ms, void *ctx)
{
    struct er_http_sockets *s = ctx;
    (void)multi;
    if (ms < 0)
        return event_del(&s->timer);
    if (ms == 0 && s->adding) {
        event_active(&s->timer, EV_TIMEOUT, 1);
        return 0;
    }
    struct timeval tv = {ms / 1000, (ms % 1000) * 1000};
    return event_add(&s->timer, &tv);
}

void er_http_sockets_init(
    struct er_http_sockets *s, struct er_loop *loop, CURLM *multi)
{
    s->base = er_loop_base(loop);
    s->multi = multi;
    event_assign(&s->timer, s->base, -1, 0, on_timer, s);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, s);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_set);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, s);
}

/* A transfer that is added asks for a timeout of 0. Made active at once, it
 * spares the loop a look at its descriptors; what libcurl asks for while it
 * runs waits for one, so that no transfer starves the others. */
CURLMcode er_http_sockets_add(struct er_http_sockets *s, CURL *easy)
{
    s->adding = true;
    CURLMcode mc = curl_multi_add_handle(s->multi, easy);
    s->adding = false;
    return mc;
}

void er_http_sockets_release(struct er_http_sockets *s)
{
    if (s->base)
        event_del(&s->timer);
    for (size_t i = 0; i < s->fd_count; i++) {
        if (s->by_fd[i])
            drop(s->by_fd[i]);
    }
    free(s->by_fd);
    *s = (struct er_http_sockets){0};
}

void er_http_sockets_use(struct er_http_sockets *s, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, s);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, s);
}
