/* The plain kernels: right on every machine, and the meaning of all others. */
#include "engine/kernel.h"

#include "engine/kv.h"

#include <math.h>
#include <string.h>

enum { LANES = 16 };

float er_dot_f32(const float *a, const float *b, size_t n)
{
    float lane[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t j = 0; j < LANES; j++)
            lane[j] += a[i + j] * b[i + j];
    for (size_t j = 0; i + j < n; j++)
        lane[j] += a[i + j] * b[i + j];
    for (size_t half = LANES / 2; half > 0; half /= 2)
        for (size_t j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

static void rows(const struct er_matrix *m, size_t from, size_t to,
    const float *x, size_t n, float *y, size_t stride, float *scratch)
{
    const struct er_quant *quant = er_quant_get(m->type);
    for (size_t row = from; row < to; row++) {
        const char *at = (const char *)m->data + row * m->row_bytes;
        quant->decode(at, scratch, m->n_in);
        for (size_t t = 0; t < n; t++)
            y[t * stride + row] =
                er_dot_f32(scratch, x + t * m->n_in, m->n_in);
    }
}

void er_rows_exact(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch)
{
    rows(m, from, to, x->f, x->n, y, stride, scratch);
}

void er_rows_rounded(const struct er_matrix *m, size_t from, size_t to,
    const struct er_acts *x, float *y, size_t stride, float *scratch)
{
    rows(m, from, to, x->r, x->n, y, stride, scratch);
}

void er_round_block(
    const float *x, int8_t *q, float *d, int32_t sums[2])
{
    float most = 0;
    for (int i = 0; i < 32; i++)
        most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    float back = most > 0 ? 127.0f / most : 0;
    *d = most / 127.0f;
    for (int half = 0; half < 2; half++) {
        int32_t sum = 0;
        for (int i = 16 * half; i < 16 * half + 16; i++) {
            float v = rintf(x[i] * back);
            q[i] = (int8_t)(v > 127 ? 127 : v >= -127 ? v : -127);
            sum += q[i];
        }
        sums[half] = sum;
    }
}

void er_round_plain(const struct er_acts *a, size_t t)
{
    size_t n = a->width;
    const float *x = a->f + t * n;
    float *r = a->r + t * n, d;
    int32_t sums[2];
    int8_t q[32];
    for (size_t i = 0; i < n; i += 32) {
        er_round_block(x + i, q, &d, sums);
        for (size_t k = 0; k < 32; k++)
            r[i + k] = d * (float)q[k];
    }
}

void er_silu_plain(float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++)
        gate[i] = gate[i] / (1.0f + expf(-gate[i])) * up[i];
}

void er_to_f16_plain(const float *x, uint16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = er_f32_to_f16(x[i]);
}

/* --- attention: scores, softmax, weighted sum; positions in order */

void er_softmax_plain(float *s, size_t n)
{
    float most = s[0], sum = 0;
    for (size_t i = 1; i < n; i++)
        most = s[i] > most ? s[i] : most;
    for (size_t i = 0; i < n; i++) {
        s[i] = expf(s[i] - most);
        sum += s[i];
    }
    for (size_t i = 0; i < n; i++)
        s[i] /= sum;
}

void er_attend_plain(const struct er_attend *a)
{
    float row[ER_KV_HEAD_MAX];
    size_t width = a->head_dim, stride = er_kv_round_up(a->n_pos);
    for (uint32_t p = 0; p < a->n_pos; p++) {
        er_kv_read(a->kv, a->layer, 0, a->head, p, row);
        for (uint32_t g = 0; g < a->n_group; g++)
            a->scores[g * stride + p] =
                er_dot_f32(a->q + g * width, row, width) * a->scale;
    }
    for (uint32_t g = 0; g < a->n_group; g++)
        er_softmax_plain(a->scores + g * stride, a->n_pos);
    memset(a->out, 0, a->n_group * width * sizeof *a->out);
    for (uint32_t p = 0; p < a->n_pos; p++) {
        er_kv_read(a->kv, a->layer, 1, a->head, p, row);
        for (uint32_t g = 0; g < a->n_group; g++) {
            float w = a->scores[g * stride + p];
            float *out = a->out + g * width;
            for (size_t i = 0; i < width; i++)
                out[i] += w * row[i];
        }
    }
}
