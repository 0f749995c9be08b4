/* How a model is spoken to: its template, its family, its prompt's tokens.
 *
 * The model file's own template decides; where a file has none, one of three
 * built-in ones does. The prompt keeps apart what the template wrote and what
 * came in with messages and tools, and control tokens are made of the first
 * alone.
 */
#ifndef ERRAND_ENGINE_CHAT_FORMAT_H
#define ERRAND_ENGINE_CHAT_FORMAT_H

#include "engine/chat_parse.h"
#include "engine/gguf.h"
#include "engine/jinja.h"
#include "engine/tokenizer.h"

/* The family whose calls a template speaks of; without a template the
 * architecture ("llama", "qwen2" …) and the names of control tokens decide.
 * Any may be NULL. [any] */
struct er_chat_signs {
    const char *chat_template;
    size_t len;
    const char *arch;
    bool (*has_control)(void *ctx, const char *name);
    void *ctx;
};
enum er_chat_family er_chat_family_of(const struct er_chat_signs *signs);

/* The built-in template of a family; static storage. */
const char *er_chat_builtin(enum er_chat_family family);

typedef struct er_chat_format er_chat_format; /* read-only, shared */

/* bos and eos: what the template may write as bos_token and eos_token; NULL
 * is "".
 * Errors  SYNTAX (the template, with its line), NOMEM. [any] */
int er_chat_format_new(const struct er_chat_signs *signs, const char *bos,
    const char *eos, er_chat_format **out, struct errand_error *err);
/* The format of an opened model file. */
int er_chat_format_read(
    const struct er_gguf *g, er_chat_format **out, struct errand_error *err);
/* Of a file: a model's, or a template alone. */
int er_chat_format_open(
    const char *path, er_chat_format **out, struct errand_error *err);
void er_chat_format_free(er_chat_format *f); /* NULL is harmless */

enum er_chat_family er_chat_format_family(const er_chat_format *f);

/* Render a prompt. input: {"messages", "tools", "add_generation_prompt"}
 * and whatever else the template asks for by name. Calls' arguments may be
 * objects or their JSON text; several calls of one message become several
 * messages where the template takes but one. out is initialised by the
 * caller. Errors as er_jinja_render, USAGE. [any] */
int er_chat_format_render(const er_chat_format *f, const json_t *input,
    int64_t now_s, struct er_prompt *out, struct errand_error *err);

/* The prompt's tokens: control and user-defined tokens count in trusted
 * bytes alone, and text between them is split as one, whoever wrote it.
 * Appends. [any] */
int er_prompt_tokens(const struct er_prompt *p, const struct er_tokenizer *t,
    struct er_tokens *out, struct errand_error *err);

/* `errand debug render`: -> {"prompt"}; NULL on failure. */
json_t *er_chat_debug_render(const er_chat_format *f, const json_t *input,
    struct errand_error *err);

#endif
