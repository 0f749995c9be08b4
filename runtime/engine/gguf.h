/* GGUF: a model file's metadata and its table of tensors.
 *
 * Everything read from the file is checked before it is used: lengths
 * against the bytes that are left, products for overflow, types against the
 * table of formats, offsets against alignment, size and one another. Nothing
 * is allocated by a number that the file states alone: tables grow with what
 * was really read. Weights stay in the mapping.
 *
 * Files of several parts ("name-00001-of-00003.gguf") are opened by their
 * first part and look like one.
 */
#ifndef ERRAND_ENGINE_GGUF_H
#define ERRAND_ENGINE_GGUF_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct er_gguf;

/* What a value is; numbers are those of the file. */
enum er_gguf_type {
    ER_GGUF_U8 = 0,
    ER_GGUF_I8 = 1,
    ER_GGUF_U16 = 2,
    ER_GGUF_I16 = 3,
    ER_GGUF_U32 = 4,
    ER_GGUF_I32 = 5,
    ER_GGUF_FLOAT32 = 6,
    ER_GGUF_BOOL = 7,
    ER_GGUF_STRING = 8,
    ER_GGUF_ARRAY = 9,
    ER_GGUF_U64 = 10,
    ER_GGUF_I64 = 11,
    ER_GGUF_FLOAT64 = 12,
};

/* Bytes of the mapping: borrowed until the file is closed, no NUL behind. */
struct er_gguf_str {
    const char *s;
    size_t len;
};

enum { ER_GGUF_DIMS = 4 };

struct er_tensor {
    struct er_gguf_str name;
    uint32_t type;            /* an er_quant_type that can be read */
    uint32_t n_dims;          /* 1 to 4 */
    uint64_t ne[ER_GGUF_DIMS]; /* ne[0]: weights in a row; 1 beyond n_dims */
    uint64_t rows;            /* ne[1] * ne[2] * ne[3] */
    uint64_t row_bytes;
    uint64_t bytes;           /* rows * row_bytes */
    uint64_t offset;          /* in the data of its part */
    uint32_t part;            /* which file */
    const void *data;         /* in the mapping */
};

/* Open and check a file and its further parts.
 * Errors  NOT_FOUND, IO, SYNTAX, UNSUPPORTED, NOMEM. [any] */
int er_gguf_open(
    const char *path, struct er_gguf **out, struct errand_error *err);

/* NULL is harmless. */
void er_gguf_close(struct er_gguf *g);

/* The files are still what was opened. Errors STATE, IO. [any] */
int er_gguf_check(const struct er_gguf *g, struct errand_error *err);

/* Bytes of all parts together. */
uint64_t er_gguf_bytes(const struct er_gguf *g);
uint32_t er_gguf_version(const struct er_gguf *g);
uint32_t er_gguf_parts(const struct er_gguf *g);

/* --- tensors, in the order of their names */

size_t er_gguf_tensors(const struct er_gguf *g);
const struct er_tensor *er_gguf_tensor_at(const struct er_gguf *g, size_t i);
/* NULL if there is none. */
const struct er_tensor *er_gguf_tensor(
    const struct er_gguf *g, const char *name);

/* --- metadata. A missing key leaves the value as it was, so that the caller
 * sets the default first; a value of another type is an error (SYNTAX), one
 * outside [min, max] too. */

bool er_gguf_has(const struct er_gguf *g, const char *key);
int er_gguf_get_u64(const struct er_gguf *g, const char *key, uint64_t min,
    uint64_t max, uint64_t *value, struct errand_error *err);
int er_gguf_get_f32(const struct er_gguf *g, const char *key, float *value,
    struct errand_error *err);
int er_gguf_get_bool(const struct er_gguf *g, const char *key, bool *value,
    struct errand_error *err);
int er_gguf_get_str(const struct er_gguf *g, const char *key,
    struct er_gguf_str *value, struct errand_error *err);

/* --- arrays */

struct er_gguf_array {
    uint32_t type; /* of the elements: an er_gguf_type, never ARRAY */
    uint64_t count;
    const unsigned char *at; /* the next element */
    uint64_t left;           /* elements from there */
};

/* A missing key gives count 0 and type UINT32_MAX. */
int er_gguf_get_array(const struct er_gguf *g, const char *key,
    struct er_gguf_array *value, struct errand_error *err);

/* The next element; the type must fit, and left must be above 0. */
struct er_gguf_str er_gguf_next_str(struct er_gguf_array *a);
double er_gguf_next_number(struct er_gguf_array *a);

#endif
