/* Plugins are loaded when somebody asks for them by name, never because they
 * lie somewhere: --plugin, errand_options.plugins, or a row in the
 * configuration. A name is looked up in the folders of plugins; what has a
 * slash in it, or ends as a shared object does, is a file. */
#include "agent/plugins.h"

#include "base/program_path.h"
#include "base/text.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef ERRAND_LIB
#define ERRAND_LIB "/usr/local/lib/errand"
#endif
#if defined(__APPLE__)
#define SUFFIX ".dylib"
#else
#define SUFFIX ".so"
#endif

static char **copy_list(const char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    char **copy = calloc(n + 1, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++) {
        copy[i] = er_strdup(list[i]);
        if (!copy[i]) {
            while (i > 0)
                free(copy[--i]);
            free(copy);
            return NULL;
        }
    }
    return copy;
}

static void free_list(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}

int er_plugins_keep(errand *rt, const struct errand_options *opt,
    struct errand_error *err)
{
    rt->plugins = copy_list(opt->plugins);
    rt->plugins_dirs = copy_list(opt->plugins_dirs);
    return rt->plugins && rt->plugins_dirs ? ERRAND_OK : er_nomem(err);
}

void er_plugins_release(errand *rt)
{
    free_list(rt->plugins);
    free_list(rt->plugins_dirs);
}

/* ---------------------------------------------------------------- finding */

/* Where a plugin of a name may lie; looked at in this order. */
struct search {
    const char *name;
    struct er_buf path;   /* of the one that is looked at */
    struct er_buf places; /* that were looked at, for the message */
};

/* Is it in dir? dir may be NULL: no such place. */
static bool look_in(struct search *s, const char *dir)
{
    if (!dir)
        return false;
    er_buf_reset(&s->path);
    er_buf_addf(&s->path, "%s/%s" SUFFIX, dir, s->name);
    er_buf_addf(&s->places, "%s%s", s->places.len ? ", " : "", dir);
    return access(er_buf_str(&s->path), F_OK) == 0;
}

/* Beside the program, where make leaves them, or where install does. */
static bool look_near_program(struct search *s)
{
    char self[4096];
    struct er_buf dir;
    ssize_t n = er_program_path(self, sizeof self);
    char *slash = n > 0 ? strrchr(self, '/') : NULL;
    bool found = false;
    er_buf_init(&dir, sizeof self + 64);
    if (slash) {
        er_buf_addf(&dir, "%.*s/plugins", (int)(slash - self), self);
        found = look_in(s, er_buf_str(&dir));
        er_buf_reset(&dir);
        er_buf_addf(
            &dir, "%.*s/../lib/errand/plugins", (int)(slash - self), self);
        found = found || look_in(s, er_buf_str(&dir));
    }
    er_buf_release(&dir);
    return found || look_in(s, ERRAND_LIB "/plugins");
}

static bool look(const errand *rt, struct search *s)
{
    for (size_t i = 0; rt->plugins_dirs[i]; i++)
        if (look_in(s, rt->plugins_dirs[i]))
            return true;
    if (look_in(s, "plugins"))
        return true;
    char *user = er_config_user_path("CONFIG", "plugins");
    bool found = look_in(s, user);
    free(user);
    return found || look_near_program(s);
}

/* Path of the plugin that is meant; caller frees. */
static char *find(
    const errand *rt, const char *wish, struct errand_error *err)
{
    struct search s = {.name = wish};
    char *path = NULL;
    if (strchr(wish, '/') || er_tool_is_plugin(wish))
        return er_strdup(wish);
    er_buf_init(&s.path, 16384);
    er_buf_init(&s.places, 16384);
    if (look(rt, &s))
        path = er_buf_take(&s.path, NULL);
    else
        er_fail(err, ERRAND_NOT_FOUND,
            "there is no plugin \"%.40s\": no %.40s" SUFFIX " in %s", wish,
            wish, er_buf_str(&s.places));
    er_buf_release(&s.path);
    er_buf_release(&s.places);
    return path;
}

/* The name a file's configuration stands under: without folder and suffix.
 * Caller frees. */
static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    return er_strndup(base, dot ? (size_t)(dot - base) : strlen(base));
}

/* ---------------------------------------------------------------- loading */

/* Its configuration as init gets it: without what is for errand. */
static json_t *config_for_init(const json_t *row)
{
    json_t *config = json_is_object(row) ? json_copy((json_t *)row) : NULL;
    json_object_del(config, "inproc");
    json_object_del(config, "file");
    return config;
}

static bool is_loaded(const errand *rt, const char *path)
{
    char real[PATH_MAX], other[PATH_MAX];
    if (!realpath(path, real))
        return false;
    for (size_t i = 0; i < er_tools_count(rt->tools); i++) {
        const struct er_tool *t = er_tools_at(rt->tools, i);
        if (strcmp(t->source, "plugin") == 0 && t->path &&
            realpath(t->path, other) && strcmp(real, other) == 0)
            return true;
    }
    return false;
}

static int load(errand *rt, const char *wish, const char *name,
    struct errand_error *err)
{
    const json_t *row = json_object_get(
        json_object_get(rt->config.value, "plugins"), name);
    char *path = find(rt, wish, err);
    if (!path)
        return err->code ? err->code : er_nomem(err);
    int rc = ERRAND_OK;
    if (!is_loaded(rt, path)) {
        json_t *config = config_for_init(row);
        struct er_plugin_wish w = {.path = path,
            .config = config,
            .inproc = json_is_true(json_object_get(row, "inproc")),
            .from_folder =
                json_object_get(rt->config.folder_plugins, name) != NULL};
        rc = er_tools_load_plugin(rt->tools, &w, err);
        json_decref(config);
    }
    free(path);
    return rc;
}

/* plugins = { NAME = {...} or true or false }, or a list of names. */
static int load_configured(errand *rt, struct errand_error *err)
{
    const json_t *rows = json_object_get(rt->config.value, "plugins");
    const char *name;
    size_t i;
    json_t *row;
    json_object_foreach((json_t *)rows, name, row)
    {
        const char *file = er_json_str(row, "file");
        int rc = json_is_false(row)
                     ? ERRAND_OK : load(rt, file ? file : name, name, err);
        if (rc != ERRAND_OK)
            return rc;
    }
    json_array_foreach(rows, i, row)
    {
        const char *text = json_string_value(row);
        int rc = load(rt, text, text, err);
        if (rc != ERRAND_OK)
            return rc;
    }
    return ERRAND_OK;
}

int er_plugins_load(errand *rt, struct errand_error *err)
{
    for (size_t i = 0; rt->plugins && rt->plugins[i]; i++) {
        char *name = name_of(rt->plugins[i]);
        int rc = name ? load(rt, rt->plugins[i], name, err) : er_nomem(err);
        free(name);
        if (rc != ERRAND_OK)
            return rc;
    }
    return load_configured(rt, err);
}
