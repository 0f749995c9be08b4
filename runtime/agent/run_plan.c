/* Judging what the model wrote as calls, before anything is stored or run.
 *
 * A call that cannot be run is answered, not fatal: the answer says what is
 * wrong and where, so that the model can do better. */
#include "agent/consent.h"
#include "agent/functions.h"
#include "agent/history.h"
#include "agent/run.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { CALLS_MAX = 128, SCHEMA_ERRORS_SHOWN = 5 };

int er_run_refuse(struct run_call *c, int state, const char *text,
    struct errand_error *err)
{
    char note[200];
    struct errand_run *run = c->run;
    enum er_verdict v = er_guard_see(&run->guard, c->name,
        c->raw ? c->raw : c->arguments, text, strlen(text), true, note,
        sizeof note);
    if (v == ER_GUARD_PAUSE) {
        run->guard_pause = true;
        memcpy(run->guard_note, note, sizeof note);
    }
    c->state = state;
    json_decref(c->args);
    c->args = NULL;
    c->result = er_message_result(c->id, c->name, text, strlen(text));
    return c->result ? ERRAND_OK : er_nomem(err);
}

/* The call is born failed with this text. */
static int refuse(struct run_call *c, const char *text,
    struct errand_error *err)
{
    return er_run_refuse(c, ER_CALL_FAILED, text, err);
}

static void say_known_tools(struct er_buf *b, const errand_run *run)
{
    size_t i, n = json_array_size(run->tools);
    json_t *t;
    er_buf_adds(b, n ? "; known are " : "; there are no tools");
    json_array_foreach(run->tools, i, t)
    {
        if (i == 20) {
            er_buf_addf(b, " and %zu more", n - i);
            break;
        }
        er_buf_addf(b, "%s%s", i ? ", " : "", er_json_str(t, "name"));
    }
}

static int refuse_unknown(struct run_call *c, struct errand_error *err)
{
    const char *near = NULL;
    struct er_buf b;
    er_buf_init(&b, 8192);
    er_buf_addf(&b, "error: there is no tool \"%.64s\"", c->name);
    er_tools_similar(c->run->rt->tools, c->name, &near, 1);
    if (near)
        er_buf_addf(&b, ", did you mean \"%s\"", near);
    say_known_tools(&b, c->run);
    int rc = refuse(c, er_buf_str(&b), err);
    er_buf_release(&b);
    return rc;
}

/* Is the tool one of those that this run offers? */
static bool is_offered(const errand_run *run, const char *name)
{
    size_t i;
    json_t *t;
    json_array_foreach(run->tools, i, t)
        if (strcmp(er_json_str(t, "name"), name) == 0)
            return true;
    return false;
}

/* Arguments as an object. A text that holds an object is taken for it:
 * nothing is lost, and models do encode twice. */
static json_t *parse_arguments(
    const char *text, size_t len, struct errand_error *err)
{
    if (len > ER_ARGUMENTS_MAX) {
        er_fail(err, ERRAND_TOO_LARGE,
            "%zu bytes of arguments, at most %d are accepted", len,
            ER_ARGUMENTS_MAX);
        return NULL;
    }
    json_t *v = er_json_parse(text, len, ER_JSON_STRICT, err);
    if (json_is_string(v)) {
        json_t *inner = er_json_parse(json_string_value(v),
            json_string_length(v), ER_JSON_STRICT, NULL);
        if (json_is_object(inner)) {
            json_decref(v);
            return inner;
        }
        json_decref(inner);
    }
    if (v && !json_is_object(v)) {
        er_fail(err, ERRAND_SCHEMA, "the arguments are not a JSON object");
        json_decref(v);
        return NULL;
    }
    return v;
}

static int refuse_misfit(
    struct run_call *c, const json_t *errors, struct errand_error *err)
{
    size_t i;
    json_t *e;
    struct er_buf b;
    er_buf_init(&b, 8192);
    er_buf_addf(&b, "error: the arguments of \"%s\" do not fit:", c->name);
    json_array_foreach(errors, i, e)
    {
        const char *path = er_json_str(e, "path");
        const char *message = er_json_str(e, "message");
        er_buf_addf(&b, "\n- %s%.100s%s%.400s", path && path[0] ? "" : "",
            path ? path : "", path && path[0] ? ": " : "",
            message ? message : "");
    }
    er_buf_adds(&b, "\nCall it again with corrected arguments.");
    int rc = refuse(c, er_buf_str(&b), err);
    er_buf_release(&b);
    return rc;
}

static int check_arguments(struct run_call *c, struct errand_error *err)
{
    json_t *errors = json_array();
    int rc = ERRAND_OK;
    er_schema_coerce(c->tool->schema, &c->args);
    bool fits = er_schema_check(
        c->tool->schema, c->args, errors, SCHEMA_ERRORS_SHOWN);
    free(c->arguments);
    c->arguments = er_json_text(c->args);
    if (!c->arguments)
        rc = er_nomem(err);
    else if (!fits)
        rc = refuse_misfit(c, errors, err);
    json_decref(errors);
    return rc;
}

static int refuse_bad_json(struct run_call *c, const char *raw, size_t len,
    const struct errand_error *why, struct errand_error *err)
{
    char text[400];
    struct er_buf b;
    er_buf_init(&b, sizeof text);
    er_buf_addf(&b,
        "error: the arguments of \"%.64s\" cannot be read: %s. Call it again "
        "with a JSON object.", c->name, why->msg);
    c->raw = er_strndup(raw, len < ER_ARGUMENTS_MAX ? len : ER_ARGUMENTS_MAX);
    int rc = refuse(c, er_buf_str(&b), err);
    er_buf_release(&b);
    return rc;
}

static int plan_call(struct run_call *c, const json_t *said, bool cut,
    struct errand_error *err)
{
    struct errand_error why = {0};
    const json_t *raw = json_object_get(said, "arguments");
    const char *name = er_json_str(said, "name");
    c->name = er_strdup(name ? name : "");
    c->arguments = er_strdup("{}");
    c->state = ER_CALL_PLANNED;
    if (!c->name || !c->arguments)
        return er_nomem(err);
    er_id_new(c->id);
    if (cut)
        return refuse(c,
            "error: the reply was cut at max_tokens, nothing was run; call "
            "again with shorter arguments", err);
    if (is_offered(c->run, c->name))
        c->tool = er_functions_find(c->run, c->name);
    if (!c->tool)
        return refuse_unknown(c, err);
    c->effect = c->tool->effect;
    if (c->tool->sequential)
        c->run->one_by_one = true;
    c->args = parse_arguments(
        json_string_value(raw), json_string_length(raw), &why);
    if (!c->args)
        return refuse_bad_json(c, json_string_value(raw),
            json_string_length(raw), &why, err);
    int rc = check_arguments(c, err);
    return rc == ERRAND_OK && !c->result ? er_run_judge(c, err) : rc;
}

/* Bad calls cost as good ones do; replies with nothing else, one after the
 * other, end in a pause. */
static void count_bad(errand_run *run)
{
    size_t bad = 0;
    for (size_t i = 0; i < run->n_calls; i++)
        bad += run->calls[i].result != NULL;
    run->spent.calls += (int64_t)bad;
    run->bad_replies = bad == run->n_calls ? run->bad_replies + 1 : 0;
    if (run->bad_replies < ER_BAD_REPLIES_MAX)
        return;
    static const char note[] =
        "the model made only calls that cannot be run, five times in a row";
    run->guard_pause = true;
    memcpy(run->guard_note, note, sizeof note);
}

int er_run_plan(errand_run *run, struct errand_error *err)
{
    const json_t *said = run->reply.calls;
    size_t n = json_array_size(said);
    bool cut = run->reply.finish == ER_FINISH_LENGTH;
    if (n > CALLS_MAX)
        return er_fail(err, ERRAND_TOO_LARGE,
            "the model made %zu calls in one reply, at most %d are accepted",
            n, CALLS_MAX);
    run->calls = calloc(n, sizeof *run->calls);
    if (!run->calls)
        return er_nomem(err);
    run->n_calls = n;
    run->one_by_one = false;
    for (size_t i = 0; i < n; i++) {
        run->calls[i].run = run;
        run->calls[i].index = i;
        int rc = plan_call(&run->calls[i], json_array_get(said, i), cut, err);
        if (rc != ERRAND_OK)
            return rc;
    }
    count_bad(run);
    return ERRAND_OK;
}
