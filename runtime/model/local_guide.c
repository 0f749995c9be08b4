/* Tracks of an answer, and the tokens that they leave. */
#include "model/local_guide.h"

#include "engine/chat_calls.h"

#include <stdlib.h>
#include <string.h>

enum { TRACKS = 2, FORCED_MAX = 2048, LOOK_BACK = 3 };

/* Calls, or an answer by schema; dead: neither. */
struct track {
    er_calls *calls;
    er_calls_run *run;
    er_grammar *grammar;
    er_gstate *state;
    bool dead;
};

struct er_guide {
    struct er_voice *v;
    struct track tracks[TRACKS];
    size_t n;
    bool thinking; /* free until the reasoning's end */
    bool gap;      /* white space behind it is free as well */
    char tail[16]; /* the last bytes while thinking */
    size_t n_tail;
    uint64_t *bits, *one; /* [words] */
    uint32_t *words;
    size_t n_words;
};

/* ------------------------------------------------------------- making */

static int add_calls(struct er_guide *g, const struct er_ask *a,
    struct errand_error *err)
{
    struct track *t = &g->tracks[g->n];
    bool word = strcmp(a->choice, "auto") == 0 ||
                strcmp(a->choice, "required") == 0;
    struct er_calls_options opt = {.choice = ER_CALLS_AUTO,
        .named = word ? NULL : a->choice};
    /* Beside an answer by schema nothing is free: calls, or that. */
    if (a->schema || strcmp(a->choice, "required") == 0)
        opt.choice = ER_CALLS_REQUIRED;
    int rc = er_calls_new(g->v->family, a->tools, &opt, &t->calls, err);
    if (rc != ERRAND_OK)
        return rc;
    g->n++;
    t->run = er_calls_run_new(t->calls);
    return t->run ? ERRAND_OK : er_nomem(err);
}

static int add_answer(struct er_guide *g, const struct er_ask *a,
    struct errand_error *err)
{
    struct track *t = &g->tracks[g->n];
    struct er_grammar_options opt = {.compact = true, .closed = true,
        .max_string = 8192, .max_items = 256};
    struct errand_error own = {0};
    err = err ? err : &own;
    t->grammar = er_grammar_schema(a->schema, &opt, err);
    if (!t->grammar)
        return err->code;
    g->n++;
    t->state = er_gstate_new(t->grammar);
    return t->state ? ERRAND_OK : er_nomem(err);
}

static int add_tracks(struct er_guide *g, const struct er_ask *a,
    struct errand_error *err)
{
    bool may_call = a->tools && strcmp(a->choice, "none") != 0;
    bool may_answer = !may_call || strcmp(a->choice, "auto") == 0;
    int rc = ERRAND_OK;
    if (may_call)
        rc = add_calls(g, a, err);
    if (rc == ERRAND_OK && a->schema && may_answer)
        rc = add_answer(g, a, err);
    return rc;
}

int er_guide_new(struct er_voice *v, const struct er_ask *a, bool thinking,
    struct er_guide **out, struct errand_error *err)
{
    struct er_guide *g = calloc(1, sizeof *g);
    if (!g)
        return er_nomem(err);
    g->v = v;
    g->thinking = thinking;
    g->n_words = v->n_vocab / 64 + 1;
    int rc = add_tracks(g, a, err);
    if (rc == ERRAND_OK && g->n > 0) {
        g->bits = calloc(g->n_words, sizeof *g->bits);
        g->one = calloc(g->n_words, sizeof *g->one);
        g->words = calloc(g->n_words * 2, sizeof *g->words);
        if (!g->bits || !g->one || !g->words || !er_voice_vocab(v))
            rc = er_nomem(err);
    }
    if (rc != ERRAND_OK) {
        er_guide_free(g);
        return rc;
    }
    *out = g;
    return ERRAND_OK;
}

void er_guide_free(struct er_guide *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->n; i++) {
        struct track *t = &g->tracks[i];
        er_calls_run_free(t->run);
        er_calls_free(t->calls);
        er_gstate_free(t->state);
        er_grammar_free(t->grammar);
    }
    free(g->bits);
    free(g->one);
    free(g->words);
    free(g);
}

/* ------------------------------------------------------------- tracks */

/* What the next bytes must fit; NULL: anything. */
static er_gstate *state_of(const struct track *t)
{
    return t->run ? er_calls_state(t->run) : t->state;
}

static bool may_end(const struct track *t)
{
    return t->run ? er_calls_may_end(t->run) : er_gstate_complete(t->state);
}

bool er_guide_is_free(const struct er_guide *g)
{
    if (g->thinking)
        return true;
    for (size_t i = 0; i < g->n; i++)
        if (!g->tracks[i].dead && state_of(&g->tracks[i]))
            return false;
    return true;
}

/* A control token stands for its name only where nothing else could stand:
 * not inside of a text that happens to allow those letters. */
static bool takes_control(er_gstate *s, struct er_gguf_str says)
{
    char other[32];
    if (says.len == 0 || says.len >= sizeof other ||
        er_gstate_takes(s, says.s, says.len) != says.len)
        return false;
    memcpy(other, says.s, says.len);
    other[says.len / 2] ^= 1;
    return er_gstate_takes(s, other, says.len) != says.len;
}

static bool takes(const struct track *t, struct er_gguf_str says,
    bool control)
{
    er_gstate *s = state_of(t);
    if (t->dead)
        return false;
    if (!s)
        return true;
    if (control)
        return takes_control(s, says);
    return says.len > 0 && er_gstate_takes(s, says.s, says.len) == says.len;
}

static bool is_space(struct er_gguf_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!strchr(" \t\r\n", s.s[i]) || s.s[i] == '\0')
            return false;
    return s.len > 0;
}

static bool ends_anywhere(const struct er_guide *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (!g->tracks[i].dead && may_end(&g->tracks[i]))
            return true;
    return false;
}

bool er_guide_allows(struct er_guide *g, int32_t id)
{
    bool control;
    if (g->n == 0)
        return true;
    if (er_tokenizer_is_end(g->v->tokenizer, id))
        return ends_anywhere(g);
    if (er_guide_is_free(g))
        return true;
    struct er_gguf_str says = er_voice_says(g->v, id, &control);
    if (g->gap && !control && is_space(says))
        return true;
    for (size_t i = 0; i < g->n; i++)
        if (takes(&g->tracks[i], says, control))
            return true;
    return false;
}

/* ---------------------------------------------------------------- masks */

static void set(struct er_guide *g, int32_t id)
{
    g->bits[id / 64] |= 1ull << id % 64;
}

static void allow_others(struct er_guide *g)
{
    struct er_voice *v = g->v;
    for (size_t i = 0; i < v->n_spoken; i++)
        if (er_tokenizer_is_control(v->tokenizer, v->spoken[i].id) &&
            er_guide_allows(g, v->spoken[i].id))
            set(g, v->spoken[i].id);
    for (size_t i = 0; ends_anywhere(g) && i < v->n_ends; i++)
        set(g, v->ends[i]);
}

/* All but the ends: reasoning, before an answer that must still come. */
static void allow_all(struct er_guide *g)
{
    memset(g->bits, 0xFF, g->n_words * sizeof *g->bits);
    for (size_t i = 0; !ends_anywhere(g) && i < g->v->n_ends; i++)
        g->bits[g->v->ends[i] / 64] &= ~(1ull << g->v->ends[i] % 64);
}

const uint32_t *er_guide_mask(struct er_guide *g)
{
    bool free_text = er_guide_is_free(g);
    memset(g->bits, 0, g->n_words * sizeof *g->bits);
    for (size_t i = 0; i < g->n && !free_text; i++) {
        struct track *t = &g->tracks[i];
        if (t->dead || !state_of(t))
            continue;
        if (!er_gstate_mask(state_of(t), er_voice_vocab(g->v), g->one))
            return NULL;
        for (size_t k = 0; k < g->n_words; k++)
            g->bits[k] |= g->one[k];
    }
    if (free_text)
        allow_all(g);
    else
        allow_others(g);
    for (size_t k = 0; k < g->n_words; k++) {
        g->words[2 * k] = (uint32_t)g->bits[k];
        g->words[2 * k + 1] = (uint32_t)(g->bits[k] >> 32);
    }
    return g->words;
}

/* -------------------------------------------------------------- forced */

/* Could a token that is allowed here reach beyond the left bytes? Then the
 * model might have written that, and it is not for us to cut. */
static bool reaches_beyond(
    struct er_guide *g, er_gstate *s, size_t left, bool *no_memory)
{
    *no_memory = !er_gstate_mask(s, er_voice_vocab(g->v), g->one);
    for (size_t k = 0; !*no_memory && k < g->n_words; k++)
        for (uint64_t w = g->one[k]; w; w &= w - 1) {
            int32_t id = (int32_t)(k * 64) + __builtin_ctzll(w);
            if (er_tokenizer_piece(g->v->tokenizer, id).len > left)
                return true;
        }
    return false;
}

static size_t length_of(const struct er_guide *g, int32_t id)
{
    bool control;
    return er_voice_says(g->v, id, &control).len;
}

/* How many of the n tokens of forced bytes stand whatever follows them. */
static bool certain(struct er_guide *g, const er_gstate *at,
    const char *s, size_t len, const int32_t *ids, size_t *n)
{
    size_t look = *n > LOOK_BACK ? *n - LOOK_BACK : 0, done = 0;
    er_gstate *state = er_gstate_clone(at);
    bool no_memory = !state;
    for (size_t i = 0; i < *n; i++)
        done += length_of(g, ids[i]);
    if (done != len)
        *n = 0; /* no tokens that make just these bytes */
    done = 0;
    for (size_t i = 0, k = 0; !no_memory && i < *n; i++) {
        for (; k < done; k++)
            er_gstate_advance(state, (uint8_t)s[k]);
        if (i >= look && reaches_beyond(g, state, len - done, &no_memory))
            *n = i;
        else
            done += length_of(g, ids[i]);
    }
    er_gstate_free(state);
    return !no_memory;
}

bool er_guide_forced(struct er_guide *g, struct er_tokens *out)
{
    struct track *t = NULL;
    struct er_tokens ids = {0};
    struct er_buf b;
    for (size_t i = 0; i < g->n; i++) {
        if (g->tracks[i].dead)
            continue;
        if (t)
            return true; /* two tracks: a choice */
        t = &g->tracks[i];
    }
    if (!t || g->thinking || !state_of(t))
        return true;
    er_buf_init(&b, FORCED_MAX + 1);
    er_gstate_forced(state_of(t), &b, FORCED_MAX);
    bool ok = !b.no_memory;
    if (ok && b.len > 0) {
        ok = er_voice_tokens(g->v, b.data, b.len, &ids, NULL) == ERRAND_OK;
        size_t n = ids.n;
        ok = ok && certain(g, state_of(t), b.data, b.len, ids.ids, &n);
        for (size_t i = 0; ok && i < n; i++)
            ok = er_tokens_add(out, ids.ids[i]);
    }
    er_tokens_release(&ids);
    er_buf_release(&b);
    return ok;
}

/* -------------------------------------------------------------- taking */

/* Reasoning goes on until its end stands there. */
static void think(struct er_guide *g, struct er_gguf_str says)
{
    static const char *const ends[] = {"</think>", "[/THINK]"};
    for (size_t i = 0; i < says.len; i++) {
        if (g->n_tail == sizeof g->tail)
            memmove(g->tail, g->tail + 1, --g->n_tail);
        g->tail[g->n_tail++] = says.s[i];
        for (size_t k = 0; k < 2; k++) {
            size_t n = strlen(ends[k]);
            if (g->n_tail >= n &&
                memcmp(g->tail + g->n_tail - n, ends[k], n) == 0) {
                g->thinking = false;
                g->gap = true;
                return;
            }
        }
    }
}

static bool advance(struct track *t, struct er_gguf_str says)
{
    if (t->run)
        return er_calls_take(t->run, says.s, says.len);
    if (er_gstate_takes(t->state, says.s, says.len) != says.len)
        return false;
    for (size_t i = 0; i < says.len; i++)
        er_gstate_advance(t->state, (uint8_t)says.s[i]);
    return true;
}

void er_guide_take(struct er_guide *g, int32_t id)
{
    bool control, gap = g->gap, any = false;
    struct er_gguf_str says = er_voice_says(g->v, id, &control);
    if (g->n == 0 || says.len == 0)
        return;
    if (g->thinking) {
        think(g, says);
        return;
    }
    g->gap = false;
    for (size_t i = 0; i < g->n; i++)
        any = any || takes(&g->tracks[i], says, control);
    if (!any && gap)
        return; /* white space behind the reasoning */
    for (size_t i = 0; i < g->n; i++) {
        struct track *t = &g->tracks[i];
        t->dead = t->dead || !advance(t, says);
    }
}
