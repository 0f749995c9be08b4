/* Opening, driving and closing a runtime. */
#include "agent/runtime.h"

#include "agent/agent_file.h"
#include "agent/doc_tools.h"
#include "agent/guarded.h"
#include "agent/consent.h"
#include "agent/plugins.h"
#include "agent/read_more.h"
#include "agent/run.h"
#include "agent/script.h"
#include "base/program_path.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef ERRAND_LIBEXEC
#define ERRAND_LIBEXEC "/usr/local/libexec/errand"
#endif
#ifndef ERRAND_SHARE
#define ERRAND_SHARE "/usr/local/share/errand"
#endif

/* --- paths */

static char *store_path(const struct errand_options *opt)
{
    const char *env = getenv("ERRAND_STORE");
    if (opt->store_path)
        return er_strdup(opt->store_path);
    if (env && env[0])
        return er_strdup(env);
    return er_config_user_path("DATA", "errand.db");
}

/* errand-worker beside the running program, else where it is installed. */
static char *worker_path(const struct errand_options *opt)
{
    char self[4096];
    const char *env = getenv("ERRAND_WORKER");
    if (opt->worker_path)
        return er_strdup(opt->worker_path);
    if (env && env[0])
        return er_strdup(env);
    ssize_t n = er_program_path(self, sizeof self);
    char *slash = n > 0 ? strrchr(self, '/') : NULL;
    struct er_buf path;
    er_buf_init(&path, sizeof self + 64);
    if (slash) {
        er_buf_addf(&path, "%.*s/errand-worker", (int)(slash - self), self);
        if (access(er_buf_str(&path), X_OK) == 0)
            return er_buf_take(&path, NULL);
        er_buf_reset(&path);
        er_buf_addf(&path, "%.*s/../libexec/errand/errand-worker",
            (int)(slash - self), self);
        if (access(er_buf_str(&path), X_OK) == 0)
            return er_buf_take(&path, NULL);
        er_buf_reset(&path);
    }
    er_buf_adds(&path, ERRAND_LIBEXEC "/errand-worker");
    return er_buf_take(&path, NULL);
}

static char **copy_list(const char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    char **copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++)
        copy[i] = er_strdup(list[i]);
    return copy;
}

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

/* --- tools */

static int load_given(errand *rt, struct errand_error *err)
{
    for (size_t i = 0; rt->tools_dirs && rt->tools_dirs[i]; i++) {
        struct stat st;
        const char *dir = rt->tools_dirs[i];
        if (stat(dir, &st) != 0)
            return er_fail_errno(
                err, ERRAND_NOT_FOUND, "cannot read tools folder %s", dir);
        int rc = er_tools_load_dir(rt->tools, dir, NULL, err);
        if (rc != ERRAND_OK)
            return rc;
    }
    const json_t *dirs = json_object_get(rt->config.value, "tools_dirs");
    size_t i;
    json_t *v;
    json_array_foreach(dirs, i, v)
    {
        int rc = er_tools_load_dir(
            rt->tools, json_string_value(v), NULL, err);
        if (rc != ERRAND_OK)
            return rc;
    }
    return ERRAND_OK;
}

/* The starter tools that came with errand; a tool of the same name that was
 * found before them wins. */
static void load_shipped(errand *rt)
{
    char self[4096];
    struct er_buf dir;
    struct errand_error err = {0};
    er_buf_init(&dir, sizeof self + 64);
    ssize_t n = er_program_path(self, sizeof self);
    char *slash = n > 0 ? strrchr(self, '/') : NULL;
    if (slash)
        er_buf_addf(&dir, "%.*s/../share/errand/tools", (int)(slash - self),
            self);
    if (!slash || access(er_buf_str(&dir), F_OK) != 0) {
        er_buf_reset(&dir);
        er_buf_adds(&dir, ERRAND_SHARE "/tools");
    }
    int rc = er_tools_load_dir(rt->tools, er_buf_str(&dir), NULL, &err);
    if (rc != ERRAND_OK && rc != ERRAND_EXISTS)
        er_log(&rt->log, ERRAND_LOG_WARN, "%s", err.msg);
    er_buf_release(&dir);
}

int er_runtime_need_tools(errand *rt, struct errand_error *err)
{
    if (rt->tools_loaded)
        return ERRAND_OK;
    int rc = load_given(rt, err);
    if (rc == ERRAND_OK)
        rc = er_tools_load_dir(rt->tools, "tools", NULL, err);
    char *user = er_config_user_path("CONFIG", "tools");
    if (rc == ERRAND_OK && user)
        rc = er_tools_load_dir(rt->tools, user, NULL, err);
    free(user);
    if (rc == ERRAND_OK)
        rc = er_plugins_load(rt, err);
    if (rc != ERRAND_OK)
        return rc;
    load_shipped(rt);
    rt->tools_loaded = true;
    return ERRAND_OK;
}

/* --- leases and interruption */

static void extend_done(void *ctx, struct er_op *op)
{
    (void)ctx;
    er_op_free(op); /* a fenced run learns it at its next transition */
}

static void extend_leases(void *ctx)
{
    errand *rt = ctx;
    for (errand_run *r = rt->runs; r; r = r->next) {
        struct er_op *op =
            r->told || r->claim.epoch == 0 ? NULL : er_op_new(ER_OP_EXTEND);
        if (!op)
            continue;
        op->in.extend.claim = r->claim;
        op->in.extend.lease_ms = ER_LEASE_MS;
        op->done = extend_done;
        er_store_submit(rt->store, op);
    }
    er_timer_stop(&rt->lease_timer);
    if (rt->active > 0 &&
        er_timer_start(rt->loop, &rt->lease_timer, ER_LEASE_EXTEND_MS,
            extend_leases, rt, NULL) != ERRAND_OK)
        er_log(&rt->log, ERRAND_LOG_WARN, "no memory for the lease timer");
}

static void on_interrupt(void *ctx)
{
    errand *rt = ctx;
    errand_run *next;
    for (errand_run *r = rt->runs; r; r = next) {
        next = r->next;
        er_run_cancel(r);
    }
}

void er_runtime_run_began(errand *rt)
{
    if (rt->active++ == 0)
        er_timer_start(rt->loop, &rt->lease_timer, ER_LEASE_EXTEND_MS,
            extend_leases, rt, NULL);
}

void er_runtime_run_ended(errand *rt)
{
    if (--rt->active > 0)
        return;
    er_timer_stop(&rt->lease_timer);
    if (!rt->threaded)
        er_loop_stop(rt->loop);
}

/* --- open and close */

static int open_store(
    errand *rt, const struct errand_options *opt, struct errand_error *err)
{
    char *path = store_path(opt);
    if (!path)
        return er_fail(err, ERRAND_CONFIG,
            "no place for the store: neither HOME nor XDG_DATA_HOME is set; "
            "name a file with --store or ERRAND_STORE");
    struct er_store_options so = {.path = path,
        .sync = opt->sync == ERRAND_SYNC_NORMAL ? ERRAND_SYNC_NORMAL
                                                : ERRAND_SYNC_FULL,
        .log = &rt->log};
    rt->store = er_store_open(rt->loop, &so, err);
    int rc = rt->store
                 ? er_guarded_tell(rt, path, opt->config_path, err)
                 : err->code;
    rt->store_path = path;
    return rc;
}

static int open_tools(
    errand *rt, const struct errand_options *opt, struct errand_error *err)
{
    char *worker = worker_path(opt);
    rt->tools_dirs = copy_list(opt->tools_dirs);
    if (!worker || !rt->tools_dirs) {
        free(worker);
        return er_nomem(err);
    }
    if (er_plugins_keep(rt, opt, err) != ERRAND_OK) {
        free(worker);
        return err->code;
    }
    rt->tools = er_tools_new(rt->loop, worker, 0, &rt->log, err);
    free(worker);
    if (!rt->tools)
        return err->code;
    return er_read_more_add(rt->tools, err);
}

#define BUNDLED "errand-small"

/* Where the models lie that came with errand: beside an installed program,
 * beside one that was built in its folder, or where it was installed. */
static char *bundled_folder(void)
{
    static const char *const beside[] = {
        "../share/errand/models", "../models"};
    char self[4096];
    struct er_buf dir;
    er_buf_init(&dir, sizeof self + 64);
    ssize_t n = er_program_path(self, sizeof self);
    char *slash = n > 0 ? strrchr(self, '/') : NULL;
    for (size_t i = 0; slash && i < 2; i++) {
        er_buf_reset(&dir);
        er_buf_addf(
            &dir, "%.*s/%s", (int)(slash - self), self, beside[i]);
        if (access(er_buf_str(&dir), F_OK) == 0)
            return er_buf_take(&dir, NULL);
    }
    er_buf_reset(&dir);
    er_buf_adds(&dir, ERRAND_SHARE "/models");
    return er_buf_take(&dir, NULL);
}

/* Is the model there that came with errand? */
static bool has_bundled(void)
{
    char *folder = bundled_folder();
    struct er_buf path;
    er_buf_init(&path, PATH_MAX);
    er_buf_addf(&path, "%s/" BUNDLED ".gguf", folder ? folder : "");
    bool there = folder && access(er_buf_str(&path), R_OK) == 0;
    er_buf_release(&path);
    free(folder);
    return there;
}

/* With a recording that answers everything no model need be configured; with
 * nothing configured the model answers that came with errand. */
static int set_default_model(
    errand *rt, const struct errand_options *opt, struct errand_error *err)
{
    struct er_buf name;
    er_buf_init(&name, 8192);
    if (rt->config.model)
        er_buf_adds(&name, rt->config.model);
    else if (opt->replay_path)
        er_buf_addf(&name, "replay:%s", opt->replay_path);
    else if (has_bundled())
        er_buf_adds(&name, "local:" BUNDLED);
    else
        return ERRAND_OK;
    rt->default_model = er_buf_take(&name, NULL);
    return rt->default_model ? ERRAND_OK : er_nomem(err);
}

/* The configuration's settings, then those of the options. */
static json_t *engine_settings(
    errand *rt, const struct errand_options *opt, struct errand_error *err)
{
    const json_t *said = json_object_get(rt->config.value, "engine");
    json_t *all = json_is_object(said) ? json_copy((json_t *)said)
                                       : json_object();
    json_t *more = opt->engine ? er_json_parse(opt->engine,
                                     strlen(opt->engine), ER_JSON_STRICT, err)
                               : json_object();
    if (all && more && json_object_update(all, more) == 0) {
        json_decref(more);
        return all;
    }
    json_decref(all);
    json_decref(more);
    if (err->code == ERRAND_OK)
        er_fail(err, ERRAND_USAGE, "engine must be a JSON object");
    return NULL;
}

static int open_engine(
    errand *rt, const struct errand_options *opt, struct errand_error *err)
{
    json_t *settings = engine_settings(rt, opt, err);
    if (!settings)
        return err->code;
    char *folder = bundled_folder();
    int rc = folder ? er_models_engine(rt->models, settings, folder, err)
                    : er_nomem(err);
    free(folder);
    json_decref(settings);
    return rc;
}

static int open_parts(
    errand *rt, const struct errand_options *opt, struct errand_error *err)
{
    int rc = ERRAND_OK;
    rt->loop = er_loop_new(err);
    if (!rt->loop)
        return err->code;
    er_loop_on_wake(rt->loop, on_interrupt, rt);
    rc = open_tools(rt, opt, err);
    if (rc == ERRAND_OK)
        rc = er_config_load(&rt->config, opt->config_path, rt->tools, err);
    if (rc == ERRAND_OK)
        rc = er_consent_open(rt, err);
    if (rc == ERRAND_OK)
        rc = er_runtime_open_services(rt, err);
    if (rc == ERRAND_OK)
        rc = set_default_model(rt, opt, err);
    if (rc != ERRAND_OK)
        return rc;
    rt->models = er_models_new(rt->loop,
        json_object_get(rt->config.value, "providers"), opt->replay_path,
        opt->record_path, &rt->log, err);
    if (!rt->models)
        return err->code;
    rc = open_engine(rt, opt, err);
    if (rc == ERRAND_OK)
        rc = open_store(rt, opt, err);
    return rc == ERRAND_OK ? er_doc_tools_add(rt, err) : rc;
}

int errand_open(
    const struct errand_options *opt, errand **out, struct errand_error *err)
{
    struct errand_options all = {0};
    struct errand_error mine = {0};
    if (!err)
        err = &mine;
    *out = NULL;
    if (opt && (opt->size == 0 || opt->size > 4096))
        return er_fail(err, ERRAND_USAGE,
            "errand_options.size is %u; set it to sizeof", opt->size);
    if (opt)
        memcpy(&all, opt, opt->size < sizeof all ? opt->size : sizeof all);
    errand *rt = calloc(1, sizeof *rt);
    if (!rt)
        return er_nomem(err);
    rt->log = (struct er_log){.write = all.log, .user = all.log_user};
    er_owner_self(rt->owner);
    int rc = open_parts(rt, &all, err);
    if (rc != ERRAND_OK) {
        errand_close(rt);
        return rc;
    }
    *out = rt;
    return ERRAND_OK;
}

static void *loop_thread(void *ctx)
{
    errand *rt = ctx;
    er_loop_run(rt->loop, -1);
    return NULL;
}

int errand_thread_start(errand *rt, struct errand_error *err)
{
    if (rt->threaded)
        return er_fail(
            err, ERRAND_STATE, "the loop has a thread of its own already");
    rt->threaded = true;
    int rc = pthread_create(&rt->thread, NULL, loop_thread, rt);
    if (rc == 0)
        return ERRAND_OK;
    rt->threaded = false;
    errno = rc;
    return er_fail_errno(err, ERRAND_IO, "cannot start a thread");
}

static int stop_loop(void *arg)
{
    errand *rt = arg;
    er_loop_stop(rt->loop);
    return ERRAND_OK;
}

static void end_thread(errand *rt)
{
    if (!rt->threaded)
        return;
    er_runtime_call(rt, stop_loop, rt);
    pthread_join(rt->thread, NULL);
    rt->threaded = false;
}

/* Interrupt what runs and give it time to be stored as such. */
static void wind_down(errand *rt)
{
    rt->closing = true;
    on_interrupt(rt);
    int64_t until = er_mono_ms() + 5000;
    while (rt->active > 0 && er_mono_ms() < until)
        er_loop_run(rt->loop, 100);
    er_loop_run(rt->loop, 0);
}

void errand_close(errand *rt)
{
    if (!rt)
        return;
    end_thread(rt);
    if (rt->loop && rt->store)
        wind_down(rt);
    er_models_free(rt->models);
    er_tools_free(rt->tools);
    er_runtime_close_services(rt);
    er_store_close(rt->store);
    er_docs_close(rt->docs);
    free(rt->store_path);
    while (rt->runs) {
        errand_run *r = rt->runs;
        rt->runs = r->next;
        er_run_free(r);
    }
    er_timer_stop(&rt->lease_timer);
    er_agents_close(rt);
    er_script_lines_free(rt);
    er_consent_close(rt);
    er_config_release(&rt->config);
    free_list(rt->tools_dirs);
    er_plugins_release(rt);
    free(rt->default_model);
    er_loop_free(rt->loop);
    free(rt);
}

/* --- driving */

int errand_drive(errand *rt, int64_t timeout_ms, struct errand_error *err)
{
    if (rt->threaded)
        return er_fail(
            err, ERRAND_STATE, "the loop has a thread of its own");
    if (rt->active == 0)
        return ERRAND_OK;
    er_loop_run(rt->loop, timeout_ms);
    if (rt->active == 0 || timeout_ms < 0)
        return ERRAND_OK;
    return er_fail(err, ERRAND_TIMEOUT, "%zu runs are still active after "
        "%lld ms", rt->active, (long long)timeout_ms);
}

void errand_interrupt(errand *rt) { er_loop_wake(rt->loop); }

struct stop_post {
    struct er_post post;
    errand *rt;
};

static void on_stop(void *ctx)
{
    struct stop_post *p = ctx;
    er_loop_stop(p->rt->loop);
    free(p);
}

void errand_stop(errand *rt)
{
    if (er_loop_is_mine(rt->loop)) {
        er_loop_stop(rt->loop);
        return;
    }
    struct stop_post *p = calloc(1, sizeof *p);
    if (!p)
        return;
    *p = (struct stop_post){.rt = rt,
        .post = {.run = on_stop, .cancel = free, .ctx = p}};
    er_loop_post(rt->loop, &p->post);
}

/* --- from other threads */

struct crossing {
    struct er_post post;
    int (*fn)(void *arg);
    void *arg;
    int code;
    bool done;
    pthread_mutex_t lock;
    pthread_cond_t over;
};

static void finish_crossing(struct crossing *c, int code)
{
    pthread_mutex_lock(&c->lock);
    c->code = code;
    c->done = true;
    pthread_cond_signal(&c->over);
    pthread_mutex_unlock(&c->lock);
}

static void on_crossing(void *ctx)
{
    struct crossing *c = ctx;
    finish_crossing(c, c->fn(c->arg));
}

static void on_crossing_cancelled(void *ctx)
{
    finish_crossing(ctx, ERRAND_CANCELLED);
}

int er_runtime_call(errand *rt, int (*fn)(void *arg), void *arg)
{
    if (!rt->threaded || er_loop_is_mine(rt->loop))
        return fn(arg);
    struct crossing c = {.fn = fn, .arg = arg};
    c.post = (struct er_post){.run = on_crossing,
        .cancel = on_crossing_cancelled, .ctx = &c};
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.over, NULL);
    er_loop_post(rt->loop, &c.post);
    pthread_mutex_lock(&c.lock);
    while (!c.done)
        pthread_cond_wait(&c.over, &c.lock);
    pthread_mutex_unlock(&c.lock);
    pthread_cond_destroy(&c.over);
    pthread_mutex_destroy(&c.lock);
    return c.code;
}
