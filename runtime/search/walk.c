/* Folder by folder, never through a symbolic link, so that it ends. */
#include "search/walk.h"

#include "base/buf.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MOST = 64, PATH_BYTES = 65536 };

char *er_path_absolute(const char *path)
{
    char *real = realpath(path, NULL);
    if (real)
        return real;
    struct er_buf out;
    er_buf_init(&out, PATH_BYTES);
    const char *slash = strrchr(path, '/');
    char *folder = slash ? er_strndup(path, (size_t)(slash - path) + 1)
                         : er_strdup(".");
    real = folder ? realpath(folder, NULL) : NULL;
    if (real)
        er_buf_addf(&out, "%s/%s", strcmp(real, "/") == 0 ? "" : real,
            slash ? slash + 1 : path);
    else
        er_buf_adds(&out, path);
    free(real);
    free(folder);
    return er_buf_take(&out, NULL);
}

static int add_file(struct er_files *f, const char *path,
    const struct stat *st, bool named, struct errand_error *err)
{
    if (f->n >= ER_FILES_MOST)
        return er_fail(err, ERRAND_TOO_LARGE,
            "more than %d files; index fewer at once", (int)ER_FILES_MOST);
    if (f->n == f->room) {
        size_t room = f->room ? f->room * 2 : 256;
        struct er_file *more = realloc(f->v, room * sizeof *more);
        if (!more)
            return er_nomem(err);
        f->v = more;
        f->room = room;
    }
    char *copy = er_arena_str(&f->arena, path);
    if (!copy)
        return er_nomem(err);
    f->v[f->n++] = (struct er_file){.path = copy, .size = st->st_size,
        .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 +
                    st->st_mtim.tv_nsec,
        .named = named};
    return ERRAND_OK;
}

static bool is_left_out(const char *name, bool hidden)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return true;
    return (name[0] == '.' && !hidden) || strcmp(name, "node_modules") == 0 ||
           strcmp(name, "__pycache__") == 0;
}

static int walk(struct er_files *f, struct er_buf *path, int depth,
    bool hidden, struct errand_error *err);

static int visit(struct er_files *f, struct er_buf *path, const char *name,
    int depth, bool hidden, struct errand_error *err)
{
    struct stat st;
    size_t before = path->len;
    int code = ERRAND_OK;
    if (!er_buf_addf(path, "%s%s", before == 1 ? "" : "/", name))
        return er_nomem(err);
    if (lstat(path->data, &st) != 0)
        code = ERRAND_OK; /* gone meanwhile */
    else if (S_ISREG(st.st_mode))
        code = add_file(f, path->data, &st, false, err);
    else if (S_ISDIR(st.st_mode) && depth < DEPTH_MOST)
        code = walk(f, path, depth + 1, hidden, err);
    path->len = before;
    path->data[before] = '\0';
    return code;
}

static int walk(struct er_files *f, struct er_buf *path, int depth,
    bool hidden, struct errand_error *err)
{
    DIR *dir = opendir(path->data);
    const struct dirent *entry;
    int code = ERRAND_OK;
    if (!dir && depth > 0)
        return ERRAND_OK; /* one of many that is not ours to read */
    if (!dir)
        return er_fail_errno(
            err, ERRAND_IO, "cannot read the folder %.150s", path->data);
    while (code == ERRAND_OK && (entry = readdir(dir)))
        if (!is_left_out(entry->d_name, hidden))
            code = visit(f, path, entry->d_name, depth, hidden, err);
    closedir(dir);
    return code;
}

static int add_root(struct er_files *f, const char *path, bool hidden,
    struct errand_error *err)
{
    struct stat st;
    char *absolute = er_path_absolute(path);
    char *copy = absolute ? er_arena_str(&f->arena, absolute) : NULL;
    free(absolute);
    if (!copy)
        return er_nomem(err);
    f->roots[f->n_roots++] = copy;
    if (stat(copy, &st) != 0)
        return ERRAND_OK;
    if (S_ISREG(st.st_mode))
        return add_file(f, copy, &st, true, err);
    if (!S_ISDIR(st.st_mode))
        return er_fail(err, ERRAND_USAGE,
            "%.150s is neither a file nor a folder", path);
    struct er_buf name;
    er_buf_init(&name, PATH_BYTES);
    er_buf_adds(&name, copy);
    int code =
        name.failed ? er_nomem(err) : walk(f, &name, 0, hidden, err);
    er_buf_release(&name);
    return code;
}

static int by_path(const void *a, const void *b)
{
    const struct er_file *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (int)y->named - (int)x->named;
}

int er_files_walk(struct er_files *f, const char *const *paths, size_t n,
    bool hidden, struct errand_error *err)
{
    *f = (struct er_files){.n = 0};
    er_arena_init(&f->arena);
    f->roots = er_arena_alloc(&f->arena, (n + 1) * sizeof *f->roots);
    if (!f->roots)
        return er_nomem(err);
    int code = ERRAND_OK;
    for (size_t i = 0; i < n && code == ERRAND_OK; i++)
        code = add_root(f, paths[i], hidden, err);
    if (code != ERRAND_OK || f->n == 0)
        return code;
    qsort(f->v, f->n, sizeof *f->v, by_path);
    size_t kept = 1;
    for (size_t i = 1; i < f->n; i++)
        if (strcmp(f->v[i].path, f->v[kept - 1].path) != 0)
            f->v[kept++] = f->v[i];
    f->n = kept;
    return ERRAND_OK;
}

void er_files_release(struct er_files *f)
{
    free(f->v);
    er_arena_release(&f->arena);
    *f = (struct er_files){.n = 0};
}
