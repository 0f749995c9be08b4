/* A new plugin is plugins/template.c, which lies inside the library, with its
 * names put in: so what is handed out is what the tests build and run. */
#include "new_plugin.h"

#include "base/embedded.h"
#include "new_file.h"

#include <string.h>

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

static int make(struct er_cli *cli, const char *dir, const char *name,
    struct errand_error *err)
{
    struct er_buf text, path;
    size_t len;
    const char *template = er_embedded("template.c", &len);
    er_buf_init(&text, 1 << 20);
    fill_in(&text, template ? template : "", name);
    int rc = er_cli_new_file(cli, dir, name, "c", &text, &path, err);
    if (rc == ERRAND_OK)
        er_term_note(&cli->term, ER_DIM, "edit it, then: cc -shared -fPIC "
            "-fvisibility=hidden -o %s/%s.so %s", dir, name,
            er_buf_str(&path));
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
