/* The processes that this one has started. */
#ifndef ERRAND_TESTS_SUPPORT_CHILDREN_H
#define ERRAND_TESTS_SUPPORT_CHILDREN_H

#include <dirent.h>
#include <stdio.h>
#include <sys/types.h>

/* Their numbers into out, at most max; how many. Each thread has its own. */
static inline int our_children(pid_t *out, int max)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/task");
    struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL) {
        char path[300];
        long pid;
        snprintf(path, sizeof path, "/proc/self/task/%s/children", e->d_name);
        FILE *f = fopen(path, "r");
        while (f && n < max && fscanf(f, "%ld", &pid) == 1)
            out[n++] = (pid_t)pid;
        if (f)
            fclose(f);
    }
    if (dir)
        closedir(dir);
    return n;
}

#endif
