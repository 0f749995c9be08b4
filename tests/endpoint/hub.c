/* The hub: model files out of a folder, served well or badly. The words in
 * the owner's name say how: see README.md. */
#include "endpoint.h"

#include "base/sha256.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 200 << 20 };

/* "OWNER/REPO/REST" */
struct place {
    char *owner, *repo, *rest;
};

static bool split(struct er_arena *arena, const char *path, struct place *at)
{
    char *text = er_arena_strn(arena, path, strcspn(path, "?"));
    at->owner = strsep(&text, "/");
    at->repo = strsep(&text, "/");
    at->rest = text;
    return at->rest && at->repo[0] && !strstr(at->repo, "..") &&
           !strstr(at->rest, "..");
}

static bool slurp(const struct ep_server *s, const struct place *at,
    const char *name, struct er_buf *out)
{
    char path[4096], piece[65536];
    snprintf(path, sizeof path, "%s/%s/%s", s->hub, at->repo, name);
    FILE *f = fopen(path, "re");
    size_t n;
    while (f && (n = fread(piece, 1, sizeof piece, f)) > 0)
        er_buf_add(out, piece, n);
    if (f)
        fclose(f);
    return f && !out->failed;
}

static bool may(const struct place *at, const struct ep_request *r)
{
    return !ep_has_word(at->owner, "gated") ||
           (r->auth && strcmp(r->auth, "Bearer hub-token") == 0);
}

static json_t *describe(const struct ep_server *s, const struct place *at,
    const char *name)
{
    struct er_buf bytes;
    char sum[65];
    er_buf_init(&bytes, FILE_BYTES);
    if (!slurp(s, at, name, &bytes)) {
        er_buf_release(&bytes);
        return NULL;
    }
    er_sha256_hex(er_buf_str(&bytes), bytes.len, sum);
    if (ep_has_word(at->owner, "wrong"))
        sum[0] = sum[0] == '0' ? '1' : '0';
    json_int_t size = ep_has_word(at->owner, "huge")
                          ? (json_int_t)1 << 60 : (json_int_t)bytes.len;
    er_buf_release(&bytes);
    json_t *f = json_pack("{s:s, s:I}", "rfilename", name, "size", size);
    if (!ep_has_word(at->owner, "nosum"))
        json_object_set_new(f, "lfs",
            json_pack("{s:s, s:I}", "sha256", sum, "size", size));
    return f;
}

static void tell_repo(const struct ep_server *s, const struct place *at,
    struct ep_plan *p)
{
    char path[4096];
    json_t *files = json_array();
    snprintf(path, sizeof path, "%s/%s", s->hub, at->repo);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.')
            json_array_append_new(files, describe(s, at, e->d_name));
    if (!d) {
        json_decref(files);
        ep_plan_whole(p, 404, "application/json", "", "{}", 2);
        return;
    }
    closedir(d);
    json_t *v = json_pack("{s:s, s:{s:s}, s:o}", "sha", "0123abc",
        "cardData", "license", "test-licence", "siblings", files);
    char *text = er_json_text(v);
    json_decref(v);
    ep_plan_whole(p, 200, "application/json", "", text, strlen(text));
    free(text);
}

/* The bytes from `from` on, less where they are cut. */
static void send_from(const struct place *at, const struct ep_request *r,
    struct er_buf *bytes, struct ep_plan *p)
{
    char headers[300], sum[65];
    long cut = ep_option(at->owner, "cut", -1), from = 0;
    size_t begin = p->bytes.len;
    er_sha256_hex(er_buf_str(bytes), bytes->len, sum);
    if (r->range && !ep_has_word(at->owner, "noranges"))
        from = strtol(r->range + strlen("bytes="), NULL, 10);
    if (from > 0 && (size_t)from >= bytes->len) {
        ep_plan_whole(p, 416, "text/plain", "", "", 0);
        return;
    }
    size_t len = bytes->len - (size_t)from;
    if (r->range && strcmp(r->range, "bytes=0-0") == 0 && len > 0)
        len = 1;
    bool part = len != bytes->len;
    int n = snprintf(headers, sizeof headers, "ETag: \"%.20s\"\r\n", sum);
    if (part)
        snprintf(headers + n, sizeof headers - (size_t)n,
            "Content-Range: bytes %ld-%zu/%zu\r\n", from,
            (size_t)from + len - 1, bytes->len);
    ep_plan_head(p, part ? 206 : 200, "application/octet-stream", (long)len,
        headers);
    bool whole = cut < 0 || (size_t)cut >= len;
    er_buf_add(&p->bytes, bytes->data + from, whole ? len : (size_t)cut);
    ep_plan_send_from(p, begin);
    if (!whole)
        ep_plan_step(p, (struct ep_step){.type = EP_CLOSE});
}

static void send_file(const struct ep_server *s, const struct place *at,
    const struct ep_request *r, const char *name, struct ep_plan *p)
{
    static const char page[] = "<html>Please log in</html>\n";
    struct er_buf bytes;
    er_buf_init(&bytes, FILE_BYTES);
    if (!slurp(s, at, name, &bytes))
        ep_plan_whole(p, 404, "text/plain", "", "no such file\n", 13);
    else if (ep_has_word(at->owner, "html"))
        ep_plan_whole(p, 200, "text/html", "", page, sizeof page - 1);
    else
        send_from(at, r, &bytes, p);
    er_buf_release(&bytes);
}

static void send_away(const struct place *at, const struct ep_request *r,
    const char *name, struct ep_plan *p)
{
    char line[600];
    const char *port = r->host ? strchr(r->host, ':') : NULL;
    snprintf(line, sizeof line,
        "Location: http://localhost%s/cdn/%s/%s/%s\r\n", port ? port : "",
        at->owner, at->repo, name);
    ep_plan_whole(p, 302, "text/plain", line, "", 0);
}

/* The first N requests of an owner are told to come again. */
static bool is_busy(struct ep_server *s, const struct place *at)
{
    json_int_t before = er_json_int(s->attempts, at->owner, 0);
    json_object_set_new(s->attempts, at->owner, json_integer(before + 1));
    return before < ep_option(at->owner, "busy", 0);
}

static void resolve(struct ep_server *s, const struct place *at,
    const struct ep_request *r, struct ep_plan *p)
{
    const char *name = strrchr(at->rest, '/');
    name = name ? name + 1 : at->rest;
    if (!may(at, r))
        ep_plan_whole(p, 401, "text/plain", "", "who are you?\n", 13);
    else if (is_busy(s, at))
        ep_plan_whole(p, 503, "text/plain", "", "later\n", 6);
    else if (ep_has_word(at->owner, "away"))
        send_away(at, r, name, p);
    else
        send_file(s, at, r, name, p);
}

bool ep_hub(
    struct ep_server *s, const struct ep_request *r, struct ep_plan *p)
{
    static const char api[] = "/api/models/", cdn[] = "/cdn/";
    struct place at = {0};
    if (strcmp(r->method, "GET") != 0)
        return false;
    if (strncmp(r->path, api, sizeof api - 1) == 0 &&
        split(r->arena, r->path + sizeof api - 1, &at)) {
        if (may(&at, r))
            tell_repo(s, &at, p);
        else
            ep_plan_whole(p, 401, "text/plain", "", "who are you?\n", 13);
        return true;
    }
    if (strncmp(r->path, cdn, sizeof cdn - 1) == 0 &&
        split(r->arena, r->path + sizeof cdn - 1, &at)) {
        send_file(s, &at, r, at.rest, p);
        return true;
    }
    if (!split(r->arena, r->path + 1, &at) ||
        strncmp(at.rest, "resolve/", 8) != 0)
        return false;
    resolve(s, &at, r, p);
    return true;
}
