/* From tokens to events: whole characters, content, reasoning and calls,
 * up to a stop string. Calls are held until the end, as is their rule. */
#ifndef ERRAND_MODEL_LOCAL_SPEECH_H
#define ERRAND_MODEL_LOCAL_SPEECH_H

#include "engine/stop.h"
#include "model/local_ask.h"
#include "model/local_mail.h"
#include "model/local_voice.h"

struct er_speech;

/* thinking: the prompt ended inside of reasoning. All borrowed until it is
 * freed. NULL: no memory. */
struct er_speech *er_speech_new(const struct er_voice *v,
    const struct er_ask *a, bool thinking, struct er_mail *mail);
void er_speech_free(struct er_speech *s); /* NULL is harmless */

/* The next token of the answer. Errors NOMEM. */
int er_speech_token(struct er_speech *s, int32_t id);
/* A stop string has come: the answer is over. */
bool er_speech_stopped(const struct er_speech *s);

/* The answer is over: what was held back is given, then the calls. cut: for
 * lack of room. Errors NOMEM. */
int er_speech_end(struct er_speech *s, bool cut, enum er_finish *finish);

/* Tokens that were reasoning and nothing else. */
int64_t er_speech_reasoning(const struct er_speech *s);

#endif
