/* Holding files against the lists. */
#define _GNU_SOURCE /* O_PATH */
#include "guard.h"

#include "base/text.h"
#include "roots.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { DEEPEST = 4096 /* folders above a file */ };

/* A configuration file of this name is read wherever errand is started. */
static const char config_name[] = "errand.lua";

static bool take_list(char ***out, size_t *count, const json_t *list)
{
    char cwd[PATH_MAX] = "/", path[PATH_MAX];
    size_t n = json_array_size(list);
    if (n > ER_GUARD_MOST || (list && !json_is_array(list)) ||
        !getcwd(cwd, sizeof cwd))
        return false;
    *out = calloc(n ? n : 1, sizeof **out);
    for (size_t i = 0; *out && i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || !er_path_absolute(cwd, text, path))
            return false;
        (*out)[i] = er_strdup(path);
        if (!(*out)[i])
            return false;
        (*count)++;
    }
    return *out != NULL;
}

bool er_guard_open(struct er_guard *g, const json_t *request)
{
    *g = (struct er_guard){0};
    return take_list(&g->secret, &g->secrets,
               json_object_get(request, "secret")) &&
           take_list(
               &g->fixed, &g->fixeds, json_object_get(request, "fixed"));
}

void er_guard_release(struct er_guard *g)
{
    for (size_t i = 0; i < g->secrets; i++)
        free(g->secret[i]);
    for (size_t i = 0; i < g->fixeds; i++)
        free(g->fixed[i]);
    free(g->secret);
    free(g->fixed);
    *g = (struct er_guard){0};
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_at(const char *path, const struct stat *st)
{
    struct stat there;
    return stat(path, &there) == 0 && is_same(&there, st);
}

/* The folder part of an absolute path in out; its name is returned. */
static const char *split(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash == path ? 1 : (size_t)(slash - path);
    memcpy(out, path, n);
    out[n] = '\0';
    return slash + 1;
}

/* Is path the name in the folder? */
static bool is_entry(
    const char *path, const struct stat *folder, const char *name)
{
    char above[PATH_MAX];
    return strcmp(split(path, above), name) == 0 && is_at(above, folder);
}

bool er_guard_is_secret(const struct er_guard *g, const struct stat *st)
{
    for (size_t i = 0; i < g->secrets; i++)
        if (is_at(g->secret[i], st))
            return true;
    return false;
}

static bool is_listed(char *const *list, size_t n, const struct stat *folder,
    const char *name, const struct stat *file)
{
    for (size_t i = 0; i < n; i++)
        if (is_entry(list[i], folder, name) ||
            (file && is_at(list[i], file)))
            return true;
    return false;
}

/* Is the open folder, or one above it, on the list of what is fixed? */
static bool is_inside_fixed(const struct er_guard *g, int dir)
{
    struct stat st, before = {0};
    bool found = false;
    int fd = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; !found && fd >= 0 && i < DEEPEST; i++) {
        if (fstat(fd, &st) != 0 || (i > 0 && is_same(&st, &before)))
            break; /* the top: ".." of it is itself */
        for (size_t k = 0; k < g->fixeds; k++)
            found = found || is_at(g->fixed[k], &st);
        before = st;
        int above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(fd);
        fd = above;
    }
    if (fd >= 0)
        close(fd);
    return found;
}

bool er_guard_is_fixed(const struct er_guard *g, int dir, const char *name)
{
    struct stat folder, file;
    bool is_there = fstatat(dir, name, &file, AT_SYMLINK_NOFOLLOW) == 0;
    const struct stat *it = is_there ? &file : NULL;
    if (strcasecmp(name, config_name) == 0 || fstat(dir, &folder) != 0)
        return true;
    return is_listed(g->secret, g->secrets, &folder, name, it) ||
           is_listed(g->fixed, g->fixeds, &folder, name, it) ||
           is_inside_fixed(g, dir);
}

/* Is the folder one of those on the way to path? */
static bool is_on_way(const char *path, const struct stat *folder)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    memcpy(part, path, n + 1);
    while (n > 1) {
        while (n > 0 && part[n - 1] != '/')
            n--;
        while (n > 1 && part[n - 1] == '/')
            n--;
        part[n ? n : 1] = '\0';
        if (is_at(part, folder))
            return true;
    }
    return false;
}

bool er_guard_is_above(const struct er_guard *g, const struct stat *folder)
{
    for (size_t i = 0; i < g->secrets; i++)
        if (is_on_way(g->secret[i], folder))
            return true;
    for (size_t i = 0; i < g->fixeds; i++)
        if (is_on_way(g->fixed[i], folder))
            return true;
    return false;
}
