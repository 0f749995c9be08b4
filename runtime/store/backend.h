/* What a database must do to stand behind store.h.
 *
 * The queue calls these on one thread at a time. Between begin and commit,
 * apply runs any number of ops, which must stay until the batch is over; one
 * that fails undoes itself alone, the others of the batch stay. commit makes
 * the batch visible and safe from kill -9; flush makes everything committed
 * so far safe from power loss.
 */
#ifndef ERRAND_STORE_BACKEND_H
#define ERRAND_STORE_BACKEND_H

#include "store/store.h"

struct er_backend_ops {
    /* Errors BUSY (another process writes for too long), STORE, IO */
    int (*begin)(void *self, struct errand_error *err);
    /* Sets op->code, op->err and op->out; returns op->code */
    int (*apply)(void *self, struct er_op *op);
    /* On failure the whole batch is undone. Errors STORE, IO */
    int (*commit)(void *self, struct errand_error *err);
    void (*rollback)(void *self);
    int (*flush)(void *self, struct errand_error *err);
    /* Nothing is waiting: a moment for work that can wait, at most a few
     * milliseconds; quiet_ms is how long nothing has. Returns after how many
     * ms more to call again, -1: not before the next batch. */
    int64_t (*rest)(void *self, int64_t quiet_ms);
    void (*close)(void *self);
};

struct er_backend {
    const struct er_backend_ops *ops;
    void *self;
};

/* SQLite. vfs: name of a registered VFS, NULL for the default (tests give
 * one that fails). Errors as er_store_open. */
int er_sqlite_open(const char *path, const char *vfs,
    const struct er_log *log, struct er_backend *out,
    struct errand_error *err);

/* A store over a backend that is open already; it is taken, also on
 * failure. For tests and other databases; queries need SQLite's path. */
er_store *er_store_over(struct er_loop *loop, struct er_backend backend,
    const struct er_store_options *opt, struct errand_error *err);

#endif
