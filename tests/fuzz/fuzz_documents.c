/* Documents from any bytes: what is read out of them is UTF-8, its chunks
 * stand in order within it, and any bytes are a query. */
#include "base/text.h"
#include "search/chunk.h"
#include "search/cite.h"
#include "search/extract.h"
#include "search/index_text.h"
#include "search/query.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static void read_document(const char *bytes, size_t len, enum er_kind kind)
{
    struct er_extract x = {.kind = kind};
    struct er_chunks c;
    struct errand_error err = {0};
    er_chunks_init(&c);
    int code = er_extract(&x, "a/b", bytes, len, &err);
    const char *text = er_buf_str(&x.text);
    if (code == ERRAND_OK) {
        check(er_utf8_valid_prefix(text, x.text.len) == x.text.len);
        check(strlen(text) == x.text.len);
        code = er_chunk_text(&c, x.kind, text, x.text.len, &err);
        check(code == ERRAND_OK);
    }
    for (size_t i = 0, at = 0; i < c.n; at = c.v[i++].end) {
        check(c.v[i].start >= at || kind == ER_KIND_JSONL);
        check(c.v[i].end <= x.text.len && c.v[i].start <= c.v[i].end);
        check(er_utf8_valid_prefix(c.v[i].text, c.v[i].len) == c.v[i].len);
        check(strlen(c.v[i].heading) <= ER_CHUNK_HEADING);
        struct er_buf names;
        er_buf_init(&names, 1 << 20);
        check(er_index_names(x.kind, c.v[i].text, c.v[i].len, &names));
        er_buf_release(&names);
    }
    er_chunks_release(&c);
    er_buf_release(&x.text);
}

static void read_query(const char *bytes, size_t len)
{
    struct errand_error err = {0};
    struct er_words *words = er_words_new(&err);
    struct er_query q;
    struct er_buf text;
    size_t start = 0, end = 0;
    er_buf_init(&text, 1 << 20);
    check(words && er_text_scrub(&text, bytes, len));
    check(er_query_read(&q, words, er_buf_str(&text)));
    check(q.n_terms <= ER_QUERY_TERMS && q.n_names <= ER_QUERY_NAMES);
    size_t half = er_utf8_cut(er_buf_str(&text), text.len, text.len / 2);
    if (er_cite_find(er_buf_str(&text), text.len, er_buf_str(&text) + half,
            text.len - half, &start, &end))
        check(start < end && end <= text.len);
    er_query_release(&q);
    er_words_free(words);
    er_buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum er_kind kinds[] = {ER_KIND_UNKNOWN, ER_KIND_TEXT,
        ER_KIND_MARKDOWN, ER_KIND_HTML, ER_KIND_CODE, ER_KIND_JSONL,
        ER_KIND_CSV};
    if (size == 0)
        return 0;
    /* a block of its own, so that reading over the end is seen */
    char *copy = malloc(size);
    if (!copy)
        return 0;
    memcpy(copy, data + 1, size - 1);
    if (data[0] % 8 == 7)
        read_query(copy, size - 1);
    else
        read_document(copy, size - 1, kinds[data[0] % 7]);
    free(copy);
    return 0;
}
