/* Text to tokens and back: the vectors of the suites, a small vocabulary of
 * our own, the splitter against PCRE2, streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/json.h"
#include "base/text.h"
#include "engine/tokenizer_parts.h"
#include "support/gguf_kit.h"
#include "support/suites.h"

#include <pcre2.h>
#include <unistd.h>

static uint32_t seed = 1;

static uint32_t draw(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static struct er_tokenizer *open_tokenizer(const char *path)
{
    struct er_gguf *g = NULL;
    struct er_tokenizer *t = NULL;
    struct errand_error err = {0};
    if (er_gguf_open(path, &g, &err) || er_tokenizer_new(g, &t, &err))
        fail_msg("%s: %s", path, err.msg);
    er_gguf_close(g);
    return t;
}

/* ------------------------------------------------- a small vocabulary */

static void put_code(char *out, unsigned c)
{
    if (c < 128) {
        out[0] = (char)c;
        out[1] = '\0';
        return;
    }
    out[0] = (char)(0xC0 | c >> 6);
    out[1] = (char)(0x80 | (c & 63));
    out[2] = '\0';
}

/* 256 bytes, "he", "ll", "hell", " w", two control tokens, one of a user. */
static struct er_tokenizer *small(const char *pre)
{
    static char bytes[256][3];
    static const char *pieces[263], *merges[] = {
        "h e", "l l", "he ll", "\xC4\xA0 w"};
    uint32_t kinds[263];
    char path[200];
    struct gguf_kit k;
    unsigned next = 256;
    for (unsigned b = 0; b < 256; b++) {
        bool visible = (b >= 33 && b <= 126) || (b >= 161 && b != 173);
        put_code(bytes[b], visible ? b : next++);
        pieces[b] = bytes[b];
    }
    static const char *const more[] = {"he", "ll", "hell", "\xC4\xA0w",
        "<|bos|>", "<|eot_id|>", "<tool>"};
    for (int i = 0; i < 7; i++)
        pieces[256 + i] = more[i];
    for (int i = 0; i < 263; i++)
        kinds[i] = i < 260 ? 1 : i < 262 ? 3 : 4;
    gguf_kit_init(&k);
    gguf_kit_str(&k, "tokenizer.ggml.model", "gpt2");
    gguf_kit_str(&k, "tokenizer.ggml.pre", pre);
    gguf_kit_strs(&k, "tokenizer.ggml.tokens", pieces, 263);
    gguf_kit_u32s(&k, "tokenizer.ggml.token_type", kinds, 263);
    gguf_kit_strs(&k, "tokenizer.ggml.merges", merges, 4);
    gguf_kit_u32(&k, "tokenizer.ggml.bos_token_id", 260);
    gguf_kit_path(path, sizeof path);
    gguf_kit_write(&k, path);
    gguf_kit_release(&k);
    struct er_tokenizer *t = open_tokenizer(path);
    unlink(path);
    return t;
}

static void check_ids(const struct er_tokenizer *t, const char *text,
    unsigned flags, const int32_t *want, size_t n)
{
    struct er_tokens got = {0};
    struct errand_error err = {0};
    assert_int_equal(er_tokenizer_encode(
        t, text, strlen(text), flags, &got, &err), 0);
    assert_int_equal(got.n, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(got.ids[i], want[i]);
    er_tokens_release(&got);
}

static void test_tokenizer_control_tokens_only_on_demand(void **state)
{
    (void)state;
    struct er_tokenizer *t = small("llama-bpe");
    const int32_t plain[] = {258, 'o', '<', '|', 'e', 'o', 't', '_', 'i',
        'd', '|', '>', 262};
    const int32_t special[] = {258, 'o', 261, 262};
    const int32_t literal[] = {'<', 't', 'o', 'o', 'l', '>'};
    check_ids(t, "hello<|eot_id|><tool>", 0, plain, 13);
    check_ids(t, "hello<|eot_id|><tool>", ER_TOKENIZE_SPECIAL, special, 4);
    check_ids(t, "<tool>", ER_TOKENIZE_LITERAL, literal, 6);
    assert_int_equal(er_tokenizer_bos(t), 260);
    assert_true(er_tokenizer_adds_bos(t));
    assert_true(er_tokenizer_is_end(t, 261));
    assert_false(er_tokenizer_is_end(t, 260));
    assert_true(er_tokenizer_is_control(t, 261));
    assert_false(er_tokenizer_is_control(t, 262));
    assert_int_equal(er_tokenizer_control(t, "<|eot_id|>"), 261);
    assert_int_equal(er_tokenizer_control(t, "<|none|>"), -1);
    assert_int_equal(er_tokenizer_piece(t, -1).len, 0);
    assert_int_equal(er_tokenizer_piece(t, 263).len, 0);
    er_tokenizer_free(t);
}

static void test_tokenizer_unknown_kinds_are_refused(void **state)
{
    (void)state;
    struct gguf_kit k;
    struct er_gguf *g = NULL;
    struct er_tokenizer *t = NULL;
    struct errand_error err = {0};
    char path[200];
    static const char *const pieces[] = {"a"};
    gguf_kit_init(&k);
    gguf_kit_str(&k, "tokenizer.ggml.model", "bert");
    gguf_kit_strs(&k, "tokenizer.ggml.tokens", pieces, 1);
    gguf_kit_path(path, sizeof path);
    gguf_kit_write(&k, path);
    gguf_kit_release(&k);
    assert_int_equal(er_gguf_open(path, &g, &err), 0);
    assert_int_equal(er_tokenizer_new(g, &t, &err), ERRAND_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "\"bert\" is not known"));
    er_gguf_close(g);
    unlink(path);
}

/* ---------------------------------------------------- splitter, PCRE2 */

static const struct {
    const char *name, *pattern;
} patterns[] = {
    {"gpt-2", "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+"
              "| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
    {"llama-bpe", "'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])"
                  "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
                  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
                  "|\\s+(?!\\S)|\\s+"},
    {"qwen2", "'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])"
              "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
              "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
              "|\\s+(?!\\S)|\\s+"},
    {"smollm", "\\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+"
               "| ?[^\\s\\p{L}\\p{N}]+|\\s+(?![^\\s\\p{N}])|\\s+"},
};

static size_t random_text(char *out, size_t room)
{
    static const char *const bits[] = {" ", " ", "  ", "\n", "\r\n", "\t",
        "'", "'s", "'LL", "'re", "a", "bc", "Z", "1", "23", "4567", ".",
        "?!", "{\"", "\xC3\xA9", "\xE6\x97\xA5", "\xF0\x9F\x99\x82",
        "\xC2\xA0", "\xE2\x80\xA8", "\xC2\xBD", "\xCC\x81", "\xE0\xA5\xA9",
        "\xE2\x81\x9F", "\xF0\x9D\x90\x80", "\xF0\x9D\x9F\x8E"};
    size_t len = 0, want = 1 + draw(24);
    for (size_t i = 0; i < want; i++) {
        const char *bit = bits[draw(sizeof bits / sizeof bits[0])];
        if (len + strlen(bit) > room)
            break;
        memcpy(out + len, bit, strlen(bit));
        len += strlen(bit);
    }
    return len;
}

static void check_split(const struct er_tokenizer *t, pcre2_code *code,
    const char *text, size_t len)
{
    pcre2_match_data *m = pcre2_match_data_create(4, NULL);
    for (size_t at = 0; at < len;) {
        int rc = pcre2_match(
            code, (PCRE2_SPTR)text, len, at, PCRE2_ANCHORED, m, NULL);
        assert_true(rc > 0);
        size_t want = pcre2_get_ovector_pointer(m)[1] - at;
        size_t got = er_split_next(t, text + at, len - at);
        if (got != want)
            fail_msg("\"%.*s\" at %zu: %zu, not %zu", (int)len, text, at,
                got, want);
        at += got;
    }
    pcre2_match_data_free(m);
}

static void test_tokenizer_splits_as_the_patterns(void **state)
{
    (void)state;
    char text[400];
    for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
        int error;
        PCRE2_SIZE at;
        struct er_tokenizer *t = small(patterns[p].name);
        pcre2_code *code = pcre2_compile((PCRE2_SPTR)patterns[p].pattern,
            PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &error, &at, NULL);
        assert_non_null(code);
        for (int i = 0; i < 4000; i++)
            check_split(t, code, text, random_text(text, sizeof text));
        pcre2_code_free(code);
        er_tokenizer_free(t);
    }
}

/* --------------------------------------------- there and back, streams */

static void round_trip(const struct er_tokenizer *t, const char *s, size_t n)
{
    struct er_tokens ids = {0};
    struct er_buf back;
    struct errand_error err = {0};
    er_buf_init(&back, (size_t)1 << 24);
    assert_int_equal(er_tokenizer_encode(t, s, n, 0, &ids, &err), 0);
    assert_true(er_tokenizer_decode(t, ids.ids, ids.n, false, &back));
    assert_int_equal(back.len, n);
    if (n)
        assert_memory_equal(back.data, s, n);
    er_buf_release(&back);
    er_tokens_release(&ids);
}

/* The pieces that a stream gives are valid and together the text. */
static void stream(const struct er_tokenizer *t, const char *s, size_t n)
{
    struct er_tokens ids = {0};
    struct er_buf got, want;
    struct er_detok d = {0};
    er_buf_init(&got, (size_t)1 << 24);
    er_buf_init(&want, (size_t)1 << 24);
    assert_int_equal(er_tokenizer_encode(
        t, s, n, ER_TOKENIZE_CONTINUE, &ids, NULL), 0);
    for (size_t i = 0; i < ids.n; i++) {
        assert_true(er_detok_add(&d, t, ids.ids[i], &got));
        assert_int_equal(
            er_utf8_valid_prefix(er_buf_str(&got), got.len), got.len);
    }
    assert_true(er_detok_end(&d, &got));
    assert_true(er_text_scrub(&want, s, n));
    assert_string_equal(er_buf_str(&got), er_buf_str(&want));
    er_buf_release(&got);
    er_buf_release(&want);
    er_tokens_release(&ids);
}

static void there_and_back(const struct er_tokenizer *t)
{
    char text[600];
    for (int i = 0; i < 300; i++) {
        size_t n = random_text(text, sizeof text);
        round_trip(t, text, n);
        stream(t, text, n);
        n = draw(200);
        for (size_t k = 0; k < n; k++)
            text[k] = (char)draw(256);
        round_trip(t, text, n);
    }
    for (int b = 0; b < 256; b++)
        round_trip(t, &(char){(char)b}, 1);
    round_trip(t, "", 0);
}

static void test_tokenizer_bytes_come_back(void **state)
{
    (void)state;
    for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
        struct er_tokenizer *t = small(patterns[p].name);
        there_and_back(t);
        er_tokenizer_free(t);
    }
}

/* A word of 200,000 letters, and the same merges in the short way. */
static void test_tokenizer_long_words_end_soon(void **state)
{
    (void)state;
    struct er_tokenizer *t = small("llama-bpe");
    size_t n = 200000;
    char *text = malloc(n);
    struct er_tokens ids = {0};
    for (size_t i = 0; i < n; i++)
        text[i] = "hell"[i % 4];
    assert_int_equal(er_tokenizer_encode(t, text, n, 0, &ids, NULL), 0);
    assert_int_equal(ids.n, n / 4);
    for (size_t i = 0; i < ids.n; i++)
        assert_int_equal(ids.ids[i], 258);
    er_tokens_release(&ids);
    free(text);
    er_tokenizer_free(t);
}

/* ------------------------------------------------------------ vectors */

static size_t check_vector(const struct er_tokenizer *t, const char *text,
    size_t len, unsigned flags, const json_t *want)
{
    struct er_tokens got = {0};
    assert_int_equal(er_tokenizer_encode(t, text, len, flags, &got, NULL), 0);
    bool same = got.n == json_array_size(want);
    for (size_t i = 0; same && i < got.n; i++)
        same = json_integer_value(json_array_get(want, i)) == got.ids[i];
    if (!same)
        printf("# differs: \"%.*s\"\n", (int)len, text);
    er_tokens_release(&got);
    return same;
}

static void check_tokenize_file(const char *model, const char *vectors)
{
    char path[512];
    size_t i, right = 0, all = 0;
    json_t *doc = suite_load(vectors), *c;
    if (!doc)
        return;
    suite_path(model, path);
    struct er_tokenizer *t = open_tokenizer(path);
    json_array_foreach(json_object_get(doc, "cases"), i, c)
    {
        const json_t *text = json_object_get(c, "text");
        const json_t *special = json_object_get(c, "ids_special_parsed");
        right += check_vector(t, json_string_value(text),
            json_string_length(text), 0, json_object_get(c, "ids"));
        all++;
        if (!special)
            continue;
        right += check_vector(t, json_string_value(text),
            json_string_length(text), ER_TOKENIZE_SPECIAL, special);
        all++;
    }
    printf("# %s: %zu of %zu\n", vectors, right, all);
    assert_int_equal(right, all);
    there_and_back(t);
    er_tokenizer_free(t);
    json_decref(doc);
}

static void test_tokenizer_small_models(void **state)
{
    (void)state;
    check_tokenize_file("engine-formats/a1t-f16.gguf",
        "engine-formats/a1t-tokenize.json");
    check_tokenize_file("engine-formats/a2u-q8_0.gguf",
        "engine-formats/a2u-tokenize.json");
    check_tokenize_file("engine-formats/stories260K.gguf",
        "engine-formats/stories260K-tokenize.json");
}

static char *read_text(const char *path, size_t *len)
{
    char full[512];
    struct er_buf b;
    suite_path(path, full);
    er_buf_init(&b, 1 << 20);
    FILE *f = fopen(full, "rb");
    assert_non_null(f);
    while (er_buf_reserve(&b, 4096)) {
        size_t n = fread(b.data + b.len, 1, 4096, f);
        if (n == 0)
            break;
        b.len += n;
    }
    fclose(f);
    b.data[b.len] = '\0';
    return er_buf_take(&b, len);
}

/* .inp: texts with a separator; .out: a line of ids each. */
static void check_inp_out(const struct er_tokenizer *t, const char *name)
{
    static const char gap[] = "\n__ggml_vocab_test__\n";
    char path[200];
    size_t len, right = 0, all = 0;
    snprintf(path, sizeof path, "tokenizer/%s.inp", name);
    char *texts = read_text(path, &len);
    snprintf(path, sizeof path, "tokenizer/%s.out", name);
    char *lines = read_text(path, &len), *line = lines;
    for (char *text = texts, *next; text; text = next, all++) {
        char *end = strstr(text, gap);
        next = end ? end + strlen(gap) : NULL;
        if (end)
            *end = '\0';
        json_t *want = json_array();
        for (char *p = line; *p && *p != '\n';) {
            char *after = NULL;
            long id = strtol(p, &after, 10);
            if (after == p)
                break;
            json_array_append_new(want, json_integer(id));
            p = after;
            line = after;
        }
        line = strchr(line, '\n');
        assert_true(line || !next);
        line = line ? line + 1 : NULL;
        right += check_vector(
            t, text, strlen(text), ER_TOKENIZE_SPECIAL, want);
        json_decref(want);
    }
    printf("# %s: %zu of %zu\n", name, right, all);
    assert_int_equal(right, all);
    free(texts);
    free(lines);
}

static void check_other(const struct er_tokenizer *t, const char *name)
{
    json_t *doc = suite_load("tokenizer/other_vocabs_vectors.json"), *text;
    size_t i, right = 0;
    json_t *ids = json_object_get(json_object_get(doc, "vocabs"), name);
    json_array_foreach(json_object_get(doc, "texts"), i, text)
        right += check_vector(t, json_string_value(text),
            json_string_length(text), ER_TOKENIZE_SPECIAL,
            json_array_get(ids, i));
    printf("# other_vocabs_vectors %s: %zu of %zu\n", name, right, i);
    assert_int_equal(right, i);
    json_decref(doc);
}

static void test_tokenizer_gpt2_and_spm_vectors(void **state)
{
    (void)state;
    static const char *const names[] = {"gpt-2", "llama-spm"};
    for (int i = 0; i < 2; i++) {
        char path[200], full[512];
        snprintf(path, sizeof path, "tokenizer/ggml-vocab-%s.gguf", names[i]);
        if (!suite_has(path))
            continue;
        suite_path(path, full);
        struct er_tokenizer *t = open_tokenizer(full);
        char name[100];
        snprintf(name, sizeof name, "ggml-vocab-%s.gguf", names[i]);
        check_inp_out(t, name);
        check_other(t, names[i]);
        there_and_back(t);
        er_tokenizer_free(t);
    }
}

static void check_external(const struct er_tokenizer *t, const json_t *c,
    size_t *right, size_t *all)
{
    const char *op = json_string_value(json_object_get(c, "op"));
    const json_t *text = json_object_get(c, "text");
    const json_t *ids = json_object_get(c, "ids");
    size_t i, n = json_array_size(ids);
    if (!op || strcmp(op, "decode") != 0) {
        bool bos = json_is_true(json_object_get(c, "bos"));
        bool eos = json_is_true(json_object_get(c, "eos"));
        json_t *rest = json_array(), *id;
        json_array_foreach(ids, i, id)
            if (i >= bos && i + eos < n)
                json_array_append(rest, id);
        *right += check_vector(t, json_string_value(text),
            json_string_length(text), ER_TOKENIZE_SPECIAL, rest);
        json_decref(rest);
    } else {
        struct er_buf out;
        er_buf_init(&out, 1 << 20);
        for (i = 0; i < n; i++) {
            int32_t id =
                (int32_t)json_integer_value(json_array_get(ids, i));
            er_tokenizer_decode(t, &id, 1, true, &out);
        }
        *right += strcmp(er_buf_str(&out), json_string_value(text)) == 0;
        er_buf_release(&out);
    }
    ++*all;
}

static size_t check_pieces(const struct er_tokenizer *t, const json_t *c)
{
    const char *text = json_string_value(json_object_get(c, "text"));
    const json_t *pieces = json_object_get(c, "pieces");
    size_t i, at = 0, len = strlen(text);
    json_t *piece;
    json_array_foreach(pieces, i, piece)
    {
        size_t n = at < len ? er_split_next(t, text + at, len - at) : 0;
        if (n != json_string_length(piece) ||
            memcmp(text + at, json_string_value(piece), n) != 0)
            return 0;
        at += n;
    }
    return at == len;
}

static void test_tokenizer_llama3_vectors(void **state)
{
    (void)state;
    char path[200];
    size_t i, right = 0, all = 0;
    json_t *c;
    gguf_kit_path(path, sizeof path);
    if (!suite_gunzip("tokenizer/llama3.2-vocab-only.gguf.gz", path)) {
        unlink(path);
        return;
    }
    struct er_tokenizer *t = open_tokenizer(path);
    unlink(path);
    check_inp_out(t, "ggml-vocab-llama-bpe.gguf");
    json_t *doc = suite_load("tokenizer/llama3_vectors_generated.json");
    json_array_foreach(doc, i, c)
        check_external(t, c, &right, &all);
    json_decref(doc);
    doc = suite_load("tokenizer/llama3_vectors_external.json");
    json_array_foreach(doc, i, c)
        if (json_object_get(c, "ids")) {
            check_external(t, c, &right, &all);
        } else {
            right += check_pieces(t, c);
            all++;
        }
    json_decref(doc);
    printf("# llama3 vectors: %zu of %zu\n", right, all);
    assert_int_equal(right, all);
    there_and_back(t);
    er_tokenizer_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokenizer_control_tokens_only_on_demand),
        cmocka_unit_test(test_tokenizer_unknown_kinds_are_refused),
        cmocka_unit_test(test_tokenizer_splits_as_the_patterns),
        cmocka_unit_test(test_tokenizer_bytes_come_back),
        cmocka_unit_test(test_tokenizer_long_words_end_soon),
        cmocka_unit_test(test_tokenizer_small_models),
        cmocka_unit_test(test_tokenizer_gpt2_and_spm_vectors),
        cmocka_unit_test(test_tokenizer_llama3_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
