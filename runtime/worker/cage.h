/* The cage: what the operating system takes away from a worker.
 *
 * The runtime's first frame says what the worker may touch. The worker opens
 * that, shuts everything else, and only then reads a byte of any tool. There
 * is no way back: what is taken stays taken, in what it starts as well.
 *
 *   limits        memory, processor time, sizes, descriptors, processes
 *   privileges    none to gain (no_new_privs), and of root's none is left
 *   Landlock      files below the roots that were granted, nothing else; no
 *                 TCP, no abstract sockets, no signals to other processes
 *   seccomp       the system calls that are needed; above all no sockets, no
 *                 new processes and no programs unless `run` grants some
 *
 * A wall that this kernel does not have is named in the report, in words for
 * the person whose machine it is: nothing is weaker in silence.
 */
#ifndef ERRAND_WORKER_CAGE_H
#define ERRAND_WORKER_CAGE_H

#include "base/buf.h"
#include "guard.h"
#include "roots.h"

#include <stdbool.h>
#include <stdint.h>

/* The sanitizers reserve terabytes of addresses, read /proc and start a
 * helper at the end: with them some walls stay open, and the report says
 * which. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ER_SANITIZED = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { ER_SANITIZED = 1 };
#else
enum { ER_SANITIZED = 0 };
#endif
#else
enum { ER_SANITIZED = 0 };
#endif

enum er_cage_kind { ER_CAGE_LUA = 1, ER_CAGE_PLUGIN = 2 };

struct er_cage {
    enum er_cage_kind kind;
    struct er_roots read, write; /* opened */
    struct er_roots run;         /* programs, each a file */
    struct er_roots files;       /* that it may load */
    struct er_guard guard;       /* what lies inside and is not granted */
    int64_t memory_mb;
};

struct er_cage_report {
    struct er_buf enforced; /* members of a JSON object */
    struct er_buf missing;  /* JSON strings, comma between them */
};

/* Note what holds ("landlock", "7"), and what does not, in plain words. */
void er_cage_holds(
    struct er_cage_report *report, const char *name, const char *json);
void er_cage_lacks(struct er_cage_report *report, const char *text);

/* --- platform_*.c: one set per system; each writes its part of the report.
 * In this order. False: it could not be done although the system has it, and
 * why says what; the worker must end. */

/* What every worker does at once, before it is told anything: close every
 * descriptor but 0, 1, 2 and sock, and end when the runtime does. */
void er_platform_begin(int sock);

/* Close every descriptor from first on. */
void er_platform_close_from(int first);

bool er_platform_limit(const struct er_cage *cage,
    struct er_cage_report *report, const char **why);
bool er_platform_confine(const struct er_cage *cage,
    struct er_cage_report *report, const char **why);
bool er_platform_filter(const struct er_cage *cage,
    struct er_cage_report *report, const char **why);

/* Room for so much processor time more, from now on; beyond it the system
 * ends the process, should the runtime not be there to do it. What was
 * allowed a moment ago still holds: last remembers it. */
struct er_allowance {
    int64_t ms, until_ms; /* of er_mono_ms: good for other calls */
};
void er_platform_allow_cpu(int64_t ms, struct er_allowance *last);

/* Give memory that a large call left behind back to the system. */
void er_platform_trim(void);

#endif
