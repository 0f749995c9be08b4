/* Full-text search over messages. The query is plain words: each one is
 * quoted, so nothing in it is an operator of FTS5, and all must occur. */
#include "base/buf.h"
#include "store/queue.h"

#include <string.h>

enum { WORDS_MOST = 64, QUERY_MOST = 4096, HITS_MOST = 1000 };

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* say "b"  ->  "say" """b""" */
static bool quote_words(struct er_buf *out, const char *query)
{
    for (int words = 0; *query && words < WORDS_MOST; words++) {
        while (is_space(*query))
            query++;
        if (!*query)
            break;
        er_buf_adds(out, words ? " \"" : "\"");
        for (; *query && !is_space(*query); query++) {
            if (*query == '"')
                er_buf_addc(out, '"');
            er_buf_addc(out, *query);
        }
        er_buf_addc(out, '"');
    }
    return !out->failed;
}

/* The store thread indexes what waits; if it cannot now, what is indexed
 * answers alone. */
static void catch_up(struct er_store *s)
{
    struct er_op *op = er_op_new(ER_OP_TIDY);
    if (op && er_store_call(s, op) != ERRAND_OK)
        er_log(s->log, ERRAND_LOG_WARN,
            "store: the newest messages are not searched: %s", op->err.msg);
    er_op_free(op);
}

static int find(struct er_sql *sql, const char *match, int64_t limit,
    json_t *hits, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int code = er_sql_first(sql, ER_Q_SEARCH,
        "SELECT c.id AS conversation, m.id&16777215 AS seq, m.role AS role,"
        " snippet(message_index,0,char(2),char(3),'…',24) AS snippet"
        " FROM message_index f JOIN messages m ON m.id=f.rowid"
        " JOIN conversations c ON c.no=m.id>>24"
        " WHERE message_index MATCH ?1 ORDER BY f.rank, f.rowid LIMIT ?2",
        ER_VALS(er_text(match), er_int(limit)), &row, err);
    while (code == ERRAND_OK && row) {
        if (json_array_append_new(hits, er_row_object(row)) != 0)
            code = er_nomem(err);
        else
            code = er_sql_next(sql, &row, err);
    }
    if (row)
        er_sql_end(row);
    return code;
}

json_t *er_store_search(er_store *s, const char *query, int64_t limit,
    struct errand_error *err)
{
    struct er_sql *sql;
    struct er_buf match;
    json_t *hits = NULL;
    if (limit < 0 || limit > HITS_MOST)
        limit = HITS_MOST;
    if (strlen(query) > QUERY_MOST) {
        er_fail(err, ERRAND_TOO_LARGE,
            "the search is longer than %d bytes", (int)QUERY_MOST);
        return NULL;
    }
    er_buf_init(&match, 4 * QUERY_MOST); /* each byte a word: x -> "x" */
    int code = er_store_reader(s, &sql, err);
    if (code == ERRAND_OK && !quote_words(&match, query))
        code = er_nomem(err);
    if (code == ERRAND_OK && !(hits = json_array()))
        code = er_nomem(err);
    if (code == ERRAND_OK && match.len > 0) {
        catch_up(s);
        code = find(sql, er_buf_str(&match), limit, hits, err);
    }
    er_buf_release(&match);
    if (code == ERRAND_OK)
        return hits;
    json_decref(hits);
    return NULL;
}
