/* Bringing the index up to the files: what is there, what is known, what is
 * to do; then documents come from the threads and are written many at once.
 *
 * FTS5 gathers what it is given in memory and writes a piece of index when
 * numbers go down, or at a commit. So a batch first takes old chunks out in
 * the order of their numbers and then puts new ones in behind all others. */
#include "search/docs_db.h"

#include "base/clock.h"
#include "search/index_pool.h"
#include "search/index_text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BATCH_DOCUMENTS = 512,
    BATCH_BYTES = 16 << 20, /* of text */
    BATCH_MS = 2000,
    RACY_NS = 2000000000, /* a file may change within its clock's tick */
    WAIT_MS = 100
};

struct known { /* a document that is indexed under one of the roots */
    const char *path;
    int64_t id, size, mtime_ns, indexed_ms;
    unsigned char hash[32];
    bool seen;
};

struct indexing {
    er_docs *d;
    const struct er_index_request *req;
    struct er_index_progress *p;
    const char *collection;
    struct er_files files;
    struct er_arena arena;
    struct known *known;
    size_t n_known, known_room;
    struct er_index_task *tasks;
    size_t n_tasks;
    struct er_prepared *batch;
    size_t n_batch, batch_bytes;
    int64_t batch_ms, told_ms;
    struct errand_error *err;
};

/* ----------------------------------------------------------------- known */

static int keep_known(struct indexing *x, sqlite3_stmt *row)
{
    if (x->n_known == x->known_room) {
        size_t room = x->known_room ? x->known_room * 2 : 256;
        struct known *more = realloc(x->known, room * sizeof *more);
        if (!more)
            return er_nomem(x->err);
        x->known = more;
        x->known_room = room;
    }
    struct known *k = &x->known[x->n_known];
    bool nomem = false;
    *k = (struct known){.id = sqlite3_column_int64(row, 0),
        .path = er_col_copy(row, 1, &x->arena, &nomem),
        .size = sqlite3_column_int64(row, 2),
        .mtime_ns = sqlite3_column_int64(row, 3),
        .indexed_ms = sqlite3_column_int64(row, 5)};
    if (nomem)
        return er_nomem(x->err);
    if (sqlite3_column_bytes(row, 4) == (int)sizeof k->hash)
        memcpy(k->hash, sqlite3_column_blob(row, 4), sizeof k->hash);
    x->n_known++;
    return ERRAND_OK;
}

/* Everything at and under the roots, in the order of paths. */
static int load_known(struct indexing *x)
{
    int code = ERRAND_OK;
    for (size_t i = 0; i < x->files.n_roots && code == ERRAND_OK; i++) {
        sqlite3_stmt *row = NULL;
        code = er_sql_first(&x->d->sql, ER_D_KNOWN,
            "SELECT id, path, size, mtime_ns, hash, indexed_ms"
            " FROM documents WHERE collection=?1 AND (path=?2 OR"
            " (path>=rtrim(?2,'/')||'/' AND path<rtrim(?2,'/')||'0'))",
            ER_VALS(er_text(x->collection), er_text(x->files.roots[i])),
            &row, x->err);
        size_t before = x->n_known;
        while (code == ERRAND_OK && row) {
            code = keep_known(x, row);
            if (code == ERRAND_OK)
                code = er_sql_next(&x->d->sql, &row, x->err);
        }
        if (row)
            er_sql_end(row);
        if (code == ERRAND_OK && x->n_known == before && x->files.n == 0 &&
            access(x->files.roots[i], F_OK) != 0)
            code = er_fail(x->err, ERRAND_NOT_FOUND,
                "there is no file or folder %.150s", x->files.roots[i]);
    }
    return code;
}

static int known_by_path(const void *a, const void *b)
{
    const struct known *x = a, *y = b;
    return strcmp(x->path, y->path);
}

static struct known *find_known(struct indexing *x, const char *path)
{
    struct known key = {.path = path};
    return x->n_known ? bsearch(&key, x->known, x->n_known,
                            sizeof *x->known, known_by_path)
                      : NULL;
}

static bool is_unchanged(const struct known *k, const struct er_file *f)
{
    return k->size == f->size && k->mtime_ns == f->mtime_ns &&
           f->mtime_ns + RACY_NS < k->indexed_ms * 1000000;
}

static int plan(struct indexing *x)
{
    x->tasks = calloc(x->files.n + 1, sizeof *x->tasks);
    if (!x->tasks)
        return er_nomem(x->err);
    if (x->n_known)
        qsort(x->known, x->n_known, sizeof *x->known, known_by_path);
    for (size_t i = 0; i < x->files.n; i++) {
        const struct er_file *f = &x->files.v[i];
        struct known *k = find_known(x, f->path);
        if (k)
            k->seen = true;
        if (k && !x->req->again && is_unchanged(k, f)) {
            x->p->unchanged++;
            x->p->files++;
            continue;
        }
        x->tasks[x->n_tasks++] = (struct er_index_task){.file = f,
            .known_hash = k && !x->req->again ? k->hash : NULL};
    }
    x->p->total = x->files.n;
    return ERRAND_OK;
}

/* ---------------------------------------------------------------- writing */

static bool tell(struct indexing *x, const struct er_prepared *problem)
{
    int64_t now = er_mono_ms();
    if (!x->req->progress || (!problem && now - x->told_ms < WAIT_MS))
        return true;
    x->told_ms = now;
    x->p->problem = problem ? problem->err.msg : NULL;
    x->p->path = problem ? problem->file->path : NULL;
    bool go_on = x->req->progress(x->req->ctx, x->p);
    x->p->problem = x->p->path = NULL;
    return go_on;
}

/* The number that a path has now; 0: none. Asked within the transaction, for
 * another process may have indexed it meanwhile. */
static int number_now(struct indexing *x, const char *path, int64_t *id)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&x->d->sql, ER_D_NUMBER,
        "SELECT id FROM documents WHERE collection=?1 AND path=?2",
        ER_VALS(er_text(x->collection), er_text(path)), &row, x->err);
    *id = row ? sqlite3_column_int64(row, 0) : 0;
    if (row)
        er_sql_end(row);
    return code;
}

static int touch(struct indexing *x, const struct er_prepared *p)
{
    x->p->unchanged++;
    return er_sql_run(&x->d->sql, ER_D_TOUCH,
        "UPDATE documents SET mtime_ns=?3, indexed_ms=?4"
        " WHERE collection=?1 AND path=?2",
        ER_VALS(er_text(x->collection), er_text(p->file->path),
            er_int(p->doc.mtime_ns), er_int(p->doc.indexed_ms)),
        x->err);
}

static int write_chunk(
    struct indexing *x, const struct er_prepared *p, int64_t doc, size_t i)
{
    const struct er_chunk *c = &p->chunks.v[i];
    size_t words = i ? p->ends[2 * i - 2] : 0;
    size_t names = i ? p->ends[2 * i - 1] : 0;
    struct er_val id = er_int(doc << ER_CHUNK_BITS | (int64_t)i);
    int code = er_sql_run(&x->d->sql, ER_D_CHUNK_INSERT,
        "INSERT INTO chunks VALUES(?1,?2,?3,?4,?5,CAST(?6 AS TEXT))",
        ER_VALS(id, er_int((int64_t)c->start), er_int((int64_t)c->end),
            er_int(c->line), er_text(c->heading), er_blob(c->text, c->len)),
        x->err);
    if (code == ERRAND_OK)
        code = er_sql_run(&x->d->sql, ER_D_WORDS_INSERT,
            "INSERT INTO word_index(rowid,words) VALUES(?1,CAST(?2 AS TEXT))",
            ER_VALS(id, er_blob(er_buf_str(&p->words) + words,
                            p->ends[2 * i] - words)),
            x->err);
    if (code == ERRAND_OK && p->ends[2 * i + 1] > names)
        code = er_sql_run(&x->d->sql, ER_D_NAMES_INSERT,
            "INSERT INTO name_index(rowid,names) VALUES(?1,CAST(?2 AS TEXT))",
            ER_VALS(id, er_blob(er_buf_str(&p->names) + names,
                            p->ends[2 * i + 1] - names)),
            x->err);
    return code;
}

static int write_document(struct indexing *x, const struct er_prepared *p)
{
    int code = er_sql_run(&x->d->sql, ER_D_INSERT,
        "INSERT INTO documents(collection,path,kind,title,converted,size,"
        "mtime_ns,hash,chunks,words,indexed_ms)"
        " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
        ER_VALS(er_text(x->collection), er_text(p->doc.path),
            er_text(er_kind_name(p->doc.kind)), er_text(p->doc.title),
            er_int(p->doc.converted), er_int(p->doc.size),
            er_int(p->doc.mtime_ns), er_blob(p->doc.hash, 32),
            er_int((int64_t)p->chunks.n), er_int((int64_t)p->n_words),
            er_int(p->doc.indexed_ms)),
        x->err);
    int64_t id = sqlite3_last_insert_rowid(x->d->sql.db);
    for (size_t i = 0; i < p->chunks.n && code == ERRAND_OK; i++)
        code = write_chunk(x, p, id, i);
    if (code == ERRAND_OK)
        code = er_sql_run(&x->d->sql, ER_D_TOTALS_ADD,
            "UPDATE totals SET chunks=chunks+?1, words=words+?2",
            ER_VALS(er_int((int64_t)p->chunks.n),
                er_int((int64_t)p->n_words)),
            x->err);
    return code;
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* What the batch replaces, and what can no longer be read: out of the index,
 * lowest number first. */
static int drop_old(struct indexing *x)
{
    int64_t ids[BATCH_DOCUMENTS];
    size_t n = 0;
    int code = ERRAND_OK;
    for (size_t i = 0; i < x->n_batch && code == ERRAND_OK; i++) {
        const struct er_prepared *p = &x->batch[i];
        bool lost = p->state == ER_PREPARED_PROBLEM &&
                    p->err.code != ERRAND_IO && p->err.code != ERRAND_NOMEM;
        if (p->state != ER_PREPARED && !lost)
            continue;
        int64_t id = 0;
        code = number_now(x, p->file->path, &id);
        if (id)
            ids[n++] = id;
        x->p->removed += id && lost;
    }
    qsort(ids, n, sizeof *ids, by_number);
    for (size_t i = 0; i < n && code == ERRAND_OK; i++)
        code = er_docs_drop(x->d, ids[i], x->err);
    return code;
}

static int write_one(struct indexing *x, const struct er_prepared *p)
{
    if (p->state == ER_PREPARED_PROBLEM) {
        x->p->skipped++;
        return ERRAND_OK;
    }
    if (p->state == ER_PREPARED_SAME)
        return touch(x, p);
    if (find_known(x, p->file->path))
        x->p->changed++;
    else
        x->p->added++;
    x->p->chunks += p->chunks.n;
    return write_document(x, p);
}

static int write_batch(struct indexing *x)
{
    if (x->n_batch == 0)
        return ERRAND_OK;
    int code = er_docs_begin(x->d, x->err);
    bool begun = code == ERRAND_OK;
    if (begun)
        code = drop_old(x);
    for (size_t i = 0; i < x->n_batch && code == ERRAND_OK; i++)
        code = write_one(x, &x->batch[i]);
    if (code == ERRAND_OK)
        code = er_docs_commit(x->d, x->err);
    else if (begun)
        er_docs_roll_back(x->d);
    for (size_t i = 0; i < x->n_batch; i++)
        er_prepared_release(&x->batch[i]);
    x->n_batch = x->batch_bytes = 0;
    x->batch_ms = er_mono_ms();
    return code;
}

/* ---------------------------------------------------------------- working */

/* What the batch has taken; false: stop. Found in a folder, a file that is
 * no text is no problem: most folders have some. */
static bool take(struct indexing *x, struct er_prepared *p)
{
    bool go_on = true;
    x->p->files++;
    x->p->bytes += p->file->size;
    x->batch_bytes += p->extract.text.len + 1;
    if (p->state == ER_PREPARED_PROBLEM &&
        (p->file->named || p->err.code != ERRAND_SYNTAX))
        go_on = tell(x, p);
    return go_on;
}

static int work(struct indexing *x, struct er_index_pool *pool)
{
    int code = ERRAND_OK, got = 1;
    bool go_on = true;
    while (code == ERRAND_OK && got >= 0 && go_on) {
        struct er_prepared *p = &x->batch[x->n_batch];
        got = er_index_pool_next(pool, WAIT_MS, p);
        if (got > 0) {
            x->n_batch++;
            go_on = take(x, p);
        }
        if (x->n_batch == BATCH_DOCUMENTS || x->batch_bytes >= BATCH_BYTES ||
            (x->n_batch && er_mono_ms() - x->batch_ms > BATCH_MS))
            code = write_batch(x);
        go_on = go_on && tell(x, NULL);
    }
    if (code == ERRAND_OK)
        code = write_batch(x);
    for (size_t i = 0; i < x->n_batch; i++)
        er_prepared_release(&x->batch[i]);
    if (code == ERRAND_OK && !go_on)
        code = er_fail(x->err, ERRAND_CANCELLED,
            "stopped; the same command goes on with the rest");
    return code;
}

static int run_tasks(struct indexing *x)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = x->req->jobs > 0 ? x->req->jobs : cpus > 1 ? (int)cpus : 1;
    if (x->n_tasks == 0)
        return ERRAND_OK;
    if ((size_t)threads > x->n_tasks)
        threads = (int)x->n_tasks;
    x->batch = calloc(BATCH_DOCUMENTS, sizeof *x->batch);
    if (!x->batch)
        return er_nomem(x->err);
    struct er_index_pool *pool =
        er_index_pool_new(x->tasks, x->n_tasks, threads, x->err);
    x->batch_ms = er_mono_ms();
    int code = pool ? work(x, pool) : x->err->code;
    er_index_pool_free(pool);
    free(x->batch);
    return code;
}

/* Documents whose files are gone. */
static int remove_gone(struct indexing *x)
{
    bool any = false;
    int code = ERRAND_OK;
    for (size_t i = 0; i < x->n_known && !any; i++)
        any = !x->known[i].seen;
    if (!any)
        return ERRAND_OK;
    code = er_docs_begin(x->d, x->err);
    if (code != ERRAND_OK)
        return code;
    for (size_t i = 0; i < x->n_known && code == ERRAND_OK; i++) {
        if (x->known[i].seen)
            continue;
        code = er_docs_drop(x->d, x->known[i].id, x->err);
        x->p->removed++;
    }
    if (code == ERRAND_OK)
        return er_docs_commit(x->d, x->err);
    er_docs_roll_back(x->d);
    return code;
}

int er_docs_index(er_docs *d, const struct er_index_request *req,
    struct er_index_progress *out, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct indexing x = {.d = d, .req = req, .p = out,
        .collection = req->collection ? req->collection : "default",
        .err = err ? err : &mine};
    *out = (struct er_index_progress){.files = 0};
    er_arena_init(&x.arena);
    int code = er_files_walk(
        &x.files, req->paths, req->n, req->hidden, x.err);
    if (code == ERRAND_OK)
        code = load_known(&x);
    if (code == ERRAND_OK)
        code = plan(&x);
    if (code == ERRAND_OK)
        code = remove_gone(&x);
    if (code == ERRAND_OK)
        code = run_tasks(&x);
    er_docs_checkpoint(d, code == ERRAND_OK);
    er_files_release(&x.files);
    free(x.known);
    free(x.tasks);
    er_arena_release(&x.arena);
    return code;
}
