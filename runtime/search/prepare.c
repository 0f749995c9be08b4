/* Reading a file for the index; see prepare.h. */
#include "search/prepare.h"

#include "base/clock.h"
#include "base/text.h"
#include "search/index_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The whole file, unless its beginning says that it is no text. */
static int read_file(struct er_prepared *p, struct er_buf *out)
{
    bool foreign = p->extract.kind == ER_KIND_PDF ||
                   p->extract.kind == ER_KIND_OFFICE;
    int fd = open(p->file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return er_fail_errno(&p->err, errno == ENOENT ? ERRAND_NOT_FOUND
                                                      : ERRAND_IO,
            "cannot be opened");
    int code = ERRAND_OK;
    ssize_t n = 1;
    while (n > 0 && code == ERRAND_OK) {
        size_t room = out->len ? 1 << 20 : 8192;
        if (!er_buf_reserve(out, room)) {
            code = er_nomem(&p->err);
            break;
        }
        n = read(fd, out->data + out->len, room);
        if (n < 0)
            code = er_fail_errno(&p->err, ERRAND_IO, "cannot be read");
        out->len += n > 0 ? (size_t)n : 0;
        out->data[out->len] = '\0';
        if (out->len > ER_DOCUMENT_MOST)
            code = er_fail(&p->err, ERRAND_TOO_LARGE, "over %d MiB; split it",
                ER_DOCUMENT_MOST >> 20);
        if (!foreign && code == ERRAND_OK && n > 0 && out->len <= 8192 &&
            er_kind_is_binary(out->data, out->len))
            code = er_fail(&p->err, ERRAND_SYNTAX, "binary, not text");
    }
    close(fd);
    return code;
}

static int gather(struct er_prepared *p, struct er_words *words)
{
    struct er_buf head, one;
    int code = ERRAND_OK;
    p->ends = calloc(2 * p->chunks.n + 1, sizeof *p->ends);
    if (!p->ends)
        return er_nomem(&p->err);
    er_buf_init(&head, 16384);
    er_buf_init(&one, (size_t)ER_DOCUMENT_MOST * 2);
    for (size_t i = 0; i < p->chunks.n && code == ERRAND_OK; i++) {
        const struct er_chunk *c = &p->chunks.v[i];
        size_t n = 0;
        er_buf_reset(&head);
        er_buf_reset(&one);
        if (!er_index_head(&head, p->doc.path, p->doc.title, c->heading) ||
            !er_index_words(words, er_buf_str(&head), head.len, c->text,
                c->len, &one, &n) ||
            !er_buf_add(&p->words, er_buf_str(&one), one.len) ||
            !er_index_names(p->doc.kind, c->text, c->len, &p->names))
            code = er_nomem(&p->err);
        p->ends[2 * i] = p->words.len;
        p->ends[2 * i + 1] = p->names.len;
        p->n_words += n;
    }
    er_buf_release(&head);
    er_buf_release(&one);
    return code;
}

static int make_ready(struct er_prepared *p, const struct er_buf *bytes,
    struct er_words *words)
{
    int code = er_extract(&p->extract, p->file->path, er_buf_str(bytes),
        bytes->len, &p->err);
    p->doc.kind = p->extract.kind;
    p->doc.converted = p->extract.converted;
    if (code == ERRAND_OK)
        code = er_chunk_text(&p->chunks, p->doc.kind,
            er_buf_str(&p->extract.text), p->extract.text.len, &p->err);
    p->doc.title = p->extract.title[0] ? p->extract.title
                   : p->chunks.title   ? p->chunks.title
                                       : "";
    return code == ERRAND_OK ? gather(p, words) : code;
}

void er_prepare(struct er_prepared *p, const struct er_file *file,
    const unsigned char *known_hash, struct er_words *words)
{
    struct er_buf bytes;
    struct er_sha256 hash;
    *p = (struct er_prepared){.file = file};
    p->doc = (struct er_document){.path = file->path, .title = "",
        .size = file->size, .mtime_ns = file->mtime_ns,
        .indexed_ms = er_now_ms()};
    p->extract.kind = er_kind_of_name(file->path);
    er_chunks_init(&p->chunks);
    er_buf_init(&p->extract.text, 1);
    er_buf_init(&p->words, (size_t)ER_DOCUMENT_MOST * 4);
    er_buf_init(&p->names, (size_t)ER_DOCUMENT_MOST * 2);
    er_buf_init(&bytes, ER_DOCUMENT_MOST + (2 << 20));
    er_words_tidy(words);
    int code = read_file(p, &bytes);
    if (code == ERRAND_OK) {
        er_sha256_init(&hash);
        er_sha256_add(&hash, er_buf_str(&bytes), bytes.len);
        er_sha256_end(&hash, p->doc.hash);
        if (known_hash && memcmp(known_hash, p->doc.hash, 32) == 0)
            p->state = ER_PREPARED_SAME;
        else
            code = make_ready(p, &bytes, words);
    }
    if (code != ERRAND_OK)
        p->state = ER_PREPARED_PROBLEM;
    er_buf_release(&bytes);
}

void er_prepared_release(struct er_prepared *p)
{
    er_buf_release(&p->extract.text);
    er_chunks_release(&p->chunks);
    er_buf_release(&p->words);
    er_buf_release(&p->names);
    free(p->ends);
    p->ends = NULL;
}
