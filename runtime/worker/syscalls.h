/* Which system calls a caged worker may make: two tables of rules, and what
 * a rule can ask of an argument. The filter that is made of them is in
 * platform_linux_seccomp.c. */
#ifndef ERRAND_WORKER_SYSCALLS_H
#define ERRAND_WORKER_SYSCALLS_H

#include <stddef.h>
#include <stdint.h>

/* May the call be made? Several rules of one call stand one behind the
 * other: one that says yes is enough. Arguments are compared as 32 bits,
 * which is all that the kernel looks at for those that stand here. */
enum er_syscall_if {
    ER_IF_ALWAYS = 0,
    ER_IF_NEVER = 1,
    ER_IF_EQUAL = 2,      /* argument == value */
    ER_IF_BITS_CLEAR = 3, /* (argument & value) == 0 */
    ER_IF_BITS_SET = 4,   /* (argument & value) == value */
    ER_IF_NOT_ABOVE = 5,  /* argument <= value, unsigned */
    ER_IF_SELF = 6,       /* argument == own process */
    ER_IF_ABSENT = 7,     /* never, and as if the kernel did not have it */
    ER_IF_NOT_EQUAL = 8,  /* argument != value */
};

struct er_syscall_rule {
    int number;
    enum er_syscall_if when;
    int argument;
    uint32_t value;
};

struct er_syscall_table {
    const struct er_syscall_rule *rules;
    size_t n;
};

/* For Lua without `run`: the calls that the host needs. Everything else is
 * refused. */
struct er_syscall_table er_syscalls_lua(void);

/* Those of them that open and change files, for a worker with roots. */
struct er_syscall_table er_syscalls_files(void);

/* For code of any kind: what is refused of everything there is. */
struct er_syscall_table er_syscalls_refused(void);

/* Looking into processes, which the sanitizers do. */
struct er_syscall_table er_syscalls_looking(void);

/* Starting processes: threads alone, or (`run`) programs too. */
struct er_syscall_table er_syscalls_threads(void);
struct er_syscall_table er_syscalls_programs(void);

#endif
