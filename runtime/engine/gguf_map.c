/* Mapping a file, and noticing that it changed. */
#include "engine/gguf_map.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int look(struct er_map *m, const char *path, struct errand_error *err)
{
    struct stat st;
    if (fstat(m->fd, &st) != 0)
        return er_fail_errno(err, ERRAND_IO, "cannot look at %.120s", path);
    if (!S_ISREG(st.st_mode))
        return er_fail(err, ERRAND_IO,
            "%.120s is not a file; name a .gguf file", path);
    if (st.st_size <= 0)
        return er_fail(err, ERRAND_SYNTAX,
            "%.120s is empty; fetch it again", path);
    if ((uint64_t)st.st_size > SIZE_MAX / 2)
        return er_fail(err, ERRAND_TOO_LARGE,
            "%.120s is too large for this machine's addresses", path);
    m->size = (size_t)st.st_size;
    m->dev = st.st_dev;
    m->ino = st.st_ino;
    m->changed = st.st_mtim;
    return ERRAND_OK;
}

static int map(struct er_map *m, const char *path, struct errand_error *err)
{
    int rc = look(m, path, err);
    if (rc)
        return rc;
    void *p = mmap(NULL, m->size, PROT_READ, MAP_SHARED, m->fd, 0);
    if (p == MAP_FAILED)
        return er_fail_errno(err, ERRAND_IO, "cannot map %.120s", path);
    m->data = p;
    m->path = er_strdup(path);
    return m->path ? ERRAND_OK : er_nomem(err);
}

int er_map_open(struct er_map *m, const char *path, struct errand_error *err)
{
    *m = (struct er_map){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (m->fd < 0)
        return er_fail_errno(err,
            errno == ENOENT ? ERRAND_NOT_FOUND : ERRAND_IO,
            "cannot open the model file %.120s", path);
    int rc = map(m, path, err);
    if (rc)
        er_map_close(m);
    return rc;
}

void er_map_close(struct er_map *m)
{
    if (m->data)
        munmap((void *)(uintptr_t)m->data, m->size);
    if (m->fd >= 0)
        close(m->fd);
    free(m->path);
    *m = (struct er_map){.fd = -1};
}

int er_map_check(const struct er_map *m, struct errand_error *err)
{
    struct stat st;
    if (fstat(m->fd, &st) != 0)
        return er_fail_errno(err, ERRAND_IO, "cannot look at %.120s", m->path);
    if ((uint64_t)st.st_size == m->size && st.st_ino == m->ino &&
        st.st_dev == m->dev && st.st_mtim.tv_sec == m->changed.tv_sec &&
        st.st_mtim.tv_nsec == m->changed.tv_nsec)
        return ERRAND_OK;
    return er_fail(err, ERRAND_STATE,
        "the model file %.120s was changed while in use (%zu bytes, now "
        "%lld); load it again", m->path, m->size, (long long)st.st_size);
}
