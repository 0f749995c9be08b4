/* Running a reader of somebody's format: bytes come out of a pipe until it
 * ends, is too slow, or says too much; then it is killed with its group. Its
 * environment is our own making: no key of ours is any of its business. */
#include "base/clock.h"
#include "search/extract.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(const char *const *argv, int out, pid_t *pid)
{
    static const char *const env[] = {"LC_ALL=C.UTF-8", "HOME=/nonexistent",
        "PATH=/usr/local/bin:/usr/bin:/bin", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none;
    int rc = posix_spawn_file_actions_init(&files);
    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc != 0) {
        posix_spawn_file_actions_destroy(&files);
        return rc;
    }
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(
        &attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, 1);
    posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    rc = posix_spawnp(pid, argv[0], &files, &attr, (char *const *)argv,
        (char *const *)env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return rc;
}

/* Everything that comes until the end, the deadline or too much. */
static int gather(int fd, int64_t deadline, const char *name,
    struct er_buf *out, struct errand_error *err)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left = deadline - er_mono_ms();
        if (left <= 0)
            return er_fail(err, ERRAND_TIMEOUT,
                "%.40s took too long for it", name);
        if (poll(&p, 1, left > 1000 ? 1000 : (int)left) <= 0)
            continue;
        size_t room = out->max - out->len;
        if (room > 65536)
            room = 65536;
        if (room == 0)
            return er_fail(err, ERRAND_TOO_LARGE,
                "its text is over %zu MiB", out->max >> 20);
        if (!er_buf_reserve(out, room))
            return er_nomem(err);
        ssize_t n = read(fd, out->data + out->len, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return er_fail_errno(err, ERRAND_TOOL, "reading from %.40s", name);
        if (n == 0)
            return ERRAND_OK;
        out->len += (size_t)n;
        out->data[out->len] = '\0';
    }
}

int er_program_run(const char *const *argv, int seconds, struct er_buf *out,
    struct errand_error *err)
{
    int ends[2], status = 0;
    pid_t pid = -1;
    /* sockets, for their descriptors close on exec from the first instant */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return er_fail_errno(err, ERRAND_IO, "cannot make a pipe");
    int rc = start(argv, ends[1], &pid);
    close(ends[1]);
    if (rc != 0) {
        close(ends[0]);
        errno = rc;
        return rc == ENOENT
            ? er_fail(err, ERRAND_UNSUPPORTED,
                  "%.40s is not installed", argv[0])
            : er_fail_errno(err, ERRAND_TOOL, "cannot start %.40s", argv[0]);
    }
    int code = gather(ends[0], er_mono_ms() + (int64_t)seconds * 1000,
        argv[0], out, err);
    close(ends[0]);
    if (code != ERRAND_OK)
        kill(-pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    kill(-pid, SIGKILL); /* what it may have left behind */
    if (code == ERRAND_OK && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        code = er_fail(err, ERRAND_TOOL, "%.40s cannot read it", argv[0]);
    return code;
}
