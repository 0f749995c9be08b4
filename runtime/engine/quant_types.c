/* The table of block formats. Those that errand cannot read keep their names,
 * so that a refusal can say what the file holds. */
#include "engine/quant_decode.h"

#define READS(n, per, size, fn)                                           \
    {.name = n, .block = per, .bytes = size, .decode = fn}
#define KNOWN(n) {.name = n}

static const struct er_quant table[ER_QUANT_TYPES] = {
    [ER_F32] = READS("F32", 1, 4, er_decode_f32),
    [ER_F16] = READS("F16", 1, 2, er_decode_f16),
    [ER_BF16] = READS("BF16", 1, 2, er_decode_bf16),
    [ER_Q4_0] = READS("Q4_0", ER_QK, sizeof(struct er_q4_0), er_decode_q4_0),
    [ER_Q4_1] = READS("Q4_1", ER_QK, sizeof(struct er_q4_1), er_decode_q4_1),
    [ER_Q5_0] = READS("Q5_0", ER_QK, sizeof(struct er_q5_0), er_decode_q5_0),
    [ER_Q5_1] = READS("Q5_1", ER_QK, sizeof(struct er_q5_1), er_decode_q5_1),
    [ER_Q8_0] = READS("Q8_0", ER_QK, sizeof(struct er_q8_0), er_decode_q8_0),
    [ER_Q2_K] = READS("Q2_K", ER_QKK, sizeof(struct er_q2_k), er_decode_q2_k),
    [ER_Q3_K] = READS("Q3_K", ER_QKK, sizeof(struct er_q3_k), er_decode_q3_k),
    [ER_Q4_K] = READS("Q4_K", ER_QKK, sizeof(struct er_q4_k), er_decode_q4_k),
    [ER_Q5_K] = READS("Q5_K", ER_QKK, sizeof(struct er_q5_k), er_decode_q5_k),
    [ER_Q6_K] = READS("Q6_K", ER_QKK, sizeof(struct er_q6_k), er_decode_q6_k),
    [ER_IQ4_NL] =
        READS("IQ4_NL", ER_QK, sizeof(struct er_iq4_nl), er_decode_iq4_nl),
    [ER_IQ4_XS] =
        READS("IQ4_XS", ER_QKK, sizeof(struct er_iq4_xs), er_decode_iq4_xs),
    [4] = KNOWN("Q4_2"),
    [5] = KNOWN("Q4_3"),
    [9] = KNOWN("Q8_1"),
    [15] = KNOWN("Q8_K"),
    [16] = KNOWN("IQ2_XXS"),
    [17] = KNOWN("IQ2_XS"),
    [18] = KNOWN("IQ3_XXS"),
    [19] = KNOWN("IQ1_S"),
    [21] = KNOWN("IQ3_S"),
    [22] = KNOWN("IQ2_S"),
    [24] = KNOWN("I8"),
    [25] = KNOWN("I16"),
    [26] = KNOWN("I32"),
    [27] = KNOWN("I64"),
    [28] = KNOWN("F64"),
    [29] = KNOWN("IQ1_M"),
    [31] = KNOWN("Q4_0_4_4"),
    [32] = KNOWN("Q4_0_4_8"),
    [33] = KNOWN("Q4_0_8_8"),
    [34] = KNOWN("TQ1_0"),
    [35] = KNOWN("TQ2_0"),
    [36] = KNOWN("IQ4_NL_4_4"),
    [37] = KNOWN("IQ4_NL_4_8"),
    [38] = KNOWN("IQ4_NL_8_8"),
    [39] = KNOWN("MXFP4"),
};

const struct er_quant *er_quant_get(uint32_t type)
{
    if (type >= ER_QUANT_TYPES || !table[type].name)
        return NULL;
    return &table[type];
}
