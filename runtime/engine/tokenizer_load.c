/* A tokenizer out of a model file's metadata.
 *
 * Pieces are kept as the bytes they stand for: byte-level vocabularies
 * write a byte as a visible character, SentencePiece a space as U+2581 and
 * a single byte as <0x0A>; all of that is undone here, once.
 */
#include "engine/tokenizer_parts.h"

#include "base/sha256.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct loading {
    const struct er_gguf *g;
    struct er_tokenizer *t;
    struct errand_error *err;
    struct er_gguf_array pieces, kinds, scores, merges;
    int16_t bytes[512]; /* byte-level: code point -> byte, or -1 */
};

/* The byte-level alphabet: visible Latin-1 characters stand for themselves,
 * the other 68 bytes for the code points from 256 on, in order. */
static void byte_alphabet(int16_t bytes[512])
{
    int next = 256;
    for (int i = 0; i < 512; i++)
        bytes[i] = -1;
    for (int b = 0; b < 256; b++) {
        bool visible = (b >= 33 && b <= 126) || (b >= 161 && b != 173);
        bytes[visible ? b : next++] = (int16_t)b;
    }
}

/* Byte-level text to its bytes; what is not of the alphabet stays. */
static size_t unbyte(const int16_t bytes[512], struct er_gguf_str s, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len;) {
        unsigned char a = (unsigned char)s.s[i];
        unsigned char b = i + 1 < s.len ? (unsigned char)s.s[i + 1] : 0;
        bool two = a >= 0xC2 && a <= 0xC7 && (b & 0xC0) == 0x80;
        unsigned c = two ? (a & 31u) << 6 | (b & 63u) : a;
        if (c < 512 && bytes[c] >= 0 && (two || a < 0x80)) {
            out[n++] = (char)bytes[c];
            i += two ? 2 : 1;
        } else {
            out[n++] = s.s[i++];
        }
    }
    return n;
}

/* U+2581 to a space. */
static size_t unspace(struct er_gguf_str s, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        bool mark = s.len - i >= 3 && !memcmp(s.s + i, "\xE2\x96\x81", 3);
        out[n++] = mark ? ' ' : s.s[i];
        i += mark ? 2 : 0;
    }
    return n;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* The byte that "<0x0A>" stands for, or -1. */
static int named_byte(struct er_gguf_str s)
{
    if (s.len != 6 || memcmp(s.s, "<0x", 3) != 0 || s.s[5] != '>')
        return -1;
    int high = hex_digit(s.s[3]), low = hex_digit(s.s[4]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Piece number id into out (room for s.len bytes); its length. */
static size_t convert(
    struct loading *l, int32_t id, struct er_gguf_str s, char *out)
{
    struct er_tokenizer *t = l->t;
    bool plain = t->kinds[id] == ER_TOKEN_NORMAL ||
                 t->kinds[id] == ER_TOKEN_UNUSED;
    if (!t->spm && plain)
        return unbyte(l->bytes, s, out);
    int byte = t->spm && (plain || t->kinds[id] == ER_TOKEN_BYTE)
                   ? named_byte(s)
                   : -1;
    if (byte >= 0 && (t->kinds[id] == ER_TOKEN_BYTE || l->kinds.count == 0)) {
        t->kinds[id] = ER_TOKEN_BYTE;
        t->byte_ids[byte] = id;
        *out = (char)byte;
        return 1;
    }
    if (t->spm)
        return unspace(s, out);
    if (s.len > 0)
        memcpy(out, s.s, s.len);
    return s.len;
}

static int read_pieces(struct loading *l)
{
    struct er_tokenizer *t = l->t;
    struct er_gguf_array a = l->pieces;
    uint64_t total = 0;
    while (a.left)
        total += er_gguf_next_str(&a).len;
    if (total >= UINT32_MAX)
        return er_fail(l->err, ERRAND_TOO_LARGE,
            "the vocabulary has %llu bytes; at most 4 GiB",
            (unsigned long long)total);
    t->bytes = malloc(total + 1);
    t->starts = malloc(((size_t)t->n + 1) * sizeof *t->starts);
    if (!t->bytes || !t->starts)
        return er_nomem(l->err);
    uint32_t at = 0;
    a = l->pieces;
    for (int32_t id = 0; id < t->n; id++) {
        t->starts[id] = at;
        at += (uint32_t)convert(l, id, er_gguf_next_str(&a), t->bytes + at);
    }
    t->starts[t->n] = at;
    return ERRAND_OK;
}

static int read_kinds(struct loading *l)
{
    struct er_tokenizer *t = l->t;
    t->kinds = malloc((size_t)t->n);
    t->ends = calloc((size_t)t->n, 1);
    if (!t->kinds || !t->ends)
        return er_nomem(l->err);
    memset(t->kinds, ER_TOKEN_NORMAL, (size_t)t->n);
    for (int32_t id = 0; l->kinds.left; id++) {
        double kind = er_gguf_next_number(&l->kinds);
        if (kind >= ER_TOKEN_NORMAL && kind <= ER_TOKEN_BYTE)
            t->kinds[id] = (uint8_t)kind;
    }
    return ERRAND_OK;
}

static int read_scores(struct loading *l)
{
    struct er_tokenizer *t = l->t;
    if (!t->spm)
        return ERRAND_OK;
    t->scores = calloc((size_t)t->n, sizeof *t->scores);
    if (!t->scores)
        return er_nomem(l->err);
    for (int32_t id = 0; l->scores.left; id++) {
        float score = (float)er_gguf_next_number(&l->scores);
        t->scores[id] = score == score ? score : 0;
    }
    return ERRAND_OK;
}

/* One line of the merges, "left right", as the bytes they stand for. */
static void add_merge(struct loading *l, struct er_gguf_str s,
    uint32_t rank, char *scratch)
{
    const struct er_tokenizer *t = l->t;
    const char *gap = s.len > 1 ? memchr(s.s + 1, ' ', s.len - 1) : NULL;
    if (!gap)
        return;
    struct er_gguf_str a = {s.s, (size_t)(gap - s.s)};
    struct er_gguf_str b = {gap + 1, s.len - a.len - 1};
    size_t left = unbyte(l->bytes, a, scratch);
    size_t right = unbyte(l->bytes, b, scratch + left);
    int32_t x = er_word_find(t, scratch, left);
    int32_t y = er_word_find(t, scratch + left, right);
    int32_t becomes = er_word_find(t, scratch, left + right);
    if (x >= 0 && y >= 0 && becomes >= 0)
        er_pairs_add(l->t, x, y, rank, becomes);
}

static int read_merges(struct loading *l)
{
    struct er_gguf_array a = l->merges;
    size_t longest = 1;
    if (l->t->spm)
        return ERRAND_OK;
    while (a.left) {
        size_t len = er_gguf_next_str(&a).len;
        longest = len > longest ? len : longest;
    }
    l->t->whole = calloc((size_t)l->t->n, 1);
    char *scratch = malloc(longest);
    if (!scratch || !l->t->whole || !er_pairs_make(l->t, l->merges.count)) {
        free(scratch);
        return er_nomem(l->err);
    }
    for (uint32_t rank = 0; l->merges.left; rank++)
        add_merge(l, er_gguf_next_str(&l->merges), rank, scratch);
    free(scratch);
    for (int b = 0; b < 256; b++)
        l->t->byte_ids[b] = er_word_find(l->t, &(char){(char)b}, 1);
    return ERRAND_OK;
}

/* An array of n elements whose type is_text or a number; missing is fine
 * where must is false. */
static int find_array(struct loading *l, const char *key, bool is_text,
    bool must, struct er_gguf_array *a)
{
    int rc = er_gguf_get_array(l->g, key, a, l->err);
    if (rc)
        return rc;
    if (a->type == UINT32_MAX)
        return !must ? ERRAND_OK
                     : er_fail(l->err, ERRAND_SYNTAX,
                           "the file has no \"%s\": no tokenizer", key);
    if ((a->type == ER_GGUF_STRING) != is_text)
        return er_fail(l->err, ERRAND_SYNTAX,
            "\"%s\" must hold %s", key, is_text ? "strings" : "numbers");
    if (l->t->n > 0 && !is_text && a->count != (uint64_t)l->t->n)
        return er_fail(l->err, ERRAND_SYNTAX,
            "\"%s\" has %llu entries for %d tokens", key,
            (unsigned long long)a->count, l->t->n);
    return ERRAND_OK;
}

static int find_arrays(struct loading *l)
{
    int rc = find_array(l, "tokenizer.ggml.tokens", true, true, &l->pieces);
    if (rc)
        return rc;
    if (l->pieces.count == 0 || l->pieces.count > 1 << 26)
        return er_fail(l->err, ERRAND_SYNTAX,
            "the vocabulary has %llu tokens; it must have 1 to 2^26",
            (unsigned long long)l->pieces.count);
    l->t->n = (int32_t)l->pieces.count;
    rc = find_array(
        l, "tokenizer.ggml.token_type", false, false, &l->kinds);
    if (!rc)
        rc = find_array(l, "tokenizer.ggml.scores", false, false, &l->scores);
    if (!rc)
        rc = find_array(
            l, "tokenizer.ggml.merges", true, !l->t->spm, &l->merges);
    if (!rc && l->merges.count > 1 << 26)
        return er_fail(l->err, ERRAND_SYNTAX, "more merges than 2^26");
    return rc;
}

static int find_kind(struct loading *l)
{
    struct er_gguf_str model = {"", 0}, pre = {"", 0};
    struct er_tokenizer *t = l->t;
    int rc = er_gguf_get_str(l->g, "tokenizer.ggml.model", &model, l->err);
    if (!rc)
        rc = er_gguf_get_str(l->g, "tokenizer.ggml.pre", &pre, l->err);
    if (rc)
        return rc;
    t->spm = model.len == 5 && memcmp(model.s, "llama", 5) == 0;
    if (t->spm) {
        t->add_bos = t->space_prefix = true;
        return ERRAND_OK;
    }
    if (model.len == 4 && memcmp(model.s, "gpt2", 4) == 0)
        return er_pre_find(t, pre, l->err);
    return er_fail(l->err, ERRAND_UNSUPPORTED,
        "the tokenizer \"%.*s\" is not known; known are gpt2 (byte-level "
        "BPE) and llama (SentencePiece)",
        (int)(model.len < 40 ? model.len : 40), model.s);
}

/* A special id; one outside of the vocabulary is as none. */
static int find_id(struct loading *l, const char *key, int32_t *id)
{
    uint64_t n = UINT64_MAX;
    int rc = er_gguf_get_u64(l->g, key, 0, UINT64_MAX, &n, l->err);
    if (!rc && n < (uint64_t)l->t->n)
        *id = (int32_t)n;
    return rc;
}

static bool is_end_name(struct er_gguf_str s)
{
    static const char *const names[] = {"<|eot_id|>", "<|im_end|>",
        "<|end|>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>",
        "<end_of_turn>", "<|end_of_turn|>", "<|eot|>", "<EOT>", "_<EOT>"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == s.len && !memcmp(names[i], s.s, s.len))
            return true;
    return false;
}

static int find_ids(struct loading *l)
{
    static const char *const keys[] = {"tokenizer.ggml.eos_token_id",
        "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"};
    struct er_tokenizer *t = l->t;
    int rc = find_id(l, "tokenizer.ggml.bos_token_id", &t->bos);
    if (!rc)
        rc = find_id(l, "tokenizer.ggml.unknown_token_id", &t->unknown);
    for (size_t i = 0; i < 3 && !rc; i++) {
        int32_t id = -1;
        rc = find_id(l, keys[i], &id);
        if (id >= 0)
            t->ends[id] = 1;
        t->eos = i == 0 ? id : t->eos;
    }
    for (int32_t id = 0; id < t->n && !rc; id++)
        if ((t->kinds[id] == ER_TOKEN_CONTROL ||
                t->kinds[id] == ER_TOKEN_USER) &&
            is_end_name(er_tokenizer_piece(t, id)))
            t->ends[id] = 1;
    if (!rc)
        rc = er_gguf_get_bool(
            l->g, "tokenizer.ggml.add_bos_token", &t->add_bos, l->err);
    if (!rc)
        rc = er_gguf_get_bool(
            l->g, "tokenizer.ggml.add_eos_token", &t->add_eos, l->err);
    if (!rc)
        rc = er_gguf_get_bool(
            l->g, "tokenizer.ggml.add_space_prefix", &t->space_prefix,
            l->err);
    return rc;
}

static int by_first_then_longer(const void *a, const void *b)
{
    const struct er_special *x = a, *y = b;
    unsigned char p = (unsigned char)x->s[0], q = (unsigned char)y->s[0];
    if (p != q)
        return p < q ? -1 : 1;
    if (x->len != y->len)
        return x->len > y->len ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int collect_specials(struct loading *l)
{
    struct er_tokenizer *t = l->t;
    uint32_t n = 0;
    t->specials = malloc((size_t)t->n * sizeof *t->specials);
    if (!t->specials)
        return er_nomem(l->err);
    for (int32_t id = 0; id < t->n; id++) {
        struct er_gguf_str p = er_tokenizer_piece(t, id);
        if (p.len > 0 && (t->kinds[id] == ER_TOKEN_USER ||
                             er_tokenizer_is_control(t, id)))
            t->specials[n++] =
                (struct er_special){id, (uint32_t)p.len, p.s};
    }
    if (n > 0)
        qsort(t->specials, n, sizeof *t->specials, by_first_then_longer);
    for (uint32_t i = 0; i < n; i++)
        t->special_at[(unsigned char)t->specials[i].s[0] + 1] = i + 1;
    for (int b = 1; b <= 256; b++)
        if (t->special_at[b] == 0)
            t->special_at[b] = t->special_at[b - 1];
    return ERRAND_OK;
}

static void make_id(struct er_tokenizer *t)
{
    struct er_sha256 h;
    unsigned char digest[32];
    uint32_t facts[] = {t->spm, t->add_bos, t->add_eos, t->space_prefix,
        t->whole_words, (uint32_t)t->pre, (uint32_t)t->n, (uint32_t)t->bos};
    er_sha256_init(&h);
    er_sha256_add(&h, facts, sizeof facts);
    er_sha256_add(&h, t->starts, ((size_t)t->n + 1) * sizeof *t->starts);
    er_sha256_add(&h, t->bytes, t->starts[t->n]);
    er_sha256_add(&h, t->kinds, (size_t)t->n);
    er_sha256_end(&h, digest);
    er_hex(digest, sizeof digest, t->id);
}

static int load(struct loading *l)
{
    static int (*const steps[])(struct loading *) = {find_kind, find_arrays,
        read_kinds, read_pieces, read_scores, find_ids, collect_specials};
    struct er_tokenizer *t = l->t;
    int rc = ERRAND_OK;
    byte_alphabet(l->bytes);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && !rc; i++)
        rc = steps[i](l);
    if (rc)
        return rc;
    if (!er_words_build(t) || !er_classes_build(t))
        return er_nomem(l->err);
    rc = read_merges(l);
    if (!rc)
        make_id(t);
    return rc;
}

int er_tokenizer_new(const struct er_gguf *g, struct er_tokenizer **out,
    struct errand_error *err)
{
    struct loading l = {.g = g, .err = err};
    l.t = calloc(1, sizeof *l.t);
    if (!l.t)
        return er_nomem(err);
    l.t->bos = l.t->eos = l.t->unknown = -1;
    memset(l.t->byte_ids, 0xFF, sizeof l.t->byte_ids);
    int rc = load(&l);
    if (rc) {
        er_tokenizer_free(l.t);
        return rc;
    }
    *out = l.t;
    return ERRAND_OK;
}

void er_tokenizer_free(struct er_tokenizer *t)
{
    if (!t)
        return;
    free(t->bytes);
    free(t->starts);
    free(t->kinds);
    free(t->ends);
    free(t->scores);
    free(t->words);
    free(t->pairs);
    free((void *)t->whole);
    free(t->specials);
    free(t->classes);
    free(t);
}

int32_t er_tokenizer_count(const struct er_tokenizer *t)
{
    return t->n;
}

int32_t er_tokenizer_bos(const struct er_tokenizer *t)
{
    return t->bos;
}

int32_t er_tokenizer_eos(const struct er_tokenizer *t)
{
    return t->eos;
}

bool er_tokenizer_adds_bos(const struct er_tokenizer *t)
{
    return t->add_bos && t->bos >= 0;
}

bool er_tokenizer_adds_eos(const struct er_tokenizer *t)
{
    return t->add_eos && t->eos >= 0;
}

const char *er_tokenizer_id(const struct er_tokenizer *t)
{
    return t->id;
}
