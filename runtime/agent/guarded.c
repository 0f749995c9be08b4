/* The lists for er_tools_guard. */
#include "agent/guarded.h"

#include "base/text.h"

#include <stdlib.h>

enum { LISTED_MOST = 120 };

struct list {
    char *paths[LISTED_MOST + 1]; /* ends with NULL */
    size_t n;
    bool failed;
};

/* path is taken; NULL is nothing to add. */
static void add(struct list *l, char *path)
{
    if (path && l->n < LISTED_MOST)
        l->paths[l->n++] = path;
    else
        free(path);
}

static void add_copy(struct list *l, const char *path)
{
    char *copy = path ? er_strdup(path) : NULL;
    if (path && !copy)
        l->failed = true;
    add(l, copy);
}

static void release(struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->paths[i]);
}

/* The database, what SQLite and the store put beside it, and its backups. */
static void list_store(struct list *l, const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal",
        ".lock", ".open", ".v1.backup", ".v2.backup", ".v3.backup",
        ".v4.backup", ".v5.backup", ".v6.backup", ".v7.backup",
        ".v8.backup", ".v9.backup", ".docs", ".docs-wal", ".docs-shm",
        ".docs-journal", ".docs.lock"};
    for (size_t i = 0; path && i < sizeof ends / sizeof ends[0]; i++) {
        struct er_buf name;
        er_buf_init(&name, 64 * 1024);
        er_buf_addf(&name, "%s%s", path, ends[i]);
        l->failed = l->failed || name.failed;
        add(l, er_buf_take(&name, NULL));
    }
}

static void list_fixed(struct list *l, errand *rt, const char *config_path)
{
    static const char *const here[] = {
        "errand.lua", "tools", "plugins", "agents"};
    const json_t *dirs = json_object_get(rt->config.value, "tools_dirs");
    size_t i;
    json_t *v;
    for (i = 0; i < sizeof here / sizeof here[0]; i++)
        add_copy(l, here[i]);
    add_copy(l, config_path);
    add(l, er_config_user_path("CONFIG", ""));
    for (i = 0; rt->tools_dirs && rt->tools_dirs[i]; i++)
        add_copy(l, rt->tools_dirs[i]);
    json_array_foreach(dirs, i, v)
        add_copy(l, json_string_value(v));
}

int er_guarded_tell(errand *rt, const char *store_path,
    const char *config_path, struct errand_error *err)
{
    struct list secret = {0}, fixed = {0};
    list_store(&secret, store_path);
    list_fixed(&fixed, rt, config_path);
    int rc = secret.failed || fixed.failed
                 ? er_nomem(err)
                 : er_tools_guard(rt->tools,
                       (const char *const *)secret.paths,
                       (const char *const *)fixed.paths, err);
    release(&secret);
    release(&fixed);
    return rc;
}
