/* Documents: indexed, found, read.
 *
 * They lie in a database beside the store's (<store>.docs): what is in it can
 * be made again from the files, and writing a hundred thousand chunks must
 * not make a run wait that only wants to note a call. It obeys the store's
 * rules: every write holds an exclusive lock on <store>.docs.lock, commits
 * hold whole documents, and a kill leaves the last commit.
 *
 * A chunk's id is "DOCUMENT.CHUNK" ("12.3"). A document that changed gets a
 * new number, so an id always means the same text or nothing.
 *
 * Everything here works on the calling thread; an er_docs belongs to one
 * thread at a time. Only er_docs_index starts threads, and it ends them.
 */
#ifndef ERRAND_SEARCH_DOCS_H
#define ERRAND_SEARCH_DOCS_H

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct er_docs er_docs;

/* Open the documents of a store, or make an empty place for them. store_path
 * is the store's file. Errors STORE, STORE_NEWER, BUSY, IO, NOMEM,
 * UNSUPPORTED (no FTS5). */
er_docs *er_docs_open(const char *store_path, const struct er_log *log,
    struct errand_error *err);
void er_docs_close(er_docs *d);

/* --------------------------------------------------------------- indexing */

struct er_index_progress {
    size_t files;           /* looked at so far */
    size_t total;           /* to look at */
    size_t added, changed, unchanged, removed, skipped;
    size_t chunks;          /* written */
    int64_t bytes;          /* of the files that were read */
    const char *problem;    /* NULL, or a file that could not be read and
                               why; told once for each */
    const char *path;       /* of the problem */
};

struct er_index_request {
    const char *const *paths; /* files and folders; n of them */
    size_t n;
    const char *collection;   /* NULL: "default" */
    int jobs;                 /* threads that read; 0: one per processor */
    bool again;               /* also what did not change */
    bool hidden;              /* also names that begin with a dot */
    /* Called on the calling thread, some times a second and for each problem;
     * false stops after what is committed. May be NULL. */
    bool (*progress)(void *ctx, const struct er_index_progress *p);
    void *ctx;
};

/* Bring the index up to what lies under the paths: new and changed files are
 * read, those that are gone are removed. Commits every few seconds. Files
 * that cannot be read are problems, not failures. Errors NOT_FOUND (a path
 * that is neither there nor indexed), USAGE, CANCELLED, IO, STORE, NOMEM. */
int er_docs_index(er_docs *d, const struct er_index_request *req,
    struct er_index_progress *out, struct errand_error *err);

/* Remove documents at or under a path, of one collection or (NULL) of all;
 * path NULL: the whole collection. *removed says how many. */
int er_docs_remove(er_docs *d, const char *path, const char *collection,
    size_t *removed, struct errand_error *err);

/* ---------------------------------------------------------------- finding */

struct er_docs_query {
    const char *text;       /* words; "phrases" must occur, -words must not */
    int64_t limit;          /* 1..1000; 0: 10 */
    const char *collection; /* NULL: all */
    const char *path;       /* a file, a folder, or a glob; NULL: all */
    const char *kind;       /* er_kind_name; NULL: all */
    int64_t per_document;   /* most chunks of one document; 0: any */
};

/* Array, best first, of {"id","path","collection","kind","title","heading",
 * "line","start","end","score","text","matches":[[start,end],...]}: matches
 * are bytes of text. line is null where the text is not the file's own.
 * Errors USAGE, NOMEM, STORE. */
json_t *er_docs_search(er_docs *d, const struct er_docs_query *query,
    struct errand_error *err);

/* ---------------------------------------------------------------- reading */

/* One chunk by its id, as in a search, without score and matches.
 * Errors NOT_FOUND, USAGE. */
json_t *er_docs_chunk(er_docs *d, const char *id, struct errand_error *err);

/* Part of a document, which is named by a chunk's id, its number, or its path
 * (or its end, if only one has it): {"document","path","title","kind",
 * "of","from","next","chunks":[{"id","heading","line","text"}]}: chunks from
 * number from (-1: from the chunk of the id, else 0) on, at most most_bytes
 * of text but one chunk at least; of: how many there are; next: where to read
 * on, or null. Errors NOT_FOUND, USAGE. */
json_t *er_docs_read(er_docs *d, const char *name, int64_t from,
    size_t most_bytes, struct errand_error *err);

/* {"collections":[{"name","documents","chunks","bytes"}],"documents":[{
 * "id","path","collection","kind","title","bytes","chunks","indexed_ms"}],
 * "path"}: documents in the order of their paths. collection and path as in a
 * query; limit of documents, 0: none. */
json_t *er_docs_list(er_docs *d, const char *collection, const char *path,
    int64_t limit, struct errand_error *err);

#endif
