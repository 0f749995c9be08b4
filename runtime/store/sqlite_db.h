/* The inside of the SQLite backend: one writing connection and its batch.
 *
 * Files  sqlite_open.c    lock, pragmas, unclean stop
 *        sqlite_schema.c  tables, migrations
 *        sqlite_batch.c   begin, apply, commit, flush, checkpoint
 *        sqlite_accept.c, sqlite_claim.c, sqlite_step.c, sqlite_call.c,
 *        sqlite_keep.c, sqlite_fork.c, sqlite_consent.c, sqlite_kv.c,
 *        sqlite_script.c
 *                         the transitions
 *        sqlite_load.c    a run as its executor needs it
 *        sqlite_index.c   full-text index
 *        sqlite_read.c, sqlite_list.c, sqlite_search.c, sqlite_health.c
 *                         questions, on a connection that cannot write
 *
 * Numbers  A conversation and a run have a short number beside their id. A
 *          message's key is conversation * 2^24 + seq, a call's, attempt's
 *          and event's run * 2^24 + place: so everything that is read
 *          together lies together, and each table needs one tree.
 */
#ifndef ERRAND_STORE_SQLITE_DB_H
#define ERRAND_STORE_SQLITE_DB_H

#include "store/backend.h"
#include "store/sqlite_sql.h"
#include "store/states.h"

enum { ER_PLACE_BITS = 24 };
#define ER_PLACE_MAX (((int64_t)1 << ER_PLACE_BITS) - 1)

static inline int64_t er_key(int64_t owner, int64_t place)
{
    return owner << ER_PLACE_BITS | place;
}

/* Bytes of a store that is checked when it is opened after an unclean stop;
 * a larger one would keep people waiting. */
enum { ER_CHECK_MOST = 256 * 1024 * 1024 };

struct er_sqlite {
    struct er_sql sql;
    char *path;
    const struct er_log *log;
    int lock_fd;   /* <path>.lock: held while writing */
    int marker_fd; /* <path>.open: held shared while it is open */
    bool locked;
    struct er_op **ops; /* of this batch that worked, until it is careful */
    size_t applied, room;
    bool careful;  /* each op of this batch gets a savepoint */
    bool poisoned; /* SQLite rolled the batch back: it cannot commit */
    struct errand_error poison;
    bool unflushed;  /* commits since the last flush */
    bool distrusted; /* a flush failed: what is on the disk is not known */
    int wal_pages;   /* in the WAL after the last commit */
    int64_t wal_room; /* bytes of its file, as far as they were made ahead */
    enum { ER_WAL_UNSEEN, ER_WAL_NEW, ER_WAL_USED } wal; /* begin_sql */
    int64_t fresh;   /* messages written since the index was brought up */
    int64_t rested_ms; /* when idle work was last tried */
};

/* --- sqlite_open.c */

/* Close what is open and free; nothing is written. */
void er_sqlite_release(struct er_sqlite *db);

/* Is there nothing in the WAL's file? The caller has the write lock. */
bool er_sqlite_wal_is_empty(const struct er_sqlite *db);

/* --- sqlite_apply.c */

/* Begin and undo the transaction of a batch. */
int er_sqlite_begin(struct er_sqlite *db, struct errand_error *err);
int er_sqlite_roll_back(struct er_sqlite *db, struct errand_error *err);

/* One op, as struct er_backend_ops wants it. */
int er_sqlite_apply(void *self, struct er_op *op);

/* --- sqlite_schema.c */

struct er_migration {
    const char *sql; /* takes the version before to this one */
};

/* Refuse a database of another program or of a newer errand. */
int er_sqlite_check_version(
    struct er_sqlite *db, size_t n_migrations, struct errand_error *err);

/* Bring user_version up to n, one transaction each, after a backup beside
 * the file (<path>.v1.backup) if there is something to lose. */
int er_sqlite_migrate(struct er_sqlite *db, const struct er_migration *m,
    size_t n, struct errand_error *err);

extern const struct er_migration er_sqlite_migrations[];
extern const size_t er_sqlite_n_migrations;

/* --- sqlite_batch.c */

extern const struct er_backend_ops er_sqlite_ops;

/* Copy the WAL's pages back; truncate also shortens the file. Takes the
 * lock, waiting at most wait_ms. */
int er_sqlite_checkpoint(struct er_sqlite *db, bool truncate,
    int64_t wait_ms, struct errand_error *err);

/* --- sqlite_room.c */

enum { ER_WAL_PAGES = 1024 }; /* about 4 MiB: then it is copied back */

/* The WAL's file; NULL: there is none. */
sqlite3_file *er_sqlite_wal(struct er_sqlite *db);

/* After a commit, with the write lock. */
void er_sqlite_make_room(struct er_sqlite *db);

/* --- what the transitions share (sqlite_claim.c) */

struct er_hot { /* a run as transitions need it */
    int64_t no, conv, epoch, next_seq, open_calls, calls;
    int state;
};

/* The columns of runs as r that it is read from. */
#define ER_HOT_COLUMNS                                                    \
    "r.no, r.conv, r.epoch, r.state, r.next_seq, r.open_calls, r.calls"
enum { ER_HOT_COUNT = 7 };

/* Fill it from a row (NULL: there is none) and check the claim. */
int er_sqlite_hot_row(sqlite3_stmt *row, const struct er_claim *claim,
    struct er_hot *out, struct errand_error *err);

/* Read a run and check the claim. Errors NOT_FOUND, FENCED. */
int er_sqlite_hot(struct er_sqlite *db, const struct er_claim *claim,
    struct er_hot *out, struct errand_error *err);

/* Write one message that makes no calls at its place. */
int er_sqlite_message(struct er_sqlite *db, int64_t conv, int64_t run,
    int64_t seq, const struct er_new_message *m, struct errand_error *err);

/* Room for n more messages behind next_seq? Errors TOO_LARGE. */
int er_sqlite_room(int64_t next_seq, size_t n, struct errand_error *err);

/* --- transitions: each sets op->err and returns the code */

int er_sqlite_accept(struct er_sqlite *db, struct er_op *op);
int er_sqlite_claim(struct er_sqlite *db, struct er_op *op);
int er_sqlite_extend(struct er_sqlite *db, struct er_op *op);
int er_sqlite_step(struct er_sqlite *db, struct er_op *op);
int er_sqlite_begin_call(struct er_sqlite *db, struct er_op *op);
int er_sqlite_finish(struct er_sqlite *db, struct er_op *op);
int er_sqlite_attempt(struct er_sqlite *db, struct er_op *op);
int er_sqlite_append(struct er_sqlite *db, struct er_op *op);
int er_sqlite_stop(struct er_sqlite *db, struct er_op *op);
int er_sqlite_events(struct er_sqlite *db, struct er_op *op);
int er_sqlite_resolve(struct er_sqlite *db, struct er_op *op);
int er_sqlite_fork(struct er_sqlite *db, struct er_op *op);
int er_sqlite_remove(struct er_sqlite *db, struct er_op *op);
int er_sqlite_read(struct er_sqlite *db, struct er_op *op);
int er_sqlite_put(struct er_sqlite *db, struct er_op *op);
int er_sqlite_tidy(struct er_sqlite *db, struct er_op *op);
int er_sqlite_grant(struct er_sqlite *db, struct er_op *op);
int er_sqlite_rule(struct er_sqlite *db, struct er_op *op);
int er_sqlite_kv_set(struct er_sqlite *db, struct er_op *op);
int er_sqlite_kv_get(struct er_sqlite *db, struct er_op *op);
int er_sqlite_kv_list(struct er_sqlite *db, struct er_op *op);

/* --- sqlite_script.c: steps of scripts */

int er_sqlite_open_step(struct er_sqlite *db, struct er_op *op);
int er_sqlite_close_step(struct er_sqlite *db, struct er_op *op);

/* The new run does the work of a step, if the request says so. */
int er_sqlite_adopt(struct er_sqlite *db, int64_t run,
    const struct er_accept *in, struct errand_error *err);

/* --- sqlite_consent.c: what approvals leave behind */

/* Call no waits for an approval of this. */
int er_sqlite_ask(struct er_sqlite *db, int64_t no,
    const struct er_approval_note *asked, struct errand_error *err);

/* Somebody decided; NULL: nothing is noted. */
int er_sqlite_decide(struct er_sqlite *db, int64_t no, const char *decision,
    struct errand_error *err);

/* --- sqlite_index.c */

/* Index up to limit messages that are not yet; *left says if more wait. */
int er_sqlite_index(struct er_sqlite *db, int64_t limit, bool *left,
    struct errand_error *err);

/* Take a conversation's messages out of the index, before they go. */
int er_sqlite_unindex(
    struct er_sqlite *db, int64_t conv, struct errand_error *err);

#endif
