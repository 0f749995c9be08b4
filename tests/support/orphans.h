/* A runtime that is killed, and what becomes of what it started. */
#ifndef ERRAND_TESTS_SUPPORT_ORPHANS_H
#define ERRAND_TESTS_SUPPORT_ORPHANS_H

#include "children.h"
#include "tool_kit.h"

#include <signal.h>
#include <sys/wait.h>

/* Processes of a group that run; those that only wait to be reaped do not. */
static inline int group_count(pid_t group)
{
    int n = 0;
    DIR *dir = opendir("/proc");
    struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL) {
        char path[300], line[512] = "", state = 'Z';
        long ppid = 0, pgrp = 0;
        if (e->d_name[0] < '1' || e->d_name[0] > '9')
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        FILE *f = fopen(path, "r");
        const char *rest = f && fgets(line, sizeof line, f)
                               ? strrchr(line, ')') : NULL;
        if (rest && sscanf(rest, ") %c %ld %ld", &state, &ppid, &pgrp) == 3 &&
            pgrp == group && state != 'Z')
            n++;
        if (f)
            fclose(f);
    }
    if (dir)
        closedir(dir);
    return n;
}

/* The newest child of this process that leads a session: a worker. */
static inline pid_t newest_worker(void)
{
    pid_t pids[16], found = 0;
    int n = our_children(pids, 16);
    for (int i = 0; i < n; i++)
        if (getsid(pids[i]) == pids[i] && pids[i] > found)
            found = pids[i];
    return found;
}

/* In a process of its own: begin is to get a worker to work and to return
 * its number; then that process is killed. No one of the worker's group may
 * live on. */
static inline void killed_runtime_leaves_nothing(
    pid_t (*begin)(struct kit *k))
{
    int ends[2];
    pid_t worker = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t runtime = fork();
    assert_true(runtime >= 0);
    if (runtime == 0) {
        struct kit k;
        kit_open(&k, NULL, 1);
        worker = begin(&k);
        kit_remove_files(k.dir);
        if (write(ends[1], &worker, sizeof worker) < 0)
            _exit(1);
        raise(SIGKILL);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &worker, sizeof worker),
        (ssize_t)sizeof worker);
    close(ends[0]);
    assert_int_equal(waitpid(runtime, NULL, 0), runtime);
    assert_true(worker > 1);
    int left = 1;
    for (int i = 0; i < 6000 && left > 0; i++) {
        left = group_count(worker);
        usleep(10000);
    }
    assert_int_equal(left, 0);
}

#endif
