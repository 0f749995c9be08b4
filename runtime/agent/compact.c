/* Compaction of a run: when, and the way there and back: first what is on its
 * way to the store arrives; then the rows are looked at, perhaps the model is
 * asked for a summary; its row is stored; the messages are made anew. */
#include "agent/compact.h"

#include "agent/consent.h"
#include "agent/history.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const char INSTRUCTION[] =
    "You shorten conversations so that work can go on without their "
    "beginning. Write what was asked, what was found and decided, names, "
    "numbers and identifiers that matter, and what is still open. Be brief; "
    "plain text, no preamble.";

struct er_compacting {
    json_t *rows;      /* of the conversation */
    int64_t from, to;  /* to be covered; to 0: handles alone */
    int64_t elide;
    char *request;     /* what is worked on, if its message is covered */
    json_t *messages;  /* the question for a summary */
    struct er_sampling sampling;
    struct er_buf text; /* the summary */
    struct er_usage usage;
    er_prompt *prompt;
};

void er_compact_free(struct er_compacting *c)
{
    if (!c)
        return;
    json_decref(c->rows);
    json_decref(c->messages);
    free(c->request);
    er_buf_release(&c->text);
    er_prompt_free(c->prompt);
    free(c);
}

static void fail_nomem(errand_run *run)
{
    struct errand_error err = {0};
    er_nomem(&err);
    er_run_fail(run, &err);
}

/* -------------------------------------------------------------------- when */

static int64_t tokens_of_tools(const errand_run *run)
{
    char *tools = run->tools ? er_json_text(run->tools) : NULL;
    int64_t n = tools ? (int64_t)strlen(tools) / 3 : 0;
    free(tools);
    return n;
}

/* Tokens that the messages may take; 0: nobody knows. */
static int64_t room(const errand_run *run)
{
    const struct er_config *cfg = &run->rt->config;
    int64_t window = run->window ? run->window
                     : cfg->window_known ? cfg->window_tokens : 0;
    if (window <= 0)
        return 0;
    int64_t rest = window - tokens_of_tools(run);
    int64_t answer = run->sampling.max_tokens;
    rest -= answer > window / 3 ? window / 3 : answer;
    return rest > window / 4 ? rest : window / 4;
}

/* The estimate, corrected by what the last request really took. */
static int64_t size_of(const errand_run *run)
{
    int64_t n = er_compact_estimate(run->messages);
    int64_t asked = run->asked_tokens + tokens_of_tools(run);
    int64_t took = run->took_tokens;
    if (asked < 500 || took <= asked)
        return n;
    return took > 2 * asked ? 2 * n : n * took / asked;
}

/* ------------------------------------------------------------ the way back */

static void on_stored(errand_run *run, struct er_op *op)
{
    struct errand_error err = {0};
    (void)op;
    json_t *shown = er_store_show(run->rt->store, run->conv_id, &err);
    json_t *rows = json_object_get(shown, "messages");
    json_t *seen = rows ? er_compact_apply(rows) : NULL;
    json_t *messages = seen ? er_history_repair(seen, NULL) : NULL;
    json_decref(seen);
    json_decref(shown);
    er_compact_free(run->compacting);
    run->compacting = NULL;
    if (run->ending) {
        json_decref(messages);
        return;
    }
    if (!messages) {
        fail_nomem(run);
        return;
    }
    json_decref(run->messages);
    run->messages = messages;
    er_prompt_free(run->prompt); /* it is another prompt from now on */
    run->prompt = NULL;
    run->asked_tokens = run->took_tokens = 0;
    run->compacted_at = run->next_seq;
    er_run_turn(run);
}

/* The row: its text stands for what it covers. */
static void store_row(errand_run *run, const char *text)
{
    struct er_compacting *c = run->compacting;
    struct er_op *op = er_run_op(run, ER_OP_APPEND);
    if (!op)
        return;
    json_t *m = er_message_text("user", text, strlen(text));
    json_t *covers = json_pack("{s:I, s:I, s:I}", "from",
        (json_int_t)c->from, "to", (json_int_t)c->to, "elide",
        (json_int_t)c->elide);
    bool ok = covers && (!c->request ||
                            er_json_put(covers, "request", c->request));
    ok = json_object_set_new(m, "compacted", covers) == 0 && ok;
    char *content = ok ? er_json_text(m) : NULL;
    struct er_new_message *row = er_arena_alloc(&op->arena, sizeof *row);
    json_decref(m);
    if (content && row)
        *row = (struct er_new_message){.role = "user",
            .content = er_arena_str(&op->arena, content)};
    free(content);
    if (!row || !row->content) {
        er_op_free(op);
        fail_nomem(run);
        return;
    }
    op->level = ER_COMMITTED;
    op->in.append.claim = run->claim;
    op->in.append.n = 1;
    op->in.append.messages = row;
    run->next_seq++;
    er_emit_note(run, c->to
        ? "the conversation fills the window: messages %lld to %lld are "
          "summarized (`errand log show %s` has them all)"
        : "the conversation fills the window: old results are left out",
        (long long)c->from, (long long)c->to, run->conv_id);
    er_run_submit(run, op, on_stored);
}

/* ------------------------------------------------------------- the summary */

/* Without the model: how each covered message of a person begins. */
static void plain_summary(errand_run *run)
{
    struct er_compacting *c = run->compacting;
    size_t i;
    json_t *m;
    er_buf_reset(&c->text);
    json_array_foreach(c->rows, i, m)
    {
        const char *role = er_json_str(m, "role");
        const char *text = er_json_str(m, "content");
        int64_t seq = er_json_int(m, "seq", 0);
        if (seq < c->from || seq > c->to || !role || !text ||
            strcmp(role, "user") != 0 || json_object_get(m, "compacted") ||
            c->text.len > 2000)
            continue;
        er_buf_adds(&c->text, "- ");
        er_buf_add(&c->text, text, er_utf8_cut(text, strlen(text), 80));
        er_buf_addc(&c->text, '\n');
    }
    store_row(run, er_buf_str(&c->text));
}

/* What the model wrote; one that does not stop where it should is cut. */
static void store_summary(errand_run *run)
{
    struct er_compacting *c = run->compacting;
    const char *text = er_buf_str(&c->text);
    size_t most = (size_t)c->sampling.max_tokens * 4;
    char *cut = er_strndup(text, er_utf8_cut(text, c->text.len, most));
    if (cut)
        store_row(run, cut);
    else
        fail_nomem(run);
    free(cut);
}

static void on_event(void *ctx, const struct er_model_event *ev)
{
    errand_run *run = ctx;
    struct er_compacting *c = run->compacting;
    switch (ev->type) {
    case ER_MODEL_TEXT: er_buf_add(&c->text, ev->text, ev->len); break;
    case ER_MODEL_USAGE: c->usage = *ev->usage; break;
    case ER_MODEL_RETRY:
        er_emit_retry(run, ev->error, ev->delay_ms);
        break;
    case ER_MODEL_ERROR:
        run->exchange = NULL;
        if (ev->error->code == ERRAND_CONTEXT) {
            plain_summary(run);
        } else {
            struct errand_error err = *ev->error;
            er_run_fail(run, &err);
        }
        break;
    case ER_MODEL_DONE: {
        int64_t cost =
            er_models_cost(run->rt->models, run->model, &c->usage);
        run->exchange = NULL;
        run->spent.tokens +=
            c->usage.prompt_tokens + c->usage.completion_tokens;
        run->spent.cost_micro += cost;
        er_emit_usage(run, &c->usage, cost);
        if (c->text.len > 0 && !c->text.failed)
            store_summary(run);
        else
            plain_summary(run);
        break;
    }
    default: break;
    }
}

/* One message of the transcript, cut to most bytes. */
static void add_message(struct er_buf *b, const json_t *m, size_t most)
{
    const char *role = er_json_str(m, "role");
    const json_t *content = json_object_get(m, "content"), *call;
    const char *text = json_string_value(content);
    size_t i, len = json_string_length(content);
    size_t cut = text ? er_utf8_cut(text, len, most) : 0;
    er_buf_addf(b, "\n%s: ", role ? role : "");
    if (text)
        er_buf_add(b, text, cut);
    if (cut < len)
        er_buf_addf(b, " [... %zu bytes more]", len - cut);
    json_array_foreach(json_object_get(m, "tool_calls"), i, call)
        er_buf_addf(b, " [calls %.64s %.200s]", er_json_str(call, "name"),
            er_json_str(call, "arguments"));
}

/* The summary before, the originals that are newly covered, and what people
 * said before those. */
static void write_question(errand_run *run, struct er_buf *b, size_t bytes)
{
    struct er_compacting *c = run->compacting;
    int64_t last = 0;
    size_t i, news = 0, old = 0;
    const char *before = NULL;
    json_t *m;
    json_array_foreach(c->rows, i, m)
    {
        const json_t *covers = json_object_get(m, "compacted");
        if (er_json_int(covers, "to", 0) > 0) {
            last = er_json_int(covers, "to", 0);
            before = er_json_str(m, "content");
        }
    }
    json_array_foreach(c->rows, i, m)
    {
        int64_t seq = er_json_int(m, "seq", 0);
        bool is_one = !json_object_get(m, "compacted") && seq <= c->to;
        news += is_one && seq > last;
        old += is_one && seq <= last &&
               strcmp(er_json_str(m, "role"), "user") == 0;
    }
    if (before)
        er_buf_addf(b, "Summary so far:\n%.*s\n",
            (int)er_utf8_cut(before, strlen(before), bytes / 4), before);
    if (old)
        er_buf_adds(b, "\nWhat was asked in that part:");
    size_t each_old = old ? bytes / 4 / old : 0;
    size_t each = news ? bytes / 2 / news : 0;
    json_array_foreach(c->rows, i, m)
    {
        int64_t seq = er_json_int(m, "seq", 0);
        const char *role = er_json_str(m, "role");
        if (json_object_get(m, "compacted") || seq > c->to || !role ||
            strcmp(role, "system") == 0)
            continue;
        if (seq == last + 1 || (last == 0 && b->len == 0))
            er_buf_adds(b, "\n\nThe conversation since:");
        if (seq > last)
            add_message(b, m, each > 60 ? each : 60);
        else if (strcmp(role, "user") == 0 && each_old > 40)
            add_message(b, m, each_old);
    }
    er_buf_adds(b, "\n\nWrite the summary of all of this.");
}

static void ask_for_summary(errand_run *run, int64_t tokens)
{
    struct er_compacting *c = run->compacting;
    struct errand_error err = {0};
    struct er_buf b;
    int64_t most = tokens / 10 > 64 ? tokens / 10 : 64;
    er_buf_init(&b, 64 * 1024 * 1024);
    write_question(run, &b, (size_t)(tokens - most) * 2);
    /* longer than planned: every message got its least */
    size_t cut = er_utf8_cut(er_buf_str(&b), b.len,
        (size_t)(tokens - most) * 3);
    c->sampling = run->sampling;
    c->sampling.max_tokens = most > 1024 ? 1024 : most;
    c->messages = json_array();
    json_array_append_new(c->messages, er_message_text("system", INSTRUCTION,
        sizeof INSTRUCTION - 1));
    json_array_append_new(
        c->messages, er_message_text("user", er_buf_str(&b), cut));
    er_buf_release(&b);
    struct er_model_request req = {.messages = c->messages,
        .sampling = &c->sampling, .stream = run->stream,
        .session_key = run->conv_id};
    if (json_array_size(c->messages) != 2)
        fail_nomem(run);
    else if (er_model_start(run->rt->models, run->model, &req, on_event, run,
                 &run->exchange, &err) != ERRAND_OK)
        er_run_fail(run, &err);
}

/* -------------------------------------------------------------- what to do */

/* What the covered messages were about, where the tail does not say it. */
static void keep_request(struct er_compacting *c)
{
    size_t i;
    json_t *m;
    const char *last = NULL;
    json_array_foreach(c->rows, i, m)
    {
        const char *role = er_json_str(m, "role");
        int64_t seq = er_json_int(m, "seq", 0);
        if (!role || json_object_get(m, "compacted"))
            continue;
        if (seq > c->to) {
            if (strcmp(role, "user") == 0)
                last = NULL;
            break;
        }
        if (strcmp(role, "user") == 0)
            last = er_json_str(m, "content");
    }
    if (last)
        c->request = er_strndup(
            last, er_utf8_cut(last, strlen(last), 2000));
}

/* What the conversation would take with these handles. */
static int64_t size_with(struct er_compacting *c, int64_t from, int64_t to)
{
    json_t *rows = json_copy(c->rows), *row = json_object();
    json_t *covers = json_pack("{s:I, s:I, s:I}", "from", (json_int_t)from,
        "to", (json_int_t)to, "elide", (json_int_t)c->elide);
    json_object_set_new(row, "compacted", covers);
    json_array_append_new(rows, row);
    json_t *seen = er_compact_apply(rows);
    int64_t n = seen ? er_compact_estimate(seen) : INT64_MAX;
    json_decref(seen);
    json_decref(rows);
    return n;
}

static void last_cover(struct er_compacting *c, int64_t *from, int64_t *to)
{
    size_t i;
    json_t *m;
    *from = *to = 0;
    json_array_foreach(c->rows, i, m)
    {
        const json_t *covers = json_object_get(m, "compacted");
        if (covers) {
            *from = er_json_int(covers, "from", 0);
            *to = er_json_int(covers, "to", 0);
        }
    }
}

static void nothing_to_do(errand_run *run)
{
    struct errand_error err = {0};
    er_compact_free(run->compacting);
    run->compacting = NULL;
    run->compacted_at = run->next_seq;
    if (!run->overflowed) {
        er_run_turn(run);
        return;
    }
    er_fail(&err, ERRAND_CONTEXT, "the newest messages alone are more than "
        "the window of %.60s holds; begin a new conversation, or ask with "
        "less", run->model);
    er_run_fail(run, &err);
}

static void decide(errand_run *run)
{
    struct er_compacting *c = run->compacting;
    int64_t all = room(run), from, to;
    int64_t now = er_compact_estimate(run->messages);
    int64_t border = er_compact_border(c->rows, all * ER_COMPACT_TAIL / 100);
    last_cover(c, &from, &to);
    c->elide = border - 1;
    int64_t lighter = size_with(c, from, to);
    if (border > 0 && lighter < now && !to &&
        lighter <= all * ER_COMPACT_FEW / 100) {
        store_row(run, "");
        return;
    }
    /* what hardly helps is not done: the next turn would do it again */
    if (border - 1 <= to || border < 2 ||
        size_with(c, 1, border - 1) > now * ER_COMPACT_FEW / 100) {
        nothing_to_do(run);
        return;
    }
    c->to = border - 1;
    c->from = 1;
    keep_request(c);
    ask_for_summary(run, all);
}

static void on_synced(errand_run *run, struct er_op *op)
{
    struct errand_error err = {0};
    (void)op;
    if (run->ending || run->cancelled)
        return;
    json_t *shown = er_store_show(run->rt->store, run->conv_id, &err);
    run->compacting->rows =
        json_incref(json_object_get(shown, "messages"));
    json_decref(shown);
    if (run->compacting->rows)
        decide(run);
    else
        er_run_fail(run, &err);
}

/* What is on its way to the store shall be there first: any question that
 * waits for its answer is behind it. */
static void begin(errand_run *run)
{
    struct er_compacting *c = calloc(1, sizeof *c);
    struct er_op *op = c ? er_run_op(run, ER_OP_KV_GET) : NULL;
    if (!c) {
        fail_nomem(run);
        return;
    }
    er_buf_init(&c->text, 256 * 1024);
    run->compacting = c;
    if (!op)
        return;
    op->in.kv.tool = "errand";
    op->in.kv.key = "none";
    er_run_submit(run, op, on_synced);
}

bool er_compact_first(errand_run *run)
{
    int64_t all = room(run);
    if (run->compacting)
        return true;
    if (all == 0 || run->compacted_at == run->next_seq ||
        size_of(run) <= all * ER_COMPACT_AT / 100)
        return false;
    begin(run);
    return true;
}

bool er_compact_overflow(errand_run *run)
{
    if (run->is_single || run->compacted_at == run->next_seq ||
        json_array_size(run->messages) < 3)
        return false;
    int64_t n = er_compact_estimate(run->messages);
    run->overflowed = true;
    if (!run->window || n < run->window)
        run->window = n > 1000 ? n * 9 / 10 : n;
    begin(run);
    return true;
}
