/* The replay provider: a recorded exchange as events from the loop.
 *
 * Text is given in pieces, a word each, if the request asked for a stream,
 * as an endpoint would: a recording keeps no cuts. With delay_ms each piece
 * and each event waits that long.
 */
#include "model/exchange.h"
#include "model/replay.h"
#include "model/replay_check.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_MAX = 64 };

struct player {
    struct er_exchange base;
    const struct er_shot *shot;
    size_t event, offset; /* what comes next; offset into its text */
    bool stream;
    struct er_timer timer;
};

static void destroy(struct er_exchange *x)
{
    struct player *p = (struct player *)x;
    er_timer_stop(&p->timer);
    er_exchange_release(x);
    free(p);
}

static size_t piece_length(const char *s, size_t len)
{
    size_t n = 0, most = len < PIECE_MAX ? len : PIECE_MAX;
    while (n < most && s[n] == ' ')
        n++;
    while (n < most && s[n] != ' ')
        n++;
    if (n == PIECE_MAX) {
        size_t cut = er_utf8_cut(s, len, n);
        n = cut > 0 ? cut : n;
    }
    return n;
}

/* True if the text is given to its end. */
static bool play_text(
    struct player *p, const json_t *ev, enum er_model_event_type type)
{
    const json_t *v = json_object_get(ev, "text");
    const char *text = json_string_value(v) + p->offset;
    size_t left = json_string_length(v) - p->offset;
    size_t n = p->stream ? piece_length(text, left) : left;
    p->offset = n < left ? p->offset + n : 0;
    if (n > 0)
        er_exchange_emit(&p->base,
            &(struct er_model_event){.type = type, .text = text, .len = n});
    return n == left;
}

static void play_call(struct player *p, const json_t *ev)
{
    char made[48];
    const json_t *args = json_object_get(ev, "arguments");
    const char *id = er_json_str(ev, "id");
    snprintf(made, sizeof made, "replay_%lld_%zu",
        (long long)p->shot->turn, p->event);
    struct er_model_call call = {.id = id ? id : made,
        .id_made = !id,
        .name = er_json_str(ev, "name"),
        .arguments = json_string_value(args),
        .arguments_len = json_string_length(args)};
    er_exchange_emit(&p->base,
        &(struct er_model_event){.type = ER_MODEL_CALL, .call = &call});
}

static void play_usage(struct player *p, const json_t *ev)
{
    struct er_usage u = {
        .prompt_tokens = er_json_int(ev, "prompt_tokens", 0),
        .completion_tokens = er_json_int(ev, "completion_tokens", 0),
        .cached_tokens = er_json_int(ev, "cached_tokens", 0),
        .reasoning_tokens = er_json_int(ev, "reasoning_tokens", 0)};
    er_exchange_emit(&p->base,
        &(struct er_model_event){.type = ER_MODEL_USAGE, .usage = &u});
}

static void play_done(struct player *p, const json_t *ev)
{
    int finish = er_replay_finish(er_json_str(ev, "finish"));
    er_exchange_emit(&p->base,
        &(struct er_model_event){.type = ER_MODEL_DONE,
            .finish = (enum er_finish)finish,
            .extra = json_object_get(ev, "extra")});
}

static void play_error(struct player *p, const json_t *ev)
{
    struct errand_error err = {0};
    er_fail(&err, er_replay_code(er_json_str(ev, "code")), "%s",
        er_json_str(ev, "message"));
    err.detail = (int32_t)er_json_int(ev, "detail", 0);
    er_exchange_emit(&p->base,
        &(struct er_model_event){.type = ER_MODEL_ERROR, .error = &err});
}

/* Give one piece; false if the exchange is over. */
static bool play(struct player *p)
{
    const json_t *ev = json_array_get(p->shot->events, p->event);
    const char *type = er_json_str(ev, "type");
    bool next = true;
    bool done = strcmp(type, "done") == 0;
    bool failed = strcmp(type, "error") == 0;
    if (strcmp(type, "text") == 0)
        next = play_text(p, ev, ER_MODEL_TEXT);
    else if (strcmp(type, "reasoning") == 0)
        next = play_text(p, ev, ER_MODEL_REASONING);
    else if (strcmp(type, "call") == 0)
        play_call(p, ev);
    else if (strcmp(type, "usage") == 0)
        play_usage(p, ev);
    else if (done)
        play_done(p, ev);
    else if (failed)
        play_error(p, ev);
    p->event += next;
    return !done && !failed && !p->base.cancelled;
}

static void on_timer(void *ctx)
{
    struct player *p = ctx;
    do {
        if (!play(p)) {
            destroy(&p->base);
            return;
        }
    } while (p->shot->delay_ms == 0);
    if (er_timer_start(p->base.models->loop, &p->timer, p->shot->delay_ms,
            on_timer, p, NULL) != ERRAND_OK) {
        struct errand_error err = {0};
        er_nomem(&err);
        er_exchange_emit(&p->base,
            &(struct er_model_event){
                .type = ER_MODEL_ERROR, .error = &err});
        destroy(&p->base);
    }
}

int er_replay_start(struct er_models *models, struct er_replay *replay,
    const char *model, const struct er_model_request *req,
    er_model_event_fn on_event, void *ctx, struct er_exchange **out,
    struct errand_error *err)
{
    struct er_fingerprint print;
    if (!er_fingerprint(req, &print))
        return er_nomem(err);
    const struct er_shot *shot = er_replay_choose(replay, &print, err);
    if (!shot)
        return ERRAND_NOT_FOUND;
    struct player *p = calloc(1, sizeof *p);
    if (!p)
        return er_nomem(err);
    p->base.destroy = destroy;
    p->shot = shot;
    p->stream = req->stream;
    int rc = er_exchange_init(
        &p->base, models, model, req, NULL, on_event, ctx, err);
    if (rc != ERRAND_OK) {
        free(p);
        return rc;
    }
    rc = er_timer_start(
        models->loop, &p->timer, shot->delay_ms, on_timer, p, err);
    if (rc != ERRAND_OK) {
        destroy(&p->base);
        return rc;
    }
    *out = &p->base;
    return ERRAND_OK;
}
