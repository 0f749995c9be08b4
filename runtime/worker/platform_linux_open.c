/* openat2, which Linux has since 5.6 and the C library has not. */
#ifdef __linux__
#define _GNU_SOURCE
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    OPENAT2 = 437,
    NO_MAGICLINKS = 0x02,
    NO_SYMLINKS = 0x04,
    BENEATH = 0x08,
};

struct how {
    uint64_t flags, mode, resolve;
};

int er_platform_open_beneath(int fd, const char *path, int flags,
    mode_t mode, enum er_beneath_links links)
{
    struct how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
        .mode = flags & O_CREAT ? mode : 0,
        .resolve = BENEATH | NO_MAGICLINKS};
    if (links == ER_LINKS_NONE)
        how.resolve |= NO_SYMLINKS;
    return (int)syscall(OPENAT2, fd, path, &how, sizeof how);
}
#else
typedef int er_platform_linux_open_unused; /* C forbids an empty file */
#endif
