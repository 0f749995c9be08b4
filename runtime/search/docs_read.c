/* Questions about documents that need no ranking: lists, chunks, texts; and
 * taking documents out. */
#include "base/buf.h"
#include "base/text.h"
#include "search/docs_db.h"
#include "search/index_text.h"
#include "search/walk.h"

#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------- taking out */

struct dropping {
    er_docs *d;
    const char *path, *title;
    enum er_kind kind;
    struct errand_error *err;
};

/* FTS5 wants what it was given, word by word. */
static int unindex(struct dropping *x, sqlite3_stmt *row)
{
    struct er_buf head, words, names;
    size_t n = 0, len = (size_t)sqlite3_column_bytes(row, 2);
    const char *text = er_col_text(row, 2);
    struct er_val id = er_int(sqlite3_column_int64(row, 0));
    int code = ERRAND_OK;
    er_buf_init(&head, 16384);
    er_buf_init(&words, (size_t)1 << 28);
    er_buf_init(&names, (size_t)1 << 20);
    if (!er_index_head(&head, x->path, x->title, er_col_text(row, 1)) ||
        !er_index_words(x->d->words, er_buf_str(&head), head.len, text, len,
            &words, &n) ||
        !er_index_names(x->kind, text, len, &names))
        code = er_nomem(x->err);
    if (code == ERRAND_OK)
        code = er_sql_run(&x->d->sql, ER_D_WORDS_DELETE,
            "INSERT INTO word_index(word_index,rowid,words)"
            " VALUES('delete',?1,CAST(?2 AS TEXT))",
            ER_VALS(id, er_blob(er_buf_str(&words), words.len)), x->err);
    if (code == ERRAND_OK && names.len > 0)
        code = er_sql_run(&x->d->sql, ER_D_NAMES_DELETE,
            "INSERT INTO name_index(name_index,rowid,names)"
            " VALUES('delete',?1,CAST(?2 AS TEXT))",
            ER_VALS(id, er_blob(er_buf_str(&names), names.len)), x->err);
    er_buf_release(&head);
    er_buf_release(&words);
    er_buf_release(&names);
    return code;
}

static int drop_chunks(struct dropping *x, int64_t id)
{
    sqlite3_stmt *row = NULL;
    struct er_vals range = ER_VALS(er_int(id << ER_CHUNK_BITS),
        er_int((id + 1) << ER_CHUNK_BITS));
    er_words_tidy(x->d->words);
    int code = er_sql_first(&x->d->sql, ER_D_CHUNKS,
        "SELECT id, heading, text FROM chunks WHERE id>=?1 AND id<?2"
        " ORDER BY id",
        range, &row, x->err);
    while (code == ERRAND_OK && row) {
        code = unindex(x, row);
        if (code == ERRAND_OK)
            code = er_sql_next(&x->d->sql, &row, x->err);
    }
    if (row)
        er_sql_end(row);
    if (code == ERRAND_OK)
        code = er_sql_run(&x->d->sql, ER_D_CHUNKS_DELETE,
            "DELETE FROM chunks WHERE id>=?1 AND id<?2", range, x->err);
    return code;
}

int er_docs_drop(er_docs *d, int64_t id, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&d->sql, ER_D_DOCUMENT,
        "SELECT path, title, kind, chunks, words FROM documents WHERE id=?1",
        ER_VALS(er_int(id)), &row, err);
    if (code != ERRAND_OK || !row)
        return code;
    struct er_arena arena;
    bool nomem = false;
    er_arena_init(&arena);
    struct dropping x = {.d = d, .err = err,
        .path = er_col_copy(row, 0, &arena, &nomem),
        .title = er_col_copy(row, 1, &arena, &nomem),
        .kind = er_kind_named(er_col_text(row, 2))};
    int64_t chunks = sqlite3_column_int64(row, 3);
    int64_t words = sqlite3_column_int64(row, 4);
    er_sql_end(row);
    code = nomem ? er_nomem(err) : drop_chunks(&x, id);
    er_arena_release(&arena);
    if (code == ERRAND_OK)
        code = er_sql_run(&d->sql, ER_D_DELETE,
            "DELETE FROM documents WHERE id=?1", ER_VALS(er_int(id)), err);
    if (code == ERRAND_OK)
        code = er_sql_run(&d->sql, ER_D_TOTALS_ADD,
            "UPDATE totals SET chunks=chunks+?1, words=words+?2",
            ER_VALS(er_int(-chunks), er_int(-words)), err);
    return code;
}

/* Ids of what is at or under a path (NULL: everything) of a collection (NULL:
 * all), lowest first; caller frees. */
static int64_t *numbers_under(er_docs *d, const char *path,
    const char *collection, size_t *n, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    size_t room = 0;
    int64_t *ids = NULL;
    *n = 0;
    int code = er_sql_first(&d->sql, ER_D_UNDER,
        "SELECT id FROM documents WHERE (?1 IS NULL OR collection=?1) AND"
        " (?2 IS NULL OR path=?2 OR (path>=rtrim(?2,'/')||'/' AND"
        " path<rtrim(?2,'/')||'0')) ORDER BY id",
        ER_VALS(er_text(collection), er_text(path)), &row, err);
    while (code == ERRAND_OK && row) {
        if (*n == room) {
            int64_t *more = realloc(ids, (room = room * 2 + 64) * sizeof *ids);
            if (!more) {
                code = er_nomem(err);
                break;
            }
            ids = more;
        }
        ids[(*n)++] = sqlite3_column_int64(row, 0);
        code = er_sql_next(&d->sql, &row, err);
    }
    if (row)
        er_sql_end(row);
    if (code == ERRAND_OK && !ids && !(ids = malloc(sizeof *ids)))
        code = er_nomem(err);
    if (code == ERRAND_OK)
        return ids;
    free(ids);
    return NULL;
}

int er_docs_remove(er_docs *d, const char *path, const char *collection,
    size_t *removed, struct errand_error *err)
{
    size_t n = 0;
    struct errand_error mine = {0};
    err = err ? err : &mine;
    *removed = 0;
    char *absolute = path ? er_path_absolute(path) : NULL;
    if (path && !absolute)
        return er_nomem(err);
    int code = er_docs_begin(d, err);
    if (code != ERRAND_OK) {
        free(absolute);
        return code;
    }
    int64_t *ids = numbers_under(d, absolute, collection, &n, err);
    code = ids ? ERRAND_OK : err->code;
    if (ids && n == 0)
        code = er_fail(err, ERRAND_NOT_FOUND, "nothing is indexed at %.100s%s"
            "%.40s; `errand index --list` shows what is",
            path ? path : "any path", collection ? " in " : "",
            collection ? collection : "");
    for (size_t i = 0; i < n && code == ERRAND_OK; i++)
        code = er_docs_drop(d, ids[i], err);
    if (code == ERRAND_OK)
        code = er_docs_commit(d, err);
    else
        er_docs_roll_back(d);
    *removed = code == ERRAND_OK ? n : 0;
    er_docs_checkpoint(d, false);
    free(absolute);
    free(ids);
    return code;
}

/* ---------------------------------------------------------------- reading */

json_t *er_chunk_json(sqlite3_stmt *row)
{
    char id[48];
    int64_t no = sqlite3_column_int64(row, 0);
    bool converted = sqlite3_column_int(row, 9) != 0;
    er_chunk_id(no, id);
    json_t *o = json_object();
    bool ok = er_json_put(o, "id", id) &&
              er_json_put(o, "path", er_col_text(row, 6)) &&
              er_json_put(o, "collection", er_col_text(row, 10)) &&
              er_json_put(o, "kind", er_col_text(row, 8)) &&
              er_json_put(o, "title", er_col_text(row, 7)) &&
              er_json_put(o, "heading", er_col_text(row, 4)) &&
              json_object_set_new(o, "line", converted ? json_null()
                  : json_integer(sqlite3_column_int64(row, 3))) == 0 &&
              json_object_set_new(o, "start",
                  json_integer(sqlite3_column_int64(row, 1))) == 0 &&
              json_object_set_new(o, "end",
                  json_integer(sqlite3_column_int64(row, 2))) == 0 &&
              er_json_putn(o, "text", er_col_text(row, 5),
                  (size_t)sqlite3_column_bytes(row, 5));
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}

void er_chunk_id(int64_t no, char out[48])
{
    struct er_buf b;
    er_buf_init(&b, 47);
    er_buf_addf(&b, "%lld.%lld", (long long)(no >> ER_CHUNK_BITS),
        (long long)(no & ((1 << ER_CHUNK_BITS) - 1)));
    memcpy(out, er_buf_str(&b), b.len + 1);
    er_buf_release(&b);
}

bool er_chunk_number(const char *id, int64_t *no, bool *whole)
{
    char *end;
    if (*id < '0' || *id > '9')
        return false;
    long long doc = strtoll(id, &end, 10), chunk = 0;
    *whole = *end == '\0';
    if (*end == '.' && end[1] >= '0' && end[1] <= '9')
        chunk = strtoll(end + 1, &end, 10);
    else if (*end)
        return false;
    if (*end || doc <= 0 || doc > INT32_MAX || chunk < 0 ||
        chunk >= 1 << ER_CHUNK_BITS)
        return false;
    *no = (int64_t)doc << ER_CHUNK_BITS | chunk;
    return true;
}

json_t *er_docs_chunk(er_docs *d, const char *id, struct errand_error *err)
{
    struct errand_error mine = {0};
    sqlite3_stmt *row = NULL;
    int64_t no = 0;
    bool whole = false;
    err = err ? err : &mine;
    if (!er_chunk_number(id, &no, &whole) || whole) {
        er_fail(err, ERRAND_USAGE, "\"%.40s\" is no id of a chunk, which "
            "looks like 12.3", id);
        return NULL;
    }
    int code = er_sql_first(&d->sql, ER_D_CHUNK,
        "SELECT " ER_CHUNK_COLUMNS " FROM chunks c JOIN documents d"
        " ON d.id=c.id>>16 WHERE c.id=?1",
        ER_VALS(er_int(no)), &row, err);
    if (code != ERRAND_OK)
        return NULL;
    json_t *o = row ? er_chunk_json(row) : NULL;
    if (!row)
        er_fail(err, ERRAND_NOT_FOUND, "there is no chunk %.40s; its document "
            "changed or was removed: search again", id);
    else if (!o)
        er_nomem(err);
    if (row)
        er_sql_end(row);
    return o;
}

/* The document that a path, or the end of one, names; 0 with err set. */
static int64_t document_at(
    er_docs *d, const char *name, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int64_t id = 0;
    char *absolute = er_path_absolute(name);
    if (!absolute) {
        er_nomem(err);
        return 0;
    }
    int code = er_sql_first(&d->sql, ER_D_BY_PATH,
        "SELECT id FROM documents WHERE path=?1 OR path=?2 ORDER BY id DESC",
        ER_VALS(er_text(absolute), er_text(name)), &row, err);
    free(absolute);
    if (code == ERRAND_OK && !row)
        code = er_sql_first(&d->sql, ER_D_BY_END,
            "SELECT max(id), count(DISTINCT path) FROM documents"
            " WHERE substr(path, -length(?1)-1)='/'||?1",
            ER_VALS(er_text(name)), &row, err);
    if (code != ERRAND_OK)
        return 0;
    bool many = row && sqlite3_column_count(row) > 1 &&
                sqlite3_column_int(row, 1) > 1;
    id = row && !many ? sqlite3_column_int64(row, 0) : 0;
    if (row)
        er_sql_end(row);
    if (many)
        er_fail(err, ERRAND_USAGE,
            "several documents end in %.100s; say more of the path", name);
    else if (!id)
        er_fail(err, ERRAND_NOT_FOUND,
            "no document %.100s is indexed; `errand index --list` shows "
            "which are", name);
    return id;
}

struct text {
    json_t *o, *chunks;
    size_t left;
    int64_t count;
};

/* A chunk of the document; false: it does not fit any more. */
static bool add_chunk(struct text *t, sqlite3_stmt *row, bool *ok)
{
    size_t len = (size_t)sqlite3_column_bytes(row, 5);
    if (!t->o) {
        t->o = json_pack("{s:I,s:s%,s:s%,s:s%,s:I}", "document",
            (json_int_t)(sqlite3_column_int64(row, 0) >> ER_CHUNK_BITS),
            "path", er_col_text(row, 6),
            (size_t)sqlite3_column_bytes(row, 6), "title",
            er_col_text(row, 7), (size_t)sqlite3_column_bytes(row, 7),
            "kind", er_col_text(row, 8),
            (size_t)sqlite3_column_bytes(row, 8), "of",
            (json_int_t)sqlite3_column_int64(row, 11));
        t->chunks = json_array();
        *ok = t->o && json_object_set_new(t->o, "chunks", t->chunks) == 0;
    } else if (len > t->left) {
        return false;
    }
    t->left = len < t->left ? t->left - len : 0;
    t->count++;
    json_t *c = er_chunk_json(row);
    static const char *const drop[] = {
        "path", "collection", "kind", "title", "start", "end"};
    for (size_t i = 0; i < sizeof drop / sizeof drop[0]; i++)
        json_object_del(c, drop[i]);
    *ok = *ok && json_array_append_new(t->chunks, c) == 0;
    return *ok;
}

json_t *er_docs_read(er_docs *d, const char *name, int64_t from,
    size_t most_bytes, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct text t = {.left = most_bytes};
    sqlite3_stmt *row = NULL;
    int64_t no = 0;
    bool whole = false, ok = true;
    err = err ? err : &mine;
    if (!er_chunk_number(name, &no, &whole)) {
        no = document_at(d, name, err) << ER_CHUNK_BITS;
        if (!no)
            return NULL;
    }
    if (from >= 0 && from < 1 << ER_CHUNK_BITS)
        no = (no >> ER_CHUNK_BITS) << ER_CHUNK_BITS | from;
    int code = er_sql_first(&d->sql, ER_D_READ,
        "SELECT " ER_CHUNK_COLUMNS " FROM chunks c JOIN documents d"
        " ON d.id=c.id>>16 WHERE c.id>=?1 AND c.id<?2 ORDER BY c.id",
        ER_VALS(er_int(no),
            er_int(((no >> ER_CHUNK_BITS) + 1) << ER_CHUNK_BITS)),
        &row, err);
    while (code == ERRAND_OK && row && add_chunk(&t, row, &ok))
        code = er_sql_next(&d->sql, &row, err);
    bool more = row != NULL;
    if (row)
        er_sql_end(row);
    int64_t first = no & ((1 << ER_CHUNK_BITS) - 1);
    if (code == ERRAND_OK && ok && !t.o)
        code = er_fail(err, ERRAND_NOT_FOUND, "there is no chunk %lld of "
            "document %.80s", (long long)first, name);
    ok = ok && t.o &&
         json_object_set_new(t.o, "from", json_integer(first)) == 0 &&
         json_object_set_new(t.o, "next",
             more ? json_integer(first + t.count) : json_null()) == 0;
    if (code == ERRAND_OK && ok)
        return t.o;
    if (code == ERRAND_OK)
        er_nomem(err);
    json_decref(t.o);
    return NULL;
}

/* ------------------------------------------------------------------ lists */

static int list_rows(er_docs *d, enum er_slot slot, const char *sql,
    struct er_vals vals, json_t *out, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(&d->sql, slot, sql, vals, &row, err);
    while (code == ERRAND_OK && row) {
        json_t *o = json_object();
        bool ok = o != NULL;
        for (int i = 0; ok && i < sqlite3_column_count(row); i++) {
            const char *name = sqlite3_column_name(row, i);
            ok = sqlite3_column_type(row, i) == SQLITE_INTEGER
                ? json_object_set_new(o, name,
                      json_integer(sqlite3_column_int64(row, i))) == 0
                : er_json_put(o, name, er_col_text(row, i));
        }
        if (!ok || json_array_append_new(out, o) != 0) {
            if (!ok)
                json_decref(o);
            code = er_nomem(err);
        } else {
            code = er_sql_next(&d->sql, &row, err);
        }
    }
    if (row)
        er_sql_end(row);
    return code;
}

json_t *er_docs_list(er_docs *d, const char *collection, const char *path,
    int64_t limit, struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *o = json_object(), *collections = json_array();
    json_t *documents = json_array();
    char *absolute = path ? er_path_absolute(path) : NULL;
    int code = o && collections && documents && (absolute || !path)
        ? ERRAND_OK : er_nomem(err);
    if (code == ERRAND_OK)
        code = list_rows(d, ER_D_COLLECTIONS,
            "SELECT collection AS name, count(*) AS documents,"
            " sum(chunks) AS chunks, sum(size) AS bytes FROM documents"
            " GROUP BY collection ORDER BY collection",
            ER_NO_VALS, collections, err);
    if (code == ERRAND_OK && limit > 0)
        code = list_rows(d, ER_D_LIST,
            "SELECT id, path, collection, kind, title, size AS bytes, chunks,"
            " indexed_ms FROM documents WHERE (?1 IS NULL OR collection=?1)"
            " AND (?2 IS NULL OR path=?2 OR (path>=rtrim(?2,'/')||'/' AND"
            " path<rtrim(?2,'/')||'0')) ORDER BY path, collection LIMIT ?3",
            ER_VALS(er_text(collection), er_text(absolute), er_int(limit)),
            documents, err);
    free(absolute);
    if (code == ERRAND_OK && er_json_put(o, "path", d->path) &&
        json_object_set(o, "collections", collections) == 0 &&
        json_object_set(o, "documents", documents) == 0) {
        json_decref(collections);
        json_decref(documents);
        return o;
    }
    if (code == ERRAND_OK)
        er_nomem(err);
    json_decref(o);
    json_decref(collections);
    json_decref(documents);
    return NULL;
}
