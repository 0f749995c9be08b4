/* The proof of a form, and taking events by it. */
#include "model/shortcut.h"

#include "model/reader.h"

#include <string.h>

/* Short answers, as those that only call a tool, end before a proof pays, or
 * even before the look for a form does. */
enum { WAIT = 5, ALIKE = 2 };

void er_shortcut_init(struct er_shortcut *s, size_t max_bytes)
{
    *s = (struct er_shortcut){0};
    er_template_init(&s->form);
    er_buf_init(&s->scratch, max_bytes);
}

void er_shortcut_release(struct er_shortcut *s)
{
    er_template_release(&s->form);
    er_buf_release(&s->scratch);
}

static int64_t *field_of(struct er_usage *u, size_t i)
{
    int64_t *const fields[ER_SHORTCUT_FIELDS] = {&u->prompt_tokens,
        &u->completion_tokens, &u->cached_tokens, &u->reasoning_tokens};
    return fields[i];
}

/* ---------------------------------------------------------------- taking */

bool er_shortcut_take(struct er_reader *r, const char *data, size_t len)
{
    struct er_shortcut *s = &r->fast;
    struct er_filling filling = {0};
    if (s->state != ER_SHORTCUT_PROVEN ||
        !er_template_match(&s->form, data, len, &s->scratch, &filling))
        return false;
    if (s->kind == ER_SHORTCUT_TEXT)
        er_reader_text(r, filling.text, filling.text_len);
    else if (s->kind == ER_SHORTCUT_REASONING)
        er_reader_reasoning(r, filling.text, filling.text_len);
    else
        er_reader_arguments(
            r, &s->owner, filling.text, filling.text_len);
    if (s->has_usage) {
        r->has_usage = true;
        r->usage = s->usage;
        for (size_t i = 0; i < ER_SHORTCUT_FIELDS; i++)
            if (s->field[i] >= 0)
                *field_of(&r->usage, i) = filling.number[s->field[i]];
    }
    return true;
}

/* ----------------------------------------------------------------- proof */

/* What an event that was read apart came to. */
struct witness {
    const char *want; /* the text that was in it */
    unsigned text, reasoning, other;
};

static void on_witness(void *ctx, const struct er_model_event *ev)
{
    struct witness *w = ctx;
    bool text = ev->type == ER_MODEL_TEXT;
    bool piece = text || ev->type == ER_MODEL_REASONING;
    if (!piece || ev->len != strlen(w->want) ||
        memcmp(ev->text, w->want, ev->len) != 0)
        w->other++;
    else if (text)
        w->text++;
    else
        w->reasoning++;
}

/* Is the one call there a piece of arguments, this text and no more? */
static bool is_piece(const struct er_calls *calls, const char *text)
{
    const struct er_call *c = calls->list;
    return calls->n == 1 && c->id.len == 0 && c->name.len == 0 &&
           !c->extra && !c->legacy &&
           strcmp(er_buf_str(&c->arguments), text) == 0;
}

static bool left_another_trace(const struct er_reader *r)
{
    return r->over || r->broken || r->saw_done ||
           r->ending != ER_ENDING_NONE || r->extra.content ||
           r->extra.details;
}

/* What kind of piece it was; false if it was none of them. */
static bool classify(struct er_shortcut *s, const struct er_reader *dry,
    const struct witness *w)
{
    unsigned given = w->text + w->reasoning;
    if (w->other > 0 || left_another_trace(dry))
        return false;
    if (given == 0 && is_piece(&dry->calls, w->want)) {
        s->kind = ER_SHORTCUT_ARGUMENTS;
        s->owner = (struct er_call_owner){dry->calls.list[0].has_index,
            dry->calls.list[0].index};
        return true;
    }
    s->kind = w->text ? ER_SHORTCUT_TEXT : ER_SHORTCUT_REASONING;
    return given == 1 && dry->calls.n == 0;
}

/* Which hole each field of the usage was filled from. */
static void trace_usage(
    struct er_shortcut *s, struct er_reader *dry, unsigned base)
{
    s->has_usage = dry->has_usage;
    s->usage = dry->usage;
    for (size_t i = 0; i < ER_SHORTCUT_FIELDS; i++) {
        int64_t at = *field_of(&dry->usage, i) - base;
        bool filled = at >= 0 && at < (int64_t)s->form.holes &&
                      s->form.hole[at] == ER_HOLE_NUMBER;
        s->field[i] = filled ? (int)at : -1;
    }
}

static bool same_usage(const struct er_shortcut *s, struct er_reader *dry,
    unsigned base)
{
    struct er_usage want = s->usage;
    for (size_t i = 0; i < ER_SHORTCUT_FIELDS; i++)
        if (s->field[i] >= 0)
            *field_of(&want, i) = base + (unsigned)s->field[i];
    bool same = dry->has_usage == s->has_usage;
    for (size_t i = 0; i < ER_SHORTCUT_FIELDS; i++)
        same = same && *field_of(&want, i) == *field_of(&dry->usage, i);
    return same;
}

/* Read the form's event once, with these in its holes. */
static bool read_apart(struct er_reader *r, struct er_reader *dry,
    const char *text, const char *padding, unsigned base)
{
    struct er_buf event;
    er_buf_init(&event, 2 * ER_TEMPLATE_MAX);
    bool ok =
        er_template_fill(&r->fast.form, text, padding, base, &event) &&
        er_reader_document(dry, event.data, event.len, false);
    er_buf_release(&event);
    return ok;
}

/* First with strings and numbers that occur nowhere else, to see what
 * becomes of them; then with others, to see that nothing else does. */
static bool prove(struct er_reader *r)
{
    struct er_shortcut *s = &r->fast;
    enum { FIRST = 730421, SECOND = 52 };
    struct witness w = {.want = "a piece of text"}, none = {.want = ""};
    struct er_reader dry;
    er_reader_init(
        &dry, r->dialect, ER_SSE, r->max_bytes, on_witness, &w);
    bool ok = read_apart(r, &dry, w.want, "some padding", FIRST) &&
              classify(s, &dry, &w);
    if (ok)
        trace_usage(s, &dry, FIRST);
    er_reader_release(&dry);
    if (!ok)
        return false;
    er_reader_init(
        &dry, r->dialect, ER_SSE, r->max_bytes, on_witness, &none);
    ok = read_apart(r, &dry, "", "", SECOND) && none.text == 0 &&
         none.reasoning == 0 && none.other == 0 && dry.calls.n == 0 &&
         !left_another_trace(&dry) && same_usage(s, &dry, SECOND);
    er_reader_release(&dry);
    return ok;
}

void er_shortcut_learn(struct er_reader *r, const char *data, size_t len)
{
    struct er_shortcut *s = &r->fast;
    if (s->read < WAIT) {
        s->read++;
        return;
    }
    er_template_learn(&s->form, data, len);
    if (s->form.seen < ALIKE)
        s->state = ER_SHORTCUT_LEARNING;
    else if (s->state == ER_SHORTCUT_LEARNING)
        s->state = prove(r) ? ER_SHORTCUT_PROVEN : ER_SHORTCUT_REFUTED;
}
