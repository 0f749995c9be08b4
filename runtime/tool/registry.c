/* The list of tools: sorted, each name once. */
#include "base/distance.h"
#include "base/text.h"
#include "parts.h"
#include "plugin.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WORKERS_DEFAULT = 4,
    WORKERS_MOST = 256,
    NAME_MOST = 64,
    CWD_MOST = 4096,
};

void er_tools_entry_free(struct er_entry *e)
{
    if (!e)
        return;
    er_schema_free(e->schema);
    er_code_drop(e->code);
    json_decref(e->parameters);
    json_decref(e->permissions);
    free(e->name);
    free(e->description);
    free(e->source);
    free(e->path);
    free(e->version);
    free(e);
}

/* The present folder; NULL if it cannot be told: workers then inherit it. */
static char *present_folder(void)
{
    char *path = malloc(CWD_MOST);
    if (path && !getcwd(path, CWD_MOST)) {
        free(path);
        path = NULL;
    }
    return path;
}

er_tools *er_tools_new(struct er_loop *loop, const char *worker_path,
    int workers_max, const struct er_log *log, struct errand_error *err)
{
    if (workers_max <= 0)
        workers_max = WORKERS_DEFAULT;
    if (workers_max > WORKERS_MOST)
        workers_max = WORKERS_MOST;
    er_tools *t = calloc(1, sizeof *t);
    if (!t) {
        er_nomem(err);
        return NULL;
    }
    t->loop = loop;
    if (log)
        t->log = *log;
    t->cwd = present_folder();
    t->worker_path = realpath(worker_path, NULL); /* cwd is set before exec */
    if (!t->worker_path) /* named when somebody needs it */
        t->worker_path = er_strdup(worker_path);
    if (t->worker_path)
        t->pool = er_pool_new(
            loop, t->worker_path, t->cwd, workers_max, &t->log, err);
    t->hub = er_hub_new(loop);
    if (!t->worker_path || !t->pool || !t->hub) {
        er_tools_free(t);
        er_nomem(err);
        return NULL;
    }
    return t;
}

static void log_hidden(void *user, int level, const char *text)
{
    er_tools *t = user;
    char line[1024];
    size_t n = er_utf8_cut(text, strlen(text), sizeof line - 1);
    memcpy(line, text, n);
    line[n] = '\0';
    er_vault_hide(t->vault, line, n);
    if (t->own_log.write)
        t->own_log.write(t->own_log.user, level, line);
}

void er_tools_hide(er_tools *t, const er_vault *vault)
{
    t->vault = vault;
    if (t->log.write == log_hidden)
        return;
    t->own_log = t->log;
    t->log = (struct er_log){.write = log_hidden, .user = t};
}

void er_tools_free(er_tools *t)
{
    if (!t)
        return;
    t->closing = true;
    er_hub_close(t->hub);
    er_inproc_free_all(t);
    er_pool_free(t->pool);
    for (size_t i = 0; i < t->count; i++)
        er_tools_entry_free(t->list[i]);
    free(t->list);
    free(t->worker_path);
    free(t->cwd);
    free(t);
}

/* Where name stands or would stand. */
static size_t position_of(const er_tools *t, const char *name, bool *found)
{
    size_t low = 0, high = t->count;
    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(t->list[middle]->name, name);
        if (order == 0)
            *found = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool copy_texts(
    struct er_entry *e, const struct er_tool_parts *parts)
{
    e->name = er_strdup(parts->name);
    e->description = er_strdup(parts->description);
    e->source = er_strdup(parts->source);
    e->version = er_strdup(parts->version ? parts->version : "");
    e->path = er_strdup(parts->path);
    return e->name && e->description && e->source && e->version &&
           (e->path || !parts->path);
}

struct er_entry *er_tools_entry(
    const struct er_tool_parts *parts, struct errand_error *err)
{
    struct er_entry *e = calloc(1, sizeof *e);
    if (!e || !copy_texts(e, parts)) {
        er_tools_entry_free(e);
        er_schema_free(parts->schema);
        er_nomem(err);
        return NULL;
    }
    e->parameters = json_incref(parts->parameters);
    e->permissions = json_incref(parts->permissions);
    e->code = er_code_hold(parts->code);
    e->schema = parts->schema;
    if (!e->schema)
        e->schema = er_schema_compile(
            e->parameters, ER_DRAFT_2020_12, 0, NULL, err);
    if (!e->schema) {
        er_while(err, "parameters of %s", parts->name);
        er_tools_entry_free(e);
        return NULL;
    }
    e->profile = parts->profile;
    e->is_plugin = parts->is_plugin;
    e->run = parts->run;
    e->user = parts->user;
    e->tool = parts->tool;
    e->tool.name = e->name;
    e->tool.description = e->description;
    e->tool.parameters = e->parameters;
    e->tool.schema = e->schema;
    e->tool.source = e->source;
    e->tool.path = e->path;
    e->tool.version = e->version;
    e->tool.permissions = e->permissions;
    return e;
}

static bool make_room(er_tools *t)
{
    if (t->count < t->room)
        return true;
    size_t room = t->room ? t->room * 2 : 16;
    struct er_entry **list = realloc(t->list, room * sizeof *list);
    if (!list)
        return false;
    t->list = list;
    t->room = room;
    return true;
}

static const char *origin(const char *path, const char *source)
{
    return path ? path : source;
}

int er_tools_insert(er_tools *t, const struct er_tool_parts *parts,
    struct errand_error *err)
{
    bool found;
    size_t at = position_of(t, parts->name, &found);
    if (found)
        er_schema_free(parts->schema);
    if (found)
        return er_fail(err, ERRAND_EXISTS,
            "two tools are named %s, rename one: %s and %s", parts->name,
            origin(t->list[at]->path, t->list[at]->source),
            origin(parts->path, parts->source));
    struct er_entry *e = er_tools_entry(parts, err);
    if (!e)
        return err ? err->code : ERRAND_SCHEMA;
    if (!make_room(t)) {
        er_tools_entry_free(e);
        return er_nomem(err);
    }
    memmove(t->list + at + 1, t->list + at,
        (t->count - at) * sizeof *t->list);
    t->list[at] = e;
    t->count++;
    return ERRAND_OK;
}

static bool is_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t len = strlen(name);
    return len > 0 && len <= NAME_MOST && strspn(name, allowed) == len;
}

static int check_def(
    const struct errand_tool_def *def, struct errand_error *err)
{
    if (!def || def->size < sizeof *def)
        return er_fail(err, ERRAND_USAGE,
            "the tool's size is not set to sizeof(struct errand_tool_def)");
    if (!def->name || !is_name(def->name))
        return er_fail(err, ERRAND_USAGE,
            "the tool's name '%.80s' must be 1 to 64 of A-Z a-z 0-9 _ -",
            def->name ? def->name : "");
    if (!def->run)
        return er_fail(
            err, ERRAND_USAGE, "the tool %s has no run", def->name);
    if (!def->description || !*def->description)
        return er_fail(err, ERRAND_USAGE,
            "the tool %s has no description; the model reads it", def->name);
    if (def->effect > ERRAND_KEYED)
        return er_fail(err, ERRAND_USAGE,
            "the effect %u of tool %s is no errand_effect", def->effect,
            def->name);
    if (def->timeout_ms < 0 || def->timeout_ms > ER_TOOL_TIMEOUT_MOST)
        return er_fail(err, ERRAND_USAGE,
            "timeout_ms %lld of tool %s must be 0 to %d (an hour)",
            (long long)def->timeout_ms, def->name, ER_TOOL_TIMEOUT_MOST);
    return ERRAND_OK;
}

/* The schema in def; without one the tool takes no arguments. err is not
 * NULL. */
static json_t *parse_parameters(
    const struct errand_tool_def *def, struct errand_error *err)
{
    const char *text = def->parameters;
    if (!text)
        text = "{\"properties\":{},\"type\":\"object\"}";
    json_t *schema = er_json_parse(text, strlen(text), ER_JSON_STRICT, err);
    const char *type = er_json_str(schema, "type");
    if (!schema) {
        er_while(err, "parameters of %s", def->name);
        if (err->code == ERRAND_SYNTAX)
            err->code = ERRAND_SCHEMA;
        return NULL;
    }
    if (!type || strcmp(type, "object") != 0) {
        json_decref(schema);
        er_fail(err, ERRAND_SCHEMA,
            "parameters of %s must be a schema with \"type\":\"object\"",
            def->name);
        return NULL;
    }
    return schema;
}

int er_tools_add(er_tools *t, const struct errand_tool_def *def,
    const char *source, struct errand_error *err)
{
    struct errand_error local = {0};
    if (!err)
        err = &local;
    int rc = check_def(def, err);
    if (rc != ERRAND_OK)
        return rc;
    json_t *schema = parse_parameters(def, err);
    if (!schema)
        return err->code;
    struct er_tool_parts parts = {.name = def->name,
        .description = def->description,
        .source = source,
        .parameters = schema,
        .run = def->run,
        .user = def->user,
        .tool = {.effect = (int32_t)def->effect,
            .sequential = def->sequential != 0,
            .external = (def->flags & ERRAND_DEF_EXTERNAL) != 0,
            .egress = (def->flags & ERRAND_DEF_EGRESS) != 0,
            .timeout_ms =
                def->timeout_ms ? def->timeout_ms : ER_TOOL_TIMEOUT_MS}};
    rc = er_tools_insert(t, &parts, err);
    json_decref(schema);
    return rc;
}

const struct er_tool *er_tools_find(const er_tools *t, const char *name)
{
    bool found;
    size_t at = position_of(t, name, &found);
    return found ? &t->list[at]->tool : NULL;
}

size_t er_tools_count(const er_tools *t) { return t->count; }

const struct er_tool *er_tools_at(const er_tools *t, size_t i)
{
    return i < t->count ? &t->list[i]->tool : NULL;
}

size_t er_tools_similar(const er_tools *t, const char *name,
    const char **out, size_t max)
{
    size_t n = 0;
    for (size_t distance = 0; distance <= NAME_MOST && n < max; distance++) {
        for (size_t i = 0; i < t->count && n < max; i++) {
            const char *known = t->list[i]->name;
            if (er_text_similar(name, known) &&
                er_text_distance(name, known) == distance)
                out[n++] = known;
        }
    }
    return n;
}
