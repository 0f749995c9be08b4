/* Speeds and turns.
 *
 * Speed of pair i: base^(-2i / n_rot), divided by the file's own factor for
 * this pair (Llama 3 writes its stretching as such factors). Linear scaling
 * divides all speeds by one number. YaRN divides those of slow pairs, leaves
 * the fast ones, goes over in between on a ramp, and makes what is turned
 * larger by 0.1 ln(factor) + 1.
 *
 * Source  YaRN: Peng et al., arXiv 2309.00071, sections 3.2 and 3.4
 */
#include "engine/rope.h"

#include <math.h>
#include <stdlib.h>

static const double two_pi = 6.283185307179586476925;

/* The pair (as a real number) that turns `turns` times within the context
 * that the model was first trained for. */
static double pair_of_turns(const struct er_shape *s, double turns)
{
    return s->n_rot * log(s->rope_context / (turns * two_pi)) /
           (2 * log((double)s->rope_base));
}

/* How much of pair i is stretched: 0 fast pairs, 1 slow ones. */
static double ramp(const struct er_shape *s, uint32_t i)
{
    double low = floor(pair_of_turns(s, (double)s->rope_beta_fast));
    double high = ceil(pair_of_turns(s, (double)s->rope_beta_slow));
    low = low > 0 ? low : 0;
    high = high < s->n_rot - 1 ? high : s->n_rot - 1;
    double width = high - low > 0.001 ? high - low : 0.001;
    double x = (i - low) / width;
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

int er_rope_make(const struct er_shape *s, const float *factors,
    struct er_rope *out, struct errand_error *err)
{
    double factor = (double)s->rope_factor;
    *out = (struct er_rope){
        .n = s->n_rot / 2, .halves = s->rope_halves, .amplitude = 1};
    out->speed = calloc(out->n, sizeof *out->speed);
    if (!out->speed)
        return er_nomem(err);
    for (uint32_t i = 0; i < out->n; i++) {
        double speed = pow((double)s->rope_base, -2.0 * i / s->n_rot);
        if (factors)
            speed /= (double)factors[i];
        if (s->rope_scaling == ER_ROPE_LINEAR)
            speed /= factor;
        if (s->rope_scaling == ER_ROPE_YARN) {
            double slow = ramp(s, i);
            speed = speed / factor * slow + speed * (1 - slow);
        }
        out->speed[i] = speed;
    }
    if (s->rope_scaling == ER_ROPE_YARN)
        out->amplitude =
            s->rope_attn * (float)(0.1 * log(factor) + 1);
    return ERRAND_OK;
}

void er_rope_release(struct er_rope *r)
{
    free(r->speed);
    *r = (struct er_rope){0};
}

void er_rope_angles(const struct er_rope *r, uint32_t pos, float *out)
{
    for (uint32_t i = 0; i < r->n; i++) {
        double angle = pos * r->speed[i];
        out[2 * i] = (float)cos(angle) * r->amplitude;
        out[2 * i + 1] = (float)sin(angle) * r->amplitude;
    }
}

void er_rope_turn(const struct er_rope *r, const float *angles, float *head)
{
    uint32_t step = r->halves ? 1 : 2, apart = r->halves ? r->n : 1;
    for (uint32_t i = 0; i < r->n; i++) {
        float *a = head + i * step, *b = a + apart;
        float c = angles[2 * i], s = angles[2 * i + 1], x = *a, y = *b;
        *a = x * c - y * s;
        *b = x * s + y * c;
    }
}
