/* Who holds a lease: "host/boot/pid/start". The host's name alone does not
 * say that two processes share a machine, so the boot's id must agree too,
 * and a process number is worth nothing without the time it began at. An
 * embedder may add more behind a further slash. */
#include "store/owner.h"

#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST_SIZE = 49, BOOT_SIZE = 40 };

static void here(char host[HOST_SIZE], char boot[BOOT_SIZE])
{
    if (gethostname(host, HOST_SIZE) != 0)
        strncpy(host, "?", HOST_SIZE);
    host[HOST_SIZE - 1] = '\0';
    for (char *p = host; *p; p++) {
        if (*p == '/')
            *p = '_';
    }
    er_system_boot(boot, BOOT_SIZE);
}

void er_owner_self(char out[128])
{
    char host[HOST_SIZE], boot[BOOT_SIZE];
    here(host, boot);
    int64_t pid = getpid();
    snprintf(out, 128, "%s/%s/%" PRId64 "/%" PRIu64, host, boot, pid,
        er_system_process_start(pid));
}

bool er_owner_is_dead(const char *owner)
{
    char host[HOST_SIZE], boot[BOOT_SIZE];
    here(host, boot);
    size_t len = strlen(host);
    if (strncmp(owner, host, len) != 0 || owner[len] != '/')
        return false; /* another machine: only its lease tells */
    owner += len + 1;
    len = strlen(boot);
    if (strcmp(boot, "-") == 0)
        return false;
    if (strncmp(owner, boot, len) != 0 || owner[len] != '/')
        return strchr(owner, '/') != NULL; /* it was before this boot */
    char *end = NULL;
    int64_t pid = strtoll(owner + len + 1, &end, 10);
    if (pid <= 0 || *end != '/')
        return false;
    uint64_t start = strtoull(end + 1, NULL, 10);
    return start > 0 && er_system_process(pid, start) == ER_GONE;
}
