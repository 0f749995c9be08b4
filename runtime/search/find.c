/* A search: candidates from both indexes, ranked, fused, cut and marked.
 *
 * A frequent word costs much and says little: the index is asked with the
 * rarest words first, and with no more of them than lead to some ten thousand
 * chunks. The others count again when candidates are ranked. */
#include "search/docs_db.h"

#include "base/buf.h"
#include "base/text.h"
#include "search/index_text.h"
#include "search/rank.h"
#include "search/walk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    POOL = 100,          /* candidates from each index */
    POSTINGS_MOST = 8000,  /* chunks that the words asked for may have */
    NAMES_LOOKED_AT = 400, /* chunks with the trigrams of a name */
    LIMIT = 10,
    LIMIT_MOST = 1000,
    RRF = 60
};

struct finding {
    er_docs *d;
    const struct er_docs_query *ask;
    struct er_query q;
    struct er_collection all;
    char *path, *glob;
    struct er_candidate *c;
    size_t n, room, limit;
    struct er_arena arena;
    struct errand_error *err;
};

/* ------------------------------------------------------------ frequencies */

/* What frequencies were asked of: another commit forgets them. */
static int refresh(struct finding *f)
{
    er_docs *d = f->d;
    sqlite3_stmt *row = NULL;
    int64_t version = 0;
    int code = ERRAND_OK;
    if (!d->searching)
        code = er_sql_exec(&d->sql,
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.word_rows USING"
            " fts5vocab(main, word_index, row)", f->err);
    if (code == ERRAND_OK && !d->searching)
        code = er_rough_register(d->sql.db, &d->rough, f->err);
    d->searching = code == ERRAND_OK;
    if (code == ERRAND_OK)
        code = er_sql_first(&d->sql, ER_D_TOTALS,
            "SELECT chunks, words, (SELECT max(seq) FROM sqlite_sequence)"
            " FROM totals", ER_NO_VALS, &row, f->err);
    if (code != ERRAND_OK || !row)
        return code;
    f->all.chunks = (double)sqlite3_column_int64(row, 0);
    f->all.average = f->all.chunks > 0
        ? (double)sqlite3_column_int64(row, 1) / f->all.chunks : 1;
    version = sqlite3_column_int64(row, 2) * 1000003 +
              sqlite3_column_int64(row, 1);
    er_sql_end(row);
    if (version != d->df_version || er_words_count(d->words) < d->df_room / 4)
        for (size_t i = 0; i < d->df_room; i++)
            d->df[i] = -1;
    d->df_version = version;
    return ERRAND_OK;
}

static int count_word(struct finding *f, struct er_term *t)
{
    er_docs *d = f->d;
    sqlite3_stmt *row = NULL;
    if (t->word >= d->df_room) {
        size_t room = (size_t)t->word * 2 + 1024;
        double *more = realloc(d->df, room * sizeof *more);
        if (!more)
            return er_nomem(f->err);
        for (size_t i = d->df_room; i < room; i++)
            more[i] = -1;
        d->df = more;
        d->df_room = room;
    }
    t->df = d->df[t->word];
    if (t->df >= 0)
        return ERRAND_OK;
    int code = er_sql_first(&d->sql, ER_D_COUNT_WORD,
        "SELECT doc FROM temp.word_rows WHERE term=?1",
        ER_VALS(er_text(er_words_text(d->words, t->word))), &row, f->err);
    if (code != ERRAND_OK)
        return code;
    t->df = row ? (double)sqlite3_column_int64(row, 0) : 0;
    if (row)
        er_sql_end(row);
    d->df[t->word] = t->df;
    return ERRAND_OK;
}

static int by_df(const void *a, const void *b)
{
    const struct er_term *x = a, *y = b;
    if (x->must_not != y->must_not)
        return x->must_not ? 1 : -1;
    return (x->df > y->df) - (x->df < y->df);
}

/* ------------------------------------------------------------- candidates */

static bool add_phrase(
    struct finding *f, struct er_buf *out, const struct er_phrase *p)
{
    er_buf_adds(out, " AND \"");
    for (size_t i = 0; i < p->n; i++)
        er_buf_addf(out, "%s%s", i ? " " : "",
            er_words_text(f->d->words, p->words[i]));
    return er_buf_addc(out, '"');
}

/* What FTS5 is asked: the rarest words, the phrases, the words that must not
 * be there. "" if no word of the query is in the index. */
static bool make_match(struct finding *f, struct er_buf *out)
{
    double postings = 0;
    size_t used = 0;
    for (size_t i = 0; i < f->q.n_terms && !f->q.terms[i].must_not; i++) {
        const struct er_term *t = &f->q.terms[i];
        if (t->df == 0)
            continue;
        if (used > 0 && postings + t->df > POSTINGS_MOST)
            break;
        postings += t->df;
        f->d->rough.weight[used] = t->count * log(1 +
            (f->all.chunks - t->df + 0.5) / (t->df + 0.5));
        er_buf_addf(out, "%s\"%s\"", used++ ? " OR " : "(",
            er_words_text(f->d->words, t->word));
    }
    f->d->rough.n = used;
    if (used == 0)
        return !out->failed;
    er_buf_addc(out, ')');
    for (size_t i = 0; i < f->q.n_phrases; i++)
        add_phrase(f, out, &f->q.phrases[i]);
    for (size_t i = 0; i < f->q.n_terms; i++)
        if (f->q.terms[i].must_not)
            er_buf_addf(out, " NOT \"%s\"",
                er_words_text(f->d->words, f->q.terms[i].word));
    return !out->failed;
}

static struct er_candidate *add_candidate(struct finding *f, int64_t id)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->c[i].id == id)
            return &f->c[i];
    if (f->n == f->room) {
        size_t room = f->room ? f->room * 2 : 256;
        struct er_candidate *more = realloc(f->c, room * sizeof *more);
        if (!more)
            return NULL;
        f->c = more;
        f->room = room;
    }
    f->c[f->n] = (struct er_candidate){.id = id};
    return &f->c[f->n++];
}

/* The documents that the query may find, a bit for each. */
static int read_filter(struct finding *f)
{
    const struct er_docs_query *ask = f->ask;
    struct er_rough *r = &f->d->rough;
    sqlite3_stmt *row = NULL;
    r->allowed = NULL;
    if (!ask->collection && !ask->kind && !f->path && !f->glob)
        return ERRAND_OK;
    int code = er_sql_int(&f->d->sql,
        "SELECT max(seq) FROM sqlite_sequence", &r->n_allowed, f->err);
    if (code != ERRAND_OK)
        return code;
    r->allowed = calloc((size_t)++r->n_allowed / 8 + 1, 1);
    if (!r->allowed)
        return er_nomem(f->err);
    code = er_sql_first(&f->d->sql, ER_D_FILTER,
        "SELECT id FROM documents WHERE"
        " (?1 IS NULL OR collection=?1) AND (?2 IS NULL OR kind=?2) AND"
        " (?3 IS NULL OR path=?3 OR (path>=rtrim(?3,'/')||'/' AND"
        " path<rtrim(?3,'/')||'0')) AND (?4 IS NULL OR path GLOB ?4)",
        ER_VALS(er_text(ask->collection), er_text(ask->kind),
            er_text(f->path), er_text(f->glob)),
        &row, f->err);
    while (code == ERRAND_OK && row) {
        int64_t id = sqlite3_column_int64(row, 0);
        if (id > 0 && id < r->n_allowed)
            r->allowed[id >> 3] |= (unsigned char)(1 << (id & 7));
        code = er_sql_next(&f->d->sql, &row, f->err);
    }
    return code;
}

static int find_words(struct finding *f)
{
    struct er_buf match;
    struct er_rough *r = &f->d->rough;
    er_buf_init(&match, 65536);
    int code = make_match(f, &match) ? ERRAND_OK : er_nomem(f->err);
    r->kept = 0;
    r->most = f->limit > POOL ? f->limit : POOL;
    if (code == ERRAND_OK && match.len > 0)
        code = er_sql_run(&f->d->sql, ER_D_FIND_WORDS,
            "SELECT er_rough(word_index) FROM word_index"
            " WHERE word_index MATCH ?1",
            ER_VALS(er_text(er_buf_str(&match))), f->err);
    for (size_t i = 0; i < r->kept && code == ERRAND_OK; i++) {
        struct er_candidate *c = add_candidate(f, r->best[i].id);
        if (c)
            c->by_words = true;
        else
            code = er_nomem(f->err);
    }
    er_buf_release(&match);
    return code;
}

/* ------------------------------------------------------------------ names */

static bool add_char(struct er_buf *out, const char *s, size_t len)
{
    return len == 1 && *s == '"' ? er_buf_adds(out, "\"\"")
                                 : er_buf_add(out, s, len);
}

/* Every three characters of a name, all of which must be there. */
static bool add_trigrams(struct er_buf *out, const struct er_name *name)
{
    size_t at[256], n = 0;
    for (size_t i = 0; i < name->len && n < 255; i++)
        if (((unsigned char)name->text[i] & 0xc0) != 0x80)
            at[n++] = i;
    at[n] = name->len;
    for (size_t i = 0; i + 3 <= n; i++) {
        er_buf_adds(out, i ? " AND \"" : "\"");
        for (size_t k = i; k < i + 3; k++)
            add_char(out, name->text + at[k], at[k + 1] - at[k]);
        er_buf_addc(out, '"');
    }
    return !out->failed;
}

/* A word is looked for as a name if it looks like one, or if no chunk has
 * it as a word. */
static bool is_name(struct finding *f, const struct er_name *name)
{
    struct er_query one;
    bool known = false;
    if (name->odd)
        return true;
    if (!er_query_read(&one, f->d->words, name->text)) {
        er_query_release(&one);
        return false;
    }
    for (size_t i = 0; i < one.n_terms; i++)
        for (size_t k = 0; k < f->q.n_terms; k++)
            known = known || (f->q.terms[k].word == one.terms[i].word &&
                                 f->q.terms[k].df > 0);
    bool small = one.n_terms > 0 &&
                 er_words_is_stop(f->d->words, one.terms[0].word);
    er_query_release(&one);
    return !known && !small;
}

static int find_name(struct finding *f, const struct er_name *name)
{
    struct er_buf match;
    sqlite3_stmt *row = NULL;
    er_buf_init(&match, 65536);
    int code =
        add_trigrams(&match, name) ? ERRAND_OK : er_nomem(f->err);
    if (code == ERRAND_OK)
        code = er_sql_first(&f->d->sql, ER_D_FIND_NAMES,
            "SELECT rowid FROM name_index WHERE name_index MATCH ?1",
            ER_VALS(er_text(er_buf_str(&match))), &row, f->err);
    for (int n = 0; code == ERRAND_OK && row && n < NAMES_LOOKED_AT;) {
        int64_t id = sqlite3_column_int64(row, 0);
        bool allowed = er_rough_allows(&f->d->rough, id);
        struct er_candidate *c = allowed ? add_candidate(f, id) : NULL;
        if (c)
            c->by_names = true;
        n += allowed;
        code = allowed && !c ? er_nomem(f->err)
                             : er_sql_next(&f->d->sql, &row, f->err);
    }
    if (row)
        er_sql_end(row);
    er_buf_release(&match);
    return code;
}

static int find_names(struct finding *f)
{
    int code = ERRAND_OK;
    size_t kept = 0;
    for (size_t i = 0; i < f->q.n_names && code == ERRAND_OK; i++) {
        if (!is_name(f, &f->q.names[i]))
            continue;
        f->q.names[kept++] = f->q.names[i];
        code = find_name(f, &f->q.names[i]);
    }
    f->q.n_names = kept;
    return code;
}

/* ----------------------------------------------------------------- texts */

static int load(struct finding *f, struct er_candidate *c)
{
    sqlite3_stmt *row = NULL;
    bool nomem = false;
    int code = er_sql_first(&f->d->sql, ER_D_CHUNK,
        "SELECT " ER_CHUNK_COLUMNS " FROM chunks c JOIN documents d"
        " ON d.id=c.id>>16 WHERE c.id=?1",
        ER_VALS(er_int(c->id)), &row, f->err);
    if (code != ERRAND_OK || !row)
        return code;
    c->start = sqlite3_column_int64(row, 1);
    c->end = sqlite3_column_int64(row, 2);
    c->line = sqlite3_column_int64(row, 3);
    c->heading = er_col_copy(row, 4, &f->arena, &nomem);
    c->text = er_col_copy(row, 5, &f->arena, &nomem);
    c->len = (size_t)sqlite3_column_bytes(row, 5);
    c->path = er_col_copy(row, 6, &f->arena, &nomem);
    c->title = er_col_copy(row, 7, &f->arena, &nomem);
    c->kind = er_col_copy(row, 8, &f->arena, &nomem);
    c->converted = sqlite3_column_int(row, 9) != 0;
    c->collection = er_col_copy(row, 10, &f->arena, &nomem);
    er_sql_end(row);
    return nomem ? er_nomem(f->err) : ERRAND_OK;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Where name stands in text from at on; SIZE_MAX: nowhere. */
static size_t find_text(const char *text, size_t len, size_t at,
    const struct er_name *name)
{
    for (; at + name->len <= len; at++) {
        size_t i = 0;
        while (i < name->len && lower(text[at + i]) == name->text[i])
            i++;
        if (i == name->len)
            return at;
    }
    return SIZE_MAX;
}

static bool is_part(const char *text, size_t len, size_t at)
{
    unsigned char c = at < len ? (unsigned char)text[at] : 0;
    return c == '_' || c >= 0x80 || (c >= '0' && c <= '9') ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* How well the names stand in a text: a whole one counts more than a part of
 * a longer one. 0: none is there, the trigrams were of other names. */
static double score_names(const struct finding *f,
    const struct er_candidate *c)
{
    double sum = 0;
    for (size_t i = 0; i < f->q.n_names; i++) {
        const struct er_name *name = &f->q.names[i];
        double tf = 0;
        for (size_t at = 0;
             (at = find_text(c->text, c->len, at, name)) != SIZE_MAX;
             at += name->len) {
            bool whole = !(at > 0 && is_part(c->text, c->len, at - 1)) &&
                         !is_part(c->text, c->len, at + name->len);
            tf += whole ? 1 : 0.4;
        }
        sum += tf / (tf + 1) * (double)(name->len > 20 ? 20 : name->len);
    }
    return sum;
}

static int load_all(struct finding *f)
{
    size_t kept = 0;
    int code = ERRAND_OK;
    for (size_t i = 0; i < f->n && code == ERRAND_OK; i++) {
        struct er_candidate *c = &f->c[i];
        code = load(f, c);
        if (code != ERRAND_OK || !c->text)
            continue; /* an index that is ahead of its chunks has none */
        c->score = c->by_names ? score_names(f, c) : 0;
        c->by_names = c->score > 0;
        if (c->by_names || c->by_words)
            f->c[kept++] = *c;
    }
    f->n = kept;
    return code;
}

/* ---------------------------------------------------------------- ranking */

static int by_score(const void *a, const void *b)
{
    const struct er_candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Reciprocal rank fusion: what each ranking says is a place, and no number
 * that another one's could be compared with. */
static bool rank(struct finding *f)
{
    size_t place = 0;
    if (f->n == 0)
        return true;
    qsort(f->c, f->n, sizeof *f->c, by_score);
    for (size_t i = 0; i < f->n; i++)
        f->c[i].fused =
            f->c[i].by_names ? 1.0 / (double)(RRF + ++place) : 0;
    if (!er_rank_words(f->c, f->n, &f->q, &f->all, f->d->words))
        return false;
    place = 0;
    for (size_t i = 0; i < f->n; i++) {
        if (f->c[i].words > 0)
            f->c[i].fused += 1.0 / (double)(RRF + ++place);
        f->c[i].score = f->c[i].fused;
    }
    qsort(f->c, f->n, sizeof *f->c, by_score);
    return true;
}

/* What only a name found has not been asked for phrases and for words that
 * must not be there. */
static void drop_unasked(struct finding *f)
{
    bool strict = f->q.n_phrases > 0;
    size_t kept = 0;
    for (size_t i = 0; i < f->q.n_terms; i++)
        strict = strict || f->q.terms[i].must_not;
    for (size_t i = 0; i < f->n; i++)
        if (!strict || f->c[i].by_words)
            f->c[kept++] = f->c[i];
    f->n = kept;
}

/* At most so many of one document, and no more than asked for. */
static void cut(struct finding *f)
{
    size_t kept = 0;
    for (size_t i = 0; i < f->n && kept < f->limit; i++) {
        int64_t same = 0;
        for (size_t k = 0; k < kept && f->ask->per_document > 0; k++)
            same += f->c[k].id >> ER_CHUNK_BITS ==
                    f->c[i].id >> ER_CHUNK_BITS;
        if (f->ask->per_document <= 0 || same < f->ask->per_document)
            f->c[kept++] = f->c[i];
    }
    f->n = kept;
}

/* ---------------------------------------------------------------- answers */

struct marking {
    const struct er_query *q;
    json_t *out;
    size_t end; /* of the last mark */
};

static bool mark(struct marking *m, size_t start, size_t end)
{
    if (start < m->end)
        return true;
    m->end = end;
    return json_array_append_new(m->out, json_pack("[I,I]",
               (json_int_t)start, (json_int_t)end)) == 0;
}

static bool mark_word(void *ctx, const struct er_token *t)
{
    struct marking *m = ctx;
    for (size_t i = 0; i < m->q->n_terms; i++)
        if (m->q->terms[i].word == t->word && !m->q->terms[i].must_not)
            return mark(m, t->start, t->end);
    return true;
}

static int mark_order(const void *a, const void *b)
{
    const size_t *x = a, *y = b;
    if (x[0] != y[0])
        return x[0] > y[0] ? 1 : -1;
    return (y[1] > x[1]) - (y[1] < x[1]);
}

/* Names among the words: all marks again, in order and without overlaps. */
static bool mark_names(const struct finding *f, const struct er_candidate *c,
    struct marking *m)
{
    size_t n = json_array_size(m->out), room = n + 1024, (*v)[2];
    v = malloc(room * sizeof *v);
    if (!v)
        return false;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 2; k++)
            v[i][k] = (size_t)json_integer_value(
                json_array_get(json_array_get(m->out, i), k));
    for (size_t i = 0; i < f->q.n_names; i++)
        for (size_t at = 0; n < room &&
             (at = find_text(c->text, c->len, at, &f->q.names[i])) !=
                 SIZE_MAX;
             at += f->q.names[i].len) {
            v[n][0] = at;
            v[n++][1] = at + f->q.names[i].len;
        }
    if (n > 0)
        qsort(v, n, sizeof *v, mark_order);
    m->end = 0;
    bool ok = json_array_clear(m->out) == 0;
    for (size_t i = 0; i < n && ok; i++)
        ok = mark(m, v[i][0], v[i][1]);
    free(v);
    return ok;
}

static json_t *matches_of(
    const struct finding *f, const struct er_candidate *c)
{
    struct marking m = {.q = &f->q, .out = json_array()};
    bool ok = m.out &&
              er_words_read(f->d->words, c->text, c->len, mark_word, &m) &&
              (f->q.n_names == 0 || mark_names(f, c, &m));
    if (ok)
        return m.out;
    json_decref(m.out);
    return NULL;
}

static json_t *hit_of(const struct finding *f, const struct er_candidate *c)
{
    char id[48];
    er_chunk_id(c->id, id);
    json_t *o = json_object();
    bool ok = er_json_put(o, "id", id) && er_json_put(o, "path", c->path) &&
              er_json_put(o, "collection", c->collection) &&
              er_json_put(o, "kind", c->kind) &&
              er_json_put(o, "title", c->title) &&
              er_json_put(o, "heading", c->heading) &&
              json_object_set_new(o, "line", c->converted ? json_null()
                  : json_integer(c->line)) == 0 &&
              json_object_set_new(o, "start", json_integer(c->start)) == 0 &&
              json_object_set_new(o, "end", json_integer(c->end)) == 0 &&
              json_object_set_new(o, "score", json_real(c->score)) == 0 &&
              er_json_putn(o, "text", c->text, c->len) &&
              json_object_set_new(o, "matches", matches_of(f, c)) == 0;
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *answer(struct finding *f)
{
    json_t *hits = json_array();
    for (size_t i = 0; i < f->n && hits; i++)
        if (json_array_append_new(hits, hit_of(f, &f->c[i])) != 0) {
            json_decref(hits);
            hits = NULL;
        }
    if (!hits)
        er_nomem(f->err);
    return hits;
}

/* ------------------------------------------------------------------ whole */

static int check(struct finding *f)
{
    const struct er_docs_query *ask = f->ask;
    if (ask->limit < 0 || ask->limit > LIMIT_MOST)
        return er_fail(f->err, ERRAND_RANGE,
            "the limit is %lld; it must be 1 to %d", (long long)ask->limit,
            LIMIT_MOST);
    if (ask->kind && er_kind_named(ask->kind) == ER_KIND_UNKNOWN)
        return er_fail(f->err, ERRAND_USAGE, "there is no kind \"%.40s\"; "
            "kinds are text, markdown, html, code, jsonl, csv, pdf, office",
            ask->kind);
    f->limit = ask->limit ? (size_t)ask->limit : LIMIT;
    if (!ask->path)
        return ERRAND_OK;
    if (!strpbrk(ask->path, "*?[")) {
        f->path = er_path_absolute(ask->path);
        return f->path ? ERRAND_OK : er_nomem(f->err);
    }
    struct er_buf glob;
    er_buf_init(&glob, 65536);
    er_buf_addf(&glob, "%s%s",
        ask->path[0] == '*' || ask->path[0] == '/' ? "" : "*/", ask->path);
    f->glob = er_buf_take(&glob, NULL);
    return f->glob ? ERRAND_OK : er_nomem(f->err);
}

static int read_query(struct finding *f)
{
    struct er_buf text;
    int code = ERRAND_OK;
    er_buf_init(&text, (size_t)ER_QUERY_BYTES * 8);
    er_text_scrub(&text, f->ask->text,
        strnlen(f->ask->text, ER_QUERY_BYTES));
    if (!er_query_read(&f->q, f->d->words, er_buf_str(&text)))
        code = er_nomem(f->err);
    er_buf_release(&text);
    for (size_t i = 0; i < f->q.n_terms && code == ERRAND_OK; i++)
        code = count_word(f, &f->q.terms[i]);
    if (f->q.n_terms > 1)
        qsort(f->q.terms, f->q.n_terms, sizeof *f->q.terms, by_df);
    return code;
}

/* Everything that looks into the database, as of one moment. */
static int gather(struct finding *f)
{
    int code = er_sql_exec(&f->d->sql, "BEGIN", f->err);
    if (code != ERRAND_OK)
        return code;
    code = refresh(f);
    if (code == ERRAND_OK)
        code = read_query(f);
    if (code == ERRAND_OK)
        code = read_filter(f);
    if (code == ERRAND_OK)
        code = find_words(f);
    if (code == ERRAND_OK)
        code = find_names(f);
    if (code == ERRAND_OK)
        code = load_all(f);
    sqlite3_exec(f->d->sql.db, "COMMIT", NULL, NULL, NULL);
    free(f->d->rough.allowed);
    f->d->rough.allowed = NULL;
    return code;
}

json_t *er_docs_search(er_docs *d, const struct er_docs_query *query,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    struct finding f = {.d = d, .ask = query, .err = err ? err : &mine};
    json_t *hits = NULL;
    er_arena_init(&f.arena);
    er_arena_init(&f.q.arena);
    er_words_tidy(d->words);
    int code = check(&f);
    if (code == ERRAND_OK)
        code = gather(&f);
    if (code == ERRAND_OK) {
        drop_unasked(&f);
        if (!rank(&f))
            code = er_nomem(f.err);
    }
    if (code == ERRAND_OK) {
        cut(&f);
        hits = answer(&f);
    }
    er_query_release(&f.q);
    er_arena_release(&f.arena);
    free(f.c);
    free(f.path);
    free(f.glob);
    return hits;
}
