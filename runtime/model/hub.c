/* Names, repositories, addresses. See hub.h. */
#include "model/hub.h"

#include "base/json.h"
#include "base/text.h"
#include "model/catalogue.h"
#include "model/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ANSWER = 16 << 20, PART = 120 };

/* What was asked for, in its parts. */
struct ask {
    struct er_download *d;
    struct er_hub_model *out;
    char repo[2 * PART + 2];
    const char *file;    /* one file, by its whole name; or NULL */
    const char *quant;   /* of this quantization; or NULL */
    const char *license; /* that the catalogue knows; or NULL */
};

void er_hub_release(struct er_hub_model *m) { er_arena_release(&m->arena); }

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcasecmp(s + n - m, end) == 0;
}

/* Can a file of this name be made here? */
static bool is_plain(const char *name)
{
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || *c == '/' || *c == 0x7f)
            return false;
    return name[0] != '.' && ends_with(name, ".gguf") && strlen(name) < 200;
}

static int add_file(struct er_hub_model *m, const char *url,
    const char *name, const char *sha256, int64_t bytes,
    struct errand_error *err)
{
    struct er_hub_file *f = er_arena_alloc(&m->arena, sizeof *f);
    struct er_hub_file **at = &m->files;
    if (!f)
        return er_nomem(err);
    f->url = er_arena_str(&m->arena, url);
    f->name = er_arena_str(&m->arena, name);
    char *sum = er_arena_str(&m->arena, sha256);
    f->bytes = bytes;
    if (!f->url || !f->name || (sha256 && !sum))
        return er_nomem(err);
    for (char *c = sum; c && *c; c++)
        *c = (char)tolower((unsigned char)*c);
    f->sha256 = sum;
    while (*at && strcmp((*at)->name, name) < 0)
        at = &(*at)->next;
    f->next = *at;
    *at = f;
    return ERRAND_OK;
}

/* ------------------------------------------------------- what the hub says */

static bool keep(void *ctx, const struct er_reply *reply, const char *bytes,
    size_t len)
{
    (void)reply;
    return er_buf_add(ctx, bytes, len);
}

static json_t *ask_hub(const struct ask *a, struct errand_error *err)
{
    struct er_buf url, body;
    struct er_reply reply;
    json_t *v = NULL;
    er_buf_init(&url, 4096);
    er_buf_init(&body, ANSWER);
    er_buf_addf(&url, "%s/api/models/%s/revision/main?blobs=true", a->d->hub,
        a->repo);
    struct er_wish wish = {
        .url = er_buf_str(&url), .on_bytes = keep, .ctx = &body};
    int rc = url.failed ? er_nomem(err)
                        : er_download_get(a->d, &wish, &reply, err);
    if (rc == ERRAND_OK && body.failed)
        er_fail(err, ERRAND_TOO_LARGE, "what the hub says of %s is too long",
            a->repo);
    else if (rc == ERRAND_OK) {
        v = er_json_parse(body.data ? body.data : "", body.len,
            ER_JSON_LENIENT, err);
        if (!v)
            er_while(err, "what %s says of %s", a->d->hub, a->repo);
    }
    er_buf_release(&url);
    er_buf_release(&body);
    return v;
}

/* The licence of the model's card, else of its tags. */
static const char *license_of(const json_t *info)
{
    const json_t *tag;
    size_t i;
    const char *said =
        er_json_str(json_object_get(info, "cardData"), "license");
    const char *name = er_json_str(
        json_object_get(info, "cardData"), "license_name");
    if (said && strcmp(said, "other") == 0 && name)
        said = name;
    json_array_foreach(json_object_get(info, "tags"), i, tag)
    {
        const char *s = json_string_value(tag);
        if (!said && s && er_starts_with(s, "license:"))
            said = s + strlen("license:");
    }
    return said;
}

/* --------------------------------------------------------- which file */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Does the quantization stand in the name, as a word of its own? */
static bool is_quant(const char *file, const char *quant)
{
    size_t n = strlen(quant);
    for (const char *c = file; *c; c++) {
        bool starts = c == file || strchr("-._", c[-1]);
        if (starts && strncasecmp(c, quant, n) == 0 &&
            (c[n] == '.' || c[n] == '-'))
            return true;
    }
    return false;
}

/* Where "-00001-of-00003.gguf" begins, else the end of the name. */
static size_t stem(const char *file)
{
    size_t n = strlen(file);
    unsigned no, of;
    char tail[8];
    if (n > 20 && sscanf(file + n - 20, "-%5u-of-%5u%6s", &no, &of, tail) ==
            3 && strcmp(tail, ".gguf") == 0)
        return n - 20;
    return n;
}

static bool is_model(const char *file)
{
    return ends_with(file, ".gguf") && is_plain(base_name(file)) &&
           !strstr(file, "..") && !strstr(file, "mmproj");
}

/* The best of the repository's files; NULL if none fits. */
static const char *choose(const json_t *siblings, const struct ask *a)
{
    static const char *const wanted[] = {"Q4_K_M", "Q8_0", "Q4_0"};
    const char *only = NULL;
    size_t n = 0, i, k;
    json_t *f;
    for (k = 0; k < (a->quant || a->file ? 1 : 3); k++) {
        json_array_foreach(siblings, i, f)
        {
            const char *name = er_json_str(f, "rfilename");
            if (!name || !is_model(name))
                continue;
            n += k == 0 && (stem(name) == strlen(name) ||
                               strstr(name, "-00001-of-"));
            only = name;
            if (a->file ? strcmp(name, a->file) == 0
                        : is_quant(base_name(name),
                              a->quant ? a->quant : wanted[k]))
                return name;
        }
    }
    return !a->quant && !a->file && n == 1 ? only : NULL;
}

/* "Q4_0, Q8_0 …": what there is instead. */
static int none_fits(const json_t *siblings, const struct ask *a,
    struct errand_error *err)
{
    struct er_buf names;
    json_t *f;
    size_t i;
    er_buf_init(&names, 120);
    json_array_foreach(siblings, i, f)
    {
        const char *name = er_json_str(f, "rfilename");
        if (name && is_model(name) && names.len + strlen(name) + 3 < 110)
            er_buf_addf(&names, "%s%s", names.len ? ", " : "", name);
    }
    int rc = er_fail(err, ERRAND_NOT_FOUND, "%s has no %s%s%s%s", a->repo,
        a->file ? a->file : a->quant ? a->quant : "GGUF file to prefer",
        a->file || !a->quant ? "" : " as GGUF",
        names.len ? "; it has " : "", er_buf_str(&names));
    er_buf_release(&names);
    return rc;
}

static int add_sibling(const struct ask *a, const json_t *f,
    const char *commit, struct errand_error *err)
{
    const char *name = er_json_str(f, "rfilename");
    const json_t *lfs = json_object_get(f, "lfs");
    const char *sum = er_json_str(lfs, "sha256");
    struct er_buf url;
    er_buf_init(&url, 4096);
    er_buf_addf(&url, "%s/%s/resolve/", a->d->hub, a->repo);
    er_url_add_model(&url, commit);
    er_buf_adds(&url, "/");
    er_url_add_model(&url, name);
    if (sum && (strlen(sum) != 64 ||
                   strspn(sum, "0123456789abcdefABCDEF") != 64))
        sum = NULL;
    int rc = url.failed ? er_nomem(err)
        : add_file(a->out, er_buf_str(&url), base_name(name), sum,
              er_json_int(lfs ? lfs : f, "size", -1), err);
    er_buf_release(&url);
    return rc;
}

/* The chosen file, and the other parts of it. */
static int take(const struct ask *a, const json_t *info,
    struct errand_error *err)
{
    const json_t *siblings = json_object_get(info, "siblings");
    const char *commit = er_json_str(info, "sha");
    const char *best = choose(siblings, a), *said = license_of(info);
    json_t *f;
    size_t i;
    int rc = best ? ERRAND_OK : none_fits(siblings, a, err);
    if (rc != ERRAND_OK)
        return rc;
    size_t n = stem(best);
    json_array_foreach(siblings, i, f)
    {
        const char *name = er_json_str(f, "rfilename");
        bool fits = name && (strcmp(name, best) == 0 ||
                                (best[n] && stem(name) == n && name[n] &&
                                    strncmp(name, best, n) == 0));
        if (fits && rc == ERRAND_OK)
            rc = add_sibling(a, f, commit ? commit : "main", err);
    }
    a->out->repo = er_arena_str(&a->out->arena, a->repo);
    a->out->license =
        er_arena_str(&a->out->arena, said ? said : a->license);
    return rc == ERRAND_OK && !a->out->repo ? er_nomem(err) : rc;
}

static int from_repo(const struct ask *a, struct errand_error *err)
{
    json_t *info = ask_hub(a, err);
    int rc = info ? take(a, info, err) : err->code;
    json_decref(info);
    return rc;
}

/* ------------------------------------------------------- what was typed */

static int from_url(
    const char *url, struct er_hub_model *out, struct errand_error *err)
{
    char name[256];
    int rc = er_url_check(url, NULL, err);
    if (rc != ERRAND_OK)
        return rc;
    size_t n = strcspn(url, "?#");
    const char *from = url + n;
    while (from > url && from[-1] != '/')
        from--;
    n -= (size_t)(from - url);
    snprintf(name, sizeof name, "%.*s", n < 255 ? (int)n : 255, from);
    if (!is_plain(name))
        return er_fail(err, ERRAND_USAGE, "\"%.100s\" does not end in the "
            "name of a .gguf file", url);
    return add_file(out, url, name, NULL, -1, err);
}

/* A word of letters, digits, '-', '_' and '.', and no ".". */
static bool is_word(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && !strchr("-_.", s[i]))
            return false;
    return n > 0 && n <= PART && s[0] != '.';
}

/* OWNER/NAME, OWNER/NAME:QUANT, OWNER/NAME/FILE */
static bool split(const char *what, struct ask *a)
{
    size_t owner = strcspn(what, "/");
    if (!is_word(what, owner) || !what[owner])
        return false;
    size_t name = strcspn(what + owner + 1, "/:");
    const char *rest = what + owner + 1 + name;
    if (!is_word(what + owner + 1, name))
        return false;
    snprintf(a->repo, sizeof a->repo, "%.*s", (int)(owner + 1 + name), what);
    if (*rest == ':')
        a->quant = rest + 1;
    else if (*rest == '/')
        a->file = rest + 1;
    return !*rest || (rest[1] && !strstr(rest, ".."));
}

static int from_name(
    const char *name, struct ask *a, struct errand_error *err)
{
    const char *nearest = NULL;
    const struct er_known *known = er_known_find(name, &nearest);
    if (!known)
        return er_fail(err, ERRAND_NOT_FOUND,
            "there is no model \"%.60s\" in the catalogue; the nearest is %s. "
            "errand models pull alone lists all; OWNER/NAME names any "
            "repository", name, nearest);
    snprintf(a->repo, sizeof a->repo, "%s", known->repo);
    a->quant = known->file;
    a->license = known->license;
    return from_repo(a, err);
}

int er_hub_find(struct er_download *d, const char *what,
    struct er_hub_model *out, struct errand_error *err)
{
    struct ask a = {.d = d, .out = out};
    *out = (struct er_hub_model){0};
    er_arena_init(&out->arena);
    if (strstr(what, "://"))
        return from_url(what, out, err);
    if (!strchr(what, '/'))
        return from_name(what, &a, err);
    if (!split(what, &a))
        return er_fail(err, ERRAND_USAGE, "\"%.100s\" is neither a name, "
            "nor OWNER/NAME[:QUANT], OWNER/NAME/FILE.gguf, nor an address",
            what);
    return from_repo(&a, err);
}
