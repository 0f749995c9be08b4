/* What a tool in C costs beside its own work: a call there and back through
 * its warm worker, 2,000 calls a second for a while with the memory before
 * and after, the same call in this process, and where the time of one goes.
 *
 *     bench_plugins [CALLS]      20000 calls, one after the other
 */
#include "base/frame.h"
#include "base/plugin_call.h"
#include "support/children.h"
#include "tool/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STARTS = 50, RATE = 2000, SECONDS = 10 };

struct bench {
    char plugin[4096], worker[4096];
    struct er_loop *loop;
    er_tools *tools;
    json_t *args;
    size_t left; /* calls not done */
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_plugins: %s\n", what);
    exit(1);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_times(const char *what, double *us, size_t n)
{
    qsort(us, n, sizeof *us, by_value);
    printf("%-34s p50 %7.1f us   p90 %7.1f   p99 %7.1f   (%zu)\n", what,
        us[n / 2], us[n * 9 / 10], us[n * 99 / 100], n);
}

static void open_tools(struct bench *b, bool inproc)
{
    struct errand_error err = {0};
    struct er_plugin_wish wish = {.path = b->plugin, .inproc = inproc};
    b->tools = er_tools_new(b->loop, b->worker, 0, NULL, &err);
    if (!b->tools ||
        er_tools_load_plugin(b->tools, &wish, &err) != ERRAND_OK)
        die(err.msg);
}

static void on_done(void *ctx, const struct er_tool_outcome *o)
{
    struct bench *b = ctx;
    if (o->status != ER_TOOL_OK || strncmp(o->text, "{\"words\":2,", 11) != 0)
        die(o->text);
    if (--b->left == 0)
        er_loop_stop(b->loop);
}

static void start_call(struct bench *b)
{
    struct er_tool_request req = {
        .tool = er_tools_find(b->tools, "word_count"),
        .arguments = b->args,
        .idem_key = "0123456789abcdef0123456789abcdef",
        .attempt = 1};
    if (er_tools_call(b->tools, &req, on_done, b, NULL, NULL) != ERRAND_OK)
        die("er_tools_call");
}

static void call(struct bench *b)
{
    b->left = 1;
    start_call(b);
    er_loop_run(b->loop, -1);
}

static void time_calls(struct bench *b, const char *what, double *us,
    size_t n, useconds_t pause)
{
    for (size_t i = 0; i < n; i++) {
        double from = now_us();
        call(b);
        us[i] = now_us() - from;
        if (pause)
            usleep(pause);
    }
    print_times(what, us, n);
}

/* Private memory of a process, from the kernel's own sums. */
static long private_kib(long pid)
{
    char path[64], line[256];
    long kib, sum = 0;
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", pid);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Private_Clean: %ld", &kib) == 1 ||
            sscanf(line, "Private_Dirty: %ld", &kib) == 1)
            sum += kib;
    if (f)
        fclose(f);
    return sum;
}

static long worker_pid(void)
{
    pid_t pids[8];
    int n = our_children(pids, 8);
    return n > 0 ? (long)pids[n - 1] : 0;
}

static void hold_rate(struct bench *b)
{
    long worker = worker_pid();
    long ours = 0, its = 0; /* once everything is warm */
    double begun = now_us();
    size_t n = 0, late = 0;
    while (n < (size_t)RATE * SECONDS) {
        if (n == (size_t)RATE) {
            ours = private_kib((long)getpid());
            its = private_kib(worker);
        }
        double due = begun + (double)n * 1e6 / RATE;
        double early = due - now_us();
        if (early > 0)
            usleep((useconds_t)early);
        late += early < -1e6 / RATE;
        call(b);
        n++;
    }
    double s = (now_us() - begun) / 1e6;
    printf("%-34s %7.0f calls/s for %.1f s, %zu late; private memory %+ld "
           "KiB here, %+ld KiB in the worker\n",
        "2,000 calls a second", (double)n / s, s, late,
        private_kib((long)getpid()) - ours, private_kib(worker) - its);
}

static void time_parts(struct bench *b, double *us, size_t n)
{
    static const char request[] =
        "{\"id\":12345,\"op\":\"call\",\"path\":\"build/plugins/template.so\","
        "\"version\":\"0123456789abcdef\",\"tool\":\"word_count\",\"attempt\":"
        "1,\"timeout_ms\":30000,\"key\":\"0123456789abcdef0123456789abcdef\","
        "\"arguments\":{\"text\":\"hello world\"}}";
    for (size_t i = 0; i < n; i++) {
        double from = now_us();
        json_decref(er_json_parse(
            request, sizeof request - 1, ER_JSON_STRICT, NULL));
        us[i] = now_us() - from;
    }
    print_times("  of it: parsing the request", us, n);
    for (size_t i = 0; i < n; i++) {
        struct er_plugin_call c;
        double from = now_us();
        if (!er_plugin_call_init(&c, b->args, "key", 1, 30000))
            die("out of memory");
        c.shown.host->text(&c.shown, "/text", NULL);
        c.shown.host->reply(&c.shown, "{\"words\":2}", 11);
        er_plugin_call_release(&c);
        us[i] = now_us() - from;
    }
    print_times("  of it: making and answering a call", us, n);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    const char *build = getenv("ERRAND_BUILD");
    struct bench b = {.args = json_pack("{s:s}", "text", "hello world")};
    double *us = calloc(n > STARTS ? n : STARTS, sizeof *us);
    build = build ? build : "build";
    snprintf(b.worker, sizeof b.worker, "%s/errand-worker", build);
    snprintf(b.plugin, sizeof b.plugin, "%s/plugins/template.so", build);
    b.loop = er_loop_new(NULL);
    if (!us || !b.loop || n == 0)
        die("usage: bench_plugins [CALLS]");
    for (size_t i = 0; i < STARTS; i++) {
        double from = now_us();
        open_tools(&b, false);
        call(&b);
        us[i] = now_us() - from;
        er_tools_free(b.tools);
    }
    print_times("load, and a first call", us, STARTS);
    open_tools(&b, false);
    time_calls(&b, "a call, one after another", us, n, 0);
    time_calls(&b, "a call, 1 ms apart", us, n < 2000 ? n : 2000, 1000);
    time_parts(&b, us, n);
    hold_rate(&b);
    er_tools_free(b.tools);
    open_tools(&b, true);
    time_calls(&b, "the same in this process", us, n, 0);
    er_tools_free(b.tools);
    er_loop_free(b.loop);
    json_decref(b.args);
    free(us);
    return 0;
}
