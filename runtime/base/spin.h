/* Spinning: to look again and again, for a few microseconds, for what is
 * about to come, instead of sleeping until it does.
 *
 * A thread that sleeps is woken by another core, which costs more than most
 * tools take. So both ends of a worker's socket look for a moment before
 * they sleep, as long as that finds something: each look in vain doubles how
 * many of the next waits sleep at once, so that slow tools and rare calls
 * cost nothing worth counting. With one processor nobody ever spins.
 */
#ifndef ERRAND_BASE_SPIN_H
#define ERRAND_BASE_SPIN_H

#include <stdbool.h>
#include <stdint.h>

/* The longest look: for an answer, which may need a worker to be woken first,
 * and for the next request. */
enum { ER_SPIN_ANSWER_NS = 100 * 1000, ER_SPIN_REQUEST_NS = 50 * 1000 };

struct er_spin {
    bool possible; /* there is more than one processor */
    int in_vain;   /* looks in a row */
    int skip;      /* waits that are still to sleep at once */
};

/* Reads the number of processors. [any] */
void er_spin_init(struct er_spin *s);

/* Is this wait to begin with a look? Then tell how it ended. */
bool er_spin_begin(struct er_spin *s);
void er_spin_end(struct er_spin *s, bool found);

#endif
