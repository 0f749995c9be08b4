/* The registry and calls without memory: callbacks in this process, and a
 * worker's side that is played by a fixed script. */
#include "oom/oom.h"

#include "base/loop.h"
#include "tool/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A program that exists; the callbacks' cases never start it. */
static const char program[] = "/bin/true";

static void reply(
    void *user, errand_call *call, const char *args, size_t len)
{
    (void)user;
    (void)args;
    (void)len;
    errand_call_reply(call, "fine", 4);
}

struct waiting {
    struct er_loop *loop;
    int status;
    bool started, done;
};

static void on_done(void *ctx, const struct er_tool_outcome *outcome)
{
    struct waiting *w = ctx;
    w->status = (int)outcome->status;
    w->done = true;
    er_loop_stop(w->loop);
}

static int add_tools(er_tools *t, struct errand_error *err)
{
    char name[32];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "tool_%d", i);
        struct errand_tool_def def = {.size = sizeof def,
            .name = name,
            .description = "a test",
            .parameters = "{\"type\":\"object\",\"properties\":{\"a\":{"
                          "\"type\":\"string\"}}}",
            .run = reply};
        int rc = er_tools_add(t, &def, "callback", err);
        if (rc != ERRAND_OK)
            return rc;
    }
    return ERRAND_OK;
}

/* Start a call and drive the loop, which may itself give up. */
static int call_one(er_tools *t, struct waiting *w, struct errand_error *err)
{
    struct er_tool_request req = {
        .tool = er_tools_find(t, "tool_7"), .idem_key = "k", .attempt = 1};
    int rc = er_tools_call(t, &req, on_done, w, NULL, err);
    if (rc != ERRAND_OK)
        return rc;
    w->started = true;
    er_loop_run(w->loop, 2000);
    return ERRAND_OK;
}

/* End all; by then a call that was started has been told how it went. */
static int close_all(er_tools *t, struct waiting *w, int rc,
    struct errand_error *err)
{
    er_tools_free(t);
    er_loop_free(w->loop);
    if (w->started && !w->done)
        return er_fail(err, ERRAND_BUG, "the call was never answered");
    if (rc == ERRAND_OK && w->status != ER_TOOL_OK)
        return er_nomem(err); /* answered, and said why it failed */
    return rc;
}

static int case_callback(struct errand_error *err)
{
    struct waiting w = {.loop = er_loop_new(err)};
    if (!w.loop)
        return err->code;
    er_tools *t = er_tools_new(w.loop, program, 1, NULL, err);
    int rc = t ? add_tools(t, err) : err->code;
    if (rc == ERRAND_OK)
        rc = call_one(t, &w, err);
    return close_all(t, &w, rc, err);
}

/* A worker in shell: describes one tool, answers every call. */
static const char script[] =
    "#!/bin/bash\n"
    "frame() { local n=${#1} h; printf -v h '\\\\x%02x\\\\x%02x\\\\x00"
    "\\\\x00' $((n & 255)) $((n >> 8)); printf \"$h\" >&3; "
    "printf '%s' \"$1\" >&3; }\n"
    "frame '{\"hello\":\"0\",\"protocol\":2}'\n"
    "IFS= read -r -d '}' -u 3 _ || exit\n"
    "frame '{\"id\":0,\"ok\":true}'\n"
    "IFS= read -r -d '}' -u 3 _ || exit\n"
    "IFS= read -r -d '}' -u 3 _ || exit\n"
    "frame '{\"id\":1,\"ok\":true,\"tool\":{\"name\":\"tool_7\","
    "\"description\":\"d\",\"parameters\":{\"type\":\"object\"},"
    "\"version\":\"0123456789abcdef\"},\"problems\":[]}'\n"
    "IFS= read -r -d '}' -u 3 _ || exit\n"
    "frame '{\"id\":2,\"ok\":true,\"result\":{\"a\":[1,2.5,\"x\"]}}'\n"
    "read -r -u 3 _\n";

static char dir[] = "/tmp/errand-oom-XXXXXX";
static char worker_path[64], tool_path[64];

static int case_worker(struct errand_error *err)
{
    struct waiting w = {.loop = er_loop_new(err)};
    if (!w.loop)
        return err->code;
    er_tools *t = er_tools_new(w.loop, worker_path, 1, NULL, err);
    int rc = t ? er_tools_load_dir(t, dir, NULL, err) : err->code;
    if (rc == ERRAND_OK && !er_tools_find(t, "tool_7"))
        rc = er_nomem(err); /* a folder that could not be read whole */
    if (rc == ERRAND_OK)
        rc = call_one(t, &w, err);
    return close_all(t, &w, rc, err);
}

static int write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return 1;
    int rc = fputs(text, f) < 0;
    rc |= fchmod(fileno(f), mode) != 0;
    return rc | (fclose(f) != 0);
}

int main(void)
{
    static const int worker_codes[] = {
        ERRAND_NOMEM, ERRAND_WORKER, ERRAND_PROTOCOL, ERRAND_SYNTAX, 0};
    static const struct oom_case cases[] = {
        {"callback", case_callback, NULL},
        {"worker", case_worker, worker_codes},
    };
    if (!mkdtemp(dir))
        return 1;
    snprintf(worker_path, sizeof worker_path, "%s/worker", dir);
    snprintf(tool_path, sizeof tool_path, "%s/a.lua", dir);
    int rc = write_file(worker_path, script, 0700) ||
             write_file(tool_path, "", 0600);
    if (!rc)
        rc = oom_main(cases, sizeof cases / sizeof cases[0]);
    unlink(worker_path);
    unlink(tool_path);
    rmdir(dir);
    return rc;
}
