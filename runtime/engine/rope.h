/* Rotary position embedding: pairs of numbers of a head turn by an angle
 * that grows with the position. */
#ifndef ERRAND_ENGINE_ROPE_H
#define ERRAND_ENGINE_ROPE_H

#include "engine/shape.h"

struct er_rope {
    uint32_t n;      /* pairs: n_rot / 2 */
    bool halves;
    double *speed;   /* [n] radians per position */
    float amplitude; /* YaRN scales what is turned */
};

/* factors: [n_rot / 2] that divide the speeds, or NULL. Errors NOMEM. */
int er_rope_make(const struct er_shape *s, const float *factors,
    struct er_rope *out, struct errand_error *err);
void er_rope_release(struct er_rope *r);

/* Cosine and sine of one position: out [n][2]. */
void er_rope_angles(const struct er_rope *r, uint32_t pos, float *out);

/* Turn one head in place; numbers from 2n on stay. */
void er_rope_turn(const struct er_rope *r, const float *angles, float *head);

#endif
