/* One page, one file: writing, reading, trimming the folder. */
#include "engine/prefix.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH = 4096 };

struct head {
    char magic[8]; /* "errandKV" */
    uint32_t abi;
    uint32_t tokens; /* 64 */
    uint64_t bytes;  /* of the page */
    uint64_t checksum; /* of all else */
    struct er_prefix_key key;
    int32_t ids[ER_KV_PAGE];
};

_Static_assert(sizeof(struct head) == 320, "head of a kept page");

static uint64_t turn(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

/* Eight lanes, each word multiplied in; then the lanes into one. */
uint64_t er_checksum(const void *bytes, size_t n, uint64_t seed)
{
    const uint64_t a = 0x9E3779B185EBCA87u, b = 0xC2B2AE3D27D4EB4Fu;
    const unsigned char *at = bytes;
    uint64_t lane[8], words[8], sum = seed ^ n * a;
    for (uint64_t i = 0; i < 8; i++)
        lane[i] = (seed + i) * b;
    for (; n >= sizeof words; at += sizeof words, n -= sizeof words) {
        memcpy(words, at, sizeof words);
        for (size_t i = 0; i < 8; i++)
            lane[i] = turn(lane[i] + words[i] * b, 31) * a;
    }
    memset(words, 0, sizeof words);
    memcpy(words, at, n);
    for (size_t i = 0; i < 8; i++) {
        lane[i] = turn(lane[i] + words[i] * b, 31) * a;
        sum = turn(sum ^ lane[i], 27) * a + b;
    }
    return sum ^ sum >> 29;
}

static bool path_of(char out[PATH], const char *folder,
    const struct er_prefix_key *key, const char *tail)
{
    char hex[65];
    er_hex(key->bytes, sizeof key->bytes, hex);
    int n = snprintf(out, PATH, "%s/%s%s", folder, hex, tail);
    return n > 0 && n < PATH;
}

static struct head head_of(const struct er_prefix_key *key,
    const int32_t *ids, const void *data, size_t bytes)
{
    struct head h = {.magic = {'e', 'r', 'r', 'a', 'n', 'd', 'K', 'V'},
        .abi = ER_ENGINE_ABI, .tokens = ER_KV_PAGE, .bytes = bytes,
        .key = *key};
    memcpy(h.ids, ids, sizeof h.ids);
    h.checksum = er_checksum(data, bytes, er_checksum(&h, sizeof h, 1));
    return h;
}

static bool write_all(int fd, const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n > 0) {
        ssize_t done = write(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static bool read_all(int fd, void *bytes, size_t n)
{
    char *at = bytes;
    while (n > 0) {
        ssize_t done = read(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

void er_prefix_touch(
    const char *folder, const struct er_prefix_key *key, int64_t when_ns)
{
    char path[PATH];
    struct timespec when = {.tv_sec = (time_t)(when_ns / 1000000000),
        .tv_nsec = (long)(when_ns % 1000000000)};
    struct timespec both[2] = {when, when};
    if (path_of(path, folder, key, ".kv"))
        utimensat(AT_FDCWD, path, both, 0);
}

static bool is_there(const char *path, size_t bytes)
{
    struct stat st;
    return stat(path, &st) == 0 &&
           (uint64_t)st.st_size == sizeof(struct head) + bytes;
}

int er_prefix_write(const char *folder, const struct er_prefix_key *key,
    const int32_t *ids, const void *data, size_t bytes,
    struct errand_error *err)
{
    char path[PATH], tail[40], beside[PATH];
    snprintf(tail, sizeof tail, ".%ld.new", (long)getpid());
    if (!path_of(path, folder, key, ".kv") ||
        !path_of(beside, folder, key, tail))
        return er_fail(err, ERRAND_IO, "the folder's name is too long");
    if (is_there(path, bytes))
        return ERRAND_OK;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return er_fail_errno(err, ERRAND_IO, "cannot write %.120s", beside);
    struct head h = head_of(key, ids, data, bytes);
    bool ok = write_all(fd, &h, sizeof h) && write_all(fd, data, bytes);
    ok = close(fd) == 0 && ok;
    if (ok && rename(beside, path) == 0)
        return ERRAND_OK;
    er_fail_errno(err, ERRAND_IO, "cannot write %.120s", path);
    unlink(beside);
    return ERRAND_IO;
}

static bool read_page(int fd, const struct er_prefix_key *key,
    const int32_t *ids, void *data, size_t bytes)
{
    struct head got, want;
    char more;
    if (!read_all(fd, &got, sizeof got) || !read_all(fd, data, bytes) ||
        read(fd, &more, 1) != 0)
        return false;
    want = head_of(key, ids, data, bytes);
    return memcmp(&got, &want, sizeof got) == 0;
}

bool er_prefix_read(const char *folder, const struct er_prefix_key *key,
    const int32_t *ids, void *data, size_t bytes)
{
    char path[PATH];
    if (!path_of(path, folder, key, ".kv"))
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool ok = read_page(fd, key, ids, data, bytes);
    close(fd);
    if (!ok)
        unlink(path);
    return ok;
}

bool er_prefix_there(const char *folder, const struct er_prefix_key *key)
{
    char path[PATH];
    return path_of(path, folder, key, ".kv") && access(path, R_OK) == 0;
}

void er_prefix_remove(const char *folder, const struct er_prefix_key *key)
{
    char path[PATH];
    if (path_of(path, folder, key, ".kv"))
        unlink(path);
}

/* ------------------------------------------------------------ the folder */

struct kept {
    char name[80];
    struct timespec used;
    uint64_t bytes;
};

static int by_use(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    return (x->used.tv_nsec > y->used.tv_nsec) -
           (x->used.tv_nsec < y->used.tv_nsec);
}

/* The kept files of a folder; NULL if there are none, or no memory. */
static struct kept *list(int dir, DIR *d, size_t *n, uint64_t *total)
{
    struct kept *all = NULL;
    struct dirent *e;
    struct stat st;
    size_t room = 0;
    while ((e = readdir(d))) {
        size_t len = strlen(e->d_name);
        if (len != 67 || strcmp(e->d_name + 64, ".kv") != 0 ||
            fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (*n == room) {
            room = room ? room * 2 : 64;
            void *more = realloc(all, room * sizeof *all);
            if (!more)
                break;
            all = more;
        }
        struct kept *k = &all[(*n)++];
        memcpy(k->name, e->d_name, len + 1);
        k->used = st.st_mtim;
        k->bytes = (uint64_t)st.st_size;
        *total += k->bytes;
    }
    return all;
}

void er_prefix_trim(const char *folder, uint64_t max_bytes)
{
    DIR *d = opendir(folder);
    size_t n = 0;
    uint64_t total = 0;
    if (!d)
        return;
    struct kept *all = list(dirfd(d), d, &n, &total);
    if (all && n > 0)
        qsort(all, n, sizeof *all, by_use);
    for (size_t i = 0; i < n && total > max_bytes; i++)
        if (unlinkat(dirfd(d), all[i].name, 0) == 0)
            total -= all[i].bytes;
    free(all);
    closedir(d);
}
