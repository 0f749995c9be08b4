/* Walking the folders of models. */
#include "engine/find.h"

#include "base/distance.h"
#include "base/json.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH = 4, PATH = 4096, MANIFEST = 1 << 20 };

struct walk {
    bool (*fn)(void *ctx, const struct er_found *found);
    void *ctx;
    bool stop;
};

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcasecmp(s + n - m, end) == 0;
}

/* The name of a file, "" if it is no model or a later part of one. */
static void name_of(const char *file, char *out, size_t size)
{
    size_t n = strlen(file);
    unsigned no = 0, of = 0;
    out[0] = '\0';
    if (!ends_with(file, ".gguf") || n - 5 >= size)
        return;
    memcpy(out, file, n - 5);
    out[n - 5] = '\0';
    char *part = n > 20 ? out + n - 20 : NULL;
    if (!part || sscanf(part, "-%5u-of-%5u", &no, &of) != 2 ||
        strlen(part) != 15)
        return;
    *(no == 1 ? part : out) = '\0';
}

static void tell(struct walk *w, const char *name, const char *path,
    const char *source)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    struct er_found found = {name, path, source, (uint64_t)st.st_size};
    w->stop = w->stop || !w->fn(w->ctx, &found);
}

static void walk(
    struct walk *w, const char *folder, const char *source, int depth)
{
    DIR *d = depth > 0 ? opendir(folder) : NULL;
    struct dirent *e;
    char path[PATH], name[256];
    while (d && !w->stop && (e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        int n = snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (n < 0 || (size_t)n >= sizeof path)
            continue;
        name_of(e->d_name, name, sizeof name);
        if (name[0])
            tell(w, name, path, source);
        else if (!ends_with(e->d_name, ".gguf"))
            walk(w, path, source, depth - 1); /* no folder: opendir fails */
    }
    if (d)
        closedir(d);
}

/* ------------------------------------------------------------- Ollama */

static json_t *read_json(const char *path)
{
    struct er_buf text;
    json_t *v = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    er_buf_init(&text, MANIFEST);
    if (fd >= 0 && er_buf_reserve(&text, MANIFEST)) {
        ssize_t n = read(fd, text.data, MANIFEST - 1);
        if (n > 0)
            v = er_json_parse(text.data, (size_t)n, ER_JSON_LENIENT, NULL);
    }
    if (fd >= 0)
        close(fd);
    er_buf_release(&text);
    return v;
}

/* The blob of a manifest's layer that is the model. */
static void tell_manifest(struct walk *w, const char *root,
    const char *manifest, const char *name)
{
    json_t *doc = read_json(manifest), *layer;
    size_t i;
    char path[PATH];
    json_array_foreach(json_object_get(doc, "layers"), i, layer)
    {
        const char *type = er_json_str(layer, "mediaType");
        const char *digest = er_json_str(layer, "digest");
        if (!type || !digest || !ends_with(type, ".image.model") ||
            strncmp(digest, "sha256:", 7) != 0 || strchr(digest, '/'))
            continue;
        int n = snprintf(path, sizeof path, "%s/blobs/sha256-%s", root,
            digest + 7);
        if (n > 0 && (size_t)n < sizeof path)
            tell(w, name, path, "Ollama");
    }
    json_decref(doc);
}

/* manifests/HOST/OWNER/NAME/TAG */
static void walk_ollama(struct walk *w, const char *root, const char *folder,
    const char *last, int depth)
{
    DIR *d = opendir(folder);
    struct dirent *e;
    char path[PATH], name[600];
    while (d && !w->stop && (e = readdir(d))) {
        int n = snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (e->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof path)
            continue;
        if (depth > 1) {
            walk_ollama(w, root, path, e->d_name, depth - 1);
            continue;
        }
        snprintf(name, sizeof name, "%s:%s", last, e->d_name);
        tell_manifest(w, root, path, name);
    }
    if (d)
        closedir(d);
}

/* ------------------------------------------------------------ folders */

static void walk_list(struct walk *w, const char *list, const char *source)
{
    char folder[PATH];
    while (list && *list && !w->stop) {
        size_t n = strcspn(list, ":");
        if (n > 0 && n < sizeof folder) {
            memcpy(folder, list, n);
            folder[n] = '\0';
            walk(w, folder, source, DEPTH);
        }
        list += n + (list[n] == ':');
    }
}

/* base, or home/fallback where it is not set, then tail. */
static bool join(char out[PATH], const char *base, const char *home,
    const char *fallback, const char *tail)
{
    int n = base && *base
                ? snprintf(out, PATH, "%s/%s", base, tail)
                : snprintf(out, PATH, "%s/%s/%s", home ? home : "", fallback,
                      tail);
    return (base && *base) || (home && *home) ? n > 0 && n < PATH : false;
}

void er_find_each(
    bool (*fn)(void *ctx, const struct er_found *found), void *ctx)
{
    struct walk w = {.fn = fn, .ctx = ctx};
    const char *home = getenv("HOME"), *data = getenv("XDG_DATA_HOME");
    const char *cache = getenv("XDG_CACHE_HOME");
    char path[PATH], manifests[PATH];
    walk_list(&w, getenv("ERRAND_MODELS"), "errand");
    walk(&w, "models", "errand", DEPTH);
    if (join(path, data, home, ".local/share", "errand/models"))
        walk(&w, path, "errand", DEPTH);
    walk_list(&w, getenv("LLAMA_CACHE"), "llama.cpp");
    if (join(path, cache, home, ".cache", "llama.cpp"))
        walk(&w, path, "llama.cpp", DEPTH);
    if (join(path, NULL, home, ".lmstudio", "models"))
        walk(&w, path, "LM Studio", DEPTH);
    if (join(path, cache, home, ".cache", "lm-studio/models"))
        walk(&w, path, "LM Studio", DEPTH);
    const char *ollama = getenv("OLLAMA_MODELS");
    if (ollama && *ollama)
        snprintf(path, sizeof path, "%s", ollama);
    else if (!join(path, NULL, home, ".ollama", "models"))
        return;
    int n = snprintf(manifests, sizeof manifests, "%.4000s/manifests", path);
    if (n > 0 && (size_t)n < sizeof manifests)
        walk_ollama(&w, path, manifests, "", 4);
}

/* --------------------------------------------------------- by its name */

struct search {
    const char *name;
    char *path;
    char nearest[200];
    size_t distance;
    size_t n;
    bool no_memory;
};

static bool offer(void *ctx, const struct er_found *found)
{
    struct search *s = ctx;
    size_t n = strlen(found->name);
    s->n++;
    bool latest = n > 7 && strcmp(found->name + n - 7, ":latest") == 0 &&
                  strlen(s->name) == n - 7 &&
                  strncasecmp(found->name, s->name, n - 7) == 0;
    if (latest || strcasecmp(found->name, s->name) == 0) {
        s->path = er_strdup(found->path);
        s->no_memory = !s->path;
        return false;
    }
    size_t far = er_text_distance(found->name, s->name);
    if (s->nearest[0] == '\0' || far < s->distance) {
        snprintf(s->nearest, sizeof s->nearest, "%s", found->name);
        s->distance = far;
    }
    return true;
}

int er_find_model(const char *name, char **path, struct errand_error *err)
{
    struct search s = {.name = name};
    struct stat st;
    if (er_starts_with(name, "local:"))
        s.name = name += strlen("local:");
    if (strchr(name, '/') || ends_with(name, ".gguf") ||
        stat(name, &st) == 0) {
        *path = er_strdup(name);
        return *path ? ERRAND_OK : er_nomem(err);
    }
    er_find_each(offer, &s);
    if (s.no_memory)
        return er_nomem(err);
    *path = s.path;
    if (s.path)
        return ERRAND_OK;
    if (s.n == 0)
        return er_fail(err, ERRAND_NOT_FOUND,
            "there is no model \"%.60s\", and none in any folder; name a "
            ".gguf file, or a folder with ERRAND_MODELS", name);
    return er_fail(err, ERRAND_NOT_FOUND,
        "there is no model \"%.60s\"; the nearest is \"%.60s\", and errand "
        "models list shows all", name, s.nearest);
}
