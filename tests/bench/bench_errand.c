/* errand's side of the side-by-side runs: conversations through the public
 * header, with one pure Lua tool in a worker, stored durably.
 *
 * bench_errand --url URL --model NAME [--conversations N] [--parallel N]
 *              [--store FILE] [--sync full|normal] [--tools-dir DIR]
 *
 * Starts up to --parallel conversations at once and prints one line of JSON:
 * wall and CPU seconds (workers included), peak memory, rounds a second. */
#include <errand/errand.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct bench {
    errand *rt;
    char model[128];
    long conversations, parallel, started, done, failed, calls, turns;
    size_t text_bytes;
    int tools;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(int who)
{
    struct rusage u;
    getrusage(who, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6 +
           (double)u.ru_stime.tv_sec + (double)u.ru_stime.tv_usec / 1e6;
}

static void start_one(struct bench *b);

static void on_event(void *user, const struct errand_event *ev)
{
    struct bench *b = user;
    switch (ev->type) {
    case ERRAND_EV_TEXT:
        b->text_bytes += ev->text_len;
        break;
    case ERRAND_EV_RESULT:
        b->calls++;
        break;
    case ERRAND_EV_USAGE:
        b->turns++;
        break;
    case ERRAND_EV_PAUSED:
    case ERRAND_EV_FAILED:
        fprintf(stderr, "%s\n", ev->text);
        b->failed++;
        b->done++;
        break;
    case ERRAND_EV_DONE:
        b->done++;
        break;
    default:
        return;
    }
    if (ev->type == ERRAND_EV_DONE && b->started < b->conversations)
        start_one(b);
}

static void start_one(struct bench *b)
{
    static const char *const all[] = {"tick", NULL};
    struct errand_error err = {0};
    struct errand_request req = {.size = sizeof req,
        .prompt = "count the steps", .model = b->model,
        .tools = b->tools ? all : NULL, .on_event = on_event, .user = b,
        .budgets = "{\"max_turns\":0,\"max_calls\":0}",
        .params = "{\"max_tokens\":100000}"};
    b->started++;
    if (errand_start(b->rt, &req, NULL, &err) != ERRAND_OK) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
}

static const char *option(int argc, char **argv, const char *name,
    const char *fallback)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return fallback;
}

static void print(const struct bench *b, double wall)
{
    struct rusage self;
    getrusage(RUSAGE_SELF, &self);
    printf("{\"wall_ms\":%.3f,\"cpu_ms\":%.3f,\"peak_rss_kib\":%ld,"
           "\"conversations\":%ld,\"calls\":%ld,\"turns\":%ld,"
           "\"rounds_per_s\":%.1f,\"text_bytes\":%zu,\"failed\":%ld}\n",
        wall * 1e3, (cpu(RUSAGE_SELF) + cpu(RUSAGE_CHILDREN)) * 1e3,
        self.ru_maxrss,
        b->done, b->calls, b->turns, (double)b->calls / wall, b->text_bytes,
        b->failed);
}

int main(int argc, char **argv)
{
    struct bench b = {.parallel = 1};
    struct errand_error err = {0};
    char store[64] = "/tmp/errand-bench-XXXXXX", db[96];
    const char *dirs[] = {option(argc, argv, "--tools-dir",
                              "tests/bench/tools"), NULL};
    b.conversations = atol(option(argc, argv, "--conversations", "1"));
    b.parallel = atol(option(argc, argv, "--parallel", "1"));
    const char *model = option(argc, argv, "--model", "rounds-8");
    b.tools = strncmp(model, "text", 4) != 0;
    snprintf(b.model, sizeof b.model, "openai:%s", model);
    setenv("OPENAI_BASE_URL", option(argc, argv, "--url", ""), 1);
    setenv("OPENAI_API_KEY", "bench", 0);
    if (!mkdtemp(store))
        return 1;
    snprintf(db, sizeof db, "%s/e.db", store);
    double began = now();
    struct errand_options opt = {.size = sizeof opt,
        .store_path = option(argc, argv, "--store", db),
        .config_path = "", .tools_dirs = dirs,
        .sync = strcmp(option(argc, argv, "--sync", "full"), "full") == 0
            ? ERRAND_SYNC_FULL : ERRAND_SYNC_NORMAL};
    if (errand_open(&opt, &b.rt, &err) != ERRAND_OK) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    while (b.started < b.conversations && b.started < b.parallel)
        start_one(&b);
    while (b.done < b.conversations)
        if (errand_drive(b.rt, -1, &err) != ERRAND_OK)
            return 1;
    errand_close(b.rt);
    print(&b, now() - began);
    char cmd[4][128];
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    for (int i = 0; i < 4; i++) {
        snprintf(cmd[i], sizeof cmd[i], "%s%s", db, ends[i]);
        unlink(cmd[i]);
    }
    rmdir(store);
    return b.failed ? 1 : 0;
}
