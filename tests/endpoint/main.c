/* The program: options, the listening socket, and when to end. */
#define _GNU_SOURCE /* accept4, memmem, strcasestr */
#include "endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct options {
    long port, seconds;
    bool until_eof, count, fast;
    const char *script, *log, *log_heads, *key, *hub;
};

static const char usage[] =
    "usage: endpoint [--port N] [--seconds N] [--until-eof] [--count]\n"
    "                [--fast] [--script FILE.jsonl] [--log FILE]\n"
    "                [--log-heads FILE] [--key KEY] [--hub FOLDER]\n"
    "see tests/endpoint/README.md\n";

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option table[] = {
        {"port", required_argument, NULL, 'p'},
        {"seconds", required_argument, NULL, 's'},
        {"until-eof", no_argument, NULL, 'e'},
        {"fast", no_argument, NULL, 'q'},
        {"count", no_argument, NULL, 'c'},
        {"script", required_argument, NULL, 'f'},
        {"log", required_argument, NULL, 'l'},
        {"log-heads", required_argument, NULL, 'h'},
        {"key", required_argument, NULL, 'k'},
        {"hub", required_argument, NULL, 'u'}, {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (c) {
        case 'p': o->port = strtol(optarg, NULL, 10); break;
        case 's': o->seconds = strtol(optarg, NULL, 10); break;
        case 'e': o->until_eof = true; break;
        case 'c': o->count = true; break;
        case 'q': o->fast = true; break;
        case 'f': o->script = optarg; break;
        case 'l': o->log = optarg; break;
        case 'h': o->log_heads = optarg; break;
        case 'k': o->key = optarg; break;
        case 'u': o->hub = optarg; break;
        default: return false;
        }
    }
    return optind == argc && o->port >= 0 && o->port < 65536;
}

static int listen_on(long port, unsigned *bound)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int on = 1;
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(fd, 4096) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
        close(fd);
        return -1;
    }
    *bound = ntohs(a.sin_port);
    return fd;
}

static void on_connection(int fd, short what, void *ctx)
{
    int on = 1, peer;
    (void)what;
    while ((peer = accept4(
                fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ep_accept(ctx, peer);
    }
}

static void on_stop(int fd, short what, void *ctx)
{
    (void)fd, (void)what;
    event_base_loopbreak(ctx);
}

static void on_stdin(int fd, short what, void *ctx)
{
    char piece[4096];
    (void)what;
    ssize_t n = read(fd, piece, sizeof piece);
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        event_base_loopbreak(ctx);
}

/* What epoll cannot watch is a file or /dev/null: at its end already. */
static bool watch_stdin(struct event_base *base, struct event **ev)
{
    *ev = event_new(base, 0, EV_READ | EV_PERSIST, on_stdin, base);
    return *ev && event_add(*ev, NULL) == 0;
}

static bool serve(struct ep_server *s, const struct options *o, int fd)
{
    struct timeval limit = {.tv_sec = o->seconds};
    struct event *eof = NULL;
    struct event *door =
        event_new(s->base, fd, EV_READ | EV_PERSIST, on_connection, s);
    struct event *term = evsignal_new(s->base, SIGTERM, on_stop, s->base);
    struct event *intr = evsignal_new(s->base, SIGINT, on_stop, s->base);
    struct event *over = evtimer_new(s->base, on_stop, s->base);
    bool ok = door && term && intr && over && !event_add(door, NULL) &&
              !event_add(term, NULL) && !event_add(intr, NULL);
    if (ok && o->seconds > 0)
        event_add(over, &limit);
    if (ok && (!o->until_eof || watch_stdin(s->base, &eof)))
        event_base_dispatch(s->base);
    ep_close_all(s);
    struct event *events[] = {door, term, intr, over, eof};
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        if (events[i])
            event_free(events[i]);
    return ok;
}

static void print_totals(const struct ep_totals *t)
{
    printf("{\"requests\":%lu,\"rejected\":%lu,\"connections\":%lu,"
           "\"max_open\":%lu,\"bytes_in\":%llu,\"bytes_out\":%llu}\n",
        t->requests, t->rejected, t->connections, t->max_open, t->bytes_in,
        t->bytes_out);
}

static void raise_limit(void)
{
    struct rlimit lim;
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        setrlimit(RLIMIT_NOFILE, &lim);
    }
}

static FILE *open_log(const char *path, bool *ok)
{
    FILE *f = path ? fopen(path, "ae") : NULL;
    if (path && !f) {
        fprintf(stderr, "endpoint: cannot open '%s': %s\n", path,
            strerror(errno));
        *ok = false;
    }
    return f;
}

static bool prepare(struct ep_server *s, const struct options *o)
{
    struct errand_error err = {0};
    bool ok = true;
    s->base = event_base_new();
    s->attempts = json_object();
    s->key = o->key;
    s->hub = o->hub;
    s->fast = o->fast;
    s->log = open_log(o->log, &ok);
    s->log_heads = open_log(o->log_heads, &ok);
    if (o->script) {
        s->script = ep_script_open(o->script, &err);
        if (!s->script) {
            fprintf(stderr, "endpoint: %s\n", err.msg);
            ok = false;
        }
    }
    return ok && s->base && s->attempts;
}

static void dispose(struct ep_server *s)
{
    if (s->log)
        fclose(s->log);
    if (s->log_heads)
        fclose(s->log_heads);
    ep_script_free(s->script);
    json_decref(s->attempts);
    if (s->base)
        event_base_free(s->base);
}

int main(int argc, char **argv)
{
    struct options o = {0};
    struct ep_server s = {0};
    unsigned port = 0;
    if (!read_options(argc, argv, &o)) {
        fputs(usage, stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    raise_limit();
    ep_pool_install();
    bool ok = prepare(&s, &o);
    int fd = ok ? listen_on(o.port, &port) : -1;
    if (ok && fd < 0)
        fprintf(stderr, "endpoint: cannot listen on port %ld: %s\n", o.port,
            strerror(errno));
    if (fd >= 0) {
        printf("port %u\n", port);
        fflush(stdout);
        ok = serve(&s, &o, fd);
        close(fd);
        if (o.count)
            print_totals(&s.totals);
    }
    dispose(&s);
    return ok && fd >= 0 ? 0 : 1;
}
