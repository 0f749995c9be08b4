/* The bare rival: the requests of an agent's conversations, made with libcurl
 * and nothing else.
 *
 * What errand adds (a store, tools in processes, checked JSON) is measured as
 * a ratio to this program's figures, taken in the same run against the same
 * endpoint (tests/endpoint). So it must do the same requests with bodies that
 * grow in the same way, and it must not be slow: answers are not parsed, what
 * is needed is found by searching for it, and many conversations at once go
 * through epoll and curl_multi_socket_action. One at a time goes through
 * curl_easy_perform.
 *
 * It prints one JSON object.
 */
#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

struct text {
    char *data;
    size_t len, cap;
};

struct options {
    const char *url, *model;
    long conversations, parallel, rounds, tokens, delay_ms;
    bool stream;
};

struct conversation {
    struct bench *bench;
    CURL *easy;
    struct curl_slist *headers;
    struct text body, answer; /* body: without its tail */
    char url[600];
    long number, calls;
};

struct bench {
    struct options o;
    CURLM *multi;
    int epoll, running;
    long timeout_ms; /* what libcurl asked for; -1 none */
    char model[100];
    const char *tail;
    size_t tail_len;
    long begun, over, failed, requests, rounds, texts;
    unsigned long long bytes_in;
};

static void die(const char *what)
{
    fprintf(stderr, "bench_curl: %s\n", what);
    exit(1);
}

static void add(struct text *t, const char *s, size_t len)
{
    if (t->len + len + 1 > t->cap) {
        t->cap = (t->len + len + 1) * 2;
        t->data = realloc(t->data, t->cap);
        if (!t->data)
            die("out of memory");
    }
    memcpy(t->data + t->len, s, len);
    t->len += len;
    t->data[t->len] = '\0';
}

static void adds(struct text *t, const char *s) { add(t, s, strlen(s)); }

/* --- what a conversation says */

static const char system_text[] =
    "You are a helpful assistant with access to tools.";

static const char tail_tools[] =
    "\"max_tokens\":256,\"temperature\":0.6,\"tools\":[{\"type\":"
    "\"function\",\"function\":{\"name\":\"tick\",\"description\":\"Count "
    "one step\",\"parameters\":{\"type\":\"object\",\"properties\":{\"n\":"
    "{\"type\":\"integer\",\"description\":\"which step\"}},\"required\":"
    "[\"n\"]}}}]}";

static void begin_body(struct conversation *c)
{
    char user[100];
    c->body.len = 0;
    adds(&c->body, "{\"model\":\"");
    adds(&c->body, c->bench->model);
    adds(&c->body, "\",\"messages\":[{\"role\":\"system\",\"content\":\"");
    adds(&c->body, system_text);
    snprintf(user, sizeof user, "\"},{\"role\":\"user\",\"content\":"
        "\"conversation %ld: count the steps\"}", c->number);
    adds(&c->body, user);
}

/* Every "arguments":"…" of the answer, escaped as it came, put together. */
static void add_arguments(struct text *body, const char *answer)
{
    static const char key[] = "\"arguments\":\"";
    const char *at = answer;
    while ((at = strstr(at, key)) != NULL) {
        at += sizeof key - 1;
        const char *end = at;
        while (*end && *end != '"')
            end += *end == '\\' && end[1] ? 2 : 1;
        add(body, at, (size_t)(end - at));
        at = end;
    }
}

/* Find the call's id; grow the body by the call and its result. */
static bool take_call(struct conversation *c)
{
    static const char key[] = "\"id\":\"";
    const char *calls = strstr(c->answer.data, "\"tool_calls\":[");
    const char *id = calls ? strstr(calls, key) : NULL;
    const char *end = id ? strchr(id + sizeof key - 1, '"') : NULL;
    char number[60];
    if (!end)
        return false;
    id += sizeof key - 1;
    adds(&c->body, ",{\"role\":\"assistant\",\"content\":\"\","
                   "\"tool_calls\":[{\"id\":\"");
    add(&c->body, id, (size_t)(end - id));
    adds(&c->body, "\",\"type\":\"function\",\"function\":{\"name\":"
                   "\"tick\",\"arguments\":\"");
    add_arguments(&c->body, calls);
    adds(&c->body, "\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"");
    add(&c->body, id, (size_t)(end - id));
    snprintf(number, sizeof number, "\",\"content\":\"{\\\"n\\\":%ld}\"}",
        ++c->calls);
    adds(&c->body, number);
    return true;
}

static long count(const char *text, const char *key)
{
    long n = 0;
    size_t len = strlen(key);
    while ((text = strstr(text, key)) != NULL) {
        text += len;
        n++;
    }
    return n;
}

/* --- one request */

static size_t on_body(char *bytes, size_t size, size_t n, void *ctx)
{
    struct conversation *c = ctx;
    add(&c->answer, bytes, size * n);
    return size * n;
}

static void prepare(struct conversation *c)
{
    char session[80];
    c->easy = curl_easy_init();
    if (!c->easy)
        die("no handle");
    snprintf(c->url, sizeof c->url, "%s/v1/chat/completions",
        c->bench->o.url);
    snprintf(session, sizeof session, "x-session-affinity: bench-%ld",
        c->number);
    c->headers = curl_slist_append(NULL, "Content-Type: application/json");
    c->headers = curl_slist_append(c->headers, "Authorization: Bearer k");
    c->headers = curl_slist_append(c->headers, "Expect:");
    c->headers = curl_slist_append(c->headers, session);
    curl_easy_setopt(c->easy, CURLOPT_URL, c->url);
    curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
    curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
    curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
}

/* The tail stands behind the messages while the request is under way. */
static void ready(struct conversation *c)
{
    add(&c->body, c->bench->tail, c->bench->tail_len);
    c->answer.len = 0;
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, c->body.data);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE, (long)c->body.len);
    c->bench->requests++;
}

/* Read the answer; true if the conversation goes on. */
static bool digest(struct conversation *c, CURLcode rc)
{
    struct bench *b = c->bench;
    long status = 0;
    c->body.len -= b->tail_len;
    b->bytes_in += c->answer.len;
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK || status != 200 || c->answer.len == 0) {
        b->failed++;
        return false;
    }
    if (strstr(c->answer.data, "\"finish_reason\":\"tool_calls\"")) {
        b->rounds++;
        if (take_call(c))
            return true;
        b->failed++;
        return false;
    }
    b->texts += count(c->answer.data, "\"content\":\"");
    if (!strstr(c->answer.data, "\"finish_reason\":\"stop\""))
        b->failed++;
    return false;
}

static void dispose(struct conversation *c)
{
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->headers);
    free(c->body.data);
    free(c->answer.data);
}

/* --- one after the other */

static void run_in_sequence(struct bench *b)
{
    struct conversation c = {.bench = b};
    prepare(&c);
    for (c.number = 0; c.number < b->o.conversations; c.number++) {
        CURLcode rc;
        c.calls = 0;
        begin_body(&c);
        do {
            ready(&c);
            rc = curl_easy_perform(c.easy);
        } while (digest(&c, rc));
        b->over++;
    }
    dispose(&c);
}

/* --- many at once */

static int on_socket(
    CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    struct bench *b = ctx;
    struct epoll_event ev = {.data.fd = fd};
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(b->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (what & CURL_POLL_IN)
        ev.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        ev.events |= EPOLLOUT;
    epoll_ctl(b->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev);
    curl_multi_assign(b->multi, fd, b);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    (void)multi;
    ((struct bench *)ctx)->timeout_ms = timeout_ms;
    return 0;
}

static void begin_next(struct bench *b, struct conversation *c)
{
    if (b->begun == b->o.conversations)
        return;
    c->number = b->begun++;
    c->calls = 0;
    begin_body(c);
    ready(c);
    curl_multi_add_handle(b->multi, c->easy);
}

static void collect(struct bench *b)
{
    CURLMsg *msg;
    int left;
    while ((msg = curl_multi_info_read(b->multi, &left)) != NULL) {
        struct conversation *c;
        CURLcode rc = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &c);
        curl_multi_remove_handle(b->multi, c->easy);
        if (digest(c, rc)) {
            ready(c);
            curl_multi_add_handle(b->multi, c->easy);
        } else {
            b->over++;
            begin_next(b, c);
        }
    }
}

static void turn(struct bench *b)
{
    struct epoll_event ready_now[256];
    int wait = b->timeout_ms < 0 ? 1000 : (int)b->timeout_ms;
    int n = epoll_wait(b->epoll, ready_now, 256, wait);
    if (n < 0 && errno != EINTR)
        die("epoll failed");
    if (n <= 0) {
        b->timeout_ms = -1;
        curl_multi_socket_action(
            b->multi, CURL_SOCKET_TIMEOUT, 0, &b->running);
    }
    for (int i = 0; i < n; i++) {
        unsigned ev = ready_now[i].events;
        int what = (ev & EPOLLIN ? CURL_CSELECT_IN : 0) |
                   (ev & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (ev & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(
            b->multi, ready_now[i].data.fd, what, &b->running);
    }
    if (n > 0 && b->timeout_ms == 0) {
        b->timeout_ms = -1;
        curl_multi_socket_action(
            b->multi, CURL_SOCKET_TIMEOUT, 0, &b->running);
    }
    collect(b);
}

static void run_at_once(struct bench *b)
{
    size_t n = (size_t)b->o.parallel;
    struct conversation *all = calloc(n, sizeof *all);
    b->multi = curl_multi_init();
    b->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!all || !b->multi || b->epoll < 0)
        die("cannot set up");
    curl_multi_setopt(b->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(b->multi, CURLMOPT_SOCKETDATA, b);
    curl_multi_setopt(b->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(b->multi, CURLMOPT_TIMERDATA, b);
    curl_multi_setopt(b->multi, CURLMOPT_MAXCONNECTS, b->o.parallel);
    for (size_t i = 0; i < n; i++) {
        all[i].bench = b;
        all[i].number = (long)i;
        prepare(&all[i]);
        begin_next(b, &all[i]);
    }
    while (b->over < b->o.conversations)
        turn(b);
    for (size_t i = 0; i < n; i++)
        dispose(&all[i]);
    curl_multi_cleanup(b->multi);
    free(all);
}

/* --- the program */

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms_of(struct timeval t)
{
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static void print(const struct bench *b, double wall)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    printf("{\"wall_ms\":%.2f,\"user_ms\":%.2f,\"sys_ms\":%.2f,"
           "\"cpu_ms\":%.2f,\"peak_rss_kib\":%ld,\"conversations\":%ld,"
           "\"rounds\":%ld,\"requests\":%ld,\"rounds_per_s\":%.0f,"
           "\"texts\":%ld,\"bytes_in\":%llu,\"failed\":%ld}\n",
        wall, ms_of(u.ru_utime), ms_of(u.ru_stime),
        ms_of(u.ru_utime) + ms_of(u.ru_stime), u.ru_maxrss, b->over,
        b->rounds, b->requests, (double)b->rounds / wall * 1e3, b->texts,
        b->bytes_in, b->failed);
}

static const char usage[] =
    "usage: bench_curl --url URL [--conversations N] [--parallel N]\n"
    "                  [--rounds N] [--tokens N] [--delay MS] [--stream]\n"
    "                  [--model NAME]\n"
    "With --rounds 0 the endpoint answers a text of --tokens tokens.\n";

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option table[] = {
        {"url", required_argument, NULL, 'u'},
        {"conversations", required_argument, NULL, 'c'},
        {"parallel", required_argument, NULL, 'p'},
        {"rounds", required_argument, NULL, 'r'},
        {"tokens", required_argument, NULL, 't'},
        {"delay", required_argument, NULL, 'd'},
        {"model", required_argument, NULL, 'm'},
        {"stream", no_argument, NULL, 's'}, {NULL, 0, NULL, 0}};
    int c;
    while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (c) {
        case 'u': o->url = optarg; break;
        case 'c': o->conversations = strtol(optarg, NULL, 10); break;
        case 'p': o->parallel = strtol(optarg, NULL, 10); break;
        case 'r': o->rounds = strtol(optarg, NULL, 10); break;
        case 't': o->tokens = strtol(optarg, NULL, 10); break;
        case 'd': o->delay_ms = strtol(optarg, NULL, 10); break;
        case 'm': o->model = optarg; break;
        case 's': o->stream = true; break;
        default: return false;
        }
    }
    return optind == argc && o->url && o->conversations > 0 &&
           o->parallel > 0 && o->rounds >= 0 && o->tokens > 0;
}

static void name_model(struct bench *b)
{
    const struct options *o = &b->o;
    char delay[40] = "";
    if (o->delay_ms > 0)
        snprintf(delay, sizeof delay, "-delay-%ld", o->delay_ms);
    if (o->model)
        snprintf(b->model, sizeof b->model, "%s", o->model);
    else if (o->rounds > 0)
        snprintf(b->model, sizeof b->model, "rounds-%ld%s", o->rounds, delay);
    else
        snprintf(b->model, sizeof b->model, "text-%ld%s", o->tokens, delay);
}

int main(int argc, char **argv)
{
    struct bench b = {.timeout_ms = -1, .o = {.conversations = 1,
        .parallel = 1, .rounds = 8, .tokens = 100}};
    struct text tail = {0};
    if (!read_options(argc, argv, &b.o)) {
        fputs(usage, stderr);
        return 2;
    }
    double began = now_ms();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    name_model(&b);
    adds(&tail, b.o.stream ? "],\"stream\":true,\"stream_options\":"
        "{\"include_usage\":true}," : "],");
    adds(&tail, tail_tools);
    b.tail = tail.data;
    b.tail_len = tail.len;
    if (b.o.parallel > b.o.conversations)
        b.o.parallel = b.o.conversations;
    if (b.o.parallel == 1)
        run_in_sequence(&b);
    else
        run_at_once(&b);
    print(&b, now_ms() - began);
    free(tail.data);
    curl_global_cleanup();
    return b.failed ? 1 : 0;
}
