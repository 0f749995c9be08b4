/* The table of well-known endpoints. A row is a default and nothing more:
 * every field of it can be set in the configuration. A quirk stands here
 * only where the endpoint's own documentation or its users' reports say that
 * it refuses the standard form.
 */
#include "model/presets.h"

#include "base/buf.h"

#include <stddef.h>
#include <string.h>

static const struct er_preset presets[] = {
    {.name = "openai",
        .base_url = "https://api.openai.com/v1",
        .url_env = "OPENAI_BASE_URL",
        .key_env = "OPENAI_API_KEY",
        .key_from = "https://platform.openai.com/api-keys",
        .own_quirks = "max_completion_tokens"},
    {.name = "workers-ai",
        .dialect = ER_WORKERS_AI,
        .key_env = "CLOUDFLARE_API_TOKEN",
        .key_from = "https://dash.cloudflare.com/profile/api-tokens"},
    {.name = "ollama",
        .base_url = "http://127.0.0.1:11434/v1",
        .quirks = "no_tool_choice no_strict"},
    {.name = "llama-server", .base_url = "http://127.0.0.1:8080/v1"},
    {.name = "vllm", .base_url = "http://127.0.0.1:8000/v1"},
    {.name = "lm-studio", .base_url = "http://127.0.0.1:1234/v1"},
    {.name = "openrouter",
        .base_url = "https://openrouter.ai/api/v1",
        .key_env = "OPENROUTER_API_KEY",
        .key_from = "https://openrouter.ai/keys"},
    {.name = "groq",
        .base_url = "https://api.groq.com/openai/v1",
        .key_env = "GROQ_API_KEY",
        .key_from = "https://console.groq.com/keys"},
    {.name = "mistral",
        .base_url = "https://api.mistral.ai/v1",
        .key_env = "MISTRAL_API_KEY",
        .key_from = "https://console.mistral.ai/api-keys",
        .quirks = "mistral_ids no_stream_options"},
    {.name = "deepseek",
        .base_url = "https://api.deepseek.com/v1",
        .key_env = "DEEPSEEK_API_KEY",
        .key_from = "https://platform.deepseek.com/api_keys",
        .quirks = "no_strict"},
    {.name = "together",
        .base_url = "https://api.together.xyz/v1",
        .key_env = "TOGETHER_API_KEY"},
    {.name = "fireworks",
        .base_url = "https://api.fireworks.ai/inference/v1",
        .key_env = "FIREWORKS_API_KEY"},
    {.name = "gemini",
        .base_url =
            "https://generativelanguage.googleapis.com/v1beta/openai",
        .key_env = "GEMINI_API_KEY",
        .key_from = "https://aistudio.google.com/apikey"},
    {.name = "xai",
        .base_url = "https://api.x.ai/v1",
        .key_env = "XAI_API_KEY"},
};

#define QUIRKS(X)                                                          \
    X(content_null) X(arguments_object) X(max_completion_tokens)           \
    X(developer_role) X(one_system) X(tool_name) X(mistral_ids)            \
    X(content_calls) X(flat_tools) X(no_strict) X(no_stream_options)       \
    X(no_tool_choice) X(no_parallel) X(no_sampling) X(no_reasoning)

struct quirk {
    const char *name;
    size_t offset; /* of its bool in struct er_quirks */
};

static const struct quirk quirks[] = {
#define ROW(field) {#field, offsetof(struct er_quirks, field)},
    QUIRKS(ROW)
#undef ROW
};

enum { QUIRK_COUNT = sizeof quirks / sizeof quirks[0] };

_Static_assert(QUIRK_COUNT == sizeof(struct er_quirks) / sizeof(bool),
    "every quirk has a name");

const struct er_preset *er_preset_at(size_t i)
{
    return i < sizeof presets / sizeof presets[0] ? &presets[i] : NULL;
}

const struct er_preset *er_preset_find(const char *name)
{
    const struct er_preset *p;
    for (size_t i = 0; (p = er_preset_at(i)); i++) {
        if (strcmp(p->name, name) == 0)
            return p;
    }
    return NULL;
}

/* An error has no room for all names: those that begin with no_ are listed
 * for one that does, the others else. */
static int fail_unknown(
    const char *name, size_t len, struct errand_error *err)
{
    struct er_buf known;
    er_buf_init(&known, 1000);
    bool want_no = len >= 2 && memcmp(name, "no", 2) == 0;
    for (size_t i = 0; i < QUIRK_COUNT; i++) {
        if (want_no == (strncmp(quirks[i].name, "no_", 3) == 0))
            er_buf_addf(&known, " %s", quirks[i].name);
    }
    int shown = len > 24 ? 24 : (int)len;
    er_fail(err, ERRAND_CONFIG, "no quirk '%.*s'; known:%s and %s", shown,
        name, er_buf_str(&known), want_no ? "others" : "no_...");
    er_buf_release(&known);
    return ERRAND_CONFIG;
}

int er_quirks_set(struct er_quirks *q, const char *name, size_t len,
    struct errand_error *err)
{
    for (size_t i = 0; i < QUIRK_COUNT; i++) {
        if (strlen(quirks[i].name) == len &&
            memcmp(quirks[i].name, name, len) == 0) {
            memcpy((char *)q + quirks[i].offset, &(bool){true},
                sizeof(bool));
            return ERRAND_OK;
        }
    }
    return fail_unknown(name, len, err);
}

int er_quirks_set_all(
    struct er_quirks *q, const char *names, struct errand_error *err)
{
    int rc = ERRAND_OK;
    while (names && *names && rc == ERRAND_OK) {
        size_t n = strcspn(names, " ");
        rc = er_quirks_set(q, names, n, err);
        names += n + strspn(names + n, " ");
    }
    return rc;
}
