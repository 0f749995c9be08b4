/* Limits of a worker on Linux. */
#include "platform.h"

#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sanitizers reserve terabytes of addresses and start a helper at exit;
 * with them these two limits are left as they are. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { SOCKET = 3 };

static void limit(int what, rlim_t value)
{
    struct rlimit r = {.rlim_cur = value, .rlim_max = value};
    (void)setrlimit(what, &r); /* an unprivileged raise is refused: fine */
}

static void set_limits(void)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0); /* writes nothing */
    limit(RLIMIT_NOFILE, 64);
    if (!SANITIZED) {
        limit(RLIMIT_AS, (rlim_t)1 << 30);
        limit(RLIMIT_NPROC, 0); /* starts nothing */
    }
}

/* The kernel sends this when the thread that started us ends. That is not
 * the runtime's end if it lives on in other threads, so look: when the last
 * of them is gone, its end of the socket is closed. */
static void on_parent_thread_end(int sig)
{
    struct pollfd p = {.fd = SOCKET};
    (void)sig;
    if (poll(&p, 1, 0) > 0)
        raise(SIGKILL);
}

static void die_with_runtime(void)
{
    struct sigaction action = {.sa_handler = on_parent_thread_end,
        .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGUSR1);
}

static void close_others(int sock)
{
    if (syscall(SYS_close_range, (unsigned)sock + 1, ~0U, 0) == 0)
        return;
    long most = sysconf(_SC_OPEN_MAX); /* a kernel before 5.9 */
    for (int fd = sock + 1; fd < most && fd < 65536; fd++)
        close(fd);
}

void er_platform_lock_down(int sock)
{
    close_others(sock);
    set_limits();
    die_with_runtime();
}

void er_platform_trim(void) { malloc_trim(64 * 1024); }
