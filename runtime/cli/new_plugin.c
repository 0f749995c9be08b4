/* A new plugin is plugins/template.c, which lies inside the library, with its
 * names put in: so what is handed out is what the tests build and run. */
#include "new_plugin.h"

#include "base/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Length of a name of the template's at s, 0 if there is none: it makes room
 * for the new one. */
static size_t name_at(const char *s)
{
    static const char *const names[] = {"word_count", "NAME", "template\""};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(s, names[i], strlen(names[i])) == 0)
            return strcspn(names[i], "\"");
    return 0;
}

static void fill_in(struct er_buf *out, const char *text, const char *name)
{
    while (*text) {
        size_t n = name_at(text);
        if (n > 0)
            er_buf_adds(out, name);
        else
            er_buf_addc(out, *text);
        text += n > 0 ? n : 1;
    }
}

/* Make the file, which must not be there. */
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

static int make(struct er_cli *cli, const char *dir, const char *name,
    struct errand_error *err)
{
    struct er_buf text, path;
    size_t len;
    const char *template = er_embedded("template.c", &len);
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return er_fail_errno(
            err, ERRAND_IO, "cannot make the folder %.120s", dir);
    er_buf_init(&text, 1 << 20);
    er_buf_init(&path, 16384);
    er_buf_addf(&path, "%s/%s.c", dir, name);
    fill_in(&text, template ? template : "", name);
    int rc = path.failed || text.failed
                 ? er_fail(err, ERRAND_USAGE, "the folder's name is too long")
                 : write_new(er_buf_str(&path), &text, err);
    if (rc == ERRAND_OK) {
        er_term_outf(&cli->term, "%s\n", er_buf_str(&path));
        er_term_note(&cli->term, ER_DIM, "edit it, then: cc -shared -fPIC "
            "-fvisibility=hidden -o %s/%s.so %s", dir, name,
            er_buf_str(&path));
    }
    er_buf_release(&text);
    er_buf_release(&path);
    return rc;
}

int er_cli_new_plugin(struct er_cli *cli, const char *name)
{
    struct errand_error err = {0};
    const char *dir = cli->args.dir ? cli->args.dir : "plugins";
    return make(cli, dir, name, &err) == ERRAND_OK ? ER_EXIT_DONE
                                                   : er_cli_fail(cli, &err);
}
