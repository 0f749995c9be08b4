/* The whole of a pull: find, make the folder, file by file. */
#include "model/pull.h"

#include "base/text.h"
#include "model/hub.h"
#include "model/pull_file.h"
#include "model/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH = 4096 };

char *er_pull_dir(void)
{
    const char *list = getenv("ERRAND_MODELS");
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    struct er_buf out;
    if (list && strcspn(list, ":") > 0)
        return er_strndup(list, strcspn(list, ":"));
    er_buf_init(&out, PATH);
    if (data && *data)
        er_buf_addf(&out, "%s/errand/models", data);
    else if (home && *home)
        er_buf_addf(&out, "%s/.local/share/errand/models", home);
    else
        return NULL;
    return er_buf_take(&out, NULL);
}

/* The folder with those above it. */
static int make_dir(const char *dir, struct errand_error *err)
{
    char path[PATH];
    int n = snprintf(path, sizeof path, "%s", dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return er_fail(err, ERRAND_IO, "the path %.80s… is too long", dir);
    for (char *c = path + 1; *c; c++) {
        if (*c != '/')
            continue;
        *c = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return er_fail_errno(err, ERRAND_IO, "cannot make %s", path);
        *c = '/';
    }
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return er_fail_errno(err, ERRAND_IO, "cannot make %s", path);
    return ERRAND_OK;
}

static int pull_one(const struct er_pull *p, struct er_download *d,
    const struct er_hub_file *f, json_t *files, struct errand_error *err)
{
    struct er_buf path;
    struct er_pulled got;
    char url[1024];
    er_buf_init(&path, PATH);
    er_buf_addf(&path, "%s/%s", p->dir, f->name);
    int rc = path.failed ? er_nomem(err)
        : er_pull_file(p, d, f, er_buf_str(&path), &got, err);
    er_url_show(f->url, url, sizeof url);
    if (rc == ERRAND_OK &&
        json_array_append_new(files, json_pack(
            "{s:s, s:s, s:I, s:s, s:b, s:I, s:b}", "path",
            er_buf_str(&path), "url", url, "bytes", (json_int_t)got.bytes,
            "sha256", got.sha256, "verified", got.verified, "resumed",
            (json_int_t)got.resumed, "already", got.already)) != 0)
        rc = er_nomem(err);
    er_buf_release(&path);
    return rc;
}

/* The name by which the file is found later. */
static void name_of(const char *file, char *out, size_t size)
{
    size_t n = strlen(file) - strlen(".gguf");
    const char *part = strstr(file, "-00001-of-");
    if (part)
        n = (size_t)(part - file);
    snprintf(out, size, "%.*s", (int)n, file);
}

static int pull_all(const struct er_pull *p, struct er_download *d,
    const struct er_hub_model *m, json_t **answer, struct errand_error *err)
{
    json_t *files = json_array();
    json_int_t bytes = 0;
    char name[256];
    size_t i;
    json_t *f;
    int rc = files ? ERRAND_OK : er_nomem(err);
    for (const struct er_hub_file *h = m->files; h && !rc; h = h->next)
        rc = pull_one(p, d, h, files, err);
    if (rc != ERRAND_OK) {
        json_decref(files);
        return rc;
    }
    json_array_foreach(files, i, f)
        bytes += er_json_int(f, "bytes", 0);
    name_of(m->files->name, name, sizeof name);
    *answer = json_pack("{s:s, s:s?, s:s?, s:I, s:o}", "name", name, "repo",
        m->repo, "license", m->license, "bytes", bytes, "files", files);
    return *answer ? ERRAND_OK : er_nomem(err);
}

/* Sums are kept in lower case. */
static int lower(const char *sum, char out[65], struct errand_error *err)
{
    if (strlen(sum) != 64 || strspn(sum, "0123456789abcdefABCDEF") != 64)
        return er_fail(err, ERRAND_USAGE,
            "\"%.70s\" is no SHA-256; it has 64 hexadecimal digits", sum);
    for (size_t i = 0; i < 65; i++)
        out[i] = (char)tolower((unsigned char)sum[i]);
    return ERRAND_OK;
}

int er_pull(
    const struct er_pull *pull, json_t **answer, struct errand_error *err)
{
    struct er_download d = {.hub = pull->hub, .token = pull->token};
    struct er_hub_model m = {0};
    struct errand_error mine = {0};
    struct er_pull p = *pull;
    char sum[65];
    int rc = p.sha256 ? lower(p.sha256, sum, &mine) : ERRAND_OK;
    p.sha256 = p.sha256 ? sum : NULL;
    if (rc == ERRAND_OK)
        rc = er_download_open(&d, &mine);
    if (rc == ERRAND_OK)
        rc = er_hub_find(&d, p.what, &m, &mine);
    if (rc == ERRAND_OK && p.sha256 && m.files->next)
        rc = er_fail(&mine, ERRAND_USAGE,
            "%s has several files; a checksum is for one", p.what);
    if (rc == ERRAND_OK)
        rc = make_dir(p.dir, &mine);
    if (rc == ERRAND_OK)
        rc = pull_all(&p, &d, &m, answer, &mine);
    er_hub_release(&m);
    er_download_close(&d);
    if (rc != ERRAND_OK && err)
        *err = mine;
    return rc;
}
