/* The inside of the documents' database.
 *
 *   documents  one row per file
 *   chunks     number = document * 2^16 + place in it, so that a document's
 *              chunks lie together
 *   word_index FTS5 over the words of a chunk and its headings, already cut
 *              and stemmed (token.h), so that it only splits them at spaces;
 *              without the text, which is in chunks
 *   name_index FTS5's trigrams over the names in a chunk (names.h)
 *   totals     how many chunks and words there are
 */
#ifndef ERRAND_SEARCH_DOCS_DB_H
#define ERRAND_SEARCH_DOCS_DB_H

#include "base/sha256.h"
#include "search/docs.h"
#include "search/kind.h"
#include "search/rough.h"
#include "search/token.h"
#include "store/sqlite_sql.h"

enum {
    ER_CHUNK_BITS = 16,
    ER_READER = 1 /* of the words; another one makes the index anew */
};

struct er_docs {
    struct er_sql sql;
    char *path;
    const struct er_log *log;
    int lock_fd;
    struct er_words *words;
    double *df;      /* by word: chunks that have it, -1: not asked yet */
    size_t df_room;
    int64_t df_version; /* of the database that they were asked of */
    bool searching;     /* what searches need was made */
    struct er_rough rough;
    bool writing;
};

struct er_document {
    int64_t id;
    const char *collection, *path, *title;
    enum er_kind kind;
    bool converted; /* its text is not the file's bytes */
    int64_t size, mtime_ns, indexed_ms;
    unsigned char hash[32];
};

/* Begin a transaction that writes, with the lock; end it either way. */
int er_docs_begin(er_docs *d, struct errand_error *err);
int er_docs_commit(er_docs *d, struct errand_error *err);
void er_docs_roll_back(er_docs *d);

/* Copy the WAL back when it is large. */
void er_docs_checkpoint(er_docs *d, bool all);

/* Take a document and its chunks out, within a transaction. */
int er_docs_drop(er_docs *d, int64_t id, struct errand_error *err);

/* --- docs_read.c */

/* The columns of chunks c and documents d that er_chunk_json reads. */
#define ER_CHUNK_COLUMNS                                                  \
    "c.id, c.start, c.end, c.line, c.heading, c.text, d.path, d.title,"   \
    " d.kind, d.converted, d.collection, d.chunks"

/* A chunk as docs.h says; NULL: no memory. */
json_t *er_chunk_json(sqlite3_stmt *row);

/* "12.3" of a chunk's number, and back; whole: it was a document's alone. */
void er_chunk_id(int64_t no, char out[48]);
bool er_chunk_number(const char *id, int64_t *no, bool *whole);

#endif
