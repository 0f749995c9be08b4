/* What a plugin says of itself, as JSON, with everything that is wrong. */
#include "base/json.h"
#include "base/plugin.h"

#include <stdio.h>
#include <string.h>

enum { PROBLEMS_MOST = 50, TIMEOUT_MOST_MS = 3600 * 1000, NAME_MOST = 64 };

struct writer {
    struct er_buf tools, problems; /* objects, comma between them */
    const char *who;               /* whom problems are about */
    int count;
};

static void complain(struct writer *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void complain(struct writer *w, const char *fmt, ...)
{
    struct er_buf text;
    va_list ap;
    if (w->count++ >= PROBLEMS_MOST)
        return;
    er_buf_init(&text, 2000);
    er_buf_addf(&text, "%.64s: ", w->who);
    va_start(ap, fmt);
    er_buf_vaddf(&text, fmt, ap);
    va_end(ap);
    er_buf_adds(&w->problems, w->problems.len ? ",{" : "{");
    er_buf_adds(&w->problems, "\"line\":0,\"message\":");
    er_json_add_string(&w->problems, er_buf_str(&text), text.len);
    er_buf_addc(&w->problems, '}');
    er_buf_release(&text);
}

static bool is_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MOST && strspn(name, allowed) == len;
}

static void add_text(struct er_buf *out, const char *key, const char *text)
{
    er_buf_addf(out, "\"%s\":", key);
    er_json_add_string(out, text ? text : "", text ? strlen(text) : 0);
}

/* A field that holds the JSON text of an object: append ,"key":{…}, or say
 * what is wrong with it. */
static void add_object(struct writer *w, struct er_buf *out, const char *key,
    const char *text, const char *without)
{
    struct errand_error why = {0};
    if (!text && without)
        er_buf_addf(out, ",\"%s\":%s", key, without);
    if (!text)
        return;
    json_t *value = er_json_parse(text, strlen(text), ER_JSON_STRICT, &why);
    if (!value)
        complain(w, "%s is not JSON: %s", key, why.msg);
    else if (!json_is_object(value))
        complain(w, "%s must be a JSON object", key);
    if (json_is_object(value)) {
        er_buf_addf(out, ",\"%s\":", key);
        er_json_add(out, value);
    }
    json_decref(value);
}

/* ----------------------------------------------------------------- tools */

static bool check_sizes(struct writer *w, const struct errand_tool *t)
{
    if (ERRAND_TOOL_HAS(t, struct errand_tool, run) && t->size <= 65536)
        return true;
    complain(w, "the size of its struct errand_tool is %u; set it to "
        "sizeof(struct errand_tool)", (unsigned)t->size);
    return false;
}

static void check_fields(struct writer *w, const struct errand_tool *t)
{
    if (!is_name(t->name))
        complain(w, "name must be 1 to 64 of A-Z a-z 0-9 _ -");
    if (!t->description || !*t->description)
        complain(w, "description is missing; the model decides by it alone");
    if (t->effect > ERRAND_TOOL_KEYED)
        complain(w, "effect %u is no errand_tool_effect",
            (unsigned)t->effect);
    if (t->timeout_ms > TIMEOUT_MOST_MS)
        complain(w, "timeout_ms %u is over %d, an hour",
            (unsigned)t->timeout_ms, TIMEOUT_MOST_MS);
    if (!t->run)
        complain(w, "run is NULL");
}

static void check_twice(struct writer *w, const struct errand_plugin *p,
    size_t at)
{
    for (size_t i = 0; i < at; i++) {
        const struct errand_tool *t = p->tools[i];
        if (ERRAND_TOOL_HAS(t, struct errand_tool, name) && t->name &&
            strcmp(t->name, p->tools[at]->name) == 0) {
            complain(w, "two tools of the plugin have this name");
            return;
        }
    }
}

static void add_tool(
    struct writer *w, const struct errand_plugin *p, size_t at)
{
    static const char *const effects[] = {
        "unsafe", "pure", "read", "idempotent", "keyed"};
    static const char none[] = "{\"type\":\"object\",\"properties\":{}}";
    const struct errand_tool *t = p->tools[at];
    struct er_buf *out = &w->tools;
    char number[32];
    snprintf(number, sizeof number, "tool %u", (unsigned)at + 1);
    w->who = number;
    if (!check_sizes(w, t))
        return;
    if (!t->name)
        complain(w, "name is NULL");
    if (!t->name)
        return;
    w->who = t->name;
    check_fields(w, t);
    check_twice(w, p, at);
    er_buf_adds(out, out->len ? ",{" : "{");
    add_text(out, "name", t->name);
    er_buf_addc(out, ',');
    add_text(out, "description", t->description);
    er_buf_addf(out, ",\"effect\":\"%s\",\"timeout_ms\":%u",
        effects[t->effect <= ERRAND_TOOL_KEYED ? t->effect : 0],
        t->timeout_ms ? (unsigned)t->timeout_ms : 30000u);
    er_buf_addf(out,
        ",\"sequential\":%s,\"polls\":%s,\"external\":%s,\"egress\":%s,"
        "\"reentrant\":%s,\"probes\":%s",
        t->flags & ERRAND_TOOL_SEQUENTIAL ? "true" : "false",
        t->flags & ERRAND_TOOL_POLLS ? "true" : "false",
        t->flags & ERRAND_TOOL_EXTERNAL ? "true" : "false",
        t->flags & ERRAND_TOOL_EGRESS ? "true" : "false",
        t->flags & ERRAND_TOOL_REENTRANT ? "true" : "false",
        er_plugin_probe(t) ? "true" : "false");
    add_object(w, out, "parameters", t->parameters, none);
    add_object(w, out, "permissions", t->permissions, NULL);
    er_buf_addc(out, '}');
    w->who = "plugin";
}

static void add_tools(struct writer *w, const struct errand_plugin *p)
{
    size_t n = 0;
    while (n < ER_PLUGIN_TOOLS && p->tools[n])
        add_tool(w, p, n++);
    w->who = "plugin";
    if (n == 0)
        complain(w, "it has no tool");
    if (n == ER_PLUGIN_TOOLS && p->tools[n])
        complain(w, "over %d tools, or their list has no NULL at its end",
            ER_PLUGIN_TOOLS);
}

/* ---------------------------------------------------------------- plugins */

bool er_plugin_describe(const struct errand_plugin *p, const char *version,
    struct er_buf *out)
{
    struct writer w = {.who = "plugin"};
    struct er_buf about;
    er_buf_init(&w.tools, out->max);
    er_buf_init(&w.problems, out->max);
    er_buf_init(&about, out->max);
    if (!p->name || !is_name(p->name))
        complain(&w, "name must be 1 to 64 of A-Z a-z 0-9 _ -");
    add_text(&about, "name", p->name);
    er_buf_addc(&about, ',');
    add_text(&about, "release", p->version);
    er_buf_addf(&about, ",\"abi\":\"%u.%u\"", (unsigned)(p->abi >> 16),
        (unsigned)(p->abi & 0xffff));
    if (ERRAND_TOOL_HAS(p, struct errand_plugin, configuration))
        add_object(&w, &about, "configuration", p->configuration, NULL);
    add_tools(&w, p);
    er_buf_addf(out, ",\"ok\":%s,\"version\":\"%s\",\"plugin\":{",
        w.count ? "false" : "true", version);
    er_buf_add(out, er_buf_str(&about), about.len);
    er_buf_adds(out, "},\"tools\":[");
    er_buf_add(out, er_buf_str(&w.tools), w.tools.len);
    er_buf_adds(out, "],\"problems\":[");
    er_buf_add(out, er_buf_str(&w.problems), w.problems.len);
    er_buf_addc(out, ']');
    bool good = !out->failed && !w.tools.failed && !w.problems.failed &&
                !about.failed;
    er_buf_release(&w.tools);
    er_buf_release(&w.problems);
    er_buf_release(&about);
    return good;
}

const struct errand_tool *er_plugin_tool(
    const struct errand_plugin *p, const char *name)
{
    for (size_t i = 0; i < ER_PLUGIN_TOOLS && p->tools[i]; i++) {
        const struct errand_tool *t = p->tools[i];
        if (ERRAND_TOOL_HAS(t, struct errand_tool, run) && t->name &&
            strcmp(t->name, name) == 0)
            return t;
    }
    return NULL;
}

int32_t (*er_plugin_probe(const struct errand_tool *t))(
    void *self, struct errand_tool_call *call)
{
    return ERRAND_TOOL_HAS(t, struct errand_tool, probe) ? t->probe : NULL;
}

int32_t (*er_plugin_init(const struct errand_plugin *p))(
    void **self, struct errand_tool_call *call)
{
    return ERRAND_TOOL_HAS(p, struct errand_plugin, init) ? p->init : NULL;
}

void (*er_plugin_fini(const struct errand_plugin *p))(void *self)
{
    return ERRAND_TOOL_HAS(p, struct errand_plugin, fini) ? p->fini : NULL;
}
