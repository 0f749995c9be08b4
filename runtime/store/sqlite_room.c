/* Room in the WAL, made before it is needed.
 *
 * To flush a file that has grown, the file system writes its own log as
 * well: twice the waiting of a flush into blocks that the file already has.
 * So the WAL grows ahead, by zeros, in few steps, up to the size at which it
 * is copied back and written again from its start. SQLite reads a WAL as far
 * as its frames have the salts of its head, which zeros never have.
 *
 * The write lock is held: nobody else appends meanwhile. Room is a gain and
 * no duty: where it cannot be had the WAL grows as it would without.
 */
#include "store/sqlite_db.h"

#include <stdlib.h>

enum {
    HEAD = 32,
    FRAME = 24 + 4096,
    CHUNK = 64 * 1024,
    AHEAD = 2 * CHUNK,         /* less room than this: make more */
    FIRST_STEP = 4 * CHUNK,    /* enough for a short conversation */
    STEP = 16 * CHUNK,
    MOST = HEAD + (ER_WAL_PAGES + 128) * FRAME, /* it is copied back before */
};

sqlite3_file *er_sqlite_wal(struct er_sqlite *db)
{
    sqlite3_file *wal = NULL;
    int rc = sqlite3_file_control(
        db->sql.db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
    return rc == SQLITE_OK && wal && wal->pMethods ? wal : NULL;
}

static bool grow(sqlite3_file *wal, sqlite3_int64 from, sqlite3_int64 to)
{
    void *zeros = calloc(1, CHUNK);
    bool ok = zeros != NULL;
    for (; ok && from < to; from += CHUNK)
        ok = wal->pMethods->xWrite(wal, zeros, CHUNK, from) == SQLITE_OK;
    free(zeros);
    return ok;
}

void er_sqlite_make_room(struct er_sqlite *db)
{
    int64_t used = HEAD + (int64_t)db->wal_pages * FRAME;
    sqlite3_int64 size = 0;
    if (used + AHEAD <= db->wal_room)
        return;
    sqlite3_file *wal = er_sqlite_wal(db);
    if (!wal || wal->pMethods->xFileSize(wal, &size) != SQLITE_OK)
        return;
    if (used + AHEAD > size && size < MOST) {
        sqlite3_int64 step = size < FIRST_STEP ? FIRST_STEP : STEP;
        size = grow(wal, size, size + step) ? size + step : MOST;
    }
    db->wal_room = size < MOST ? size : INT64_MAX;
}
