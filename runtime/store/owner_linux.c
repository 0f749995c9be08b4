/* Processes as Linux shows them under /proc. */
#ifdef __linux__

#include "store/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

void er_system_boot(char *out, size_t size)
{
    if (read_file("/proc/sys/kernel/random/boot_id", out, size) == 0)
        snprintf(out, size, "-");
    out[strcspn(out, "\n/")] = '\0';
}

/* State (field 3) and start (field 22) in /proc/PID/stat, counted behind the
 * last parenthesis because the program's name before it may hold anything.
 * Both 0 if there is nothing to read. */
static void read_stat(int64_t pid, char *state, uint64_t *start)
{
    char path[64], text[1024];
    *state = 0;
    *start = 0;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    if (read_file(path, text, sizeof text) == 0)
        return;
    const char *p = strrchr(text, ')');
    if (!p || p[1] != ' ')
        return;
    *state = p[2];
    for (int field = 2; p && field < 22; field++) {
        p = strchr(p, ' ');
        if (p)
            p++;
    }
    *start = p ? strtoull(p, NULL, 10) : 0;
}

uint64_t er_system_process_start(int64_t pid)
{
    char state;
    uint64_t start;
    read_stat(pid, &state, &start);
    return start;
}

enum er_alive er_system_process(int64_t pid, uint64_t start)
{
    char state;
    uint64_t now;
    if ((int64_t)(pid_t)pid != pid)
        return ER_ALIVE_UNKNOWN;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return ER_GONE;
    read_stat(pid, &state, &now);
    if (now == 0)
        return ER_ALIVE_UNKNOWN; /* /proc may be hidden */
    if (state == 'Z' || state == 'X')
        return ER_GONE; /* dead, and nobody has asked after it */
    return now == start ? ER_ALIVE : ER_GONE;
}

#else
typedef int er_owner_linux_unused; /* C forbids an empty file */
#endif
