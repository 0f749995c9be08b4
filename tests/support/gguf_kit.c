/* Writing model files for tests. */
#include "support/gguf_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void must(bool ok)
{
    if (!ok) {
        fprintf(stderr, "gguf_kit: cannot write\n");
        abort();
    }
}

static void put_u32(struct er_buf *b, uint32_t v)
{
    must(er_buf_add(b, &v, sizeof v));
}

static void put_u64(struct er_buf *b, uint64_t v)
{
    must(er_buf_add(b, &v, sizeof v));
}

static void put_str(struct er_buf *b, const char *s)
{
    put_u64(b, strlen(s));
    must(er_buf_adds(b, s));
}

void gguf_kit_init(struct gguf_kit *k)
{
    *k = (struct gguf_kit){.version = 3};
    er_buf_init(&k->pairs, (size_t)1 << 30);
    er_buf_init(&k->table, (size_t)1 << 30);
    er_buf_init(&k->data, (size_t)1 << 30);
}

void gguf_kit_release(struct gguf_kit *k)
{
    er_buf_release(&k->pairs);
    er_buf_release(&k->table);
    er_buf_release(&k->data);
}

static void put_key(struct gguf_kit *k, const char *key, uint32_t type)
{
    put_str(&k->pairs, key);
    put_u32(&k->pairs, type);
    k->n_pairs++;
}

void gguf_kit_u32(struct gguf_kit *k, const char *key, uint32_t v)
{
    put_key(k, key, 4);
    put_u32(&k->pairs, v);
}

void gguf_kit_f32(struct gguf_kit *k, const char *key, float v)
{
    put_key(k, key, 6);
    must(er_buf_add(&k->pairs, &v, sizeof v));
}

void gguf_kit_bool(struct gguf_kit *k, const char *key, int v)
{
    put_key(k, key, 7);
    must(er_buf_addc(&k->pairs, v ? 1 : 0));
}

void gguf_kit_str(struct gguf_kit *k, const char *key, const char *v)
{
    put_key(k, key, 8);
    put_str(&k->pairs, v);
}

static void put_array(
    struct gguf_kit *k, const char *key, uint32_t type, uint64_t n)
{
    put_key(k, key, 9);
    put_u32(&k->pairs, type);
    put_u64(&k->pairs, n);
}

void gguf_kit_strs(
    struct gguf_kit *k, const char *key, const char *const *v, uint64_t n)
{
    put_array(k, key, 8, n);
    for (uint64_t i = 0; i < n; i++)
        put_str(&k->pairs, v[i]);
}

void gguf_kit_u32s(
    struct gguf_kit *k, const char *key, const uint32_t *v, uint64_t n)
{
    put_array(k, key, 4, n);
    must(er_buf_add(&k->pairs, v, n * sizeof *v));
}

void gguf_kit_f32s(
    struct gguf_kit *k, const char *key, const float *v, uint64_t n)
{
    put_array(k, key, 6, n);
    must(er_buf_add(&k->pairs, v, n * sizeof *v));
}

static void pad(struct er_buf *b, size_t head)
{
    while ((b->len + head) % 32)
        must(er_buf_addc(b, '\0'));
}

void gguf_kit_tensor(struct gguf_kit *k, const char *name, uint32_t type,
    uint64_t ne0, uint64_t rows, const void *data, size_t bytes)
{
    pad(&k->data, 0);
    put_str(&k->table, name);
    put_u32(&k->table, rows ? 2 : 1);
    put_u64(&k->table, ne0);
    if (rows)
        put_u64(&k->table, rows);
    put_u32(&k->table, type);
    put_u64(&k->table, k->data.len);
    must(er_buf_add(&k->data, data, bytes));
    k->n_tensors++;
}

void gguf_kit_write(const struct gguf_kit *k, const char *path)
{
    struct er_buf all;
    er_buf_init(&all, (size_t)1 << 31);
    must(er_buf_adds(&all, "GGUF"));
    put_u32(&all, k->version);
    put_u64(&all, k->n_tensors);
    put_u64(&all, k->n_pairs);
    if (k->pairs.len)
        must(er_buf_add(&all, k->pairs.data, k->pairs.len));
    if (k->table.len)
        must(er_buf_add(&all, k->table.data, k->table.len));
    pad(&all, 0);
    if (k->data.len)
        must(er_buf_add(&all, k->data.data, k->data.len));
    FILE *f = fopen(path, "wb");
    must(f != NULL);
    must(fwrite(all.data, 1, all.len, f) == all.len);
    must(fclose(f) == 0);
    er_buf_release(&all);
}

void gguf_kit_path(char *out, size_t size)
{
    const char *folder = getenv("TMPDIR");
    snprintf(out, size, "%s/errand-test-XXXXXX",
        folder && *folder ? folder : "/tmp");
    int fd = mkstemp(out);
    must(fd >= 0);
    close(fd);
}
