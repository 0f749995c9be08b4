/* Limits, privileges and ends of a worker on Linux. */
#ifdef __linux__
#include "base/clock.h"
#include "cage.h"

#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    MEMORY_MB = 1024,       /* of addresses, if the lock does not say */
    FILE_MB = 1024,         /* of one file that is written */
    DESCRIPTORS = 64,       /* of a worker for Lua */
    DESCRIPTORS_MORE = 512, /* of the others */
    CHILDREN = 256,         /* processes that `run` may start at once */
    CPU_GRACE_S = 7, /* more than a call has behind its deadline */
    CPU_THREADS = 8, /* a plugin may compute on so many at once */
    CPU_HOLD_MS = 250, /* an allowance is good for calls this much later:
                          they find the grace less by 2 s at most */
};

void er_platform_close_from(int first)
{
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0)
        return;
    long most = sysconf(_SC_OPEN_MAX); /* a kernel before 5.9 */
    for (int fd = first; fd < most && fd < 65536; fd++)
        close(fd);
}

/* The thread that started us lives as long as the runtime. Its end ends us,
 * whatever we have blocked, and if we were stopped. */
void er_platform_begin(int sock)
{
    er_platform_close_from(sock + 1);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool limit(int what, rlim_t value)
{
    struct rlimit r = {.rlim_cur = value, .rlim_max = value}, now;
    if (setrlimit(what, &r) == 0)
        return true;
    /* only root may raise it; lower than asked for is good as well */
    return getrlimit(what, &now) == 0 && now.rlim_max <= value;
}

/* Processes of this user: the system counts all of them against the limit of
 * each. */
static rlim_t count_processes(void)
{
    rlim_t n = 0;
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    struct stat st;
    while (dir && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
            st.st_uid == getuid())
            n++;
    if (dir)
        closedir(dir);
    return n;
}

static bool limit_processes(const struct er_cage *cage)
{
    if (cage->run.n > 0)
        return limit(RLIMIT_NPROC, count_processes() + CHILDREN);
    if (cage->kind == ER_CAGE_PLUGIN) /* threads count as processes */
        return true;
    return limit(RLIMIT_NPROC, 0);
}

/* Root keeps its number, and with it its own files, but may do nothing that
 * another user may not. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct head = {
        .version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2];
    memset(none, 0, sizeof none);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &head, none) == 0;
}

static bool set_limits(const struct er_cage *cage)
{
    bool is_lua = cage->kind == ER_CAGE_LUA;
    rlim_t mb = cage->memory_mb > 0 ? (rlim_t)cage->memory_mb : MEMORY_MB;
    bool ok = limit(RLIMIT_CORE, 0) && limit(RLIMIT_MEMLOCK, 0) &&
              limit(RLIMIT_MSGQUEUE, 0) &&
              limit(RLIMIT_NOFILE, is_lua ? DESCRIPTORS : DESCRIPTORS_MORE) &&
              limit(RLIMIT_FSIZE,
                  cage->write.n ? (rlim_t)FILE_MB << 20 : 0);
    if (!ER_SANITIZED)
        ok = ok && limit(RLIMIT_AS, mb << 20) && limit_processes(cage);
    signal(SIGXFSZ, SIG_IGN); /* the write fails, and that is told */
    return ok;
}

bool er_platform_limit(const struct er_cage *cage,
    struct er_cage_report *report, const char **why)
{
    if (!set_limits(cage)) {
        *why = "the limits of the process cannot be set";
        return false;
    }
    er_cage_holds(report, "limits", "true");
    if (ER_SANITIZED)
        er_cage_lacks(report, "built with sanitizers: memory, processes "
                              "and most system calls are not limited");
    if (!drop_capabilities()) {
        *why = "the privileges of root cannot be given up";
        return false;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        *why = "new privileges cannot be refused (no_new_privs)";
        return false;
    }
    er_cage_holds(report, "no_new_privs", "true");
    if (cage->run.n > 0 && getuid() == 0)
        er_cage_lacks(report, "errand runs as root: how many processes a "
                              "tool with `run` starts is not limited");
    return true;
}

void er_platform_allow_cpu(int64_t ms, struct er_allowance *last)
{
    struct rusage used;
    struct rlimit r;
    int64_t now = er_mono_ms();
    if (ms == last->ms && now < last->until_ms)
        return;
    if (getrusage(RUSAGE_SELF, &used) != 0 ||
        getrlimit(RLIMIT_CPU, &r) != 0)
        return;
    rlim_t want = (rlim_t)used.ru_utime.tv_sec +
                  (rlim_t)used.ru_stime.tv_sec + CPU_GRACE_S +
                  (rlim_t)(ms / 1000) * CPU_THREADS;
    r.rlim_cur = want < r.rlim_max ? want : r.rlim_max;
    if (setrlimit(RLIMIT_CPU, &r) == 0)
        *last = (struct er_allowance){ms, now + CPU_HOLD_MS};
}

void er_platform_trim(void) { malloc_trim(64 * 1024); }
#else
typedef int er_platform_linux_unused; /* C forbids an empty file */
#endif
