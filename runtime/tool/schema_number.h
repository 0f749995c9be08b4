/* Numbers as JSON Schema sees them: by value, exactly.
 *
 * 1 and 1.0 are one number; 0.3 is a multiple of 0.1; integers and reals
 * compare without rounding. A real counts as the shortest decimal that reads
 * back as itself, which is what its writer meant.
 */
#ifndef ERRAND_TOOL_SCHEMA_NUMBER_H
#define ERRAND_TOOL_SCHEMA_NUMBER_H

#include "base/json.h"

#include <stdint.h>

/* digits * 10^exp; digits has no trailing zero, and 0 has exp 0. */
struct er_decimal {
    uint64_t digits;
    int exp;
    bool negative;
};

/* Both must be numbers. [any] */
int er_number_cmp(const json_t *a, const json_t *b);
struct er_decimal er_decimal_of(const json_t *number);
struct er_decimal er_decimal_of_real(double d);

/* Read a decimal text of JSON's number grammar; false if its digits or its
 * exponent do not fit. [any] */
bool er_decimal_read(const char *s, size_t len, struct er_decimal *out);

/* Is a whole multiple of b (not 0)? [any] */
bool er_decimal_divides(struct er_decimal a, struct er_decimal b);

/* True for reals without a fraction. */
bool er_real_is_whole(double d);

/* Deep equality by value. Each compared value takes one of *steps; at 0 the
 * answer is false and means nothing. [any] */
bool er_value_same(const json_t *a, const json_t *b, size_t *steps);

/* Equal values have equal hashes. */
uint64_t er_value_hash(const json_t *v, size_t *steps);

#endif
