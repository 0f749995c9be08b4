/* Trusted plugins, in this process: on threads of their own, so that the
 * loop never waits for one. To the rest of the house such a tool is a
 * callback that answers from another thread.
 *
 * One thread takes the calls of a plugin in turn; a plugin whose tools are
 * all reentrant gets up to four. What a thread needs outlives the registry
 * while it is stuck in the plugin's code: such a thread cannot be ended, so
 * at the end it is left alone, with what it holds.
 */
#include "callback.h"
#include "plugin.h"

#include "base/clock.h"
#include "base/plugin_call.h"
#include "base/text.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    THREADS = 4,       /* of a plugin whose tools are all reentrant */
    INIT_MS = 10 * 1000,
    LEAVE_MS = 1000, /* threads may take so long to end */
};

struct work { /* a call in line */
    struct work *next;
    const struct errand_tool *tool;
    errand_call *call;
    char *args;
    size_t len;
};

struct user { /* of one tool */
    struct user *next;
    struct er_inproc *plugin;
    const struct errand_tool *tool;
};

struct er_inproc {
    struct er_inproc *next;
    const struct errand_plugin *plugin;
    json_t *config; /* read once, by the thread that runs init */
    struct user *users;
    struct er_hub *hub; /* held: the way to the loop, as long as there is one */
    struct er_log log;

    pthread_mutex_t lock; /* over what follows */
    pthread_cond_t changed;
    struct work *first, *last;
    int threads;  /* alive */
    int idle;     /* of them */
    int most;
    bool closing;
    bool left; /* the registry is gone: the last thread frees this */
    bool is_claimed; /* a thread runs init, or did */
    bool is_starting, is_ready;
    void *self;
    char refusal[ER_PLUGIN_MESSAGE + 1];
};

/* --------------------------------------------------------------- the log */

struct line {
    struct er_post post;
    struct er_log log;
    int level;
    char text[ER_PLUGIN_LINE + 1];
};

static void on_line(void *ctx)
{
    struct line *l = ctx;
    struct er_buf plain;
    er_buf_init(&plain, 4000);
    if (er_text_plain(&plain, l->text, strlen(l->text)))
        er_log(&l->log, l->level, "tool: %s", er_buf_str(&plain));
    er_buf_release(&plain);
    free(l);
}

/* From the plugin's thread to the loop's. */
static void send_line(void *ctx, int level, const char *text, size_t len)
{
    struct er_inproc *p = ctx;
    struct line *l = calloc(1, sizeof *l);
    if (!l)
        return;
    l->log = p->log;
    l->level = level;
    memcpy(l->text, text, len);
    l->post = (struct er_post){.run = on_line, .cancel = free, .ctx = l};
    if (!er_hub_post(p->hub, &l->post))
        free(l);
}

/* ------------------------------------------------------------- the thread */

/* Its config and self are this thread's alone until is_ready is seen. */
static void run_init(struct er_inproc *p)
{
    struct er_plugin_call call;
    int32_t (*init)(void **, struct errand_tool_call *) =
        er_plugin_init(p->plugin);
    bool ok = true;
    size_t len = 0;
    const char *why = "it is out of memory";
    if (init && !er_plugin_call_init(&call, p->config, "", 1, INIT_MS)) {
        ok = false;
        len = strlen(why);
        memcpy(p->refusal, why, len);
    } else if (init) {
        call.log = send_line;
        call.ctx = p;
        ok = init(&p->self, &call.shown) == 0;
        bool answered;
        why = er_plugin_call_end(&call, &answered, &len);
        len = er_utf8_cut(why, len, ER_PLUGIN_MESSAGE);
        if (!ok)
            memcpy(p->refusal, why, len);
        er_plugin_call_release(&call);
    }
    pthread_mutex_lock(&p->lock);
    p->is_ready = ok;
    p->is_starting = false;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static json_t *ask(
    void *ctx, const char *service, json_t *params, struct er_buf *why)
{
    return er_callback_ask(ctx, service, params, why);
}

static bool is_over(void *ctx) { return er_callback_is_over(ctx); }

static void answer(struct er_plugin_call *c, errand_call *call)
{
    bool ok;
    size_t len;
    const char *text = er_plugin_call_end(c, &ok, &len);
    if (ok)
        errand_call_reply(call, text, len);
    else
        errand_call_fail(call, text); /* ended by a NUL */
}

static void run_call(struct er_inproc *p, struct work *w)
{
    struct er_plugin_call c;
    json_t *args = er_json_parse(w->args, w->len, ER_JSON_STRICT, NULL);
    bool ready = args &&
        er_plugin_call_init(&c, args, errand_call_key(w->call),
            er_callback_attempt(w->call),
            (uint32_t)er_callback_timeout_ms(w->call));
    json_decref(args);
    if (!ready) {
        errand_call_fail(w->call, "the tool ran out of memory");
        return;
    }
    c.log = send_line;
    c.ctx = p;
    c.ask = ask;
    c.ask_ctx = w->call;
    c.is_over = is_over;
    c.over_ctx = w->call;
    w->tool->run(p->self, &c.shown);
    answer(&c, w->call);
    er_plugin_call_release(&c);
}

static void do_work(struct er_inproc *p, struct work *w, bool ready)
{
    struct er_buf text;
    if (er_callback_is_over(w->call)) {
        errand_call_fail(w->call, "the call was given up before it began");
    } else if (ready) {
        run_call(p, w);
    } else {
        er_buf_init(&text, 8192);
        er_buf_addf(&text, "the tool's plugin refuses to start: %s",
            p->refusal);
        errand_call_fail(w->call, er_buf_str(&text));
        er_buf_release(&text);
    }
    free(w->args);
    free(w);
}

static void destroy(struct er_inproc *p)
{
    while (p->users) {
        struct user *u = p->users;
        p->users = u->next;
        free(u);
    }
    json_decref(p->config);
    er_hub_let_go(p->hub);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

/* The lock is held. The last thread of a plugin that nobody waits for frees
 * what is left. */
static void leave(struct er_inproc *p)
{
    void (*fini)(void *) = er_plugin_fini(p->plugin);
    bool last = p->threads == 1;
    if (last && fini && p->is_ready) {
        pthread_mutex_unlock(&p->lock);
        fini(p->self);
        pthread_mutex_lock(&p->lock);
    }
    p->threads--;
    bool mine = last && p->left;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    if (mine)
        destroy(p);
}

static void *thread(void *ctx)
{
    struct er_inproc *p = ctx;
    pthread_mutex_lock(&p->lock);
    bool mine = !p->is_claimed;
    p->is_claimed = true;
    pthread_mutex_unlock(&p->lock);
    if (mine)
        run_init(p);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        p->idle++;
        while ((!p->first || p->is_starting) && !p->closing)
            pthread_cond_wait(&p->changed, &p->lock);
        p->idle--;
        struct work *w = p->first;
        if (!w)
            break;
        p->first = w->next;
        if (!p->first)
            p->last = NULL;
        bool ready = p->is_ready;
        pthread_mutex_unlock(&p->lock);
        do_work(p, w, ready);
        pthread_mutex_lock(&p->lock);
    }
    leave(p);
    return NULL;
}

/* The lock is held. Signals stay with the threads of the program. */
static int start_thread(struct er_inproc *p)
{
    pthread_t id;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    p->threads++;
    int rc = pthread_create(&id, NULL, thread, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0)
        pthread_detach(id);
    else
        p->threads--;
    return rc;
}

/* ------------------------------------------------------- on the loop's side */

void er_inproc_run(
    void *user, errand_call *call, const char *args, size_t len)
{
    struct user *u = user;
    struct er_inproc *p = u->plugin;
    struct work *w = calloc(1, sizeof *w);
    if (w)
        w->args = er_strndup(args, len);
    if (!w || !w->args) {
        free(w);
        errand_call_fail(call, "the runtime ran out of memory");
        return;
    }
    w->tool = u->tool;
    w->call = call;
    w->len = len;
    pthread_mutex_lock(&p->lock);
    if (p->last)
        p->last->next = w;
    else
        p->first = w;
    p->last = w;
    if (p->idle == 0 && p->threads < p->most)
        start_thread(p); /* if it fails those that are there do it */
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static bool all_reentrant(const struct errand_plugin *p)
{
    for (size_t i = 0; p->tools[i]; i++)
        if (!(p->tools[i]->flags & ERRAND_TOOL_REENTRANT))
            return false;
    return true;
}

struct er_inproc *er_inproc_new(er_tools *t, const struct errand_plugin *p,
    const json_t *config, struct errand_error *err)
{
    struct er_inproc *in = calloc(1, sizeof *in);
    if (in && config)
        in->config = json_deep_copy(config);
    if (!in || (config && !in->config)) {
        free(in);
        er_nomem(err);
        return NULL;
    }
    in->plugin = p;
    in->log = t->log;
    in->hub = t->hub;
    er_hub_hold(in->hub);
    in->most = all_reentrant(p) ? THREADS : 1;
    in->is_starting = true;
    pthread_mutex_init(&in->lock, NULL);
    pthread_cond_init(&in->changed, NULL);
    pthread_mutex_lock(&in->lock);
    int rc = start_thread(in);
    pthread_mutex_unlock(&in->lock);
    if (rc != 0) {
        destroy(in);
        errno = rc;
        er_fail_errno(err, ERRAND_IO, "cannot start a thread for a plugin");
        return NULL;
    }
    in->next = t->inproc;
    t->inproc = in;
    return in;
}

void *er_inproc_user(struct er_inproc *p, const char *tool)
{
    const struct errand_tool *found = er_plugin_tool(p->plugin, tool);
    struct user *u = found ? calloc(1, sizeof *u) : NULL;
    if (!u)
        return NULL;
    u->plugin = p;
    u->tool = found;
    u->next = p->users;
    p->users = u;
    return u;
}

/* Calls that nobody waits for any more are given back; threads that are at
 * work get a moment to end. */
static void close_one(struct er_inproc *p)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LEAVE_MS / 1000;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->changed);
    int rc = 0;
    while (p->threads > 0 && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&p->changed, &p->lock, &until);
    bool gone = p->threads == 0;
    p->left = !gone;
    pthread_mutex_unlock(&p->lock);
    if (gone)
        destroy(p);
}

void er_inproc_free_all(er_tools *t)
{
    while (t->inproc) {
        struct er_inproc *p = t->inproc;
        t->inproc = p->next;
        close_one(p);
    }
}
