/* Gathering events into one answer. */
#include "outcome.h"

#include "base/text.h"
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const size_t MAX_ANSWER = (size_t)1 << 28;

void er_outcome_init(struct er_outcome *o)
{
    *o = (struct er_outcome){.ended = false};
    er_buf_init(&o->text, MAX_ANSWER);
}

void er_outcome_release(struct er_outcome *o) { er_buf_release(&o->text); }

static void copy(char *to, size_t size, const char *from)
{
    if (from)
        snprintf(to, size, "%s", from);
}

static void take_ids(struct er_outcome *o, const struct errand_event *ev)
{
    if (!ev->run)
        return;
    copy(o->run, sizeof o->run, errand_run_id(ev->run));
    copy(o->conversation, sizeof o->conversation,
        errand_run_conversation(ev->run));
}

static void take_end(struct er_outcome *o, const struct errand_event *ev,
    const json_t *details)
{
    take_ids(o, ev);
    o->ended = true;
    o->type = ev->type;
    o->code = ev->code;
    o->turns = er_json_int(details, "turns", 0);
    o->calls = er_json_int(details, "calls", 0);
    o->cost_micros = er_json_int(details, "cost_micros", o->cost_micros);
    copy(o->reason, sizeof o->reason, er_json_str(details, "reason"));
    er_buf_reset(&o->text);
    er_buf_add(&o->text, ev->text, ev->text_len);
}

static void take_usage(struct er_outcome *o, const json_t *details)
{
    o->prompt_tokens += er_json_int(details, "prompt_tokens", 0);
    o->completion_tokens += er_json_int(details, "completion_tokens", 0);
    o->cached_tokens += er_json_int(details, "cached_tokens", 0);
    o->cost_micros += er_json_int(details, "cost_micros", 0);
}

void er_outcome_event(struct er_outcome *o, const struct errand_event *ev)
{
    if (ev->type == ERRAND_EV_TEXT || ev->type == ERRAND_EV_REASONING)
        return; /* the many ones */
    json_t *details = NULL;
    if (ev->json)
        details =
            er_json_parse(ev->json, strlen(ev->json), ER_JSON_LENIENT, NULL);
    switch (ev->type) {
    case ERRAND_EV_STARTED:
        take_ids(o, ev);
        copy(o->model, sizeof o->model, er_json_str(details, "model"));
        break;
    case ERRAND_EV_USAGE:
        take_usage(o, details);
        break;
    case ERRAND_EV_PAUSED:
    case ERRAND_EV_DONE:
    case ERRAND_EV_FAILED:
        take_end(o, ev, details);
        break;
    default:
        break;
    }
    json_decref(details);
}

void er_outcome_refused(struct er_outcome *o, const struct errand_error *err)
{
    o->ended = true;
    o->type = ERRAND_EV_FAILED;
    o->code = err->code;
    er_buf_reset(&o->text);
    er_buf_adds(&o->text, err->msg);
}

const char *er_outcome_state(const struct er_outcome *o)
{
    if (o->type == ERRAND_EV_DONE)
        return "done";
    return o->type == ERRAND_EV_PAUSED ? "paused" : "failed";
}

int er_outcome_status(const struct er_outcome *o)
{
    if (!o->ended)
        return ER_EXIT_FAILED;
    if (o->type == ERRAND_EV_DONE)
        return ER_EXIT_DONE;
    if (o->code == ERRAND_CANCELLED)
        return ER_EXIT_INTERRUPTED;
    if (o->type == ERRAND_EV_PAUSED)
        return ER_EXIT_PAUSED;
    int status = errand_code_exit(o->code);
    return status ? status : ER_EXIT_FAILED;
}

/* The message of a pause ends in the name that budgets have in JSON. */
const char *er_outcome_text(const struct er_outcome *o, struct er_buf *out)
{
    static const struct {
        const char *key, *option;
    } names[] = {{" max_turns", " --max-turns"}, {" max_calls", " --max-calls"},
        {" max_tokens", " --max-tokens-total"},
        {" max_seconds", " --max-seconds"}, {" max_cost", " --max-cost"}};
    const char *text = er_buf_str(&o->text);
    if (strcmp(o->reason, "budget") != 0)
        return text;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t n = strlen(names[i].key);
        if (o->text.len < n ||
            strcmp(text + o->text.len - n, names[i].key) != 0)
            continue;
        er_buf_reset(out);
        er_buf_add(out, text, o->text.len - n);
        er_buf_adds(out, names[i].option);
        return er_buf_str(out);
    }
    return text;
}

static void put(json_t *object, const char *key, const char *text)
{
    if (*text)
        json_object_set_new(object, key, json_string(text));
}

static void put_answer(json_t *out, const struct er_outcome *o,
    bool structured)
{
    json_object_set_new(out, "answer",
        json_stringn(er_buf_str(&o->text), o->text.len));
    if (structured)
        json_object_set_new(out, "value",
            er_json_parse(er_buf_str(&o->text), o->text.len, ER_JSON_LENIENT,
                NULL));
}

static void put_error(json_t *out, const struct er_outcome *o)
{
    json_t *error = json_pack("{s:s, s:s}", "code",
        errand_code_name(o->code), "message", er_buf_str(&o->text));
    if (error)
        put(error, "reason", o->reason);
    json_object_set_new(out, "error", error);
}

json_t *er_outcome_json(const struct er_outcome *o, bool structured)
{
    json_t *out = json_object();
    if (!out)
        return NULL;
    put(out, "run", o->run);
    put(out, "conversation", o->conversation);
    put(out, "model", o->model);
    put(out, "state", er_outcome_state(o));
    if (o->type == ERRAND_EV_DONE)
        put_answer(out, o, structured);
    else
        put_error(out, o);
    json_object_set_new(out, "usage",
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "turns",
            (json_int_t)o->turns, "calls", (json_int_t)o->calls,
            "prompt_tokens", (json_int_t)o->prompt_tokens,
            "completion_tokens", (json_int_t)o->completion_tokens,
            "cached_tokens", (json_int_t)o->cached_tokens, "cost_micros",
            (json_int_t)o->cost_micros));
    return out;
}
