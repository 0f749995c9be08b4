/* Keeping the head of a conversation's requests. */
#include "model/prompt.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

er_prompt *er_prompt_new(void)
{
    er_prompt *p = calloc(1, sizeof *p);
    if (p)
        er_buf_init(&p->head, SIZE_MAX / 4);
    return p;
}

static void forget(er_prompt *p)
{
    json_decref(p->ids);
    json_decref(p->tools);
    json_decref(p->messages);
    json_decref(p->last);
    p->ids = p->tools = p->messages = p->last = NULL;
    free(p->model);
    p->model = NULL;
    p->n = 0;
    er_buf_reset(&p->head);
}

void er_prompt_free(er_prompt *p)
{
    if (!p)
        return;
    forget(p);
    er_buf_release(&p->head);
    free(p);
}

/* Messages are never changed once they stand in the list, and a list only
 * grows: so the same list with the same last one is the same beginning. */
static bool fits(const er_prompt *p, const struct er_body *b)
{
    const struct er_model_request *req = b->req;
    const char *model = req->model ? req->model : "";
    return p->n > 0 && p->messages == req->messages &&
           p->tools == req->tools && p->dialect == b->dialect &&
           json_array_get(req->messages, p->n - 1) == p->last &&
           strcmp(p->model, model) == 0 &&
           memcmp(&p->quirks, b->quirks, sizeof p->quirks) == 0;
}

bool er_prompt_resume(struct er_body *b)
{
    er_prompt *p = b->req->prompt;
    if (!p || !fits(p, b))
        return false;
    er_buf_reserve(b->out, p->head.len + p->head.len / 8 + 1024);
    er_buf_add(b->out, p->head.data, p->head.len);
    b->ids = json_incref(p->ids);
    b->written = p->n;
    return true;
}

static void remember(er_prompt *p, const struct er_body *b)
{
    const struct er_model_request *req = b->req;
    p->dialect = b->dialect;
    p->quirks = *b->quirks;
    p->model = er_strdup(req->model ? req->model : "");
    p->tools = json_incref(req->tools);
    p->messages = json_incref(req->messages);
    p->ids = json_incref(b->ids);
}

/* Several system messages at the beginning may become one: then a message
 * more changes what was written before it. */
void er_prompt_keep(struct er_body *b)
{
    er_prompt *p = b->req->prompt;
    if (!p || b->quirks->one_system || b->out->failed)
        return;
    if (b->written == 0) {
        forget(p);
        remember(p, b);
    }
    size_t n = json_array_size(b->req->messages), had = p->head.len;
    json_decref(p->last);
    p->last = json_incref(json_array_get(b->req->messages, n - 1));
    p->n = n;
    if (!er_buf_add(&p->head, b->out->data + had, b->out->len - had) ||
        !p->model)
        forget(p);
}
