/* The full-text index over messages, kept a little behind.
 *
 * Indexing inside every transition would double what a commit writes, so the
 * store thread does it when it rests, many messages at once, and a search
 * asks for the rest first. conversations.indexed_seq says up to which message
 * a conversation is indexed; it stops before a reserved place that is still
 * empty. The index's content is a view that shows exactly those messages: so
 * its integrity can be checked at any time, and taking one out gives FTS5 the
 * very text that was put in.
 */
#include "base/buf.h"
#include "store/sqlite_db.h"

enum {
    PAGE = 128,              /* conversations looked for at once */
    RANGES_MAX = 256 * 1024, /* bytes of ranges for one statement */
    RANGE_MAX = 64,
};

struct todo {
    int64_t conv, from; /* the first message that is not indexed */
};

/* The next conversations behind conv that have something to index. */
static int next_page(struct er_sqlite *db, int64_t conv, struct todo *page,
    size_t *n, struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    *n = 0;
    int code = er_sql_first(&db->sql, ER_Q_INDEX_TODO,
        "SELECT DISTINCT c.no, c.indexed_seq FROM runs r"
        " JOIN conversations c ON c.no=r.conv"
        " WHERE r.todo IN (2,3) AND r.conv>?1 ORDER BY c.no LIMIT ?2",
        ER_VALS(er_int(conv), er_int(PAGE)), &row, err);
    while (code == ERRAND_OK && row) {
        if (*n < PAGE)
            page[(*n)++] = (struct todo){
                .conv = sqlite3_column_int64(row, 0),
                .from = sqlite3_column_int64(row, 1) + 1,
            };
        code = er_sql_next(&db->sql, &row, err);
    }
    return code;
}

/* Put the messages of the ranges into the index. FTS5 writes out what it has
 * gathered at the begin of each statement that may be undone: so this is one
 * for many messages of many conversations. */
static int put_in(struct er_sqlite *db, struct er_buf *ranges,
    struct errand_error *err)
{
    if (ranges->len == 0)
        return ERRAND_OK;
    if (!er_buf_addc(ranges, ']'))
        return er_nomem(err);
    int code = er_sql_run(&db->sql, ER_Q_INDEX_INSERT,
        "INSERT INTO message_index(rowid,text) SELECT m.id, m.text"
        " FROM json_each(?1) r CROSS JOIN messages m"
        " WHERE m.id BETWEEN json_extract(r.value,'$[0]')"
        "  AND json_extract(r.value,'$[1]') AND m.text IS NOT NULL",
        ER_VALS(er_text(ranges->data)), err);
    er_buf_reset(ranges);
    return code;
}

static int add_range(struct er_sqlite *db, struct er_buf *ranges,
    int64_t from, int64_t to, struct errand_error *err)
{
    int code = ERRAND_OK;
    if (ranges->len > RANGES_MAX - RANGE_MAX)
        code = put_in(db, ranges, err);
    er_buf_addc(ranges, ranges->len ? ',' : '[');
    if (!er_buf_addf(ranges, "[%lld,%lld]", (long long)from, (long long)to))
        return code == ERRAND_OK ? er_nomem(err) : code;
    return code;
}

/* Take a conversation's messages up to its first gap, at most limit. */
static int take_one(struct er_sqlite *db, const struct todo *t,
    int64_t limit, struct er_buf *ranges, int64_t *count,
    struct errand_error *err)
{
    sqlite3_stmt *row = NULL;
    int64_t from = er_key(t->conv, t->from), next = from;
    *count = 0;
    int code = er_sql_first(&db->sql, ER_Q_INDEX_ROWS,
        "SELECT id FROM messages WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
        ER_VALS(er_int(from), er_int(er_key(t->conv, ER_PLACE_MAX))), &row,
        err);
    while (code == ERRAND_OK && row && next - from < limit &&
           sqlite3_column_int64(row, 0) == next) {
        next++;
        code = er_sql_next(&db->sql, &row, err);
    }
    if (row)
        er_sql_end(row);
    if (code != ERRAND_OK || next == from)
        return code;
    *count = next - from;
    code = add_range(db, ranges, from, next - 1, err);
    if (code != ERRAND_OK)
        return code;
    return er_sql_run(&db->sql, ER_Q_INDEX_MOVE,
        "UPDATE conversations SET indexed_seq=?2 WHERE no=?1",
        ER_VALS(er_int(t->conv), er_int((next - 1) & ER_PLACE_MAX)), err);
}

/* Take what a page of conversations has, until limit is used up. */
static int take_page(struct er_sqlite *db, const struct todo *page, size_t n,
    int64_t *limit, struct er_buf *ranges, struct errand_error *err)
{
    int code = ERRAND_OK;
    for (size_t i = 0; i < n && code == ERRAND_OK && *limit > 0; i++) {
        int64_t count = 0;
        code = take_one(db, &page[i], *limit, ranges, &count, err);
        *limit -= count;
        if (code == ERRAND_OK && *limit > 0) /* as far as there is */
            code = er_sql_run(&db->sql, ER_Q_INDEX_CLEAR,
                "UPDATE runs SET todo=0 WHERE conv=?1 AND todo=2",
                ER_VALS(er_int(page[i].conv)), err);
    }
    return code;
}

int er_sqlite_index(struct er_sqlite *db, int64_t limit, bool *left,
    struct errand_error *err)
{
    struct todo page[PAGE] = {{0}};
    struct er_buf ranges;
    size_t n = PAGE;
    int64_t conv = 0;
    int code = ERRAND_OK;
    er_buf_init(&ranges, RANGES_MAX);
    while (code == ERRAND_OK && n == PAGE && limit > 0) {
        code = next_page(db, conv, page, &n, err);
        if (code == ERRAND_OK)
            code = take_page(db, page, n, &limit, &ranges, err);
        conv = n ? page[n - 1].conv : conv;
    }
    if (code == ERRAND_OK)
        code = put_in(db, &ranges, err);
    er_buf_release(&ranges);
    *left = code == ERRAND_OK && limit <= 0;
    return code;
}

int er_sqlite_unindex(
    struct er_sqlite *db, int64_t conv, struct errand_error *err)
{
    return er_sql_run(&db->sql, ER_Q_INDEX_DELETE,
        "INSERT INTO message_index(message_index,rowid,text)"
        " SELECT 'delete', id, text FROM indexed_messages"
        " WHERE id BETWEEN ?1 AND ?2",
        ER_VALS(er_int(er_key(conv, 0)), er_int(er_key(conv, ER_PLACE_MAX))),
        err);
}
