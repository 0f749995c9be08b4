/* What the tests of tools share: a folder of its own, a loop, a registry
 * with the real worker, and a call that is waited for. */
#ifndef ERRAND_TESTS_SUPPORT_TOOL_KIT_H
#define ERRAND_TESTS_SUPPORT_TOOL_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "tool/tools.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct kit {
    char dir[64]; /* tool files lie here; removed at the end */
    struct er_loop *loop;
    er_tools *tools;
    struct er_buf log;
};

/* An outcome that was kept. */
struct kept {
    bool done;
    int order; /* when it came, counted from 1 */
    int *counter;
    enum er_tool_status status;
    bool started;
    char *text;
    size_t len;
    char detail[700];
    int64_t took_ms;
    struct er_loop *loop;
};

static inline const char *kit_worker(void)
{
    static char path[4096];
    const char *build = getenv("ERRAND_BUILD");
    snprintf(path, sizeof path, "%s/errand-worker", build ? build : "build");
    return path;
}

static inline void kit_log(void *user, int level, const char *text)
{
    struct kit *k = user;
    er_buf_addf(&k->log, "%d %s\n", level, text);
    if (getenv("ERRAND_TEST_LOG"))
        print_message("log %d %s\n", level, text);
}

static inline void kit_open(struct kit *k, const char *worker, int max)
{
    struct errand_error err = {0};
    memset(k, 0, sizeof *k);
    er_buf_init(&k->log, 1 << 20);
    snprintf(k->dir, sizeof k->dir, "/tmp/errand-test-XXXXXX");
    assert_non_null(mkdtemp(k->dir));
    k->loop = er_loop_new(&err);
    assert_non_null(k->loop);
    struct er_log log = {.write = kit_log, .user = k};
    k->tools = er_tools_new(
        k->loop, worker ? worker : kit_worker(), max, &log, &err);
    if (!k->tools)
        fail_msg("er_tools_new: %s", err.msg);
}

static inline void kit_remove_files(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        struct er_buf name;
        er_buf_init(&name, 8192);
        er_buf_addf(&name, "%s/%s", path, e->d_name);
        if (unlink(name.data) != 0)
            kit_remove_files(name.data);
        er_buf_release(&name);
    }
    if (dir)
        closedir(dir);
    rmdir(path);
}

static inline void kit_close(struct kit *k)
{
    er_tools_free(k->tools);
    er_loop_free(k->loop);
    er_buf_release(&k->log);
    kit_remove_files(k->dir);
}

/* Path of a name in the kit's folder; a few at a time. */
static inline const char *kit_path(struct kit *k, const char *name)
{
    static char paths[4][4096];
    static int next;
    char *p = paths[next++ % 4];
    snprintf(p, sizeof paths[0], "%s/%s", k->dir, name);
    return p;
}

static inline void kit_write(
    struct kit *k, const char *name, const char *bytes, size_t len)
{
    FILE *f = fopen(kit_path(k, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static inline void kit_file(struct kit *k, const char *name, const char *text)
{
    kit_write(k, name, text, strlen(text));
}

/* A tool file whose run has this body. extra: further members, or "". */
static inline void kit_tool(struct kit *k, const char *name,
    const char *extra, const char *body)
{
    struct er_buf b;
    char file[128];
    er_buf_init(&b, 1 << 20);
    er_buf_addf(&b,
        "return {\n  name = \"%s\",\n  description = \"a test\",\n  %s\n"
        "  run = function(args, ctx)\n%s\n  end,\n}\n",
        name, extra, body);
    snprintf(file, sizeof file, "%s.lua", name);
    kit_file(k, file, er_buf_str(&b));
    er_buf_release(&b);
}

static inline void kit_load(struct kit *k)
{
    struct errand_error err = {0};
    if (er_tools_load_dir(k->tools, k->dir, NULL, &err) != ERRAND_OK)
        fail_msg("load_dir: %s", err.msg);
}

static inline void kit_keep(void *ctx, const struct er_tool_outcome *o)
{
    struct kept *kept = ctx;
    assert_false(kept->done);
    kept->done = true;
    kept->status = o->status;
    kept->started = o->started;
    kept->text = er_strndup(o->text, o->len);
    kept->len = o->len;
    kept->took_ms = o->took_ms;
    snprintf(kept->detail, sizeof kept->detail, "%s", o->detail);
    if (kept->counter)
        kept->order = ++*kept->counter;
    er_loop_stop(kept->loop);
}

/* Start a call; args is JSON text. */
static inline er_tool_call *kit_start(struct kit *k, const char *name,
    const char *args, int64_t timeout_ms, struct kept *kept)
{
    struct errand_error err = {0};
    json_t *json = er_json_parse(args, strlen(args), ER_JSON_STRICT, &err);
    assert_non_null(json);
    struct er_tool_request req = {.tool = er_tools_find(k->tools, name),
        .arguments = json,
        .idem_key = "key-1",
        .attempt = 1,
        .timeout_ms = timeout_ms};
    er_tool_call *call = NULL;
    assert_non_null(req.tool);
    kept->loop = k->loop;
    int rc =
        er_tools_call(k->tools, &req, kit_keep, kept, &call, &err);
    if (rc != ERRAND_OK)
        fail_msg("er_tools_call: %s", err.msg);
    json_decref(json);
    return call;
}

static inline void kit_wait(struct kit *k, struct kept *kept)
{
    int64_t until = er_mono_ms() + 60000; /* machines can be busy */
    while (!kept->done && er_mono_ms() < until)
        er_loop_run(k->loop, 1000);
    assert_true(kept->done);
}

/* Call and wait. The caller frees .text. */
static inline struct kept kit_call(
    struct kit *k, const char *name, const char *args, int64_t timeout_ms)
{
    struct kept kept = {0};
    kit_start(k, name, args, timeout_ms, &kept);
    kit_wait(k, &kept);
    return kept;
}

/* Call, wait, and hold status and text against what is expected. */
static inline void kit_expect(struct kit *k, const char *name,
    const char *args, enum er_tool_status status, const char *text)
{
    struct kept kept = kit_call(k, name, args, 0);
    if (kept.status != status || strcmp(kept.text, text) != 0)
        print_message("%s: status %d, text %s, detail %s\n", name,
            (int)kept.status, kept.text, kept.detail);
    assert_string_equal(kept.text, text);
    assert_int_equal(kept.status, status);
    free(kept.text);
}

static inline int kit_open_files(void)
{
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

#endif
