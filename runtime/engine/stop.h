/* Stop strings: text is let through up to where one of them begins.
 *
 * What may be the beginning of a stop string is held back until it is clear,
 * so that nothing that was shown has to be taken back.
 */
#ifndef ERRAND_ENGINE_STOP_H
#define ERRAND_ENGINE_STOP_H

#include "base/buf.h"

struct er_stop {
    const char *const *strings; /* ended by NULL; borrowed; "" never stops */
    struct er_buf held;
    bool stopped;
};

void er_stop_init(struct er_stop *s, const char *const *strings);
void er_stop_release(struct er_stop *s);

/* Add text; what is clear is appended to out. False if out of memory. Once
 * stopped, everything is dropped. */
bool er_stop_add(
    struct er_stop *s, const char *text, size_t len, struct er_buf *out);

/* The text has ended: what was held back is no stop string. */
bool er_stop_end(struct er_stop *s, struct er_buf *out);

#endif
