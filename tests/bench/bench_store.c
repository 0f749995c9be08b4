/* What the store costs, as ratios to bare SQLite in the same run: the same
 * number of transactions with one INSERT each, in WAL mode.
 *
 *   build/tests/bench/bench_store [FOLDER]
 *
 * A round is what a model turn with one call costs: T1 (the assistant's
 * message, a call, an attempt) and T3 (its result). "The end awaited" is how
 * calls of pure tools are stored, "each round" and "each step" how those with
 * side effects are.
 */
#include "support/store_kit.c"

#include "base/clock.h"

#include <math.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <time.h>

static double seconds(clockid_t id)
{
    struct timespec t = {0};
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct lap {
    double wall, cpu;
};

static struct lap lap_begin(void)
{
    return (struct lap){
        seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct lap lap_end(struct lap from)
{
    struct lap now = lap_begin();
    return (struct lap){now.wall - from.wall, now.cpu - from.cpu};
}

static void show(const char *what, struct lap l, int n, double bare)
{
    printf("%-44s %9.0f/s %7.1f us wall %7.1f us cpu", what, n / l.wall,
        l.wall / n * 1e6, l.cpu / n * 1e6);
    if (bare > 0)
        printf("   %.2f x bare", n / l.wall / bare);
    printf("\n");
}

/* --- bare SQLite */

static double bare(const char *folder, const char *sync, int n)
{
    char path[120], pragma[80], text[300];
    snprintf(path, sizeof path, "%s/bare-%s.db", folder, sync);
    snprintf(pragma, sizeof pragma, "PRAGMA synchronous=%s", sync);
    memset(text, 'x', sizeof text);
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    sqlite3_open(path, &db);
    sqlite3_exec(db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    sqlite3_exec(db, pragma, NULL, NULL, NULL);
    sqlite3_exec(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT)",
        NULL, NULL, NULL);
    sqlite3_prepare_v2(
        db, "INSERT INTO t(text) VALUES(?1)", -1, &st, NULL);
    struct lap from = lap_begin();
    for (int i = 0; i < n; i++) {
        sqlite3_bind_text(st, 1, text, sizeof text, SQLITE_STATIC);
        if (sqlite3_step(st) != SQLITE_DONE)
            printf("bare: %s\n", sqlite3_errmsg(db));
        sqlite3_reset(st);
    }
    struct lap l = lap_end(from);
    sqlite3_finalize(st);
    sqlite3_close(db);
    char what[80];
    snprintf(what, sizeof what, "bare SQLite, one INSERT each, %s", sync);
    show(what, l, n, 0);
    return n / l.wall;
}

/* --- the store */

struct chain { /* one conversation, its rounds one after the other */
    struct bench *bench;
    struct kit_run run;
    int round, id;
    char call[32];
};

struct bench {
    er_store *store;
    struct er_loop *loop;
    int rounds, live, next_id;
    enum { WAIT_END, WAIT_ROUND, WAIT_STEP } wait;
};

static void next_round(struct chain *c);

static void submit(struct chain *c, struct er_op *op,
    void (*done)(void *, struct er_op *))
{
    op->done = done;
    op->ctx = c;
    er_store_submit(c->bench->store, op);
}

static void check(const struct er_op *op)
{
    if (op->code != ERRAND_OK)
        printf("op %d: %s\n", (int)op->kind, op->err.msg);
}

static void on_finish(void *ctx, struct er_op *op)
{
    struct chain *c = ctx;
    check(op);
    er_op_free(op);
    if (c->bench->wait != WAIT_END)
        next_round(c);
}

static void finish(struct chain *c)
{
    char id[48];
    snprintf(id, sizeof id, "%s0", c->call);
    struct er_op *op =
        kit_finish_op(&c->run, id, ER_CALL_DONE, "the result of a call");
    if (c->bench->wait == WAIT_END)
        op->level = ER_COMMITTED;
    op->patient = c->bench->wait == WAIT_END;
    submit(c, op, on_finish);
}

static void on_step(void *ctx, struct er_op *op)
{
    struct chain *c = ctx;
    check(op);
    er_op_free(op);
    if (c->bench->wait == WAIT_STEP)
        finish(c);
}

static void on_end(void *ctx, struct er_op *op)
{
    struct chain *c = ctx;
    check(op);
    er_op_free(op);
    if (--c->bench->live == 0)
        er_loop_stop(c->bench->loop);
}

static void round_begin(struct chain *c)
{
    snprintf(c->call, sizeof c->call, "%08d-%d-", c->id, c->round);
    struct er_op *op = kit_step_op(&c->run, c->call, 1, ERRAND_PURE);
    if (c->bench->wait != WAIT_ROUND)
        op->level = ER_COMMITTED;
    op->patient = c->bench->wait == WAIT_END;
    submit(c, op, on_step);
    if (c->bench->wait != WAIT_STEP)
        finish(c);
}

static void next_round(struct chain *c)
{
    while (c->round++ < c->bench->rounds) {
        round_begin(c);
        if (c->bench->wait != WAIT_END)
            return;
    }
    submit(c, kit_step_op(&c->run, "end", 0, 0), on_end);
}

/* n conversations, width of them at once. */
static void rounds(const char *folder, const char *what,
    enum errand_sync sync, int n, int width, int wait, double bare_rate)
{
    struct errand_error err = {0};
    char path[120];
    snprintf(path, sizeof path, "%s/store.db", folder);
    struct bench b = {.rounds = 8, .wait = wait, .loop = er_loop_new(&err)};
    struct er_store_options opt = {.path = path, .sync = sync};
    b.store = er_store_open(b.loop, &opt, &err);
    if (!b.store) {
        printf("%s\n", err.msg);
        return;
    }
    struct chain *chains = calloc((size_t)width, sizeof *chains);
    struct lap total = {0, 0};
    for (int done = 0; done < n; done += width) {
        for (int i = 0; i < width; i++) {
            chains[i] = (struct chain){.bench = &b, .id = done + i};
            kit_accept(b.store, "a question", &chains[i].run);
        }
        struct lap from = lap_begin();
        b.live = width;
        for (int i = 0; i < width; i++)
            next_round(&chains[i]);
        er_loop_run(b.loop, -1);
        struct lap l = lap_end(from);
        total.wall += l.wall;
        total.cpu += l.cpu;
    }
    show(what, total, n * b.rounds, bare_rate);
    struct lap from = lap_begin();
    er_store_close(b.store);
    struct lap l = lap_end(from);
    printf("%-44s %.1f ms\n", "  closing it", l.wall * 1e3);
    er_loop_free(b.loop);
    free(chains);
    for (int i = 0; i < 4; i++) {
        static const char *const ends[] = {"", "-wal", "-shm", ".open"};
        char name[140];
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
}

/* Pairs of T1 and T3 straight on the backend: CPU without threads. */
static void pairs(const char *folder, bool flush, int n)
{
    struct errand_error err = {0};
    char path[120];
    snprintf(path, sizeof path, "%s/pairs%d.db", folder, flush);
    struct er_loop *loop = er_loop_new(&err);
    struct er_store_options opt = {.path = path};
    er_store *s = er_store_open(loop, &opt, &err);
    struct kit_run run;
    kit_accept(s, "a question", &run);
    er_store_close(s);
    struct er_backend b;
    er_sqlite_open(path, NULL, NULL, &b, &err);
    struct lap total = {0, 0};
    for (int i = 0; i < n; i++) {
        char prefix[32], id[48];
        snprintf(prefix, sizeof prefix, "%08d-", i);
        snprintf(id, sizeof id, "%s0", prefix);
        struct er_op *t1 = kit_step_op(&run, prefix, 1, ERRAND_PURE);
        struct er_op *t3 =
            kit_finish_op(&run, id, ER_CALL_DONE, "the result of a call");
        struct lap from = lap_begin();
        b.ops->begin(b.self, &err);
        b.ops->apply(b.self, t1);
        b.ops->apply(b.self, t3);
        b.ops->commit(b.self, &err);
        if (flush)
            b.ops->flush(b.self, &err);
        b.ops->rest(b.self, 0);
        struct lap l = lap_end(from);
        total.wall += l.wall;
        total.cpu += l.cpu;
        if (t1->code != ERRAND_OK || t3->code != ERRAND_OK)
            printf("%s %s\n", t1->err.msg, t3->err.msg);
        er_op_free(t1);
        er_op_free(t3);
    }
    b.ops->close(b.self);
    er_loop_free(loop);
    show(flush ? "one batch T1+T3, flushed" : "one batch T1+T3, committed",
        total, n, 0);
}

int main(int argc, char **argv)
{
    char folder[64];
    if (argc > 1)
        snprintf(folder, sizeof folder, "%s", argv[1]);
    else
        kit_folder_make(folder);
    printf("SQLite %s\n", sqlite3_libversion());
    double full = bare(folder, "FULL", 2400);
    double normal = bare(folder, "NORMAL", 2400);
    pairs(folder, false, 2400);
    pairs(folder, true, 2400);
    static const char *const waits[] = {
        "the end awaited", "each round awaited", "each step awaited"};
    for (int wait = 0; wait < 3; wait++) {
        char what[80];
        snprintf(what, sizeof what, "300 x 8, NORMAL, %s", waits[wait]);
        rounds(folder, what, ERRAND_SYNC_NORMAL, 300, 1, wait, normal);
        snprintf(what, sizeof what, "300 x 8, FULL, %s", waits[wait]);
        rounds(folder, what, ERRAND_SYNC_FULL, 300, 1, wait, full);
    }
    rounds(folder, "1000 x 8 at once, FULL, each round awaited",
        ERRAND_SYNC_FULL, 1000, 1000, WAIT_ROUND, full);
    if (argc <= 1)
        kit_folder_remove(folder);
    return 0;
}
