/* The tables of system calls.
 *
 * Lua gets an allow-list: the host is ours, and what it needs is known. A
 * plugin brings libraries of its own and a program under `run` can be any;
 * for them everything is refused that reaches other processes, the network,
 * the kernel's own doors, other namespaces, or what Landlock does not watch
 * over: owner, mode and times of files.
 *
 * Calls newer than the headers of older systems stand as numbers; from 424
 * on they are the same on every processor.
 */
#ifdef __linux__
#define _GNU_SOURCE
#include "syscalls.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

enum {
    PIDFD_OPEN = 434,
    CLONE3 = 435,
    PIDFD_GETFD = 438,
    OPENAT2 = 437,
    FACCESSAT2 = 439,
    PROCESS_MADVISE = 440,
    MEMFD_SECRET = 447,
    PROCESS_MRELEASE = 448,
    FCHMODAT2 = 452,
    STATMOUNT = 457,
    LISTMOUNT = 458,
    SETXATTRAT = 463,
    REMOVEXATTRAT = 466,
    OPEN_TREE_ATTR = 467,
    FILE_SETATTR = 469,

    NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                 CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                 CLONE_NEWNET,
    SET_VMA = 0x53564d41, /* a name for memory; glibc gives some */
};

#define ALLOW(name) {SYS_##name, ER_IF_ALWAYS, 0, 0}
#define REFUSE(name) {SYS_##name, ER_IF_NEVER, 0, 0}
#define REFUSE_NR(number) {(number), ER_IF_NEVER, 0, 0}

static const struct er_syscall_rule lua[] = {
    /* the most frequent first */
    ALLOW(read),
    ALLOW(write),
    ALLOW(sendto),
    ALLOW(recvfrom),
    ALLOW(clock_gettime),
    ALLOW(getrusage),
    {SYS_prlimit64, ER_IF_EQUAL, 0, 0}, /* of itself */
    ALLOW(brk),
    {SYS_mmap, ER_IF_BITS_CLEAR, 2, PROT_EXEC},
    {SYS_mprotect, ER_IF_BITS_CLEAR, 2, PROT_EXEC},
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW(futex),
    ALLOW(ppoll),
    ALLOW(close),
    ALLOW(fstat),
    ALLOW(newfstatat),
    ALLOW(statx),
    ALLOW(lseek),
    ALLOW(readv),
    ALLOW(writev),
    ALLOW(shutdown),
    ALLOW(getpid),
    ALLOW(gettid),
    ALLOW(getrandom),
    ALLOW(getcwd),
    ALLOW(gettimeofday),
    ALLOW(clock_nanosleep),
    ALLOW(nanosleep),
    ALLOW(sched_yield),
    ALLOW(rt_sigreturn),
    ALLOW(rt_sigprocmask),
    ALLOW(restart_syscall),
    ALLOW(exit),
    ALLOW(exit_group),
    {SYS_kill, ER_IF_EQUAL, 0, 0}, /* its own group */
    {SYS_kill, ER_IF_SELF, 0, 0},
    {SYS_tgkill, ER_IF_SELF, 0, 0},
    {SYS_fcntl, ER_IF_NOT_ABOVE, 1, F_GETFL},
    {SYS_fcntl, ER_IF_EQUAL, 1, F_DUPFD_CLOEXEC},
#ifdef SYS_poll
    ALLOW(poll),
#endif
#ifdef SYS_stat
    ALLOW(stat),
    ALLOW(lstat),
#endif
#ifdef SYS_getrlimit
    ALLOW(getrlimit),
    {SYS_setrlimit, ER_IF_ALWAYS, 0, 0},
#endif
#ifdef SYS_time
    ALLOW(time),
#endif
};

static const struct er_syscall_rule files[] = {
    ALLOW(openat),
    {OPENAT2, ER_IF_ALWAYS, 0, 0},
    ALLOW(getdents64),
    ALLOW(pread64),
    ALLOW(pwrite64),
    ALLOW(readlinkat),
    ALLOW(unlinkat),
    ALLOW(mkdirat),
    ALLOW(renameat2),
    ALLOW(ftruncate),
    ALLOW(faccessat),
    {FACCESSAT2, ER_IF_ALWAYS, 0, 0},
#ifdef SYS_readlink
    ALLOW(readlink),
#endif
#ifdef SYS_renameat
    ALLOW(renameat),
#endif
#ifdef SYS_open
    ALLOW(open),
#endif
};

static const struct er_syscall_rule refused[] = {
    /* other processes */
    REFUSE(process_vm_readv),
    REFUSE(process_vm_writev),
    REFUSE(kcmp),
    REFUSE_NR(PROCESS_MADVISE),
    REFUSE_NR(PROCESS_MRELEASE),
    REFUSE_NR(PIDFD_OPEN),
    REFUSE_NR(PIDFD_GETFD),
    {SYS_kill, ER_IF_EQUAL, 0, 0}, /* its own group */
    {SYS_kill, ER_IF_SELF, 0, 0},
    {SYS_tgkill, ER_IF_SELF, 0, 0},
    REFUSE(tkill),
    REFUSE(rt_sigqueueinfo),
    REFUSE(rt_tgsigqueueinfo),
    {SYS_prlimit64, ER_IF_EQUAL, 0, 0}, /* of itself */
    {SYS_sched_setaffinity, ER_IF_EQUAL, 0, 0},
    {SYS_sched_setscheduler, ER_IF_EQUAL, 0, 0},
    {SYS_sched_setparam, ER_IF_EQUAL, 0, 0},
    REFUSE(sched_setattr),
    REFUSE(setpriority),
    REFUSE(ioprio_set),
    REFUSE(migrate_pages),
    REFUSE(move_pages),
    /* leaving the group that is killed at the deadline */
    REFUSE(setsid),
    REFUSE(setpgid),
    /* the network, and other ways to speak with whom it should not */
    REFUSE(socket),
    {SYS_socketpair, ER_IF_EQUAL, 0, AF_UNIX},
    REFUSE(bind),
    REFUSE(listen),
    REFUSE(connect),
    REFUSE(accept),
    REFUSE(accept4),
    REFUSE(shmget),
    REFUSE(shmat),
    REFUSE(shmctl),
    REFUSE(semget),
    REFUSE(semop),
    REFUSE(semtimedop),
    REFUSE(semctl),
    REFUSE(msgget),
    REFUSE(msgsnd),
    REFUSE(msgrcv),
    REFUSE(msgctl),
    REFUSE(mq_open),
    REFUSE(mq_unlink),
    {SYS_fcntl, ER_IF_NOT_ABOVE, 1, F_SETLKW},
    {SYS_fcntl, ER_IF_EQUAL, 1, F_DUPFD_CLOEXEC},
    {SYS_fcntl, ER_IF_EQUAL, 1, 1031}, /* the size of a pipe: set, get */
    {SYS_fcntl, ER_IF_EQUAL, 1, 1032},
    {SYS_fcntl, ER_IF_EQUAL, 1, 36}, /* locks of a descriptor */
    {SYS_fcntl, ER_IF_EQUAL, 1, 37},
    {SYS_fcntl, ER_IF_EQUAL, 1, 38},
    {SYS_ioctl, ER_IF_EQUAL, 1, TCGETS},
    {SYS_ioctl, ER_IF_EQUAL, 1, TIOCGWINSZ},
    {SYS_ioctl, ER_IF_EQUAL, 1, FIONREAD},
    {SYS_ioctl, ER_IF_EQUAL, 1, FIONBIO},
    {SYS_ioctl, ER_IF_EQUAL, 1, FIOCLEX},
    /* the kernel's own doors */
    REFUSE(bpf),
    REFUSE(perf_event_open),
    REFUSE(userfaultfd),
    REFUSE(io_setup),
    REFUSE(io_submit),
    REFUSE_NR(425), /* io_uring_setup, _enter, _register */
    REFUSE_NR(426),
    REFUSE_NR(427),
    REFUSE(keyctl),
    REFUSE(add_key),
    REFUSE(request_key),
    REFUSE(personality),
    REFUSE(seccomp),
    REFUSE(init_module),
    REFUSE(finit_module),
    REFUSE(delete_module),
    REFUSE(kexec_load),
    REFUSE(reboot),
    REFUSE(swapon),
    REFUSE(swapoff),
    REFUSE(acct),
    REFUSE(quotactl),
    REFUSE_NR(443), /* quotactl_fd */
    REFUSE(settimeofday),
    REFUSE(clock_settime),
    REFUSE(clock_adjtime),
    REFUSE(adjtimex),
    REFUSE(syslog),
    REFUSE(vhangup),
    REFUSE(sethostname),
    REFUSE(setdomainname),
    REFUSE(lookup_dcookie),
    REFUSE(vmsplice),
    REFUSE_NR(MEMFD_SECRET),
    /* namespaces and mounts */
    REFUSE(unshare),
    REFUSE(setns),
    REFUSE(mount),
    REFUSE(umount2),
    REFUSE(pivot_root),
    REFUSE(chroot),
    REFUSE_NR(428), /* open_tree, move_mount, fsopen, fsconfig, fsmount, */
    REFUSE_NR(429), /* fspick, mount_setattr */
    REFUSE_NR(430),
    REFUSE_NR(431),
    REFUSE_NR(432),
    REFUSE_NR(433),
    REFUSE_NR(442),
    REFUSE_NR(STATMOUNT),
    REFUSE_NR(LISTMOUNT),
    REFUSE_NR(OPEN_TREE_ATTR),
    /* files past Landlock: by number, and what is not their contents */
    REFUSE(name_to_handle_at),
    REFUSE(open_by_handle_at),
    REFUSE(fanotify_init),
    REFUSE(fanotify_mark),
    REFUSE(inotify_init1), /* tells what others do with files */
    REFUSE(truncate), /* before version 3 Landlock does not see it */
    REFUSE(mknodat),
    REFUSE(fchmod),
    REFUSE(fchmodat),
    REFUSE_NR(FCHMODAT2),
    REFUSE(fchown),
    REFUSE(fchownat),
    REFUSE(setxattr),
    REFUSE(lsetxattr),
    REFUSE(fsetxattr),
    REFUSE(removexattr),
    REFUSE(lremovexattr),
    REFUSE(fremovexattr),
    REFUSE_NR(SETXATTRAT),
    REFUSE_NR(REMOVEXATTRAT),
    REFUSE_NR(FILE_SETATTR),
    REFUSE(utimensat),
#ifdef SYS_kexec_file_load
    REFUSE(kexec_file_load),
#endif
#ifdef SYS_inotify_init
    REFUSE(inotify_init),
#endif
#ifdef SYS_chmod
    REFUSE(chmod),
    REFUSE(chown),
    REFUSE(lchown),
    REFUSE(mknod),
    REFUSE(utime),
    REFUSE(utimes),
    REFUSE(futimesat),
#endif
#ifdef SYS_iopl
    REFUSE(iopl),
    REFUSE(ioperm),
    REFUSE(modify_ldt),
    REFUSE(uselib),
    REFUSE(ustat),
    REFUSE(sysfs),
    REFUSE(_sysctl),
#endif
};

/* The sanitizers look into their own process with these. */
static const struct er_syscall_rule looking[] = {
    REFUSE(ptrace),
    {SYS_prctl, ER_IF_EQUAL, 0, PR_SET_NAME},
    {SYS_prctl, ER_IF_EQUAL, 0, PR_GET_NAME},
    {SYS_prctl, ER_IF_EQUAL, 0, PR_GET_DUMPABLE},
    {SYS_prctl, ER_IF_EQUAL, 0, PR_SET_NO_NEW_PRIVS},
    {SYS_prctl, ER_IF_EQUAL, 0, PR_GET_NO_NEW_PRIVS},
    {SYS_prctl, ER_IF_EQUAL, 0, PR_CAPBSET_READ},
    {SYS_prctl, ER_IF_EQUAL, 0, SET_VMA},
};

static const struct er_syscall_rule threads[] = {
    {SYS_clone, ER_IF_BITS_SET, 0, CLONE_THREAD | CLONE_VM},
    {CLONE3, ER_IF_ABSENT, 0, 0}, /* its flags cannot be seen: clone then */
    REFUSE(execve),
    REFUSE(execveat),
#ifdef SYS_fork
    REFUSE(fork),
    REFUSE(vfork),
#endif
};

static const struct er_syscall_rule programs[] = {
    {SYS_clone, ER_IF_BITS_CLEAR, 0, (uint32_t)NAMESPACES},
    {CLONE3, ER_IF_ABSENT, 0, 0},
};

#define TABLE(name) \
    (struct er_syscall_table) { name, sizeof name / sizeof name[0] }

struct er_syscall_table er_syscalls_lua(void) { return TABLE(lua); }
struct er_syscall_table er_syscalls_files(void) { return TABLE(files); }
struct er_syscall_table er_syscalls_refused(void) { return TABLE(refused); }
struct er_syscall_table er_syscalls_looking(void) { return TABLE(looking); }
struct er_syscall_table er_syscalls_threads(void) { return TABLE(threads); }
struct er_syscall_table er_syscalls_programs(void) { return TABLE(programs); }
#else
typedef int er_platform_linux_syscalls_unused; /* C forbids an empty file */
#endif
