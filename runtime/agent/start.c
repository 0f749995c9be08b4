/* errand_start and errand_resume: how a run enters this process. */
#include "agent/compact.h"
#include "agent/consent.h"
#include "agent/history.h"
#include "agent/run.h"
#include "agent/start.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* --- settings: what the run was asked with, as stored with it */

static int set_json(json_t *settings, const char *key, const char *text,
    struct errand_error *err)
{
    if (!text)
        return ERRAND_OK;
    json_t *v = er_json_parse(text, strlen(text), ER_JSON_LENIENT, err);
    if (!v)
        return er_while(err, "%s", key);
    return json_object_set_new(settings, key, v) == 0 ? ERRAND_OK
                                                      : er_nomem(err);
}

static int set_text(json_t *settings, const char *key, const char *text,
    struct errand_error *err)
{
    if (!text)
        return ERRAND_OK;
    json_t *v = json_string(text);
    if (!v)
        return er_fail(err, ERRAND_USAGE, "%s is not UTF-8", key);
    return json_object_set_new(settings, key, v) == 0 ? ERRAND_OK
                                                      : er_nomem(err);
}

static int set_tools(json_t *settings, const struct errand_request *req,
    struct errand_error *err)
{
    if (req->agent && !req->tools) /* the agent says which */
        return ERRAND_OK;
    json_t *names = json_array();
    for (size_t i = 0; names && req->tools && req->tools[i]; i++)
        json_array_append_new(names, json_string(req->tools[i]));
    return json_object_set_new(settings, "tools", names) == 0
        ? ERRAND_OK : er_nomem(err);
}

static int check_policy(const char *on_unknown, struct errand_error *err)
{
    if (!on_unknown || strcmp(on_unknown, "ask") == 0 ||
        strcmp(on_unknown, "fail") == 0 || strcmp(on_unknown, "retry") == 0)
        return ERRAND_OK;
    return er_fail(err, ERRAND_USAGE,
        "on_unknown is \"%.40s\"; it must be ask, fail or retry", on_unknown);
}

static json_t *settings_of(const struct errand_request *req,
    struct errand_error *err)
{
    json_t *s = json_object();
    int rc = s ? ERRAND_OK : er_nomem(err);
    if (rc == ERRAND_OK)
        rc = set_text(s, "model", req->model, err);
    if (rc == ERRAND_OK)
        rc = set_tools(s, req, err);
    if (rc == ERRAND_OK)
        rc = set_json(s, "functions", req->functions, err);
    if (rc == ERRAND_OK && !req->agent) /* else some are the agent's */
        rc = set_json(s, "params", req->params, err);
    if (rc == ERRAND_OK)
        rc = set_json(s, "budgets", req->budgets, err);
    if (rc == ERRAND_OK)
        rc = set_json(s, "schema", req->schema, err);
    if (rc == ERRAND_OK)
        rc = set_text(s, "tool_choice", req->tool_choice, err);
    if (rc == ERRAND_OK)
        rc = er_consent_settings(s, req, err);
    if (rc == ERRAND_OK)
        rc = check_policy(req->on_unknown, err);
    if (rc == ERRAND_OK)
        rc = set_text(s, "on_unknown", req->on_unknown, err);
    if (rc != ERRAND_OK) {
        json_decref(s);
        return NULL;
    }
    json_object_set_new(s, "stream",
        json_boolean(!(req->flags & ERRAND_REQ_NO_STREAM)));
    json_object_set_new(s, "prompt_form",
        json_boolean(req->flags & ERRAND_REQ_PROMPT));
    return s;
}

/* What neither the request nor an agent said. A script may do without a
 * model. */
static int set_rest(errand *rt, json_t *s, struct errand_error *err)
{
    const json_t *agent = json_object_get(s, "agent");
    bool need = !json_is_true(json_object_get(agent, "script"));
    int rc = ERRAND_OK;
    if (!json_object_get(s, "model"))
        rc = set_text(s, "model", rt->default_model, err);
    if (rc == ERRAND_OK && need && !json_object_get(s, "model"))
        rc = er_fail(err, ERRAND_CONFIG,
            "no model is configured; name one with -m PROVIDER:NAME, in "
            "ERRAND_MODEL, or as model in errand.lua");
    if (rc == ERRAND_OK && !json_object_get(s, "on_unknown"))
        rc = set_text(s, "on_unknown", rt->config.on_unknown, err);
    if (rc == ERRAND_OK && !json_object_get(s, "tools") &&
        json_object_set_new(s, "tools", json_array()) != 0)
        rc = er_nomem(err);
    return rc;
}

/* --- agents */

int er_agent_wish_run(errand *rt, const struct er_agent *agent,
    const struct er_agent_wish *wish, json_t *settings, char **system,
    char **prompt, struct errand_error *err)
{
    json_t *input = NULL, *params = NULL;
    int rc = er_agent_input(agent, wish, &input, &params, err);
    if (rc == ERRAND_OK && params &&
        json_object_set(settings, "params", params) != 0)
        rc = er_nomem(err);
    if (rc == ERRAND_OK)
        rc = er_agent_settle(agent, settings, input, err);
    if (rc == ERRAND_OK)
        rc = set_rest(rt, settings, err);
    if (rc == ERRAND_OK && !agent->is_script) {
        *system = er_agent_text(agent, "system", input);
        *prompt = er_agent_text(agent, "prompt", input);
    }
    if (rc == ERRAND_OK && !*prompt)
        *prompt = er_strndup(wish->prompt ? wish->prompt : "",
            wish->prompt ? wish->prompt_len : 0);
    if (rc == ERRAND_OK && !*prompt)
        rc = er_nomem(err);
    if (rc == ERRAND_OK && !agent->is_script && !(*prompt)[0])
        rc = er_fail(err, ERRAND_USAGE, "agent %.64s has no script and no "
            "prompt of its own: say what is to be done", agent->name);
    json_decref(input);
    json_decref(params);
    return rc;
}

/* The request as the agent makes it; what it points to is kept in texts. */
static int apply_agent(errand *rt, struct errand_request *req,
    json_t *settings, char *texts[2], struct errand_error *err)
{
    if (!req->agent)
        return set_rest(rt, settings, err);
    struct er_agent *a = er_agent_load(rt, req->agent, err);
    json_t *given = a && req->params
        ? er_json_parse(req->params, strlen(req->params), ER_JSON_LENIENT,
              err) : NULL;
    if (!a || (req->params && !given)) {
        er_agent_drop(a);
        return err->code;
    }
    struct er_agent_wish wish = {.given = given,
        .prompt = req->prompt ? req->prompt : "",
        .prompt_len = req->prompt_len ? req->prompt_len
                      : req->prompt   ? strlen(req->prompt)
                                      : 0};
    int rc = er_agent_wish_run(
        rt, a, &wish, settings, &texts[0], &texts[1], err);
    er_agent_drop(a);
    json_decref(given);
    if (!req->system && !req->conversation)
        req->system = texts[0];
    req->prompt = texts[1];
    req->prompt_len = texts[1] ? strlen(texts[1]) : 0;
    return rc;
}

/* --- the wall-clock budget */

static void on_time_over(void *ctx)
{
    errand_run *run = ctx;
    struct errand_error err = {0};
    if (!run->exchange) /* calls finish; the next turn sees the budget */
        return;
    er_model_cancel(run->exchange);
    run->exchange = NULL;
    er_fail(&err, ERRAND_PAUSED,
        "budget reached: %lld seconds; resume the run to allow as much "
        "again, or raise max_seconds", (long long)run->budgets.max_seconds);
    er_run_pause(run, "budget", &err);
}

static void watch_the_clock(errand_run *run)
{
    struct errand_error err = {0};
    if (run->budgets.max_seconds > 0 &&
        er_timer_start(run->rt->loop, &run->timer,
            run->budgets.max_seconds * 1000, on_time_over, run, &err) !=
            ERRAND_OK)
        er_run_fail(run, &err);
}

/* --- going on with what the store holds */

static json_t *open_calls(const struct er_loaded *l)
{
    json_t *open = json_array();
    int64_t last = l->n_calls ? l->calls[l->n_calls - 1].asst_seq : -1;
    bool any = false;
    for (size_t i = 0; i < l->n_calls; i++) {
        const struct er_call_row *c = &l->calls[i];
        if (c->asst_seq != last)
            continue;
        json_array_append_new(open, json_string(c->call_id));
        any = any || c->state == ER_CALL_PLANNED ||
              c->state == ER_CALL_WAITING || c->state == ER_CALL_RUNNING ||
              c->state == ER_CALL_UNKNOWN;
    }
    if (!any)
        json_array_clear(open);
    return open;
}

static void note_sequence(errand_run *run, const struct er_loaded *l)
{
    for (size_t i = 0; i < l->n_messages; i++)
        if (l->messages[i].seq >= run->next_seq)
            run->next_seq = l->messages[i].seq + 1;
    for (size_t i = 0; i < l->n_calls; i++)
        if (l->calls[i].result_seq >= run->next_seq)
            run->next_seq = l->calls[i].result_seq + 1;
}

static void remember_calls(errand_run *run, const struct er_loaded *l)
{
    char note[200];
    for (size_t i = 0; i < l->n_calls; i++) {
        const struct er_call_row *c = &l->calls[i];
        if (c->result)
            er_guard_see(&run->guard, c->tool, c->arguments, c->result,
                c->result_len, c->state != ER_CALL_DONE, note, sizeof note);
    }
}

/* Take over a loaded run and work on. */
static int go_on(errand_run *run, const struct er_loaded *l,
    struct errand_error *err)
{
    run->claim = l->run.claim;
    memcpy(run->conv_id, l->run.conv_id, sizeof run->conv_id);
    json_t *open = open_calls(l);
    bool calls = json_array_size(open) > 0;
    run->messages =
        er_history_from_rows(l->messages, l->n_messages, open, err);
    json_decref(open);
    if (!run->messages)
        return err->code;
    if (l->n_calls > 0)
        run->single_state = l->calls[l->n_calls - 1].state;
    note_sequence(run, l);
    remember_calls(run, l);
    er_run_take_consent(run, l, calls);
    int rc = calls ? er_runtime_need_tools(run->rt, err) : ERRAND_OK;
    if (rc == ERRAND_OK && calls)
        rc = er_run_take_calls(run, l, err);
    if (rc != ERRAND_OK)
        return rc;
    er_emit_started(run);
    watch_the_clock(run);
    if (calls)
        er_run_dispatch(run);
    else
        er_run_turn(run);
    return ERRAND_OK;
}

/* Claim a run of the store. The operation (caller frees) holds the rows. */
static struct er_op *claim(errand *rt, const char *run_id, bool force,
    struct errand_error *err)
{
    struct er_op *op = er_op_new(ER_OP_CLAIM);
    if (!op) {
        er_nomem(err);
        return NULL;
    }
    op->in.claim = (struct er_claim_request){
        .run_id = er_arena_str(&op->arena, run_id),
        .owner = er_arena_str(&op->arena, rt->owner),
        .lease_ms = ER_LEASE_MS,
        .force = force};
    if (er_store_call(rt->store, op) == ERRAND_OK)
        return op;
    *err = op->err;
    er_op_free(op);
    return NULL;
}

/* --- errand_start */

/* The conversation so far, of one that is continued. */
static int load_history(errand_run *run, struct errand_error *err)
{
    json_t *shown = er_store_show(run->rt->store, run->conv_id, err), *m;
    size_t i;
    if (!shown)
        return err->code;
    json_t *messages = json_object_get(shown, "messages");
    json_array_foreach(messages, i, m)
        json_object_del(m, "run");
    bool tainted = er_consent_has_external(messages);
    json_t *seen = er_compact_apply(messages);
    json_t *history = seen ? er_history_repair(seen, NULL) : NULL;
    json_decref(seen);
    json_decref(shown);
    if (!history)
        return er_nomem(err);
    json_decref(run->messages);
    run->messages = history;
    run->tainted |= tainted;
    return ERRAND_OK;
}

static void take_existing(errand_run *run, const struct er_run_row *row)
{
    struct errand_error err = {0};
    memcpy(run->conv_id, row->conv_id, sizeof run->conv_id);
    run->claim = row->claim;
    if (row->state == ER_RUN_DONE) {
        if (run->is_step) /* whether what it read was from outside */
            load_history(run, &err);
        er_emit_started(run);
        er_run_done(run, row->answer ? row->answer : "");
        return;
    }
    struct er_op *op = claim(run->rt, row->claim.run_id, true, &err);
    json_decref(run->messages);
    run->messages = NULL;
    if (!op || go_on(run, &op->out.loaded, &err) != ERRAND_OK)
        er_run_abandon(run, &err);
    er_op_free(op);
}

/* The run has gone on meanwhile: tell of it, ask what could not be asked. */
static void catch_up(errand_run *run)
{
    er_emit_started(run);
    if (run->ending)
        return;
    watch_the_clock(run);
    if (!run->asks_later)
        return;
    run->asks_later = false;
    er_run_dispatch(run);
}

static void on_accepted(errand_run *run, struct er_op *op)
{
    struct errand_error err = {0};
    if (run->early) {
        catch_up(run);
        return;
    }
    if (op->out.existed) {
        if (!run->ending)
            take_existing(run, &op->out.run);
        return;
    }
    run->next_seq = op->out.seq + (int64_t)op->in.accept.n_messages;
    if (run->ending)
        return;
    if (!op->in.accept.new_conversation &&
        load_history(run, &err) != ERRAND_OK) {
        er_run_fail(run, &err);
        return;
    }
    er_emit_started(run);
    watch_the_clock(run);
    er_run_turn(run);
}

/* A new conversation's place in the store is known: the model is asked while
 * the disk is busy with it. Should it not be stored, one question was asked
 * in vain. A request with a key may be an old one, which is not asked again.
 */
static void begin_early(errand_run *run, const struct errand_request *req)
{
    if (req->conversation || req->client_key || run->dead ||
        run->is_script) /* its steps are runs that build on this one */
        return;
    run->early = true;
    run->next_seq = ER_FIRST_SEQ + (int64_t)json_array_size(run->messages);
    er_run_turn(run);
}

static int add_row(errand_run *run, struct er_op *op, const char *role,
    const char *text, size_t len, struct errand_error *err)
{
    struct er_accept *a = &op->in.accept;
    json_t *m = er_message_text(role, text, len);
    char *content = m ? er_json_text(m) : NULL;
    struct er_new_message *rows = er_arena_alloc(
        &op->arena, (a->n_messages + 1) * sizeof *rows);
    if (!content || !rows || json_array_append(run->messages, m) != 0) {
        json_decref(m);
        free(content);
        return er_nomem(err);
    }
    if (a->n_messages)
        memcpy(rows, a->messages, a->n_messages * sizeof *rows);
    rows[a->n_messages] = (struct er_new_message){
        .role = er_arena_str(&op->arena, role),
        .content = er_arena_str(&op->arena, content),
        .text = er_arena_str(&op->arena, er_json_str(m, "content"))};
    a->messages = rows;
    a->n_messages++;
    json_decref(m);
    free(content);
    return ERRAND_OK;
}

static int fill_accept(errand_run *run, struct er_op *op,
    const struct errand_request *req, struct errand_error *err)
{
    errand *rt = run->rt;
    struct er_accept *a = &op->in.accept;
    char *settings = er_json_text(run->settings);
    const char *system = req->system ? req->system : rt->config.system;
    size_t len = req->prompt_len ? req->prompt_len : strlen(req->prompt);
    if (run->is_script || run->is_single) /* no model reads it */
        system = NULL;
    *a = (struct er_accept){
        .new_conversation = req->conversation == NULL,
        .conv_id = er_arena_str(&op->arena, run->conv_id),
        .title = er_arena_strn(
            &op->arena, req->prompt, er_utf8_cut(req->prompt, len, 80)),
        .run_id = er_arena_str(&op->arena, run->claim.run_id),
        .client_key = er_arena_str(&op->arena, req->client_key),
        .settings = er_arena_str(&op->arena, settings),
        .owner = er_arena_str(&op->arena, rt->owner),
        .lease_ms = ER_LEASE_MS};
    free(settings);
    run->messages = json_array();
    if (!run->messages || !a->settings || !a->owner)
        return er_nomem(err);
    int rc = ERRAND_OK;
    if (system && a->new_conversation)
        rc = add_row(run, op, "system", system, strlen(system), err);
    if (rc == ERRAND_OK)
        rc = add_row(run, op, "user", req->prompt, len, err);
    return rc;
}

static int check_request(
    const struct errand_request *req, struct errand_error *err)
{
    if (!req->agent &&
        (!req->prompt || (req->prompt_len == 0 && !req->prompt[0])))
        return er_fail(err, ERRAND_USAGE,
            "the prompt is empty; say what is to be done");
    if (req->conversation && req->system)
        return er_fail(err, ERRAND_USAGE,
            "a conversation keeps the system text that it began with; leave "
            "system out, or begin a new one");
    return ERRAND_OK;
}

struct starting {
    errand *rt;
    struct errand_request req;
    errand_run *run;
    struct errand_error *err;
};

static int begin_run(
    struct starting *s, json_t *settings, const char conv[ER_ID_SIZE])
{
    errand *rt = s->rt;
    errand_run *run =
        er_run_new(rt, settings, s->req.on_event, s->req.user, s->err);
    if (!run)
        return s->err->code;
    struct er_op *op = er_op_new(ER_OP_ACCEPT);
    memcpy(run->conv_id, conv, ER_ID_SIZE);
    if (s->req.on_approval) {
        run->on_approval = s->req.on_approval;
        run->approval_user = s->req.user;
    }
    er_id_new(run->claim.run_id);
    run->claim.epoch = 1;
    int rc = op ? fill_accept(run, op, &s->req, s->err) : er_nomem(s->err);
    if (rc != ERRAND_OK) {
        er_op_free(op);
        er_run_free(run);
        return rc;
    }
    er_run_link(run);
    er_run_submit(run, op, on_accepted);
    begin_early(run, &s->req);
    s->run = run;
    return ERRAND_OK;
}

static int start(void *arg)
{
    struct starting *s = arg;
    errand *rt = s->rt;
    char conv[ER_ID_SIZE];
    int rc = ERRAND_OK;
    er_id_new(conv);
    if (s->req.conversation)
        rc = er_store_find(
            rt->store, "conversation", s->req.conversation, conv, s->err);
    char *texts[2] = {NULL, NULL};
    json_t *settings =
        rc == ERRAND_OK ? settings_of(&s->req, s->err) : NULL;
    if (!settings)
        return s->err->code;
    rc = apply_agent(rt, &s->req, settings, texts, s->err);
    if (rc == ERRAND_OK)
        rc = begin_run(s, settings, conv);
    json_decref(settings);
    free(texts[0]);
    free(texts[1]);
    return rc;
}

int errand_start(errand *rt, const struct errand_request *req,
    errand_run **out, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct starting s = {.rt = rt, .err = err ? err : &mine};
    if (out)
        *out = NULL;
    int rc = ERRAND_OK;
    if (req->size == 0 || req->size > 4096)
        return er_fail(s.err, ERRAND_USAGE,
            "errand_request.size is %u; set it to sizeof", req->size);
    memcpy(&s.req, req, req->size < sizeof s.req ? req->size : sizeof s.req);
    rc = check_request(&s.req, s.err);
    if (rc == ERRAND_OK)
        rc = er_runtime_call(rt, start, &s);
    if (out)
        *out = s.run;
    return rc;
}

/* --- errand_resume */

struct resuming {
    errand *rt;
    const char *run_id, *options;
    errand_event_fn on_event;
    void *user;
    errand_run *run;
    struct errand_error *err;
};

static int apply_options(
    json_t *settings, const char *text, struct errand_error *err)
{
    const char *key;
    json_t *v, *o;
    if (!text)
        return ERRAND_OK;
    o = er_json_parse(text, strlen(text), ER_JSON_STRICT, err);
    if (!o)
        return er_while(err, "options");
    int rc = ERRAND_OK;
    json_object_foreach(o, key, v)
    {
        if (strcmp(key, "policy") == 0)
            rc = er_consent_more(settings, v, err);
        else if (strcmp(key, "budgets") != 0 &&
                 strcmp(key, "on_unknown") != 0 && strcmp(key, "on_ask") != 0)
            rc = er_fail(err, ERRAND_USAGE,
                "unknown option \"%.40s\"; known are budgets, on_unknown, "
                "on_ask, policy", key);
        else if (json_object_set(settings, key, v) != 0)
            rc = er_nomem(err);
        if (rc != ERRAND_OK)
            break;
    }
    json_decref(o);
    if (rc == ERRAND_OK)
        rc = check_policy(er_json_str(settings, "on_unknown"), err);
    return rc;
}

/* The run was claimed but cannot go on here: leave it as it can be. */
static void put_back(errand *rt, const struct er_claim *c,
    const struct errand_error *why)
{
    struct er_op *op = er_op_new(ER_OP_STOP);
    if (!op)
        return; /* the lease runs out by itself */
    op->in.stop = (struct er_stop){.claim = *c, .state = ER_RUN_FAILED,
        .reason = "error", .code = why->code,
        .error = er_arena_str(&op->arena, why->msg)};
    er_store_call(rt->store, op);
    er_op_free(op);
}

static int resume(void *arg)
{
    struct resuming *r = arg;
    char id[ER_ID_SIZE];
    int rc = er_store_find(r->rt->store, "run", r->run_id, id, r->err);
    struct er_op *op =
        rc == ERRAND_OK ? claim(r->rt, id, true, r->err) : NULL;
    if (!op)
        return r->err->code;
    const char *text = op->out.loaded.run.settings;
    json_t *settings =
        er_json_parse(text, strlen(text), ER_JSON_LENIENT, r->err);
    rc = settings ? apply_options(settings, r->options, r->err)
                  : ERRAND_STORE;
    errand_run *run = rc == ERRAND_OK
        ? er_run_new(r->rt, settings, r->on_event, r->user, r->err) : NULL;
    json_decref(settings);
    if (run) {
        er_run_link(run);
        r->run = run;
        struct errand_error why = {0};
        if (go_on(run, &op->out.loaded, &why) != ERRAND_OK)
            er_run_fail(run, &why);
    } else {
        rc = r->err->code;
        put_back(r->rt, &op->out.loaded.run.claim, r->err);
    }
    er_op_free(op);
    return rc;
}

int errand_resume(errand *rt, const char *run_id, const char *options,
    errand_event_fn on_event, void *user, errand_run **out,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    struct resuming r = {.rt = rt, .run_id = run_id, .options = options,
        .on_event = on_event, .user = user, .err = err ? err : &mine};
    int rc = er_runtime_call(rt, resume, &r);
    if (out)
        *out = r.run;
    return rc;
}

/* --- a run's handle */

static int cancel(void *arg)
{
    er_run_cancel(arg);
    return ERRAND_OK;
}

void errand_cancel(errand_run *run)
{
    if (run)
        er_runtime_call(run->rt, cancel, run);
}

const char *errand_run_id(const errand_run *run) { return run->claim.run_id; }

const char *errand_run_conversation(const errand_run *run)
{
    return run->conv_id;
}

/* --- for the steps of scripts */

int er_child_start(errand *rt, const struct er_child *child,
    errand_run **out, struct errand_error *err)
{
    struct errand_request req = {.size = sizeof req,
        .prompt = child->prompt ? child->prompt : "",
        .system = child->system,
        .client_key = child->key};
    errand_run *run = er_run_new(rt, child->settings, NULL, NULL, err);
    struct er_op *op = run ? er_op_new(ER_OP_ACCEPT) : NULL;
    if (!run)
        return err->code;
    er_id_new(run->conv_id);
    er_id_new(run->claim.run_id);
    run->claim.epoch = 1;
    int rc = op ? fill_accept(run, op, &req, err) : er_nomem(err);
    if (rc != ERRAND_OK) {
        er_op_free(op);
        er_run_free(run);
        return rc;
    }
    op->level = ER_COMMITTED; /* the parent would begin it again */
    op->in.accept.parent = er_arena_str(&op->arena, child->parent);
    op->in.accept.parent_step = er_arena_str(&op->arena, child->step);
    er_run_link(run);
    er_run_submit(run, op, on_accepted);
    if (run->told) { /* no memory to submit it */
        er_run_collect(run);
        return er_nomem(err);
    }
    run->on_event = child->on_event;
    run->user = child->user;
    run->on_approval = child->on_approval;
    run->approval_user = child->approval_user;
    *out = run;
    return ERRAND_OK;
}
