/* Keeping and restoring timelines, page by page. */
#include "engine/prefix.h"

#include "base/clock.h"
#include "base/sha256.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void er_prefix_begin(const er_session *s, struct er_prefix_key *key)
{
    const er_local *m = s->model;
    struct er_sha256 h;
    uint32_t facts[] = {ER_ENGINE_ABI, (uint32_t)m->layout.type, m->exact,
        m->shape.n_layer, m->shape.n_head_kv, m->shape.head_dim,
        m->rope.n, m->rope.halves, (uint32_t)s->n_loras};
    er_sha256_init(&h);
    er_sha256_add(&h, m->weights_id, sizeof m->weights_id);
    er_sha256_add(&h, er_tokenizer_id(m->tokenizer), 64);
    er_sha256_add(&h, m->kernels->name, strlen(m->kernels->name) + 1);
    er_sha256_add(&h, facts, sizeof facts);
    er_sha256_add(&h, m->rope.speed, m->rope.n * sizeof *m->rope.speed);
    er_sha256_add(&h, &m->rope.amplitude, sizeof m->rope.amplitude);
    for (size_t i = 0; i < s->n_loras; i++) {
        er_sha256_add(&h, s->loras[i].lora->id, 64);
        er_sha256_add(&h, &s->loras[i].scale, sizeof s->loras[i].scale);
    }
    er_sha256_end(&h, key->bytes);
}

void er_prefix_next(struct er_prefix_key *key, const int32_t *ids)
{
    struct er_sha256 h;
    er_sha256_init(&h);
    er_sha256_add(&h, key->bytes, sizeof key->bytes);
    er_sha256_add(&h, ids, ER_KV_PAGE * sizeof *ids);
    er_sha256_end(&h, key->bytes);
}

/* A beginning is newer, by a microsecond per page, than what goes on from it
 * and is trimmed last. Without memory for it, nothing is lost. */
static void mark_used(const er_session *s, const char *folder, uint32_t n)
{
    struct er_prefix_key *keys = calloc(n + 1, sizeof *keys);
    int64_t now_ns = er_now_ms() * 1000000;
    if (!keys)
        return;
    er_prefix_begin(s, &keys[0]);
    for (uint32_t i = 0; i < n; i++) {
        keys[i + 1] = keys[i];
        er_prefix_next(&keys[i + 1], s->tokens.ids + i * ER_KV_PAGE);
    }
    for (uint32_t i = 1; i <= n; i++)
        er_prefix_touch(folder, &keys[i], now_ns - 1000 * (int64_t)i);
    free(keys);
}

int er_session_keep(const er_session *s, const char *folder,
    uint64_t max_bytes, struct errand_error *err)
{
    struct er_prefix_key key;
    uint32_t n = (uint32_t)(s->tokens.n / ER_KV_PAGE);
    int rc = ERRAND_OK;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return er_fail_errno(err, ERRAND_IO, "cannot make %.120s", folder);
    er_prefix_begin(s, &key);
    for (uint32_t i = 0; i < n && !rc; i++) {
        const int32_t *ids = s->tokens.ids + i * ER_KV_PAGE;
        er_prefix_next(&key, ids);
        rc = er_prefix_write(folder, &key, ids, s->kv.pages[i]->data,
            s->kv.layout->page_bytes, err);
    }
    mark_used(s, folder, n);
    er_prefix_trim(folder, max_bytes);
    return rc;
}

/* Pages of n_ids tokens that can be restored, the last token left over. */
static uint32_t pages_of(const er_session *s, size_t n_ids)
{
    size_t most = n_ids ? n_ids - 1 : 0;
    most = most < s->model->context ? most : s->model->context;
    return (uint32_t)(most / ER_KV_PAGE);
}

uint32_t er_session_kept(const er_session *s, const char *folder,
    const int32_t *ids, size_t n_ids)
{
    struct er_prefix_key key;
    uint32_t i, most = pages_of(s, n_ids);
    er_prefix_begin(s, &key);
    for (i = 0; i < most; i++) {
        er_prefix_next(&key, ids + i * ER_KV_PAGE);
        if (!er_prefix_there(folder, &key))
            break;
    }
    return i * ER_KV_PAGE;
}

/* Where one page is damaged, those that follow it are suspect, and would
 * only be found out one by one: remove n of them. */
static void remove_behind(const char *folder, struct er_prefix_key key,
    const int32_t *page, uint32_t n)
{
    for (uint32_t i = 1; i <= n; i++) {
        er_prefix_next(&key, page + i * ER_KV_PAGE);
        er_prefix_remove(folder, &key);
    }
}

int er_session_restore(er_session *s, const char *folder, const int32_t *ids,
    size_t n_ids, uint32_t *n, struct errand_error *err)
{
    struct er_prefix_key key;
    uint32_t i, most = pages_of(s, n_ids);
    int rc = ERRAND_OK;
    *n = 0;
    if (s->tokens.n > 0)
        return er_fail(err, ERRAND_STATE, "only an empty timeline can be "
            "restored; it has %zu tokens", s->tokens.n);
    er_prefix_begin(s, &key);
    for (i = 0; i < most && !rc; i++) {
        const int32_t *page = ids + i * ER_KV_PAGE;
        rc = er_kv_reserve(
            &s->kv, i * ER_KV_PAGE, (i + 1) * ER_KV_PAGE, err);
        er_prefix_next(&key, page);
        if (rc || !er_prefix_there(folder, &key))
            break;
        if (!er_prefix_read(folder, &key, page, s->kv.pages[i]->data,
                s->kv.layout->page_bytes)) {
            remove_behind(folder, key, page, most - i - 1);
            break;
        }
        for (uint32_t k = 0; k < ER_KV_PAGE && !rc; k++)
            if (!er_tokens_add(&s->tokens, page[k]))
                rc = er_nomem(err);
    }
    if (rc)
        s->tokens.n = 0;
    *n = (uint32_t)s->tokens.n;
    er_kv_truncate(&s->kv, *n);
    mark_used(s, folder, *n / ER_KV_PAGE);
    return rc;
}
