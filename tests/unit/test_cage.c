/* The cage itself: a process locks itself in with the worker's own code, and
 * then tries system calls directly, as code would that broke out of Lua, or
 * as a plugin may. Each attempt has a process of its own.
 *
 * Four cages: Lua without grants, Lua with roots, a plugin with roots, and a
 * plugin that may run a program. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/json.h"
#include "worker/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

enum cage_kind { EMPTY = 1, ROOTS = 2, PLUGIN = 4, RUN = 8, ALL = 15 };

static char dir[] = "/tmp/errand-cage-XXXXXX";
static pid_t parent;
static int before = -1; /* a descriptor on "/" from before the lock */

static const char *at(const char *name)
{
    static char paths[4][200];
    static int next;
    char *p = paths[next++ % 4];
    snprintf(p, sizeof paths[0], "%s/%s", dir, name);
    return p;
}

/* --- attempts: each says whether it got through */

static bool got(long rc) { return rc >= 0; }

static bool opens(const char *path, int flags)
{
    return got(open(path, flags, 0600));
}

static bool f_passwd(void) { return opens("/etc/passwd", O_RDONLY); }
static bool f_root(void) { return opens("/", O_RDONLY | O_DIRECTORY); }
static bool f_memory(void) { return opens("/proc/self/mem", O_RDWR); }
static bool f_environ(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/environ", (long)parent);
    return opens(path, O_RDONLY);
}
static bool f_device(void) { return opens("/dev/kmsg", O_RDONLY); }
static bool f_outside(void) { return opens(at("victim.txt"), O_RDONLY); }
static bool f_dots(void)
{
    return opens(at("read/../victim.txt"), O_RDONLY);
}
static bool f_link(void) { return opens(at("read/link"), O_RDONLY); }
static bool f_link_up(void)
{
    return opens(at("read/up/victim.txt"), O_RDONLY);
}
static bool f_old_descriptor(void)
{
    return got(openat(before, "etc/passwd", O_RDONLY));
}
static bool f_openat2(void)
{
    uint64_t how[3] = {O_RDONLY};
    return got(syscall(437, AT_FDCWD, "/etc/passwd", how, sizeof how));
}
static bool f_magic(void)
{
    int fd = open(at("read"), O_PATH);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d/../victim.txt", fd);
    return opens(path, O_RDONLY);
}
static bool f_write_in_read(void) { return opens(at("read/x"), O_WRONLY); }
static bool f_make_in_read(void)
{
    return opens(at("read/new"), O_WRONLY | O_CREAT);
}
static bool f_read_in_write(void) { return opens(at("write/w"), O_RDONLY); }
static bool f_truncate(void) { return got(truncate(at("read/x"), 0)); }
static bool f_truncate_outside(void)
{
    return got(truncate(at("victim.txt"), 0));
}
static bool f_unlink(void) { return got(unlink(at("victim.txt"))); }
static bool f_unlink_in_read(void) { return got(unlink(at("read/x"))); }
static bool f_rename_in(void)
{
    return got(rename(at("victim.txt"), at("write/got")));
}
static bool f_rename_out(void)
{
    return got(rename(at("write/w"), at("out")));
}
static bool f_hard_link(void)
{
    return got(link(at("victim.txt"), at("write/hard")));
}
static bool f_symlink(void)
{
    return got(symlink(at("victim.txt"), at("write/soft")));
}
static bool f_fifo(void) { return got(mkfifo(at("write/fifo"), 0600)); }
static bool f_node(void)
{
    return got(mknod(at("write/node"), S_IFCHR | 0600, 259));
}
static bool f_chmod(void) { return got(chmod(at("victim.txt"), 0777)); }
static bool f_chmod_inside(void) { return got(chmod(at("read/x"), 0777)); }
static bool f_chown(void) { return got(chown(at("read/x"), 1, 1)); }
static bool f_times(void) { return got(utimes(at("victim.txt"), NULL)); }
static bool f_xattr(void)
{
    return got(setxattr(at("read/x"), "user.x", "y", 1, 0));
}
static bool f_handle(void)
{
    struct {
        unsigned bytes;
        int type;
        char data[128];
    } handle = {.bytes = 128};
    int mount;
    return got(syscall(SYS_name_to_handle_at, AT_FDCWD, "/etc/passwd",
        &handle, &mount, 0));
}
static bool f_chroot(void) { return got(chroot(dir)); }
static bool f_large(void)
{
    int fd = open(at("write/large"), O_WRONLY | O_CREAT, 0600);
    return fd >= 0 && got(pwrite(fd, "x", 1, (off_t)8 << 30));
}
static bool f_inotify(void) { return got(syscall(SYS_inotify_init1, 0)); }
static bool f_fanotify(void) { return got(syscall(SYS_fanotify_init, 0, 0)); }

static bool s_inet(void) { return got(socket(AF_INET, SOCK_STREAM, 0)); }
static bool s_inet6(void) { return got(socket(AF_INET6, SOCK_DGRAM, 0)); }
static bool s_unix(void) { return got(socket(AF_UNIX, SOCK_STREAM, 0)); }
static bool s_netlink(void) { return got(socket(AF_NETLINK, SOCK_RAW, 0)); }
static bool s_packet(void) { return got(socket(AF_PACKET, SOCK_RAW, 0)); }
static bool s_vsock(void) { return got(socket(40, SOCK_STREAM, 0)); }
static bool s_alg(void) { return got(socket(38, SOCK_SEQPACKET, 0)); }
static bool s_mptcp(void) { return got(socket(AF_INET, SOCK_STREAM, 262)); }
static bool s_pair(void)
{
    int fds[2];
    return got(socketpair(AF_INET, SOCK_STREAM, 0, fds));
}

static bool p_fork(void)
{
    long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return got(pid);
}
static bool p_fork_again(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return got(pid);
}
static bool p_clone3(void)
{
    uint64_t args[8] = {[4] = SIGCHLD};
    long pid = syscall(435, args, sizeof args);
    if (pid == 0)
        _exit(0);
    return got(pid);
}
static bool p_exec(void)
{
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"exit 1"}, NULL};
    execv("/bin/sh", argv); /* if it works, its status is "escaped" */
    return false;
}
static bool p_exec_memory(void)
{
    char *argv[] = {(char[]){"x"}, NULL}, *none[] = {NULL};
    long fd = syscall(SYS_memfd_create, "x", 0);
    if (fd >= 0 && write((int)fd, "#!/bin/sh\nexit 1\n", 17) == 17)
        syscall(SYS_execveat, fd, "", argv, none, AT_EMPTY_PATH);
    return false;
}
static bool p_exec_loader(void)
{
    char *argv[] = {(char[]){"ld.so"}, (char[]){"/bin/false"}, NULL};
    execv("/lib64/ld-linux-x86-64.so.2", argv);
    execv("/lib/ld-linux-aarch64.so.1", argv);
    return false;
}
static bool p_kill(void) { return got(kill(parent, 0)); }
static bool p_kill_all(void) { return got(kill(-1, 0)); }
static bool p_kill_group(void) { return got(kill(-getpgid(parent), 0)); }
static bool p_tgkill(void)
{
    return got(syscall(SYS_tgkill, parent, parent, 0));
}
static bool p_tkill(void) { return got(syscall(SYS_tkill, parent, 0)); }
static bool p_queue(void)
{
    siginfo_t info = {.si_code = SI_QUEUE};
    return got(syscall(SYS_rt_sigqueueinfo, parent, SIGURG, &info));
}
static bool p_pidfd(void) { return got(syscall(434, parent, 0)); }
static bool p_pidfd_getfd(void) { return got(syscall(438, 0, 0, 0)); }
static bool p_owner(void)
{
    return got(fcntl(0, F_SETOWN, parent)) && got(fcntl(0, F_SETSIG, 9));
}
static bool p_attach(void)
{
    return got(ptrace(PTRACE_SEIZE, parent, NULL, NULL));
}
static bool p_traceme(void)
{
    return got(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}
static bool p_peek(void)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {dir, 1};
    return got(process_vm_readv(parent, &here, 1, &there, 1, 0));
}
static bool p_poke(void)
{
    char byte = '/';
    struct iovec here = {&byte, 1}, there = {dir, 1};
    return got(process_vm_writev(parent, &here, 1, &there, 1, 0));
}
static bool p_limits(void)
{
    struct rlimit r = {1 << 20, 1 << 20};
    return got(prlimit(parent, RLIMIT_NOFILE, &r, NULL));
}
static bool p_affinity(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    return got(sched_setaffinity(parent, sizeof set, &set));
}
static bool p_nice(void)
{
    return got(setpriority(PRIO_PROCESS, (id_t)parent, 10));
}
static bool p_session(void) { return got(setsid()); }
static bool p_group(void) { return got(setpgid(0, 0)); }
static bool p_orphan(void) { return got(prctl(PR_SET_PDEATHSIG, 0)); }
static bool p_dumpable(void) { return got(prctl(PR_SET_DUMPABLE, 1)); }
static bool p_reaper(void)
{
    return got(prctl(PR_SET_CHILD_SUBREAPER, 1));
}

static bool k_unshare(void) { return got(unshare(CLONE_NEWUSER)); }
static bool k_unshare_net(void) { return got(unshare(CLONE_NEWNET)); }
static bool k_namespace(void)
{
    long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return got(pid);
}
static bool k_setns(void) { return got(setns(before, 0)); }
static bool k_mount(void)
{
    return got(mount("none", "/tmp", "tmpfs", 0, NULL));
}
static bool k_fsopen(void) { return got(syscall(430, "tmpfs", 0)); }
static bool k_open_tree(void)
{
    return got(syscall(428, AT_FDCWD, "/", 1));
}
static bool k_bpf(void) { return got(syscall(SYS_bpf, 0, NULL, 0)); }
static bool k_perf(void)
{
    char attr[128] = {0};
    return got(syscall(SYS_perf_event_open, attr, 0, -1, -1, 0));
}
static bool k_userfault(void)
{
    return got(syscall(SYS_userfaultfd, 1));
}
static bool k_uring(void)
{
    char params[200] = {0};
    return got(syscall(425, 4, params));
}
static bool k_aio(void)
{
    unsigned long ctx = 0;
    return got(syscall(SYS_io_setup, 1, &ctx));
}
static bool k_keys(void) { return got(syscall(SYS_keyctl, 0, -3, 1)); }
static bool k_add_key(void)
{
    return got(syscall(SYS_add_key, "user", "x", "y", 1, -3));
}
static bool k_personality(void)
{
    return got(personality(ADDR_NO_RANDOMIZE));
}
static bool k_filter(void)
{
    return got(syscall(SYS_seccomp, 1, 0, NULL));
}
static bool k_hostname(void) { return got(sethostname("x", 1)); }
static bool k_clock(void)
{
    struct timeval t;
    gettimeofday(&t, NULL);
    return got(settimeofday(&t, NULL));
}
static bool k_syslog(void)
{
    char text[16];
    return got(syscall(SYS_syslog, 3, text, sizeof text));
}
static bool k_module(void)
{
    return got(syscall(SYS_finit_module, 0, "", 0)) || errno == EBADF;
}
static bool k_capabilities(void)
{
    struct __user_cap_header_struct head = {
        .version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct all[2] = {{.effective = 1u << 21,
        .permitted = 1u << 21}};
    return got(syscall(SYS_capset, &head, all));
}
static bool k_shared_memory(void)
{
    return got(syscall(SYS_shmget, 0, 4096, 01600));
}
static bool k_semaphore(void)
{
    return got(syscall(SYS_semget, 0, 1, 01600));
}
static bool k_queue(void) { return got(syscall(SYS_msgget, 0, 01600)); }
static bool k_mqueue(void)
{
    return got(syscall(SYS_mq_open, "x", O_RDWR | O_CREAT, 0600, NULL));
}
static bool k_terminal(void)
{
    char c = 'x';
    return got(ioctl(0, TIOCSTI, &c)) || errno == ENOTTY;
}

static bool m_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}
static bool m_code_later(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED &&
           got(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}
static bool m_large(void)
{
    return mmap(NULL, (size_t)8 << 30, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}
static bool m_lock(void)
{
    void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED && got(mlock(p, 1 << 20));
}
static bool m_descriptors(void)
{
    for (int i = 0; i < 1000; i++)
        if (fcntl(0, F_DUPFD_CLOEXEC, 0) < 0)
            return false;
    return true;
}
static bool m_raise(void)
{
    struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};
    return got(setrlimit(RLIMIT_AS, &r)) || got(setrlimit(RLIMIT_CORE, &r));
}

#if defined(__x86_64__)
static bool x_x32(void) { return got(syscall(0x40000000 + SYS_getpid)); }
static bool x_old_calls(void)
{
    int rc = 20; /* getpid of the 32-bit calls; killed if all is well */
    __asm__ volatile("int $0x80" : "+a"(rc) : : "memory");
    return rc > 0;
}
#endif

#define TRY(fn, in) {#fn, fn, in}

static const struct attempt {
    const char *name;
    bool (*try_it)(void);
    int in; /* where it must be contained */
} attempts[] = {
    TRY(f_passwd, EMPTY | ROOTS | PLUGIN), TRY(f_root, ALL),
    TRY(f_memory, ALL), TRY(f_environ, ALL), TRY(f_device, ALL),
    TRY(f_outside, ALL), TRY(f_dots, ALL), TRY(f_link, ALL),
    TRY(f_link_up, ALL), TRY(f_old_descriptor, EMPTY | ROOTS | PLUGIN),
    TRY(f_openat2, EMPTY | ROOTS | PLUGIN), TRY(f_magic, ALL),
    TRY(f_write_in_read, ALL), TRY(f_make_in_read, ALL),
    TRY(f_read_in_write, ALL), TRY(f_truncate, ALL),
    TRY(f_truncate_outside, ALL), TRY(f_unlink, ALL),
    TRY(f_unlink_in_read, ALL), TRY(f_rename_in, ALL),
    TRY(f_rename_out, ALL), TRY(f_hard_link, ALL), TRY(f_symlink, ALL),
    TRY(f_fifo, ALL), TRY(f_node, ALL), TRY(f_chmod, ALL),
    TRY(f_chmod_inside, ALL), TRY(f_chown, ALL), TRY(f_times, ALL),
    TRY(f_xattr, ALL), TRY(f_handle, ALL), TRY(f_chroot, ALL),
    TRY(f_large, ALL), TRY(f_inotify, ALL), TRY(f_fanotify, ALL),

    TRY(s_inet, ALL), TRY(s_inet6, ALL), TRY(s_unix, ALL),
    TRY(s_netlink, ALL), TRY(s_packet, ALL), TRY(s_vsock, ALL),
    TRY(s_alg, ALL), TRY(s_mptcp, ALL), TRY(s_pair, ALL),

    TRY(p_fork, EMPTY | ROOTS | PLUGIN),
    TRY(p_fork_again, EMPTY | ROOTS | PLUGIN), TRY(p_clone3, ALL),
    TRY(p_exec, ALL), TRY(p_exec_memory, ALL), TRY(p_exec_loader, ALL),
    TRY(p_kill, ALL), TRY(p_kill_all, ALL), TRY(p_kill_group, ALL),
    TRY(p_tgkill, ALL), TRY(p_tkill, ALL), TRY(p_queue, ALL),
    TRY(p_pidfd, ALL), TRY(p_pidfd_getfd, ALL), TRY(p_owner, ALL),
    TRY(p_attach, ALL), TRY(p_traceme, ALL), TRY(p_peek, ALL),
    TRY(p_poke, ALL), TRY(p_limits, ALL), TRY(p_affinity, ALL),
    TRY(p_nice, ALL), TRY(p_session, ALL), TRY(p_group, ALL),
    TRY(p_orphan, ALL), TRY(p_dumpable, ALL), TRY(p_reaper, ALL),

    TRY(k_unshare, ALL), TRY(k_unshare_net, ALL), TRY(k_namespace, ALL),
    TRY(k_setns, ALL), TRY(k_mount, ALL), TRY(k_fsopen, ALL),
    TRY(k_open_tree, ALL), TRY(k_bpf, ALL), TRY(k_perf, ALL),
    TRY(k_userfault, ALL), TRY(k_uring, ALL), TRY(k_aio, ALL),
    TRY(k_keys, ALL), TRY(k_add_key, ALL), TRY(k_personality, ALL),
    TRY(k_filter, ALL), TRY(k_hostname, ALL), TRY(k_clock, ALL),
    TRY(k_syslog, ALL), TRY(k_module, ALL), TRY(k_capabilities, ALL),
    TRY(k_shared_memory, ALL), TRY(k_semaphore, ALL), TRY(k_queue, ALL),
    TRY(k_mqueue, ALL), TRY(k_terminal, ALL),

    TRY(m_code, EMPTY | ROOTS), TRY(m_code_later, EMPTY | ROOTS),
    TRY(m_large, ALL), TRY(m_lock, ALL), TRY(m_descriptors, ALL),
    TRY(m_raise, ALL),
#if defined(__x86_64__)
    TRY(x_x32, ALL), TRY(x_old_calls, ALL),
#endif
};

/* --- what must go on working */

static bool w_read(void) { return opens(at("read/x"), O_RDONLY); }
static bool w_list(void) { return opens(at("read"), O_RDONLY | O_DIRECTORY); }
static bool w_write(void)
{
    int fd = open(at("write/new"), O_WRONLY | O_CREAT, 0600);
    return fd >= 0 && write(fd, "x", 1) == 1 &&
           got(renameat(-1, at("write/new"), -1, at("write/newer"))) &&
           got(unlinkat(-1, at("write/newer"), 0)) &&
           got(mkdirat(-1, at("write/sub"), 0700)) &&
           got(unlinkat(-1, at("write/sub"), AT_REMOVEDIR));
}
static bool w_memory(void)
{
    void *p = malloc(64 << 20);
    bool ok = p != NULL;
    free(p);
    return ok;
}
static bool w_time(void)
{
    struct tm tm;
    time_t now = time(NULL);
    return localtime_r(&now, &tm) != NULL;
}
static bool w_raise(void)
{
    return got(kill(getpid(), 0)) && got(kill(0, 0));
}
static bool w_run(void)
{
    int status;
    pid_t pid = fork();
    char *argv[] = {(char[]){"true"}, NULL};
    if (pid == 0) {
        execv("/bin/true", argv);
        execv("/usr/bin/true", argv);
        _exit(9);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid &&
           WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
static bool w_run_other(void)
{
    int status;
    pid_t pid = fork();
    char *argv[] = {(char[]){"false"}, NULL};
    if (pid == 0) {
        execv("/bin/false", argv);
        execv("/usr/bin/false", argv);
        _exit(errno == EACCES ? 7 : 8);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid &&
           WIFEXITED(status) && WEXITSTATUS(status) == 7;
}

static const struct attempt works[] = {
    TRY(w_read, ROOTS | PLUGIN | RUN), TRY(w_list, ROOTS | PLUGIN | RUN),
    TRY(w_write, ROOTS | PLUGIN | RUN), TRY(w_memory, ALL), TRY(w_time, ALL),
    TRY(w_raise, ALL), TRY(w_run, RUN), TRY(w_run_other, RUN),
};

/* --- running them */

static json_t *lock_request(int kind)
{
    char text[800];
    const char *roots = "", *run = "", *name = "lua";
    char lists[400];
    snprintf(lists, sizeof lists,
        ",\"read\":[\"%s/read\"],\"write\":[\"%s/write\"]", dir, dir);
    if (kind != EMPTY)
        roots = lists;
    if (kind == PLUGIN || kind == RUN)
        name = "plugin";
    if (kind == RUN)
        run = ",\"run\":[\"true\"]";
    snprintf(text, sizeof text, "{\"kind\":\"%s\"%s%s}", name, roots, run);
    return er_json_parse(text, strlen(text), ER_JSON_STRICT, NULL);
}

enum { CONTAINED = 0, ESCAPED = 1, NO_LOCK = 3 };

/* Kernels that lack walls: a filter over this process answers for them. */
enum { AS_IT_IS = -1, NO_LANDLOCK = 0, NO_SECCOMP = 100 };
static int kernel = AS_IT_IS; /* or the version of Landlock it says it has */

#if defined(__x86_64__) || defined(__aarch64__)
static void refuse_calls(struct sock_filter *steps, size_t n)
{
    struct sock_fprog program = {.len = (unsigned short)n, .filter = steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
        _exit(NO_LOCK);
}

/* One call, if its argument is value, gives that error. */
static void pretend_missing(int call, int argument, unsigned value, int error)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
            (unsigned)offsetof(struct seccomp_data, args) +
                8 * (unsigned)argument),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    refuse_calls(steps, sizeof steps / sizeof steps[0]);
}

/* Answer the one question for Landlock's version, which comes from a child
 * of this process, and end as it does. */
static void answer_version(int listener, pid_t child)
{
    struct seccomp_notif question = {0};
    int status = 0;
    alarm(60); /* it never asked */
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) == 0) {
        struct seccomp_notif_resp answer = {
            .id = question.id, .val = kernel};
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    waitpid(child, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : CONTAINED);
}

static void pretend_version(void)
{
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 444, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
            (unsigned)offsetof(struct seccomp_data, args) + 16),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {.len = 6, .filter = steps};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        _exit(NO_LOCK);
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
        SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
    if (listener < 0)
        _exit(NO_LOCK);
    pid_t child = fork();
    if (child != 0)
        answer_version(listener, child);
    close(listener);
}

static void pretend(void)
{
    if (kernel == NO_LANDLOCK)
        pretend_missing(444, 2, 1, ENOSYS);
    else if (kernel == NO_SECCOMP)
        pretend_missing(SYS_prctl, 0, PR_SET_SECCOMP, EINVAL);
    else if (kernel != AS_IT_IS)
        pretend_version();
}
#else
static void pretend(void) {}
#endif

static void in_child(int kind, bool (*try_it)(void))
{
    struct er_cage cage = {0};
    struct er_buf out;
    er_buf_init(&out, 1 << 20);
    pretend();
    before = open("/", O_PATH);
    json_t *request = lock_request(kind);
    if (!er_op_lock(request, &cage, &out))
        _exit(NO_LOCK);
    _exit(try_it() ? ESCAPED : CONTAINED);
}

/* How the attempt ended: CONTAINED also if it was killed for it. (A loader
 * that started and could open no program ends with 127.) */
static int attempt_in(int kind, bool (*try_it)(void))
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        in_child(kind, try_it);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : CONTAINED;
}

static bool is_caged(void)
{
    if (!ER_SANITIZED && syscall(444, NULL, 0, 1) >= 1)
        return true;
    print_message("skipped: built with sanitizers, or without Landlock\n");
    return false;
}

static void put(const char *name, const char *text)
{
    int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int set_up(void **state)
{
    (void)state;
    parent = getpid();
    if (!mkdtemp(dir))
        return 1;
    assert_int_equal(mkdir(at("read"), 0700), 0);
    assert_int_equal(mkdir(at("write"), 0700), 0);
    put("victim.txt", "whole");
    put("read/x", "x");
    put("write/w", "w");
    assert_int_equal(symlink("../victim.txt", at("read/link")), 0);
    assert_int_equal(symlink("..", at("read/up")), 0);
    return 0;
}

static int tear_down(void **state)
{
    char command[200];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void test_cage_contains_every_attempt(void **state)
{
    enum { N = sizeof attempts / sizeof attempts[0] };
    int escaped = 0;
    (void)state;
    if (!is_caged())
        skip();
    for (size_t i = 0; i < N; i++) {
        for (int kind = EMPTY; kind <= RUN; kind <<= 1) {
            if (!(attempts[i].in & kind))
                continue;
            int rc = attempt_in(kind, attempts[i].try_it);
            bool bad = rc == ESCAPED || rc == NO_LOCK;
            if (bad)
                print_message("%s in cage %d: %s\n", attempts[i].name, kind,
                    rc == NO_LOCK ? "no lock" : "got through");
            escaped += bad;
        }
    }
    assert_int_equal(escaped, 0);
    struct stat st;
    assert_int_equal(stat(at("victim.txt"), &st), 0);
    assert_int_equal(st.st_size, 5);
    assert_true((st.st_mode & 0777) == 0600);
    assert_int_equal(stat(at("read/x"), &st), 0);
    assert_true((st.st_mode & 0777) == 0600);
}

/* The same attempts do get through without the cage, most of them: so it is
 * the cage that holds them. Which do depends on who runs the test. */
static void test_cage_is_what_contains_them(void **state)
{
    static const char *const sure[] = {"f_passwd", "f_outside", "s_unix",
        "s_inet", "p_fork", "p_kill", "m_code", "f_chmod_inside",
        "p_session", "f_fifo"};
    (void)state;
    if (!is_caged())
        skip();
    for (size_t i = 0; i < sizeof sure / sizeof sure[0]; i++) {
        for (size_t k = 0; k < sizeof attempts / sizeof attempts[0]; k++) {
            int status;
            if (strcmp(attempts[k].name, sure[i]) != 0)
                continue;
            pid_t pid = fork();
            if (pid == 0)
                _exit(attempts[k].try_it() ? ESCAPED : CONTAINED);
            waitpid(pid, &status, 0);
            if (!WIFEXITED(status) || WEXITSTATUS(status) != ESCAPED)
                fail_msg("%s proves nothing", sure[i]);
        }
    }
    unlink(at("write/fifo"));
}

static void test_cage_lets_work_what_is_granted(void **state)
{
    (void)state;
    if (!is_caged())
        skip();
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++)
        for (int kind = EMPTY; kind <= RUN; kind <<= 1)
            if ((works[i].in & kind) &&
                attempt_in(kind, works[i].try_it) != ESCAPED)
                fail_msg("%s does not work in cage %d", works[i].name, kind);
}

/* What the answer says holds, and what it says when a lock is wrong. */
static void test_cage_reports(void **state)
{
    static const char *const wrong[] = {"{}", "{\"kind\":\"other\"}",
        "{\"kind\":\"lua\",\"read\":5}", "{\"kind\":\"lua\",\"read\":[5]}",
        "{\"kind\":\"lua\",\"memory_mb\":-1}",
        "{\"kind\":\"lua\",\"secret\":{}}"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct er_cage cage = {0};
        struct er_buf out;
        er_buf_init(&out, 1 << 20);
        json_t *request = er_json_parse(
            wrong[i], strlen(wrong[i]), ER_JSON_STRICT, NULL);
        assert_false(er_op_lock(request, &cage, &out));
        assert_non_null(strstr(out.data, "\"ok\":false,\"message\":"));
        er_buf_release(&out);
        er_cage_release(&cage);
        json_decref(request);
    }
}

/* The answer to a lock on the pretended kernel must have these words. */
static void reports(int which, int kind, const char *holds, const char *gap)
{
    int status;
    kernel = which;
    pid_t pid = fork();
    if (pid == 0) {
        struct er_cage cage = {0};
        struct er_buf out;
        er_buf_init(&out, 1 << 20);
        pretend();
        json_t *request = lock_request(kind);
        bool ok = er_op_lock(request, &cage, &out);
        _exit(!ok ? 3 : !strstr(out.data, holds) ? 4
                : !strstr(out.data, gap)         ? 5 : 0);
    }
    kernel = AS_IT_IS;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static bool can_pretend(int which)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        kernel = which;
        pretend();
        _exit(syscall(444, NULL, 0, 1) == which ? ESCAPED : NO_LOCK);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == ESCAPED;
}

/* Is it an attempt that this kind of cage holds with this kernel? What only
 * Landlock watches over is open without it, and that is said. */
static bool is_held(int which, const struct attempt *a, int kind)
{
    if (!(a->in & kind))
        return false;
    return which != NO_LANDLOCK || kind == EMPTY || a->name[0] == 's' ||
           a->name[0] == 'k';
}

static void holds_what_it_can(int which)
{
    kernel = which;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        for (int kind = EMPTY; kind <= RUN; kind <<= 1) {
            if (!is_held(which, &attempts[i], kind))
                continue;
            int rc = attempt_in(kind, attempts[i].try_it);
            if (rc == ESCAPED || rc == NO_LOCK) {
                kernel = AS_IT_IS;
                fail_msg("%s in cage %d with Landlock %d: %d",
                    attempts[i].name, kind, which, rc);
            }
        }
    kernel = AS_IT_IS;
}

/* Older kernels: whatever version of Landlock there is, nothing gets out that
 * the newest holds; what is open without it is named. */
static void test_cage_on_older_kernels(void **state)
{
    static const int versions[] = {1, 3};
    (void)state;
    if (!is_caged())
        skip();
    reports(NO_LANDLOCK, ROOTS, "\"landlock\":0", "has no Landlock");
    reports(NO_SECCOMP, ROOTS, "\"seccomp\":false", "has no seccomp");
    holds_what_it_can(NO_LANDLOCK);
    if (!can_pretend(1)) {
        print_message("skipped: no filter here may answer for the kernel\n");
        return;
    }
    reports(1, PLUGIN, "\"landlock\":1", "of version 1");
    reports(3, EMPTY, "\"landlock\":3", "\"missing\":[]");
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        holds_what_it_can(versions[i]);
}

static bool locks(const char *kind, const char *root, const char *store)
{
    char text[900];
    int status;
    snprintf(text, sizeof text,
        "{\"kind\":\"%s\",\"read\":[\"%s\"],\"secret\":[\"%s\"]}", kind,
        root, store);
    pid_t pid = fork();
    if (pid == 0) {
        struct er_cage cage = {0};
        struct er_buf out;
        er_buf_init(&out, 1 << 20);
        json_t *request =
            er_json_parse(text, strlen(text), ER_JSON_STRICT, NULL);
        bool ok = er_op_lock(request, &cage, &out);
        bool told = strstr(out.data, "errand's store lies in") != NULL;
        _exit(ok == told ? 2 : ok);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_in_range(WEXITSTATUS(status), 0, 1);
    return WEXITSTATUS(status) == 1;
}

/* A plugin's root holds the store: no plugin is loaded there, whatever the
 * store's path is spelled like. With Lua ctx.fs guards it. */
static void test_cage_keeps_plugins_from_the_store(void **state)
{
    char root[300], inside[400], around[400], link[300];
    (void)state;
    snprintf(root, sizeof root, "%s/read", dir);
    snprintf(inside, sizeof inside, "%s/read/errand.db", dir);
    snprintf(link, sizeof link, "%s/to-read", dir);
    snprintf(around, sizeof around, "%s/to-read/errand.db", dir);
    assert_int_equal(symlink(root, link), 0);
    assert_true(locks("lua", root, inside));
    assert_false(locks("plugin", root, inside));
    assert_false(locks("plugin", root, around));
    assert_false(locks("plugin", link, inside));
    assert_false(locks("plugin", inside, inside));
    snprintf(inside, sizeof inside, "%s/elsewhere/errand.db", dir);
    assert_true(locks("plugin", root, inside));
    snprintf(inside, sizeof inside, "%s/reader/errand.db", dir);
    assert_true(locks("plugin", root, inside));
    assert_int_equal(unlink(link), 0);
}

static void test_cage_paths(void **state)
{
    static const char *const rows[][3] = {
        {"/a/b", "c", "/a/b/c"}, {"/a/b", "../c", "/a/c"},
        {"/a/b", "../../../c", "/c"}, {"/a", "/x//y/./z/..", "/x/y"},
        {"/a", ".", "/a"}, {"/", "..", "/"}, {"/a", "/", "/"},
        {"/a", "b/..", "/a"}, {"/a", "...", "/a/..."}, {"/a", "b/", "/a/b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[PATH_MAX];
        assert_true(er_path_absolute(rows[i][0], rows[i][1], out));
        assert_string_equal(out, rows[i][2]);
    }
    assert_string_equal(er_path_below("/a/b", "/a"), "b");
    assert_string_equal(er_path_below("/a", "/a"), "");
    assert_string_equal(er_path_below("/a", "/"), "a");
    assert_null(er_path_below("/ab", "/a"));
    char longest[PATH_MAX + 10], out[PATH_MAX];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_false(er_path_absolute("/", longest, out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cage_contains_every_attempt),
        cmocka_unit_test(test_cage_is_what_contains_them),
        cmocka_unit_test(test_cage_lets_work_what_is_granted),
        cmocka_unit_test(test_cage_reports),
        cmocka_unit_test(test_cage_on_older_kernels),
        cmocka_unit_test(test_cage_keeps_plugins_from_the_store),
        cmocka_unit_test(test_cage_paths),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
