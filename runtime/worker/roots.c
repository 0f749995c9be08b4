/* Opening what was granted. */
#define _GNU_SOURCE /* O_PATH */
#include "roots.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool er_path_absolute(const char *cwd, const char *path, char *out)
{
    const char *parts[2] = {path[0] == '/' ? "" : cwd, path};
    size_t len = 0;
    for (size_t i = 0; i < 2; i++) {
        for (const char *p = parts[i]; *p;) {
            size_t n = strcspn(p, "/");
            if (n == 2 && p[0] == '.' && p[1] == '.') {
                while (len > 0 && out[--len] != '/')
                    ;
            } else if (n > 0 && !(n == 1 && p[0] == '.')) {
                if (len + 1 + n >= PATH_MAX)
                    return false;
                out[len++] = '/';
                memcpy(out + len, p, n);
                len += n;
            }
            p += n + (p[n] == '/');
        }
    }
    if (len == 0)
        out[len++] = '/';
    out[len] = '\0';
    return true;
}

const char *er_path_below(const char *path, const char *root)
{
    size_t n = strlen(root);
    if (n == 1) /* "/" */
        return path + 1;
    if (strncmp(path, root, n) != 0 || (path[n] != '/' && path[n]))
        return NULL;
    return path[n] ? path + n + 1 : path + n;
}

static bool open_root(struct er_root *root, const char *path, bool make)
{
    char cwd[PATH_MAX] = "/", given[PATH_MAX];
    struct stat st;
    *root = (struct er_root){.fd = -1};
    if (!getcwd(cwd, sizeof cwd) || !er_path_absolute(cwd, path, given))
        return false;
    root->given = er_strdup(given);
    if (!root->given)
        return false;
    root->fd = open(given, O_PATH | O_CLOEXEC);
    if (root->fd < 0 && make && mkdir(given, 0777) == 0)
        root->fd = open(given, O_PATH | O_CLOEXEC);
    if (root->fd < 0 || fstat(root->fd, &st) != 0)
        return true;
    root->is_folder = S_ISDIR(st.st_mode);
    root->real = realpath(given, NULL);
    return true;
}

bool er_roots_open(struct er_roots *roots, const json_t *list, bool make)
{
    size_t n = json_array_size(list);
    *roots = (struct er_roots){0};
    if (n > ER_ROOTS_MOST || (list && !json_is_array(list)))
        return false;
    roots->list = calloc(n ? n : 1, sizeof *roots->list);
    if (!roots->list)
        return false;
    for (size_t i = 0; i < n; i++) {
        const char *path = json_string_value(json_array_get(list, i));
        if (!path || !open_root(&roots->list[roots->n++], path, make))
            return false;
    }
    return true;
}

/* Where name is found among the folders of programs; NULL: nowhere. */
static const char *find_program(const char *name, char *out, size_t room)
{
    static const char *const folders[] = {
        "/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin",
        "/usr/sbin", "/sbin"};
    if (strchr(name, '/'))
        return name;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        int n = snprintf(out, room, "%s/%s", folders[i], name);
        if (n > 0 && (size_t)n < room && access(out, X_OK) == 0)
            return out;
    }
    return NULL;
}

bool er_roots_open_programs(struct er_roots *roots, const json_t *list)
{
    size_t n = json_array_size(list);
    *roots = (struct er_roots){0};
    if (n > ER_ROOTS_MOST || (list && !json_is_array(list)))
        return false;
    roots->list = calloc(n ? n : 1, sizeof *roots->list);
    if (!roots->list)
        return false;
    for (size_t i = 0; i < n; i++) {
        char found[PATH_MAX];
        const char *name = json_string_value(json_array_get(list, i));
        const char *path =
            name ? find_program(name, found, sizeof found) : NULL;
        if (!name)
            return false;
        if (path && !open_root(&roots->list[roots->n++], path, false))
            return false;
    }
    return true;
}

void er_roots_release(struct er_roots *roots)
{
    for (size_t i = 0; i < roots->n; i++) {
        struct er_root *root = &roots->list[i];
        if (root->fd >= 0)
            close(root->fd);
        free(root->given);
        free(root->real);
    }
    free(roots->list);
    *roots = (struct er_roots){0};
}
