/* Opening, locking, migrating; the write transaction. See docs_db.h. */
#include "search/docs_db.h"

#include "base/text.h"
#include "store/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x45524444, /* "ERDD" */
    VERSION = 1,
    LOCK_WAIT_MS = 60000, /* indexing elsewhere commits more often */
    WAL_PAGES = 8192,     /* then it is copied back */
};

static const char pragmas[] =
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-32768;"
    "PRAGMA mmap_size=268435456;"
    "PRAGMA wal_autocheckpoint=0;"
    "PRAGMA journal_size_limit=67108864;"
    "PRAGMA synchronous=NORMAL;";

static const char schema[] =
    "CREATE TABLE documents("
    " id INTEGER PRIMARY KEY AUTOINCREMENT," /* never used again */
    " collection TEXT NOT NULL,"
    " path TEXT NOT NULL,"
    " kind TEXT NOT NULL,"
    " title TEXT NOT NULL,"
    " converted INTEGER NOT NULL,"
    " size INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL,"
    " hash BLOB NOT NULL,"
    " chunks INTEGER NOT NULL,"
    " words INTEGER NOT NULL,"
    " indexed_ms INTEGER NOT NULL,"
    " UNIQUE(collection, path)"
    ") STRICT;"
    "CREATE TABLE chunks("
    " id INTEGER PRIMARY KEY,"
    " start INTEGER NOT NULL,"
    " end INTEGER NOT NULL,"
    " line INTEGER NOT NULL,"
    " heading TEXT NOT NULL,"
    " text TEXT NOT NULL"
    ") STRICT;"
    "CREATE VIRTUAL TABLE word_index USING fts5("
    " words, content='', tokenize='ascii', columnsize=0);"
    "CREATE VIRTUAL TABLE name_index USING fts5("
    " names, content='', tokenize='trigram', detail=none,"
    " columnsize=0);"
    "CREATE TABLE totals("
    " one INTEGER PRIMARY KEY CHECK(one=1),"
    " chunks INTEGER NOT NULL,"
    " words INTEGER NOT NULL,"
    " reader INTEGER NOT NULL"
    ") STRICT;"
    /* fewer and larger pieces: they are written by the hundred thousand */
    "INSERT INTO word_index(word_index,rank) VALUES('hashsize',16777216);"
    "INSERT INTO name_index(name_index,rank) VALUES('hashsize',16777216);";

/* ------------------------------------------------------------------- open */

static int make_tables(er_docs *d, struct errand_error *err)
{
    char mark[160];
    snprintf(mark, sizeof mark,
        "INSERT INTO totals VALUES(1,0,0,%d);"
        "PRAGMA user_version=%d; PRAGMA application_id=%d",
        (int)ER_READER, (int)VERSION, (int)APPLICATION_ID);
    int code = er_sql_exec(&d->sql, "BEGIN IMMEDIATE", err);
    if (code == ERRAND_OK)
        code = er_sql_exec(&d->sql, schema, err);
    if (code == ERRAND_OK)
        code = er_sql_exec(&d->sql, mark, err);
    if (code == ERRAND_OK)
        code = er_sql_exec(&d->sql, "COMMIT", err);
    if (code != ERRAND_OK)
        sqlite3_exec(d->sql.db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

static int check_version(er_docs *d, bool *fresh, struct errand_error *err)
{
    int64_t version = 0, app = 0;
    int code = er_sql_int(&d->sql, "PRAGMA user_version", &version, err);
    if (code == ERRAND_OK)
        code = er_sql_int(&d->sql, "PRAGMA application_id", &app, err);
    if (code != ERRAND_OK)
        return code;
    *fresh = version == 0 && app == 0;
    if (*fresh || (version == VERSION && app == APPLICATION_ID))
        return ERRAND_OK;
    if (app == APPLICATION_ID && version > VERSION)
        return er_fail(err, ERRAND_STORE_NEWER,
            "%.110s is of a newer errand (version %lld, this one reads %d); "
            "use that, or another store",
            d->path, (long long)version, (int)VERSION);
    return er_fail(err, ERRAND_STORE,
        "%.120s is not errand's; move it away and index again", d->path);
}

static int prepare(er_docs *d, struct errand_error *err)
{
    bool fresh = false;
    int rc = sqlite3_open_v2(d->path, &d->sql.db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
            SQLITE_OPEN_EXRESCODE,
        NULL);
    if (rc != SQLITE_OK)
        return er_sql_fail(&d->sql, rc, err);
    sqlite3_busy_timeout(d->sql.db, 10000);
    sqlite3_db_config(d->sql.db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(d->sql.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    int code = er_sql_exec(&d->sql, "PRAGMA journal_mode=WAL", err);
    if (code == ERRAND_OK)
        code = check_version(d, &fresh, err);
    if (code == ERRAND_OK)
        code = er_sql_exec(&d->sql, pragmas, err);
    if (code == ERRAND_OK && fresh)
        code = make_tables(d, err);
    return code;
}

static int open_all(
    er_docs *d, const char *store_path, struct errand_error *err)
{
    char *name = er_disk_name(store_path, ".docs");
    if (!name)
        return er_nomem(err);
    int code = er_disk_make_folder(name, err);
    if (code == ERRAND_OK) {
        d->path = er_disk_resolve(name, err);
        code = d->path ? ERRAND_OK : err->code;
    }
    free(name);
    if (code == ERRAND_OK)
        code = er_disk_check_local(d->path, err);
    if (code == ERRAND_OK)
        code = er_disk_open_beside(d->path, ".lock", &d->lock_fd, err);
    if (code == ERRAND_OK)
        code = er_disk_touch(d->path, err);
    d->sql.path = d->path;
    if (code == ERRAND_OK)
        code = er_disk_lock(d->lock_fd, LOCK_WAIT_MS, d->path, err);
    if (code != ERRAND_OK)
        return code;
    code = prepare(d, err);
    er_disk_unlock(d->lock_fd);
    return code;
}

er_docs *er_docs_open(const char *store_path, const struct er_log *log,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    er_docs *d = calloc(1, sizeof *d);
    if (!d) {
        er_nomem(err);
        return NULL;
    }
    d->log = log;
    d->lock_fd = -1;
    if (open_all(d, store_path, err) == ERRAND_OK)
        d->words = er_words_new(err);
    if (d->words)
        return d;
    er_docs_close(d);
    return NULL;
}

void er_docs_close(er_docs *d)
{
    if (!d)
        return;
    if (d->writing)
        er_docs_roll_back(d);
    free(d->df);
    er_words_free(d->words);
    er_sql_close(&d->sql);
    if (d->lock_fd >= 0)
        close(d->lock_fd);
    free(d->path);
    free(d);
}

/* ---------------------------------------------------------------- writing */

int er_docs_begin(er_docs *d, struct errand_error *err)
{
    int code = er_disk_lock(d->lock_fd, LOCK_WAIT_MS, d->path, err);
    if (code != ERRAND_OK)
        return code;
    d->writing = true;
    code = er_sql_exec(&d->sql, "BEGIN IMMEDIATE", err);
    if (code != ERRAND_OK)
        er_docs_roll_back(d);
    return code;
}

int er_docs_commit(er_docs *d, struct errand_error *err)
{
    int code = er_sql_exec(&d->sql, "COMMIT", err);
    if (code != ERRAND_OK) {
        er_docs_roll_back(d);
        return code;
    }
    er_docs_checkpoint(d, false);
    d->writing = false;
    er_disk_unlock(d->lock_fd);
    return ERRAND_OK;
}

void er_docs_roll_back(er_docs *d)
{
    sqlite3_exec(d->sql.db, "ROLLBACK", NULL, NULL, NULL);
    d->writing = false;
    er_disk_unlock(d->lock_fd);
}

void er_docs_checkpoint(er_docs *d, bool all)
{
    bool mine = !d->writing;
    struct errand_error err = {0};
    if (mine && er_disk_lock(d->lock_fd, 0, d->path, &err) != ERRAND_OK)
        return; /* whoever writes will do it */
    sqlite3_wal_checkpoint_v2(d->sql.db, NULL,
        all ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, NULL,
        NULL);
    if (mine)
        er_disk_unlock(d->lock_fd);
}
