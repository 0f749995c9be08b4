/* What a tool call costs elsewhere: a script that is started for each call,
 * and a server in Node that speaks JSON-RPC on its standard input, as tools
 * are attached by MCP. Beside bench_tools, which measures ours; the work is
 * the same: count the words of a text.
 *
 *     bench_scripts [CALLS]      200 calls of each
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct child {
    pid_t pid;
    int to, from;
};

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_scripts: %s\n", what);
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

static struct child start(const char *const *argv)
{
    int to[2], from[2];
    struct child c = {0};
    posix_spawn_file_actions_t actions;
    if (pipe(to) != 0 || pipe(from) != 0)
        die("pipe");
    fcntl(to[1], F_SETFD, FD_CLOEXEC);
    fcntl(from[0], F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    posix_spawn_file_actions_addclose(&actions, to[0]);
    posix_spawn_file_actions_addclose(&actions, from[1]);
    if (posix_spawnp(&c.pid, argv[0], &actions, NULL,
            (char *const *)(const void *)argv, environ) != 0)
        c.pid = 0;
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    c.to = to[1];
    c.from = from[0];
    return c;
}

static void end(struct child *c)
{
    close(c->to);
    close(c->from);
    if (c->pid > 0)
        waitpid(c->pid, NULL, 0);
}

/* Send a line, read one. False: nobody answered. */
static int ask(struct child *c, const char *line, char *answer, size_t room)
{
    size_t len = 0;
    if (write(c->to, line, strlen(line)) != (ssize_t)strlen(line))
        return 0;
    while (len + 1 < room) {
        ssize_t n = read(c->from, answer + len, room - 1 - len);
        if (n <= 0)
            return 0;
        len += (size_t)n;
        answer[len] = '\0';
        if (strchr(answer, '\n'))
            return 1;
    }
    return 0;
}

static void time_script(
    const char *what, const char *const *argv, double *us, size_t n)
{
    char answer[256];
    for (size_t i = 0; i < n; i++) {
        double from = now_us();
        struct child c = start(argv);
        int ok = c.pid > 0 && ask(&c, "hello world\n", answer, sizeof answer);
        end(&c);
        us[i] = now_us() - from;
        if (!ok || strtol(answer, NULL, 10) != 2) {
            printf("%-26s is not here\n", what);
            return;
        }
    }
    print_times(what, us, n);
}

static const char server[] =
    "const rl = require('readline').createInterface({input: process.stdin});"
    "rl.on('line', (line) => {"
    "  const r = JSON.parse(line);"
    "  const words = r.params.arguments.text.split(/\\s+/).length;"
    "  process.stdout.write(JSON.stringify({jsonrpc: '2.0', id: r.id,"
    "    result: {content: [{type: 'text', text: String(words)}]}})"
    "    + '\\n');"
    "});";

static void time_node(double *us, size_t n)
{
    static const char call[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
        "{\"name\":\"count\",\"arguments\":{\"text\":\"hello world\"}}}\n";
    const char *const argv[] = {"node", "-e", server, NULL};
    size_t starts = n < 20 ? n : 20;
    char answer[512];
    for (size_t i = 0; i < starts; i++) {
        double from = now_us();
        struct child c = start(argv);
        int ok = c.pid > 0 && ask(&c, call, answer, sizeof answer);
        us[i] = now_us() - from;
        end(&c);
        if (!ok) {
            printf("%-26s is not here\n", "node");
            return;
        }
    }
    print_times("node: start, first call", us, starts);
    struct child c = start(argv);
    ask(&c, call, answer, sizeof answer);
    for (size_t i = 0; i < n; i++) {
        double from = now_us();
        if (!ask(&c, call, answer, sizeof answer))
            die("node ended");
        us[i] = now_us() - from;
    }
    end(&c);
    print_times("node: a warm call", us, n);
}

int main(int argc, char **argv)
{
    static const char *const sh[] = {"sh", "-c",
        "read -r line; set -- $line; echo $#", NULL};
    static const char *const lua[] = {"lua5.4", "-e",
        "local n = 0 for _ in io.read():gmatch('%S+') do n = n + 1 end "
        "print(n)", NULL};
    static const char *const python[] = {"python3", "-c",
        "print(len(input().split()))", NULL};
    size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 200;
    double *us = calloc(n ? n : 1, sizeof *us);
    if (!us || n == 0)
        die("usage: bench_scripts [CALLS]");
    time_script("sh, started for each", sh, us, n);
    time_script("lua, started for each", lua, us, n);
    time_script("python3, started for each", python, us, n);
    time_node(us, n);
    free(us);
    return 0;
}
