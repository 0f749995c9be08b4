/* Loop guards: notice a model that goes in circles.
 *
 * Looks at calls with their results, never at prompts: the same call with
 * the same result again and again, cycles of two or three such calls, and
 * the same error from one tool whatever the arguments. First the model is
 * told, inside the tool message; if it goes on, the run pauses.
 */
#ifndef ERRAND_AGENT_GUARD_H
#define ERRAND_AGENT_GUARD_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ER_GUARD_WARN_CYCLES = 3,  /* the third time round: tell the model */
    ER_GUARD_PAUSE_CYCLES = 5, /* the fifth: pause */
    ER_GUARD_WARN_ERRORS = 4,
    ER_GUARD_PAUSE_ERRORS = 8,
    ER_GUARD_MEMORY = 3 * ER_GUARD_PAUSE_CYCLES /* longest cycle: 3 calls */
};

struct er_guard {
    uint64_t calls[ER_GUARD_MEMORY]; /* newest first: call with result */
    size_t n;
    uint64_t last_error; /* tool and error text; 0: the last call worked */
    int errors;          /* how often in a row */
};

enum er_verdict { ER_GUARD_FINE = 0, ER_GUARD_WARN = 1, ER_GUARD_PAUSE = 2 };

/* Take in one finished call. failed: the result is an error. With WARN, note
 * gets the text for the model; with PAUSE, for people. note_size >= 160. */
enum er_verdict er_guard_see(struct er_guard *g, const char *tool,
    const char *arguments, const char *result, size_t result_len, bool failed,
    char *note, size_t note_size);

#endif
