/* The formats with super-blocks of 256 weights.
 *
 * 256 weights share one or two f16 scales; each sub-block of 16 or 32 has a
 * small integer scale (and min) of its own. Bits of one weight lie apart:
 * the drawings say where.
 */
#include "engine/quant_decode.h"

/* scales[12]: six bits each of eight scales and eight mins
 *   byte 0..3   scale j:  low 6     high 2: bits 4,5 of scale j + 4
 *   byte 4..7   min j:    low 6     high 2: bits 4,5 of min j + 4
 *   byte 8..11  low 4: scale j + 4, high 4: min j + 4              */
void er_quant_scale_min(
    const uint8_t scales[12], int j, uint8_t *scale, uint8_t *min)
{
    if (j < 4) {
        *scale = scales[j] & 63;
        *min = scales[j + 4] & 63;
        return;
    }
    *scale = (uint8_t)((scales[j + 4] & 15) | (scales[j - 4] >> 6) << 4);
    *min = (uint8_t)((scales[j + 4] >> 4) | (scales[j] >> 6) << 4);
}

/* Low four bits: bytes 0..7, first the low halves (scales 0..7), then the
 * high ones (8..15). High two bits: bytes 8..11, of scale j in byte
 * 8 + j % 4 at bit 2 * (j / 4). */
void er_quant_scales_q3(const uint8_t scales[12], int8_t out[16])
{
    for (int j = 0; j < 16; j++) {
        int low = j < 8 ? scales[j] & 15 : scales[j - 8] >> 4;
        int high = scales[8 + j % 4] >> (2 * (j / 4)) & 3;
        out[j] = (int8_t)((low | high << 4) - 32);
    }
}

/* Byte l of qs half h (32 bytes) holds the weights 128h + 32s + l at bits
 * 2s, s = 0..3; so in q3_k too. */
void er_decode_q2_k(const void *row, float *out, size_t n)
{
    const struct er_q2_k *b = row;
    for (size_t k = 0; k < n / ER_QKK; k++, b++) {
        float d = er_f16_to_f32(b->d), dmin = er_f16_to_f32(b->dmin);
        for (int i = 0; i < ER_QKK; i++) {
            int q = b->qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
            int s = b->scales[i / 16];
            *out++ = d * (float)(s & 15) * (float)q - dmin * (float)(s >> 4);
        }
    }
}

/* hmask byte l, bit b: is the third bit of weight 32b + l. */
void er_decode_q3_k(const void *row, float *out, size_t n)
{
    const struct er_q3_k *b = row;
    int8_t scales[16];
    for (size_t k = 0; k < n / ER_QKK; k++, b++) {
        float d = er_f16_to_f32(b->d);
        er_quant_scales_q3(b->scales, scales);
        for (int i = 0; i < ER_QKK; i++) {
            int q = b->qs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
            q += (b->hmask[i % 32] >> (i / 32) & 1) * 4 - 4;
            *out++ = d * (float)scales[i / 16] * (float)q;
        }
    }
}

/* Byte l of quarter c (32 bytes): weight 64c + l low, 64c + 32 + l high. */
void er_decode_q4_k(const void *row, float *out, size_t n)
{
    const struct er_q4_k *b = row;
    for (size_t k = 0; k < n / ER_QKK; k++, b++) {
        float d = er_f16_to_f32(b->d), dmin = er_f16_to_f32(b->dmin);
        for (int j = 0; j < 8; j++) {
            uint8_t scale, min;
            er_quant_scale_min(b->scales, j, &scale, &min);
            float s = d * (float)scale, m = dmin * (float)min;
            for (int l = 0; l < 32; l++) {
                int q = b->qs[j / 2 * 32 + l] >> (j % 2 * 4) & 15;
                *out++ = s * (float)q - m;
            }
        }
    }
}

/* As q4_k; qh byte l, bit j: the fifth bit of weight 32j + l. */
void er_decode_q5_k(const void *row, float *out, size_t n)
{
    const struct er_q5_k *b = row;
    for (size_t k = 0; k < n / ER_QKK; k++, b++) {
        float d = er_f16_to_f32(b->d), dmin = er_f16_to_f32(b->dmin);
        for (int j = 0; j < 8; j++) {
            uint8_t scale, min;
            er_quant_scale_min(b->scales, j, &scale, &min);
            float s = d * (float)scale, m = dmin * (float)min;
            for (int l = 0; l < 32; l++) {
                int q = b->qs[j / 2 * 32 + l] >> (j % 2 * 4) & 15;
                q |= (b->qh[l] >> j & 1) << 4;
                *out++ = s * (float)q - m;
            }
        }
    }
}

/* In each half h of 128: group g of 32 has its low four bits in byte
 * 64h + 32(g % 2) + l, low half for g < 2, high half above; its high two
 * bits in qh byte 32h + l at bit 2g. */
void er_decode_q6_k(const void *row, float *out, size_t n)
{
    const struct er_q6_k *b = row;
    for (size_t k = 0; k < n / ER_QKK; k++, b++) {
        float d = er_f16_to_f32(b->d);
        for (int i = 0; i < ER_QKK; i++) {
            int h = i / 128, g = i % 128 / 32, l = i % 32;
            int q = b->ql[64 * h + 32 * (g % 2) + l] >> (g / 2 * 4) & 15;
            q |= (b->qh[32 * h + l] >> (2 * g) & 3) << 4;
            *out++ = d * (float)b->scales[i / 16] * (float)(q - 32);
        }
    }
}

/* Sub-block j: scale's low four bits in scales_l[j / 2], high two in
 * scales_h at bit 2j; weights in 16 bytes of halves as in iq4_nl. */
void er_decode_iq4_xs(const void *row, float *out, size_t n)
{
    const struct er_iq4_xs *b = row;
    for (size_t k = 0; k < n / ER_QKK; k++, b++) {
        float d = er_f16_to_f32(b->d);
        for (int j = 0; j < 8; j++, out += 32) {
            int scale = (b->scales_l[j / 2] >> (j % 2 * 4) & 15) |
                        (b->scales_h >> (2 * j) & 3) << 4;
            float s = d * (float)(scale - 32);
            for (int l = 0; l < 16; l++) {
                uint8_t q = b->qs[16 * j + l];
                out[l] = s * (float)er_iq4_values[q & 15];
                out[l + 16] = s * (float)er_iq4_values[q >> 4];
            }
        }
    }
}
