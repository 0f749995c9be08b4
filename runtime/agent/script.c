/* A script's run: beginning, ending, and who may run beside it. */
#include "agent/script.h"

#include "agent/answer.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ lines */

static struct er_script_line *line_of(struct er_script_run *s)
{
    return &s->run->rt->lines[s->depth];
}

static bool need_lines(errand *rt)
{
    if (!rt->lines)
        rt->lines = calloc(ER_AGENT_DEPTH + 1, sizeof *rt->lines);
    return rt->lines != NULL;
}

void er_script_lines_free(errand *rt)
{
    free(rt->lines);
    rt->lines = NULL;
}

static void leave_line(struct er_script_run *s)
{
    if (!s->in_line)
        return;
    struct er_script_line *line = line_of(s);
    struct er_script_run **at = &line->first;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    line->last = NULL;
    for (struct er_script_run *p = line->first; p; p = p->next)
        line->last = p;
    s->next = NULL;
    s->in_line = false;
}

static void start_job(struct er_script_run *s);

static void start_next(struct er_script_line *line)
{
    while (line->first && line->running < ER_SCRIPTS_AT_ONCE) {
        struct er_script_run *s = line->first;
        leave_line(s);
        start_job(s);
    }
}

/* ------------------------------------------------------------------ ending */

void er_script_stop(struct er_script_run *s, int state, const char *reason,
    int code, const char *text)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->stop_state = state;
    s->stop_code = code;
    s->stop_reason = er_strdup(reason);
    s->stop_text = er_strdup(text);
    if (state == ER_RUN_FAILED || s->run->cancelled)
        for (struct er_script_step *p = s->steps, *next; p; p = next) {
            next = p->next;
            if (p->child)
                er_run_cancel(p->child);
        }
    er_script_look(s);
}

static struct er_script_step *first_waiting(struct er_script_run *s)
{
    struct er_script_step *found = NULL;
    for (struct er_script_step *p = s->steps; p; p = p->next)
        if (p->waits)
            found = p; /* the list is newest first */
    return found;
}

static void end_now(struct er_script_run *s)
{
    errand_run *run = s->run;
    if (run->ending || run->dead)
        return;
    er_run_stop_saying(run, s->stop_state,
        s->stop_reason ? s->stop_reason : "error", s->stop_code,
        s->stop_text ? s->stop_text : "out of memory");
}

void er_script_look(struct er_script_run *s)
{
    errand_run *run = s->run;
    if (run->ending || run->dead)
        return;
    bool stuck = s->answered == s->seen;
    bool waits = first_waiting(s) != NULL;
    if (!s->stopping || s->live > 0)
        return;
    if (s->stop_state == ER_RUN_PAUSED && waits && !stuck &&
        !run->cancelled && s->job)
        return; /* the script may have more that can be done */
    if (s->job)
        er_script_cancel(s->job); /* the end comes with its done */
    else
        end_now(s);
}

static void interrupted(struct er_script_run *s)
{
    struct errand_error why = {0};
    er_fail(&why, ERRAND_CANCELLED, "interrupted; `errand resume %s` goes on",
        er_run_root(s->run));
    if (s->stopping) { /* on the way to another end: this one counts */
        s->stop_state = ER_RUN_PAUSED;
        s->stop_code = why.code;
    }
    er_script_stop(s, ER_RUN_PAUSED, "interrupted", why.code, why.msg);
}

void er_script_interrupt(errand_run *run)
{
    struct er_script_run *s = run->script;
    leave_line(s);
    for (struct er_script_step *p = s->steps, *next; p; p = next) {
        next = p->next;
        if (p->child)
            er_run_cancel(p->child);
    }
    interrupted(s);
}

void er_script_abandon(errand_run *run)
{
    struct er_script_run *s = run->script;
    if (!s)
        return;
    leave_line(s);
    for (struct er_script_step *p = s->steps, *next; p; p = next) {
        next = p->next;
        if (p->child)
            er_run_cancel(p->child);
    }
    if (s->job)
        er_script_cancel(s->job);
}

void er_script_free(errand_run *run)
{
    struct er_script_run *s = run->script;
    if (!s)
        return;
    leave_line(s);
    while (s->steps)
        er_step_free(s->steps);
    er_agent_drop(s->agent);
    json_decref(s->stored);
    free(s->stop_reason);
    free(s->stop_text);
    free(s);
    run->script = NULL;
}

/* -------------------------------------------------------------- its result */

/* The step that is stored and was never asked for. */
static const char *first_unasked(const struct er_script_run *s)
{
    const char *key;
    json_t *row;
    json_object_foreach(s->stored, key, row)
    {
        const char *state = er_json_str(row, "state");
        if (!json_object_get(row, "asked") && !strchr(key, '#') && state &&
            strcmp(state, "open") != 0)
            return key;
    }
    return NULL;
}

static void fail_parted(struct er_script_run *s, const char *path)
{
    const json_t *row = json_object_get(s->stored, path);
    struct er_buf b;
    er_buf_init(&b, 2000);
    er_buf_addf(&b, "the script does not fit its stored steps: it ended "
        "without step %s, which is stored: %s %.400s. It was changed since "
        "the run began: put it back, or begin a new run", path,
        er_json_str(row, "kind"), er_json_str(row, "about"));
    er_script_stop(
        s, ER_RUN_FAILED, "changed", ERRAND_STATE, er_buf_str(&b));
    er_buf_release(&b);
}

/* The result as a text for people: a text as it is, else its JSON. */
static char *plain_answer(const char *json)
{
    json_t *v = er_json_parse(json, strlen(json), ER_JSON_LENIENT, NULL);
    char *out = json_is_string(v)
        ? er_strndup(json_string_value(v), json_string_length(v))
        : er_strdup(json);
    json_decref(v);
    return out;
}

/* Hold it against the agent's schema; NULL: it does not fit, or no memory,
 * and the run was stopped. */
static char *fitting(struct er_script_run *s, char *answer)
{
    struct er_buf problem;
    if (!s->run->answer_schema || !answer)
        return answer;
    er_buf_init(&problem, 4096);
    char *fit = er_answer_check(
        s->run->answer_schema, answer, strlen(answer), &problem);
    free(answer);
    if (!fit)
        er_script_stop(s, ER_RUN_FAILED, "error", ERRAND_SCHEMA,
            er_buf_str(&problem));
    er_buf_release(&problem);
    return fit;
}

static void complete(struct er_script_run *s, const char *json)
{
    errand_run *run = s->run;
    char *answer = fitting(s, plain_answer(json));
    if (!answer)
        return;
    er_run_begin_reply(run);
    er_buf_adds(&run->reply.text, answer);
    if (s->depth == 0)
        er_emit_text(run, ERRAND_EV_TEXT, answer, strlen(answer));
    /* another agent gets the value, a person the text */
    er_run_store_reply(run, s->depth > 0 ? json : answer);
    free(answer);
}

static void script_failed(
    struct er_script_run *s, const struct er_tool_outcome *o)
{
    struct er_buf b;
    er_buf_init(&b, 16384);
    er_buf_addf(&b, "agent %s: %s", s->agent->name,
        o->detail && o->detail[0] ? o->detail : o->text);
    er_script_stop(
        s, ER_RUN_FAILED, "script", ERRAND_TOOL, er_buf_str(&b));
    er_buf_release(&b);
}

static void worker_died(
    struct er_script_run *s, const struct er_tool_outcome *o)
{
    struct er_buf b;
    er_buf_init(&b, 4096);
    er_buf_addf(&b, "the worker of agent %s ended: %s; `errand resume %s` "
        "goes on", s->agent->name,
        o->detail && o->detail[0] ? o->detail : o->text,
        er_run_root(s->run));
    er_script_stop(
        s, ER_RUN_FAILED, "error", ERRAND_WORKER, er_buf_str(&b));
    er_buf_release(&b);
}

static void on_done(void *ctx, const struct er_tool_outcome *o)
{
    struct er_script_run *s = ctx;
    errand_run *run = s->run;
    struct er_script_line *line = line_of(s);
    s->job = NULL;
    run->pending--;
    line->running--;
    if (run->dead || run->ending) {
        ;
    } else if (s->stopping) {
        er_script_look(s);
    } else if (o->status == ER_TOOL_OK && first_unasked(s)) {
        fail_parted(s, first_unasked(s));
    } else if (o->status == ER_TOOL_OK) {
        complete(s, o->text);
    } else if (o->status == ER_TOOL_FAILED) {
        script_failed(s, o);
    } else if (o->status == ER_TOOL_CANCELLED) {
        interrupted(s);
    } else {
        worker_died(s, o);
    }
    er_run_collect(run);
    start_next(line);
}

/* --------------------------------------------------------------- beginning */

static bool on_ask(void *ctx, int64_t n, const char *kind, const char *path,
    const json_t *params)
{
    return er_script_ask(ctx, n, kind, path, params);
}

static void start_job(struct er_script_run *s)
{
    errand_run *run = s->run;
    struct errand_error err = {0};
    struct er_script_owner owner = {
        .ask = on_ask, .done = on_done, .ctx = s};
    json_t *input = json_object_get(run->settings, "input");
    if (er_script_start(run->rt->tools, s->agent->file, input, &owner,
            &s->job, &err) != ERRAND_OK) {
        er_script_stop(s, ER_RUN_FAILED, "error", err.code, err.msg);
        return;
    }
    run->pending++;
    line_of(s)->running++;
}

/* The steps of earlier legs, by their paths. */
static int load_steps(struct er_script_run *s, struct errand_error *err)
{
    size_t i;
    json_t *row, *rows = er_store_steps(
        s->run->rt->store, s->run->claim.run_id, err);
    s->stored = json_object();
    if (!rows)
        return err->code;
    json_array_foreach(rows, i, row)
    {
        const char *path = er_json_str(row, "step");
        const char *state = er_json_str(row, "state");
        if (!path || json_object_set(s->stored, path, row) != 0)
            break;
        s->unasked += state && strcmp(state, "open") != 0;
    }
    bool all = s->stored && i == json_array_size(rows);
    json_decref(rows);
    return all ? ERRAND_OK : er_nomem(err);
}

/* The file as it is now; a note if it is not what it was. */
static int load_agent(struct er_script_run *s, struct errand_error *err)
{
    errand_run *run = s->run;
    const json_t *said = json_object_get(run->settings, "agent");
    const char *path = er_json_str(said, "path");
    const char *sha256 = er_json_str(said, "sha256");
    s->depth = (int)er_json_int(run->settings, "depth", 0);
    if (s->depth < 0 || s->depth > ER_AGENT_DEPTH)
        return er_fail(err, ERRAND_STATE, "agents within agents within "
            "agents: %d is the most", ER_AGENT_DEPTH);
    s->agent = er_agent_load(run->rt, path ? path : "", err);
    if (!s->agent)
        return err->code;
    if (!s->agent->is_script)
        return er_fail(err, ERRAND_STATE,
            "%.120s has no function run any more", s->agent->path);
    if (sha256 && strcmp(sha256, er_script_sha256(s->agent->file)) != 0)
        er_emit_note(run, "agent %.64s was changed since the run began",
            s->agent->name);
    return ERRAND_OK;
}

void er_script_go(errand_run *run)
{
    struct errand_error err = {0};
    struct er_script_run *s =
        run->script || !need_lines(run->rt) ? NULL : calloc(1, sizeof *s);
    if (run->ending || run->cancelled || run->script)
        return;
    if (!s) {
        er_nomem(&err);
        er_run_fail(run, &err);
        return;
    }
    s->run = run;
    run->script = s;
    int rc = load_agent(s, &err);
    if (rc == ERRAND_OK)
        rc = load_steps(s, &err);
    if (rc != ERRAND_OK) {
        er_script_stop(s, ER_RUN_FAILED, "error", rc, err.msg);
        return;
    }
    if (line_of(s)->running < ER_SCRIPTS_AT_ONCE) {
        start_job(s);
        return;
    }
    struct er_script_line *line = line_of(s);
    s->in_line = true;
    if (line->last)
        line->last->next = s;
    else
        line->first = s;
    line->last = s;
}
