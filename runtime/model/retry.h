/* When a failed request is sent again, and how long to wait before.
 *
 * Pure functions: the headers, the clock and the dice are handed in, so that
 * every rule can be tested without a socket. The rules are those that
 * clients of these endpoints agree on (docs/models.md).
 */
#ifndef ERRAND_MODEL_RETRY_H
#define ERRAND_MODEL_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/* What an answer's headers say of another attempt; NULL: not sent. Borrowed
 * for the call. */
struct er_retry_headers {
    const char *should_retry;   /* x-should-retry */
    const char *retry_after_ms; /* retry-after-ms */
    const char *retry_after;    /* retry-after: seconds or an HTTP date */
};

/* May this answer be asked for again? x-should-retry decides if it is there;
 * else otherwise, which is what status and body say (er_wire_error). [any] */
bool er_retry_wanted(const struct er_retry_headers *h, bool otherwise);

/* Whether a status alone calls for another attempt: 408, 409, 429, 500 and
 * above. [any] */
bool er_retry_status(long status);

/* Milliseconds to wait before attempt number `next` (1 is the first
 * repetition). The headers count where they ask for 0 to 60 s; else the wait
 * doubles from 0.5 s to 8 s, less up to a quarter that random (any 32 bits)
 * decides, so that many clients do not come back at once. now_s is the wall
 * clock, for dates. [any] */
int64_t er_retry_delay_ms(const struct er_retry_headers *h, int next,
    int64_t now_s, uint32_t random);

#endif
