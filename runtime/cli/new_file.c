/* Writing the file that a user begins with, never over another. */
#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool er_cli_is_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return len >= 1 && len <= 64 && name[len] == '\0';
}

static int write_new(
    const char *path, const struct er_buf *text, struct errand_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        return er_fail(err, ERRAND_EXISTS,
            "%.120s is there already and is left as it is; choose another "
            "name", path);
    if (fd < 0)
        return er_fail_errno(err, ERRAND_IO, "cannot write %.120s", path);
    size_t done = 0;
    ssize_t n = 0;
    while (done < text->len && n >= 0) {
        n = write(fd, text->data + done, text->len - done);
        done += n > 0 ? (size_t)n : 0;
    }
    if (close(fd) != 0 || n < 0)
        return er_fail_errno(err, ERRAND_IO, "cannot write %.120s", path);
    return ERRAND_OK;
}

int er_cli_new_file(struct er_cli *cli, const char *dir, const char *name,
    const char *ext, const struct er_buf *text, struct er_buf *path,
    struct errand_error *err)
{
    er_buf_init(path, 16384);
    er_buf_addf(path, "%s/%s.%s", dir, name, ext);
    if (path->failed || text->failed)
        return er_fail(
            err, ERRAND_USAGE, "the folder's name is too long: %.80s", dir);
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return er_fail_errno(
            err, ERRAND_IO, "cannot make the folder %.120s", dir);
    int rc = write_new(er_buf_str(path), text, err);
    if (rc == ERRAND_OK)
        er_term_outf(&cli->term, "%s\n", er_buf_str(path));
    return rc;
}
