/* Time and identity: clocks, dates, ids. */
#ifndef ERRAND_BASE_CLOCK_H
#define ERRAND_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds since 1970-01-01 UTC, from the wall clock. [any] */
int64_t er_now_ms(void);

/* Milliseconds, and nanoseconds, of a clock that never goes back. [any] */
int64_t er_mono_ms(void);
int64_t er_mono_ns(void);

/* Bytes of an id: 36 characters and NUL. */
enum { ER_ID_SIZE = 37 };

/* A new UUIDv7 (RFC 9562): unique anywhere; ids that one process makes sort
 * by the time they were made. [any] */
void er_id_new(char out[ER_ID_SIZE]);

/* "2026-11-22T18:07:20Z" for wall-clock milliseconds, into out[21]. */
void er_time_iso(int64_t ms, char out[21]);

/* "22 Nov 2026", the form Llama's template uses (UTC), into out[12]. */
void er_time_date(int64_t ms, char out[12]);

#endif
