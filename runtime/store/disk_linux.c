/* Network file systems, by the magic numbers of Linux's statfs(2). */
#ifdef __linux__

#include "store/disk.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

static const struct {
    unsigned magic;
    const char *name;
} network[] = {
    {0x6969, "NFS"},
    {0x517b, "SMB"},
    {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB2"},
    {0x01021997, "9p"},
    {0x5346414f, "AFS"},
    {0x73757245, "Coda"},
    {0x00c36400, "Ceph"},
    {0x0bd00bd0, "Lustre"},
    {0x47504653, "GPFS"},
    {0x564c, "NCP"},
};

static int check(const char *folder, struct errand_error *err)
{
    struct statfs fs;
    if (statfs(folder, &fs) != 0)
        return ERRAND_OK; /* opening it will say what is wrong */
    for (size_t i = 0; i < sizeof network / sizeof network[0]; i++) {
        if ((unsigned)fs.f_type == network[i].magic)
            return er_fail(err, ERRAND_STORE,
                "the store cannot be in %.100s, which is on %s: its locks "
                "do not hold there; set ERRAND_STORE to a local file",
                folder, network[i].name);
    }
    return ERRAND_OK;
}

int er_disk_check_local(const char *path, struct errand_error *err)
{
    char *folder = er_strdup(path);
    if (!folder)
        return er_nomem(err);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    int code = check(slash ? folder : ".", err);
    free(folder);
    return code;
}

#else
typedef int er_disk_linux_unused; /* C forbids an empty file */
#endif
