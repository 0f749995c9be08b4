/* Systems that are not Linux: the limits that every one has, and the rest
 * reported as missing. */
#ifndef __linux__
#include "beneath.h"
#include "cage.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

void er_platform_close_from(int first)
{
    long most = sysconf(_SC_OPEN_MAX);
    for (int fd = first; fd < most && fd < 65536; fd++)
        close(fd);
}

void er_platform_begin(int sock) { er_platform_close_from(sock + 1); }

static void limit(int what, rlim_t value)
{
    struct rlimit r = {.rlim_cur = value, .rlim_max = value};
    (void)setrlimit(what, &r);
}

bool er_platform_limit(const struct er_cage *cage,
    struct er_cage_report *report, const char **why)
{
    (void)why;
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, cage->write.n ? (rlim_t)1 << 30 : 0);
    limit(RLIMIT_NOFILE, 64);
    er_cage_holds(report, "limits", "true");
    return true;
}

bool er_platform_confine(const struct er_cage *cage,
    struct er_cage_report *report, const char **why)
{
    (void)cage;
    (void)why;
    er_cage_holds(report, "landlock", "0");
    er_cage_lacks(report,
        "this system has no Landlock: if a tool breaks out of its "
        "interpreter, it can reach the files that you can");
    return true;
}

bool er_platform_filter(const struct er_cage *cage,
    struct er_cage_report *report, const char **why)
{
    (void)cage;
    (void)why;
    er_cage_holds(report, "seccomp", "false");
    er_cage_lacks(report,
        "this system cannot filter system calls: if a tool breaks out of "
        "its interpreter, it can use the network and start programs");
    return true;
}

int er_platform_open_beneath(int fd, const char *path, int flags,
    mode_t mode, enum er_beneath_links links)
{
    (void)fd;
    (void)path;
    (void)flags;
    (void)mode;
    (void)links;
    errno = ENOSYS;
    return -1;
}

void er_platform_allow_cpu(int64_t ms, struct er_allowance *last)
{
    (void)ms;
    (void)last;
}

void er_platform_trim(void) {}
#else
typedef int er_platform_other_unused; /* C forbids an empty file */
#endif
