/* Which names of pre-tokenizers stand for which of our patterns. */
#include "engine/tokenizer_parts.h"

#include <string.h>

static const struct {
    const char *name;
    enum er_pre pre;
    bool whole_words;
    bool add_bos;
} table[] = {
    {"llama-bpe", ER_PRE_LLAMA3, true, true},
    {"llama3", ER_PRE_LLAMA3, true, true},
    {"llama-v3", ER_PRE_LLAMA3, true, true},
    {"falcon3", ER_PRE_LLAMA3, true, true},
    {"pixtral", ER_PRE_LLAMA3, true, true},
    {"dbrx", ER_PRE_LLAMA3, false, false},
    {"smaug-bpe", ER_PRE_LLAMA3, false, false},
    {"qwen2", ER_PRE_QWEN2, false, false},
    {"deepseek-r1-qwen", ER_PRE_QWEN2, false, false},
    {"stablelm2", ER_PRE_QWEN2, false, false},
    {"gpt-2", ER_PRE_GPT2, false, false},
    {"gpt2", ER_PRE_GPT2, false, false},
    {"phi-2", ER_PRE_GPT2, false, false},
    {"smollm", ER_PRE_SMOLLM, false, false},
    {"starcoder", ER_PRE_SMOLLM, false, false},
    {"refact", ER_PRE_SMOLLM, false, false},
    {"codeshell", ER_PRE_SMOLLM, false, false},
};

int er_pre_find(struct er_tokenizer *t, struct er_gguf_str name,
    struct errand_error *err)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strlen(table[i].name) == name.len &&
            memcmp(table[i].name, name.s, name.len) == 0) {
            t->pre = table[i].pre;
            t->whole_words = table[i].whole_words;
            t->add_bos = table[i].add_bos;
            return ERRAND_OK;
        }
    if (name.len == 0)
        return er_fail(err, ERRAND_UNSUPPORTED,
            "the file does not name its pre-tokenizer (tokenizer.ggml.pre); "
            "take a newer conversion of the model");
    return er_fail(err, ERRAND_UNSUPPORTED,
        "the pre-tokenizer \"%.*s\" is not known; known are llama-bpe, "
        "qwen2, gpt-2, smollm and their relatives",
        (int)(name.len < 40 ? name.len : 40), name.s);
}
