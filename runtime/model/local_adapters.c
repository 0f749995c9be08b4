/* A short list by path. */
#include "model/local_adapters.h"

#include "base/text.h"
#include "engine/find.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct er_adapters_file {
    struct er_adapters_file *next;
    char *path;
    er_adapter *adapter;
};

static int open_file(struct er_adapters *a, const er_local *m, char *path,
    er_adapter **out, struct errand_error *err)
{
    struct er_adapters_file *f = a->files;
    while (f && strcmp(f->path, path) != 0)
        f = f->next;
    if (f) {
        free(path);
        *out = f->adapter;
        return ERRAND_OK;
    }
    f = calloc(1, sizeof *f);
    int rc = f ? er_adapter_open(m, path, &f->adapter, err) : er_nomem(err);
    if (rc != ERRAND_OK) {
        free(path);
        free(f);
        return er_while(err, "lora");
    }
    f->path = path;
    f->next = a->files;
    a->files = f;
    *out = f->adapter;
    return ERRAND_OK;
}

/* NAME or NAME=SCALE of len bytes. */
static int add_one(struct er_adapters *a, const er_local *m, const char *s,
    size_t len, size_t n, struct errand_error *err)
{
    char *path = NULL, *end = NULL, *name = er_strndup(s, len);
    if (!name)
        return er_nomem(err);
    char *scale = strrchr(name, '=');
    a->scales[n] = scale ? strtof(scale + 1, &end) : 1;
    int rc = ERRAND_OK;
    if (len == 0 || (scale && (end == scale + 1 || *end ||
                                 !isfinite(a->scales[n]))))
        rc = er_fail(err, ERRAND_USAGE, "lora is \"%.80s\"; it must be NAME "
            "or NAME=SCALE, as in style=0.5", name);
    else if (scale)
        *scale = '\0';
    if (rc == ERRAND_OK)
        rc = er_find_model(name, &path, err);
    free(name);
    return rc ? rc : open_file(a, m, path, &a->list[n], err);
}

int er_adapters_find(struct er_adapters *a, const er_local *m,
    const char *text, struct er_warm_adapters *out, struct errand_error *err)
{
    size_t n = 0;
    for (const char *s = text; *s; n++) {
        size_t len = strcspn(s, ",");
        if (n == ER_ADAPTERS_MOST)
            return er_fail(err, ERRAND_TOO_LARGE,
                "lora names more than %d adapters", ER_ADAPTERS_MOST);
        int rc = add_one(a, m, s, len, n, err);
        if (rc != ERRAND_OK)
            return rc;
        s += len + (s[len] == ',');
    }
    *out = (struct er_warm_adapters){
        .name = text, .list = a->list, .scales = a->scales, .n = n};
    return ERRAND_OK;
}

void er_adapters_release(struct er_adapters *a)
{
    while (a->files) {
        struct er_adapters_file *f = a->files;
        a->files = f->next;
        er_adapter_close(f->adapter);
        free(f->path);
        free(f);
    }
}
