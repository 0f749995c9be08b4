/* Writing model files for tests: pairs and tensors in the order given. */
#ifndef TESTS_GGUF_KIT_H
#define TESTS_GGUF_KIT_H

#include "base/buf.h"

#include <stdint.h>

struct gguf_kit {
    struct er_buf pairs, table, data;
    uint64_t n_pairs, n_tensors;
    uint32_t version; /* 3 unless changed */
};

void gguf_kit_init(struct gguf_kit *k);
void gguf_kit_release(struct gguf_kit *k);

void gguf_kit_u32(struct gguf_kit *k, const char *key, uint32_t v);
void gguf_kit_f32(struct gguf_kit *k, const char *key, float v);
void gguf_kit_bool(struct gguf_kit *k, const char *key, int v);
void gguf_kit_str(struct gguf_kit *k, const char *key, const char *v);
void gguf_kit_strs(
    struct gguf_kit *k, const char *key, const char *const *v, uint64_t n);
void gguf_kit_u32s(
    struct gguf_kit *k, const char *key, const uint32_t *v, uint64_t n);
void gguf_kit_f32s(
    struct gguf_kit *k, const char *key, const float *v, uint64_t n);

/* A tensor of rows of ne0 weights; data has bytes bytes. rows of 0 makes it
 * a vector. */
void gguf_kit_tensor(struct gguf_kit *k, const char *name, uint32_t type,
    uint64_t ne0, uint64_t rows, const void *data, size_t bytes);

/* The whole file into path; path made by the caller. */
void gguf_kit_write(const struct gguf_kit *k, const char *path);

/* A new empty file in the folder for temporary ones; its path into out. */
void gguf_kit_path(char *out, size_t size);

#endif
