/* A run that is one call of a tool: what a step of a script becomes.
 *
 * The script stands where the model stands otherwise: it says one call, which
 * is stored (T1), judged by the policy, run (T2, T3) and recovered like any
 * other. The run's answer is the result as JSON, whole. A call that failed or
 * was denied fails the run, with all that was said about it. */
#include "agent/run.h"

#include <stdlib.h>
#include <string.h>

static void fail_nomem(errand_run *run)
{
    struct errand_error err = {0};
    er_nomem(&err);
    er_run_fail(run, &err);
}

/* {"id","made","name","arguments"}, as from a model */
static bool say_call(errand_run *run)
{
    const json_t *call = json_object_get(run->settings, "call");
    const char *name = er_json_str(call, "tool");
    json_t *arguments = json_object_get(call, "arguments");
    char *text = er_json_text(arguments);
    json_t *v = text ? json_pack("{s:s, s:b, s:s, s:s}", "id", "step",
        "made", 1, "name", name ? name : "", "arguments", text) : NULL;
    free(text);
    er_run_begin_reply(run);
    return v && json_array_append_new(run->reply.calls, v) == 0;
}

static void begin(errand_run *run)
{
    struct errand_error err = {0};
    if (!say_call(run))
        fail_nomem(run);
    else if (er_run_plan(run, &err) != ERRAND_OK)
        er_run_fail(run, &err);
    else
        er_run_store_reply(run, NULL);
}

/* The result's text as JSON: a value if it is one, else a text. */
static char *answer_of(const json_t *message)
{
    const json_t *content = json_object_get(message, "content");
    if (json_is_true(json_object_get(message, "json"))) {
        const char *text = json_string_value(content);
        json_t *v = er_json_parse(text ? text : "",
            json_string_length(content), ER_JSON_LENIENT, NULL);
        char *out = v ? er_json_text(v) : NULL;
        json_decref(v);
        if (out)
            return out;
    }
    return er_json_text(content);
}

static void end(errand_run *run, const json_t *message)
{
    const char *text = er_json_str(message, "content");
    if (run->single_state != ER_CALL_DONE) {
        bool denied = run->single_state == ER_CALL_DENIED;
        er_run_stop_saying(run, ER_RUN_FAILED, denied ? "denied" : "tool",
            denied ? ERRAND_DENIED : ERRAND_TOOL, text ? text : "");
        return;
    }
    char *answer = answer_of(message);
    er_run_begin_reply(run);
    if (answer)
        er_run_store_reply(run, answer);
    else
        fail_nomem(run);
    free(answer);
}

void er_single_go(errand_run *run)
{
    const json_t *last = json_array_get(
        run->messages, json_array_size(run->messages) - 1);
    const char *role = er_json_str(last, "role");
    if (run->ending || run->cancelled)
        return;
    if (role && strcmp(role, "tool") == 0)
        end(run, last);
    else
        begin(run);
}
