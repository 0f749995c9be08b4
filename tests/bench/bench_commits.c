/* The bare rival of durability: N commits of one small row with SQLite alone,
 * WAL, synchronous=FULL, each flushed by itself.
 *
 * bench_commits N   prints one JSON object. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/errand-commits-XXXXXX", db[64], extra[80];
    sqlite3 *s = NULL;
    sqlite3_stmt *st = NULL;
    long n = argc > 1 ? atol(argv[1]) : 1000;
    if (!mkdtemp(dir))
        return 1;
    snprintf(db, sizeof db, "%s/c.db", dir);
    if (sqlite3_open(db, &s) != SQLITE_OK ||
        sqlite3_exec(s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE t(id INTEGER PRIMARY KEY, x TEXT)", NULL, NULL,
            NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(s, "INSERT INTO t(x) VALUES('a row of some text')",
            -1, &st, NULL) != SQLITE_OK)
        return 1;
    double began = now();
    for (long i = 0; i < n; i++) {
        if (sqlite3_step(st) != SQLITE_DONE)
            return 1;
        sqlite3_reset(st);
    }
    double wall = now() - began;
    printf("{\"commits\":%ld,\"wall_s\":%.6f,\"commits_per_s\":%.1f}\n", n,
        wall, (double)n / wall);
    sqlite3_finalize(st);
    sqlite3_close(s);
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        snprintf(extra, sizeof extra, "%s%s", db, ends[i]);
        unlink(extra);
    }
    return rmdir(dir);
}
