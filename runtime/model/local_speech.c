/* Bytes of tokens through the family's reader, into mail. */
#include "model/local_speech.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 64 << 20 };

struct call {
    char *id, *name, *arguments;
    size_t arguments_len;
    bool made;
};

struct er_speech {
    const struct er_voice *v;
    struct er_mail *mail;
    er_chat_parser *parser;
    struct er_detok detok;
    struct er_stop stop;
    const char *stops[ER_STOPS + 1];
    struct er_buf piece, shown;
    struct call *calls;
    size_t n_calls, cap;
    bool no_memory, said, thought; /* said: what this token gave */
    int64_t reasoning;
};

/* -------------------------------------------------------- what it reads */

static void give(
    struct er_speech *s, enum er_model_event_type type, struct er_buf *b)
{
    if (b->failed)
        s->no_memory = true;
    else if (b->len > 0)
        er_mail_send(s->mail,
            &(struct er_model_event){
                .type = type, .text = b->data, .len = b->len});
    er_buf_reset(b);
}

static void on_text(void *ctx, const char *text, size_t len)
{
    struct er_speech *s = ctx;
    s->said = true;
    if (!er_stop_add(&s->stop, text, len, &s->shown))
        s->no_memory = true;
    give(s, ER_MODEL_TEXT, &s->shown);
}

static void on_reasoning(void *ctx, const char *text, size_t len)
{
    struct er_speech *s = ctx;
    s->thought = true;
    er_buf_add(&s->shown, text, len);
    give(s, ER_MODEL_REASONING, &s->shown);
}

/* An id of nine letters and digits: the one form that all templates take. */
static char *made_id(void)
{
    static const char alnum[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char uuid[ER_ID_SIZE], id[10] = "";
    uint64_t x = 0;
    er_id_new(uuid);
    for (const char *c = uuid + 14; *c; c++)
        x = x * 31 + (unsigned char)*c;
    for (size_t i = 0; i < sizeof id - 1; i++, x /= 62)
        id[i] = alnum[x % 62];
    return er_strdup(id);
}

/* A grammar holds values to their schema, but not a map to telling each key
 * once: of those that stand twice the last counts. Everything else is as the
 * model wrote it. */
static char *each_key_once(const char *text, size_t *len)
{
    json_t *v = er_json_parse(text, *len, ER_JSON_STRICT, NULL), *last = NULL;
    char *out = NULL;
    if (!v)
        last = er_json_parse(text, *len, ER_JSON_LAST, NULL);
    out = last ? er_json_text(last) : er_strndup(text, *len);
    *len = last && out ? strlen(out) : *len;
    json_decref(v);
    json_decref(last);
    return out;
}

static void on_call(void *ctx, const struct er_chat_call *c)
{
    struct er_speech *s = ctx;
    s->said = true;
    if (s->n_calls == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 4;
        struct call *more = realloc(s->calls, cap * sizeof *more);
        if (!more) {
            s->no_memory = true;
            return;
        }
        s->calls = more;
        s->cap = cap;
    }
    struct call *k = &s->calls[s->n_calls++];
    bool made = !c->id || !*c->id;
    *k = (struct call){.id = made ? made_id() : er_strdup(c->id),
        .made = made, .name = er_strdup(c->name),
        .arguments_len = c->arguments_len};
    k->arguments = each_key_once(c->arguments, &k->arguments_len);
    if (!k->id || !k->name || !k->arguments)
        s->no_memory = true;
}

/* ----------------------------------------------------------------- life */

/* Names ended by NULL: of the tools that may be called. */
static const char **names_of(const struct er_ask *a)
{
    const char **names =
        calloc(json_array_size(a->tools) + 1, sizeof *names);
    size_t i, n = 0;
    json_t *t;
    if (names && strcmp(a->choice, "none") != 0)
        json_array_foreach(a->tools, i, t)
        {
            const char *name =
                er_json_str(json_object_get(t, "function"), "name");
            if (name)
                names[n++] = name;
        }
    return names;
}

struct er_speech *er_speech_new(const struct er_voice *v,
    const struct er_ask *a, bool thinking, struct er_mail *mail)
{
    static const struct er_chat_events events = {
        .text = on_text, .reasoning = on_reasoning, .call = on_call};
    const char **names = names_of(a);
    struct er_speech *s = calloc(1, sizeof *s);
    struct er_chat_options opt = {.tools = (const char *const *)names,
        .thinking_open = thinking, .keep_thinking = a->plain != NULL};
    if (!names || !s) {
        free(names);
        free(s);
        return NULL;
    }
    s->v = v;
    s->mail = mail;
    for (size_t i = 0; i < ER_STOPS && a->sampling.stop[i][0]; i++)
        s->stops[i] = a->sampling.stop[i];
    er_stop_init(&s->stop, s->stops);
    er_buf_init(&s->piece, HELD_MAX);
    er_buf_init(&s->shown, HELD_MAX);
    s->parser = er_chat_parser_new(v->family, &opt, &events, s);
    free(names);
    if (s->parser)
        return s;
    er_speech_free(s);
    return NULL;
}

void er_speech_free(struct er_speech *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n_calls; i++) {
        free(s->calls[i].id);
        free(s->calls[i].name);
        free(s->calls[i].arguments);
    }
    free(s->calls);
    er_chat_parser_free(s->parser);
    er_stop_release(&s->stop);
    er_buf_release(&s->piece);
    er_buf_release(&s->shown);
    free(s);
}

/* --------------------------------------------------------------- tokens */

static int feed(struct er_speech *s)
{
    if (s->piece.len > 0 &&
        er_chat_parser_feed(s->parser, s->piece.data, s->piece.len) !=
            ERRAND_OK)
        s->no_memory = true;
    er_buf_reset(&s->piece);
    return s->no_memory ? ERRAND_NOMEM : ERRAND_OK;
}

int er_speech_token(struct er_speech *s, int32_t id)
{
    bool control;
    struct er_gguf_str says = er_voice_says(s->v, id, &control);
    s->said = s->thought = false;
    bool ok = control ? er_detok_end(&s->detok, &s->piece) &&
                            er_buf_add(&s->piece, says.s, says.len)
                      : er_detok_add(
                            &s->detok, s->v->tokenizer, id, &s->piece);
    if (!ok)
        return ERRAND_NOMEM;
    int rc = feed(s);
    s->reasoning += s->thought && !s->said;
    return rc;
}

bool er_speech_stopped(const struct er_speech *s)
{
    return s->stop.stopped;
}

static void send_calls(struct er_speech *s)
{
    for (size_t i = 0; i < s->n_calls; i++) {
        const struct call *k = &s->calls[i];
        struct er_model_call c = {.id = k->id, .id_made = k->made,
            .name = k->name, .arguments = k->arguments,
            .arguments_len = k->arguments_len};
        er_mail_send(s->mail,
            &(struct er_model_event){.type = ER_MODEL_CALL, .call = &c});
    }
}

int er_speech_end(struct er_speech *s, bool cut, enum er_finish *finish)
{
    if (!er_detok_end(&s->detok, &s->piece))
        return ERRAND_NOMEM;
    int rc = feed(s);
    if (rc == ERRAND_OK)
        rc = er_chat_parser_end(s->parser);
    if (!er_stop_end(&s->stop, &s->shown) || s->no_memory)
        rc = ERRAND_NOMEM;
    give(s, ER_MODEL_TEXT, &s->shown);
    if (rc != ERRAND_OK || s->no_memory)
        return ERRAND_NOMEM;
    send_calls(s);
    *finish = cut ? ER_FINISH_LENGTH
        : s->n_calls ? ER_FINISH_CALLS : ER_FINISH_STOP;
    return ERRAND_OK;
}

int64_t er_speech_reasoning(const struct er_speech *s)
{
    return s->reasoning;
}
