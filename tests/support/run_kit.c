/* A runtime, its endpoint and its store for one test; assertions inside, so
 * that a test reads as what it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/run_kit.h"

#include <limits.h>

static void build_path(const char *name, char *out, size_t size)
{
    char self[3000] = "";
    const char *build = getenv("ERRAND_BUILD");
    if (build) {
        snprintf(out, size, "%s/%s", build, name);
        return;
    }
    assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    for (int i = 0; i < 3; i++)
        *strrchr(self, '/') = '\0';
    snprintf(out, size, "%s/%s", self, name);
}

static void open_runtime(struct kit *k)
{
    char worker[3100];
    struct errand_error err = {0};
    build_path("errand-worker", worker, sizeof worker);
    struct errand_options opt = {.size = sizeof opt, .store_path = k->db,
        .config_path = access(k->config, F_OK) == 0 ? k->config : "",
        .worker_path = worker, .sync = k->sync};
    if (errand_open(&opt, &k->rt, &err) != ERRAND_OK)
        fail_msg("errand_open: %s", err.msg);
}

void kit_open(struct kit *k, const char *script)
{
    char url[64];
    memset(k, 0, sizeof *k);
    snprintf(k->dir, sizeof k->dir, "/tmp/errand-run-XXXXXX");
    assert_non_null(mkdtemp(k->dir));
    snprintf(k->db, sizeof k->db, "%s/e.db", k->dir);
    snprintf(k->log, sizeof k->log, "%s/log", k->dir);
    snprintf(k->script, sizeof k->script, "%s/script", k->dir);
    snprintf(k->config, sizeof k->config, "%s/errand.lua", k->dir);
    FILE *f = fopen(k->script, "w");
    assert_non_null(f);
    fputs(script ? script : "", f);
    fclose(f);
    assert_true(endpoint_start(&k->ep, "--count", "--log", k->log,
        "--script", k->script, NULL));
    snprintf(url, sizeof url, "http://127.0.0.1:%u/v1", k->ep.port);
    setenv("OPENAI_BASE_URL", url, 1);
    setenv("OPENAI_API_KEY", "test-key-of-the-kit", 1);
    setenv("HOME", k->dir, 1);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("ERRAND_MODEL");
    open_runtime(k);
}

void kit_reopen(struct kit *k)
{
    errand_close(k->rt);
    open_runtime(k);
}

void kit_close(struct kit *k)
{
    static const char *const names[] = {
        "e.db", "e.db-wal", "e.db-shm", "e.db.lock", "log", "script",
        "errand.lua"};
    char path[160];
    errand_close(k->rt);
    assert_int_equal(endpoint_stop(&k->ep), 0);
    if (!strstr(k->ep.totals, "\"rejected\":0"))
        fail_msg("the endpoint refused requests: %s", k->ep.totals);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", k->dir, names[i]);
        unlink(path);
    }
    rmdir(k->dir);
}

/* --- events */

static char *dup_or_null(const char *s) { return s ? strdup(s) : NULL; }

static void add_text(struct told *t, const char *s, size_t len)
{
    size_t old = t->text ? strlen(t->text) : 0;
    char *text = realloc(t->text, old + len + 1);
    assert_non_null(text);
    memcpy(text + old, s, len);
    text[old + len] = '\0';
    t->text = text;
}

static void on_event(void *user, const struct errand_event *ev)
{
    struct told *t = user;
    assert_true(t->end == 0); /* nothing after the end */
    if (t->n < KIT_EVENTS) {
        t->types[t->n] = (int)ev->type;
        t->details[t->n++] = dup_or_null(ev->json ? ev->json : ev->text);
    }
    switch (ev->type) {
    case ERRAND_EV_STARTED:
        t->started++;
        t->run_id = dup_or_null(errand_run_id(ev->run));
        t->conv_id = dup_or_null(errand_run_conversation(ev->run));
        break;
    case ERRAND_EV_TEXT:
        add_text(t, ev->text, ev->text_len);
        break;
    case ERRAND_EV_DISCARD:
        free(t->text);
        t->text = NULL;
        break;
    case ERRAND_EV_DONE:
        t->answer = dup_or_null(ev->text);
        t->end = ERRAND_EV_DONE;
        break;
    case ERRAND_EV_PAUSED:
    case ERRAND_EV_FAILED:
        t->error = dup_or_null(ev->text);
        t->code = ev->code;
        t->end = (int)ev->type;
        break;
    default:
        break;
    }
}

void kit_start(struct kit *k, struct told *t, struct errand_request req)
{
    char model[128];
    struct errand_error err = {0};
    memset(t, 0, sizeof *t);
    t->kit = k;
    req.size = sizeof req;
    req.on_event = on_event;
    req.user = t;
    if (req.model && !strchr(req.model, ':')) {
        snprintf(model, sizeof model, "openai:%s", req.model);
        req.model = model;
    }
    if (errand_start(k->rt, &req, NULL, &err) != ERRAND_OK)
        fail_msg("errand_start: %s", err.msg);
}

static void drive(struct kit *k)
{
    struct errand_error err = {0};
    if (errand_drive(k->rt, 30000, &err) != ERRAND_OK)
        fail_msg("errand_drive: %s", err.msg);
}

void kit_run(struct kit *k, struct told *t, struct errand_request req)
{
    kit_start(k, t, req);
    drive(k);
    assert_int_not_equal(t->end, 0);
}

void kit_resume(struct kit *k, struct told *t, const char *run,
    const char *options)
{
    struct errand_error err = {0};
    memset(t, 0, sizeof *t);
    if (errand_resume(k->rt, run, options, on_event, t, NULL, &err) !=
        ERRAND_OK)
        fail_msg("errand_resume: %s", err.msg);
    drive(k);
    assert_int_not_equal(t->end, 0);
}

void told_free(struct told *t)
{
    for (int i = 0; i < t->n; i++)
        free(t->details[i]);
    free(t->text);
    free(t->answer);
    free(t->error);
    free(t->run_id);
    free(t->conv_id);
    memset(t, 0, sizeof *t);
}

int told_count(const struct told *t, int type)
{
    int n = 0;
    for (int i = 0; i < t->n; i++)
        n += t->types[i] == type;
    return n;
}

const char *told_at(const struct told *t, int type, int i)
{
    for (int k = 0; k < t->n; k++)
        if (t->types[k] == type && i-- == 0)
            return t->details[k];
    return NULL;
}

json_t *kit_show(struct kit *k, const char *id)
{
    struct errand_error err = {0};
    char *text = NULL;
    if (errand_log_show(k->rt, id, &text, &err) != ERRAND_OK)
        fail_msg("errand_log_show: %s", err.msg);
    json_t *v = json_loads(text, JSON_ALLOW_NUL, NULL);
    errand_free(text);
    assert_non_null(v);
    return v;
}

json_t *kit_requests(struct kit *k)
{
    FILE *f = fopen(k->log, "r");
    json_t *all = json_array();
    char *line = NULL;
    size_t cap = 0;
    while (f && getline(&line, &cap, f) > 0)
        json_array_append_new(all, json_loads(line, JSON_ALLOW_NUL, NULL));
    free(line);
    if (f)
        fclose(f);
    return all;
}
