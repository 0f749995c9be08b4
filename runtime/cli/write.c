/* Writing beside, then renaming: a reader never sees half a file. */
#include "write.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where to write: behind links, and straight into what is no regular file
 * (a pipe, /dev/null), which must not be replaced. */
static bool place(struct er_write *w, const char *path)
{
    struct stat st;
    char *real = realpath(path, NULL);
    bool regular = !real || stat(real, &st) != 0 || S_ISREG(st.st_mode);
    int n = snprintf(w->path, sizeof w->path, "%s", real ? real : path);
    free(real);
    if (n < 0 || (size_t)n >= sizeof w->path)
        return false;
    w->temporary[0] = '\0';
    if (regular)
        snprintf(w->temporary, sizeof w->temporary, "%s.%ld.tmp", w->path,
            (long)getpid());
    return true;
}

int er_write_begin(
    struct er_write *w, const char *path, struct errand_error *err)
{
    w->file = NULL;
    if (!place(w, path))
        return er_fail(err, ERRAND_USAGE,
            "the file's name is longer than %zu bytes: %.60s...",
            sizeof w->path - 1, path);
    w->file = fopen(w->temporary[0] ? w->temporary : w->path, "we");
    if (!w->file)
        return er_fail_errno(err, ERRAND_IO,
            "cannot write %.150s; choose another folder", path);
    return ERRAND_OK;
}

int er_write_commit(struct er_write *w, struct errand_error *err)
{
    FILE *file = w->file;
    w->file = NULL;
    bool moves = w->temporary[0] != '\0';
    int bad = ferror(file) || fflush(file) != 0 ||
              (moves && fsync(fileno(file)) != 0);
    int code = ERRAND_OK;
    if (bad)
        code = er_fail_errno(
            err, ERRAND_IO, "cannot write %.150s", w->path);
    fclose(file);
    if (!code && moves && rename(w->temporary, w->path) != 0)
        code = er_fail_errno(
            err, ERRAND_IO, "cannot write %.150s", w->path);
    if (code && moves)
        unlink(w->temporary);
    return code;
}

void er_write_cancel(struct er_write *w)
{
    if (!w->file)
        return;
    fclose(w->file);
    if (w->temporary[0])
        unlink(w->temporary);
    w->file = NULL;
}

int er_write_file(const char *path, const char *text, size_t len,
    struct errand_error *err)
{
    struct er_write w;
    int code = er_write_begin(&w, path, err);
    if (code)
        return code;
    fwrite(text, 1, len, w.file);
    return er_write_commit(&w, err);
}
