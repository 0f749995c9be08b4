/* sql_query: read a SQLite file with one SELECT.
 *
 * Nothing in it can be changed, five times over: the file is opened read-only
 * and as immutable, an authorizer allows nothing but SELECT, the statement
 * must be one that reads, defensive mode is on, and the cage grants reading
 * alone. Rows, bytes, memory and time are limited, so that a model that asks
 * for everything gets a beginning and a word about the rest.
 *
 * An immutable file is read without locks and without its -wal and -shm: of a
 * database that another program has open, what it has not written back yet is
 * not seen; the answer says so.
 */
#include <errand/tool.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    ROWS = 100,            /* if nothing is said */
    BYTES = 48 * 1024,     /* of the answer's rows */
    CELL = 4 * 1024,       /* of one value */
    MEMORY = 128 * 1024 * 1024,
    STEPS = 10000,         /* of its machine between looks at the clock */
    MARGIN_MS = 500,       /* before the deadline, to answer */
};

static void fail(struct errand_tool_call *call, const char *what,
    const char *why)
{
    char text[1000];
    snprintf(text, sizeof text, "%.300s%s%.600s", what, *why ? ": " : "",
        why);
    call->host->fail(call, text, strlen(text));
}

/* --- what a statement may do */

static int is_dangerous(const char *function)
{
    static const char *const names[] = {"load_extension", "readfile",
        "writefile", "edit", "fts3_tokenizer", NULL};
    for (size_t i = 0; names[i]; i++)
        if (sqlite3_stricmp(function, names[i]) == 0)
            return 1;
    return 0;
}

static int authorize(void *ctx, int action, const char *a, const char *b,
    const char *database, const char *trigger)
{
    (void)ctx;
    (void)a;
    (void)database;
    (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION:
        return b && is_dangerous(b) ? SQLITE_DENY : SQLITE_OK;
    default: return SQLITE_DENY;
    }
}

static int on_steps(void *ctx)
{
    struct errand_tool_call *call = ctx;
    return call->host->remaining_ms(call) < MARGIN_MS ||
           call->host->cancelled(call);
}

/* The file's name as a URI; 0 if it does not fit. */
static int write_uri(const char *path, char *out, size_t room)
{
    size_t n = (size_t)snprintf(out, room, "file:");
    for (; *path && n + 32 < room; path++) {
        unsigned char c = (unsigned char)*path;
        if (c == '%' || c == '?' || c == '#' || c < ' ')
            n += (size_t)snprintf(out + n, room - n, "%%%02X", c);
        else
            out[n++] = *path;
    }
    snprintf(out + n, room - n, "?mode=ro&immutable=1");
    return *path == '\0';
}

static void set_limits(sqlite3 *db)
{
    sqlite3_hard_heap_limit64(MEMORY);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 16 * 1024 * 1024);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 64 * 1024);
    sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 50);
    sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 200);
    sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000);
    sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite3_exec(db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
}

/* NULL after an answer that says why. */
static sqlite3 *open_file(struct errand_tool_call *call, const char *path)
{
    char uri[8192];
    sqlite3 *db = NULL;
    struct stat st;
    if (!write_uri(path, uri, sizeof uri)) {
        fail(call, "the path is too long", "");
        return NULL;
    }
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        fail(call, path, "there is no such file among those that may be "
            "read");
        return NULL;
    }
    int rc = sqlite3_open_v2(
        uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
    if (rc == SQLITE_OK) {
        set_limits(db);
        rc = sqlite3_exec(
            db, "SELECT 1 FROM sqlite_schema", NULL, NULL, NULL);
    }
    if (rc == SQLITE_OK) {
        sqlite3_set_authorizer(db, authorize, NULL);
        sqlite3_progress_handler(db, STEPS, on_steps, call);
        return db;
    }
    fail(call, path, rc == SQLITE_NOTADB ? "it is not a SQLite database"
            : rc == SQLITE_CANTOPEN ? "it is not among the files that may "
                                      "be read"
            : sqlite3_errstr(rc));
    sqlite3_close(db);
    return NULL;
}

/* --- the statement */

static int is_rest_empty(const char *s)
{
    for (; *s; s++) {
        if (s[0] == '-' && s[1] == '-') {
            s += strcspn(s, "\n");
            if (!*s)
                return 1;
        } else if (!strchr(" \t\r\n;", *s)) {
            return 0;
        }
    }
    return 1;
}

/* Values for ?1, ?2 ... False after an answer. */
static int bind_all(struct errand_tool_call *call, sqlite3_stmt *st)
{
    const struct errand_tool_host *host = call->host;
    uint32_t n = host->count(call, "/values");
    char place[40];
    int wanted = sqlite3_bind_parameter_count(st);
    if ((int)n != wanted) {
        char text[120];
        snprintf(text, sizeof text,
            "the statement has %d parameters, and values has %u", wanted,
            (unsigned)n);
        fail(call, text, "");
        return 0;
    }
    for (int i = 1; i <= wanted; i++) {
        size_t len = 0;
        snprintf(place, sizeof place, "/values/%d", i - 1);
        const char *text = host->text(call, place, &len);
        switch (host->kind(call, place)) {
        case ERRAND_TOOL_TEXT:
            sqlite3_bind_text(st, i, text, (int)len, SQLITE_TRANSIENT);
            break;
        case ERRAND_TOOL_INTEGER:
            sqlite3_bind_int64(st, i, host->integer(call, place, 0));
            break;
        case ERRAND_TOOL_NUMBER:
            sqlite3_bind_double(st, i, host->number(call, place, 0));
            break;
        case ERRAND_TOOL_BOOLEAN:
            sqlite3_bind_int(st, i, host->boolean(call, place, 0));
            break;
        default: sqlite3_bind_null(st, i);
        }
    }
    return 1;
}

/* NULL after an answer that says why. */
static sqlite3_stmt *prepare(
    struct errand_tool_call *call, sqlite3 *db, const char *sql)
{
    sqlite3_stmt *st = NULL;
    const char *rest = "";
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, &rest);
    const char *wrong = NULL;
    if (rc == SQLITE_AUTH)
        wrong = "only SELECT is allowed here, and nothing that changes, "
                "attaches or loads";
    else if (rc != SQLITE_OK)
        wrong = sqlite3_errmsg(db);
    else if (!st)
        wrong = "the query is empty";
    else if (!is_rest_empty(rest))
        wrong = "one statement at a time";
    else if (!sqlite3_stmt_readonly(st) || sqlite3_column_count(st) == 0)
        wrong = "only statements that read are allowed";
    if (!wrong)
        return st;
    fail(call, "the query was refused", wrong);
    sqlite3_finalize(st);
    return NULL;
}

/* --- the answer */

struct page {
    struct errand_tool_call *call;
    size_t bytes; /* of rows so far */
    int cut;      /* some value was cut */
};

static void add(struct page *p, const char *text, size_t len)
{
    p->call->host->add(p->call, text, len);
    p->bytes += len;
}

static void add_value(struct page *p, sqlite3_stmt *st, int i)
{
    char text[64];
    int n = sqlite3_column_bytes(st, i);
    double real = sqlite3_column_double(st, i);
    switch (sqlite3_column_type(st, i)) {
    case SQLITE_INTEGER:
        snprintf(text, sizeof text, "%lld",
            (long long)sqlite3_column_int64(st, i));
        break;
    case SQLITE_FLOAT:
        snprintf(text, sizeof text,
            isfinite(real) ? "%.17g" : "\"%.17g\"", real);
        break;
    case SQLITE_TEXT: {
        const char *s = (const char *)sqlite3_column_text(st, i);
        p->cut |= n > CELL;
        p->call->host->add_text(
            p->call, s ? s : "", (size_t)(n > CELL ? CELL : n));
        p->bytes += (size_t)(n > CELL ? CELL : n) + 2;
        return;
    }
    case SQLITE_BLOB:
        snprintf(text, sizeof text, "\"(%d bytes)\"", n);
        break;
    default: snprintf(text, sizeof text, "null");
    }
    add(p, text, strlen(text));
}

static void add_names(struct page *p, sqlite3_stmt *st)
{
    add(p, "{\"columns\":[", 12);
    for (int i = 0; i < sqlite3_column_count(st); i++) {
        const char *name = sqlite3_column_name(st, i);
        if (i > 0)
            add(p, ",", 1);
        p->call->host->add_text(
            p->call, name ? name : "", name ? strlen(name) : 0);
    }
    add(p, "],\"rows\":[", 10);
}

static void add_row(struct page *p, sqlite3_stmt *st, int first)
{
    if (!first)
        add(p, ",", 1);
    add(p, "[", 1);
    for (int i = 0; i < sqlite3_column_count(st); i++) {
        if (i > 0)
            add(p, ",", 1);
        add_value(p, st, i);
    }
    add(p, "]", 1);
}

static int has_log(const char *path)
{
    char name[8192];
    struct stat st;
    int n = snprintf(name, sizeof name, "%s-wal", path);
    return n > 0 && n < (int)sizeof name && stat(name, &st) == 0 &&
           st.st_size > 0;
}

static void finish(struct page *p, int rows, int more, const char *path)
{
    char text[200];
    snprintf(text, sizeof text, "],\"row_count\":%d%s%s", rows,
        more ? ",\"more\":\"there are more rows: use LIMIT and OFFSET, or "
               "ask for less\"" : "",
        p->cut ? ",\"cut\":\"long texts were cut\"" : "");
    add(p, text, strlen(text));
    if (has_log(path)) {
        static const char note[] =
            ",\"note\":\"another program has this database open: its "
            "newest changes are not seen\"";
        add(p, note, sizeof note - 1);
    }
    p->call->host->reply(p->call, "}", 1);
}

static void read_rows(struct errand_tool_call *call, sqlite3 *db,
    sqlite3_stmt *st, const char *path)
{
    struct page p = {.call = call};
    int64_t most = call->host->integer(call, "/rows", ROWS);
    int rows = 0, rc, more = 0;
    add_names(&p, st);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        more = rows >= most || p.bytes >= BYTES;
        if (more)
            break;
        add_row(&p, st, rows++ == 0);
    }
    if (rc == SQLITE_ROW || rc == SQLITE_DONE)
        finish(&p, rows, more, path);
    else if (rc == SQLITE_INTERRUPT)
        fail(call, "the query took too long and was stopped",
            "ask for less, or use an index");
    else
        fail(call, "the query failed", sqlite3_errmsg(db));
}

static void run(void *self, struct errand_tool_call *call)
{
    static const char schema[] =
        "SELECT type, name, sql FROM sqlite_schema "
        "WHERE name NOT LIKE 'sqlite_%' ORDER BY type DESC, name";
    const char *path = call->host->text(call, "/path", NULL);
    const char *sql = call->host->text(call, "/query", NULL);
    (void)self;
    sqlite3 *db = open_file(call, path ? path : "");
    if (!db)
        return;
    sqlite3_stmt *st = prepare(call, db, sql ? sql : schema);
    if (st && bind_all(call, st))
        read_rows(call, db, st, path);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static const struct errand_tool tool = {
    .size = sizeof tool,
    .effect = ERRAND_TOOL_READ,
    .timeout_ms = 15000,
    .name = "sql_query",
    .description =
        "Ask a SQLite database file with one SELECT; nothing can be changed. "
        "Without a query it answers with the tables and how they were made: "
        "begin with that. Put values into \"values\" and write ?1, ?2 in the "
        "query.",
    .parameters =
        "{\"type\": \"object\","
        " \"properties\": {"
        "  \"path\": {\"type\": \"string\", \"minLength\": 1,"
        "   \"description\": \"the database file\"},"
        "  \"query\": {\"type\": \"string\", \"maxLength\": 60000,"
        "   \"description\": \"one SELECT (or WITH ... SELECT)\"},"
        "  \"values\": {\"type\": \"array\", \"maxItems\": 100,"
        "   \"items\": {\"type\": [\"string\", \"number\", \"boolean\","
        "    \"null\"]}, \"description\": \"values for ?1, ?2 ...\"},"
        "  \"rows\": {\"type\": \"integer\", \"minimum\": 1,"
        "   \"maximum\": 1000,"
        "   \"description\": \"at most so many rows; 100\"}},"
        " \"required\": [\"path\"], \"additionalProperties\": false}",
    .permissions = "{\"read\": {\"config\": \"read\", \"else\": [\".\"]}}",
    .run = run,
};

static const struct errand_tool *const tools[] = {&tool, NULL};

static const struct errand_plugin plugin = {
    .size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "sql_query",
    .version = "1.0",
    .tools = tools,
    .configuration =
        "{\"type\": \"object\","
        " \"properties\": {"
        "  \"read\": {\"type\": \"array\", \"maxItems\": 16,"
        "   \"items\": {\"type\": \"string\", \"minLength\": 1},"
        "   \"description\": \"files and folders it may read\"}},"
        " \"additionalProperties\": false}",
};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
