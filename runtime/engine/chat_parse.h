/* Reading a local model's answer: content, reasoning and tool calls out of
 * its text, while it streams.
 *
 * A model writes its calls as text, each family in its own way, and the same
 * family in many. What the reader accepts is wide in shape and narrow in
 * place: a call must be where the family puts it (Llama: the reply starts
 * with it; Hermes and Mistral: behind their tag, or the reply starts with
 * it) and its name must be a tool's; everything else is text. Bytes that
 * could still become a call are held back, so nothing that was shown as text
 * ever turns into a call. The events are the same for every cut of the
 * input, but for where texts are cut.
 *
 * Shapes
 *   llama3   {"name", "parameters"|"arguments"}, {"type":"function", …},
 *            {"function": {…}}, several of them one behind the other (split
 *            by ; or a newline) or in an array; [f(a="x"), g()];
 *            name.call(k="v"); <function=name>{…}</function>; all of these
 *            behind <|python_tag|>, the JSON and lists in a ``` fence
 *   hermes   <tool_call>…</tool_call> anywhere; at the start also bare, in a
 *            fence, in <tool> <tools> <function_call> <response> <json> <xml>
 *            <JSON>, <function=name>, <function name="…">
 *   mistral  [TOOL_CALLS][{…}], [TOOL_CALLS]name[CALL_ID]id[ARGS]{…}, without
 *            [CALL_ID], repeated; at the start also the bare array
 *   all      <think>…</think> at the start is reasoning; mistral also
 *            [THINK]…[/THINK]
 */
#ifndef ERRAND_ENGINE_CHAT_PARSE_H
#define ERRAND_ENGINE_CHAT_PARSE_H

#include "base/error.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

enum er_chat_family {
    ER_CHAT_LLAMA3 = 0,
    ER_CHAT_HERMES = 1, /* Hermes, Qwen, ChatML */
    ER_CHAT_MISTRAL = 2,
};

/* "llama3", "hermes", "mistral"; false for any other name. [any] */
bool er_chat_family_named(const char *name, enum er_chat_family *out);

struct er_chat_call {
    const char *name;      /* borrowed until the callback returns, as all */
    const char *arguments; /* as the model wrote it where that is JSON, and
                              where it is broken; Python's literals become
                              JSON. Absent and null are "{}" */
    size_t arguments_len;
    const char *id;        /* the one the model gave, or NULL */
};

/* Any may be NULL. Texts are never empty and hold whole characters, as far
 * as the input does. Called from inside feed and end. */
struct er_chat_events {
    void (*text)(void *ctx, const char *text, size_t len);
    void (*reasoning)(void *ctx, const char *text, size_t len);
    void (*call)(void *ctx, const struct er_chat_call *call);
};

struct er_chat_options {
    const char *const *tools; /* names, ended by NULL; copied. NULL: every
                                 well-formed name counts as known */
    bool thinking_open;       /* the prompt ended inside <think> */
    bool keep_thinking;       /* <think> is text like any other */
};

typedef struct er_chat_parser er_chat_parser;

/* NULL: no memory. opt may be NULL. [any]; one thread at a time */
er_chat_parser *er_chat_parser_new(enum er_chat_family family,
    const struct er_chat_options *opt, const struct er_chat_events *events,
    void *ctx);

/* NULL is harmless. */
void er_chat_parser_free(er_chat_parser *p);

/* Take bytes in. At most 4 MiB are held back; a longer call is text.
 * Errors NOMEM, then and ever after. */
int er_chat_parser_feed(er_chat_parser *p, const char *bytes, size_t len);

/* The answer is over: what was held back is a call if it is whole, else
 * text. */
int er_chat_parser_end(er_chat_parser *p);

/* `errand debug parse` for the families' formats. input: {"text": string, or
 * "stream": an array of pieces, "tools": definitions or names,
 * "thinking_open": bool}. No tools, or an empty list: every well-formed name
 * counts as known, so that an answer can be looked at without its request.
 * Returns {"content","reasoning","tool_calls":[{"name","arguments"}]} with
 * arguments as text; caller drops it. NULL on failure.
 * Errors USAGE, NOMEM. [any] */
json_t *er_chat_debug_parse(
    const char *format, const json_t *input, struct errand_error *err);

#endif
