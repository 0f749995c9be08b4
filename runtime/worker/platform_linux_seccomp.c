/* seccomp: a filter of system calls, made of the tables of syscalls.h.
 *
 * The filter is a program for the kernel's old packet machine (BPF): load
 * the processor's kind, load the call's number, and for each call of the
 * tables a comparison and an answer. What is refused gives EPERM, so that
 * code that only tries goes on; a foreign processor kind is killed, because
 * its numbers mean other calls.  Source: seccomp(2), linux/seccomp.h.
 */
#ifdef __linux__
#define _GNU_SOURCE
#include "cage.h"
#include "syscalls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ER_PROCESSOR AUDIT_ARCH_X86_64
#define ER_FOREIGN 0x40000000u /* the bit of the x32 calls */
#elif defined(__aarch64__)
#define ER_PROCESSOR AUDIT_ARCH_AARCH64
#define ER_FOREIGN 0xFFFFFFFFu
#endif

#ifdef ER_PROCESSOR

enum {
    STEPS_MOST = 2048,
    /* newer than the oldest headers */
    RET_KILL_PROCESS = (int)0x80000000u,
};

struct program {
    struct sock_filter steps[STEPS_MOST];
    size_t n;
};

static void step(struct program *p, unsigned code, uint32_t k, unsigned yes,
    unsigned no)
{
    if (p->n < STEPS_MOST)
        p->steps[p->n] = (struct sock_filter){.code = (uint16_t)code,
            .jt = (uint8_t)yes,
            .jf = (uint8_t)no,
            .k = k};
    p->n++; /* one too many is seen at the end */
}

static void load(struct program *p, size_t at)
{
    step(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0);
}

static void answer(struct program *p, uint32_t value)
{
    step(p, BPF_RET | BPF_K, value, 0, 0);
}

static const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;

/* The low half of an argument; both processors are little-endian. */
static void load_argument(struct program *p, int i)
{
    load(p, offsetof(struct seccomp_data, args) + (size_t)i * 8);
}

/* Allow if the rule says so; otherwise go on behind it. */
static void test_argument(
    struct program *p, const struct er_syscall_rule *rule)
{
    uint32_t value = rule->value;
    load_argument(p, rule->argument);
    switch (rule->when) {
    case ER_IF_SELF:
        step(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, 1);
        break;
    case ER_IF_EQUAL:
        step(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
        break;
    case ER_IF_NOT_EQUAL:
        step(p, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
        break;
    case ER_IF_NOT_ABOVE:
        step(p, BPF_JMP | BPF_JGT | BPF_K, value, 1, 0);
        break;
    case ER_IF_BITS_CLEAR:
        step(p, BPF_JMP | BPF_JSET | BPF_K, value, 1, 0);
        break;
    default: /* ER_IF_BITS_SET */
        step(p, BPF_ALU | BPF_AND | BPF_K, value, 0, 0);
        step(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
        break;
    }
    answer(p, SECCOMP_RET_ALLOW);
}

/* The steps of one call: those of its rules, then a refusal. */
static void add_rules(
    struct program *p, const struct er_syscall_rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        switch (rules[i].when) {
        case ER_IF_ALWAYS: answer(p, SECCOMP_RET_ALLOW); return;
        case ER_IF_NEVER: answer(p, refuse); return;
        case ER_IF_ABSENT: answer(p, SECCOMP_RET_ERRNO | ENOSYS); return;
        default: test_argument(p, &rules[i]); break;
        }
    }
    answer(p, refuse);
}

static void add_table(struct program *p, struct er_syscall_table table)
{
    for (size_t i = 0; i < table.n;) {
        size_t n = 1;
        while (i + n < table.n &&
               table.rules[i + n].number == table.rules[i].number)
            n++;
        size_t jump = p->n;
        step(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)table.rules[i].number,
            0, 0);
        add_rules(p, table.rules + i, n);
        if (jump < STEPS_MOST) /* the number is still loaded behind it */
            p->steps[jump].jf = (uint8_t)(p->n - jump - 1);
        i += n;
    }
}

/* The whole filter. False: it is longer than there is room for. */
static bool make(struct program *p, const struct er_cage *cage)
{
    bool is_listed =
        cage->kind == ER_CAGE_LUA && cage->run.n == 0 && !ER_SANITIZED;
    p->n = 0;
    load(p, offsetof(struct seccomp_data, arch));
    step(p, BPF_JMP | BPF_JEQ | BPF_K, ER_PROCESSOR, 1, 0);
    answer(p, (uint32_t)RET_KILL_PROCESS);
    load(p, offsetof(struct seccomp_data, nr));
    step(p, BPF_JMP | BPF_JGE | BPF_K, ER_FOREIGN, 0, 1);
    answer(p, refuse);
    if (is_listed) {
        add_table(p, er_syscalls_lua());
        if (cage->read.n + cage->write.n > 0)
            add_table(p, er_syscalls_files());
        answer(p, refuse);
    } else {
        if (!ER_SANITIZED) { /* they start a helper that looks for leaks */
            add_table(p, er_syscalls_looking());
            add_table(p, cage->run.n ? er_syscalls_programs()
                                     : er_syscalls_threads());
        }
        add_table(p, er_syscalls_refused());
        answer(p, SECCOMP_RET_ALLOW);
    }
    return p->n <= STEPS_MOST;
}

bool er_platform_filter(const struct er_cage *cage,
    struct er_cage_report *report, const char **why)
{
    struct program p;
    if (!make(&p, cage)) {
        *why = "the filter of system calls is too long";
        return false;
    }
    struct sock_fprog program = {
        .len = (unsigned short)p.n, .filter = p.steps};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0) {
        er_cage_holds(report, "seccomp", "true");
        return true;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        *why = "the filter of system calls is refused (seccomp)";
        return false;
    }
    er_cage_holds(report, "seccomp", "false");
    er_cage_lacks(report,
        "this kernel has no seccomp: if a tool breaks out of its "
        "interpreter, it can use the network and start programs");
    return true;
}

#else /* a processor whose calls nobody has numbered here */

bool er_platform_filter(const struct er_cage *cage,
    struct er_cage_report *report, const char **why)
{
    (void)cage;
    (void)why;
    er_cage_holds(report, "seccomp", "false");
    er_cage_lacks(report,
        "errand has no filter of system calls for this processor: if a tool "
        "breaks out of its interpreter, it can use the network and start "
        "programs");
    return true;
}

#endif
#else
typedef int er_platform_linux_seccomp_unused; /* C forbids an empty file */
#endif
