/* Questions of tools: from a worker's frame to a service and back. */
#include "services.h"

#include "base/clock.h"
#include "base/text.h"
#include "callback.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int er_services_add(er_tools *t, const struct er_service *service,
    struct errand_error *err)
{
    for (size_t i = 0; i < t->service_count; i++)
        if (strcmp(t->services[i].name, service->name) == 0)
            return er_fail(err, ERRAND_EXISTS,
                "the service %s is there already", service->name);
    if (t->service_count == ER_SERVICES_MOST)
        return er_fail(err, ERRAND_TOO_LARGE,
            "no room for the service %s: there are %d", service->name,
            ER_SERVICES_MOST);
    t->services[t->service_count++] = *service;
    return ERRAND_OK;
}

/* --------------------------------------------------------------- answering */

static void begin(struct er_buf *out, const er_tool_call *call, json_int_t n,
    bool ok)
{
    er_buf_init(out, (size_t)ER_FRAME_MAX * 2);
    er_frame_begin(out);
    er_buf_addf(out, "{\"id\":%lld,\"n\":%lld,\"ok\":%s",
        (long long)call->job.id, (long long)n, ok ? "true" : "false");
}

static void send_refusal(
    er_tool_call *call, json_int_t n, const char *message)
{
    struct er_buf out;
    if (call->trace)
        er_call_trace(call, json_pack("{s:s, s:I, s:b, s:s}", "step",
            "answered", "n", n, "ok", 0, "message", message));
    if (call->kind == ER_CALL_CALLBACK) {
        er_callback_end_question(call->callback, NULL, message);
        return;
    }
    begin(&out, call, n, false);
    er_buf_adds(&out, ",\"message\":");
    er_json_add_string(&out, message, strlen(message));
    er_buf_addc(&out, '}');
    if (er_frame_end(&out, 0))
        er_pool_tell(call->tools->pool, &call->job, out.data, out.len);
    er_buf_release(&out);
}

static void send_value(er_tool_call *call, json_int_t n, const json_t *value)
{
    struct er_buf out;
    if (call->trace)
        er_call_trace(call, json_pack(
            "{s:s, s:I, s:b}", "step", "answered", "n", n, "ok", 1));
    if (call->kind == ER_CALL_CALLBACK) {
        er_callback_end_question(call->callback, value, NULL);
        return;
    }
    begin(&out, call, n, true);
    er_buf_adds(&out, ",\"value\":");
    er_json_add(&out, value);
    er_buf_addc(&out, '}');
    bool ok = er_frame_end(&out, 0);
    if (ok)
        er_pool_tell(call->tools->pool, &call->job, out.data, out.len);
    bool starved = out.no_memory;
    er_buf_release(&out);
    if (!ok)
        send_refusal(call, n,
            starved ? "out of memory" : "the answer is over 16 MiB");
}

/* Take it out of its call's list and free it. */
static void forget(struct er_ask *ask)
{
    struct er_ask **at = &ask->call->asks;
    while (*at != ask)
        at = &(*at)->next;
    *at = ask->next;
    ask->call->asks_open--;
    json_decref(ask->frame);
    free(ask);
}

void er_ask_reply(struct er_ask *ask, json_t *value)
{
    er_tool_call *call = ask->call;
    json_int_t n = ask->n;
    forget(ask);
    if (value)
        send_value(call, n, value);
    else
        send_refusal(call, n, "out of memory");
    json_decref(value);
}

void er_ask_is_external(struct er_ask *ask) { ask->call->external = true; }

void er_ask_refuse(struct er_ask *ask, const char *fmt, ...)
{
    struct er_buf text;
    va_list ap;
    er_tool_call *call = ask->call;
    json_int_t n = ask->n;
    er_buf_init(&text, 4000);
    va_start(ap, fmt);
    bool ok = er_buf_vaddf(&text, fmt, ap);
    va_end(ap);
    forget(ask);
    send_refusal(call, n, ok ? er_buf_str(&text) : "out of memory");
    er_buf_release(&text);
}

/* ------------------------------------------------------------------ asking */

static const struct er_service *find(const er_tools *t, const char *name)
{
    for (size_t i = 0; i < t->service_count; i++)
        if (strcmp(t->services[i].name, name) == 0)
            return &t->services[i];
    return NULL;
}

/* Was something granted under this name: true, or a list with members? */
static bool is_granted(const struct er_tool *tool, const char *permission)
{
    const json_t *granted = json_object_get(tool->permissions, permission);
    return json_is_true(granted) || json_array_size(granted) > 0 ||
           json_object_size(granted) > 0;
}

/* Why a question is not let through, into out; false: it is. */
static bool has_objection(const er_tool_call *call, const char *name,
    const struct er_service *s, size_t len, struct er_buf *out)
{
    if (!s)
        er_buf_addf(out, "there is no service '%.40s'", name);
    else if (!is_granted(call->tool, s->permission))
        er_buf_addf(out, "%s is not granted to %s; declare permissions = "
            "{ %s }", name, call->tool->name, s->example);
    else if (len > ER_ASK_BYTES)
        er_buf_addf(out, "the question is over %d MiB",
            ER_ASK_BYTES / (1024 * 1024));
    else if (call->asks_open >= ER_ASK_AT_ONCE)
        er_buf_addf(out, "more than %d questions at once", ER_ASK_AT_ONCE);
    else if (call->asks_all >= ER_ASK_MOST)
        er_buf_addf(out, "one call may ask %d times", ER_ASK_MOST);
    return out->len > 0;
}

static struct er_ask *new_ask(er_tool_call *call,
    const struct er_service *service, const json_t *frame, json_int_t n)
{
    struct er_ask *ask = calloc(1, sizeof *ask);
    if (!ask)
        return NULL;
    ask->tool = call->tool;
    ask->tainted = call->tainted || call->external;
    ask->frame = json_incref((json_t *)(uintptr_t)frame);
    ask->params = json_object_get(frame, "params");
    ask->until_ms = call->kind == ER_CALL_CALLBACK
        ? call->callback->began_ms + call->callback->timeout_ms
        : call->job.began_ms + call->job.timeout_ms;
    ask->service = service;
    ask->call = call;
    ask->n = n;
    ask->next = call->asks;
    call->asks = ask;
    call->asks_open++;
    return ask;
}

static bool is_open(const er_tool_call *call, json_int_t n)
{
    for (const struct er_ask *a = call->asks; a; a = a->next)
        if (a->n == n)
            return true;
    return false;
}

bool er_services_ask(er_tool_call *call, const json_t *frame, size_t len)
{
    const char *name = er_json_str(frame, "ask");
    json_int_t n = er_json_int(frame, "n", -1);
    if (!name || n < 0 || is_open(call, n) ||
        !json_is_object(json_object_get(frame, "params")) ||
        call->asks_all >= 2 * ER_ASK_MOST) /* it does not listen */
        return false;
    const struct er_service *s = find(call->tools, name);
    struct er_buf why;
    er_buf_init(&why, 2000);
    if (call->trace)
        er_call_trace(call, json_pack("{s:s, s:I, s:s, s:O}", "step", "asks",
            "n", n, "service", name, "params",
            json_object_get(frame, "params")));
    bool refused = has_objection(call, name, s, len, &why);
    struct er_ask *ask = NULL;
    call->asks_all++;
    if (!refused)
        ask = new_ask(call, s, frame, n);
    if (refused)
        send_refusal(call, n, er_buf_str(&why));
    else if (ask)
        s->start(s->ctx, ask);
    else
        send_refusal(call, n, "out of memory");
    er_buf_release(&why);
    return true;
}

void er_services_drop(er_tool_call *call)
{
    while (call->asks) {
        struct er_ask *ask = call->asks;
        if (ask->service->cancel)
            ask->service->cancel(ask->service->ctx, ask);
        forget(ask);
    }
}
