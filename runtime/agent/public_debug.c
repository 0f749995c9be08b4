/* errand_debug_* and errand_doctor: looking into what errand sees. */
#include "agent/runtime.h"
#include "engine/chat_parse.h"
#include "engine/grammar.h"
#include "engine/kernel.h"
#include "engine/memory.h"
#include "engine/threads.h"
#include "model/debug_parse.h"
#include "tool/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int answer(json_t *v, char **json, struct errand_error *err)
{
    if (!v)
        return err->code;
    *json = er_json_text(v);
    json_decref(v);
    return *json ? ERRAND_OK : er_nomem(err);
}

static json_t *read_case(const char *input, struct errand_error *err)
{
    json_t *v = er_json_parse(input, strlen(input), ER_JSON_LENIENT, err);
    if (v && !json_is_object(v)) {
        er_fail(err, ERRAND_USAGE, "the case must be a JSON object");
        json_decref(v);
        return NULL;
    }
    return v;
}

int errand_debug_parse(const char *format, const char *input, char **json,
    struct errand_error *err)
{
    static const char *const local[] = {"llama3", "hermes", "mistral"};
    struct errand_error mine = {0};
    bool is_local = false;
    err = err ? err : &mine;
    json_t *v = read_case(input, err);
    if (!v)
        return err->code;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++)
        is_local = is_local || strcmp(format, local[i]) == 0;
    json_t *out = is_local ? er_chat_debug_parse(format, v, err)
                           : er_wire_debug_parse(format, v, err);
    json_decref(v);
    return answer(out, json, err);
}

int errand_debug_schema(const char *input, const char *draft, unsigned flags,
    char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    enum er_draft d = ER_DRAFT_2020_12;
    err = err ? err : &mine;
    if (draft && strcmp(draft, "7") == 0)
        d = ER_DRAFT_7;
    else if (draft && strcmp(draft, "2020-12") != 0)
        return er_fail(err, ERRAND_USAGE,
            "draft \"%.40s\" is not known; known are 2020-12 and 7", draft);
    json_t *v = read_case(input, err);
    if (!v)
        return err->code;
    json_t *out =
        er_schema_debug(v, d, flags & 1 ? ER_SCHEMA_FORMATS : 0, err);
    json_decref(v);
    return answer(out, json, err);
}

/* What the grammar leaves to the validator is asked of it, as the runtime
 * does with every call. */
static void ask_validator(const json_t *input, json_t *out)
{
    const json_t *text = json_object_get(input, "text");
    struct errand_error ignored = {0};
    if (!json_is_true(json_object_get(out, "complete")))
        return;
    json_t *v = er_json_parse(json_string_value(text),
        json_string_length(text), ER_JSON_LENIENT, &ignored);
    er_schema *s = er_schema_compile(json_object_get(input, "schema"),
        ER_DRAFT_2020_12, ER_SCHEMA_FORMATS, NULL, &ignored);
    if (v && s && !er_schema_check(s, v, NULL, 0))
        json_object_set_new(out, "complete", json_false());
    er_schema_free(s);
    json_decref(v);
}

int errand_debug_grammar(
    const char *input, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *v = read_case(input, err);
    if (!v)
        return err->code;
    json_t *out = er_grammar_debug(v, err);
    if (out && json_object_get(out, "unenforced"))
        ask_validator(v, out);
    json_decref(v);
    return answer(out, json, err);
}

/* --- doctor */

static void add(json_t *checks, const char *name, bool ok, const char *value,
    const char *hint)
{
    json_array_append_new(checks, json_pack("{s:s, s:b, s:s, s:s}", "name",
        name, "ok", ok, "value", value ? value : "", "hint",
        ok || !hint ? "" : hint));
}

/* A large store is opened unchecked after a crash: say so. */
static void add_size(json_t *checks, const json_t *health)
{
    int64_t size = er_json_int(health, "size", 0);
    int64_t most = er_json_int(health, "checked_up_to", 0);
    char text[200];
    snprintf(text, sizeof text, "%lld bytes; %s after an unclean stop%s",
        (long long)size, size > most ? "not checked" : "checked",
        size > most ? " (over 256 MiB), so run this then" : "");
    add(checks, "store.size", true, text, NULL);
}

static void check_store(
    errand *rt, json_t *checks, struct errand_error *err)
{
    json_t *h = er_store_health(rt->store, true, err);
    if (!h) {
        add(checks, "store", false, err->msg,
            "move the file away, or restore a backup that lies beside it");
        return;
    }
    const char *integrity = er_json_str(h, "integrity");
    const char *fts = er_json_str(h, "fts");
    add(checks, "store.path", true, er_json_str(h, "path"), NULL);
    add(checks, "store.sqlite", true, er_json_str(h, "sqlite_version"), NULL);
    add(checks, "store.wal_reset",
        json_is_true(json_object_get(h, "wal_reset_safe")),
        er_json_str(h, "why"), "upgrade SQLite to 3.51.3 or later");
    add_size(checks, h);
    add(checks, "store.integrity",
        integrity && strcmp(integrity, "ok") == 0, integrity,
        "restore a backup that lies beside the database");
    add(checks, "store.search", fts && strcmp(fts, "ok") == 0, fts,
        "the index can be rebuilt; the messages are not touched by it");
    json_decref(h);
}

/* What one run holds at once: a connection, two sockets of a worker. */
static void check_limits(json_t *checks)
{
    enum { FEW = 128 };
    struct rlimit files;
    char text[64];
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    snprintf(text, sizeof text, "%llu",
        (unsigned long long)files.rlim_cur);
    add(checks, "limits.open_files", files.rlim_cur >= FEW, text,
        "raise it: ulimit -n 1024, or LimitNOFILE in systemd");
}

static void check_tools(errand *rt, json_t *checks)
{
    struct errand_error err = {0};
    char text[64];
    if (er_runtime_need_tools(rt, &err) != ERRAND_OK) {
        add(checks, "tools", false, err.msg, "errand tools check FILE");
        return;
    }
    size_t n = er_tools_count(rt->tools);
    snprintf(text, sizeof text, "%zu", n);
    add(checks, "tools", n > 1, text,
        "no tools were found; put Lua files into ./tools");
}

static long long mib(uint64_t bytes)
{
    return (long long)(bytes >> 20);
}

/* What local models are computed with here. */
static void check_engine(json_t *checks)
{
    char text[120];
    uint64_t there = er_memory_available();
    if (there == UINT64_MAX)
        snprintf(text, sizeof text, "%s kernels, %u threads",
            er_kernels_best()->name, er_threads_cores());
    else
        snprintf(text, sizeof text,
            "%s kernels, %u threads, %lld MiB of memory to be had",
            er_kernels_best()->name, er_threads_cores(), mib(there));
    add(checks, "engine", true, text, NULL);
}

/* Does the file of a local model fit? Nothing is loaded. */
static void check_file(errand *rt, json_t *checks)
{
    struct errand_error err = {0};
    char text[120], *json = NULL;
    uint64_t there = er_memory_available();
    int rc = er_models_describe(
        rt->models, rt->default_model, &json, &err);
    if (rc != ERRAND_OK) {
        add(checks, "model.file", false, err.msg, "see docs/local.md");
        return;
    }
    if (!json)
        return;
    json_t *v = er_json_parse(json, strlen(json), ER_JSON_LENIENT, &err);
    uint64_t need = (uint64_t)er_json_int(v, "memory_bytes", 0);
    snprintf(text, sizeof text, "%s, %lld tokens of context, %lld MiB",
        v && er_json_str(v, "quantization") ? er_json_str(v, "quantization")
                                            : "",
        (long long)er_json_int(v, "context", 0), mib(need));
    add(checks, "model.file", need <= there, text,
        "it does not fit into the memory that is there: take a smaller "
        "model, or a shorter context");
    json_decref(v);
    free(json);
}

static void check_model(errand *rt, json_t *checks)
{
    struct errand_error err = {0};
    const char *model = rt->default_model;
    if (!model) {
        add(checks, "model", false, "none is configured",
            "set ERRAND_MODEL=PROVIDER:NAME, or model in errand.lua");
        return;
    }
    bool ok = er_models_check(rt->models, model, &err) == ERRAND_OK;
    add(checks, "model", ok, ok ? model : err.msg, "see docs/models.md");
    if (ok)
        check_file(rt, checks);
}

/* What the system enforces on tools; what it cannot is a finding each. */
static void check_cage(errand *rt, json_t *checks)
{
    struct errand_error err = {0};
    json_t *cage = rt->tools ? er_tools_cage(rt->tools, &err) : NULL, *text;
    size_t i;
    if (!cage) {
        add(checks, "sandbox", false, err.msg,
            "tools cannot run; install errand and errand-worker together");
        return;
    }
    char *enforced = er_json_text(json_object_get(cage, "enforced"));
    const json_t *missing = json_object_get(cage, "missing");
    add(checks, "sandbox", true, enforced, NULL);
    json_array_foreach(missing, i, text)
        add(checks, "sandbox.missing", false, json_string_value(text),
            "until then, run only tools that you trust");
    free(enforced);
    json_decref(cage);
}

int errand_doctor(errand *rt, char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *checks = json_array(), *c;
    if (!checks)
        return er_nomem(err);
    add(checks, "errand", true, ERRAND_VERSION, NULL);
    add(checks, "libcurl", true, er_models_library(), NULL);
    add(checks, "libevent", true, er_loop_library(), NULL);
    add(checks, "jansson", true, JANSSON_VERSION, NULL);
    check_limits(checks);
    check_store(rt, checks, err);
    check_tools(rt, checks);
    check_cage(rt, checks);
    check_engine(checks);
    check_model(rt, checks);
    bool ok = true;
    size_t i;
    json_array_foreach(checks, i, c)
        ok = ok && json_is_true(json_object_get(c, "ok"));
    return answer(
        json_pack("{s:b, s:o}", "ok", ok, "checks", checks), json, err);
}
