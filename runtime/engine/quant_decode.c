/* The formats without super-blocks: floats, and blocks of 32 weights. */
#include "engine/quant_decode.h"

#include <string.h>

const int8_t er_iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
    1, 13, 25, 38, 53, 69, 89, 113};

void er_decode_f32(const void *row, float *out, size_t n)
{
    memcpy(out, row, n * sizeof *out);
}

void er_decode_f16(const void *row, float *out, size_t n)
{
    const uint16_t *h = row;
    for (size_t i = 0; i < n; i++)
        out[i] = er_f16_to_f32(h[i]);
}

void er_decode_bf16(const void *row, float *out, size_t n)
{
    const uint16_t *h = row;
    for (size_t i = 0; i < n; i++)
        out[i] = er_bf16_to_f32(h[i]);
}

void er_decode_q4_0(const void *row, float *out, size_t n)
{
    const struct er_q4_0 *b = row;
    for (size_t k = 0; k < n / ER_QK; k++, b++, out += ER_QK) {
        float d = er_f16_to_f32(b->d);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)((b->qs[i] & 15) - 8);
            out[i + 16] = d * (float)((b->qs[i] >> 4) - 8);
        }
    }
}

void er_decode_q4_1(const void *row, float *out, size_t n)
{
    const struct er_q4_1 *b = row;
    for (size_t k = 0; k < n / ER_QK; k++, b++, out += ER_QK) {
        float d = er_f16_to_f32(b->d), m = er_f16_to_f32(b->m);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)(b->qs[i] & 15) + m;
            out[i + 16] = d * (float)(b->qs[i] >> 4) + m;
        }
    }
}

/* The 5-bit number of weight i. */
static int five(const uint8_t *qs, const uint8_t *qh, int i)
{
    int low = i < 16 ? qs[i] & 15 : qs[i - 16] >> 4;
    return low | (qh[i / 8] >> (i % 8) & 1) << 4;
}

void er_decode_q5_0(const void *row, float *out, size_t n)
{
    const struct er_q5_0 *b = row;
    for (size_t k = 0; k < n / ER_QK; k++, b++, out += ER_QK) {
        float d = er_f16_to_f32(b->d);
        for (int i = 0; i < ER_QK; i++)
            out[i] = d * (float)(five(b->qs, b->qh, i) - 16);
    }
}

void er_decode_q5_1(const void *row, float *out, size_t n)
{
    const struct er_q5_1 *b = row;
    for (size_t k = 0; k < n / ER_QK; k++, b++, out += ER_QK) {
        float d = er_f16_to_f32(b->d), m = er_f16_to_f32(b->m);
        for (int i = 0; i < ER_QK; i++)
            out[i] = d * (float)five(b->qs, b->qh, i) + m;
    }
}

void er_decode_q8_0(const void *row, float *out, size_t n)
{
    const struct er_q8_0 *b = row;
    for (size_t k = 0; k < n / ER_QK; k++, b++, out += ER_QK) {
        float d = er_f16_to_f32(b->d);
        for (int i = 0; i < ER_QK; i++)
            out[i] = d * (float)b->qs[i];
    }
}

void er_decode_iq4_nl(const void *row, float *out, size_t n)
{
    const struct er_iq4_nl *b = row;
    for (size_t k = 0; k < n / ER_QK; k++, b++, out += ER_QK) {
        float d = er_f16_to_f32(b->d);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)er_iq4_values[b->qs[i] & 15];
            out[i + 16] = d * (float)er_iq4_values[b->qs[i] >> 4];
        }
    }
}
