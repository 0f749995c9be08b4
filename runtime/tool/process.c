/* Worker processes by posix_spawn, which costs the same at any size of the
 * parent and is safe among threads. */
#define _GNU_SOURCE /* POSIX_SPAWN_SETSID */
#include "process.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PROTOCOL = 2,
    CHILD_SOCKET = 3,
    ABOVE = 10, /* the child's ends lie above what they are moved to */
    LINES = 200, /* of standard error, of one call, that reach the log */
};

/* A pair of sockets: ours does not block, theirs lies at ABOVE or over. */
static int open_pair(int *ours, int *theirs, struct errand_error *err)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return er_fail_errno(
            err, ERRAND_WORKER, "cannot make a socket for a worker");
    *ours = fds[0];
    *theirs = fcntl(fds[1], F_DUPFD_CLOEXEC, ABOVE);
    int saved = errno;
    close(fds[1]);
    errno = saved;
    if (*theirs < 0 || fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0)
        return er_fail_errno(
            err, ERRAND_WORKER, "cannot set up a worker's socket");
    return ERRAND_OK;
}

static int set_actions(posix_spawn_file_actions_t *actions, const char *cwd,
    int sock, int errors)
{
    int rc = posix_spawn_file_actions_addopen(
        actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(
            actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(
            actions, errors, STDERR_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, sock, CHILD_SOCKET);
    if (rc == 0 && cwd)
        rc = posix_spawn_file_actions_addchdir_np(actions, cwd);
    return rc;
}

static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawnattr_setsigmask(attr, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(attr, &all);
    if (rc == 0)
        rc = posix_spawnattr_setflags(
            attr, (short)(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                          POSIX_SPAWN_SETSIGDEF));
    return rc;
}

static int spawn(struct er_process *p, const char *program, const char *cwd,
    int sock, int errors, struct errand_error *err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char *argv[] = {(char[]){"errand-worker"}, NULL}, *envp[] = {NULL};
    if (posix_spawn_file_actions_init(&actions) != 0)
        return er_nomem(err);
    if (posix_spawnattr_init(&attr) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return er_nomem(err);
    }
    int rc = set_actions(&actions, cwd, sock, errors);
    if (rc == 0)
        rc = set_attributes(&attr);
    if (rc == 0)
        rc = posix_spawn(&p->pid, program, &actions, &attr, argv, envp);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    if (rc == 0)
        return ERRAND_OK;
    p->pid = 0;
    errno = rc;
    return er_fail_errno(err, ERRAND_WORKER, "cannot start %s", program);
}

int er_process_start(struct er_process *p, const char *program,
    const char *cwd, struct errand_error *err)
{
    int sock = -1, errors = -1;
    *p = (struct er_process){.sock = -1, .err = -1};
    er_frame_reader_init(&p->in);
    er_buf_init(&p->out, 2 * ((size_t)ER_FRAME_MAX + ER_FRAME_HEAD));
    if (access(program, X_OK) != 0)
        return er_fail_errno(err, ERRAND_NOT_FOUND,
            "cannot run %s, the program that runs tools", program);
    int rc = open_pair(&p->sock, &sock, err);
    if (rc == ERRAND_OK)
        rc = open_pair(&p->err, &errors, err);
    if (rc == ERRAND_OK)
        rc = spawn(p, program, cwd, sock, errors, err);
    if (sock >= 0)
        close(sock);
    if (errors >= 0)
        close(errors);
    if (rc != ERRAND_OK)
        er_process_release(p);
    return rc;
}

/* Send from bytes; how many were taken, or -1 if the peer is gone. */
static ssize_t send_some(int sock, const char *bytes, size_t len)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = send(sock, bytes + done, len - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0)
            return -1;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

bool er_process_flush(struct er_process *p)
{
    if (p->out.len == 0)
        return true;
    ssize_t n = send_some(p->sock, p->out.data, p->out.len);
    if (n < 0)
        return false;
    er_buf_drop(&p->out, (size_t)n);
    if (p->out.len == 0)
        er_buf_release(&p->out);
    return true;
}

bool er_process_send(struct er_process *p, const char *bytes, size_t len)
{
    size_t done = 0;
    if (p->out.len == 0) { /* the usual case: nothing is copied */
        ssize_t n = send_some(p->sock, bytes, len);
        if (n < 0)
            return false;
        done = (size_t)n;
    }
    return done == len || er_buf_add(&p->out, bytes + done, len - done);
}

/* One line of its standard error. */
static void hear_line(struct er_process *p, const char *s, size_t len,
    const struct er_log *log)
{
    struct er_buf plain;
    er_buf_init(&plain, 4000);
    if (len > 1000)
        len = 1000;
    if (er_text_plain(&plain, s, len) && plain.len > 0) {
        size_t n = er_utf8_cut(plain.data, plain.len, sizeof p->words - 1);
        memcpy(p->words, plain.data, n);
        p->words[n] = '\0';
        if (p->lines < LINES)
            er_log(log, ERRAND_LOG_WARN, "worker %ld: %s", (long)p->pid,
                plain.data);
        else if (p->lines == LINES)
            er_log(log, ERRAND_LOG_WARN,
                "worker %ld: (more lines were dropped)", (long)p->pid);
        p->lines += p->lines <= LINES;
    }
    er_buf_release(&plain);
}

void er_process_hear(struct er_process *p, const struct er_log *log)
{
    char bytes[4096];
    if (p->err < 0 || p->err_over)
        return;
    ssize_t n = read(p->err, bytes, sizeof bytes);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        p->err_over = true; /* still open: the loop may be watching it */
    for (ssize_t from = 0; from < n;) {
        const char *end =
            memchr(bytes + from, '\n', (size_t)(n - from));
        ssize_t to = end ? end - bytes : n;
        hear_line(p, bytes + from, (size_t)(to - from), log);
        from = to + 1;
    }
}

int er_process_greet(
    struct er_process *p, const json_t *frame, struct errand_error *err)
{
    const char *version = er_json_str(frame, "hello");
    if (!version)
        return er_fail(err, ERRAND_WORKER,
            "the worker did not say hello: is it an errand-worker?");
    if (er_json_int(frame, "protocol", -1) != PROTOCOL)
        return er_fail(err, ERRAND_WORKER,
            "errand-worker %.40s does not fit errand %s; install both from "
            "one release",
            version, ERRAND_VERSION);
    p->greeted = true;
    return ERRAND_OK;
}

void er_process_kill(struct er_process *p)
{
    if (p->pid > 0)
        kill(-p->pid, SIGKILL);
}

bool er_process_reap(struct er_process *p, bool wait)
{
    if (p->pid <= 0)
        return true;
    pid_t got;
    do
        got = waitpid(p->pid, &p->status, wait ? 0 : WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return false;
    p->vanished = got < 0; /* ECHILD: SIGCHLD is ignored here */
    p->pid = 0;
    return true;
}

static const char *signal_name(int sig)
{
    static const struct {
        int sig;
        const char *name;
    } names[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},
        {SIGABRT, "SIGABRT"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"},
        {SIGKILL, "SIGKILL"}, {SIGTERM, "SIGTERM"}, {SIGSYS, "SIGSYS"},
        {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"}, {SIGINT, "SIGINT"},
        {SIGHUP, "SIGHUP"}, {SIGPIPE, "SIGPIPE"}, {SIGTRAP, "SIGTRAP"}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].sig == sig)
            return names[i].name;
    return NULL;
}

void er_process_say_end(const struct er_process *p, struct er_buf *out)
{
    if (p->pid > 0)
        er_buf_adds(out, "it closed its socket and went on");
    else if (p->vanished)
        er_buf_adds(out, "it ended, how is not known");
    else if (WIFSIGNALED(p->status) && signal_name(WTERMSIG(p->status)))
        er_buf_addf(
            out, "killed by %s", signal_name(WTERMSIG(p->status)));
    else if (WIFSIGNALED(p->status))
        er_buf_addf(out, "killed by signal %d", WTERMSIG(p->status));
    else
        er_buf_addf(out, "ended with status %d", WEXITSTATUS(p->status));
    if (p->words[0])
        er_buf_addf(out, "; its last words: %s", p->words);
}

void er_process_release(struct er_process *p)
{
    if (p->sock >= 0)
        close(p->sock);
    if (p->err >= 0)
        close(p->err);
    p->sock = p->err = -1;
    er_frame_reader_release(&p->in);
    er_buf_release(&p->out);
}
