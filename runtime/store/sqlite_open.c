/* Opening the database: the one time when everything about it is checked.
 *
 * Two small files stand beside it. <path>.lock is locked by whoever writes
 * or checkpoints: with that, two connections never touch the WAL at once,
 * and the WAL-reset bug of SQLite before 3.51.3 cannot be reached. <path>.open
 * is held shared by every process that has the store open. Whoever closes it
 * last takes the WAL away; a WAL that nobody holds says that the last one was
 * killed or lost its power, and the file is checked.
 *
 * A new database is made under another name and renamed when it is on the
 * disk, so that there is never half of one; it costs one flush.
 *
 * synchronous is NORMAL while it runs: a commit then writes the WAL and does
 * not wait for the disk. The queue asks for the flush, once per batch.
 */
#include "base/clock.h"
#include "base/text.h"
#include "store/disk.h"
#include "store/sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOCK_WAIT_MS = 10000,
};

static const char pragmas[] =
    "PRAGMA foreign_keys=ON;"
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA cell_size_check=ON;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-4096;"
    "PRAGMA wal_autocheckpoint=0;"
    "PRAGMA journal_size_limit=67108864;"
    "PRAGMA synchronous=NORMAL;";

static int on_commit(void *ctx, sqlite3 *conn, const char *name, int pages)
{
    struct er_sqlite *db = ctx;
    (void)conn;
    (void)name;
    db->unflushed = true;
    db->wal_pages = pages;
    return SQLITE_OK;
}

static int open_connection(
    struct er_sqlite *db, const char *vfs, struct errand_error *err)
{
    int rc = sqlite3_open_v2(db->path, &db->sql.db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
            SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
        vfs);
    if (rc != SQLITE_OK)
        return er_sql_fail(&db->sql, rc, err);
    sqlite3_busy_timeout(db->sql.db, 5000);
    sqlite3_db_config(db->sql.db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(
        db->sql.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return ERRAND_OK;
}

/* The row with the answer comes before the change is on the disk: only the
 * step after it tells whether that went well. */
static int use_wal(struct er_sqlite *db, struct errand_error *err)
{
    sqlite3_stmt *st = NULL;
    bool wal = false;
    int rc = sqlite3_prepare_v2(
        db->sql.db, "PRAGMA journal_mode=WAL", -1, &st, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        wal = strcmp(er_col_text(st, 0), "wal") == 0;
        rc = SQLITE_OK;
    }
    int code = ERRAND_OK;
    if (rc != SQLITE_DONE)
        code = er_sql_fail(&db->sql, rc, err);
    else if (!wal)
        code = er_fail(err, ERRAND_STORE,
            "%.120s: its file system does not allow a write-ahead log; give "
            "the store another path",
            db->path);
    sqlite3_finalize(st);
    return code;
}

/* Size of the file with this name and end; 0 if there is none. */
static int64_t size_of(const char *path, const char *end)
{
    struct stat st;
    char *name = er_disk_name(path, end);
    bool known = name && stat(name, &st) == 0;
    free(name);
    return known ? (int64_t)st.st_size : 0;
}

bool er_sqlite_wal_is_empty(const struct er_sqlite *db)
{
    return size_of(db->path, "-wal") == 0;
}

/* True if whoever had it open last did not close it. Takes the shared hold;
 * the caller has the write lock, so that nobody else decides meanwhile. */
static bool was_left_open(struct er_sqlite *db)
{
    bool alone = flock(db->marker_fd, LOCK_EX | LOCK_NB) == 0;
    while (flock(db->marker_fd, LOCK_SH) != 0 && errno == EINTR)
        ;
    return alone && !er_sqlite_wal_is_empty(db);
}

static int check_after_unclean_stop(
    struct er_sqlite *db, struct errand_error *err)
{
    int64_t pages = 0, size = 0;
    int code = er_sql_int(&db->sql, "PRAGMA page_count", &pages, err);
    if (code == ERRAND_OK)
        code = er_sql_int(&db->sql, "PRAGMA page_size", &size, err);
    if (code != ERRAND_OK)
        return code;
    if (size > 0 && pages > ER_CHECK_MOST / size) {
        er_log(db->log, ERRAND_LOG_WARN,
            "store: not closed the last time and too large to check now; "
            "run errand doctor");
        return ERRAND_OK;
    }
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(
        db->sql.db, "PRAGMA quick_check(1)", -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc != SQLITE_ROW)
        code = er_sql_fail(&db->sql, rc, err);
    else if (strcmp(er_col_text(st, 0), "ok") != 0)
        code = er_fail(err, ERRAND_STORE,
            "the store %.70s is damaged (%.60s); keep a copy, then restore "
            "a backup or recover it with sqlite3's .recover",
            db->path, er_col_text(st, 0));
    sqlite3_finalize(st);
    return code;
}

/* What SQLite may have left of an attempt that was killed. */
static void remove_remains(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char *name = er_disk_name(path, ends[i]);
        if (name)
            unlink(name);
        free(name);
    }
}

/* The file's own sync, when nothing is in the WAL any more. */
static int sync_database(struct er_sqlite *db, struct errand_error *err)
{
    sqlite3_file *file = NULL;
    int code =
        er_sql_exec(&db->sql, "PRAGMA wal_checkpoint(TRUNCATE)", err);
    if (code != ERRAND_OK)
        return code;
    int rc = sqlite3_file_control(
        db->sql.db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (rc == SQLITE_OK)
        rc = file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
    return rc == SQLITE_OK ? ERRAND_OK : er_sql_fail(&db->sql, rc, err);
}

/* Fill an empty file; nothing is flushed before all of it is there. */
static int fill_new(
    struct er_sqlite *db, const char *vfs, struct errand_error *err)
{
    int code = er_disk_touch(db->path, err);
    if (code == ERRAND_OK)
        code = open_connection(db, vfs, err);
    if (code == ERRAND_OK)
        code = er_sql_exec(&db->sql, "PRAGMA synchronous=OFF", err);
    if (code == ERRAND_OK)
        code = use_wal(db, err);
    if (code == ERRAND_OK)
        code = er_sqlite_migrate(
            db, er_sqlite_migrations, er_sqlite_n_migrations, err);
    if (code == ERRAND_OK)
        code = sync_database(db, err);
    if (code == ERRAND_OK) /* nobody else knows it: the WAL may go */
        sqlite3_db_config(
            db->sql.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    er_sql_close(&db->sql);
    return code;
}

/* Make the database if there is none. The folder is flushed with the WAL's
 * first flush, before anything in it is acknowledged. */
static int make_new(
    const struct er_sqlite *db, const char *vfs, struct errand_error *err)
{
    if (size_of(db->path, "") > 0)
        return ERRAND_OK;
    struct er_sqlite new = {.log = db->log};
    new.path = er_disk_name(db->path, ".new");
    new.sql.path = db->path; /* what a person knows */
    if (!new.path)
        return er_nomem(err);
    remove_remains(new.path);
    int code = fill_new(&new, vfs, err);
    if (code == ERRAND_OK && rename(new.path, db->path) != 0)
        code = er_fail_errno(err, ERRAND_IO,
            "cannot make the store %.120s; give it another path", db->path);
    if (code != ERRAND_OK)
        remove_remains(new.path);
    free(new.path);
    return code;
}

static int prepare_database(
    struct er_sqlite *db, const char *vfs, struct errand_error *err)
{
    bool left_open = was_left_open(db);
    int code = make_new(db, vfs, err);
    if (code == ERRAND_OK)
        code = open_connection(db, vfs, err);
    if (code == ERRAND_OK)
        code = er_sqlite_check_version(db, er_sqlite_n_migrations, err);
    if (code == ERRAND_OK)
        code = use_wal(db, err);
    if (code == ERRAND_OK && left_open)
        code = check_after_unclean_stop(db, err);
    if (code == ERRAND_OK)
        code = er_sqlite_migrate(
            db, er_sqlite_migrations, er_sqlite_n_migrations, err);
    if (code == ERRAND_OK)
        code = er_sql_exec(&db->sql, pragmas, err);
    if (code == ERRAND_OK) /* after them: wal_autocheckpoint takes the hook */
        sqlite3_wal_hook(db->sql.db, on_commit, db);
    return code;
}

static int open_all(struct er_sqlite *db, const char *path, const char *vfs,
    struct errand_error *err)
{
    int code = er_disk_make_folder(path, err);
    if (code != ERRAND_OK)
        return code;
    db->path = er_disk_resolve(path, err);
    db->sql.path = db->path;
    if (!db->path)
        return err->code;
    code = er_disk_check_local(db->path, err);
    if (code == ERRAND_OK)
        code = er_disk_open_beside(db->path, ".lock", &db->lock_fd, err);
    if (code == ERRAND_OK)
        code = er_disk_open_beside(db->path, ".open", &db->marker_fd, err);
    if (code == ERRAND_OK)
        code = er_disk_lock(db->lock_fd, LOCK_WAIT_MS, db->path, err);
    if (code != ERRAND_OK)
        return code;
    code = prepare_database(db, vfs, err);
    er_disk_unlock(db->lock_fd);
    return code;
}

int er_sqlite_open(const char *path, const char *vfs,
    const struct er_log *log, struct er_backend *out,
    struct errand_error *err)
{
    struct er_sqlite *db = calloc(1, sizeof *db);
    if (!db)
        return er_nomem(err);
    db->log = log;
    db->lock_fd = db->marker_fd = -1;
    struct errand_error mine = {0};
    int code = open_all(db, path, vfs, err ? err : &mine);
    if (code != ERRAND_OK) {
        er_sqlite_release(db);
        return code;
    }
    *out = (struct er_backend){.ops = &er_sqlite_ops, .self = db};
    return ERRAND_OK;
}

void er_sqlite_release(struct er_sqlite *db)
{
    er_sql_close(&db->sql);
    if (db->marker_fd >= 0)
        close(db->marker_fd);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db->ops);
    free(db->path);
    free(db);
}
