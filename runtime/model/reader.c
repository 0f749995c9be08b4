/* Reading one answer: bytes in, events out.
 *
 * What is kept is bounded: the event or document being read, the calls, the
 * opaque parts. Text is passed on as it comes. What an answer amounts to is
 * decided at its end, in one place, so that every endpoint's way of ending
 * leads to the same events: calls, usage, DONE.
 */
#include "model/reader.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool on_sse(void *ctx, const char *event, const char *data,
    size_t len, const char *id);
static bool on_stray(void *ctx, const char *line, size_t len);

void er_reader_init(struct er_reader *r, enum er_dialect dialect,
    enum er_framing framing, size_t max_bytes, er_model_event_fn on_event,
    void *ctx)
{
    *r = (struct er_reader){.dialect = dialect, .framing = framing,
        .max_bytes = max_bytes, .on_event = on_event, .ctx = ctx};
    er_sse_init(&r->sse, max_bytes, on_sse, r);
    r->sse.on_stray = on_stray;
    er_buf_init(&r->whole, max_bytes);
    er_calls_init(&r->calls, max_bytes);
    er_extra_init(&r->extra, max_bytes);
    er_shortcut_init(&r->fast, max_bytes);
}

void er_reader_release(struct er_reader *r)
{
    er_sse_release(&r->sse);
    er_tree_release(&r->tree);
    er_buf_release(&r->whole);
    er_calls_release(&r->calls);
    er_extra_release(&r->extra);
    er_shortcut_release(&r->fast);
}

er_reader *er_reader_new(enum er_dialect dialect, enum er_framing framing,
    size_t max_bytes, er_model_event_fn on_event, void *ctx)
{
    struct er_reader *r = malloc(sizeof *r);
    if (r)
        er_reader_init(r, dialect, framing, max_bytes, on_event, ctx);
    return r;
}

void er_reader_free(er_reader *r)
{
    if (!r)
        return;
    er_reader_release(r);
    free(r);
}

bool er_reader_delivered(const er_reader *r) { return r->delivered; }
bool er_reader_retriable(const er_reader *r) { return r->retriable; }

/* --------------------------------------------------------------- events */

static void fail_nomem(struct er_reader *r);

static void give(struct er_reader *r, const struct er_model_event *ev)
{
    if (!r->over)
        r->on_event(r->ctx, ev);
}

static void give_piece(struct er_reader *r, enum er_model_event_type type,
    const char *text, size_t len)
{
    if (len == 0 || r->over)
        return;
    r->delivered = true;
    r->texts += type == ER_MODEL_TEXT;
    struct er_model_event ev = {.type = type, .text = text, .len = len};
    give(r, &ev);
}

/* What was kept back stays half: nothing that completes it came. */
static void end_half(
    struct er_reader *r, struct er_half *half, enum er_model_event_type type)
{
    struct er_buf out;
    if (!er_half_matters(half, NULL))
        return;
    er_buf_init(&out, 16);
    if (er_half_end(half, &out))
        give_piece(r, type, er_buf_str(&out), out.len);
    er_buf_release(&out);
}

void er_reader_text(struct er_reader *r, const char *text, size_t len)
{
    if (len > 0)
        end_half(r, &r->half, ER_MODEL_TEXT);
    give_piece(r, ER_MODEL_TEXT, text, len);
}

void er_reader_reasoning(struct er_reader *r, const char *text, size_t len)
{
    if (len > 0)
        end_half(r, &r->half_thought, ER_MODEL_REASONING);
    give_piece(r, ER_MODEL_REASONING, text, len);
}

void er_reader_string(
    struct er_reader *r, const struct er_node *s, bool reasoning)
{
    struct er_half *half = reasoning ? &r->half_thought : &r->half;
    enum er_model_event_type type =
        reasoning ? ER_MODEL_REASONING : ER_MODEL_TEXT;
    struct er_buf out;
    if (er_half_matters(half, NULL) && !er_half_goes_on(half, s))
        end_half(r, half, type);
    if (!er_half_matters(half, s)) {
        give_piece(r, type, s->text, s->len);
        return;
    }
    er_buf_init(&out, r->max_bytes);
    if (er_half_join(half, s, &out))
        give_piece(r, type, er_buf_str(&out), out.len);
    else
        fail_nomem(r);
    er_buf_release(&out);
}

void er_reader_arguments(struct er_reader *r,
    const struct er_call_owner *owner, const char *text, size_t len)
{
    struct errand_error err = {0};
    if (!r->over && er_calls_piece(&r->calls, owner, text, len, &err) != 0)
        er_reader_fail(r, false, &err);
}

void er_reader_fail(
    struct er_reader *r, bool retriable, const struct errand_error *err)
{
    if (r->over)
        return;
    struct er_model_event ev = {.type = ER_MODEL_ERROR, .error = err};
    r->code = err->code;
    r->retriable = retriable;
    give(r, &ev);
    r->over = true;
}

static void fail(struct er_reader *r, int code, const char *text)
{
    struct errand_error err = {0};
    er_fail(&err, code, "%s", text);
    er_reader_fail(r, code == ERRAND_PROTOCOL, &err);
}

static void fail_too_large(struct er_reader *r, const char *what)
{
    struct errand_error err = {0};
    er_fail(&err, ERRAND_TOO_LARGE, "%s is larger than %zu bytes", what,
        r->max_bytes);
    er_reader_fail(r, false, &err);
}

static void fail_nomem(struct er_reader *r)
{
    struct errand_error err = {0};
    er_nomem(&err);
    er_reader_fail(r, false, &err);
}

/* --------------------------------------------------- the end of an answer */

static void give_calls(struct er_reader *r)
{
    for (size_t i = 0; i < r->calls.n; i++) {
        const struct er_call *c = &r->calls.list[i];
        struct er_model_call call = {.id = er_call_id(c),
            .id_made = c->id.len == 0, .name = er_buf_str(&c->name),
            .arguments = er_buf_str(&c->arguments),
            .arguments_len = c->arguments.len};
        struct er_model_event ev = {.type = ER_MODEL_CALL, .call = &call};
        r->delivered = true;
        give(r, &ev);
    }
}

/* Calls that were given count for more than what the endpoint calls the
 * ending; an answer cut for its length counts for more than its calls. */
static enum er_finish finish_of(const struct er_reader *r)
{
    if (r->ending == ER_ENDING_LENGTH)
        return ER_FINISH_LENGTH;
    if (r->ending == ER_ENDING_FILTER)
        return ER_FINISH_FILTER;
    return r->calls.n > 0 ? ER_FINISH_CALLS : ER_FINISH_STOP;
}

static void finish(struct er_reader *r)
{
    struct errand_error err = {0};
    bool no_memory = false;
    if (r->over)
        return;
    if (r->broken > 0) {
        er_fail(&err, ERRAND_PROTOCOL,
            "%zu events of the stream were broken JSON, so parts of the "
            "answer are missing; ask again", r->broken);
        er_reader_fail(r, true, &err);
        return;
    }
    end_half(r, &r->half_thought, ER_MODEL_REASONING);
    end_half(r, &r->half, ER_MODEL_TEXT);
    if (r->ending == ER_ENDING_FILTER) /* withheld, so perhaps not whole */
        er_calls_release(&r->calls);
    bool cut = r->ending == ER_ENDING_LENGTH;
    if (er_calls_end(&r->calls, cut, &err) != ERRAND_OK) {
        er_reader_fail(r, err.code == ERRAND_PROTOCOL, &err);
        return;
    }
    json_t *extra = er_extra_build(&r->extra, &r->calls, &no_memory);
    if (no_memory) {
        fail_nomem(r);
        return;
    }
    give_calls(r);
    struct er_model_event usage = {
        .type = ER_MODEL_USAGE, .usage = &r->usage};
    if (r->has_usage)
        give(r, &usage);
    struct er_model_event done = {
        .type = ER_MODEL_DONE, .finish = finish_of(r), .extra = extra};
    give(r, &done);
    r->over = true;
    json_decref(extra);
}

/* ------------------------------------------------------ events of a stream */

static void trim(const char **data, size_t *len)
{
    while (*len > 0 && strchr(" \t\r\n", (*data)[0]) && (*data)[0]) {
        (*data)++;
        (*len)--;
    }
    while (*len > 0 && strchr(" \t\r\n", (*data)[*len - 1]) &&
           (*data)[*len - 1])
        (*len)--;
}

/* May there be an error in it, so that it has to be looked for? */
static bool is_suspicious(const struct er_node *doc)
{
    const struct er_node *error = er_node_get(doc, "error");
    const char *object = er_node_str(doc, "object");
    return (error && error->type != ER_NODE_NULL) ||
           er_node_get(doc, "errors") || er_node_get(doc, "success") ||
           er_node_get(doc, "type") ||
           (object && strcmp(object, "error") == 0);
}

/* The reader fails if there is an error in the document. named: all of it is
 * one. */
static void look_for_error(
    struct er_reader *r, const struct er_node *doc, bool named)
{
    struct errand_error err = {0};
    bool retriable = false;
    if (!named && !is_suspicious(doc))
        return;
    json_t *v = er_node_json(doc);
    if (!v)
        fail_nomem(r);
    else if (er_error_read(v, 0, named, &retriable, &err))
        er_reader_fail(r, retriable, &err);
    json_decref(v);
}

/* NULL: it is no JSON, err says why; or memory ended and the reader failed. */
static const struct er_node *parse(struct er_reader *r, const char *data,
    size_t len, struct errand_error *err)
{
    const struct er_node *doc = er_tree_parse(&r->tree, data, len);
    if (doc)
        return doc;
    json_t *v = er_json_parse(data, len, ER_JSON_LENIENT, err);
    if (v || err->code == ERRAND_NOMEM)
        fail_nomem(r);
    json_decref(v);
    return NULL;
}

bool er_reader_document(
    struct er_reader *r, const char *data, size_t len, bool named)
{
    struct errand_error err = {0};
    const struct er_node *doc = parse(r, data, len, &err);
    if (!doc)
        return false;
    look_for_error(r, doc, named);
    if (!r->over && er_answer_read(r, doc, false))
        r->chunks++;
    return true;
}

static void fail_named(struct er_reader *r, const char *data, size_t len)
{
    struct errand_error err = {0};
    bool retriable = false;
    json_t *text = json_object();
    struct er_buf clean;
    er_buf_init(&clean, 4096);
    er_text_plain(&clean, data, len < 1024 ? len : 1024);
    json_object_set_new(text, "error", json_string(er_buf_str(&clean)));
    if (!er_error_read(text, 0, true, &retriable, &err))
        er_fail(&err, ERRAND_PROVIDER,
            "the endpoint ended the stream with an error of no text");
    er_reader_fail(r, retriable, &err);
    er_buf_release(&clean);
    json_decref(text);
}

static void read_event(
    struct er_reader *r, const char *event, const char *data, size_t len)
{
    bool named = strcmp(event, "error") == 0;
    if (!named && er_shortcut_take(r, data, len))
        return;
    const char *bare = data;
    size_t bare_len = len;
    trim(&bare, &bare_len);
    if (bare_len == 6 && memcmp(bare, "[DONE]", 6) == 0) {
        r->saw_done = true;
        finish(r);
    } else if (bare_len > 0 && bare[0] == '{') {
        if (er_reader_document(r, bare, bare_len, named))
            er_shortcut_learn(r, data, len);
        else if (named)
            fail_named(r, bare, bare_len);
        else
            r->broken++;
    } else if (named) {
        fail_named(r, bare, bare_len);
    } /* else noise: a comment in the wrong place */
}

static bool on_sse(void *ctx, const char *event, const char *data,
    size_t len, const char *id)
{
    struct er_reader *r = ctx;
    (void)id;
    read_event(r, event, data, len);
    return !r->over;
}

/* A line of JSON in the middle of a stream: only errors come so. */
static bool on_stray(void *ctx, const char *line, size_t len)
{
    struct er_reader *r = ctx;
    struct errand_error err = {0};
    bool retriable = false;
    json_t *doc = er_json_parse(line, len, ER_JSON_LENIENT, NULL);
    if (doc && er_error_read(doc, 0, false, &retriable, &err))
        er_reader_fail(r, retriable, &err);
    json_decref(doc);
    return !r->over;
}

/* ------------------------------------------------------------- framings */

/* Endpoints answer a request for a stream with one document, and the other
 * way round: the first byte tells, whatever the content type said. White
 * space and a byte order mark before it mean nothing in either framing.
 * Returns how many bytes to skip. */
static size_t decide(struct er_reader *r, const char *bytes, size_t len)
{
    size_t i = 0;
    while (i < len && bytes[i] && strchr(" \t\r\n\xEF\xBB\xBF", bytes[i]))
        i++;
    if (i == len)
        return i;
    r->decided = true;
    if (bytes[i] == '{')
        r->framing = ER_WHOLE;
    else if (bytes[i] && strchr("de:ir", bytes[i]))
        r->framing = ER_SSE;
    return i;
}

static void feed_sse(struct er_reader *r, const char *bytes, size_t len)
{
    if (er_sse_feed(&r->sse, bytes, len) || r->over)
        return;
    if (r->sse.too_large)
        fail_too_large(r, "one event of the stream");
    else
        fail_nomem(r);
}

static void feed_whole(struct er_reader *r, const char *bytes, size_t len)
{
    if (len > r->max_bytes - r->whole.len)
        fail_too_large(r, "the answer");
    else if (!er_buf_add(&r->whole, bytes, len))
        fail_nomem(r);
}

int er_reader_feed(er_reader *r, const char *bytes, size_t len)
{
    size_t skip = r->decided || r->over ? 0 : decide(r, bytes, len);
    if (r->over || skip == len)
        return r->code;
    if (r->framing == ER_SSE)
        feed_sse(r, bytes + skip, len - skip);
    else
        feed_whole(r, bytes + skip, len - skip);
    return r->code;
}

static void fail_not_json(struct er_reader *r, const struct errand_error *why)
{
    struct errand_error err = {0};
    struct er_buf start;
    er_buf_init(&start, 4096);
    size_t n = er_utf8_cut(er_buf_str(&r->whole), r->whole.len, 40);
    er_text_plain(&start, er_buf_str(&r->whole), n);
    if (r->whole.len == 0)
        er_fail(&err, ERRAND_PROTOCOL, "the endpoint's answer is empty");
    else
        er_fail(&err, ERRAND_PROTOCOL,
            "the endpoint's answer is not JSON: %s; it begins \"%s\"",
            why->msg, er_buf_str(&start));
    er_buf_release(&start);
    er_reader_fail(r, true, &err);
}

static void end_whole(struct er_reader *r)
{
    struct errand_error err = {0};
    size_t valid = er_utf8_valid_prefix(er_buf_str(&r->whole), r->whole.len);
    const struct er_node *doc = NULL;
    if (valid == r->whole.len)
        doc = parse(r, er_buf_str(&r->whole), r->whole.len, &err);
    else
        er_fail(&err, ERRAND_SYNTAX, "byte %zu is no UTF-8", valid);
    if (doc)
        look_for_error(r, doc, false);
    if (r->over)
        return;
    if (!doc)
        fail_not_json(r, &err);
    else if (er_answer_read(r, doc, true))
        finish(r);
    else
        fail(r, ERRAND_PROTOCOL,
            "the endpoint's answer holds neither text nor calls nor choices");
}

static void end_sse(struct er_reader *r)
{
    er_sse_end(&r->sse, true);
    if (r->over)
        return;
    if (r->sse.too_large)
        fail_too_large(r, "one event of the stream");
    else if (r->sse.no_memory)
        fail_nomem(r);
    else if (r->ending != ER_ENDING_NONE)
        finish(r);
    else if (r->chunks == 0 && r->broken == 0)
        fail(r, ERRAND_PROTOCOL, "the endpoint's stream is empty");
    else
        fail(r, ERRAND_PROTOCOL,
            "the stream broke off: neither a finish_reason nor [DONE] came");
}

int er_reader_end(er_reader *r)
{
    if (r->over)
        return r->code;
    if (r->framing == ER_SSE)
        end_sse(r);
    else
        end_whole(r);
    return r->code;
}
