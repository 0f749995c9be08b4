/* A batch is one transaction under the write lock; a flush makes all commits
 * so far safe from power loss.
 *
 * The flush syncs the WAL's own file, which is what synchronous=FULL would
 * have done inside each commit. When it fails, nobody can say any more what
 * is on the disk (the kernel may have dropped the pages), so the store
 * refuses everything from then on and says so.
 */
#include "base/crash.h"
#include "store/disk.h"
#include "store/sqlite_db.h"

#include <inttypes.h>
#include <string.h>

enum {
    LOCK_WAIT_MS = 10000,
    REST_MS = 1000,   /* quiet for so long: index what is waiting. Agents are
                         quiet for less between two replies of a model */
    INDEX_STEP = 128,  /* messages per rest: a few milliseconds */
    INDEX_MOST = 16384, /* waiting messages: index without a rest */
};

static int refuse_distrusted(struct er_sqlite *db, struct errand_error *err)
{
    return er_fail(err, ERRAND_IO,
        "%.80s could not be flushed to its disk, so nothing more is "
        "accepted; check the disk, then start errand again",
        db->path);
}

/* SQLite flushes the head of a WAL before its first frame, because an older
 * frame may stand behind it. In a file that is still empty none can: that one
 * commit goes without, and the flush that follows takes the head along. */
static int begin_wal(struct er_sqlite *db, struct errand_error *err)
{
    if (db->wal != ER_WAL_UNSEEN)
        return ERRAND_OK;
    if (!er_sqlite_wal_is_empty(db)) {
        db->wal = ER_WAL_USED;
        return ERRAND_OK;
    }
    db->wal = ER_WAL_NEW;
    return er_sql_exec(&db->sql, "PRAGMA synchronous=OFF", err);
}

/* The same batch is over, or its end could not be told before. */
static int end_wal(struct er_sqlite *db, struct errand_error *err)
{
    if (db->wal != ER_WAL_NEW)
        return ERRAND_OK;
    int code = er_sql_exec(&db->sql, "PRAGMA synchronous=NORMAL", err);
    if (code == ERRAND_OK)
        db->wal = db->wal_pages > 0 ? ER_WAL_USED : ER_WAL_UNSEEN;
    return code;
}

static int batch_begin(void *self, struct errand_error *err)
{
    struct er_sqlite *db = self;
    if (db->distrusted)
        return refuse_distrusted(db, err);
    int code = er_disk_lock(db->lock_fd, LOCK_WAIT_MS, db->path, err);
    if (code != ERRAND_OK)
        return code;
    db->poisoned = false;
    code = end_wal(db, err);
    if (code == ERRAND_OK)
        code = begin_wal(db, err);
    if (code == ERRAND_OK)
        code = er_sqlite_begin(db, err);
    if (code != ERRAND_OK)
        er_disk_unlock(db->lock_fd);
    return code;
}

static void batch_rollback(void *self)
{
    struct er_sqlite *db = self;
    struct errand_error err = {0};
    if (er_sqlite_roll_back(db, &err) != ERRAND_OK ||
        end_wal(db, &err) != ERRAND_OK)
        er_log(db->log, ERRAND_LOG_ERROR, "store: %s", err.msg);
    er_disk_unlock(db->lock_fd);
}

static int batch_commit(void *self, struct errand_error *err)
{
    struct er_sqlite *db = self;
    int code = ERRAND_OK;
    if (db->poisoned) {
        *err = db->poison;
        code = db->poison.code;
    } else {
        code = er_sql_run(
            &db->sql, ER_Q_COMMIT, "COMMIT", ER_NO_VALS, err);
    }
    struct errand_error more = {0};
    if (code == ERRAND_OK)
        er_sqlite_make_room(db);
    if (code != ERRAND_OK && er_sqlite_roll_back(db, &more) != ERRAND_OK)
        er_log(db->log, ERRAND_LOG_ERROR, "store: %s", more.msg);
    if (end_wal(db, &more) != ERRAND_OK) /* tried again before the next one */
        er_log(db->log, ERRAND_LOG_WARN, "store: %s", more.msg);
    er_disk_unlock(db->lock_fd);
    return code;
}

static int batch_flush(void *self, struct errand_error *err)
{
    struct er_sqlite *db = self;
    if (db->distrusted)
        return refuse_distrusted(db, err);
    if (!db->unflushed)
        return ERRAND_OK;
    sqlite3_file *wal = er_sqlite_wal(db);
    int rc = wal ? wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL)
                 : SQLITE_INTERNAL;
    if (rc != SQLITE_OK) {
        db->distrusted = true;
        er_log(db->log, ERRAND_LOG_ERROR,
            "store: flushing the WAL of %s failed (%d)", db->path, rc);
        return refuse_distrusted(db, err);
    }
    db->unflushed = false;
    return ERRAND_OK;
}

int er_sqlite_checkpoint(struct er_sqlite *db, bool truncate,
    int64_t wait_ms, struct errand_error *err)
{
    int code = er_disk_lock(db->lock_fd, wait_ms, db->path, err);
    if (code != ERRAND_OK)
        return code;
    int left = 0, done = 0;
    code = end_wal(db, err); /* never without its own flushes */
    if (code != ERRAND_OK) {
        er_disk_unlock(db->lock_fd);
        return code;
    }
    ER_CRASH("checkpoint.before");
    int rc = sqlite3_wal_checkpoint_v2(db->sql.db, "main",
        truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
        &left, &done);
    if (truncate)
        db->wal_room = 0;
    ER_CRASH("checkpoint.after");
    if (rc == SQLITE_OK)
        db->wal_pages = done == left ? 0 : db->wal_pages;
    else if ((rc & 0xff) != SQLITE_BUSY) /* a reader: it is done later */
        code = er_sql_fail(&db->sql, rc, err);
    if (rc == SQLITE_IOERR_FSYNC)
        db->distrusted = true;
    er_disk_unlock(db->lock_fd);
    return code;
}

/* Index in a batch of its own. */
static bool index_some(struct er_sqlite *db, int64_t limit)
{
    struct errand_error err = {0};
    bool left = false;
    if (batch_begin(db, &err) == ERRAND_OK) {
        if (er_sqlite_index(db, limit, &left, &err) == ERRAND_OK)
            batch_commit(db, &err);
        else
            batch_rollback(db);
    }
    if (err.code != ERRAND_OK)
        er_log(db->log, ERRAND_LOG_WARN, "store: indexing: %s", err.msg);
    return left && err.code == ERRAND_OK;
}

static int64_t batch_rest(void *self, int64_t quiet_ms)
{
    struct er_sqlite *db = self;
    struct errand_error err = {0};
    if (db->distrusted)
        return -1;
    if (db->wal_pages > ER_WAL_PAGES &&
        er_sqlite_checkpoint(db, false, 0, &err) != ERRAND_OK)
        er_log(db->log, ERRAND_LOG_WARN, "store: checkpoint: %s", err.msg);
    if (db->fresh == 0)
        return -1;
    if (quiet_ms < REST_MS && db->fresh < INDEX_MOST)
        return REST_MS - quiet_ms;
    /* the more at once, the cheaper: with a backlog that counts for more */
    if (index_some(db, quiet_ms < REST_MS ? INDEX_MOST / 4 : INDEX_STEP))
        return 0;
    db->fresh = 0;
    return -1;
}

static void batch_close(void *self)
{
    struct er_sqlite *db = self;
    struct errand_error err = {0};
    if (!db->distrusted) {
        index_some(db, INDEX_MOST);
        if (er_sqlite_checkpoint(db, true, LOCK_WAIT_MS, &err) != ERRAND_OK)
            er_log(db->log, ERRAND_LOG_WARN, "store: closing: %s", err.msg);
        if (err.code == ERRAND_OK &&
            er_disk_lock(db->lock_fd, LOCK_WAIT_MS, db->path, &err) ==
                ERRAND_OK) /* the last one takes the WAL's file away */
            sqlite3_db_config(
                db->sql.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    }
    er_sqlite_release(db);
}

const struct er_backend_ops er_sqlite_ops = {
    .begin = batch_begin,
    .apply = er_sqlite_apply,
    .commit = batch_commit,
    .rollback = batch_rollback,
    .flush = batch_flush,
    .rest = batch_rest,
    .close = batch_close,
};
