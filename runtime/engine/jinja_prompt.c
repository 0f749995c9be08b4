/* A prompt: bytes, and spans that say which of them are trusted. */
#include "engine/jinja.h"

#include <stdlib.h>
#include <string.h>

void er_prompt_init(struct er_prompt *p)
{
    memset(p, 0, sizeof *p);
    er_buf_init(&p->text, ER_PROMPT_MAX);
}

void er_prompt_release(struct er_prompt *p)
{
    er_buf_release(&p->text);
    free(p->spans);
    p->spans = NULL;
    p->n_spans = p->cap_spans = 0;
}

static bool grow(struct er_prompt *p)
{
    size_t cap = p->cap_spans ? p->cap_spans * 2 : 16;
    if (cap > SIZE_MAX / sizeof *p->spans)
        return false;
    struct er_prompt_span *spans =
        realloc(p->spans, cap * sizeof *p->spans);
    if (!spans)
        return false;
    p->spans = spans;
    p->cap_spans = cap;
    return true;
}

bool er_prompt_add(
    struct er_prompt *p, const char *s, size_t len, bool trusted)
{
    struct er_prompt_span *last =
        p->n_spans ? &p->spans[p->n_spans - 1] : NULL;
    if (len == 0)
        return !p->text.failed;
    if (!er_buf_add(&p->text, s, len))
        return false;
    if (last && last->trusted == trusted) {
        last->len += len;
        return true;
    }
    if (p->n_spans == p->cap_spans && !grow(p)) {
        p->text.failed = p->text.no_memory = true;
        return false;
    }
    p->spans[p->n_spans++] =
        (struct er_prompt_span){.len = len, .trusted = trusted};
    return true;
}
