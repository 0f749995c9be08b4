/* Reading a run back as its executor needs it. */
#ifndef ERRAND_STORE_SQLITE_LOAD_H
#define ERRAND_STORE_SQLITE_LOAD_H

#include "store/sqlite_db.h"

/* The whole row; texts from the arena. Errors NOT_FOUND. */
int er_sqlite_run_row(struct er_sqlite *db, const char *run_id,
    struct er_arena *arena, struct er_run_row *out,
    struct errand_error *err);

/* The row, its conversation's messages and its calls. Errors NOT_FOUND. */
int er_sqlite_load(struct er_sqlite *db, const char *run_id,
    struct er_arena *arena, struct er_loaded *out, struct errand_error *err);

#endif
