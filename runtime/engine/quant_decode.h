/* Rows of each block format to f32: the plain meaning of the formats, which
 * every faster kernel is held against.
 *
 * Shapes    row: n / block blocks; out [n]
 * Requires  n is a multiple of the format's block; row and out do not overlap
 * Threads   [any]
 */
#ifndef ERRAND_ENGINE_QUANT_DECODE_H
#define ERRAND_ENGINE_QUANT_DECODE_H

#include "engine/quant.h"

void er_decode_f32(const void *row, float *out, size_t n);
void er_decode_f16(const void *row, float *out, size_t n);
void er_decode_bf16(const void *row, float *out, size_t n);
void er_decode_q4_0(const void *row, float *out, size_t n);
void er_decode_q4_1(const void *row, float *out, size_t n);
void er_decode_q5_0(const void *row, float *out, size_t n);
void er_decode_q5_1(const void *row, float *out, size_t n);
void er_decode_q8_0(const void *row, float *out, size_t n);
void er_decode_q2_k(const void *row, float *out, size_t n);
void er_decode_q3_k(const void *row, float *out, size_t n);
void er_decode_q4_k(const void *row, float *out, size_t n);
void er_decode_q5_k(const void *row, float *out, size_t n);
void er_decode_q6_k(const void *row, float *out, size_t n);
void er_decode_iq4_nl(const void *row, float *out, size_t n);
void er_decode_iq4_xs(const void *row, float *out, size_t n);

#endif
