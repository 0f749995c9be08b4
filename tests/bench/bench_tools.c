/* What a Lua tool costs beside its own work: from the start of a worker to
 * its first description, a call there and back with a fresh state, calls in
 * line over the workers, a worker's private memory, and whether that grows
 * under a steady load.
 *
 *     bench_tools [CALLS [SECONDS]]    5000 calls, one after the other; then
 *                                      2000 a second for 10 seconds
 */
#include "base/buf.h"
#include "support/children.h"
#include "tool/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STARTS = 100, WORKERS = 4, RATE = 2000, WARM_UP_S = 2 };

struct bench {
    char dir[64], file[96], worker[4096];
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
    fprintf(stderr, "bench_tools: %s\n", what);
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
    printf("%-26s p50 %7.1f us   p90 %7.1f   p99 %7.1f   (%zu)\n", what,
        us[n / 2], us[n * 9 / 10], us[n * 99 / 100], n);
}

static void open_tools(struct bench *b, int workers)
{
    struct errand_error err = {0};
    b->tools = er_tools_new(b->loop, b->worker, workers, NULL, &err);
    if (!b->tools ||
        er_tools_load_dir(b->tools, b->dir, NULL, &err) != ERRAND_OK)
        die(err.msg);
}

static void write_tool(struct bench *b)
{
    static const char text[] =
        "return {\n"
        "  name = 'count', description = 'Count words',\n"
        "  parameters = { type = 'object', properties = {\n"
        "    text = { type = 'string', description = 'the text' } } },\n"
        "  effect = 'pure',\n"
        "  run = function(args)\n"
        "    local n = 0\n"
        "    for _ in args.text:gmatch('%S+') do n = n + 1 end\n"
        "    return { words = n }\n"
        "  end,\n"
        "}\n";
    snprintf(b->dir, sizeof b->dir, "/tmp/errand-bench-XXXXXX");
    if (!mkdtemp(b->dir))
        die("cannot make a folder");
    snprintf(b->file, sizeof b->file, "%s/count.lua", b->dir);
    FILE *f = fopen(b->file, "w");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        die("cannot write the tool");
}

static void on_done(void *ctx, const struct er_tool_outcome *o)
{
    struct bench *b = ctx;
    if (o->status != ER_TOOL_OK || strcmp(o->text, "{\"words\":2}") != 0)
        die(o->text);
    if (--b->left == 0)
        er_loop_stop(b->loop);
}

static void start_call(struct bench *b)
{
    struct er_tool_request req = {.tool = er_tools_find(b->tools, "count"),
        .arguments = b->args,
        .idem_key = "0123456789abcdef0123456789abcdef",
        .attempt = 1};
    if (er_tools_call(b->tools, &req, on_done, b, NULL, NULL) != ERRAND_OK)
        die("er_tools_call");
}

static void time_calls(struct bench *b, const char *what, double *us,
    size_t n, useconds_t pause)
{
    for (size_t i = 0; i < n; i++) {
        double from = now_us();
        b->left = 1;
        start_call(b);
        er_loop_run(b->loop, -1);
        us[i] = now_us() - from;
        if (pause)
            usleep(pause);
    }
    print_times(what, us, n);
}

static void time_line(struct bench *b, size_t n)
{
    double from = now_us();
    b->left = n;
    for (size_t i = 0; i < n; i++)
        start_call(b);
    er_loop_run(b->loop, -1);
    double us = now_us() - from;
    printf("%-26s %7.0f calls/s over %d workers (%zu)\n",
        "in line, all at once", (double)n * 1e6 / us, WORKERS, n);
}

/* Private memory of our children in KiB, from the kernel's own sums; *n is
 * how many they are. */
static long read_memory(int *n)
{
    char path[64], line[256];
    pid_t pids[16];
    long kib, sum = 0;
    *n = our_children(pids, 16);
    for (int i = 0; i < *n; i++) {
        snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)pids[i]);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof line, f))
            if (sscanf(line, "Private_Clean: %ld", &kib) == 1 ||
                sscanf(line, "Private_Dirty: %ld", &kib) == 1)
                sum += kib;
        if (f)
            fclose(f);
    }
    return sum;
}

static void print_memory(void)
{
    int n;
    long sum = read_memory(&n);
    if (n)
        printf("%-26s %7ld KiB private each\n", "memory of a worker",
            sum / n);
}

/* RATE calls a second, each on its time: how many were late, and what the
 * workers hold once they are warm and at the end. */
static void time_steady(struct bench *b, size_t seconds)
{
    size_t n = seconds * RATE, late = 0;
    long warm = 0;
    int workers;
    double from = now_us();
    b->left = n;
    for (size_t i = 0; i < n; i++) {
        double due = from + (double)i * 1e6 / RATE;
        if (i == WARM_UP_S * RATE)
            warm = read_memory(&workers);
        while (now_us() < due)
            er_loop_run(b->loop, 0);
        late += now_us() - due > 1000.0;
        start_call(b);
    }
    er_loop_run(b->loop, -1);
    double us = now_us() - from;
    long end = read_memory(&workers);
    printf("%-26s %7.0f calls/s for %zu s; %zu started over 1 ms late\n",
        "steady", (double)n * 1e6 / us, seconds, late);
    printf("%-26s %7ld KiB after %d s, %ld KiB at the end, %d workers\n",
        "  their memory", warm, WARM_UP_S, end, workers);
}

int main(int argc, char **argv)
{
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 5000;
    size_t seconds = argc > 2 ? strtoul(argv[2], NULL, 10) : 10;
    const char *build = getenv("ERRAND_BUILD");
    struct bench b = {.args = json_pack("{s:s}", "text", "hello world")};
    double *us = calloc(n > STARTS ? n : STARTS, sizeof *us);
    snprintf(b.worker, sizeof b.worker, "%s/errand-worker",
        build ? build : "build");
    b.loop = er_loop_new(NULL);
    if (!us || !b.loop || n == 0)
        die("usage: bench_tools [CALLS [SECONDS]]");
    write_tool(&b);
    for (size_t i = 0; i < STARTS; i++) {
        double from = now_us();
        open_tools(&b, 1);
        us[i] = now_us() - from;
        er_tools_free(b.tools);
    }
    print_times("start and describe", us, STARTS);
    open_tools(&b, WORKERS);
    time_calls(&b, "a call, one after another", us, n, 0);
    time_calls(&b, "a call, 1 ms apart", us, n < 1000 ? n : 1000, 1000);
    time_line(&b, n);
    print_memory();
    if (seconds > WARM_UP_S)
        time_steady(&b, seconds);
    er_tools_free(b.tools);
    er_loop_free(b.loop);
    json_decref(b.args);
    free(us);
    unlink(b.file);
    rmdir(b.dir);
    return 0;
}
