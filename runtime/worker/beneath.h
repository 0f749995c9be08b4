/* Opening a path below a folder that is held open: whatever links, "..", and
 * changes of the tree at that very moment try, what is opened lies below. */
#ifndef ERRAND_WORKER_BENEATH_H
#define ERRAND_WORKER_BENEATH_H

#include <stdbool.h>
#include <sys/types.h>

enum er_beneath_links {
    ER_LINKS_NONE = 0,  /* any link on the way is ELOOP */
    ER_LINKS_BELOW = 1, /* those are followed that stay below; one that is
                           absolute or leads out is EXDEV */
};

/* Open path, relative to the folder fd ("" is the folder itself). flags as
 * for open. -1 and errno; a kernel without openat2 follows no link (ELOOP). */
int er_beneath_open(int fd, const char *path, int flags, mode_t mode,
    enum er_beneath_links links);

/* The same without openat2, part by part: what other kernels get. */
int er_beneath_walk(int fd, const char *path, int flags, mode_t mode);

/* openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS, or -1 and ENOSYS.
 * In platform_*.c. */
int er_platform_open_beneath(int fd, const char *path, int flags,
    mode_t mode, enum er_beneath_links links);

#endif
