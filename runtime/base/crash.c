/* Counts visits of the one crash point that the environment names. */
#include "crash.h"

#ifdef ERRAND_CRASHPOINTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void er_crash_point(const char *name)
{
    static atomic_long visits; /* of the named point, over all threads */
    const char *want = getenv("ERRAND_CRASH");
    size_t len = strlen(name);
    if (!want || strncmp(want, name, len) != 0 || want[len] != ':')
        return;
    if (atomic_fetch_add(&visits, 1) + 1 == atol(want + len + 1))
        kill(getpid(), SIGKILL);
}

#else

typedef int er_crash_unused; /* C forbids an empty file */

#endif
