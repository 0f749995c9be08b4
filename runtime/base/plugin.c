/* Loading shared objects, and telling each way in which one is wrong.
 *
 * A plugin is never unloaded: threads, destructors and pointers that it left
 * behind would outlive their code.
 */
#include "base/plugin.h"

#include "base/sha256.h"
#include "base/text.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------- the file */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Is it what the system's loader takes? Elsewhere than on Linux the loader
 * itself says so. */
static bool looks_loadable(const char *bytes, size_t len)
{
#if defined(__linux__)
    return len >= 4 && memcmp(bytes, "\177ELF", 4) == 0;
#else
    (void)bytes;
    return len >= 4;
#endif
}

static int hash_all(
    int fd, const char *path, char version[17], struct errand_error *err)
{
    char bytes[16384];
    unsigned char digest[32];
    struct er_sha256 sha;
    bool first = true;
    er_sha256_init(&sha);
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return er_fail_errno(err, ERRAND_IO, "cannot read %s", path);
        if (first && !looks_loadable(bytes, (size_t)n))
            return er_fail(err, ERRAND_SYNTAX,
                "%s is not a shared object (ELF file): build it with "
                "cc -shared -fPIC", path);
        if (n == 0)
            break;
        first = false;
        er_sha256_add(&sha, bytes, (size_t)n);
    }
    er_sha256_end(&sha, digest);
    er_hex(digest, 8, version);
    return ERRAND_OK;
}

static int hash_file(const char *path, char version[17], struct stat *st,
    struct errand_error *err)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return er_fail_errno(err,
            errno == ENOENT ? ERRAND_NOT_FOUND : ERRAND_IO,
            "cannot read the plugin %s", path);
    int rc = ERRAND_OK;
    if (fstat(fd, st) != 0)
        rc = er_fail_errno(err, ERRAND_IO, "cannot read %s", path);
    else if (!S_ISREG(st->st_mode))
        rc = er_fail(err, ERRAND_SYNTAX, "%s is not a file", path);
    else if (st->st_size > ER_PLUGIN_FILE)
        rc = er_fail(err, ERRAND_TOO_LARGE,
            "%s is over 256 MiB, which no plugin needs", path);
    else
        rc = hash_all(fd, path, version, err);
    close(fd);
    return rc;
}

/* ------------------------------------------------------------ the object */

/* The loader's last words, without the path they begin with. */
static const char *loader_says(const char *path)
{
    const char *text = dlerror();
    size_t n = strlen(path);
    if (!text)
        return "the loader does not say why";
    if (strncmp(text, path, n) == 0 && text[n] == ':')
        text += n + 1;
    while (*text == ' ')
        text++;
    return text;
}

static void *open_object(const char *path, struct errand_error *err)
{
    struct er_buf full; /* with a slash, so that it is no library's name */
    er_buf_init(&full, 8192);
    er_buf_addf(&full, "%s%s", strchr(path, '/') ? "" : "./", path);
    void *object = dlopen(er_buf_str(&full), RTLD_NOW | RTLD_LOCAL);
    if (!object)
        er_fail(err, ERRAND_SYNTAX,
            "%s cannot be loaded: %.120s; link it with what it needs", path,
            loader_says(er_buf_str(&full)));
    er_buf_release(&full);
    return object;
}

/* A pointer to a function does not fit into void * in ISO C: copy it. */
static const struct errand_plugin *ask_entry(
    void *object, const char *path, struct errand_error *err)
{
    const struct errand_plugin *(*entry)(void);
    void *symbol = dlsym(object, "errand_plugin_main");
    if (!symbol) {
        er_fail(err, ERRAND_SYNTAX,
            "%s has no function errand_plugin_main that others can see; "
            "include errand/tool.h, which declares it so", path);
        return NULL;
    }
    memcpy(&entry, &symbol, sizeof entry);
    const struct errand_plugin *p = entry();
    return er_plugin_accept(p, path, err) == ERRAND_OK ? p : NULL;
}

const struct errand_plugin *er_plugin_load(const char *path,
    const char *expected, char version[17], struct errand_error *err)
{
    struct stat before, after;
    if (hash_file(path, version, &before, err) != ERRAND_OK)
        return NULL;
    if (expected && *expected && strcmp(expected, version) != 0) {
        er_fail(err, ERRAND_STATE,
            "%s was changed after it was loaded, so it was not run", path);
        return NULL;
    }
    void *object = open_object(path, err);
    if (!object)
        return NULL;
    if (stat(path, &after) != 0 || !same_file(&before, &after)) {
        er_fail(err, ERRAND_STATE,
            "%s was changed while it was loaded; try again", path);
        return NULL;
    }
    return ask_entry(object, path, err);
}

int er_plugin_accept(const struct errand_plugin *p, const char *what,
    struct errand_error *err)
{
    if (!p)
        return er_fail(err, ERRAND_SYNTAX,
            "%s: errand_plugin_main returned NULL", what);
    if (p->size < 8 || p->abi >> 16 != ERRAND_TOOL_ABI_MAJOR)
        return er_fail(err, ERRAND_UNSUPPORTED,
            "%s is built for errand/tool.h %u.%u, this errand has %u.%u: "
            "build it again with this errand's header",
            what, (unsigned)(p->abi >> 16), (unsigned)(p->abi & 0xffff),
            (unsigned)ERRAND_TOOL_ABI_MAJOR,
            (unsigned)ERRAND_TOOL_ABI_MINOR);
    if (!ERRAND_TOOL_HAS(p, struct errand_plugin, tools) || !p->tools ||
        p->size > 65536)
        return er_fail(err, ERRAND_SYNTAX,
            "%s: the size of its struct errand_plugin is %u; set it to "
            "sizeof(struct errand_plugin)", what, (unsigned)p->size);
    return ERRAND_OK;
}
