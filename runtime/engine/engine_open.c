/* Loading a model: file, tokenizer, shape, weights, in an order in which the
 * cheap checks come first and memory is taken last. */
#include "engine/engine_parts.h"

#include "base/sha256.h"
#include "base/text.h"
#include "engine/memory.h"
#include "engine/weights_pack.h"

#include <stdlib.h>
#include <string.h>

uint32_t er_local_context(const struct er_shape *s, uint32_t wanted)
{
    if (wanted)
        return wanted;
    return s->n_context < ER_CONTEXT_DEFAULT ? s->n_context
                                             : ER_CONTEXT_DEFAULT;
}

/* Begin, middle and end of each tensor: enough to tell two trainings of one
 * shape apart, without reading gigabytes. */
void er_local_weights_id(const struct er_gguf *g, char out[65])
{
    enum { SAMPLE = 256 };
    struct er_sha256 h;
    unsigned char digest[32];
    uint64_t bytes = er_gguf_bytes(g);
    er_sha256_init(&h);
    er_sha256_add(&h, &bytes, sizeof bytes);
    for (size_t i = 0; i < er_gguf_tensors(g); i++) {
        const struct er_tensor *t = er_gguf_tensor_at(g, i);
        const unsigned char *data = t->data;
        uint64_t facts[] = {t->type, t->ne[0], t->rows, t->bytes};
        size_t n = t->bytes < SAMPLE ? t->bytes : SAMPLE;
        er_sha256_add(&h, t->name.s, t->name.len);
        er_sha256_add(&h, facts, sizeof facts);
        er_sha256_add(&h, data, n);
        er_sha256_add(&h, data + (t->bytes - n) / 2, n);
        er_sha256_add(&h, data + t->bytes - n, n);
    }
    er_sha256_end(&h, digest);
    er_hex(digest, sizeof digest, out);
}

static uint64_t mib(uint64_t bytes)
{
    return (bytes + (1 << 20) - 1) >> 20;
}

static int check_memory(const er_local *m,
    const struct er_local_options *opt, struct errand_error *err)
{
    uint64_t has = opt->memory ? opt->memory : er_memory_available();
    uint64_t file = er_gguf_bytes(m->file);
    uint64_t cache = er_kv_bytes(&m->layout, m->context);
    uint64_t work = er_forward_bytes(&m->shape, m->kernels,
        er_threads_count(m->threads), m->context);
    if (file + cache + work <= has)
        return ERRAND_OK;
    return er_fail(err, ERRAND_TOO_LARGE,
        "the model needs %llu MiB (file %llu, %u tokens of context %llu, "
        "buffers %llu), %llu MiB are there; take a smaller model or context",
        (unsigned long long)mib(file + cache + work),
        (unsigned long long)mib(file), m->context,
        (unsigned long long)mib(cache), (unsigned long long)mib(work),
        (unsigned long long)mib(has));
}

static int check_vocabulary(const er_local *m, struct errand_error *err)
{
    int32_t n = er_tokenizer_count(m->tokenizer);
    if ((uint32_t)n == m->shape.n_vocab)
        return ERRAND_OK;
    return er_fail(err, ERRAND_SYNTAX,
        "the vocabulary has %d tokens, the embedding %u rows", n,
        m->shape.n_vocab);
}

static int choose_kernels(er_local *m, const struct er_local_options *opt,
    struct errand_error *err)
{
    m->kernels = opt->kernels ? er_kernels_named(opt->kernels)
                              : er_kernels_best();
    if (m->kernels)
        return ERRAND_OK;
    return er_fail(err, ERRAND_UNSUPPORTED,
        "this machine has no kernels \"%.40s\"; \"plain\" always works",
        opt->kernels);
}

static int read_file(er_local *m, const char *path, struct errand_error *err)
{
    int rc = er_gguf_open(path, &m->file, err);
    if (!rc)
        rc = er_shape_read(m->file, &m->shape, err);
    if (!rc)
        rc = er_weights_bind(m->file, &m->shape, &m->weights, err);
    if (!rc)
        rc = er_tokenizer_new(m->file, &m->tokenizer, err);
    if (!rc)
        rc = check_vocabulary(m, err);
    return rc;
}

static int take_memory(er_local *m, const struct er_local_options *opt,
    struct errand_error *err)
{
    int rc = choose_kernels(m, opt, err);
    if (!rc)
        rc = er_kv_layout_make(
            &m->shape, (enum er_kv_type)opt->cache, &m->layout, err);
    if (!rc)
        rc = er_threads_new(opt->threads ? opt->threads : er_threads_cores(),
            &m->threads, err);
    if (!rc)
        rc = check_memory(m, opt, err);
    if (!rc && m->kernels->tiles && !m->exact)
        rc = er_weights_pack(
            &m->weights, m->shape.n_layer, m->threads, err);
    if (!rc)
        rc = er_rope_make(&m->shape, m->weights.rope_factors, &m->rope, err);
    if (!rc)
        rc = er_forward_new(&m->shape, &m->weights, &m->rope, m->kernels,
            m->threads, m->context, m->exact, &m->forward, err);
    if (!rc && pthread_mutex_init(&m->lock, NULL))
        return er_nomem(err);
    m->has_lock = !rc;
    return rc;
}

static void tell(const struct er_local_options *opt, double done)
{
    if (opt->progress)
        opt->progress(opt->progress_ctx, done);
}

int er_local_open(const char *path, const struct er_local_options *opt,
    er_local **out, struct errand_error *err)
{
    static const struct er_local_options none = {0};
    opt = opt ? opt : &none;
    er_local *m = calloc(1, sizeof *m);
    if (!m)
        return er_nomem(err);
    m->exact = opt->exact;
    tell(opt, 0);
    int rc = read_file(m, path, err);
    if (!rc) {
        tell(opt, 0.5);
        m->context = er_local_context(&m->shape, opt->context);
        rc = take_memory(m, opt, err);
    }
    if (rc) {
        er_local_close(m);
        return rc;
    }
    er_local_weights_id(m->file, m->weights_id);
    tell(opt, 1);
    *out = m;
    return ERRAND_OK;
}

void er_local_close(er_local *m)
{
    if (!m)
        return;
    er_forward_free(m->forward);
    er_threads_free(m->threads);
    er_rope_release(&m->rope);
    er_weights_release(&m->weights);
    er_tokenizer_free(m->tokenizer);
    er_gguf_close(m->file);
    if (m->has_lock)
        pthread_mutex_destroy(&m->lock);
    free(m);
}

const struct er_tokenizer *er_local_tokenizer(const er_local *m)
{
    return m->tokenizer;
}

const struct er_gguf *er_local_file(const er_local *m)
{
    return m->file;
}

int er_adapter_open(const er_local *m, const char *path, er_adapter **out,
    struct errand_error *err)
{
    er_adapter *a = calloc(1, sizeof *a);
    if (!a)
        return er_nomem(err);
    int rc = er_lora_open(path, &m->shape, &m->weights, &a->lora, err);
    if (rc) {
        free(a);
        return rc;
    }
    *out = a;
    return ERRAND_OK;
}

void er_adapter_close(er_adapter *a)
{
    if (!a)
        return;
    er_lora_close(a->lora);
    free(a);
}
