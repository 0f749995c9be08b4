/* Folders, files of mode 0600, and the lock that orders all writers.
 *
 * The lock is flock: it belongs to the open file, so that two stores in one
 * process exclude each other as two processes do, and closing some other
 * descriptor does not drop it.
 */
#include "store/disk.h"

#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

char *er_disk_name(const char *path, const char *end)
{
    size_t size = strlen(path) + strlen(end) + 1;
    char *name = malloc(size);
    if (name)
        snprintf(name, size, "%s%s", path, end);
    return name;
}

/* The folder's real name with the file's behind it, where there is no file. */
static char *resolve_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    char *folder = slash == path ? er_strdup("/")
                   : slash       ? er_strndup(path, (size_t)(slash - path))
                                 : er_strdup(".");
    char *real = folder ? realpath(folder, NULL) : NULL;
    char *with_slash = real ? er_disk_name(real, "/") : NULL;
    char *out = with_slash ? er_disk_name(with_slash, base) : NULL;
    free(with_slash);
    free(real);
    free(folder);
    return out;
}

char *er_disk_resolve(const char *path, struct errand_error *err)
{
    char *out = realpath(path, NULL);
    if (!out && errno == ENOENT)
        out = resolve_folder(path);
    if (!out && errno == ENOMEM)
        er_nomem(err);
    else if (!out)
        er_fail_errno(err, ERRAND_IO,
            "cannot open the store %.100s; give it another path", path);
    return out;
}

static int make_one(const char *path, struct errand_error *err)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return ERRAND_OK;
    return er_fail_errno(err, ERRAND_IO,
        "cannot make the folder %.120s; give the store another path", path);
}

int er_disk_make_folder(const char *path, struct errand_error *err)
{
    char *copy = er_strdup(path);
    if (!copy)
        return er_nomem(err);
    int code = ERRAND_OK;
    char *slash = strrchr(copy, '/');
    struct stat st;
    if (!slash || slash == copy)
        goto done;
    *slash = '\0';
    if (stat(copy, &st) == 0)
        goto done;
    for (char *p = strchr(copy + 1, '/'); p && code == ERRAND_OK;
         p = strchr(p + 1, '/')) {
        *p = '\0';
        code = make_one(copy, err);
        *p = '/';
    }
    if (code == ERRAND_OK)
        code = make_one(copy, err);
done:
    free(copy);
    return code;
}

int er_disk_open_beside(
    const char *path, const char *suffix, int *fd, struct errand_error *err)
{
    *fd = -1;
    char *name = er_disk_name(path, suffix);
    if (!name)
        return er_nomem(err);
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int code = ERRAND_OK;
    if (*fd < 0)
        code = er_fail_errno(err, ERRAND_IO,
            "cannot write %.110s; make its folder writable or give the store"
            " another path",
            name);
    free(name);
    return code;
}

int er_disk_touch(const char *path, struct errand_error *err)
{
    /* Only ever closes a file that was not there before: closing another
     * descriptor of a database would drop the locks this process has on it */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
    if (fd >= 0 || errno == EEXIST)
        return ERRAND_OK;
    return er_fail_errno(err, ERRAND_IO,
        "cannot make the store %.120s; give it another path", path);
}

static void nap(int64_t us)
{
    struct timespec t = {us / 1000000, (long)(us % 1000000) * 1000};
    nanosleep(&t, NULL);
}

int er_disk_lock(
    int fd, int64_t wait_ms, const char *path, struct errand_error *err)
{
    int64_t deadline = 0, pause_us = 50;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return er_fail_errno(
                err, ERRAND_IO, "cannot lock %.120s.lock", path);
        int64_t now = er_mono_ms();
        if (deadline == 0)
            deadline = now + wait_ms;
        if (now >= deadline)
            return er_fail(err, ERRAND_BUSY,
                "another errand process has been writing to %.100s for %d "
                "seconds; try again when it is done",
                path, (int)(wait_ms / 1000));
        nap(pause_us);
        pause_us = pause_us < 1000 ? pause_us * 3 / 2 : 1500;
    }
    return ERRAND_OK;
}

void er_disk_unlock(int fd) { flock(fd, LOCK_UN); }
