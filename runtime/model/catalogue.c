/* The catalogue: models whose architecture, tokenizer and template the
 * engine runs, in repositories that hold them as GGUF.
 *
 * Source: the model's maker where he publishes GGUF himself (Qwen,
 * HuggingFaceTB, NousResearch), else the repository of conversions that most
 * people use (bartowski). A row names a quantization rather than a file, and
 * the hub says which file that is: repositories are tidied up now and then,
 * and a name that was right is not wrong the next day. Licences are the
 * models' own; what the hub says at the moment of the download is shown
 * beside it. */
#include "model/catalogue.h"

#include "base/distance.h"

#include <strings.h>

static const struct er_known rows[] = {
    {"llama-3.2-1b-instruct", "bartowski/Llama-3.2-1B-Instruct-GGUF",
        "Q4_K_M", "llama3.2"},
    {"llama-3.2-3b-instruct", "bartowski/Llama-3.2-3B-Instruct-GGUF",
        "Q4_K_M", "llama3.2"},
    {"llama-3.1-8b-instruct", "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF",
        "Q4_K_M", "llama3.1"},
    {"hermes-3-llama-3.2-3b", "NousResearch/Hermes-3-Llama-3.2-3B-GGUF",
        "Q4_K_M", "llama3"},
    {"qwen2.5-0.5b-instruct", "Qwen/Qwen2.5-0.5B-Instruct-GGUF", "Q4_K_M",
        "apache-2.0"},
    {"qwen2.5-1.5b-instruct", "Qwen/Qwen2.5-1.5B-Instruct-GGUF", "Q4_K_M",
        "apache-2.0"},
    {"qwen2.5-3b-instruct", "Qwen/Qwen2.5-3B-Instruct-GGUF", "Q4_K_M",
        "qwen-research"},
    {"qwen2.5-7b-instruct", "Qwen/Qwen2.5-7B-Instruct-GGUF", "Q4_K_M",
        "apache-2.0"},
    {"qwen3-0.6b", "Qwen/Qwen3-0.6B-GGUF", "Q8_0", "apache-2.0"},
    {"qwen3-1.7b", "Qwen/Qwen3-1.7B-GGUF", "Q8_0", "apache-2.0"},
    {"qwen3-4b", "Qwen/Qwen3-4B-GGUF", "Q4_K_M", "apache-2.0"},
    {"qwen3-8b", "Qwen/Qwen3-8B-GGUF", "Q4_K_M", "apache-2.0"},
    {"smollm2-1.7b-instruct", "HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF",
        "Q4_K_M", "apache-2.0"},
    {"mistral-7b-instruct-v0.3", "bartowski/Mistral-7B-Instruct-v0.3-GGUF",
        "Q4_K_M", "apache-2.0"},
};

const struct er_known *er_known_at(size_t i)
{
    return i < sizeof rows / sizeof rows[0] ? &rows[i] : NULL;
}

const struct er_known *er_known_find(const char *name, const char **nearest)
{
    size_t best = (size_t)-1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcasecmp(rows[i].name, name) == 0)
            return &rows[i];
        size_t far = er_text_distance(rows[i].name, name);
        if (nearest && far < best) {
            best = far;
            *nearest = rows[i].name;
        }
    }
    return NULL;
}
