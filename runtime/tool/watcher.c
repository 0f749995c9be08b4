/* A socket, on which the numbers of groups go over. */
#include "watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_actions(posix_spawn_file_actions_t *actions, int sock)
{
    int rc = posix_spawn_file_actions_adddup2(actions, sock, STDIN_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(
            actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(
            actions, STDOUT_FILENO, STDERR_FILENO);
    return rc;
}

/* A process group of its own: no Ctrl-C is for it. */
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
            attr, (short)(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                          POSIX_SPAWN_SETSIGDEF));
    return rc;
}

static int spawn(struct er_watcher *w, const char *program, int sock)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char *argv[] = {(char[]){"errand-worker"}, (char[]){"watch"}, NULL};
    char *envp[] = {NULL};
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        rc = set_actions(&actions, sock);
        if (rc == 0)
            rc = set_attributes(&attr);
        if (rc == 0)
            rc = posix_spawn(&w->pid, program, &actions, &attr, argv, envp);
        posix_spawnattr_destroy(&attr);
    }
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

int er_watcher_start(struct er_watcher *w, const char *program,
    struct errand_error *err)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return er_fail_errno(
            err, ERRAND_WORKER, "cannot make a socket for a watcher");
    int rc = spawn(w, program, fds[1]);
    close(fds[1]);
    w->sock = fds[0];
    if (rc == 0)
        return ERRAND_OK;
    close(w->sock);
    *w = (struct er_watcher){0};
    errno = rc;
    return er_fail_errno(err, ERRAND_WORKER, "cannot start %s", program);
}

static bool tell(struct er_watcher *w, int32_t number)
{
    ssize_t n;
    do
        n = send(w->sock, &number, sizeof number, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof number;
}

bool er_watcher_add(struct er_watcher *w, pid_t pid)
{
    return w->pid > 0 && tell(w, (int32_t)pid);
}

bool er_watcher_remove(struct er_watcher *w, pid_t pid)
{
    return w->pid > 0 && tell(w, -(int32_t)pid);
}

void er_watcher_end(struct er_watcher *w)
{
    if (w->pid <= 0)
        return;
    kill(w->pid, SIGKILL);
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    close(w->sock);
    *w = (struct er_watcher){0};
}
