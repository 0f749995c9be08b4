/* Linux: /proc/meminfo, and the limit of the control group. */
#ifdef __linux__

#include "engine/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The beginning of a small file, NUL-terminated; "" if there is none. */
static void read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static uint64_t read_number(const char *path)
{
    char text[64], *end = text;
    read_file(path, text, sizeof text);
    unsigned long long n = strtoull(text, &end, 10);
    return end == text ? UINT64_MAX : n; /* "max" is no number */
}

/* What a file of the group's statistics says behind a name. */
static uint64_t read_field(const char *path, const char *name, uint64_t unit)
{
    char text[8192];
    read_file(path, text, sizeof text);
    const char *at = strstr(text, name);
    return at ? strtoull(at + strlen(name), NULL, 10) * unit : UINT64_MAX;
}

/* Version 2 of control groups: the limit, less what is used and cannot be
 * dropped (file pages can). */
static uint64_t group(void)
{
    uint64_t most = read_number("/sys/fs/cgroup/memory.max");
    uint64_t used = read_number("/sys/fs/cgroup/memory.current");
    uint64_t file =
        read_field("/sys/fs/cgroup/memory.stat", "inactive_file ", 1);
    if (most == UINT64_MAX || used == UINT64_MAX)
        return UINT64_MAX;
    if (file != UINT64_MAX)
        used -= file < used ? file : used;
    return used < most ? most - used : 0;
}

uint64_t er_memory_available(void)
{
    uint64_t machine = read_field("/proc/meminfo", "MemAvailable:", 1024);
    uint64_t limit = group();
    return machine < limit ? machine : limit;
}

void *er_memory_take(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    madvise(p, bytes, MADV_HUGEPAGE); /* a wish */
    return p;
}

void er_memory_give(void *p, size_t bytes)
{
    if (p)
        munmap(p, bytes);
}

void er_memory_let_go(const void *p, size_t bytes)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)p + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)p + bytes) / page * page;
    if (from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

#else
typedef int er_memory_linux_unused; /* C forbids an empty file */
#endif
