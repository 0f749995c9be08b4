/* Keys are read whole, checked, and never stand in a message. */
#include "model/key.h"

#include "base/buf.h"
#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "~/x" is in the home folder. */
static bool expand_home(const char *path, struct er_buf *out)
{
    const char *home = getenv("HOME");
    if (strncmp(path, "~/", 2) == 0 && home && *home) {
        er_buf_adds(out, home);
        path++;
    }
    return er_buf_adds(out, path);
}

static int read_file(
    const char *path, struct er_buf *out, struct errand_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return er_fail_errno(
            err, ERRAND_AUTH, "cannot open api_key_file '%.120s'", path);
    char piece[1024];
    ssize_t n;
    while ((n = read(fd, piece, sizeof piece)) > 0 ||
           (n < 0 && errno == EINTR)) {
        if (n > 0 && !er_buf_add(out, piece, (size_t)n))
            break;
    }
    explicit_bzero(piece, sizeof piece);
    int rc = ERRAND_OK;
    if (n < 0)
        rc = er_fail_errno(
            err, ERRAND_AUTH, "cannot read api_key_file '%.120s'", path);
    else if (out->failed)
        rc = er_fail(err, ERRAND_AUTH,
            "api_key_file '%.120s' is too large to be a key", path);
    close(fd);
    return rc;
}

int er_key_take(const char *text, const char *source, char **out,
    struct errand_error *err)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    if (n == 0 || n > ER_KEY_MAX)
        return er_fail(err, ERRAND_AUTH, "%s holds no key", source);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c >= 0x7f)
            return er_fail(err, ERRAND_AUTH,
                "%s holds no key: there is a space, a control character or "
                "a letter beyond ASCII in it",
                source);
    }
    *out = er_strndup(text, n);
    return *out ? ERRAND_OK : er_nomem(err);
}

int er_key_read(const char *file, char **out, struct errand_error *err)
{
    struct er_buf path, text;
    er_buf_init(&path, 4096);
    er_buf_init(&text, ER_KEY_MAX);
    int rc = ERRAND_OK;
    if (!expand_home(file, &path))
        rc = er_fail(err, ERRAND_AUTH, "api_key_file is too long a path");
    if (rc == ERRAND_OK)
        rc = read_file(er_buf_str(&path), &text, err);
    if (rc == ERRAND_OK)
        rc = er_key_take(er_buf_str(&text), file, out, err);
    if (text.data)
        explicit_bzero(text.data, text.cap);
    er_buf_release(&path);
    er_buf_release(&text);
    return rc;
}
