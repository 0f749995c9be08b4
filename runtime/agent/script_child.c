/* The runs that do the work of a script's steps: what they are begun with,
 * and what becomes of their ends. */
#include "agent/script.h"

#include "agent/consent.h"
#include "agent/start.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ wishes */

/* What every child has from the script's run. */
static json_t *inherited(const struct er_script_step *step)
{
    static const char *const keys[] = {"on_ask", "on_unknown", "stream"};
    const errand_run *run = step->script->run;
    const json_t *policy = json_object_get(run->settings, "policy");
    json_t *s = json_object();
    int rc = s ? 0 : -1;
    for (size_t i = 0; rc == 0 && i < sizeof keys / sizeof keys[0]; i++) {
        json_t *v = json_object_get(run->settings, keys[i]);
        if (v)
            rc = json_object_set(s, keys[i], v);
    }
    if (rc == 0 && policy)
        rc = json_object_set_new(s, "policy", json_deep_copy(policy));
    if (rc == 0)
        rc = json_object_set_new(s, "root", json_string(er_run_root(run)));
    if (rc == 0 && run->tainted)
        rc = json_object_set_new(s, "tainted", json_true());
    if (rc == 0)
        return s;
    json_decref(s);
    return NULL;
}

static bool is_declared(const errand_run *run, const char *name)
{
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(run->settings, "tools"), i, v)
    {
        const char *s = json_string_value(v);
        if (s && (strcmp(s, name) == 0 || strcmp(s, "*") == 0))
            return true;
    }
    return false;
}

static int check_declared(
    const errand_run *run, const char *name, struct errand_error *err)
{
    if (is_declared(run, name))
        return ERRAND_OK;
    return er_fail(err, ERRAND_USAGE, "the agent may not use the tool "
        "\"%.64s\"; name it in its file: tools = { \"%.64s\" }", name, name);
}

static int wish_tool(const struct er_script_step *step,
    struct er_step_wish *w, struct errand_error *err)
{
    const char *tool = er_json_str(step->params, "tool");
    json_t *arguments = json_object_get(step->params, "arguments");
    int rc = check_declared(step->script->run, tool ? tool : "", err);
    if (rc != ERRAND_OK)
        return rc;
    if (!json_is_object(arguments))
        return er_fail(err, ERRAND_USAGE, "the arguments of %.64s are a list; "
            "a tool takes names: { path = \"...\" }", tool);
    if (json_object_set_new(w->settings, "call", json_pack("{s:s, s:O}",
            "tool", tool, "arguments", arguments)) != 0 ||
        json_object_set_new(
            w->settings, "tools", json_pack("[s]", tool)) != 0)
        return er_nomem(err);
    return ERRAND_OK;
}

/* A person's yes is the approval of a call that does nothing. */
static int wish_confirm(const struct er_script_step *step,
    struct er_step_wish *w, struct errand_error *err)
{
    int rc = 0;
    json_t *call = json_pack("{s:s, s:O}", "tool", "confirm", "arguments",
        step->params);
    json_t *functions = json_pack(
        "[{s:s, s:s, s:s, s:{s:s, s:{s:{s:s}}}}]", "name", "confirm",
        "description", "Ask a person", "code",
        "return function() return \"yes\" end", "parameters", "type",
        "object", "properties", "question", "type", "string");
    rc |= json_object_set_new(w->settings, "call", call);
    rc |= json_object_set_new(w->settings, "functions", functions);
    rc |= json_object_set_new(w->settings, "confirm", json_true());
    rc |= json_object_set_new(w->settings, "on_ask", json_string("wait"));
    return rc == 0 ? ERRAND_OK : er_nomem(err);
}

/* The option of ctx.ask has a type; NULL: no such option. */
static const char *option_type(const char *key)
{
    static const struct {
        const char *key, *type;
    } known[] = {{"prompt", "text"}, {"system", "text"}, {"model", "text"},
        {"tool_choice", "text"}, {"tools", "list"}, {"schema", "table"},
        {"params", "table"}, {"budgets", "table"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(key, known[i].key) == 0)
            return known[i].type;
    return NULL;
}

static int check_options(const json_t *params, struct errand_error *err)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)params, key, v)
    {
        const char *type = option_type(key);
        if (!type)
            return er_fail(err, ERRAND_USAGE, "unknown option \"%.40s\"; "
                "known are prompt, system, model, tools, schema, params, "
                "budgets, tool_choice", key);
        bool fits = strcmp(type, "text") == 0   ? json_is_string(v)
                    : strcmp(type, "list") == 0 ? json_is_array(v) ||
                                                      json_is_true(v)
                                                : json_is_object(v);
        if (!fits)
            return er_fail(err, ERRAND_USAGE, "%.40s must be a %s", key,
                type);
    }
    const char *prompt = er_json_str(params, "prompt");
    if (!prompt || !prompt[0])
        return er_fail(err, ERRAND_USAGE,
            "the prompt is empty; say what is to be done");
    return ERRAND_OK;
}

/* tools = true: those of the agent; a list: some of them; else none. */
static int ask_tools(const struct er_script_step *step, json_t *settings,
    struct errand_error *err)
{
    const errand_run *run = step->script->run;
    json_t *wanted = json_object_get(step->params, "tools"), *v;
    json_t *mine = json_object_get(run->settings, "tools");
    size_t i;
    json_array_foreach(wanted, i, v)
    {
        const char *name = json_string_value(v);
        int rc = check_declared(run, name ? name : "", err);
        if (rc != ERRAND_OK)
            return rc;
    }
    int rc = json_is_array(wanted)
        ? json_object_set(settings, "tools", wanted)
        : wanted && mine
        ? json_object_set(settings, "tools", mine)
        : json_object_set_new(settings, "tools", json_array());
    return rc == 0 ? ERRAND_OK : er_nomem(err);
}

/* The agent's with those of the step over them. */
static int lay_over(json_t *settings, const char *key, const json_t *base,
    const json_t *over)
{
    json_t *v = base ? json_deep_copy(base) : over ? json_object() : NULL;
    if (!v)
        return base || over ? -1 : 0;
    if (over && json_object_update(v, (json_t *)over) != 0) {
        json_decref(v);
        return -1;
    }
    return json_object_set_new(settings, key, v);
}

static int wish_ask(const struct er_script_step *step,
    struct er_step_wish *w, struct errand_error *err)
{
    static const char *const keys[] = {"schema", "budgets", "tool_choice"};
    const errand_run *run = step->script->run;
    const json_t *p = step->params;
    const char *model = er_json_str(p, "model");
    const char *system = er_json_str(p, "system");
    int rc = check_options(p, err);
    if (rc == ERRAND_OK)
        rc = ask_tools(step, w->settings, err);
    if (rc != ERRAND_OK)
        return rc;
    model = model ? model : run->model;
    if (!model[0])
        return er_fail(err, ERRAND_CONFIG,
            "no model is configured; name one with -m PROVIDER:NAME, in "
            "ERRAND_MODEL, as model in errand.lua, or in the agent's file");
    rc = json_object_set_new(w->settings, "model", json_string(model));
    rc |= lay_over(w->settings, "params",
        json_object_get(run->settings, "params"),
        json_object_get(p, "params"));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_object_get(p, keys[i]))
            rc |= json_object_set(
                w->settings, keys[i], json_object_get(p, keys[i]));
    w->prompt = er_strdup(er_json_str(p, "prompt"));
    w->system = system ? er_strdup(system)
        : er_agent_text(step->script->agent, "system",
              json_object_get(run->settings, "input"));
    return rc == 0 && w->prompt ? ERRAND_OK : er_nomem(err);
}

static int wish_agent(const struct er_script_step *step,
    struct er_step_wish *w, struct errand_error *err)
{
    const struct er_script_run *s = step->script;
    const char *name = er_json_str(step->params, "agent");
    const json_t *given = json_object_get(step->params, "input");
    const json_t *prompt = json_object_get(given, "prompt");
    if (s->depth + 1 > ER_AGENT_DEPTH)
        return er_fail(err, ERRAND_STATE, "agents within agents within "
            "agents: %d is the most", ER_AGENT_DEPTH);
    if (prompt && !json_is_string(prompt))
        return er_fail(err, ERRAND_USAGE, "prompt must be a text");
    struct er_agent *a = er_agent_load(s->run->rt, name, err);
    if (!a)
        return err->code;
    struct er_agent_wish wish = {.given = given, .strict = true,
        .prompt = json_string_value(prompt),
        .prompt_len = json_string_length(prompt)};
    int rc = ERRAND_OK;
    if (s->run->model[0] && !er_json_str(a->table, "model") &&
        json_object_set_new(
            w->settings, "model", json_string(s->run->model)) != 0)
        rc = er_nomem(err);
    if (rc == ERRAND_OK)
        rc = er_agent_wish_run(s->run->rt, a, &wish, w->settings, &w->system,
            &w->prompt, err);
    er_agent_drop(a);
    if (rc == ERRAND_OK && json_object_set_new(w->settings, "depth",
                               json_integer(s->depth + 1)) != 0)
        rc = er_nomem(err);
    return rc;
}

int er_step_wish(const struct er_script_step *step, struct er_step_wish *out,
    struct errand_error *err)
{
    *out = (struct er_step_wish){.settings = inherited(step)};
    int rc = out->settings ? ERRAND_OK : er_nomem(err);
    if (rc != ERRAND_OK)
        return rc;
    if (strcmp(step->kind, "tool") == 0)
        rc = wish_tool(step, out, err);
    else if (strcmp(step->kind, "confirm") == 0)
        rc = wish_confirm(step, out, err);
    else if (strcmp(step->kind, "agent") == 0)
        rc = wish_agent(step, out, err);
    else
        rc = wish_ask(step, out, err);
    return rc;
}

/* --------------------------------------------------------------- their ends */

/* Is it for the script to know, or for those who run it? */
static bool is_for_script(int code)
{
    switch (code) {
    case ERRAND_USAGE:
    case ERRAND_NOT_FOUND:
    case ERRAND_EXISTS:
    case ERRAND_RANGE:
    case ERRAND_TOO_LARGE:
    case ERRAND_SYNTAX:
    case ERRAND_SCHEMA:
    case ERRAND_CONTEXT:
    case ERRAND_TOOL:
    case ERRAND_DENIED:
    case ERRAND_STATE:
    case ERRAND_UNSUPPORTED: return true;
    default: return false;
    }
}

static void stop_for(
    struct er_script_step *step, int state, const char *reason, int code,
    const char *text)
{
    struct er_buf b;
    er_buf_init(&b, 16384);
    er_buf_addf(&b, "step %s (%s): ", step->path, step->kind);
    er_buf_add(&b, text, er_utf8_cut(text, strlen(text), 8000));
    er_script_stop(step->script, state, reason, code, er_buf_str(&b));
    er_buf_release(&b);
}

static void on_failed(
    struct er_script_step *step, const struct errand_event *ev)
{
    bool no = strcmp(step->kind, "confirm") == 0 && ev->code == ERRAND_DENIED;
    if (no)
        er_step_done(step, json_pack("{s:b, s:s}", "yes", 0, "reason",
            ev->text), true);
    else if (is_for_script(ev->code))
        er_step_failed(step, ev->text);
    else
        stop_for(step, ER_RUN_FAILED, "error", ev->code, ev->text);
}

static void on_paused(
    struct er_script_step *step, const struct errand_event *ev)
{
    json_t *d = ev->json ? er_json_parse(ev->json, strlen(ev->json),
                               ER_JSON_LENIENT, NULL) : NULL;
    const char *reason = er_json_str(d, "reason");
    step->waits = true;
    stop_for(step, ER_RUN_PAUSED, reason ? reason : "error", ev->code,
        ev->text);
    json_decref(d);
}

static void on_answer(
    struct er_script_step *step, const struct errand_event *ev)
{
    bool is_agent = strcmp(step->kind, "agent") == 0;
    const json_t *agent = json_object_get(ev->run->settings, "agent");
    bool is_json = json_is_true(json_object_get(agent, "script")) ||
                   ev->run->schema != NULL;
    json_t *value = NULL;
    if (is_agent && is_json)
        value = er_json_parse(
            ev->text, ev->text_len, ER_JSON_LENIENT, NULL);
    else if (is_agent)
        value = json_string(ev->text);
    else
        value = er_step_value(step->kind, step->params, ev->text);
    er_step_done(step, value, is_agent);
}

static void add_spent(errand_run *to, const errand_run *from)
{
    to->spent.turns += from->spent.turns;
    to->spent.calls += from->spent.calls;
    to->spent.tokens += from->spent.tokens;
    to->spent.cost_micro += from->spent.cost_micro;
}

static void on_end(struct er_script_step *step, const struct errand_event *ev)
{
    struct er_script_run *s = step->script;
    errand_run *run = s->run;
    step->child = NULL;
    step->outside = ev->run->tainted;
    s->live--;
    run->pending--;
    add_spent(run, ev->run);
    if (run->dead || run->ending)
        ;
    else if (ev->type == ERRAND_EV_DONE)
        on_answer(step, ev);
    else if (ev->type == ERRAND_EV_FAILED)
        on_failed(step, ev);
    else
        on_paused(step, ev);
    if (!run->dead && !run->ending)
        er_script_look(s);
    er_run_collect(run);
}

static void on_event(void *user, const struct errand_event *ev)
{
    struct er_script_step *step = user;
    switch (ev->type) {
    case ERRAND_EV_DONE:
    case ERRAND_EV_FAILED:
    case ERRAND_EV_PAUSED:
        on_end(step, ev);
        break;
    case ERRAND_EV_CALL:
    case ERRAND_EV_RESULT:
    case ERRAND_EV_USAGE:
    case ERRAND_EV_RETRY:
    case ERRAND_EV_NOTICE:
    case ERRAND_EV_APPROVAL:
    case ERRAND_EV_STEP:
        er_emit_forward(step->script->run, ev);
        break;
    default: break; /* a child's words are nobody's but the script's */
    }
}

/* ------------------------------------------------------------------ begin */

void er_step_begin_child(struct er_script_step *step)
{
    struct er_script_run *s = step->script;
    errand_run *run = s->run;
    struct errand_error err = {0};
    struct er_step_wish w;
    char key[ER_ID_SIZE + 240];
    int rc = er_step_wish(step, &w, &err);
    snprintf(key, sizeof key, "step:%s:%s:%d", run->claim.run_id, step->path,
        (int)step->attempt);
    struct er_child child = {.settings = w.settings, .system = w.system,
        .prompt = w.prompt, .key = key, .parent = run->claim.run_id,
        .step = step->path, .on_event = on_event, .user = step,
        .on_approval = run->on_approval,
        .approval_user = run->approval_user};
    if (rc == ERRAND_OK)
        rc = er_child_start(run->rt, &child, &step->child, &err);
    json_decref(w.settings);
    free(w.system);
    free(w.prompt);
    if (rc == ERRAND_OK) {
        s->live++;
        run->pending++;
    } else if (is_for_script(rc)) {
        er_step_failed(step, err.msg);
    } else {
        stop_for(step, ER_RUN_FAILED, "error", rc, err.msg);
    }
}
