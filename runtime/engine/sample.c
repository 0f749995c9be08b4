/* Penalties, temperature, cuts, draw. */
#include "engine/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 256, WINDOW_MAX = 65536 };

struct entry {
    double weight; /* exp(logit - best), not yet divided by their sum */
    int32_t id;
};

struct er_sampler {
    struct er_sample_options o;
    uint32_t n;
    uint64_t draws;
    float *logits;         /* [n] after penalties */
    struct entry *entries; /* [n] */
    uint16_t *all, *own;   /* [n] times in the window: anywhere, in the
                              answer */
    int32_t *window;       /* [o.window] ring; ~id for the answer's */
    size_t at, held;
};

void er_sample_options_init(struct er_sample_options *o)
{
    *o = (struct er_sample_options){.temperature = -1, .top_p = -1,
        .top_k = -1, .min_p = -1, .repetition_penalty = -1,
        .frequency_penalty = -1, .presence_penalty = -1};
}

static int range(double v, double most, const char *name,
    struct errand_error *err)
{
    if (v < 0 || (v <= most && isfinite(v)))
        return ERRAND_OK;
    return er_fail(err, ERRAND_RANGE,
        "%s must be from 0 to %g, not %g", name, most, v);
}

static int check(const struct er_sample_options *o, struct errand_error *err)
{
    int rc = range(o->temperature, 5, "temperature", err);
    if (!rc)
        rc = range(o->top_p, 2, "top_p", err);
    if (!rc)
        rc = range(o->min_p, 1, "min_p", err);
    if (!rc)
        rc = range(o->repetition_penalty, 2, "repetition_penalty", err);
    if (!rc)
        rc = range(o->frequency_penalty, 2, "frequency_penalty", err);
    if (!rc)
        rc = range(o->presence_penalty, 2, "presence_penalty", err);
    if (!rc && o->top_k > 50)
        return er_fail(err, ERRAND_RANGE,
            "top_k must be from 1 to 50, not %d", o->top_k);
    if (!rc && (o->window < 0 || o->window > WINDOW_MAX))
        return er_fail(err, ERRAND_RANGE,
            "the window must be from 1 to %d, not %d", WINDOW_MAX,
            o->window);
    if (!rc && o->seed > 9999999999)
        return er_fail(err, ERRAND_RANGE,
            "seed must be from 1 to 9999999999, not %llu",
            (unsigned long long)o->seed);
    return rc;
}

static void settle(struct er_sample_options *o)
{
    o->temperature = o->temperature < 0 ? 0.6 : o->temperature;
    o->top_p = o->top_p < 0 || o->top_p > 1 ? 1 : o->top_p;
    o->top_k = o->top_k < 0 ? 0 : o->top_k;
    o->min_p = o->min_p < 0 ? 0 : o->min_p;
    o->repetition_penalty =
        o->repetition_penalty <= 0 ? 1 : o->repetition_penalty;
    o->frequency_penalty =
        o->frequency_penalty < 0 ? 0 : o->frequency_penalty;
    o->presence_penalty = o->presence_penalty < 0 ? 0 : o->presence_penalty;
    o->window = o->window ? o->window : WINDOW;
    o->seed = o->seed ? o->seed : 1;
}

int er_sampler_new(const struct er_sample_options *o, uint32_t n_vocab,
    struct er_sampler **out, struct errand_error *err)
{
    int rc = check(o, err);
    struct er_sampler *s = rc ? NULL : calloc(1, sizeof *s);
    if (!s)
        return rc ? rc : er_nomem(err);
    s->o = *o;
    settle(&s->o);
    s->n = n_vocab;
    s->logits = malloc(n_vocab * sizeof *s->logits);
    s->entries = malloc(n_vocab * sizeof *s->entries);
    s->all = calloc(n_vocab, sizeof *s->all);
    s->own = calloc(n_vocab, sizeof *s->own);
    s->window = calloc((size_t)s->o.window, sizeof *s->window);
    if (!s->logits || !s->entries || !s->all || !s->own || !s->window) {
        er_sampler_free(s);
        return er_nomem(err);
    }
    *out = s;
    return ERRAND_OK;
}

void er_sampler_free(struct er_sampler *s)
{
    if (!s)
        return;
    free(s->logits);
    free(s->entries);
    free(s->all);
    free(s->own);
    free(s->window);
    free(s);
}

static void forget(struct er_sampler *s, int32_t kept)
{
    bool answer = kept < 0;
    int32_t id = answer ? ~kept : kept;
    s->all[id]--;
    s->own[id] = (uint16_t)(s->own[id] - answer);
}

void er_sampler_accept(struct er_sampler *s, int32_t id, bool answer)
{
    size_t size = (size_t)s->o.window;
    if (id < 0 || (uint32_t)id >= s->n)
        return;
    if (s->held == size)
        forget(s, s->window[s->at]);
    else
        s->held++;
    s->window[s->at] = answer ? ~id : id;
    s->at = (s->at + 1) % size;
    s->all[id]++;
    s->own[id] = (uint16_t)(s->own[id] + answer);
}

/* ------------------------------------------------------------- steps */

/* repetition  l / r where l > 0, else l * r, once for each token seen
 * frequency   l - f * times in the answer
 * presence    l - p where it is in the answer */
static void penalize(struct er_sampler *s, const float *logits)
{
    float r = (float)s->o.repetition_penalty;
    float f = (float)s->o.frequency_penalty;
    float p = (float)s->o.presence_penalty;
    memcpy(s->logits, logits, s->n * sizeof *logits);
    if (r == 1 && f == 0 && p == 0)
        return;
    for (uint32_t i = 0; i < s->n; i++) {
        float *l = &s->logits[i];
        if (s->all[i] && r != 1)
            *l = *l > 0 ? *l / r : *l * r;
        if (s->own[i])
            *l -= f * (float)s->own[i] + p;
    }
}

static bool is_allowed(const uint32_t *allowed, uint32_t id)
{
    return !allowed || (allowed[id / 32] >> (id % 32) & 1u);
}

/* The highest logit of an allowed token, of equal ones the lowest id. */
static int32_t best_of(const struct er_sampler *s, const uint32_t *allowed)
{
    int32_t best = -1;
    for (uint32_t i = 0; i < s->n; i++)
        if (is_allowed(allowed, i) &&
            (best < 0 || s->logits[i] > s->logits[best]))
            best = (int32_t)i;
    return best;
}

static bool above(const struct entry *a, const struct entry *b)
{
    return a->weight != b->weight ? a->weight > b->weight : a->id < b->id;
}

static void sink(struct entry *e, size_t n, size_t i)
{
    struct entry moved = e[i];
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && above(&e[child + 1], &e[child]))
            child++;
        if (!above(&e[child], &moved))
            break;
        e[i] = e[child];
    }
    e[i] = moved;
}

/* The best k entries, and of them the fewest whose weights reach share of
 * the sum (of the k), to the end of e, best last: a heap that is taken off
 * as far as is needed. The number kept; their sum into *kept. */
static size_t take_best(
    struct entry *e, size_t n, size_t k, double share, double *kept)
{
    size_t taken = 0, keep = 0;
    double sum = 0, reached = 0;
    for (size_t i = n / 2; i-- > 0;)
        sink(e, n, i);
    for (size_t i = 0; k == 0 && i < n; i++)
        sum += e[i].weight; /* without top_k the share is of all */
    while (taken < n && (k == 0 || taken < k)) {
        struct entry best = e[0];
        if (k == 0 && taken > 0 && reached >= share * sum)
            break;
        e[0] = e[n - taken - 1];
        e[n - ++taken] = best;
        sink(e, n - taken, 0);
        reached += best.weight;
    }
    sum = k ? reached : sum;
    for (reached = 0; keep < taken && (keep == 0 || reached < share * sum);)
        reached += e[n - ++keep].weight;
    *kept = reached;
    return keep;
}

/* SplitMix64 of seed and number: uniform in [0, 1). */
static double draw(struct er_sampler *s)
{
    uint64_t x = s->o.seed * 0xD1342543DE82EF95u +
                 ++s->draws * 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return (double)((x ^ x >> 31) >> 11) * 0x1p-53;
}

/* Weights of the allowed tokens at the temperature; those that min_p leaves.
 * Their number. */
static size_t weigh(
    struct er_sampler *s, const uint32_t *allowed, int32_t best, double *sum)
{
    double top = (double)s->logits[best];
    size_t n = 0;
    *sum = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (!is_allowed(allowed, i))
            continue;
        double w = exp(((double)s->logits[i] - top) / s->o.temperature);
        if (!(w >= s->o.min_p && w > 0))
            continue;
        s->entries[n++] = (struct entry){w, (int32_t)i};
        *sum += w;
    }
    return n;
}

int32_t er_sampler_pick(
    struct er_sampler *s, const float *logits, const uint32_t *allowed)
{
    double sum;
    penalize(s, logits);
    int32_t best = best_of(s, allowed);
    if (best < 0 || s->o.temperature == 0)
        return best;
    size_t n = weigh(s, allowed, best, &sum);
    struct entry *e = s->entries;
    if (n > 0 && (s->o.top_k || s->o.top_p < 1)) {
        size_t keep =
            take_best(e, n, (size_t)s->o.top_k, s->o.top_p, &sum);
        e += n - keep;
        n = keep;
    }
    double at = draw(s) * sum;
    for (size_t i = 0; i < n; i++) {
        at -= e[i].weight;
        if (at < 0)
            return e[i].id;
    }
    return n ? e[n - 1].id : best;
}

double er_logprobs(const float *logits, uint32_t n_vocab, int32_t id,
    struct er_logprob *best, size_t n)
{
    double top = (double)logits[0], sum = 0;
    size_t held = 0;
    for (uint32_t i = 1; i < n_vocab; i++)
        top = (double)logits[i] > top ? (double)logits[i] : top;
    for (uint32_t i = 0; i < n_vocab; i++) {
        double l = (double)logits[i] - top;
        sum += exp(l);
        size_t at = held;
        while (at > 0 && best[at - 1].logprob < l)
            at--;
        if (at >= n)
            continue;
        held += held < n;
        memmove(&best[at + 1], &best[at], (held - at - 1) * sizeof *best);
        best[at] = (struct er_logprob){(int32_t)i, l};
    }
    for (size_t i = 0; i < held; i++)
        best[i].logprob -= log(sum);
    return (double)logits[id] - top - log(sum);
}
