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

void er_prefix_part(struct er_prefix_key *key, const int32_t *ids, uint32_t n)
{
    struct er_sha256 h;
    er_sha256_init(&h);
    er_sha256_add(&h, key->bytes, sizeof key->bytes);
    er_sha256_add(&h, "part", 4);
    er_sha256_add(&h, &n, sizeof n);
    er_sha256_add(&h, ids, n * sizeof *ids);
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

/* A page's 64 tokens; where there are only n, zeros behind them. */
static const int32_t *padded(
    const int32_t *ids, uint32_t n, int32_t out[ER_KV_PAGE])
{
    memset(out, 0, ER_KV_PAGE * sizeof *out);
    memcpy(out, ids, n * sizeof *ids);
    return out;
}

/* The first n tokens, and the part of a page at their end. */
static int keep(const er_session *s, uint32_t n_tokens, const char *folder,
    uint64_t max_bytes, struct errand_error *err)
{
    struct er_prefix_key key;
    int32_t part[ER_KV_PAGE];
    uint32_t n = n_tokens / ER_KV_PAGE, left = n_tokens % ER_KV_PAGE;
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
    if (left && !rc) {
        const int32_t *ids = s->tokens.ids + n * ER_KV_PAGE;
        er_prefix_part(&key, ids, left);
        rc = er_prefix_write(folder, &key, padded(ids, left, part),
            s->kv.pages[n]->data, s->kv.layout->page_bytes, err);
    }
    mark_used(s, folder, n);
    er_prefix_trim(folder, max_bytes);
    return rc;
}

int er_session_keep(const er_session *s, const char *folder,
    uint64_t max_bytes, struct errand_error *err)
{
    uint32_t whole = (uint32_t)(s->tokens.n / ER_KV_PAGE * ER_KV_PAGE);
    return keep(s, whole, folder, max_bytes, err);
}

int er_session_keep_beginning(const er_session *s, uint32_t n,
    const char *folder, uint64_t max_bytes, struct errand_error *err)
{
    n = n < s->tokens.n ? n : (uint32_t)s->tokens.n;
    return keep(s, n, folder, max_bytes, err);
}

/* Tokens that can be restored, the last one left over. */
static uint32_t most_of(const er_session *s, size_t n_ids)
{
    size_t most = n_ids ? n_ids - 1 : 0;
    return (uint32_t)(most < s->model->context ? most : s->model->context);
}

/* The longest part of a page that is kept behind key, at most n tokens; 0:
 * none. *found gets its key. */
static uint32_t part_of(const char *folder, const struct er_prefix_key *key,
    const int32_t *ids, uint32_t n, struct er_prefix_key *found)
{
    for (n = n < ER_KV_PAGE ? n : ER_KV_PAGE - 1; n > 0; n--) {
        *found = *key;
        er_prefix_part(found, ids, n);
        if (er_prefix_there(folder, found))
            return n;
    }
    return 0;
}

uint32_t er_session_kept(const er_session *s, const char *folder,
    const int32_t *ids, size_t n_ids)
{
    struct er_prefix_key key, next, part;
    uint32_t at = 0, most = most_of(s, n_ids);
    er_prefix_begin(s, &key);
    for (; most - at >= ER_KV_PAGE; at += ER_KV_PAGE, key = next) {
        next = key;
        er_prefix_next(&next, ids + at);
        if (!er_prefix_there(folder, &next))
            break;
    }
    return at + part_of(folder, &key, ids + at, most - at, &part);
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

static int take(er_session *s, const int32_t *ids, uint32_t n,
    struct errand_error *err)
{
    for (uint32_t k = 0; k < n; k++)
        if (!er_tokens_add(&s->tokens, ids[k]))
            return er_nomem(err);
    return ERRAND_OK;
}

/* Whole pages, as far as they go; key becomes that of the last. */
static int restore_pages(er_session *s, const char *folder,
    const int32_t *ids, uint32_t most, struct er_prefix_key *key,
    struct errand_error *err)
{
    int rc = ERRAND_OK;
    for (uint32_t i = 0; i < most && !rc; i++) {
        const int32_t *page = ids + i * ER_KV_PAGE;
        struct er_prefix_key next = *key;
        rc = er_kv_reserve(
            &s->kv, i * ER_KV_PAGE, (i + 1) * ER_KV_PAGE, err);
        er_prefix_next(&next, page);
        if (rc || !er_prefix_there(folder, &next))
            break;
        if (!er_prefix_read(folder, &next, page, s->kv.pages[i]->data,
                s->kv.layout->page_bytes)) {
            remove_behind(folder, next, page, most - i - 1);
            break;
        }
        rc = take(s, page, ER_KV_PAGE, err);
        *key = next;
    }
    return rc;
}

/* A part of a page behind them. */
static int restore_part(er_session *s, const char *folder,
    const int32_t *ids, uint32_t most, const struct er_prefix_key *key,
    struct errand_error *err)
{
    struct er_prefix_key part;
    int32_t all[ER_KV_PAGE];
    uint32_t at = (uint32_t)s->tokens.n;
    uint32_t n = part_of(folder, key, ids + at, most - at, &part);
    int rc = n ? er_kv_reserve(&s->kv, at, at + n, err) : ERRAND_OK;
    if (n == 0 || rc)
        return rc;
    if (!er_prefix_read(folder, &part, padded(ids + at, n, all),
            s->kv.pages[at / ER_KV_PAGE]->data, s->kv.layout->page_bytes))
        return ERRAND_OK;
    er_prefix_touch(folder, &part, er_now_ms() * 1000000);
    return take(s, ids + at, n, err);
}

int er_session_restore(er_session *s, const char *folder, const int32_t *ids,
    size_t n_ids, uint32_t *n, struct errand_error *err)
{
    struct er_prefix_key key;
    uint32_t most = most_of(s, n_ids);
    *n = 0;
    if (s->tokens.n > 0)
        return er_fail(err, ERRAND_STATE, "only an empty timeline can be "
            "restored; it has %zu tokens", s->tokens.n);
    er_prefix_begin(s, &key);
    int rc = restore_pages(s, folder, ids, most / ER_KV_PAGE, &key, err);
    if (!rc)
        rc = restore_part(s, folder, ids, most, &key, err);
    if (rc)
        s->tokens.n = 0;
    *n = (uint32_t)s->tokens.n;
    er_kv_truncate(&s->kv, *n);
    mark_used(s, folder, *n / ER_KV_PAGE);
    return rc;
}
