/* A character that lies in two pieces of a stream.
 *
 * Endpoints cut text where their tokens end, and a token may end inside a
 * character: "\ud83d" in one document and "\ude00" in the next, or the bytes
 * of one, raw, in two. Each document is read alone, where half a character
 * means U+FFFD; here the half is kept back until the next piece completes it.
 */
#ifndef ERRAND_MODEL_HALF_H
#define ERRAND_MODEL_HALF_H

#include "base/json_tree.h"

#include <stdint.h>

/* Zeroed: nothing is kept back. */
struct er_half {
    uint16_t high;       /* the first unit of a surrogate pair, or 0 */
    char bytes[4];       /* the beginning of a character */
    unsigned char count; /* of bytes */
};

/* Is there a half, kept back or at the end of the string s (NULL: none)? If
 * not, s is whole as it was read. */
static inline bool er_half_matters(
    const struct er_half *h, const struct er_node *s)
{
    return h->high || h->count ||
           (s && s->len >= 3 &&
               memcmp(s->text + s->len - 3, "\xEF\xBF\xBD", 3) == 0);
}

/* Does s begin as the rest of what is kept back, or is it empty? */
bool er_half_goes_on(const struct er_half *h, const struct er_node *s);

/* Append to out what is whole by now: what was kept back, completed by the
 * string s, and s but for a half at its end. False: no memory. */
bool er_half_join(
    struct er_half *h, const struct er_node *s, struct er_buf *out);

/* Nothing more comes: what was kept back is U+FFFD. False: no memory. */
bool er_half_end(struct er_half *h, struct er_buf *out);

#endif
