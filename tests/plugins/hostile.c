/* A plugin that tries to get out: each attempt is a function that answers
 * NULL if it was held, or what it got. The test names an attempt and gives
 * it a file in its own folder ("in"), the folder, and a file outside of it
 * ("secret"). */
#define _GNU_SOURCE
#include <errand/tool.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

struct target {
    const char *in, *folder, *secret;
    char path[PATH_MAX + 100];
};

/* Can the secret be read through this path or descriptor? */
static const char *reads_fd(int fd)
{
    char bytes[64] = "";
    if (fd < 0)
        return NULL;
    ssize_t n = read(fd, bytes, sizeof bytes - 1);
    close(fd);
    return n > 0 ? "it read the file" : "it opened the file";
}

static const char *reads(const char *path)
{
    return reads_fd(open(path, O_RDONLY));
}

static const char *got(long rc, const char *what)
{
    return rc >= 0 ? what : NULL;
}

static const char *in_proc(
    struct target *t, const char *what, const char *rest)
{
    snprintf(t->path, sizeof t->path, "/proc/%s/%s", what, rest);
    return t->path;
}

static const char *of_parent(struct target *t, const char *rest)
{
    char pid[24];
    snprintf(pid, sizeof pid, "%ld", (long)getppid());
    return in_proc(t, pid, rest);
}

/* --- files outside */

static const char *open_outside(struct target *t)
{
    return reads(t->secret);
}

static const char *open_dots(struct target *t)
{
    const char *name = strrchr(t->secret, '/');
    snprintf(t->path, sizeof t->path, "%s/../outside%s", t->folder, name);
    return reads(t->path);
}

static const char *openat_dots(struct target *t)
{
    int dir = open(t->folder, O_RDONLY | O_DIRECTORY);
    snprintf(t->path, sizeof t->path, "../outside%s",
        strrchr(t->secret, '/'));
    const char *what = reads_fd(openat(dir, t->path, O_RDONLY));
    close(dir);
    return what;
}

static const char *openat2_plain(struct target *t)
{
    uint64_t how[3] = {O_RDONLY, 0, 0};
    return reads_fd((int)syscall(437, AT_FDCWD, t->secret, how, sizeof how));
}

static const char *follow_link(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/link", t->folder);
    return reads(t->path);
}

static const char *make_link(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/own-link", t->folder);
    return symlink(t->secret, t->path) == 0 ? reads(t->path) : NULL;
}

static const char *make_hard_link(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/hard", t->folder);
    return got(link(t->secret, t->path), "it made a hard link");
}

static const char *open_by_own_root(struct target *t)
{
    char rest[PATH_MAX + 50];
    snprintf(rest, sizeof rest, "root%s", t->secret);
    return reads(in_proc(t, "self", rest));
}

static const char *open_by_parents_root(struct target *t)
{
    char rest[PATH_MAX + 50];
    snprintf(rest, sizeof rest, "root%s", t->secret);
    return reads(of_parent(t, rest));
}

static const char *change_folder(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/../outside", t->folder);
    if (chdir(t->path) != 0)
        return NULL;
    return reads(strrchr(t->secret, '/') + 1);
}

static const char *list_outside(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/../outside", t->folder);
    DIR *dir = opendir(t->path);
    return dir ? "it listed the folder" : NULL;
}

static const char *map_outside(struct target *t)
{
    int fd = open(t->secret, O_RDWR);
    return got(fd, "it opened the file to change it");
}

static const char *open_handle(struct target *t)
{
    struct {
        unsigned bytes;
        int type;
        char handle[128];
    } h = {.bytes = 128};
    int mount = 0;
    return got(syscall(SYS_name_to_handle_at, AT_FDCWD, t->secret, &h,
        &mount, 0), "it got a handle");
}

static const char *load_other(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/../outside/other.so", t->folder);
    return dlopen(t->path, RTLD_NOW) ? "it loaded code from outside" : NULL;
}

static const char *read_devices(struct target *t)
{
    static const char *const paths[] = {"/dev/mem", "/dev/kmsg", "/dev/sda",
        "/dev/vda", "/dev/tty", "/dev/ptmx", "/dev/fuse", "/dev/kvm"};
    (void)t;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (open(paths[i], O_RDONLY) >= 0)
            return paths[i];
    return NULL;
}

static const char *read_system(struct target *t)
{
    static const char *const paths[] = {"/etc/shadow", "/etc/passwd",
        "/root/.bashrc", "/root", "/home", "/var/log", "/sys/kernel",
        "/etc/hostname", "/proc/version", "/proc/self/environ", "/"};
    (void)t;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (open(paths[i], O_RDONLY) >= 0)
            return paths[i];
    return NULL;
}

/* --- changing what may only be read */

static const char *write_inside(struct target *t)
{
    return got(open(t->in, O_WRONLY), "it opened its file to write");
}

static const char *create_inside(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/new", t->folder);
    return got(open(t->path, O_WRONLY | O_CREAT, 0666), "it made a file");
}

static const char *create_unnamed(struct target *t)
{
    return got(open(t->folder, O_TMPFILE | O_RDWR, 0600), "it made a file");
}

static const char *cut_off(struct target *t)
{
    return got(truncate(t->in, 0), "it cut a file off");
}

static const char *remove_file(struct target *t)
{
    return got(unlink(t->in), "it removed a file");
}

static const char *rename_file(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/renamed", t->folder);
    return got(rename(t->in, t->path), "it renamed a file");
}

static const char *make_folder(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/made", t->folder);
    return got(mkdir(t->path, 0777), "it made a folder");
}

static const char *make_pipe(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/pipe", t->folder);
    return got(mkfifo(t->path, 0666), "it made a pipe");
}

static const char *make_device(struct target *t)
{
    snprintf(t->path, sizeof t->path, "%s/device", t->folder);
    return got(mknod(t->path, S_IFCHR | 0666, 0x103), "it made a device");
}

static const char *change_mode(struct target *t)
{
    return got(chmod(t->in, 0777), "it changed a mode");
}

static const char *change_owner(struct target *t)
{
    return got(chown(t->in, 1, 1), "it changed an owner");
}

static const char *change_times(struct target *t)
{
    return got(utimes(t->in, NULL), "it changed times");
}

static const char *change_attributes(struct target *t)
{
    return got(setxattr(t->in, "user.errand", "x", 1, 0),
        "it changed attributes");
}

static const char *write_tmp(struct target *t)
{
    (void)t;
    return got(open("/tmp/errand-hostile", O_WRONLY | O_CREAT, 0666),
        "it wrote to /tmp");
}

/* --- other processes */

static const char *read_parents_memory(struct target *t)
{
    return reads(of_parent(t, "mem"));
}

static const char *write_parents_memory(struct target *t)
{
    return got(open(of_parent(t, "mem"), O_WRONLY), "it opened memory");
}

static const char *read_parents_environment(struct target *t)
{
    return reads(of_parent(t, "environ"));
}

static const char *read_parents_files(struct target *t)
{
    return opendir(of_parent(t, "fd")) ? "it listed descriptors" : NULL;
}

static const char *trace_parent(struct target *t)
{
    (void)t;
    return got(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL), "it traces");
}

static const char *seize_parent(struct target *t)
{
    (void)t;
    return got(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL), "it traces");
}

static const char *copy_parents_memory(struct target *t)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
    (void)t;
    ssize_t n = process_vm_readv(getppid(), &here, 1, &there, 1, 0);
    return n >= 0 || errno == EFAULT ? "it may copy memory" : NULL;
}

static const char *signal_parent(struct target *t)
{
    (void)t;
    return got(kill(getppid(), 0), "it may signal its parent");
}

static const char *stop_parent(struct target *t)
{
    (void)t;
    return got(kill(getppid(), SIGSTOP), "it stopped its parent");
}

static const char *signal_all(struct target *t)
{
    (void)t;
    return got(kill(-1, 0), "it may signal everybody");
}

static const char *signal_thread(struct target *t)
{
    (void)t;
    return got(syscall(SYS_tgkill, getppid(), getppid(), 0),
        "it may signal a thread of its parent");
}

static const char *queue_signal(struct target *t)
{
    union sigval v = {.sival_int = 1};
    (void)t;
    return got(sigqueue(getppid(), 0, v), "it may queue a signal");
}

static const char *open_process(struct target *t)
{
    (void)t;
    return got(syscall(434, getppid(), 0), "it has a handle of its parent");
}

static const char *own_descriptor(struct target *t)
{
    (void)t;
    return got(fcntl(3, F_SETOWN, getppid()), "it sends signals by sockets");
}

static const char *limit_parent(struct target *t)
{
    struct rlimit r = {0, 0};
    (void)t;
    return got(prlimit(getppid(), RLIMIT_NOFILE, &r, NULL),
        "it limits its parent");
}

static const char *slow_parent(struct target *t)
{
    cpu_set_t one;
    (void)t;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    return got(sched_setaffinity(getppid(), sizeof one, &one),
        "it moves its parent");
}

static const char *compare_parent(struct target *t)
{
    (void)t;
    return got(syscall(SYS_kcmp, getpid(), getppid(), 0, 3, 3),
        "it compares descriptors");
}

/* --- living on, or more of it */

static const char *leave_session(struct target *t)
{
    (void)t;
    pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        setsid();
        _exit(0);
    }
    return got(child, "it has a child");
}

static const char *leave_group(struct target *t)
{
    (void)t;
    return got(setpgid(0, 0), "it left its group");
}

static const char *outlive_parent(struct target *t)
{
    (void)t;
    return got(prctl(PR_SET_PDEATHSIG, 0), "it may outlive its parent");
}

static const char *fork_bomb(struct target *t)
{
    (void)t;
    for (int i = 0; i < 100; i++) {
        pid_t child = fork();
        if (child == 0) {
            pause();
            _exit(0);
        }
        if (child > 0)
            return "it has a child";
    }
    return NULL;
}

static const char *fork_by_vfork(struct target *t)
{
    (void)t;
#ifdef SYS_vfork
    return got(syscall(SYS_clone, CLONE_VFORK | SIGCHLD, 0, 0, 0, 0),
        "it has a child");
#else
    return NULL;
#endif
}

static const char *fork_by_clone3(struct target *t)
{
    uint64_t args[11] = {0};
    (void)t;
    args[4] = SIGCHLD;
    long child = syscall(435, args, sizeof args);
    if (child == 0)
        _exit(0);
    return got(child, "it has a child");
}

static const char *start_shell(struct target *t)
{
    pid_t pid;
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"true"}, NULL};
    (void)t;
    return posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, argv + 3) == 0
               ? "it started a shell" : NULL;
}

/* If it works, nobody is left to say so: the answer misses. */
static const char *become_shell(struct target *t)
{
    (void)t;
    execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
    return NULL;
}

static const char *become_memory(struct target *t)
{
    char *argv[] = {(char[]){"x"}, NULL};
    (void)t;
    int fd = (int)syscall(SYS_memfd_create, "x", 0U);
    if (fd >= 0 && write(fd, "#!/bin/sh\n", 10) == 10)
        syscall(SYS_execveat, fd, "", argv, argv + 1, AT_EMPTY_PATH);
    close(fd);
    return NULL;
}

static const char *memory_bomb(struct target *t)
{
    enum { PIECES = 512 };
    static char *pieces[PIECES];
    int n = 0;
    (void)t;
    while (n < PIECES && (pieces[n] = malloc(16 << 20)) != NULL)
        memset(pieces[n++], 1, 16 << 20);
    for (int i = 0; i < n; i++)
        free(pieces[i]);
    return n == PIECES ? "it had 8 GiB" : NULL;
}

static const char *descriptor_bomb(struct target *t)
{
    int last = -1, n = 0;
    (void)t;
    for (int fd; n < 100000 && (fd = dup(0)) >= 0; n++)
        last = fd;
    for (int i = 0; i < n; i++) /* they lie in a row */
        close(last - i);
    return n == 100000 ? "it had 100,000 descriptors" : NULL;
}

static const char *raise_limits(struct target *t)
{
    static const int all[] = {
        RLIMIT_AS, RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_CORE};
    struct rlimit r = {RLIM_INFINITY, RLIM_INFINITY};
    (void)t;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (setrlimit((__rlimit_resource_t)all[i], &r) == 0)
            return "it raised a limit";
    return NULL;
}

static const char *become_other_user(struct target *t)
{
    (void)t;
    return syscall(SYS_setresuid, 12345, 12345, 12345) == 0
               ? "it is somebody else" : NULL;
}

static const char *more_privileges(struct target *t)
{
    (void)t;
    return prctl(PR_SET_KEEPCAPS, 1) == 0 ||
                   prctl(PR_SET_SECUREBITS, 0) == 0
               ? "it changes privileges" : NULL;
}

/* --- the network */

static const char *opens(int family, int type, int protocol)
{
    return got(socket(family, type, protocol), "it has a socket");
}

static const char *socket_ipv4(struct target *t)
{
    (void)t;
    return opens(AF_INET, SOCK_STREAM, 0);
}

static const char *socket_ipv6(struct target *t)
{
    (void)t;
    return opens(AF_INET6, SOCK_STREAM, 0);
}

static const char *socket_udp(struct target *t)
{
    (void)t;
    return opens(AF_INET, SOCK_DGRAM, 0);
}

static const char *socket_mptcp(struct target *t)
{
    (void)t;
    return opens(AF_INET, SOCK_STREAM, 262);
}

static const char *socket_unix(struct target *t)
{
    (void)t;
    return opens(AF_UNIX, SOCK_STREAM, 0);
}

static const char *socket_netlink(struct target *t)
{
    (void)t;
    return opens(AF_NETLINK, SOCK_RAW, 0);
}

static const char *socket_packet(struct target *t)
{
    (void)t;
    return opens(AF_PACKET, SOCK_RAW, 0);
}

static const char *socket_vsock(struct target *t)
{
    (void)t;
    return opens(AF_VSOCK, SOCK_STREAM, 0);
}

static const char *bind_socket(struct target *t)
{
    int fds[2];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)t;
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) != 0)
        return NULL;
    int rc = bind(fds[0], (struct sockaddr *)&a, 2);
    close(fds[0]);
    close(fds[1]);
    return got(rc, "it has an address");
}

static const char *reconnect_socket(struct target *t)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "/run/x"};
    int fds[2];
    (void)t;
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) != 0)
        return NULL;
    int rc = connect(fds[0], (struct sockaddr *)&a, sizeof a);
    int why = rc == 0 ? 0 : errno;
    close(fds[0]);
    close(fds[1]);
    return why != EPERM && why != EACCES ? "it may connect" : NULL;
}

/* --- the kernel */

static const char *io_uring(struct target *t)
{
    char params[256] = {0};
    (void)t;
    return got(syscall(425, 4, params), "it has a ring");
}

static const char *mounts(struct target *t)
{
    return got(mount("none", t->folder, "tmpfs", 0, NULL), "it mounts");
}

static const char *new_mount_api(struct target *t)
{
    (void)t;
    return got(syscall(430, "tmpfs", 0), "it has a file system");
}

static const char *new_namespace(struct target *t)
{
    (void)t;
    return got(unshare(CLONE_NEWUSER | CLONE_NEWNS), "it has a namespace");
}

static const char *new_namespace_by_clone(struct target *t)
{
    (void)t;
    long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        _exit(0);
    return got(child, "it has a namespace");
}

static const char *enter_namespace(struct target *t)
{
    (void)t;
    return got(setns(3, 0), "it entered a namespace") ? "it may" : NULL;
}

static const char *change_root(struct target *t)
{
    return got(chroot(t->folder), "it changed its root");
}

static const char *load_bpf(struct target *t)
{
    char attr[120] = {0};
    (void)t;
    long rc = syscall(SYS_bpf, 0, attr, sizeof attr);
    return rc >= 0 || errno == EINVAL ? "it may load BPF" : NULL;
}

static const char *count_events(struct target *t)
{
    char attr[120] = {0};
    (void)t;
    attr[4] = 112;
    long rc = syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);
    return rc >= 0 || errno == EINVAL ? "it may count events" : NULL;
}

static const char *handle_faults(struct target *t)
{
    (void)t;
    return got(syscall(SYS_userfaultfd, 1), "it handles faults");
}

static const char *use_keys(struct target *t)
{
    (void)t;
    return got(syscall(SYS_keyctl, 0, -3, 1), "it has a keyring");
}

static const char *filter_again(struct target *t)
{
    (void)t;
    return got(syscall(SYS_seccomp, 2, 0, "\0\0\0\0"), "it may filter");
}

static const char *change_personality(struct target *t)
{
    (void)t;
    return got(syscall(SYS_personality, 0x0040000), "it changed itself");
}

static const char *watch_files(struct target *t)
{
    (void)t;
    return got(syscall(SYS_fanotify_init, 0, 0), "it watches files");
}

static const char *set_clock(struct target *t)
{
    struct timeval now = {0};
    (void)t;
    gettimeofday(&now, NULL);
    return got(settimeofday(&now, NULL), "it sets the clock");
}

static const char *set_name(struct target *t)
{
    (void)t;
    return got(sethostname("errand", 6), "it named the machine");
}

static const char *share_memory(struct target *t)
{
    (void)t;
    return got(shmget(IPC_PRIVATE, 4096, 0600), "it shares memory");
}

static const char *open_queue(struct target *t)
{
    (void)t;
    return got(mq_open("/errand-hostile", O_CREAT | O_RDWR, 0600, NULL),
        "it has a queue");
}

static const char *push_terminal(struct target *t)
{
    (void)t;
    for (int fd = 0; fd < 3; fd++)
        if (ioctl(fd, TIOCSTI, "x") == 0)
            return "it types into a terminal";
    return NULL;
}

/* --- what was left to it */

static const char *find_environment(struct target *t)
{
    extern char **environ;
    (void)t;
    return environ && environ[0] ? environ[0] : NULL;
}

static const char *find_descriptors(struct target *t)
{
    (void)t;
    for (int fd = 4; fd < 64; fd++) {
        struct stat st;
        char byte;
        if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode))
            return "it has a socket";
        if (read(fd, &byte, 1) >= 0 || write(fd, &byte, 0) >= 0)
            return "it has an open file"; /* that is more than a place */
    }
    return NULL;
}

static const char *find_terminal(struct target *t)
{
    (void)t;
    return isatty(0) || isatty(1) || isatty(2) ? "it has a terminal" : NULL;
}

#define ATTEMPT(name) {#name, name}

struct attempt {
    const char *name;
    const char *(*try_it)(struct target *t);
};

static const struct attempt attempts[] = {
    ATTEMPT(open_outside),
    ATTEMPT(open_dots),
    ATTEMPT(openat_dots),
    ATTEMPT(openat2_plain),
    ATTEMPT(follow_link),
    ATTEMPT(make_link),
    ATTEMPT(make_hard_link),
    ATTEMPT(open_by_own_root),
    ATTEMPT(open_by_parents_root),
    ATTEMPT(change_folder),
    ATTEMPT(list_outside),
    ATTEMPT(map_outside),
    ATTEMPT(open_handle),
    ATTEMPT(load_other),
    ATTEMPT(read_devices),
    ATTEMPT(read_system),
    ATTEMPT(write_inside),
    ATTEMPT(create_inside),
    ATTEMPT(create_unnamed),
    ATTEMPT(cut_off),
    ATTEMPT(remove_file),
    ATTEMPT(rename_file),
    ATTEMPT(make_folder),
    ATTEMPT(make_pipe),
    ATTEMPT(make_device),
    ATTEMPT(change_mode),
    ATTEMPT(change_owner),
    ATTEMPT(change_times),
    ATTEMPT(change_attributes),
    ATTEMPT(write_tmp),
    ATTEMPT(read_parents_memory),
    ATTEMPT(write_parents_memory),
    ATTEMPT(read_parents_environment),
    ATTEMPT(read_parents_files),
    ATTEMPT(trace_parent),
    ATTEMPT(seize_parent),
    ATTEMPT(copy_parents_memory),
    ATTEMPT(signal_parent),
    ATTEMPT(stop_parent),
    ATTEMPT(signal_all),
    ATTEMPT(signal_thread),
    ATTEMPT(queue_signal),
    ATTEMPT(open_process),
    ATTEMPT(own_descriptor),
    ATTEMPT(limit_parent),
    ATTEMPT(slow_parent),
    ATTEMPT(compare_parent),
    ATTEMPT(leave_session),
    ATTEMPT(leave_group),
    ATTEMPT(outlive_parent),
    ATTEMPT(fork_bomb),
    ATTEMPT(fork_by_vfork),
    ATTEMPT(fork_by_clone3),
    ATTEMPT(start_shell),
    ATTEMPT(become_shell),
    ATTEMPT(become_memory),
    ATTEMPT(memory_bomb),
    ATTEMPT(descriptor_bomb),
    ATTEMPT(raise_limits),
    ATTEMPT(become_other_user),
    ATTEMPT(more_privileges),
    ATTEMPT(socket_ipv4),
    ATTEMPT(socket_ipv6),
    ATTEMPT(socket_udp),
    ATTEMPT(socket_mptcp),
    ATTEMPT(socket_unix),
    ATTEMPT(socket_netlink),
    ATTEMPT(socket_packet),
    ATTEMPT(socket_vsock),
    ATTEMPT(bind_socket),
    ATTEMPT(reconnect_socket),
    ATTEMPT(io_uring),
    ATTEMPT(mounts),
    ATTEMPT(new_mount_api),
    ATTEMPT(new_namespace),
    ATTEMPT(new_namespace_by_clone),
    ATTEMPT(enter_namespace),
    ATTEMPT(change_root),
    ATTEMPT(load_bpf),
    ATTEMPT(count_events),
    ATTEMPT(handle_faults),
    ATTEMPT(use_keys),
    ATTEMPT(filter_again),
    ATTEMPT(change_personality),
    ATTEMPT(watch_files),
    ATTEMPT(set_clock),
    ATTEMPT(set_name),
    ATTEMPT(share_memory),
    ATTEMPT(open_queue),
    ATTEMPT(push_terminal),
    ATTEMPT(find_environment),
    ATTEMPT(find_descriptors),
    ATTEMPT(find_terminal),
};

enum { ATTEMPTS = sizeof attempts / sizeof attempts[0] };

static void run(void *self, struct errand_tool_call *call)
{
    const struct errand_tool_host *host = call->host;
    struct target t = {.in = host->text(call, "/in", NULL),
        .folder = host->text(call, "/folder", NULL),
        .secret = host->text(call, "/secret", NULL)};
    int64_t i = host->integer(call, "/attempt", -1);
    (void)self;
    if (i < 0 || i >= ATTEMPTS) {
        host->reply(call, "end", 3);
        return;
    }
    const char *what = attempts[i].try_it(&t);
    host->add(call, attempts[i].name, strlen(attempts[i].name));
    host->add(call, what ? " ESCAPED: " : " held", what ? 10 : 5);
    host->reply(call, what ? what : "", what ? strlen(what) : 0);
}

static const struct errand_tool tool = {.size = sizeof tool,
    .effect = ERRAND_TOOL_UNSAFE,
    .name = "hostile",
    .description = "a test",
    .parameters = "{\"type\": \"object\"}",
    .permissions = "{\"read\": {\"config\": \"read\"}}",
    .run = run};
static const struct errand_tool *const tools[] = {&tool, NULL};
static const struct errand_plugin plugin = {.size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "hostile",
    .version = "1",
    .tools = tools,
    .configuration = "{\"type\": \"object\"}"};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
