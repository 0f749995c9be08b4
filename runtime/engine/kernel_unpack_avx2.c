/* Unpacking the commonest formats with AVX2, 32 weights at once; the others
 * plainly. */
#if defined(__x86_64__) && defined(__AVX2__) && defined(__F16C__)

#include "engine/kernel_unpack.h"

#include <immintrin.h>
#include <string.h>

/* One row, unpacked. */
struct row {
    uint8_t *u;
    float *s, *m;
};

static float half(uint16_t h)
{
    return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(h)));
}

static void unpack_q8_0(const struct er_q8_0 *x, size_t n, struct row r)
{
    const __m256i flip = _mm256_set1_epi8((char)0x80);
    for (size_t b = 0; b < n / 32; b++, x++) {
        r.s[b] = half(x->d);
        r.m[b] = 128 * r.s[b];
        __m256i q = _mm256_loadu_si256((const void *)x->qs);
        _mm256_storeu_si256(
            (void *)(r.u + 32 * b), _mm256_xor_si256(q, flip));
    }
}

/* Sixteen bytes of halves to 32 numbers. */
static void split(const uint8_t *qs, uint8_t *u)
{
    const __m128i low = _mm_set1_epi8(15);
    __m128i q = _mm_loadu_si128((const void *)qs);
    _mm_storeu_si128((void *)u, _mm_and_si128(q, low));
    _mm_storeu_si128(
        (void *)(u + 16), _mm_and_si128(_mm_srli_epi16(q, 4), low));
}

static void unpack_q4_0(const struct er_q4_0 *x, size_t n, struct row r)
{
    for (size_t b = 0; b < n / 32; b++, x++) {
        r.s[b] = half(x->d);
        r.m[b] = 8 * r.s[b];
        split(x->qs, r.u + 32 * b);
    }
}

/* Eight bytes to floats, times d. */
static void scale8(const void *bytes, float d, float *out)
{
    __m256i v = _mm256_cvtepu8_epi32(_mm_loadl_epi64(bytes));
    _mm256_storeu_ps(
        out, _mm256_mul_ps(_mm256_cvtepi32_ps(v), _mm256_set1_ps(d)));
}

/* The eight scales and mins of q4_k, as bytes: four at a time. */
static void scales_q4_k(const uint8_t *p, float d, float dmin, float *s,
    float *m)
{
    uint32_t a, b, c, out[4];
    memcpy(&a, p, 4);
    memcpy(&b, p + 4, 4);
    memcpy(&c, p + 8, 4);
    out[0] = a & 0x3F3F3F3Fu;
    out[1] = (c & 0x0F0F0F0Fu) | (a >> 2 & 0x30303030u);
    out[2] = b & 0x3F3F3F3Fu;
    out[3] = (c >> 4 & 0x0F0F0F0Fu) | (b >> 2 & 0x30303030u);
    scale8(out, d, s);
    scale8(out + 2, dmin, m);
}

static void unpack_q4_k(const struct er_q4_k *x, size_t n, struct row r)
{
    const __m256i low = _mm256_set1_epi8(15);
    for (size_t k = 0; k < n / 256; k++, x++) {
        uint8_t *u = r.u + 256 * k;
        scales_q4_k(
            x->scales, half(x->d), half(x->dmin), r.s + 8 * k, r.m + 8 * k);
        for (size_t c = 0; c < 4; c++, u += 64) {
            __m256i q = _mm256_loadu_si256((const void *)(x->qs + 32 * c));
            _mm256_storeu_si256((void *)u, _mm256_and_si256(q, low));
            _mm256_storeu_si256((void *)(u + 32),
                _mm256_and_si256(_mm256_srli_epi16(q, 4), low));
        }
    }
}

/* Half a super-block of q6_k: 128 numbers. */
static void half_q6_k(const uint8_t *ql, const uint8_t *qh, uint8_t *u)
{
    const __m256i low = _mm256_set1_epi8(15), two = _mm256_set1_epi8(48);
    __m256i a = _mm256_loadu_si256((const void *)ql);
    __m256i b = _mm256_loadu_si256((const void *)(ql + 32));
    __m256i h = _mm256_loadu_si256((const void *)qh);
    __m256i g[4] = {
        _mm256_or_si256(_mm256_and_si256(a, low),
            _mm256_and_si256(_mm256_slli_epi16(h, 4), two)),
        _mm256_or_si256(_mm256_and_si256(b, low),
            _mm256_and_si256(_mm256_slli_epi16(h, 2), two)),
        _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(a, 4), low),
            _mm256_and_si256(h, two)),
        _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(b, 4), low),
            _mm256_and_si256(_mm256_srli_epi16(h, 2), two))};
    for (int i = 0; i < 4; i++)
        _mm256_storeu_si256((void *)(u + 32 * i), g[i]);
}

static void unpack_q6_k(const struct er_q6_k *x, size_t n, struct row r)
{
    for (size_t k = 0; k < n / 256; k++, x++) {
        float d = half(x->d);
        for (size_t i = 0; i < 16; i += 8) {
            __m256 s = _mm256_mul_ps(_mm256_set1_ps(d),
                _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(
                    _mm_loadl_epi64((const void *)(x->scales + i)))));
            _mm256_storeu_ps(r.s + 16 * k + i, s);
            _mm256_storeu_ps(r.m + 16 * k + i,
                _mm256_mul_ps(s, _mm256_set1_ps(32)));
        }
        half_q6_k(x->ql, x->qh, r.u + 256 * k);
        half_q6_k(x->ql + 64, x->qh + 32, r.u + 256 * k + 128);
    }
}

void er_unpack_avx2(uint32_t type, const void *row, size_t n, uint8_t *u,
    float *s, float *m)
{
    struct row r = {u, s, m};
    switch (type) {
    case ER_Q8_0: unpack_q8_0(row, n, r); break;
    case ER_Q4_0: unpack_q4_0(row, n, r); break;
    case ER_Q4_K: unpack_q4_k(row, n, r); break;
    case ER_Q6_K: unpack_q6_k(row, n, r); break;
    default: er_unpack(type, row, n, u, s, m); break;
    }
}

#else
typedef int er_unpack_avx2_unused; /* C forbids an empty file */
#endif
