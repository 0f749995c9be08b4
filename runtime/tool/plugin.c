/* Loading plugins: a worker that may touch nothing reads one and says what it
 * is; then each of its tools is registered, with a profile of workers that
 * may touch what the plugin's tools were given. A trusted one is read and
 * run in this process instead. */
#include "plugin.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { LOAD_MS = 10 * 1000 };

static const char built_in[] = "the plugin that was added";

bool er_tool_is_plugin(const char *path)
{
    size_t n = strlen(path);
    return (n > 3 && strcmp(path + n - 3, ".so") == 0) ||
           (n > 6 && strcmp(path + n - 6, ".dylib") == 0);
}

/* --------------------------------------------------------------- profiles */

/* All that the tools of the plugin ask for under key, each once. */
static json_t *union_of(const json_t *tools, const char *key)
{
    json_t *all = json_array(), *tool, *item;
    size_t i, j, k;
    json_array_foreach(tools, i, tool)
    {
        const json_t *list = json_object_get(
            json_object_get(tool, "permissions"), key);
        json_array_foreach(list, j, item)
        {
            for (k = 0; k < json_array_size(all); k++)
                if (json_equal(json_array_get(all, k), item))
                    break;
            if (k == json_array_size(all))
                json_array_append(all, item);
        }
    }
    return all;
}

/* The workers of a plugin: NULL tools and config: to describe it. */
static struct er_profile *profile_of(er_tools *t, const char *path,
    const json_t *tools, const json_t *config, struct errand_error *err)
{
    static const char *const names[] = {"read", "write", "run"};
    struct er_profile *p = NULL;
    json_t *lock =
        json_pack("{s:s,s:[s]}", "kind", "plugin", "files", path);
    bool ok = lock != NULL;
    for (size_t i = 0; ok && tools && i < 3; i++) {
        json_t *list = union_of(tools, names[i]);
        ok = list && (json_array_size(list) == 0 ||
                         json_object_set(lock, names[i], list) == 0);
        json_decref(list);
    }
    if (ok && json_object_size(config) > 0)
        ok = json_object_set(lock, "config", (json_t *)config) == 0;
    if (ok)
        p = er_pool_profile(t->pool, lock, err);
    else
        er_nomem(err);
    json_decref(lock);
    return p;
}

/* --------------------------------------------------------------- describing */

struct kept {
    json_t *answer;
    struct errand_error *err;
};

static void keep(void *ctx, size_t i, const json_t *answer,
    const struct errand_error *why)
{
    struct kept *k = ctx;
    (void)i;
    k->answer = json_incref((json_t *)answer);
    if (!answer && k->err)
        *k->err = *why;
}

/* Ask a worker that may touch nothing. NULL on failure. */
static json_t *ask_worker(er_tools *t, struct er_profile *profile,
    const char *path, struct errand_error *err)
{
    size_t end;
    struct kept k = {.err = err};
    struct er_questions q = {.profile = profile,
        .ends = &end,
        .n = 1,
        .first_id = er_pool_next_id(t->pool),
        .timeout_ms = LOAD_MS};
    er_buf_init(&q.frames, ER_FRAME_MAX);
    size_t token = er_frame_begin(&q.frames);
    er_buf_addf(&q.frames, "{\"id\":%lld,\"op\":\"describe\",\"path\":",
        (long long)q.first_id);
    er_json_add_string(&q.frames, path, strlen(path));
    er_buf_addf(&q.frames, ",\"timeout_ms\":%d}", LOAD_MS);
    if (er_frame_end(&q.frames, token)) {
        end = q.frames.len;
        er_pool_ask(t->pool, &q, keep, &k);
    } else {
        er_nomem(err);
    }
    er_buf_release(&q.frames);
    if (!k.answer)
        er_while(err, "%s", path);
    return k.answer;
}

/* What our own eyes see of a plugin in this process. */
static json_t *look(const struct errand_plugin *p, const char *version,
    struct errand_error *err)
{
    struct er_buf text;
    json_t *answer = NULL;
    er_buf_init(&text, ER_FRAME_MAX);
    er_buf_adds(&text, "{\"id\":0");
    if (er_plugin_describe(p, version, &text) && er_buf_addc(&text, '}'))
        answer = er_json_parse(text.data, text.len, ER_JSON_STRICT, err);
    else
        er_nomem(err);
    er_buf_release(&text);
    return answer;
}

/* ------------------------------------------------------------- registering */

/* The first problem that is no warning, as an error. */
static int fail_with(const struct er_plugin_verdict *v, const char *path,
    struct errand_error *err)
{
    size_t i;
    json_t *problem;
    json_array_foreach(v->problems, i, problem)
    {
        const char *message = er_json_str(problem, "message");
        if (er_tool_is_warning(problem) || !message)
            continue;
        if (strncmp(message, path, strlen(path)) == 0) /* names it itself */
            return er_fail(err, v->code, "%s", message);
        return er_fail(err, v->code, "%s: %s", path, message);
    }
    return er_fail(err, v->code, "%s cannot be used", path);
}

/* Where a plugin's tools are run. */
struct place {
    const char *path;
    struct er_profile *profile; /* or */
    struct er_inproc *inproc;
    bool from_folder;
};

static int insert_tool(er_tools *t, const struct er_plugin_verdict *v,
    size_t i, const struct place *place, struct errand_error *err)
{
    struct er_tool_parts parts;
    const json_t *tool = json_array_get(v->tools, i);
    er_tool_read_parts(tool, place->path, &parts);
    if (!place->path)
        parts.version = "";
    parts.source = "plugin";
    parts.schema = v->schemas[i];
    v->schemas[i] = NULL;
    parts.tool.from_folder = place->from_folder;
    parts.tool.probes = /* one in this process died with what it knew */
        !place->inproc && json_is_true(json_object_get(tool, "probes"));
    if (place->inproc) {
        parts.run = er_inproc_run;
        parts.user = er_inproc_user(place->inproc, parts.name);
    }
    parts.profile = place->profile;
    parts.is_plugin = true;
    return er_tools_insert(t, &parts, err);
}

/* All of them or none: names are looked at first. */
static int insert_all(er_tools *t, const struct er_plugin_verdict *v,
    const struct place *place, struct errand_error *err)
{
    size_t n = json_array_size(v->tools);
    for (size_t i = 0; i < n; i++) {
        const char *name = er_json_str(json_array_get(v->tools, i), "name");
        const struct er_tool *other = er_tools_find(t, name);
        if (other)
            return er_fail(err, ERRAND_EXISTS,
                "two tools are named %s, rename one: %s and %s", name,
                other->path ? other->path : other->source,
                place->path ? place->path : built_in);
    }
    int rc = ERRAND_OK;
    for (size_t i = 0; rc == ERRAND_OK && i < n; i++)
        rc = insert_tool(t, v, i, place, err);
    return rc;
}

/* Judge an answer and register what it describes. place->profile and
 * place->inproc are filled in. */
static int take(er_tools *t, const struct er_plugin_wish *wish,
    const json_t *answer, const struct errand_plugin *here,
    struct errand_error *err)
{
    struct er_plugin_verdict v;
    struct place place = {
        .path = wish->path, .from_folder = wish->from_folder};
    int rc = er_plugin_judge(&v, answer, wish->config, true, err);
    if (rc == ERRAND_OK && !v.ok)
        rc = fail_with(&v, wish->path ? wish->path : built_in, err);
    if (rc == ERRAND_OK && here) {
        place.inproc = er_inproc_new(t, here, wish->config, err);
        rc = place.inproc ? ERRAND_OK : err->code;
    } else if (rc == ERRAND_OK) {
        place.profile =
            profile_of(t, wish->path, v.tools, wish->config, err);
        rc = place.profile ? ERRAND_OK : err->code;
    }
    if (rc == ERRAND_OK)
        rc = insert_all(t, &v, &place, err);
    er_plugin_verdict_release(&v);
    return rc;
}

static int load_here(er_tools *t, const struct er_plugin_wish *wish,
    struct errand_error *err)
{
    char version[17] = "";
    const struct errand_plugin *p =
        er_plugin_load(wish->path, NULL, version, err);
    json_t *answer = p ? look(p, version, err) : NULL;
    int rc = answer ? take(t, wish, answer, p, err) : err->code;
    json_decref(answer);
    return rc;
}

static int load_apart(er_tools *t, const struct er_plugin_wish *wish,
    struct errand_error *err)
{
    struct er_profile *p = profile_of(t, wish->path, NULL, NULL, err);
    json_t *answer = p ? ask_worker(t, p, wish->path, err) : NULL;
    int rc = answer ? take(t, wish, answer, NULL, err) : err->code;
    json_decref(answer);
    if (p)
        er_pool_retire(t->pool, p); /* calls have workers of their own */
    return rc;
}

int er_tools_load_plugin(er_tools *t, const struct er_plugin_wish *wish,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    return wish->inproc ? load_here(t, wish, err) : load_apart(t, wish, err);
}

int er_tools_add_plugin(er_tools *t,
    const struct errand_plugin *(*main_fn)(void), const json_t *config,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    struct er_plugin_wish wish = {.config = config, .inproc = true};
    err = err ? err : &mine;
    const struct errand_plugin *p = main_fn ? main_fn() : NULL;
    int rc = er_plugin_accept(p, built_in, err);
    json_t *answer = rc == ERRAND_OK ? look(p, "", err) : NULL;
    if (answer)
        rc = take(t, &wish, answer, p, err);
    else if (rc == ERRAND_OK)
        rc = err->code;
    json_decref(answer);
    return rc;
}

/* ---------------------------------------------------------------- checking */

json_t *er_plugin_check(
    er_tools *t, const char *path, struct errand_error *err)
{
    struct er_plugin_verdict v = {0};
    json_t *result = NULL;
    struct er_profile *p = profile_of(t, path, NULL, NULL, err);
    json_t *answer = p ? ask_worker(t, p, path, err) : NULL;
    if (answer &&
        er_plugin_judge(&v, answer, NULL, false, err) == ERRAND_OK) {
        result = json_pack("{s:b,s:O}", "ok", v.ok ? 1 : 0, "problems",
            v.problems);
        if (v.ok && result) {
            json_object_set(result, "plugin", v.plugin);
            json_object_set(result, "tools", v.tools);
        }
        if (!result)
            er_nomem(err);
    }
    er_plugin_verdict_release(&v);
    json_decref(answer);
    if (p)
        er_pool_retire(t->pool, p);
    return result;
}
