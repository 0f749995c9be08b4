/* openat2 where the kernel has it, else a walk that follows no link. */
#define _GNU_SOURCE /* O_PATH */
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

enum { TRIES = 8 /* the tree was changed while the kernel looked */ };

/* Open one part of the way: a folder, and no link. */
static int step(int fd, const char *name)
{
    int next = openat(fd, name,
        O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (next >= 0 || errno != ENOTDIR)
        return next;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISLNK(st.st_mode))
        errno = ELOOP;
    else
        errno = ENOTDIR;
    return -1;
}

/* The last part. O_PATH would open a link itself. */
static int last_step(int fd, const char *name, int flags, mode_t mode)
{
    struct stat st;
    int last = openat(fd, name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    if (last < 0 || !(flags & O_PATH) || fstat(last, &st) != 0 ||
        !S_ISLNK(st.st_mode))
        return last;
    close(last);
    errno = ELOOP;
    return -1;
}

static int give_up(int fd, bool own, int why)
{
    if (own)
        close(fd);
    errno = why;
    return -1;
}

int er_beneath_walk(int fd, const char *path, int flags, mode_t mode)
{
    char name[NAME_MAX + 1];
    bool own = false;
    for (;;) {
        size_t n = strcspn(path, "/");
        if (n > NAME_MAX)
            return give_up(fd, own, ENAMETOOLONG);
        if (n == 2 && path[0] == '.' && path[1] == '.')
            return give_up(fd, own, EXDEV);
        memcpy(name, n ? path : ".", n ? n : 1);
        name[n ? n : 1] = '\0';
        path += n + strspn(path + n, "/");
        int next = *path ? step(fd, name)
                         : last_step(fd, name, flags, mode);
        int why = errno;
        if (own)
            close(fd);
        errno = why;
        if (next < 0 || !*path)
            return next;
        fd = next;
        own = true;
    }
}

int er_beneath_open(int fd, const char *path, int flags, mode_t mode,
    enum er_beneath_links links)
{
    const char *name = *path ? path : ".";
    int got = -1;
    if (*path == '/') {
        errno = EXDEV;
        return -1;
    }
    for (int i = 0; i < TRIES; i++) {
        got = er_platform_open_beneath(fd, name, flags, mode, links);
        if (got >= 0 || errno != EAGAIN)
            break;
    }
    if (got < 0 && errno == ENOSYS)
        got = er_beneath_walk(fd, name, flags, mode);
    return got;
}
