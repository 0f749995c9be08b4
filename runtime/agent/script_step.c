/* The steps of a script: found in the store, or begun, and stored. */
#include "agent/script.h"

#include "agent/consent.h"
#include "base/sha256.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { DETAILS_MOST = 64 * 1024 };

/* ----------------------------------------------------------------- making */

void er_step_free(struct er_script_step *step)
{
    struct er_script_step **at = &step->script->steps;
    while (*at && *at != step)
        at = &(*at)->next;
    if (*at)
        *at = step->next;
    free(step->path);
    free(step->kind);
    free(step->about);
    json_decref(step->params);
    free(step);
}

/* What it is asked with, as one text whose beginning people read. */
static bool describe(struct er_script_step *step)
{
    char *text = er_json_sorted(step->params);
    struct er_sha256 sum;
    unsigned char out[32];
    if (!text)
        return false;
    er_sha256_init(&sum);
    er_sha256_add(&sum, step->kind, strlen(step->kind) + 1);
    er_sha256_add(&sum, text, strlen(text));
    er_sha256_end(&sum, out);
    er_hex(out, sizeof out, step->digest);
    size_t len = strlen(text);
    step->about = er_strndup(text, er_utf8_cut(text, len, ER_STEP_ABOUT));
    free(text);
    return step->about != NULL;
}

static struct er_script_step *new_step(struct er_script_run *s, int64_t n,
    const char *kind, const char *path, const json_t *params)
{
    struct er_script_step *step = calloc(1, sizeof *step);
    if (!step)
        return NULL;
    step->script = s;
    step->n = n;
    step->attempt = 1;
    step->began_ms = er_mono_ms();
    step->path = er_strdup(path);
    step->kind = er_strdup(kind);
    step->params = json_incref((json_t *)(uintptr_t)params);
    if (step->path && step->kind && describe(step)) {
        step->next = s->steps;
        s->steps = step;
        return step;
    }
    er_step_free(step);
    return NULL;
}

/* ------------------------------------------------------------------ telling */

/* {"step","kind","state","about","took_ms", of a map "items","over"} */
static void emit(const struct er_script_step *step, const char *state)
{
    struct er_buf b;
    errand_run *run = step->script->run;
    if (!run->on_event)
        return;
    er_buf_init(&b, DETAILS_MOST);
    er_buf_addf(&b, "{\"step\":\"%s\",\"kind\":\"%s\",\"state\":\"%s\","
        "\"about\":", step->path, step->kind, state);
    er_json_add_string(&b, step->about, strlen(step->about));
    er_buf_addf(&b, ",\"took_ms\":%lld",
        (long long)(er_mono_ms() - step->began_ms));
    if (strcmp(step->kind, "map") == 0)
        er_buf_addf(&b, ",\"items\":%lld,\"over\":%lld,\"failed\":%lld",
            (long long)step->items, (long long)step->over,
            (long long)step->failed);
    er_buf_addf(&b, ",\"depth\":%d,\"run\":\"%s\"}", step->script->depth,
        run->claim.run_id);
    if (!b.failed)
        er_emit_step(run, er_buf_str(&b));
    er_buf_release(&b);
}

static void reply(struct er_script_step *step, const json_t *value)
{
    struct er_script_run *s = step->script;
    if (!s->job || step->n == 0)
        return;
    s->answered++;
    er_script_reply(s->job, step->n, value);
}

static void refuse(struct er_script_step *step, const char *text)
{
    struct er_script_run *s = step->script;
    struct er_buf b;
    if (!s->job || step->n == 0)
        return;
    s->answered++;
    er_buf_init(&b, DETAILS_MOST);
    er_buf_addf(&b, "step %s (%s): ", step->path, step->kind);
    er_buf_add(&b, text, er_utf8_cut(text, strlen(text), 16000));
    er_script_refuse(s->job, step->n, er_buf_str(&b));
    er_buf_release(&b);
}

/* ------------------------------------------------------------------ storing */

static struct er_op *step_op(struct er_script_step *step, enum er_op_kind kind)
{
    errand_run *run = step->script->run;
    struct er_op *op = er_run_op(run, kind);
    if (!op)
        return NULL;
    op->level = ER_COMMITTED; /* what relies on it comes behind it */
    op->patient = true;
    op->in.script_step = (struct er_script_step_row){.claim = run->claim,
        .path = er_arena_str(&op->arena, step->path),
        .kind = er_arena_str(&op->arena, step->kind),
        .digest = er_arena_str(&op->arena, step->digest),
        .about = er_arena_str(&op->arena, step->about),
        .attempt = step->attempt,
        .outside = step->outside};
    return op;
}

static void store_open(struct er_script_step *step)
{
    struct er_op *op = step_op(step, ER_OP_OPEN_STEP);
    if (op)
        er_run_submit(step->script->run, op, NULL);
}

/* value: JSON text or NULL. */
static void store_closed(
    struct er_script_step *step, bool failed, const char *value)
{
    struct er_op *op = step_op(step, ER_OP_CLOSE_STEP);
    if (!op)
        return;
    struct er_script_step_row *row = &op->in.script_step;
    row->failed = failed;
    row->value = er_arena_str(&op->arena, value);
    if (strcmp(step->kind, "state_set") == 0) {
        char name[100];
        char *kept = NULL;
        const json_t *v = json_object_get(step->params, "value");
        snprintf(name, sizeof name, "agent:%.64s", step->script->agent->name);
        if (v)
            kept = er_json_text(v);
        row->keep_for = er_arena_str(&op->arena, name);
        row->keep_key = er_arena_str(
            &op->arena, er_json_str(step->params, "key"));
        row->keep_value = er_arena_str(&op->arena, kept);
        free(kept);
    }
    er_run_submit(step->script->run, op, NULL);
}

static void nomem(struct er_script_run *s)
{
    er_script_stop(s, ER_RUN_FAILED, "error", ERRAND_NOMEM,
        "out of memory; `errand resume` goes on");
}

void er_step_done(struct er_script_step *step, json_t *value, bool keep)
{
    struct er_script_run *s = step->script;
    errand_run *run = s->run;
    char *text = value && keep ? er_json_text(value) : NULL;
    if (!value || (keep && !text)) {
        json_decref(value);
        er_step_free(step);
        nomem(s);
        return;
    }
    run->tainted |= step->outside;
    store_closed(step, false, text);
    reply(step, value);
    emit(step, "done");
    free(text);
    json_decref(value);
    er_step_free(step);
}

void er_step_failed(struct er_script_step *step, const char *text)
{
    struct er_script_run *s = step->script;
    json_t *v = json_stringn(text, er_utf8_valid_prefix(text, strlen(text)));
    char *json = v ? er_json_text(v) : NULL;
    json_decref(v);
    if (!json) {
        er_step_free(step);
        nomem(s);
        return;
    }
    s->run->tainted |= step->outside;
    store_closed(step, true, json);
    refuse(step, text);
    emit(step, "failed");
    free(json);
    er_step_free(step);
}

/* --------------------------------------------------------- from the store */

static void fail_parted(struct er_script_step *step, const json_t *row)
{
    struct er_buf b;
    er_buf_init(&b, 4000);
    er_buf_addf(&b, "the script does not fit its stored steps: step %s is "
        "now %s %.400s, stored is %s %.400s. It was changed since the run "
        "began: put it back, or begin a new run", step->path, step->kind,
        step->about, er_json_str(row, "kind"), er_json_str(row, "about"));
    er_script_stop(step->script, ER_RUN_FAILED, "changed", ERRAND_STATE,
        er_buf_str(&b));
    er_buf_release(&b);
}

json_t *er_step_value(
    const char *kind, const json_t *params, const char *answer)
{
    bool is_json = strcmp(kind, "tool") == 0 ||
                   json_object_get(params, "schema") != NULL;
    if (strcmp(kind, "confirm") == 0)
        return json_pack("{s:b}", "yes", 1);
    if (!is_json)
        return json_string(answer);
    return er_json_parse(answer, strlen(answer), ER_JSON_LENIENT, NULL);
}

static json_t *stored_value(
    const struct er_script_step *step, const json_t *row)
{
    const char *text = er_json_str(row, "value");
    const char *answer = er_json_str(row, "answer");
    if (text)
        return er_json_parse(text, strlen(text), ER_JSON_LENIENT, NULL);
    return er_step_value(step->kind, step->params, answer ? answer : "");
}

/* Answer it from the store. False: it is still to be done. */
static bool answer_stored(struct er_script_step *step, json_t *row)
{
    struct er_script_run *s = step->script;
    const char *state = er_json_str(row, "state");
    bool failed = state && strcmp(state, "failed") == 0;
    if (!failed && (!state || strcmp(state, "done") != 0))
        return false;
    json_t *value = stored_value(step, row);
    const char *text = json_string_value(value);
    if (er_json_int(row, "outside", 0) != 0)
        s->run->tainted = true;
    json_object_set_new(row, "asked", json_true());
    s->answered_before++;
    if (!value)
        nomem(s);
    else if (failed)
        refuse(step, text ? text : "it failed");
    else
        reply(step, value);
    json_decref(value);
    er_step_free(step);
    return true;
}

/* -------------------------------------------------------------- their work */

static void do_random(struct er_script_step *step)
{
    uint64_t x = 0;
    if (getentropy(&x, sizeof x) != 0)
        x = (uint64_t)er_now_ms() * 6364136223846793005u;
    er_step_done(step, json_integer((json_int_t)(x >> 11)), true);
}

static struct er_script_step *find(
    struct er_script_run *s, const char *path, const char *kind)
{
    struct er_script_step *step = s->steps;
    while (step && (strcmp(step->path, path) != 0 ||
                       strcmp(step->kind, kind) != 0))
        step = step->next;
    return step;
}

/* The op's value is the step's path: a GET has none of its own. */
static void on_got(errand_run *run, struct er_op *op)
{
    struct er_script_step *step = run->script && op->in.kv.value
        ? find(run->script, op->in.kv.value, "state_get") : NULL;
    json_t *value = json_object();
    if (op->out.text && value)
        json_object_set_new(value, "value", er_json_parse(op->out.text,
            op->out.text_len, ER_JSON_LENIENT, NULL));
    if (step) {
        step->outside = op->out.external;
        er_step_done(step, value, true);
    } else {
        json_decref(value);
    }
}

static const char *state_key(struct er_script_step *step)
{
    const char *key = er_json_str(step->params, "key");
    size_t len = key ? strlen(key) : 0;
    if (len >= 1 && len <= ER_KV_KEY)
        return key;
    er_step_failed(step, "a key of ctx.state is a text of 1 to 256 bytes");
    return NULL;
}

static void do_get(struct er_script_step *step)
{
    char name[100];
    const char *key = state_key(step);
    struct er_op *op =
        key ? er_run_op(step->script->run, ER_OP_KV_GET) : NULL;
    if (!op)
        return;
    snprintf(name, sizeof name, "agent:%.64s", step->script->agent->name);
    op->in.kv.tool = er_arena_str(&op->arena, name);
    op->in.kv.key = er_arena_str(&op->arena, key);
    op->in.kv.value = er_arena_str(&op->arena, step->path);
    er_run_submit(step->script->run, op, on_got);
}

static void do_set(struct er_script_step *step)
{
    const json_t *value = json_object_get(step->params, "value");
    char *text = value ? er_json_text(value) : NULL;
    bool large = text && strlen(text) > ER_KV_VALUE;
    free(text);
    if (!state_key(step))
        return;
    if (large)
        er_step_failed(step, "a value of ctx.state is at most 64 KiB as "
            "JSON");
    else {
        step->outside = step->script->run->tainted;
        er_step_done(step, json_true(), true);
    }
}

/* Passages of what is indexed: query, and the options of a search. */
static void do_search(struct er_script_step *step)
{
    struct errand_error err = {0};
    const json_t *p = step->params;
    struct er_docs_query q = {.text = er_json_str(p, "query"),
        .limit = er_json_int(p, "limit", 0),
        .collection = er_json_str(p, "collection"),
        .path = er_json_str(p, "path"),
        .kind = er_json_str(p, "kind"),
        .per_document = er_json_int(p, "per_document", 0)};
    er_docs *docs = er_runtime_docs(step->script->run->rt, &err);
    json_t *hits = docs && q.text ? er_docs_search(docs, &q, &err) : NULL;
    if (hits)
        er_step_done(step, hits, true);
    else
        er_step_failed(step, q.text ? err.msg : "there is no query");
}

static void do_map(struct er_script_step *step)
{
    step->items = er_json_int(step->params, "items", 0);
    store_open(step);
    emit(step, "running");
    if (step->items == 0)
        er_step_done(step, json_null(), true);
}

static bool has_room(struct er_script_step *step)
{
    struct er_script_run *s = step->script;
    struct errand_error err = {0};
    s->run->spent.ms = er_mono_ms() - s->run->leg_began_ms;
    if (++s->count > ER_STEPS_MOST) {
        er_script_stop(s, ER_RUN_FAILED, "error", ERRAND_TOO_LARGE,
            "the script asks for more than a million steps");
        return false;
    }
    if (er_budget_left(&s->run->budgets, &s->run->spent, 0, &err))
        return true;
    er_script_stop(s, ER_RUN_PAUSED, "budget", err.code, err.msg);
    return false;
}

static void begin(struct er_script_step *step)
{
    static const struct {
        const char *kind;
        void (*run)(struct er_script_step *step);
    } at_once[] = {{"random", do_random}, {"state_get", do_get},
        {"state_set", do_set}, {"map", do_map}, {"search", do_search}};
    if (strcmp(step->kind, "now") == 0) {
        er_step_done(step, json_integer(er_now_ms() / 1000), true);
        return;
    }
    for (size_t i = 0; i < sizeof at_once / sizeof at_once[0]; i++)
        if (strcmp(step->kind, at_once[i].kind) == 0) {
            at_once[i].run(step);
            return;
        }
    store_open(step);
    emit(step, "running");
    er_step_begin_child(step);
}

/* ---------------------------------------------------------------- asking */

static bool is_number(const char *path)
{
    size_t len = strspn(path, "0123456789.#");
    return len > 0 && len < 200 && path[len] == '\0';
}

/* A line of the log: told once, stored, never compared. */
static void log_line(struct er_script_run *s, const char *path,
    const json_t *params)
{
    const char *text = er_json_str(params, "text");
    if (!text || json_object_get(s->stored, path))
        return;
    struct er_script_step *step = new_step(s, 0, "log", path, params);
    if (!step) {
        nomem(s);
        return;
    }
    er_emit_note(s->run, "%.390s", text);
    store_closed(step, false, NULL);
    er_step_free(step);
}

static void item_over(struct er_script_run *s, const char *path,
    const json_t *params)
{
    struct er_script_step *step = find(s, path, "map");
    if (!step)
        return;
    step->over++;
    step->failed += json_is_false(json_object_get(params, "ok"));
    if (step->over == step->items)
        er_step_done(step, json_null(), true);
    else
        emit(step, "running");
}

static bool is_known(const char *kind)
{
    static const char *const kinds[] = {"ask", "tool", "agent", "confirm",
        "now", "random", "state_get", "state_set", "map", "search", NULL};
    for (const char *const *k = kinds; *k; k++)
        if (strcmp(*k, kind) == 0)
            return true;
    return false;
}

static void ask(struct er_script_run *s, struct er_script_step *step)
{
    json_t *row = json_object_get(s->stored, step->path);
    const char *kind = er_json_str(row, "kind");
    const char *digest = er_json_str(row, "digest");
    if (row && (!kind || !digest || strcmp(kind, step->kind) != 0 ||
                   strcmp(digest, step->digest) != 0)) {
        fail_parted(step, row);
        er_step_free(step);
        return;
    }
    if (row && answer_stored(step, row))
        return;
    if (row)
        step->attempt = (int32_t)er_json_int(row, "attempt", 1);
    if (has_room(step))
        begin(step);
    else
        er_step_free(step);
}

bool er_script_ask(struct er_script_run *s, int64_t n, const char *kind,
    const char *path, const json_t *params)
{
    errand_run *run = s->run;
    if (strcmp(kind, "wait") == 0) {
        s->seen = er_json_int(params, "seen", 0);
        er_script_look(s);
        return true;
    }
    if (!is_number(path))
        return false;
    if (run->ending || run->dead || run->cancelled ||
        (s->stopping && s->stop_state == ER_RUN_FAILED))
        return true;
    if (strcmp(kind, "item") == 0) {
        item_over(s, path, params);
        return true;
    }
    if (strcmp(kind, "log") == 0) {
        log_line(s, path, params);
        return true;
    }
    if (!is_known(kind)) {
        er_script_refuse(s->job, n, "this errand has no such step");
        s->answered++;
        return true;
    }
    struct er_script_step *step = new_step(s, n, kind, path, params);
    if (step)
        ask(s, step);
    else
        nomem(s);
    return true;
}
