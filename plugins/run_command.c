/* run_command: run a program that the user allows, and say what it printed.
 *
 * A program and its arguments are a list, and no shell ever sees them: what
 * a model was talked into cannot become another command. Which programs there
 * are is the user's choice alone (allow = { "git", ... }); they run in the
 * worker's cage and inherit it: no network, and no files but those granted.
 *
 * The child cannot leave the worker's process group there, and is ended
 * through a descriptor that only its parent has; what it leaves behind ends
 * with the worker, which the runtime replaces after such a call. In errand's
 * own process (inproc) it gets a group of its own, which is killed.
 */
#define _GNU_SOURCE /* clone's flags */
#include <errand/tool.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x1000
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

enum {
    ARGS = 256,          /* of one command */
    HEAD = 16 * 1024,    /* bytes kept of each stream's beginning */
    TAIL = 16 * 1024,    /* and of its end */
    MARGIN_MS = 1000,    /* before the call's deadline, to answer */
    SECONDS = 60,        /* a command may take, if nothing is said */
};

struct settings { /* what init keeps */
    char *allow[17];  /* ended by NULL */
    int64_t seconds;
};

/* What a stream said: its beginning whole, its end in a ring. */
struct stream {
    char head[HEAD], tail[TAIL];
    uint64_t total;
};

struct command {
    struct errand_tool_call *call;
    const char *program;
    char *argv[ARGS + 1];
    const char *folder, *input; /* or NULL */
    size_t input_len;
    pid_t pid;
    int pidfd; /* -1: none */
    int in, fds[2]; /* our ends: its input, its output and errors; -1 */
    struct stream streams[2];
    int64_t until_ms;
    int status;
    int timed_out;
};

static void fail(struct errand_tool_call *call, const char *text)
{
    call->host->fail(call, text, strlen(text));
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- what was asked */

static int is_allowed(const struct settings *s, const char *name)
{
    for (size_t i = 0; s->allow[i]; i++)
        if (strcmp(s->allow[i], name) == 0)
            return 1;
    return 0;
}

static void refuse_program(struct errand_tool_call *call,
    const struct settings *s, const char *name)
{
    char text[1200];
    size_t n = (size_t)snprintf(text, sizeof text,
        "%.100s is not allowed here; there are:", name);
    for (size_t i = 0; s->allow[i] && n < sizeof text - 120; i++)
        n += (size_t)snprintf(
            text + n, sizeof text - n, " %.100s", s->allow[i]);
    fail(call, text);
}

/* Where the program is: it was allowed by this very name. */
static int find_program(const char *name, char *out, size_t room)
{
    static const char *const folders[] = {"/usr/local/bin", "/usr/bin",
        "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"};
    if (name[0] == '/')
        return snprintf(out, room, "%s", name) < (int)room;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (snprintf(out, room, "%s/%s", folders[i], name) < (int)room &&
            access(out, X_OK) == 0)
            return 1;
    return 0;
}

/* Read the arguments. NULL, or what is wrong. */
static const char *read_args(
    struct command *c, const struct settings *s)
{
    const struct errand_tool_host *host = c->call->host;
    uint32_t n = host->count(c->call, "/argv");
    char place[32];
    if (n == 0 || n > ARGS)
        return "argv must have 1 to 256 elements: the program first";
    for (uint32_t i = 0; i < n; i++) {
        size_t len = 0;
        snprintf(place, sizeof place, "/argv/%u", (unsigned)i);
        const char *text = host->text(c->call, place, &len);
        if (!text || strlen(text) != len)
            return "the elements of argv must be texts without a NUL";
        c->argv[i] = (char *)(uintptr_t)text; /* exec promises not to write */
    }
    c->folder = host->text(c->call, "/folder", NULL);
    c->input = host->text(c->call, "/input", &c->input_len);
    int64_t left = host->remaining_ms(c->call) - MARGIN_MS;
    int64_t most = host->integer(c->call, "/seconds", s->seconds);
    if (most > s->seconds)
        most = s->seconds;
    c->until_ms = now_ms() + (most * 1000 < left ? most * 1000 : left);
    return NULL;
}

/* --- starting */

/* A pair of ends; -1 where there is none. */
static int open_pipe(int *read_end, int *write_end)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return 0;
    *read_end = fds[0];
    *write_end = fds[1];
    return 1;
}

/* In the child: nothing but calls that are safe after a fork. */
static void become(const struct command *c, int in, int out, int err)
{
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                lang[] = "LANG=C.UTF-8", home[] = "HOME=/nonexistent",
                pager[] = "PAGER=cat", term[] = "TERM=dumb";
    char *const env[] = {path, lang, home, pager, term, NULL};
    setpgid(0, 0); /* refused in the cage */
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    syscall(SYS_close_range, 3U, ~0U, 0); /* errand's socket above all */
    close(3);
    if (c->folder && chdir(c->folder) != 0)
        _exit(125);
    execve(c->program, c->argv, env);
    _exit(127);
}

/* A child, and a descriptor that stands for it where there are such. */
static void start(struct command *c, int in, int out, int err)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    c->pid = (pid_t)syscall(
        SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &c->pidfd, 0, 0);
    if (c->pid < 0 && errno == EINVAL) { /* a kernel before 5.2 */
        c->pidfd = -1;
        c->pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    }
    if (c->pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        signal(SIGPIPE, SIG_DFL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        become(c, in, out, err);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
}

/* False: it could not be started, and nothing is open. */
static int launch(struct command *c)
{
    int in = -1, out = -1, err = -1;
    int ok = open_pipe(&in, &c->in) && open_pipe(&c->fds[0], &out) &&
             open_pipe(&c->fds[1], &err);
    if (ok)
        start(c, in, out, err);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    if (err >= 0)
        close(err);
    return ok && c->pid > 0;
}

/* --- listening */

static void keep(struct stream *s, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++, s->total++) {
        if (s->total < HEAD)
            s->head[s->total] = bytes[i];
        else
            s->tail[(s->total - HEAD) % TAIL] = bytes[i];
    }
}

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void hear(struct command *c, int i)
{
    char piece[16384];
    ssize_t n = read(c->fds[i], piece, sizeof piece);
    if (n > 0)
        keep(&c->streams[i], piece, (size_t)n);
    else if (n == 0 || errno != EINTR)
        close_end(&c->fds[i]);
}

static void feed(struct command *c)
{
    ssize_t n = c->input_len
                    ? write(c->in, c->input, c->input_len) : 0;
    if (n > 0) {
        c->input += n;
        c->input_len -= (size_t)n;
    }
    if (c->input_len == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        close_end(&c->in);
}

static void end_child(struct command *c)
{
    if (c->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
    kill(-c->pid, SIGKILL); /* its own group, if it has one */
    kill(c->pid, SIGKILL);
}

/* Has it ended? Its children may hold the pipes open for ever. */
static int has_ended(struct command *c)
{
    pid_t got = waitpid(c->pid, &c->status, WNOHANG);
    if (got == c->pid || (got < 0 && errno == ECHILD))
        c->pid = 0;
    return c->pid == 0;
}

/* One look at all ends, for a while. */
static void look(struct command *c, int wait_ms)
{
    struct pollfd p[3] = {{.fd = c->fds[0], .events = POLLIN},
        {.fd = c->fds[1], .events = POLLIN},
        {.fd = c->in, .events = POLLOUT}};
    if (poll(p, 3, wait_ms) <= 0)
        return;
    for (int i = 0; i < 2; i++)
        if (c->fds[i] >= 0 && p[i].revents)
            hear(c, i);
    if (c->in >= 0 && p[2].revents)
        feed(c);
}

static void drain(struct command *c)
{
    uint64_t before;
    do {
        before = c->streams[0].total + c->streams[1].total;
        look(c, 0);
    } while (c->streams[0].total + c->streams[1].total > before);
}

static void listen_to(struct command *c)
{
    pid_t group = c->pid;
    fcntl(c->in, F_SETFL, O_NONBLOCK);
    while (!has_ended(c)) {
        int open = c->fds[0] >= 0 || c->fds[1] >= 0 || c->in >= 0;
        if (now_ms() >= c->until_ms || c->call->host->cancelled(c->call)) {
            c->timed_out = 1;
            end_child(c);
            waitpid(c->pid, &c->status, 0);
            c->pid = 0;
            break;
        }
        if (open)
            look(c, 20);
        else
            poll(NULL, 0, 5);
    }
    drain(c);
    kill(-group, SIGKILL); /* what it left behind */
    close_end(&c->in);
    close_end(&c->fds[0]);
    close_end(&c->fds[1]);
    close_end(&c->pidfd);
}

/* --- answering */

static void add_stream(
    struct errand_tool_call *call, const char *key, const struct stream *s)
{
    static char text[HEAD + TAIL + 100];
    char name[32];
    size_t n = s->total < HEAD ? (size_t)s->total : HEAD;
    memcpy(text, s->head, n);
    if (s->total > HEAD) {
        uint64_t rest = s->total - HEAD;
        size_t kept = rest < TAIL ? (size_t)rest : TAIL;
        size_t from = rest < TAIL ? 0 : (size_t)(rest % TAIL);
        if (rest > TAIL)
            n += (size_t)snprintf(text + n, 100,
                "\n... %llu bytes were left out here ...\n",
                (unsigned long long)(rest - TAIL));
        for (size_t i = 0; i < kept; i++)
            text[n++] = s->tail[(from + i) % TAIL];
    }
    snprintf(name, sizeof name, ",\"%s\":", key);
    call->host->add(call, name, strlen(name));
    call->host->add_text(call, text, n);
}

static void answer(struct command *c)
{
    const struct errand_tool_host *host = c->call->host;
    char text[120];
    if (c->timed_out)
        snprintf(text, sizeof text, "{\"ended\":\"killed: it took too long\"");
    else if (WIFSIGNALED(c->status))
        snprintf(text, sizeof text, "{\"ended\":\"killed by signal %d\"",
            WTERMSIG(c->status));
    else
        snprintf(text, sizeof text, "{\"status\":%d",
            WEXITSTATUS(c->status));
    host->add(c->call, text, strlen(text));
    add_stream(c->call, "output", &c->streams[0]);
    if (c->streams[1].total > 0)
        add_stream(c->call, "errors", &c->streams[1]);
    host->reply(c->call, "}", 1);
}

static void run(void *self, struct errand_tool_call *call)
{
    const struct settings *s = self;
    char program[4096], text[300];
    struct command *c = calloc(1, sizeof *c);
    const char *wrong = "out of memory";
    if (c) {
        *c = (struct command){.call = call, .pidfd = -1, .in = -1,
            .fds = {-1, -1}};
        wrong = read_args(c, s);
    }
    if (wrong) {
        fail(call, wrong);
    } else if (!is_allowed(s, c->argv[0])) {
        refuse_program(call, s, c->argv[0]);
    } else if (!find_program(c->argv[0], program, sizeof program)) {
        snprintf(text, sizeof text, "%.200s is not installed here",
            c->argv[0]);
        fail(call, text);
    } else {
        c->program = program;
        if (launch(c)) {
            listen_to(c);
            answer(c);
        } else {
            fail(call, "the program could not be started");
        }
    }
    if (c) {
        close_end(&c->in);
        close_end(&c->fds[0]);
        close_end(&c->fds[1]);
    }
    free(c);
}

static int32_t init(void **self, struct errand_tool_call *call)
{
    const struct errand_tool_host *host = call->host;
    struct settings *s = calloc(1, sizeof *s);
    char place[32];
    uint32_t n = host->count(call, "/allow");
    for (uint32_t i = 0; s && i < n && i < 16; i++) {
        snprintf(place, sizeof place, "/allow/%u", (unsigned)i);
        const char *name = host->text(call, place, NULL);
        s->allow[i] = name ? strdup(name) : NULL;
    }
    if (!s || !s->allow[0]) {
        free(s);
        fail(call, "no program is allowed: set plugins.run_command.allow");
        return 1;
    }
    s->seconds = host->integer(call, "/seconds", SECONDS);
    signal(SIGPIPE, SIG_IGN); /* a command that does not read its input */
    *self = s;
    return 0;
}

static void fini(void *self)
{
    struct settings *s = self;
    for (size_t i = 0; s->allow[i]; i++)
        free(s->allow[i]);
    free(s);
}

static const struct errand_tool tool = {
    .size = sizeof tool,
    .effect = ERRAND_TOOL_UNSAFE,
    .timeout_ms = 610000,
    .name = "run_command",
    .description =
        "Run one of the programs that the user allows, without a shell: "
        "pipes, wildcards, && and quotes mean nothing. Answers with its exit "
        "status and what it printed; long output is cut in the middle.",
    .parameters =
        "{\"type\": \"object\","
        " \"properties\": {"
        "  \"argv\": {\"type\": \"array\", \"minItems\": 1,"
        "   \"maxItems\": 256, \"items\": {\"type\": \"string\"},"
        "   \"description\": \"the program's name, then its arguments, each "
        "an element of its own\"},"
        "  \"input\": {\"type\": \"string\","
        "   \"description\": \"text for its standard input\"},"
        "  \"folder\": {\"type\": \"string\", \"minLength\": 1,"
        "   \"description\": \"folder to run it in\"},"
        "  \"seconds\": {\"type\": \"integer\", \"minimum\": 1,"
        "   \"maximum\": 600,"
        "   \"description\": \"how long it may take\"}},"
        " \"required\": [\"argv\"], \"additionalProperties\": false}",
    .permissions = "{\"read\": {\"config\": \"read\", \"else\": [\".\"]},"
                   " \"write\": {\"config\": \"write\"},"
                   " \"run\": {\"config\": \"allow\"}}",
    .run = run,
};

static const struct errand_tool *const tools[] = {&tool, NULL};

#define PATHS(what)                                          \
    "{\"type\": \"array\", \"maxItems\": 16,"                \
    " \"items\": {\"type\": \"string\", \"minLength\": 1},"  \
    " \"description\": \"" what "\"}"

static const struct errand_plugin plugin = {
    .size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "run_command",
    .version = "1.0",
    .tools = tools,
    .configuration =
        "{\"type\": \"object\","
        " \"properties\": {"
        "  \"allow\": {\"type\": \"array\", \"minItems\": 1,"
        "   \"maxItems\": 16,"
        "   \"items\": {\"type\": \"string\", \"minLength\": 1},"
        "   \"description\": \"programs, by name or by whole path\"},"
        "  \"read\": " PATHS("what they may read; else the working folder")
        ", \"write\": " PATHS("what they may change; else nothing")
        ", \"seconds\": {\"type\": \"integer\", \"minimum\": 1,"
        "   \"maximum\": 600,"
        "   \"description\": \"how long a command may take; 60\"}},"
        " \"required\": [\"allow\"], \"additionalProperties\": false}",
    .init = init,
    .fini = fini,
};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
