/* The inside of er_store: the queue's state, and the questions' connection.
 */
#ifndef ERRAND_STORE_QUEUE_H
#define ERRAND_STORE_QUEUE_H

#include "store/backend.h"
#include "store/sqlite_sql.h"

#include <pthread.h>

/* How the store thread calls the loop: it may still lie in the loop's list
 * when the store is gone, so it lives on its own. */
struct er_door {
    struct er_post post;
    struct er_store *store; /* NULL: closed */
    bool posted;
};

struct er_store {
    struct er_loop *loop;
    struct er_backend backend; /* the store thread's, after start */
    enum errand_sync sync;
    const struct er_log *log;
    pthread_t thread;
    pthread_mutex_t lock; /* over what follows up to closing, and waiters */
    pthread_cond_t work;
    struct er_op *first, **last;
    struct er_op *answered, **last_answered;
    struct er_door *door;
    bool closing;
    int waiting;     /* how many ops */
    bool hurry;      /* one of them is not patient */
    bool ready;      /* the thread may take what waits */
    bool idle;       /* it sleeps */
    bool delivering; /* answers are being given: it is woken after them */
    struct er_timer patience; /* [owner] runs out while only patient ones */
    bool timing;              /* [owner] it is set */
    /* for questions, [owner] */
    char *path;
    struct er_sql reader; /* opened by the first question */
};

/* --- sqlite_read.c */

int er_store_reader_init(
    struct er_store *s, const char *path, struct errand_error *err);
void er_store_reader_close(struct er_store *s);

/* The connection for questions. Errors as er_store_open; UNSUPPORTED if the
 * store is not in a file. [owner] */
int er_store_reader(
    struct er_store *s, struct er_sql **out, struct errand_error *err);

/* --- JSON from rows; NULL only without memory */

json_t *er_col_json(sqlite3_stmt *row, int column); /* by the value's type */
json_t *er_col_parsed(sqlite3_stmt *row, int column); /* text that is JSON */

/* An object from a row, each column under its name. */
json_t *er_row_object(sqlite3_stmt *row);

/* Every row of a question, as such objects; NULL with err. The caller owns
 * the array. [any] */
json_t *er_store_rows(er_store *s, enum er_slot slot, const char *text,
    struct er_vals vals, struct errand_error *err);

#endif
