/* Reads SQLite with SQLite's own API and none of errand's code. */
#include "audit.h"

#include <errand/errand.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int broken(const char *promise, const char *what)
{
    fprintf(stderr, "BROKEN PROMISE: %s (%s)\n", promise, what);
    return -1;
}

/* Lines of the file that equal this one, or begin with it. */
static int lines_like(const char *path, const char *text, int whole)
{
    FILE *f = fopen(path, "r");
    char line[600];
    int n = 0;
    size_t len = strlen(text);
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        n += whole ? strcmp(line, text) == 0 : strncmp(line, text, len) == 0;
    }
    if (f)
        fclose(f);
    return n;
}

/* First column of the one row, as a number. */
static long long number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    long long n = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    else
        fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
    sqlite3_finalize(st);
    return n;
}

/* A query that must find nothing; its first column is shown. */
static int none(sqlite3 *db, const char *promise, const char *sql)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        rc = broken(promise, sqlite3_errmsg(db));
    else if (sqlite3_step(st) == SQLITE_ROW)
        rc = broken(promise, (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
    return rc;
}

/* The tables as the checks below want to see them. */
static const char VIEWS[] =
    "CREATE TEMP VIEW m AS SELECT id >> 24 AS conv, id & 16777215 AS seq, "
    "role, content FROM messages;"
    "CREATE TEMP VIEW c AS SELECT t.id, t.state, t.result_seq, t.idem_key, "
    "r.conv FROM tool_calls t JOIN runs r ON r.no = t.no >> 24;";

static int check_shape(sqlite3 *db)
{
    int rc = none(db, "the database is whole",
        "SELECT integrity_check FROM pragma_integrity_check "
        "WHERE integrity_check <> 'ok'");
    rc |= none(db, "a call has at most one result",
        "SELECT c.id FROM c JOIN m ON m.conv = c.conv AND m.role = 'tool' "
        "AND m.content LIKE '%' || c.id || '%' GROUP BY c.id "
        "HAVING count(*) > 1");
    rc |= none(db, "a finished call has its result at its place",
        "SELECT c.id FROM c WHERE c.state IN ('done','failed','denied') AND "
        "NOT EXISTS (SELECT 1 FROM m WHERE m.conv = c.conv AND m.seq = "
        "c.result_seq AND m.role = 'tool' AND m.content LIKE '%' || c.id || "
        "'%')");
    rc |= none(db, "a place is kept for a result alone",
        "SELECT c.id FROM c JOIN m ON m.conv = c.conv AND m.seq = "
        "c.result_seq WHERE m.role <> 'tool'");
    return rc;
}

static int check_sequence(sqlite3 *db)
{
    /* holes only where a call has no result yet */
    return none(db, "the sequence is dense",
        "WITH n AS (SELECT conv, max(seq) - min(seq) + 1 - count(*) AS "
        "holes, min(seq) AS first FROM m GROUP BY conv) SELECT conv FROM n "
        "WHERE first <> 1 OR holes > (SELECT count(*) FROM c WHERE c.conv = "
        "n.conv AND c.state IN ('planned','running','unknown',"
        "'waiting_approval'))");
}

static int check_ledger(sqlite3 *db, const struct audit_want *w)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;
    sqlite3_prepare_v2(db,
        "SELECT idem_key, state FROM tool_calls", -1, &st, NULL);
    while (sqlite3_step(st) == SQLITE_ROW) {
        const char *key = (const char *)sqlite3_column_text(st, 0);
        const char *state = (const char *)sqlite3_column_text(st, 1);
        int n = lines_like(w->ledger, key, 1);
        if (w->unsafe && n > 1)
            rc = broken("an unsafe call starts at most once", key);
        if (strcmp(state, "done") == 0 && n < 1)
            rc = broken("a call that is done was started", key);
        if (w->unsafe && n > 0 && strcmp(state, "planned") == 0)
            rc = broken("an unsafe call was marked before it started", key);
    }
    sqlite3_finalize(st);
    return rc;
}

static int check_acks(sqlite3 *db, const struct audit_want *w)
{
    FILE *f = fopen(w->acks, "r");
    char line[600], sql[256];
    int rc = 0;
    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "answer ", 7) == 0) {
            char key[32] = "";
            sscanf(line + 7, "%31s", key);
            snprintf(sql, sizeof sql,
                "SELECT count(*) FROM runs WHERE client_key = '%s' AND "
                "state = 'done'", key);
        } else {
            snprintf(sql, sizeof sql,
                "SELECT count(*) FROM runs r JOIN m ON m.conv = r.conv AND "
                "m.role = 'user' WHERE r.id = '%.36s'", line);
        }
        if (number(db, sql) < 1)
            rc = broken("what was acknowledged is there", line);
    }
    if (f)
        fclose(f);
    return rc;
}

static int check_final(sqlite3 *db, const struct audit_want *w)
{
    char what[96];
    long long done =
        number(db, "SELECT count(*) FROM runs WHERE state = 'done'");
    long long all = number(db, "SELECT count(*) FROM runs");
    long long calls =
        number(db, "SELECT count(*) FROM tool_calls WHERE state = 'done'");
    snprintf(what, sizeof what, "%lld of %lld runs, %lld calls", done, all,
        calls);
    if (done != w->runs || all != w->runs)
        return broken("every run ends done, none is made twice", what);
    if (calls != (long long)w->runs * w->rounds * w->parallel)
        return broken("every call is done once", what);
    return none(db, "a conversation has what was said and no more",
        "SELECT conv FROM m WHERE role = 'user' GROUP BY conv HAVING "
        "count(*) <> 1");
}

int audit(const struct audit_want *w, int final)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(w->db, &db, SQLITE_OPEN_READONLY, NULL) !=
        SQLITE_OK) {
        sqlite3_close(db); /* killed before the file was there */
        return final ? broken("there is a database", w->db) : 0;
    }
    int unknown = 0;
    if (number(db, "SELECT count(*) FROM sqlite_master WHERE name IN "
                   "('runs','messages','tool_calls')") == 3) {
        sqlite3_exec(db, VIEWS, NULL, NULL, NULL);
        int rc = check_shape(db) | check_sequence(db) |
                 check_ledger(db, w) | check_acks(db, w);
        if (rc == 0 && final)
            rc = check_final(db, w);
        unknown = rc ? -1 : (int)number(db,
            "SELECT count(*) FROM tool_calls WHERE state = 'unknown'");
        if (unknown > 0 && !w->unsafe)
            unknown = broken("only unsafe calls become unknown", w->db);
    } else if (final) {
        unknown = broken("the tables are there", w->db);
    }
    sqlite3_close(db);
    return unknown;
}

/* --- settling, as a person would who can read the ledger */

static int settle_one(errand *rt, const struct audit_want *w, const char *id,
    const char *key)
{
    struct errand_error err = {0};
    int there = lines_like(w->ledger, key, 1) > 0;
    if (errand_log_resolve(rt, id, there ? "done" : "not-done",
            there ? "written" : NULL, &err) == ERRAND_OK)
        return 0;
    return broken("an unknown call can be settled", err.msg);
}

int audit_settle(const struct audit_want *w)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    errand *rt = NULL;
    struct errand_error err = {0};
    struct errand_options opt = {
        .size = sizeof opt, .store_path = w->db, .config_path = ""};
    int rc = 0;
    if (errand_open(&opt, &rt, &err) != ERRAND_OK)
        return broken("the store opens again", err.msg);
    if (sqlite3_open_v2(w->db, &db, SQLITE_OPEN_READONLY, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v2(db,
            "SELECT id, idem_key FROM tool_calls WHERE state = 'unknown'",
            -1, &st, NULL) != SQLITE_OK)
        rc = broken("the database can be read", sqlite3_errmsg(db));
    char ids[64][40], keys[64][40];
    int n = 0;
    while (rc == 0 && n < 64 && sqlite3_step(st) == SQLITE_ROW) {
        snprintf(ids[n], 40, "%s", (const char *)sqlite3_column_text(st, 0));
        snprintf(keys[n], 40, "%s", (const char *)sqlite3_column_text(st, 1));
        n++;
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
    for (int i = 0; i < n && rc == 0; i++)
        rc = settle_one(rt, w, ids[i], keys[i]);
    errand_close(rt);
    return rc;
}
