/* Half-precision numbers, by their bits: right on every machine. */
#include "engine/quant.h"

#include <string.h>

static float from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

float er_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exponent = h >> 10 & 31u, fraction = h & 0x3FFu;
    if (exponent == 31)
        return from_bits(sign | 0x7F800000u | fraction << 13);
    if (exponent)
        return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float tiny = (float)fraction * 0x1p-24f;
    return sign ? -tiny : tiny;
}

uint16_t er_f32_to_f16(float f)
{
    uint32_t x;
    memcpy(&x, &f, sizeof x);
    uint32_t sign = x >> 16 & 0x8000u, rest = x & 0x7FFFFFFFu;
    if (rest > 0x7F800000u)
        return (uint16_t)(sign | 0x7E00u);
    if (rest >= 0x477FF000u) /* rounds to 65536 or more */
        return (uint16_t)(sign | 0x7C00u);
    if (rest >= 0x38800000u) { /* normal: round at bit 13 */
        uint32_t r = rest - 0x38000000u;
        r += 0xFFFu + (r >> 13 & 1u);
        return (uint16_t)(sign | r >> 13);
    }
    if (rest < 0x33000000u) /* below half of the least */
        return (uint16_t)sign;
    uint32_t shift = 126 - (rest >> 23), m = (rest & 0x7FFFFFu) | 0x800000u;
    uint32_t half = 1u << (shift - 1), kept = m >> shift;
    uint32_t cut = m & ((1u << shift) - 1);
    kept += cut > half || (cut == half && (kept & 1u));
    return (uint16_t)(sign | kept);
}

float er_bf16_to_f32(uint16_t h)
{
    return from_bits((uint32_t)h << 16);
}
