/* Hashes of recent calls, searched for cycles of length one to three. */
#include "guard.h"

#include <stdio.h>
#include <string.h>

/* FNV-1a: a collision costs one needless remark, nothing more. */
static uint64_t hash(uint64_t h, const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 1099511628211u;
    return (h ^ 0x1F) * 1099511628211u; /* a border between the parts */
}

/* How many whole cycles of this length stand at the newest end. */
static int cycles(const struct er_guard *g, size_t length)
{
    size_t same = length;
    if (g->n < length)
        return 0;
    while (same < g->n && g->calls[same] == g->calls[same - length])
        same++;
    return (int)(same / length);
}

static int worst_cycle(const struct er_guard *g, size_t *length)
{
    int worst = 0;
    for (size_t len = 1; len <= 3; len++) {
        int n = cycles(g, len);
        if (n > worst) {
            worst = n;
            *length = len;
        }
    }
    return worst;
}

static void remember(struct er_guard *g, uint64_t call)
{
    size_t keep = g->n < ER_GUARD_MEMORY ? g->n : ER_GUARD_MEMORY - 1;
    memmove(g->calls + 1, g->calls, keep * sizeof g->calls[0]);
    g->calls[0] = call;
    g->n = keep + 1;
}

enum er_verdict er_guard_see(struct er_guard *g, const char *tool,
    const char *arguments, const char *result, size_t result_len, bool failed,
    char *note, size_t note_size)
{
    uint64_t t = hash(14695981039346656037u, tool, strlen(tool));
    uint64_t error = failed ? hash(t, result, result_len) | 1 : 0;
    uint64_t call = hash(t, arguments, strlen(arguments));
    remember(g, hash(call, result, result_len));
    g->errors = error && error == g->last_error ? g->errors + 1
        : error ? 1 : 0;
    g->last_error = error;
    size_t length = 1;
    int n = worst_cycle(g, &length);
    note[0] = '\0';
    if (n >= ER_GUARD_PAUSE_CYCLES || g->errors >= ER_GUARD_PAUSE_ERRORS) {
        snprintf(note, note_size,
            n >= ER_GUARD_PAUSE_CYCLES
                ? "the model repeats itself: %d times the same calls with "
                  "the same results, the last to \"%.64s\""
                : "the model runs into the same error %d times, the last "
                  "from \"%.64s\"",
            n >= ER_GUARD_PAUSE_CYCLES ? n : g->errors, tool);
        return ER_GUARD_PAUSE;
    }
    if (n >= ER_GUARD_WARN_CYCLES) {
        snprintf(note, note_size,
            "note: this is the same call with the same result for the %d. "
            "time; do something else or answer", n);
        return ER_GUARD_WARN;
    }
    if (g->errors >= ER_GUARD_WARN_ERRORS) {
        snprintf(note, note_size,
            "note: the same error for the %d. time; try another way or "
            "answer", g->errors);
        return ER_GUARD_WARN;
    }
    return ER_GUARD_FINE;
}
