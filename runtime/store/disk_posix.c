/* POSIX alone does not tell what kind of file system a file is on. */
#ifndef __linux__

#include "store/disk.h"

int er_disk_check_local(const char *path, struct errand_error *err)
{
    (void)path;
    (void)err;
    return ERRAND_OK;
}

#else
typedef int er_disk_posix_unused; /* C forbids an empty file */
#endif
