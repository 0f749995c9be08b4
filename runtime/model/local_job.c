/* Prompt, choice, end. */
#include "model/local_job.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WINDOW = 256, /* tokens that penalties look back */
    LOGPROBS_MAX = 256 << 20,
    BEST = 20 /* others whose log probabilities can be asked for */
};

struct er_job *er_job_new(struct er_ask *a, struct er_mail *mail)
{
    struct er_job *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->ask = *a;
    j->mail = mail;
    *a = (struct er_ask){0};
    er_buf_init(&j->logprobs, LOGPROBS_MAX);
    return j;
}

void er_job_free(struct er_job *j)
{
    if (!j)
        return;
    er_speech_free(j->speech);
    er_guide_free(j->guide);
    er_sampler_free(j->sampler);
    er_tokens_release(&j->prompt);
    er_tokens_release(&j->next_ids);
    er_buf_release(&j->logprobs);
    er_ask_release(&j->ask);
    free(j);
}

/* ------------------------------------------------------------- preparing */

/* Whoever asks for raw writes the control tokens himself. */
static int plain_prompt(struct er_job *j, struct errand_error *err)
{
    const struct er_tokenizer *t = j->v->tokenizer;
    if (er_tokenizer_adds_bos(t) && er_tokenizer_bos(t) >= 0 &&
        !er_tokens_add(&j->prompt, er_tokenizer_bos(t)))
        return er_nomem(err);
    return er_tokenizer_encode(t, j->ask.plain, strlen(j->ask.plain),
        ER_TOKENIZE_SPECIAL, &j->prompt, err);
}

/* A second BOS, where template and tokenizer both put one, is one too
 * many; where neither did, the model still wants it. */
static bool fix_bos(const struct er_tokenizer *t, struct er_tokens *p)
{
    int32_t bos = er_tokenizer_bos(t);
    if (bos < 0)
        return true;
    if (p->n > 1 && p->ids[0] == bos && p->ids[1] == bos) {
        memmove(p->ids, p->ids + 1, --p->n * sizeof *p->ids);
        return true;
    }
    if (!er_tokenizer_adds_bos(t) || (p->n > 0 && p->ids[0] == bos))
        return true;
    if (!er_tokens_add(p, bos))
        return false;
    memmove(p->ids + 1, p->ids, (p->n - 1) * sizeof *p->ids);
    p->ids[0] = bos;
    return true;
}

static bool ends_thinking(const struct er_buf *text)
{
    static const char tag[] = "<think>";
    size_t n = text->len, len = sizeof tag - 1;
    while (n > 0 && strchr(" \t\r\n", text->data[n - 1]))
        n--;
    return n >= len && memcmp(text->data + n - len, tag, len) == 0;
}

static int render(const struct er_voice *v, const struct er_ask *ask,
    struct er_tokens *out, bool *thinking, struct errand_error *err)
{
    struct er_prompt p;
    json_t *in = er_ask_input(ask, v->family);
    if (!in)
        return er_nomem(err);
    er_prompt_init(&p);
    int rc = er_chat_format_render(v->format, in, ask->now_s, &p, err);
    json_decref(in);
    if (rc == ERRAND_OK)
        rc = er_prompt_tokens(&p, v->tokenizer, out, err);
    if (rc == ERRAND_OK && !fix_bos(v->tokenizer, out))
        rc = er_nomem(err);
    *thinking = rc == ERRAND_OK && ends_thinking(&p.text);
    er_prompt_release(&p);
    return rc;
}

/* Where the prompt parts from the same one with another question. */
uint32_t er_job_common(const struct er_job *j)
{
    struct er_ask other = j->ask;
    struct er_tokens ids = {0};
    bool thinking;
    size_t n = 0;
    other.messages = j->ask.plain ? NULL : er_ask_other(&j->ask);
    if (other.messages &&
        render(j->v, &other, &ids, &thinking, NULL) == ERRAND_OK)
        while (n < ids.n && n < j->prompt.n && ids.ids[n] == j->prompt.ids[n])
            n++;
    json_decref(other.messages);
    er_tokens_release(&ids);
    return (uint32_t)n;
}

static int check_room(struct er_job *j, struct errand_error *err)
{
    struct er_local_info info;
    er_local_info(j->v->model, &info);
    if (j->prompt.n == 0)
        return er_fail(err, ERRAND_USAGE, "the prompt is empty");
    if (j->prompt.n >= info.context)
        return er_fail(err, ERRAND_CONTEXT,
            "the prompt has %zu tokens, and the context %u, which must hold "
            "the answer too; make the prompt shorter or the context longer",
            j->prompt.n, info.context);
    j->limit = info.context - (uint32_t)j->prompt.n;
    if (j->ask.sampling.max_tokens > 0 &&
        j->ask.sampling.max_tokens < (int64_t)j->limit)
        j->limit = (uint32_t)j->ask.sampling.max_tokens;
    return ERRAND_OK;
}

static uint64_t any_seed(void)
{
    uint64_t x = 0;
    if (getentropy(&x, sizeof x) != 0)
        x = (uint64_t)er_now_ms();
    return x % 9999999999u + 1;
}

static int make_sampler(struct er_job *j, struct errand_error *err)
{
    const struct er_sampling *s = &j->ask.sampling;
    struct er_sample_options o;
    er_sample_options_init(&o);
    o.temperature = s->temperature;
    o.top_p = s->top_p;
    o.top_k = (int32_t)s->top_k;
    o.repetition_penalty = s->repetition_penalty;
    o.frequency_penalty = s->frequency_penalty;
    o.presence_penalty = s->presence_penalty;
    o.window = WINDOW;
    o.seed = s->seed > 0 ? (uint64_t)s->seed : any_seed();
    int rc = er_sampler_new(&o, j->v->n_vocab, &j->sampler, err);
    size_t from = j->prompt.n > WINDOW ? j->prompt.n - WINDOW : 0;
    for (size_t i = from; rc == ERRAND_OK && i < j->prompt.n; i++)
        er_sampler_accept(j->sampler, j->prompt.ids[i], false);
    return rc;
}

int er_job_prepare(
    struct er_job *j, struct er_voice *v, struct errand_error *err)
{
    j->v = v;
    int rc = j->ask.plain
        ? plain_prompt(j, err)
        : render(v, &j->ask, &j->prompt, &j->thinking, err);
    if (rc == ERRAND_OK)
        rc = check_room(j, err);
    if (rc == ERRAND_OK)
        rc = er_guide_new(v, &j->ask, j->thinking, &j->guide, err);
    if (rc == ERRAND_OK)
        rc = make_sampler(j, err);
    if (rc != ERRAND_OK)
        return rc;
    j->speech = er_speech_new(v, &j->ask, j->thinking, j->mail);
    return j->speech ? ERRAND_OK : er_nomem(err);
}

/* --------------------------------------------------------------- reading */

int er_job_begin(struct er_job *j, struct er_warm *w,
    const struct er_warm_adapters *with, struct errand_error *err)
{
    int rc = er_warm_lend(
        w, with, j->prompt.ids, j->prompt.n, &j->line, err);
    if (rc != ERRAND_OK)
        return rc;
    j->cached = er_session_length(er_warm_session(j->line));
    j->done = j->cached;
    return ERRAND_OK;
}

bool er_job_is_reading(const struct er_job *j)
{
    return j->done < j->prompt.n;
}

static int eval(struct er_job *j, const int32_t *ids, size_t n,
    struct errand_error *err)
{
    struct er_eval opt = {.cancel = er_mail_left(j->mail)};
    return er_session_eval(er_warm_session(j->line), ids, n, &opt, err);
}

int er_job_read(struct er_job *j, size_t n, bool *over,
    struct errand_error *err)
{
    size_t left = j->prompt.n - j->done;
    n = n < left ? n : left;
    *over = false;
    int rc = eval(j, j->prompt.ids + j->done, n, err);
    if (rc != ERRAND_OK)
        return rc;
    j->done += n;
    return er_job_is_reading(j) ? rc : er_job_choose(j, over, err);
}

/* -------------------------------------------------------------- choosing */

/* Sample first; only what is not allowed costs a mask. */
static int pick(struct er_job *j, int32_t *id, struct errand_error *err)
{
    const float *logits = er_session_logits(er_warm_session(j->line));
    *id = er_sampler_pick(j->sampler, logits, NULL);
    if (er_guide_allows(j->guide, *id))
        return ERRAND_OK;
    const uint32_t *mask = er_guide_mask(j->guide);
    if (!mask)
        return er_nomem(err);
    *id = er_sampler_pick(j->sampler, logits, mask);
    if (*id >= 0)
        return ERRAND_OK;
    return er_fail(err, ERRAND_UNSUPPORTED,
        "the model has no token with which its answer could go on as the "
        "schema wants");
}

/* One token of the answer, spoken and remembered. */
static int speak(struct er_job *j, int32_t id, bool *over,
    struct errand_error *err)
{
    er_sampler_accept(j->sampler, id, true);
    er_guide_take(j->guide, id);
    j->spoken++;
    int rc = er_speech_token(j->speech, id);
    *over = er_speech_stopped(j->speech) || j->spoken >= j->limit;
    return rc == ERRAND_OK ? rc : er_nomem(err);
}

/* Tokens that stand already in next_ids. */
static int speak_forced(
    struct er_job *j, bool *over, struct errand_error *err)
{
    int rc = ERRAND_OK;
    for (size_t i = 0; i < j->next_ids.n && rc == ERRAND_OK && !*over; i++)
        rc = speak(j, j->next_ids.ids[i], over, err);
    return rc;
}

/* ---------------------------------------------------- log probabilities */

static void add_logprob(struct er_job *j, const struct er_logprob *p)
{
    struct er_buf *b = &j->logprobs;
    struct er_gguf_str s = er_tokenizer_piece(j->v->tokenizer, p->id);
    er_buf_adds(b, "{\"token\":");
    er_json_add_string(b, s.s, s.len);
    er_buf_addf(b, ",\"logprob\":%.6g,\"bytes\":[",
        p->logprob > -1e30 ? p->logprob : -1e30);
    for (size_t i = 0; i < s.len; i++)
        er_buf_addf(b, "%s%d", i ? "," : "", (unsigned char)s.s[i]);
    er_buf_adds(b, "]");
}

static void note_logprobs(struct er_job *j, int32_t id)
{
    struct er_logprob best[BEST], own = {.id = id};
    size_t n = (size_t)j->ask.sampling.logprobs;
    struct er_buf *b = &j->logprobs;
    if (n == 0)
        return;
    n = n < BEST ? n : BEST;
    n = n < j->v->n_vocab ? n : j->v->n_vocab;
    own.logprob =
        er_logprobs(er_session_logits(er_warm_session(j->line)),
            j->v->n_vocab, id, best, n);
    er_buf_addc(b, b->len ? ',' : '[');
    add_logprob(j, &own);
    er_buf_adds(b, ",\"top_logprobs\":[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            er_buf_addc(b, ',');
        add_logprob(j, &best[i]);
        er_buf_addc(b, '}');
    }
    er_buf_adds(b, "]}");
}

int er_job_choose(struct er_job *j, bool *over, struct errand_error *err)
{
    int32_t id = -1;
    *over = false;
    j->next_ids.n = 0;
    if (!er_guide_forced(j->guide, &j->next_ids))
        return er_nomem(err);
    if (j->next_ids.n > 0)
        return speak_forced(j, over, err);
    int rc = pick(j, &id, err);
    if (rc != ERRAND_OK)
        return rc;
    if (er_tokenizer_is_end(j->v->tokenizer, id)) {
        *over = true;
        return ERRAND_OK;
    }
    if (!er_tokens_add(&j->next_ids, id))
        return er_nomem(err);
    note_logprobs(j, id);
    return speak(j, id, over, err);
}

int er_job_append(struct er_job *j, struct errand_error *err)
{
    int rc = eval(j, j->next_ids.ids, j->next_ids.n, err);
    er_job_stepped(j);
    return rc;
}

void er_job_stepped(struct er_job *j)
{
    j->next_ids.n = 0;
}

/* ----------------------------------------------------------------- ending */

static void send_logprobs(struct er_job *j)
{
    if (j->logprobs.len > 0 && er_buf_addc(&j->logprobs, ']'))
        er_mail_send(j->mail,
            &(struct er_model_event){.type = ER_MODEL_LOGPROBS,
                .text = j->logprobs.data, .len = j->logprobs.len});
}

static void send_usage(struct er_job *j)
{
    struct er_usage u = {.prompt_tokens = (int64_t)j->prompt.n,
        .completion_tokens = j->spoken, .cached_tokens = j->cached,
        .reasoning_tokens = er_speech_reasoning(j->speech)};
    er_mail_send(j->mail,
        &(struct er_model_event){.type = ER_MODEL_USAGE, .usage = &u});
}

void er_job_end(struct er_job *j)
{
    struct errand_error err = {0};
    struct er_model_event ev = {.type = ER_MODEL_DONE};
    bool cut = j->spoken >= j->limit && !er_speech_stopped(j->speech);
    if (er_speech_end(j->speech, cut, &ev.finish) != ERRAND_OK) {
        er_nomem(&err);
        er_job_fail(j, &err);
        return;
    }
    send_logprobs(j);
    send_usage(j);
    er_mail_end(j->mail, &ev);
    j->mail = NULL;
}

void er_job_fail(struct er_job *j, const struct errand_error *why)
{
    struct er_model_event ev = {.type = ER_MODEL_ERROR, .error = why};
    er_mail_end(j->mail, &ev);
    j->mail = NULL;
}
