/* Block formats: how rows of weights lie in a model file.
 *
 * A row of a quantized matrix is a whole number of blocks; a block holds a
 * fixed number of weights that share one or more scales. The structs are the
 * bytes on disk, little-endian, and their sizes are asserted here, because a
 * size that is wrong by two bytes reads plausible nonsense. The numbers of
 * the formats are those of GGUF files.
 */
#ifndef ERRAND_ENGINE_QUANT_H
#define ERRAND_ENGINE_QUANT_H

#include <stddef.h>
#include <stdint.h>

enum er_quant_type {
    ER_F32 = 0,
    ER_F16 = 1,
    ER_Q4_0 = 2,
    ER_Q4_1 = 3,
    ER_Q5_0 = 6,
    ER_Q5_1 = 7,
    ER_Q8_0 = 8,
    ER_Q2_K = 10,
    ER_Q3_K = 11,
    ER_Q4_K = 12,
    ER_Q5_K = 13,
    ER_Q6_K = 14,
    ER_IQ4_NL = 20,
    ER_IQ4_XS = 23,
    ER_BF16 = 30,
    ER_QUANT_TYPES = 40, /* numbers that are known by name lie below */
};

enum {
    ER_QK = 32,    /* weights in a small block */
    ER_QKK = 256,  /* weights in a super-block */
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
    "model files are little-endian and read in place");

/* What a format is. bytes is 0 where errand knows the name alone. */
struct er_quant {
    const char *name;
    uint32_t block; /* weights in a block */
    uint32_t bytes; /* bytes of a block */
    /* Row of n weights (a multiple of block) to f32. */
    void (*decode)(const void *row, float *out, size_t n);
};

/* NULL for a number that never was a format. [any] */
const struct er_quant *er_quant_get(uint32_t type);

/* w = d * (q - 8); q is the low half of qs[i] for i < 16, the high half of
 * qs[i - 16] above. The halves lie so in every 4 and 5 bit format of 32. */
struct er_q4_0 {
    uint16_t d; /* f16 */
    uint8_t qs[16];
};

/* w = d * q + m */
struct er_q4_1 {
    uint16_t d, m;
    uint8_t qs[16];
};

/* w = d * (q - 16); qh: fifth bits, bit i that of weight i */
struct er_q5_0 {
    uint16_t d;
    uint8_t qh[4];
    uint8_t qs[16];
};

/* w = d * q + m */
struct er_q5_1 {
    uint16_t d, m;
    uint8_t qh[4];
    uint8_t qs[16];
};

/* w = d * q */
struct er_q8_0 {
    uint16_t d;
    int8_t qs[32];
};

/* w = d * (scale & 15) * q - dmin * (scale >> 4), one scale per 16 */
struct er_q2_k {
    uint8_t scales[16];
    uint8_t qs[64];
    uint16_t d, dmin;
};

/* w = d * (scale - 32) * (q - 4), one 6-bit scale per 16; hmask: the third
 * bits */
struct er_q3_k {
    uint8_t hmask[32];
    uint8_t qs[64];
    uint8_t scales[12];
    uint16_t d;
};

/* w = d * scale * q - dmin * min, 6-bit scale and min per 32 */
struct er_q4_k {
    uint16_t d, dmin;
    uint8_t scales[12];
    uint8_t qs[128];
};

struct er_q5_k {
    uint16_t d, dmin;
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t qs[128];
};

/* w = d * scale * (q - 32), one 8-bit scale per 16 */
struct er_q6_k {
    uint8_t ql[128];
    uint8_t qh[64];
    int8_t scales[16];
    uint16_t d;
};

/* w = d * er_iq4_values[q] */
struct er_iq4_nl {
    uint16_t d;
    uint8_t qs[16];
};

/* w = d * (scale - 32) * er_iq4_values[q], one 6-bit scale per 32 */
struct er_iq4_xs {
    uint16_t d;
    uint16_t scales_h;
    uint8_t scales_l[4];
    uint8_t qs[128];
};

_Static_assert(sizeof(struct er_q4_0) == 18, "q4_0");
_Static_assert(sizeof(struct er_q4_1) == 20, "q4_1");
_Static_assert(sizeof(struct er_q5_0) == 22, "q5_0");
_Static_assert(sizeof(struct er_q5_1) == 24, "q5_1");
_Static_assert(sizeof(struct er_q8_0) == 34, "q8_0");
_Static_assert(sizeof(struct er_q2_k) == 84, "q2_k");
_Static_assert(sizeof(struct er_q3_k) == 110, "q3_k");
_Static_assert(sizeof(struct er_q4_k) == 144, "q4_k");
_Static_assert(sizeof(struct er_q5_k) == 176, "q5_k");
_Static_assert(sizeof(struct er_q6_k) == 210, "q6_k");
_Static_assert(sizeof(struct er_iq4_nl) == 18, "iq4_nl");
_Static_assert(sizeof(struct er_iq4_xs) == 136, "iq4_xs");

extern const int8_t er_iq4_values[16];

/* The 6-bit scale and min of sub-block j (0 to 7) of q4_k and q5_k. */
void er_quant_scale_min(
    const uint8_t scales[12], int j, uint8_t *scale, uint8_t *min);

/* The sixteen scales of q3_k, already less 32. */
void er_quant_scales_q3(const uint8_t scales[12], int8_t out[16]);

float er_f16_to_f32(uint16_t h);
uint16_t er_f32_to_f16(float f); /* nearest, ties to even */
float er_bf16_to_f32(uint16_t h);

#endif
