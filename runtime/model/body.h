/* Request bodies: what both dialects share. */
#ifndef ERRAND_MODEL_BODY_H
#define ERRAND_MODEL_BODY_H

#include "model/wire.h"

/* A body being written. Everything goes into out; a failed append shows at
 * its end. */
struct er_body {
    struct er_buf *out;
    enum er_dialect dialect;
    const struct er_quirks *quirks;
    const struct er_model_request *req;
    struct errand_error *err; /* never NULL */
    json_t *ids; /* our id of a call -> the id the endpoint is told */
    size_t written; /* messages that out began with (prompt.h) */
};

/* The messages behind those that are written already, in the dialect's
 * form, between "messages":[ and ] (messages.c). Errors as er_wire_body. */
int er_body_messages(struct er_body *b);

/* "tools":[...], and nothing if there are none (tools_body.c). */
int er_body_tools(struct er_body *b);
bool er_body_has_tools(const struct er_body *b);

/* What follows the messages: parameters, tool_choice, stream (params.c).
 * Each writes its comma first. */
int er_body_tool_choice(struct er_body *b);
void er_body_sampling(struct er_body *b);
void er_body_schema(struct er_body *b);

/* A member's key with its colon, a string, both together. */
void er_body_key(struct er_body *b, const char *key);
void er_body_text(struct er_body *b, const char *text);
void er_body_member(struct er_body *b, const char *key, const char *text);

/* Something that goes into the body failed: it is not written. */
void er_body_fail(struct er_body *b, bool no_memory);

/* The id an endpoint is told for a call, given the provider's own or ours:
 * at most 64 characters; with mistral exactly 9 of [A-Za-z0-9]. salt makes
 * another one of the same id. */
enum { ER_WIRE_ID_SIZE = 65 };
void er_wire_id(
    const char *id, bool mistral, size_t salt, char out[ER_WIRE_ID_SIZE]);

#endif
