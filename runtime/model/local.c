/* Exchanges with local models, and which models are loaded: one host per
 * file, for as long as the runtime. */
#include "model/local.h"

#include "base/text.h"
#include "engine/find.h"
#include "model/local_host.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOSTS = 16 };

struct er_locals {
    struct er_loop *loop;
    struct er_local_settings settings;
    bool has_settings;
    char *folder; /* of the models that came with errand, or NULL */
    struct er_host *hosts[HOSTS];
    size_t n_hosts;
};

struct local {
    struct er_exchange base;
    struct er_mail *mail;
};

/* ------------------------------------------------------------------ life */

struct er_locals *er_locals_new(struct er_loop *loop)
{
    struct er_locals *l = calloc(1, sizeof *l);
    if (l)
        l->loop = loop;
    return l;
}

void er_locals_free(struct er_locals *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n_hosts; i++)
        er_host_free(l->hosts[i]);
    er_local_settings_release(&l->settings);
    free(l->folder);
    free(l);
}

int er_locals_settings(struct er_locals *l, const json_t *settings,
    const char *folder, struct errand_error *err)
{
    char *copy = er_strdup(folder);
    if (folder && !copy)
        return er_nomem(err);
    free(l->folder);
    l->folder = copy;
    er_local_settings_release(&l->settings);
    int rc = er_local_settings_read(&l->settings, settings, err);
    l->has_settings = rc == ERRAND_OK;
    return rc;
}

/* -------------------------------------------------------------- finding */

static char *installed(const struct er_locals *l, const char *name)
{
    struct er_buf path;
    er_buf_init(&path, PATH_MAX);
    if (l->folder && !strchr(name, '/'))
        er_buf_addf(&path, "%s/%s.gguf", l->folder, name);
    char *found = path.len > 0 && access(path.data, R_OK) == 0
                      ? er_buf_take(&path, NULL) : NULL;
    er_buf_release(&path);
    return found;
}

static bool is_file(const char *path)
{
    return access(path, R_OK) == 0;
}

int er_locals_find(struct er_locals *l, const char *name, char **path,
    struct errand_error *err)
{
    int rc = er_find_model(name, path, err);
    if (rc == ERRAND_NOT_FOUND && (*path = installed(l, name)))
        return ERRAND_OK;
    if (rc == ERRAND_OK && !is_file(*path)) {
        rc = er_fail_errno(err, ERRAND_NOT_FOUND,
            "cannot read the model file %.120s", *path);
        free(*path);
        *path = NULL;
    }
    return rc;
}

int er_locals_describe(struct er_locals *l, const char *name, char **json,
    struct errand_error *err)
{
    char *path = NULL;
    int rc = er_locals_find(l, name, &path, err);
    if (rc == ERRAND_OK)
        rc = er_local_describe(
            path, l->settings.context, l->settings.cache, json, err);
    free(path);
    return rc;
}

/* ----------------------------------------------------------------- hosts */

static int no_more_hosts(struct errand_error *err)
{
    return er_fail(err, ERRAND_TOO_LARGE,
        "%d local models are loaded already; use fewer in one process",
        HOSTS);
}

/* Hand a job to the file's host. One that could not load is replaced: the
 * file or the memory may be there by now. */
static int submit(struct er_locals *l, const char *path, struct er_job *j,
    struct errand_error *err)
{
    size_t i = 0;
    while (i < l->n_hosts && strcmp(er_host_path(l->hosts[i]), path) != 0)
        i++;
    if (i < l->n_hosts && er_host_submit(l->hosts[i], j))
        return ERRAND_OK;
    if (i < l->n_hosts) {
        er_host_free(l->hosts[i]);
        l->hosts[i] = l->hosts[--l->n_hosts];
    }
    if (l->n_hosts == HOSTS)
        return no_more_hosts(err);
    struct er_host *h = NULL;
    int rc = er_host_new(path, &l->settings, j, &h, err);
    if (rc == ERRAND_OK)
        l->hosts[l->n_hosts++] = h;
    return rc;
}

/* ------------------------------------------------------------- exchanges */

static void destroy(struct er_exchange *x)
{
    struct local *l = (struct local *)x;
    er_mail_leave(l->mail);
    er_exchange_release(x);
    free(l);
}

static void on_mail(void *ctx, const struct er_model_event *ev)
{
    struct local *l = ctx;
    bool last = ev->type == ER_MODEL_DONE || ev->type == ER_MODEL_ERROR;
    if (!er_exchange_emit(&l->base, ev) || last)
        destroy(&l->base);
}

/* Copy the request and queue it; the mail's other side goes with the job. */
static int send_job(struct er_locals *l, struct local *x, const char *path,
    const struct er_model_request *req, struct errand_error *err)
{
    struct er_ask ask;
    int rc = er_ask_init(&ask, req, err);
    if (rc != ERRAND_OK)
        return rc;
    struct er_job *j = er_job_new(&ask, x->mail);
    if (!j) {
        er_ask_release(&ask);
        return er_nomem(err);
    }
    rc = submit(l, path, j, err);
    if (rc != ERRAND_OK)
        er_job_free(j);
    return rc;
}

static int begin(struct er_locals *l, struct local *x, const char *path,
    const struct er_model_request *req, struct errand_error *err)
{
    int rc = l->has_settings ? ERRAND_OK
                             : er_locals_settings(l, NULL, l->folder, err);
    if (rc == ERRAND_OK)
        rc = send_job(l, x, path, req, err);
    if (rc != ERRAND_OK) /* the engine's side, which nobody took */
        er_mail_end(x->mail,
            &(struct er_model_event){.type = ER_MODEL_DONE});
    return rc;
}

/* The exchange, listed, and its mail; NULL: no memory. */
static struct local *open_exchange(struct er_models *models,
    const char *model, const struct er_model_request *req,
    er_model_event_fn on_event, void *ctx)
{
    struct local *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->base.destroy = destroy;
    if (er_exchange_init(&x->base, models, model, req, NULL, on_event, ctx,
            NULL) != ERRAND_OK) {
        free(x);
        return NULL;
    }
    x->mail = er_mail_new(models->loop, on_mail, x);
    if (x->mail)
        return x;
    er_exchange_release(&x->base);
    free(x);
    return NULL;
}

int er_locals_start(struct er_models *models, struct er_locals *l,
    const char *model, const char *name, const struct er_model_request *req,
    er_model_event_fn on_event, void *ctx, struct er_exchange **out,
    struct errand_error *err)
{
    char *found = NULL;
    int rc = er_locals_find(l, name, &found, err);
    if (rc != ERRAND_OK)
        return rc;
    char *path = realpath(found, NULL);
    struct local *x =
        path ? open_exchange(models, model, req, on_event, ctx) : NULL;
    rc = x ? begin(l, x, path, req, err) : er_nomem(err);
    free(found);
    free(path);
    if (rc == ERRAND_OK)
        *out = &x->base;
    else if (x)
        destroy(&x->base);
    return rc;
}
