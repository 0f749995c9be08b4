/* Unpacking, plainly: right for every format, and what machines' own
 * unpackers are held against. */
#include "engine/kernel_unpack.h"

unsigned er_unpack_unit(uint32_t type)
{
    return type == ER_Q2_K || type == ER_Q3_K || type == ER_Q6_K ? 16 : 32;
}

static void q4(const void *row, size_t n, uint8_t *u, float *s, float *m,
    int has_min)
{
    const unsigned char *at = row;
    size_t bytes = has_min ? sizeof(struct er_q4_1) : sizeof(struct er_q4_0);
    for (size_t b = 0; b < n / 32; b++, at += bytes, u += 32) {
        const struct er_q4_1 *x = (const void *)at; /* same beginning */
        const uint8_t *qs = at + bytes - 16;
        s[b] = er_f16_to_f32(x->d);
        m[b] = has_min ? -er_f16_to_f32(x->m) : 8 * s[b];
        for (int i = 0; i < 16; i++) {
            u[i] = qs[i] & 15;
            u[i + 16] = qs[i] >> 4;
        }
    }
}

static void q5(const void *row, size_t n, uint8_t *u, float *s, float *m,
    int has_min)
{
    const unsigned char *at = row;
    size_t bytes = has_min ? sizeof(struct er_q5_1) : sizeof(struct er_q5_0);
    for (size_t b = 0; b < n / 32; b++, at += bytes, u += 32) {
        const struct er_q5_1 *x = (const void *)at;
        const uint8_t *qs = at + bytes - 16, *qh = qs - 4;
        s[b] = er_f16_to_f32(x->d);
        m[b] = has_min ? -er_f16_to_f32(x->m) : 16 * s[b];
        for (int i = 0; i < 32; i++) {
            int low = i < 16 ? qs[i] & 15 : qs[i - 16] >> 4;
            u[i] = (uint8_t)(low | (qh[i / 8] >> (i % 8) & 1) << 4);
        }
    }
}

static void q8_0(const void *row, size_t n, uint8_t *u, float *s, float *m)
{
    const struct er_q8_0 *x = row;
    for (size_t b = 0; b < n / 32; b++, x++, u += 32) {
        s[b] = er_f16_to_f32(x->d);
        m[b] = 128 * s[b];
        for (int i = 0; i < 32; i++)
            u[i] = (uint8_t)(x->qs[i] + 128);
    }
}

static void iq4_nl(const void *row, size_t n, uint8_t *u, float *s, float *m)
{
    const struct er_iq4_nl *x = row;
    for (size_t b = 0; b < n / 32; b++, x++, u += 32) {
        s[b] = er_f16_to_f32(x->d);
        m[b] = 128 * s[b];
        for (int i = 0; i < 16; i++) {
            u[i] = (uint8_t)(er_iq4_values[x->qs[i] & 15] + 128);
            u[i + 16] = (uint8_t)(er_iq4_values[x->qs[i] >> 4] + 128);
        }
    }
}

static void iq4_xs(const void *row, size_t n, uint8_t *u, float *s, float *m)
{
    const struct er_iq4_xs *x = row;
    for (size_t k = 0; k < n / 256; k++, x++)
        for (int j = 0; j < 8; j++, u += 32) {
            int scale = (x->scales_l[j / 2] >> (j % 2 * 4) & 15) |
                        (x->scales_h >> (2 * j) & 3) << 4;
            *s = er_f16_to_f32(x->d) * (float)(scale - 32);
            *m++ = 128 * *s++;
            for (int l = 0; l < 16; l++) {
                uint8_t q = x->qs[16 * j + l];
                u[l] = (uint8_t)(er_iq4_values[q & 15] + 128);
                u[l + 16] = (uint8_t)(er_iq4_values[q >> 4] + 128);
            }
        }
}

static void q2_k(const void *row, size_t n, uint8_t *u, float *s, float *m)
{
    const struct er_q2_k *x = row;
    for (size_t k = 0; k < n / 256; k++, x++) {
        float d = er_f16_to_f32(x->d), dmin = er_f16_to_f32(x->dmin);
        for (int j = 0; j < 16; j++) {
            *s++ = d * (float)(x->scales[j] & 15);
            *m++ = dmin * (float)(x->scales[j] >> 4);
        }
        for (int i = 0; i < 256; i++)
            *u++ = x->qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
    }
}

static void q3_k(const void *row, size_t n, uint8_t *u, float *s, float *m)
{
    const struct er_q3_k *x = row;
    int8_t scales[16];
    for (size_t k = 0; k < n / 256; k++, x++) {
        float d = er_f16_to_f32(x->d);
        er_quant_scales_q3(x->scales, scales);
        for (int j = 0; j < 16; j++) {
            *s = d * (float)scales[j];
            *m++ = 4 * *s++;
        }
        for (int i = 0; i < 256; i++) {
            int q = x->qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
            *u++ = (uint8_t)(q | (x->hmask[i % 32] >> (i / 32) & 1) << 2);
        }
    }
}

static void scales_45(const uint8_t scales[12], uint16_t d, uint16_t dmin,
    float *s, float *m)
{
    for (int j = 0; j < 8; j++) {
        uint8_t scale, min;
        er_quant_scale_min(scales, j, &scale, &min);
        s[j] = er_f16_to_f32(d) * (float)scale;
        m[j] = er_f16_to_f32(dmin) * (float)min;
    }
}

static void q4_k(const void *row, size_t n, uint8_t *u, float *s, float *m)
{
    const struct er_q4_k *x = row;
    for (size_t k = 0; k < n / 256; k++, x++, s += 8, m += 8) {
        scales_45(x->scales, x->d, x->dmin, s, m);
        for (int i = 0; i < 256; i++)
            *u++ = x->qs[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
    }
}

static void q5_k(const void *row, size_t n, uint8_t *u, float *s, float *m)
{
    const struct er_q5_k *x = row;
    for (size_t k = 0; k < n / 256; k++, x++, s += 8, m += 8) {
        scales_45(x->scales, x->d, x->dmin, s, m);
        for (int i = 0; i < 256; i++) {
            int q = x->qs[i / 64 * 32 + i % 32] >> (i / 32 % 2 * 4) & 15;
            *u++ = (uint8_t)(q | (x->qh[i % 32] >> (i / 32) & 1) << 4);
        }
    }
}

static void q6_k(const void *row, size_t n, uint8_t *u, float *s, float *m)
{
    const struct er_q6_k *x = row;
    for (size_t k = 0; k < n / 256; k++, x++) {
        float d = er_f16_to_f32(x->d);
        for (int j = 0; j < 16; j++) {
            *s = d * (float)x->scales[j];
            *m++ = 32 * *s++;
        }
        for (int i = 0; i < 256; i++) {
            int h = i / 128, g = i % 128 / 32, l = i % 32;
            int q = x->ql[64 * h + 32 * (g % 2) + l] >> (g / 2 * 4) & 15;
            *u++ = (uint8_t)(q | (x->qh[32 * h + l] >> (2 * g) & 3) << 4);
        }
    }
}

void er_unpack(uint32_t type, const void *row, size_t n, uint8_t *u,
    float *s, float *m)
{
    switch (type) {
    case ER_Q4_0: q4(row, n, u, s, m, 0); break;
    case ER_Q4_1: q4(row, n, u, s, m, 1); break;
    case ER_Q5_0: q5(row, n, u, s, m, 0); break;
    case ER_Q5_1: q5(row, n, u, s, m, 1); break;
    case ER_Q8_0: q8_0(row, n, u, s, m); break;
    case ER_IQ4_NL: iq4_nl(row, n, u, s, m); break;
    case ER_IQ4_XS: iq4_xs(row, n, u, s, m); break;
    case ER_Q2_K: q2_k(row, n, u, s, m); break;
    case ER_Q3_K: q3_k(row, n, u, s, m); break;
    case ER_Q4_K: q4_k(row, n, u, s, m); break;
    case ER_Q5_K: q5_k(row, n, u, s, m); break;
    default: q6_k(row, n, u, s, m); break;
    }
}
