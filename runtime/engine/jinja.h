/* Chat templates: the Jinja that model files carry, run in a sandbox.
 *
 * A small interpreter of what chat templates use, with the settings of
 * transformers' apply_chat_template (trim_blocks, lstrip_blocks, break and
 * continue, tojson without escaping of HTML). A template comes from a file
 * that somebody downloaded: it cannot reach anything but the values it is
 * given, cannot change them, and is bounded in steps, memory, output and
 * depth. Errors name the template's line.
 *
 * Every byte of the result knows where it came from. The template's own text
 * and what the model file says (bos_token ...) are trusted; whatever came in
 * with messages and tools is not, and stays so through every filter, slice
 * and concatenation. A tokenizer looks for control tokens in trusted bytes
 * alone, so no user and no tool can write one.
 */
#ifndef ERRAND_ENGINE_JINJA_H
#define ERRAND_ENGINE_JINJA_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A text and who wrote which part of it. */
struct er_prompt_span {
    size_t len;   /* bytes; spans follow one another without gaps */
    bool trusted; /* control tokens count here, and nowhere else */
};

struct er_prompt {
    struct er_buf text;
    struct er_prompt_span *spans; /* neighbours differ in trusted */
    size_t n_spans, cap_spans;
};

enum { ER_PROMPT_MAX = 64 << 20 };

void er_prompt_init(struct er_prompt *p);
void er_prompt_release(struct er_prompt *p);

/* Append; a run like the last span's joins it. False: no memory, or more
 * than ER_PROMPT_MAX bytes. */
bool er_prompt_add(
    struct er_prompt *p, const char *s, size_t len, bool trusted);

typedef struct er_jinja er_jinja;

enum {
    ER_JINJA_MAX_SOURCE = 1 << 20,   /* bytes of a template */
    ER_JINJA_MAX_OUTPUT = 16 << 20,  /* bytes of a result */
    ER_JINJA_MAX_MEMORY = 256 << 20, /* bytes while it runs */
    ER_JINJA_MAX_STEPS = 4000000,    /* nodes visited, items stepped over */
    ER_JINJA_MAX_DEPTH = 400,        /* nesting of any kind */
};

/* Read a template. It is copied. Caller frees with er_jinja_free. [any]
 * Errors  SYNTAX (with the line), TOO_LARGE, NOMEM */
er_jinja *er_jinja_compile(
    const char *text, size_t len, struct errand_error *err);

/* NULL is harmless. */
void er_jinja_free(er_jinja *t);

struct er_jinja_input {
    const json_t *vars;           /* object: what the template sees */
    const char *const *trusted;   /* names in vars whose texts are the model
                                     file's own, ended by NULL; may be NULL */
    int64_t now_s;                /* for strftime_now: seconds since 1970, in
                                     the time zone the reader lives in */
};

/* Run it. The same template and input give the same bytes, on any thread and
 * at the same time. out is initialised by the caller and appended to; after
 * a failure its content is of no use. [any]
 * Errors  SYNTAX (with the line; what raise_exception was given is in the
 *         message), TOO_LARGE for a bound, NOMEM */
int er_jinja_render(const er_jinja *t, const struct er_jinja_input *in,
    struct er_prompt *out, struct errand_error *err);

#endif
