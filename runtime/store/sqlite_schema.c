/* The tables, and how an older file becomes a newer one.
 *
 * Every row that a transition of a living run touches is narrow and lies
 * beside its neighbours: what costs time in a commit is the number of pages
 * it changes. So long texts stand apart from runs, and there is one index
 * over runs that go on, todo, which changes only when a run begins and ends.
 * What a model's turn cost stands in its message.
 *   todo  1: may go on (ready, tools)   2: has messages that are not indexed
 * A check with IN of more than two values makes a temporary table each time
 * it is asked, which costs more than the change it guards: hence the ORs.
 */
#include "store/disk.h"
#include "store/sqlite_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { APPLICATION_ID = 0x45525244 }; /* "ERRD" */

static const char version_1[] =
    "CREATE TABLE conversations("
    " no INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE,"
    " title TEXT,"
    " created_ms INTEGER NOT NULL,"
    " forked_from TEXT,"
    /* messages up to here are in message_index */
    " indexed_seq INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"

    "CREATE TABLE runs("
    " no INTEGER PRIMARY KEY,"
    " id TEXT NOT NULL UNIQUE,"
    " conv INTEGER NOT NULL REFERENCES conversations(no),"
    " state TEXT NOT NULL"
    "  CHECK(state='ready' OR state='tools' OR state='paused' OR"
    "   state='done' OR state='failed'),"
    " todo INTEGER NOT NULL,"
    " owner TEXT,"
    " epoch INTEGER NOT NULL,"
    " lease_until INTEGER NOT NULL,"
    " first_seq INTEGER NOT NULL,"
    " next_seq INTEGER NOT NULL," /* behind the reserved ones */
    " open_calls INTEGER NOT NULL DEFAULT 0,"
    " turns INTEGER NOT NULL DEFAULT 0,"
    " calls INTEGER NOT NULL DEFAULT 0,"
    " prompt_tokens INTEGER NOT NULL DEFAULT 0,"
    " completion_tokens INTEGER NOT NULL DEFAULT 0,"
    " cost_micros INTEGER NOT NULL DEFAULT 0,"
    " created_ms INTEGER NOT NULL,"
    " updated_ms INTEGER NOT NULL,"
    " code INTEGER NOT NULL DEFAULT 0,"
    " reason TEXT,"
    " client_key TEXT"
    ") STRICT;"
    "CREATE INDEX runs_conv ON runs(conv);"
    "CREATE INDEX runs_todo ON runs(todo) WHERE todo > 0;"
    "CREATE UNIQUE INDEX runs_client_key ON runs(client_key)"
    " WHERE client_key IS NOT NULL;"

    "CREATE TABLE run_texts("
    " run INTEGER PRIMARY KEY,"
    " settings TEXT NOT NULL,"
    " answer TEXT,"
    " error TEXT"
    ") STRICT;"

    "CREATE TABLE messages("
    " id INTEGER PRIMARY KEY," /* conversation's no * 2^24 + seq */
    " run INTEGER,"            /* NULL: copied by a fork */
    " role TEXT NOT NULL,"
    " calls INTEGER NOT NULL," /* that it makes: so many results follow */
    " content TEXT NOT NULL,"
    " text TEXT,"
    /* the model's attempt that gave it, with a turn of an assistant */
    " model TEXT,"
    " started_ms INTEGER,"
    " ended_ms INTEGER,"
    " prompt_tokens INTEGER,"
    " completion_tokens INTEGER,"
    " cached_tokens INTEGER,"
    " cost_micros INTEGER"
    ") STRICT;"

    "CREATE TABLE tool_calls("
    " no INTEGER PRIMARY KEY," /* run's no * 2^24 + place in the run */
    " id TEXT NOT NULL UNIQUE,"
    " asst_seq INTEGER NOT NULL,"
    " idx INTEGER NOT NULL,"
    " result_seq INTEGER NOT NULL,"
    " tool TEXT NOT NULL,"
    " args TEXT NOT NULL,"
    " raw TEXT,"
    " effect INTEGER NOT NULL,"
    " idem_key TEXT NOT NULL,"
    " state TEXT NOT NULL"
    "  CHECK(state='planned' OR state='done' OR state='running' OR"
    "   state='failed' OR state='waiting_approval' OR state='unknown' OR"
    "   state='denied'),"
    " attempt INTEGER NOT NULL DEFAULT 0,"
    " begun_ms INTEGER,"
    " ended_ms INTEGER,"
    " error TEXT"
    ") STRICT;"

    "CREATE TABLE results(" /* whole results that the message cuts */
    " no INTEGER PRIMARY KEY,"
    " conv INTEGER NOT NULL,"
    " call TEXT NOT NULL,"
    " body BLOB NOT NULL,"
    " UNIQUE(conv, call)"
    ") STRICT;"

    "CREATE TABLE attempts(" /* that gave no message */
    " id INTEGER PRIMARY KEY," /* run's no * 2^24 + place */
    " model TEXT NOT NULL,"
    " started_ms INTEGER NOT NULL,"
    " ended_ms INTEGER NOT NULL,"
    " code INTEGER NOT NULL,"
    " error TEXT,"
    " prompt_tokens INTEGER NOT NULL,"
    " completion_tokens INTEGER NOT NULL,"
    " cached_tokens INTEGER NOT NULL,"
    " cost_micros INTEGER NOT NULL"
    ") STRICT;"

    "CREATE TABLE events("
    " id INTEGER PRIMARY KEY," /* run's no * 2^24 + place */
    " event TEXT NOT NULL"
    ") STRICT;"

    "CREATE TABLE settings("
    " key TEXT PRIMARY KEY,"
    " value TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE VIEW indexed_messages AS"
    " SELECT m.id AS id, m.text AS text FROM messages m"
    " JOIN conversations c ON c.no = m.id >> 24"
    " WHERE m.text IS NOT NULL AND (m.id & 16777215) <= c.indexed_seq;"
    "CREATE VIRTUAL TABLE message_index USING fts5(text,"
    " content='indexed_messages', content_rowid='id',"
    " tokenize='porter unicode61 remove_diacritics 2');";

static const char version_2[] =
    "CREATE TABLE approvals("
    " no INTEGER PRIMARY KEY," /* of the call */
    " about TEXT NOT NULL,"    /* digest of what was shown */
    " why TEXT NOT NULL,"
    " decision TEXT CHECK(decision IN('once','run','always','no')),"
    " decided_ms INTEGER"
    ") STRICT;"

    "CREATE TABLE grants("
    " path TEXT PRIMARY KEY," /* of a tool's file */
    " version TEXT NOT NULL,"
    " permissions TEXT NOT NULL,"
    " granted_ms INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE rules(" /* of the policy: calls that are always allowed */
    " no INTEGER PRIMARY KEY,"
    " rule TEXT NOT NULL UNIQUE,"
    " made_ms INTEGER NOT NULL"
    ") STRICT;";

/* Keys are counted and listed from the index alone, past the values. */
static const char version_3[] =
    "CREATE TABLE kv(" /* what tools keep */
    " no INTEGER PRIMARY KEY,"
    " tool TEXT NOT NULL,"
    " key TEXT NOT NULL,"
    " value TEXT NOT NULL," /* JSON */
    " UNIQUE(tool, key)"
    ") STRICT;";

/* Whether a value came from outside. Of those that are there nobody knows. */
static const char version_4[] =
    "ALTER TABLE kv ADD COLUMN external INTEGER NOT NULL DEFAULT 0"
    " CHECK(external IN(0,1));"
    "UPDATE kv SET external=1;";

/* A run that does the work of another's step has that as its parent, and
 * stands in no list of its own. */
static const char version_5[] =
    "ALTER TABLE runs ADD COLUMN parent INTEGER;"
    "CREATE INDEX runs_parent ON runs(parent) WHERE parent IS NOT NULL;"

    "CREATE TABLE steps(" /* of scripts */
    " no INTEGER PRIMARY KEY,"
    " run INTEGER NOT NULL,"
    " path TEXT NOT NULL," /* its number: 3, or 3.7.2 within a map */
    " kind TEXT NOT NULL,"
    " digest TEXT NOT NULL," /* of what it was asked with */
    " about TEXT NOT NULL,"  /* the beginning of that */
    " state TEXT NOT NULL"
    "  CHECK(state='open' OR state='done' OR state='failed'),"
    " attempt INTEGER NOT NULL,"
    " child INTEGER," /* the run that does its work */
    " outside INTEGER NOT NULL DEFAULT 0," /* its value came from outside */
    " begun_ms INTEGER NOT NULL,"
    " ended_ms INTEGER,"
    " value TEXT," /* JSON; NULL: the child's answer */
    " UNIQUE(run, path)"
    ") STRICT;";

const struct er_migration er_sqlite_migrations[] = {
    {version_1}, {version_2}, {version_3}, {version_4}, {version_5}};
const size_t er_sqlite_n_migrations =
    sizeof er_sqlite_migrations / sizeof er_sqlite_migrations[0];

int er_sqlite_check_version(
    struct er_sqlite *db, size_t n_migrations, struct errand_error *err)
{
    int64_t version = 0, app = 0, tables = 0;
    int code = er_sql_int(&db->sql, "PRAGMA user_version", &version, err);
    if (code == ERRAND_OK)
        code = er_sql_int(&db->sql, "PRAGMA application_id", &app, err);
    if (code == ERRAND_OK)
        code = er_sql_int(
            &db->sql, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (code != ERRAND_OK)
        return code;
    if (app != APPLICATION_ID && (app != 0 || version != 0 || tables != 0))
        return er_fail(err, ERRAND_STORE,
            "%.120s is a database of another program; give the store "
            "another path",
            db->path);
    if (version > (int64_t)n_migrations)
        return er_fail(err, ERRAND_STORE_NEWER,
            "%.100s has version %d, this errand knows versions up to %d; "
            "use a newer errand",
            db->path, (int)version, (int)n_migrations);
    return ERRAND_OK;
}

/* A copy of the file as it was; an earlier one of the same version goes. */
static int back_up(
    struct er_sqlite *db, int64_t version, struct errand_error *err)
{
    size_t size = strlen(db->path) + 40;
    char *name = malloc(size);
    if (!name)
        return er_nomem(err);
    snprintf(name, size, "%s.v%d.backup", db->path, (int)version);
    unlink(name);
    int code = er_disk_touch(name, err);
    sqlite3_stmt *st = NULL;
    int rc = SQLITE_OK;
    if (code == ERRAND_OK)
        rc = sqlite3_prepare_v2(db->sql.db, "VACUUM INTO ?1", -1, &st, NULL);
    if (code == ERRAND_OK && rc == SQLITE_OK) {
        sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
        rc = sqlite3_step(st);
    }
    if (code == ERRAND_OK && rc != SQLITE_DONE)
        code = er_sql_fail(&db->sql, rc, err);
    sqlite3_finalize(st);
    if (code != ERRAND_OK)
        er_while(err, "backing up to %.80s", name);
    else
        er_log(db->log, ERRAND_LOG_INFO, "store: backup in %s", name);
    free(name);
    return code;
}

static int migrate_one(struct er_sqlite *db, const struct er_migration *m,
    int version, struct errand_error *err)
{
    char mark[96];
    snprintf(mark, sizeof mark,
        "PRAGMA user_version=%d; PRAGMA application_id=%d", version,
        (int)APPLICATION_ID);
    int code = er_sql_exec(&db->sql, "BEGIN IMMEDIATE", err);
    if (code != ERRAND_OK)
        return code;
    code = er_sql_exec(&db->sql, m->sql, err);
    if (code == ERRAND_OK)
        code = er_sql_exec(&db->sql, mark, err);
    if (code == ERRAND_OK)
        code = er_sql_exec(&db->sql, "COMMIT", err);
    if (code != ERRAND_OK) {
        sqlite3_exec(db->sql.db, "ROLLBACK", NULL, NULL, NULL);
        er_while(err, "bringing the store to version %d", version);
    }
    return code;
}

int er_sqlite_migrate(struct er_sqlite *db, const struct er_migration *m,
    size_t n, struct errand_error *err)
{
    int64_t version = 0;
    int code = er_sql_int(&db->sql, "PRAGMA user_version", &version, err);
    if (code == ERRAND_OK && version > 0 && version < (int64_t)n)
        code = back_up(db, version, err);
    while (code == ERRAND_OK && version < (int64_t)n) {
        code = migrate_one(db, &m[version], (int)version + 1, err);
        version++;
    }
    return code;
}
