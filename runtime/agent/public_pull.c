/* errand_models_pull: from where, with which token, to where. */
#include "agent/runtime.h"
#include "model/catalogue.h"
#include "model/key.h"
#include "model/pull.h"
#include "model/url.h"

#include <stdlib.h>
#include <string.h>

static const char default_hub[] = "https://huggingface.co";

int errand_models_known(char **json, struct errand_error *err)
{
    json_t *list = json_array();
    const struct er_known *k;
    bool ok = list != NULL;
    for (size_t i = 0; ok && (k = er_known_at(i)); i++)
        ok = json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}",
                 "name", k->name, "repo", k->repo, "file", k->file,
                 "license", k->license)) == 0;
    *json = ok ? er_json_text(list) : NULL;
    json_decref(list);
    return *json ? ERRAND_OK : er_nomem(err);
}

struct pull {
    errand *rt;
    const struct errand_pull *opt;
    char *hub, *token, *dir;
};

static const char *set(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

/* The base address without a '/' at its end. */
static int find_hub(
    struct pull *p, const json_t *config, struct errand_error *err)
{
    const char *url = set("ERRAND_HUB");
    url = url ? url : set("HF_ENDPOINT");
    url = url ? url : er_json_str(config, "url");
    p->hub = strdup(url ? url : default_hub);
    if (!p->hub)
        return er_nomem(err);
    for (size_t n = strlen(p->hub); n > 0 && p->hub[n - 1] == '/'; n--)
        p->hub[n - 1] = '\0';
    int rc = er_url_check(p->hub, NULL, err);
    return rc == ERRAND_OK ? rc : er_while(err, "the hub's address");
}

static int find_token(
    struct pull *p, const json_t *config, struct errand_error *err)
{
    const char *name = er_json_str(config, "token_env");
    const char *file = er_json_str(config, "token_file");
    name = name ? name : "HF_TOKEN";
    if (set(name))
        return er_key_take(set(name), name, &p->token, err);
    return file ? er_key_read(file, &p->token, err) : ERRAND_OK;
}

static int find_dir(
    struct pull *p, const json_t *config, struct errand_error *err)
{
    const char *dir = p->opt ? p->opt->dir : NULL;
    dir = dir ? dir : er_json_str(config, "dir");
    p->dir = dir ? strdup(dir) : er_pull_dir();
    return p->dir ? ERRAND_OK
                  : er_fail(err, ERRAND_CONFIG, "there is no folder for "
                        "models: HOME is not set; name one with --dir");
}

static bool on_progress(void *ctx, const struct errand_progress *progress)
{
    const struct errand_pull *opt = ((struct pull *)ctx)->opt;
    return opt->on_progress(opt->user, progress) == 0;
}

int errand_models_pull(errand *rt, const char *what,
    const struct errand_pull *opt, char **json, struct errand_error *err)
{
    struct pull p = {.rt = rt, .opt = opt};
    struct errand_error mine = {0};
    const json_t *config = json_object_get(rt->config.value, "hub");
    json_t *answer = NULL;
    int rc = find_hub(&p, config, &mine);
    if (rc == ERRAND_OK)
        rc = find_token(&p, config, &mine);
    if (rc == ERRAND_OK)
        rc = find_dir(&p, config, &mine);
    struct er_pull wish = {.what = what, .dir = p.dir, .hub = p.hub,
        .token = p.token, .sha256 = opt ? opt->sha256 : NULL,
        .on_progress = opt && opt->on_progress ? on_progress : NULL,
        .ctx = &p};
    if (rc == ERRAND_OK)
        rc = er_pull(&wish, &answer, &mine);
    if (rc == ERRAND_OK) {
        *json = er_json_text(answer);
        rc = *json ? ERRAND_OK : er_nomem(&mine);
    }
    json_decref(answer);
    free(p.hub);
    free(p.token);
    free(p.dir);
    if (rc != ERRAND_OK && err)
        *err = mine;
    return rc;
}
