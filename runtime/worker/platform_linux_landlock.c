/* Landlock: the file system, TCP, abstract sockets and signals.
 *
 * The kernel says which version it has, and what it does not know is taken
 * off the list. Nothing is open for that: what later versions watch over
 * (truncate, TCP, devices, signals) the filter of system calls refuses as
 * well. The numbers stand here because the headers of older systems lack the
 * newer ones.  Source: landlock(7), linux/landlock.h.
 */
#ifdef __linux__
#define _GNU_SOURCE
#include "cage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    CREATE_RULESET = 444, /* the same on every system since */
    ADD_RULE = 445,
    RESTRICT_SELF = 446,
    ASK_VERSION = 1,
    PATH_BENEATH = 1,
};

enum right {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_CHAR = 1 << 6,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    MAKE_SOCK = 1 << 9,
    MAKE_FIFO = 1 << 10,
    MAKE_BLOCK = 1 << 11,
    MAKE_SYM = 1 << 12,
    REFER = 1 << 13,     /* move between folders: version 2 */
    TRUNCATE = 1 << 14,  /* version 3 */
    IOCTL_DEV = 1 << 15, /* version 5 */

    RIGHTS_1 = (1 << 13) - 1,
    NET_TCP = 3,   /* bind, connect: version 4 */
    SCOPE_ALL = 3, /* abstract sockets, signals: version 6 */

    ON_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV,
    READING = READ_FILE | READ_DIR,
    WRITING = WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR |
              MAKE_REG | REFER,
};

struct ruleset_attr { /* grown at its end, as the kernel's is */
    uint64_t fs, net, scoped;
};

struct __attribute__((packed)) beneath_attr {
    uint64_t allowed;
    int32_t fd;
};

static uint64_t known_rights(long abi)
{
    uint64_t rights = RIGHTS_1;
    if (abi >= 2)
        rights |= REFER;
    if (abi >= 3)
        rights |= TRUNCATE;
    if (abi >= 5)
        rights |= IOCTL_DEV;
    return rights;
}

static long new_ruleset(long abi)
{
    struct ruleset_attr attr = {.fs = known_rights(abi),
        .net = abi >= 4 ? NET_TCP : 0,
        .scoped = abi >= 6 ? SCOPE_ALL : 0};
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    return syscall(CREATE_RULESET, &attr, size, 0U);
}

/* Allow rights on what fd leads to; those that a file cannot have, or the
 * kernel does not know, are left out. */
static bool allow_fd(int set, long abi, int fd, uint64_t rights)
{
    struct beneath_attr attr = {
        .allowed = rights & known_rights(abi), .fd = fd};
    struct stat st;
    if (fstat(fd, &st) != 0)
        return false;
    if (!S_ISDIR(st.st_mode))
        attr.allowed &= ON_FILE;
    if (attr.allowed == 0)
        return true;
    return syscall(ADD_RULE, set, PATH_BENEATH, &attr, 0U) == 0;
}

static bool allow_roots(
    int set, long abi, const struct er_roots *roots, uint64_t rights)
{
    for (size_t i = 0; i < roots->n; i++)
        if (roots->list[i].fd >= 0 &&
            !allow_fd(set, abi, roots->list[i].fd, rights))
            return false;
    return true;
}

/* What may be loaded; of a folder no more than that it is one. */
static bool allow_files(int set, long abi, const struct er_roots *files)
{
    for (size_t i = 0; i < files->n; i++) {
        const struct er_root *file = &files->list[i];
        if (file->fd >= 0 && !allow_fd(set, abi, file->fd,
                                 file->is_folder ? READ_DIR : READ_FILE))
            return false;
    }
    return true;
}

/* A path that may be missing here. */
static bool allow_path(int set, long abi, const char *path, uint64_t rights)
{
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return true;
    bool ok = allow_fd(set, abi, fd, rights);
    close(fd);
    return ok;
}

/* What a program made of libraries cannot do without. */
static bool allow_system(int set, long abi, const struct er_cage *cage)
{
    static const char *const libraries[] = {"/lib", "/lib64", "/usr/lib",
        "/usr/lib64", "/usr/local/lib", "/usr/libexec"};
    static const char *const read[] = {"/etc/ld.so.cache", "/etc/localtime",
        "/usr/share/zoneinfo", "/dev/urandom", "/dev/zero"};
    static const char *const read_by_programs[] = {"/etc/passwd",
        "/etc/group", "/etc/nsswitch.conf", "/etc/gitconfig",
        "/etc/alternatives", "/usr/share"};
    bool runs = cage->run.n > 0, ok = true;
    uint64_t rights = runs ? READING | EXECUTE : READING;
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        ok = ok && allow_path(set, abi, libraries[i], rights);
    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++)
        ok = ok && allow_path(set, abi, read[i], READING);
    for (size_t i = 0;
         runs && i < sizeof read_by_programs / sizeof read_by_programs[0];
         i++)
        ok = ok && allow_path(set, abi, read_by_programs[i], READING);
    return ok && allow_path(
                     set, abi, "/dev/null", READ_FILE | WRITE_FILE);
}

static bool add_rules(int set, long abi, const struct er_cage *cage)
{
    bool ok = allow_roots(set, abi, &cage->read, READING) &&
              allow_roots(set, abi, &cage->write, WRITING) &&
              allow_files(set, abi, &cage->files) &&
              allow_roots(set, abi, &cage->run, READ_FILE | EXECUTE);
    if (cage->kind != ER_CAGE_LUA || cage->run.n > 0)
        ok = ok && allow_system(set, abi, cage);
    if (ER_SANITIZED) /* they look at their own memory map */
        ok = ok && allow_path(set, abi, "/proc", READING);
    return ok;
}

static void report_version(long abi, struct er_cage_report *report)
{
    char number[24];
    snprintf(number, sizeof number, "%ld", abi);
    er_cage_holds(report, "landlock", number);
    if (abi < 2)
        er_cage_lacks(report, "this kernel's Landlock is of version 1: a "
                              "tool cannot move files between folders");
}

bool er_platform_confine(const struct er_cage *cage,
    struct er_cage_report *report, const char **why)
{
    long abi = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
    if (abi < 1) {
        er_cage_holds(report, "landlock", "0");
        er_cage_lacks(report,
            "this kernel has no Landlock (it needs Linux 5.13 with "
            "lsm=landlock): if a tool breaks out of its interpreter, it can "
            "reach the files that you can");
        return true;
    }
    long set = new_ruleset(abi);
    bool ok = set >= 0 && add_rules((int)set, abi, cage) &&
              syscall(RESTRICT_SELF, set, 0U) == 0;
    if (set >= 0)
        close((int)set);
    if (!ok)
        *why = "the file system cannot be shut away (Landlock)";
    else
        report_version(abi, report);
    return ok;
}
#else
typedef int er_platform_linux_landlock_unused; /* C forbids an empty file */
#endif
