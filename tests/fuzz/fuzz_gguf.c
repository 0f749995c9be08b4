/* Model files: whatever bytes they hold, they are read within their bounds
 * or refused with a message; what loads can be tokenized for and evaluated.
 */
#include "engine/engine.h"
#include "engine/quant.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static void write_file(const char *path, const uint8_t *data, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
}

/* The last row of each tensor, and every byte of an array of texts. */
static unsigned touch(const struct er_gguf *g)
{
    static float row[4096];
    struct er_gguf_array a;
    unsigned sum = 0;
    for (size_t i = 0; i < er_gguf_tensors(g); i++) {
        const struct er_tensor *t = er_gguf_tensor_at(g, i);
        const char *last = (const char *)t->data + t->bytes - t->row_bytes;
        if (t->ne[0] <= 4096)
            er_quant_get(t->type)->decode(last, row, t->ne[0]);
    }
    if (er_gguf_get_array(g, "tokenizer.ggml.tokens", &a, NULL) == 0 &&
        a.type == ER_GGUF_STRING)
        while (a.left) {
            struct er_gguf_str s = er_gguf_next_str(&a);
            for (size_t i = 0; i < s.len; i++)
                sum += (unsigned char)s.s[i];
        }
    return sum;
}

static void use_tokenizer(const struct er_tokenizer *t)
{
    static const char text[] = "<s>he said 12\n\xF0\x9F\x99\x82 </s>\xFF";
    struct er_tokens ids = {0};
    struct er_buf out;
    er_buf_init(&out, 1 << 24);
    if (er_tokenizer_encode(t, text, sizeof text - 1, ER_TOKENIZE_SPECIAL,
            &ids, NULL) == 0)
        check(er_tokenizer_decode(t, ids.ids, ids.n, true, &out));
    er_tokens_release(&ids);
    er_buf_release(&out);
}

static void use_model(const char *path)
{
    struct er_local_options opt = {
        .threads = 1, .context = 8, .memory = 64 << 20};
    struct errand_error err = {0};
    er_local *m = NULL;
    er_session *s = NULL;
    static const int32_t ids[] = {0, 0, 0};
    if (er_local_open(path, &opt, &m, &err)) {
        check(err.code != 0 && err.msg[0] && !m);
        return;
    }
    check(er_session_new(m, &s, &err) == 0);
    check(er_session_eval(s, ids, 3, NULL, &err) == 0);
    check(er_session_logits(s) != NULL);
    er_session_free(s);
    er_local_close(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct errand_error err = {0};
    struct er_gguf *g = NULL;
    struct er_tokenizer *t = NULL;
    char path[64];
    snprintf(path, sizeof path, "/tmp/errand-fuzz-%ld", (long)getpid());
    write_file(path, data, size);
    if (er_gguf_open(path, &g, &err) == ERRAND_OK) {
        touch(g);
        if (er_tokenizer_new(g, &t, &err) == ERRAND_OK)
            use_tokenizer(t);
        use_model(path);
    } else {
        check(err.code != 0 && err.msg[0] && !g);
    }
    er_tokenizer_free(t);
    er_gguf_close(g);
    unlink(path);
    return 0;
}
