/* An auxiliary function of FTS5; see rough.h. */
#include "search/rough.h"

#include "search/docs_db.h"

static fts5_api *api_of(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &st, NULL) ==
        SQLITE_OK) {
        sqlite3_bind_pointer(st, 1, (void *)&api, "fts5_api_ptr", NULL);
        sqlite3_step(st);
    }
    sqlite3_finalize(st);
    return api;
}

bool er_rough_allows(const struct er_rough *r, int64_t id)
{
    int64_t doc = id >> ER_CHUNK_BITS;
    if (!r->allowed)
        return true;
    return doc < r->n_allowed && (r->allowed[doc >> 3] >> (doc & 7) & 1);
}

/* The least of the kept stands first. */
static bool is_less(const struct er_rough *r, size_t a, size_t b)
{
    if (r->best[a].score != r->best[b].score)
        return r->best[a].score < r->best[b].score;
    return r->best[a].id > r->best[b].id;
}

static void swap(struct er_rough *r, size_t a, size_t b)
{
    double score = r->best[a].score;
    int64_t id = r->best[a].id;
    r->best[a] = r->best[b];
    r->best[b].score = score;
    r->best[b].id = id;
}

static void sift_down(struct er_rough *r)
{
    size_t at = 0;
    for (;;) {
        size_t least = at, left = 2 * at + 1;
        if (left < r->kept && is_less(r, left, least))
            least = left;
        if (left + 1 < r->kept && is_less(r, left + 1, least))
            least = left + 1;
        if (least == at)
            return;
        swap(r, at, least);
        at = least;
    }
}

static void keep(struct er_rough *r, double score, int64_t id)
{
    if (r->kept == r->most) {
        if (score <= r->best[0].score)
            return; /* of equals the first stays */
        r->best[0].score = score;
        r->best[0].id = id;
        sift_down(r);
        return;
    }
    size_t at = r->kept++;
    r->best[at].score = score;
    r->best[at].id = id;
    for (; at > 0 && is_less(r, at, (at - 1) / 2); at = (at - 1) / 2)
        swap(r, at, (at - 1) / 2);
}

static void rough(const Fts5ExtensionApi *api, Fts5Context *fts,
    sqlite3_context *ctx, int n, sqlite3_value **values)
{
    struct er_rough *r = api->xUserData(fts);
    int64_t id = api->xRowid(fts);
    double score = 0;
    (void)n;
    (void)values;
    sqlite3_result_null(ctx);
    if (!er_rough_allows(r, id))
        return;
    for (size_t i = 0; i < r->n; i++) {
        Fts5PhraseIter it;
        int column = -1, offset = 0, tf = 0;
        int rc = api->xPhraseFirst(fts, (int)i, &it, &column, &offset);
        if (rc != SQLITE_OK) {
            sqlite3_result_error_code(ctx, rc);
            return;
        }
        for (; column >= 0; api->xPhraseNext(fts, &it, &column, &offset))
            tf++;
        score += r->weight[i] * tf / (tf + 1.2);
    }
    keep(r, score, id);
}

int er_rough_register(
    sqlite3 *db, struct er_rough *r, struct errand_error *err)
{
    fts5_api *api = api_of(db);
    if (api && api->xCreateFunction(api, "er_rough", r, rough, NULL) ==
                   SQLITE_OK)
        return ERRAND_OK;
    return er_fail(err, ERRAND_STORE,
        "SQLite %s does not take a ranking of ours", sqlite3_libversion());
}
