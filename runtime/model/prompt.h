/* What was written of a conversation's requests, kept for the next one.
 *
 * Request N up to its last message is a prefix of request N+1 (body.c), so
 * these bytes need not be made again: the next request copies them and adds
 * the messages that are new. What they were made from is remembered; if
 * anything of it is another, they are forgotten.
 */
#ifndef ERRAND_MODEL_PROMPT_H
#define ERRAND_MODEL_PROMPT_H

#include "model/body.h"

struct er_prompt {
    struct er_buf head; /* the body up to its last message */
    size_t n;           /* messages in it; 0: nothing is kept */
    json_t *ids;        /* of their calls, as in struct er_body */
    /* made from these, all held */
    enum er_dialect dialect;
    struct er_quirks quirks;
    char *model;
    json_t *tools, *messages, *last;
};

/* Begin b's body with what is kept, if it fits; b->written says how many
 * messages are in it then. False: nothing was written. */
bool er_prompt_resume(struct er_body *b);

/* b's body ends in its last message: keep it. Without memory nothing is
 * kept. */
void er_prompt_keep(struct er_body *b);

#endif
