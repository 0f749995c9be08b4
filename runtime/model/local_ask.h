/* What is asked of a local model: a request, copied, in the form that chat
 * templates take. The engine's thread reads it while the conversation goes
 * on elsewhere, so nothing in it is shared. */
#ifndef ERRAND_MODEL_LOCAL_ASK_H
#define ERRAND_MODEL_LOCAL_ASK_H

#include "engine/chat_parse.h"
#include "model/model.h"

struct er_ask {
    json_t *messages;   /* for the template */
    json_t *tools;      /* {"type":"function","function":{…}}; NULL: none */
    json_t *schema;     /* the answer must fit; or NULL */
    char *choice;       /* auto, none, required, or a tool's name */
    char *plain;        /* raw: this text, and no template; else NULL */
    struct er_sampling sampling;
    int64_t now_s;      /* the conversation's beginning, local time */
};

/* Copy a request. Errors USAGE (tool_choice), NOMEM. [owner] */
int er_ask_init(struct er_ask *a, const struct er_model_request *req,
    struct errand_error *err);
void er_ask_release(struct er_ask *a); /* zeroed is harmless */

/* Its messages, the user's last one saying something else from its first
 * letter on. New; NULL: no memory, or there is none. [any] */
json_t *er_ask_other(const struct er_ask *a);

/* What a template of the family sees. New; NULL: no memory. [any] */
json_t *er_ask_input(const struct er_ask *a, enum er_chat_family family);

#endif
