/* A list of timelines; few, so it is searched from end to end. */
#include "model/local_warm.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PAGE = 64, LINES = 32, WORTH = 2 * PAGE };

struct er_warm_line {
    struct er_warm_line *next; /* newest first */
    er_session *session;
    char *adapters;
    uint32_t kept; /* tokens that are on disk */
    bool lent;
};

struct er_warm {
    er_local *model;
    char *folder;
    uint64_t max_bytes, max_tokens;
    struct er_warm_line *lines;
};

/* The folders above; the last one is made when it is needed. */
static void make_above(char *path)
{
    for (char *c = path + 1; *c; c++)
        if (*c == '/') {
            *c = '\0';
            (void)mkdir(path, 0700);
            *c = '/';
        }
}

struct er_warm *er_warm_new(er_local *m, const struct er_warm_options *opt)
{
    struct er_warm *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->model = m;
    w->max_bytes = opt->max_bytes;
    w->max_tokens = opt->max_tokens;
    if (opt->folder && opt->max_bytes > 0 &&
        !(w->folder = er_strdup(opt->folder))) {
        free(w);
        return NULL;
    }
    if (w->folder && w->folder[0])
        make_above(w->folder);
    return w;
}

static void line_free(struct er_warm_line *l)
{
    er_session_free(l->session);
    free(l->adapters);
    free(l);
}

void er_warm_free(struct er_warm *w)
{
    if (!w)
        return;
    while (w->lines) {
        struct er_warm_line *l = w->lines;
        w->lines = l->next;
        line_free(l);
    }
    free(w->folder);
    free(w);
}

er_session *er_warm_session(struct er_warm_line *line)
{
    return line->session;
}

/* ------------------------------------------------------------- lending */

static void unlink_line(struct er_warm *w, struct er_warm_line *l)
{
    struct er_warm_line **at = &w->lines;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
}

static void put_first(struct er_warm *w, struct er_warm_line *l)
{
    l->next = w->lines;
    w->lines = l;
}

static struct er_warm_line *longest(struct er_warm *w, const char *adapters,
    const int32_t *ids, size_t n, uint32_t *match)
{
    struct er_warm_line *best = NULL;
    *match = 0;
    for (struct er_warm_line *l = w->lines; l; l = l->next) {
        uint32_t m = strcmp(l->adapters, adapters) == 0
            ? er_session_match(l->session, ids, n) : 0;
        if (m > *match) {
            *match = m;
            best = l;
        }
    }
    return best;
}

/* A timeline from disk, if more is known there than here. */
static int from_disk(struct er_warm *w, er_session *s, const int32_t *ids,
    size_t n, uint32_t known, struct errand_error *err)
{
    uint32_t restored;
    if (!w->folder || er_session_kept(s, w->folder, ids, n) <= known)
        return ERRAND_OK;
    return er_session_restore(s, w->folder, ids, n, &restored, err);
}

static int open_line(struct er_warm *w, const struct er_warm_adapters *with,
    const int32_t *ids, size_t n, er_session **out, struct errand_error *err)
{
    uint32_t match, most = n ? (uint32_t)n - 1 : 0;
    struct er_warm_line *best = longest(w, with->name, ids, n, &match);
    match = match < most ? match : most;
    int rc = er_session_new(w->model, out, err);
    if (rc == ERRAND_OK)
        rc = er_session_adapt(*out, with->list, with->scales, with->n, err);
    if (rc == ERRAND_OK)
        rc = from_disk(w, *out, ids, n, match, err);
    if (rc == ERRAND_OK && best && er_session_length(*out) < match) {
        er_session_free(*out);
        *out = NULL;
        rc = er_session_fork(best->session, match, out, err);
    }
    if (rc != ERRAND_OK) {
        er_session_free(*out);
        *out = NULL;
        return rc;
    }
    /* What goes on from all of a timeline takes its place. */
    if (best && !best->lent && match == er_session_length(best->session)) {
        unlink_line(w, best);
        line_free(best);
    }
    return ERRAND_OK;
}

int er_warm_lend(struct er_warm *w, const struct er_warm_adapters *with,
    const int32_t *ids, size_t n, struct er_warm_line **out,
    struct errand_error *err)
{
    struct er_warm_line *l = calloc(1, sizeof *l);
    if (!l || !(l->adapters = er_strdup(with->name))) {
        free(l);
        return er_nomem(err);
    }
    int rc = open_line(w, with, ids, n, &l->session, err);
    if (rc != ERRAND_OK) {
        line_free(l);
        return rc;
    }
    if (w->folder)
        l->kept = er_session_kept(l->session, w->folder, ids, n);
    l->lent = true;
    put_first(w, l);
    *out = l;
    return ERRAND_OK;
}

/* ----------------------------------------------------------- returning */

/* The oldest go while there are too many, or they are too long together. */
static void trim(struct er_warm *w)
{
    uint64_t tokens = 0;
    size_t n = 0;
    struct er_warm_line **at = &w->lines;
    while (*at) {
        struct er_warm_line *l = *at;
        if (!l->lent) {
            tokens += er_session_length(l->session);
            n++;
        }
        if (!l->lent && (n > LINES || tokens > w->max_tokens)) {
            *at = l->next;
            line_free(l);
        } else {
            at = &l->next;
        }
    }
}

void er_warm_return(struct er_warm *w, struct er_warm_line *l)
{
    l->lent = false;
    unlink_line(w, l);
    put_first(w, l);
    trim(w);
}

/* -------------------------------------------------------------- on disk */

bool er_warm_wants(const struct er_warm *w, const struct er_warm_line *l)
{
    uint32_t n = er_session_length(l->session) / PAGE * PAGE;
    return w->folder && n >= l->kept + WORTH;
}

void er_warm_keep(struct er_warm *w, struct er_warm_line *l, uint32_t common)
{
    uint32_t n = er_session_length(l->session) / PAGE * PAGE;
    (void)er_session_keep_beginning(
        l->session, common, w->folder, w->max_bytes, NULL);
    (void)er_session_keep(l->session, w->folder, w->max_bytes, NULL);
    l->kept = n;
}

bool er_warm_keep_one(struct er_warm *w)
{
    for (struct er_warm_line *l = w->lines; l && w->folder; l = l->next) {
        uint32_t n = er_session_length(l->session) / PAGE * PAGE;
        if (!l->lent && n > l->kept) {
            (void)er_session_keep(l->session, w->folder, w->max_bytes, NULL);
            l->kept = n;
            return true;
        }
    }
    return false;
}
