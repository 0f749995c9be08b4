/* Steps as lines: the time, what it is, what there is to say of it. */
#include "trace.h"

#include "asker.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *step, const char *key)
{
    const char *text = er_json_str(step, key);
    return text ? text : "";
}

static void say_tool(struct er_buf *b, const json_t *step)
{
    er_buf_addf(b, "%s, %s", text_of(step, "name"), text_of(step, "source"));
    if (*text_of(step, "path"))
        er_buf_addf(b, " %s (%s)", text_of(step, "path"),
            text_of(step, "version"));
    er_buf_addf(b, ", %lld ms at most",
        (long long)er_json_int(step, "timeout_ms", 0));
}

static void say_grant(struct er_buf *b, const json_t *step)
{
    const json_t *permissions = json_object_get(step, "permissions");
    er_buf_adds(b, text_of(step, "why"));
    if (json_object_size(permissions) == 0)
        return;
    er_buf_adds(b, ": ");
    er_asker_show_value(b, permissions);
}

static void say_arguments(struct er_buf *b, const json_t *step)
{
    er_asker_show_value(b, json_object_get(step, "arguments"));
    if (json_is_true(json_object_get(step, "coerced")))
        er_buf_adds(b, " (coerced to the schema's types)");
    if (!json_is_true(json_object_get(step, "fits")))
        er_buf_adds(b, " do not fit the schema");
}

static void say_worker(struct er_buf *b, const json_t *step)
{
    bool started = json_is_true(json_object_get(step, "started"));
    er_buf_addf(b, "process %lld%s, after %lld ms in line",
        (long long)er_json_int(step, "pid", 0),
        started ? ", started for this call" : "",
        (long long)er_json_int(step, "waited_ms", 0));
}

static void say_asks(struct er_buf *b, const json_t *step)
{
    er_buf_addf(b, "(%lld) %s ", (long long)er_json_int(step, "n", 0),
        text_of(step, "service"));
    er_asker_show_value(b, json_object_get(step, "params"));
}

static void say_answered(struct er_buf *b, const json_t *step)
{
    bool ok = json_is_true(json_object_get(step, "ok"));
    er_buf_addf(b, "(%lld) %s%s", (long long)er_json_int(step, "n", 0),
        ok ? "yes" : "no: ", text_of(step, "message"));
}

static void say_log(struct er_buf *b, const json_t *step)
{
    json_t *text = json_string(text_of(step, "text"));
    er_asker_show_value(b, text);
    json_decref(text);
}

static void say_ended(struct er_buf *b, const json_t *step)
{
    er_buf_addf(b, "%s, %lld ms", text_of(step, "how"),
        (long long)er_json_int(step, "took_ms", 0));
}

void er_trace_step(void *user, const char *json)
{
    static const struct {
        const char *name;
        void (*say)(struct er_buf *b, const json_t *step);
    } rows[] = {{"tool", say_tool}, {"grant", say_grant},
        {"arguments", say_arguments}, {"worker", say_worker},
        {"asks", say_asks}, {"answered", say_answered}, {"log", say_log},
        {"ended", say_ended}};
    struct er_tracer *t = user;
    struct er_buf b;
    json_t *step = er_json_parse(json, strlen(json), ER_JSON_LENIENT, NULL);
    if (t->steps)
        json_array_append(t->steps, step);
    er_buf_init(&b, (size_t)1 << 24);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, text_of(step, "step")) == 0)
            rows[i].say(&b, step);
    if (!t->steps && step)
        er_term_note(t->term, ER_DIM, "%5lld ms  %-9s  %s",
            (long long)er_json_int(step, "at_ms", 0), text_of(step, "step"),
            er_buf_str(&b));
    er_buf_release(&b);
    json_decref(step);
}
