/* A list of groups, and the end of a stream. */
#include "watch.h"

#include "cage.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 1024 };

struct groups {
    int32_t list[MOST];
    size_t n;
};

static void take(struct groups *g, int32_t number)
{
    int32_t group = number < 0 ? -number : number;
    for (size_t i = 0; i < g->n; i++)
        if (g->list[i] == group)
            g->list[i--] = g->list[--g->n];
    if (number > 1 && g->n < MOST)
        g->list[g->n++] = group;
}

/* One number; false: the stream has ended. */
static bool next(int32_t *number)
{
    char bytes[sizeof *number];
    size_t got = 0;
    while (got < sizeof bytes) {
        ssize_t n = read(STDIN_FILENO, bytes + got, sizeof bytes - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    memcpy(number, bytes, sizeof bytes);
    return true;
}

int er_watch_serve(void)
{
    struct groups g = {.n = 0};
    int32_t number;
    er_platform_close_from(STDERR_FILENO + 1);
    while (next(&number))
        take(&g, number);
    for (size_t i = 0; i < g.n; i++)
        kill(-(pid_t)g.list[i], SIGKILL);
    return 0;
}
