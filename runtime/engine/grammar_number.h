/* Numbers within bounds as automata. */
#ifndef ERRAND_ENGINE_GRAMMAR_NUMBER_H
#define ERRAND_ENGINE_GRAMMAR_NUMBER_H

#include "engine/grammar_dfa.h"

struct er_number {
    bool whole;
    bool has_min, above_min; /* above: the bound itself is not allowed */
    bool has_max, below_max;
    double min, max;
    uint32_t step;  /* value is a multiple of step / 10^scale; 0: any */
    unsigned scale;
};

const struct er_dfa *er_grammar_number(
    struct er_dfa_maker *m, const struct er_number *n);

#endif
