/* Takes: pieces of text that follow each other are joined, because the cuts
 * between tokens mean nothing and hide secrets from the search for them. */
#include "model/record.h"

#include "base/buf.h"
#include "base/text.h"
#include "model/fingerprint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 256 << 20 };

struct er_recorder {
    int fd;
    const struct er_log *log;
    bool complained;
};

struct er_take {
    struct er_recorder *recorder;
    const struct er_secrets *secrets;
    char *model;
    struct er_fingerprint print;
    json_t *events;
    struct er_buf text; /* pieces not yet among the events */
    enum er_model_event_type text_type;
    bool failed;
};

struct er_recorder *er_recorder_new(
    const char *path, const struct er_log *log, struct errand_error *err)
{
    struct er_recorder *r = calloc(1, sizeof *r);
    if (!r) {
        er_nomem(err);
        return NULL;
    }
    r->log = log;
    r->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (r->fd < 0) {
        er_fail_errno(err, ERRAND_IO,
            "cannot open '%.140s' to record into", path);
        free(r);
        return NULL;
    }
    return r;
}

void er_recorder_free(struct er_recorder *r)
{
    if (!r)
        return;
    close(r->fd);
    free(r);
}

struct er_take *er_take_new(struct er_recorder *r, const char *model,
    const struct er_model_request *req, const struct er_secrets *secrets)
{
    struct er_take *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->recorder = r;
    t->secrets = secrets;
    er_buf_init(&t->text, TEXT_MAX);
    t->model = er_strdup(model);
    t->events = json_array();
    if (!t->model || !t->events || !er_fingerprint(req, &t->print)) {
        er_take_free(t);
        return NULL;
    }
    return t;
}

void er_take_free(struct er_take *t)
{
    if (!t)
        return;
    free(t->model);
    json_decref(t->events);
    er_buf_release(&t->text);
    free(t);
}

/* ------------------------------------------------- events as JSON */

/* A text without its secrets; what is no UTF-8 becomes U+FFFD. */
static json_t *clean(struct er_take *t, const char *s, size_t len)
{
    struct er_buf b;
    er_buf_init(&b, TEXT_MAX);
    json_t *v = NULL;
    if (er_text_scrub(&b, s, len) && er_buf_reserve(&b, 0)) {
        b.len =
            er_secrets_hide(t->secrets, ER_SECRET_IN_TEXT, b.data, b.len);
        v = json_stringn(b.data, b.len);
    }
    er_buf_release(&b);
    return v;
}

static json_t *clean_value(struct er_take *t, const json_t *value);

static json_t *clean_object(struct er_take *t, const json_t *value)
{
    json_t *out = json_object(), *v;
    const char *key;
    json_object_foreach((json_t *)value, key, v)
    {
        if (json_object_set_new(out, key, clean_value(t, v)) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static json_t *clean_array(struct er_take *t, const json_t *value)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *v = clean_value(t, json_array_get(value, i));
        if (json_array_append_new(out, v) != 0) {
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

/* Depth is bounded by the parser that made the value. */
static json_t *clean_value(struct er_take *t, const json_t *value)
{
    if (json_is_object(value))
        return clean_object(t, value);
    if (json_is_array(value))
        return clean_array(t, value);
    if (json_is_string(value))
        return clean(
            t, json_string_value(value), json_string_length(value));
    return json_incref((json_t *)value);
}

static void put(struct er_take *t, json_t *object, const char *key,
    json_t *taken)
{
    if (json_object_set_new(object, key, taken) != 0)
        t->failed = true;
}

static json_t *new_event(struct er_take *t, const char *type)
{
    json_t *ev = json_object();
    put(t, ev, "type", json_string(type));
    if (json_array_append_new(t->events, ev) != 0)
        t->failed = true;
    return t->failed ? NULL : ev;
}

static void flush_text(struct er_take *t)
{
    if (t->text.failed)
        t->failed = true;
    if (t->text.len == 0 || t->failed)
        return;
    json_t *ev = new_event(
        t, t->text_type == ER_MODEL_TEXT ? "text" : "reasoning");
    if (ev)
        put(t, ev, "text", clean(t, t->text.data, t->text.len));
    er_buf_reset(&t->text);
}

static void add_text(struct er_take *t, const struct er_model_event *ev)
{
    if (t->text_type != ev->type)
        flush_text(t);
    t->text_type = ev->type;
    er_buf_add(&t->text, ev->text, ev->len);
}

static void add_call(struct er_take *t, const struct er_model_call *c)
{
    json_t *ev = new_event(t, "call");
    if (!ev)
        return;
    if (!c->id_made)
        put(t, ev, "id", clean(t, c->id, strlen(c->id)));
    put(t, ev, "name", clean(t, c->name, strlen(c->name)));
    put(t, ev, "arguments", clean(t, c->arguments, c->arguments_len));
}

static void add_usage(struct er_take *t, const struct er_usage *u)
{
    json_t *ev = new_event(t, "usage");
    if (!ev)
        return;
    put(t, ev, "prompt_tokens", json_integer(u->prompt_tokens));
    put(t, ev, "completion_tokens", json_integer(u->completion_tokens));
    if (u->cached_tokens)
        put(t, ev, "cached_tokens", json_integer(u->cached_tokens));
    if (u->reasoning_tokens)
        put(t, ev, "reasoning_tokens", json_integer(u->reasoning_tokens));
}

static const char *finish_name(enum er_finish finish)
{
    static const char *const names[] = {"stop", "calls", "length", "filter"};
    return names[finish];
}

static void add_done(struct er_take *t, const struct er_model_event *e)
{
    json_t *ev = new_event(t, "done");
    if (!ev)
        return;
    put(t, ev, "finish", json_string(finish_name(e->finish)));
    if (e->extra)
        put(t, ev, "extra", clean_value(t, e->extra));
}

static void add_error(struct er_take *t, const struct errand_error *e)
{
    json_t *ev = new_event(t, "error");
    if (!ev)
        return;
    put(t, ev, "code", json_string(errand_code_name(e->code)));
    if (e->detail)
        put(t, ev, "detail", json_integer(e->detail));
    put(t, ev, "message", clean(t, e->msg, strlen(e->msg)));
}

/* ------------------------------------------------- the line */

static int write_line(int fd, const struct er_buf *line,
    struct errand_error *err)
{
    ssize_t n;
    do
        n = write(fd, line->data, line->len);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return er_fail_errno(err, ERRAND_IO, "recording failed");
    if ((size_t)n < line->len) {
        /* End the torn line, so that it spoils no other. */
        ssize_t ended = write(fd, "\n", 1);
        (void)ended;
        return er_fail(err, ERRAND_IO,
            "recording failed: only %zd of %zu bytes were written", n,
            line->len);
    }
    return ERRAND_OK;
}

static void complain(
    struct er_recorder *r, const struct errand_error *err)
{
    if (!r->complained)
        er_log(r->log, ERRAND_LOG_ERROR,
            "%s; exchanges are missing in the recording", err->msg);
    r->complained = true;
}

static void write_take(struct er_take *t)
{
    struct errand_error err = {0};
    struct er_buf line;
    er_buf_init(&line, TEXT_MAX);
    er_buf_adds(&line, "{\"model\":");
    er_json_add_string(&line, t->model, strlen(t->model));
    er_buf_addf(&line, ",\"fingerprint\":\"%s\",\"turn\":%lld,\"events\":",
        t->print.hex, (long long)t->print.turn);
    er_json_add(&line, t->events);
    er_buf_adds(&line, "}\n");
    int rc = ERRAND_OK;
    if (t->failed || line.failed)
        rc = er_fail(&err, ERRAND_NOMEM,
            "recording failed: an exchange does not fit into memory");
    else
        rc = write_line(t->recorder->fd, &line, &err);
    if (rc != ERRAND_OK)
        complain(t->recorder, &err);
    er_buf_release(&line);
}

void er_take_event(struct er_take *t, const struct er_model_event *ev)
{
    switch (ev->type) {
    case ER_MODEL_TEXT:
    case ER_MODEL_REASONING:
        add_text(t, ev);
        return;
    case ER_MODEL_RETRY: /* how long it took is not what was answered */
        return;
    case ER_MODEL_LOGPROBS:
        return; /* numbers of one engine: not part of what was said */
    default:
        break;
    }
    flush_text(t);
    if (ev->type == ER_MODEL_CALL)
        add_call(t, ev->call);
    else if (ev->type == ER_MODEL_USAGE)
        add_usage(t, ev->usage);
    else if (ev->type == ER_MODEL_DONE)
        add_done(t, ev);
    else
        add_error(t, ev->error);
    if (ev->type == ER_MODEL_DONE || ev->type == ER_MODEL_ERROR)
        write_take(t);
}
