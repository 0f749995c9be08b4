/* Failing each allocation in turn.
 *
 * A case is a whole piece of work: it sets up, works, cleans up. It runs
 * once as it is, which counts its allocations, and then again and again in a
 * child process with the n-th allocation failing: that one alone, and that
 * one with all after it. Each time it must end OK (the failure did no harm)
 * or with a code it names, its error filled in, with every allocation given
 * back and no descriptor left open. A crash is a failure that names n; then
 *     OOM_CASE=name OOM_AT=n OOM_MODE=once|ever  build/tests/oom/oom_...
 * runs just that one, in this process, under a debugger if need be.
 * OOM_MOST (2000) bounds the failures tried per case and mode; above it they
 * are spread evenly, and the line says so.
 */
#ifndef ERRAND_TESTS_OOM_H
#define ERRAND_TESTS_OOM_H

#include <errand/errand.h>
#include <stddef.h>

struct oom_case {
    const char *name;
    int (*run)(struct errand_error *err);
    const int *codes; /* codes that are fine, ended by 0; NULL: NOMEM */
};

/* Runs all cases and speaks TAP; the exit status for main. */
int oom_main(const struct oom_case *cases, size_t n);

#endif
