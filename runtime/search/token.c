/* Two tables: spellings as they stand in texts, each with the words it comes
 * to (mostly one), and the words. Letters of ASCII are folded here and cut
 * where unicode61 cuts; a run that holds any other byte is given to SQLite's
 * tokenizer whole, every time, for it may be many words. */
#include "search/token.h"

#include "base/arena.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLOTS_FIRST = 4096,
    SPELLING_MAX = 64,   /* bytes of one that is kept */
    KEEP_MOST = 300000,  /* words; then er_words_tidy forgets */
};

struct entry {
    uint32_t hash;
    uint32_t len;
    const char *text; /* in the arena; NULL: free */
    er_word word;     /* of a spelling: what it comes to, 0: nothing */
    bool stop;
};

struct table {
    struct entry *slots;
    size_t size, used;
};

struct er_words {
    sqlite3 *db; /* lends the tokenizer */
    fts5_tokenizer methods;
    Fts5Tokenizer *tokenizer;
    struct er_arena arena;
    struct table spellings, words;
    struct entry *by_number; /* [words.used + 1] */
    size_t numbers, room;
    bool no_memory;
};

static const char STOP_WORDS[] =
    "a about also an and any are as at be because been being but by can "
    "could did do does for from given had has have how i if in into is it "
    "its may me might must my no not of on or our shall she should so some "
    "such than that the their them then there these they this those to us "
    "was we were what when where which who whom whose why will with would "
    "you your";

/* ---------------------------------------------------------------- tables */

static uint32_t hash_of(const char *s, size_t len)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h;
}

static struct entry *find(
    const struct table *t, const char *s, size_t len, uint32_t hash)
{
    size_t at = hash & (t->size - 1);
    while (t->slots[at].text) {
        struct entry *e = &t->slots[at];
        if (e->hash == hash && e->len == len && memcmp(e->text, s, len) == 0)
            return e;
        at = (at + 1) & (t->size - 1);
    }
    return &t->slots[at];
}

static bool grow(struct table *t)
{
    struct table bigger = {.size = t->size ? t->size * 2 : SLOTS_FIRST};
    bigger.slots = calloc(bigger.size, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < t->size; i++) {
        const struct entry *e = &t->slots[i];
        if (e->text)
            *find(&bigger, e->text, e->len, e->hash) = *e;
    }
    bigger.used = t->used;
    free(t->slots);
    *t = bigger;
    return true;
}

/* The entry of a text, made if it is new; NULL: no memory. */
static struct entry *put(struct er_words *w, struct table *t, const char *s,
    size_t len, bool *is_new)
{
    uint32_t hash = hash_of(s, len);
    if (t->used * 2 >= t->size && !grow(t))
        return NULL;
    struct entry *e = find(t, s, len, hash);
    *is_new = !e->text;
    if (e->text)
        return e;
    char *copy = er_arena_strn(&w->arena, s, len);
    if (!copy)
        return NULL;
    *e = (struct entry){.hash = hash, .len = (uint32_t)len, .text = copy};
    t->used++;
    return e;
}

/* The number of a word; 0: no memory. */
static er_word number_of(struct er_words *w, const char *s, size_t len)
{
    bool is_new;
    struct entry *e = put(w, &w->words, s, len, &is_new);
    if (e && !is_new)
        return e->word;
    if (e && w->numbers + 1 >= w->room) {
        size_t room = w->room ? w->room * 2 : SLOTS_FIRST;
        struct entry *more =
            realloc(w->by_number, room * sizeof *w->by_number);
        if (more) {
            w->by_number = more;
            w->room = room;
        } else {
            e = NULL;
        }
    }
    if (!e) {
        w->no_memory = true;
        return 0;
    }
    e->word = (er_word)++w->numbers;
    w->by_number[e->word] = *e;
    return e->word;
}

/* ----------------------------------------------------- SQLite's tokenizer */

struct asking {
    struct er_words *w;
    er_token_fn fn;
    void *ctx;
    size_t base;
    er_word last;
    int count;
};

static int on_token(void *ctx, int flags, const char *s, int len, int start,
    int end)
{
    struct asking *a = ctx;
    er_word word = number_of(a->w, s, (size_t)len);
    (void)flags;
    a->last = word;
    a->count++;
    if (!word)
        return SQLITE_NOMEM;
    struct er_token token = {.word = word, .start = a->base + (size_t)start,
        .end = a->base + (size_t)end};
    return !a->fn || a->fn(a->ctx, &token) ? SQLITE_OK : SQLITE_ABORT;
}

static int ask(struct er_words *w, const char *s, size_t len,
    struct asking *a)
{
    int rc = w->methods.xTokenize(w->tokenizer, a, FTS5_TOKENIZE_DOCUMENT, s,
        (int)len, on_token);
    if (rc == SQLITE_NOMEM)
        w->no_memory = true;
    return rc;
}

/* A run of ASCII letters and digits, in lower case: the word it comes to. */
static er_word word_of(struct er_words *w, const char *s, size_t len)
{
    bool is_new;
    struct entry *e = put(w, &w->spellings, s, len, &is_new);
    if (!e) {
        w->no_memory = true;
        return 0;
    }
    if (!is_new)
        return e->word;
    struct asking a = {.w = w};
    if (ask(w, s, len, &a) != SQLITE_OK)
        return 0;
    /* number_of may have moved the words, but not the spellings */
    e->word = a.last;
    return e->word;
}

/* ---------------------------------------------------------------- reading */

static bool is_word_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c >= 0x80;
}

/* One run from start to end; false: stop. */
static bool read_run(struct er_words *w, const char *text, size_t start,
    size_t end, bool ascii, const struct asking *how)
{
    char lower[SPELLING_MAX];
    size_t len = end - start;
    if (!ascii || len > sizeof lower) {
        struct asking a = *how;
        a.base = start;
        return ask(w, text + start, len, &a) == SQLITE_OK;
    }
    for (size_t i = 0; i < len; i++) {
        char c = text[start + i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    er_word word = word_of(w, lower, len);
    struct er_token token = {.word = word, .start = start, .end = end};
    if (!word)
        return !w->no_memory;
    return how->fn(how->ctx, &token);
}

bool er_words_read(struct er_words *w, const char *text, size_t len,
    er_token_fn fn, void *ctx)
{
    struct asking how = {.w = w, .fn = fn, .ctx = ctx};
    size_t at = 0;
    w->no_memory = false;
    while (at < len) {
        bool ascii = true;
        while (at < len && !is_word_byte((unsigned char)text[at]))
            at++;
        size_t start = at;
        /* a run that is longer than any word is cut at a whole character */
        while (at < len && is_word_byte((unsigned char)text[at]) &&
               (at - start < 4096 ||
                   ((unsigned char)text[at] & 0xc0) == 0x80)) {
            ascii = ascii && (unsigned char)text[at] < 0x80;
            at++;
        }
        if (at > start && !read_run(w, text, start, at, ascii, &how))
            return false;
    }
    return true;
}

const char *er_words_text(const struct er_words *w, er_word word)
{
    return word && word <= w->numbers ? w->by_number[word].text : "";
}

size_t er_words_count(const struct er_words *w) { return w->numbers; }

bool er_words_is_stop(const struct er_words *w, er_word word)
{
    return word && word <= w->numbers && w->by_number[word].stop;
}

/* ------------------------------------------------------------------- life */

static bool mark_stop(void *ctx, const struct er_token *token)
{
    struct er_words *w = ctx;
    w->by_number[token->word].stop = true;
    return true;
}

static bool read_stop_words(struct er_words *w)
{
    return er_words_read(
        w, STOP_WORDS, sizeof STOP_WORDS - 1, mark_stop, w);
}

static void forget(struct er_words *w)
{
    free(w->spellings.slots);
    free(w->words.slots);
    w->spellings = w->words = (struct table){.size = 0};
    w->numbers = 0;
    er_arena_release(&w->arena);
    er_arena_init(&w->arena);
}

void er_words_tidy(struct er_words *w)
{
    if (w->numbers + w->spellings.used < KEEP_MOST)
        return;
    forget(w);
    read_stop_words(w); /* without memory they count as any others */
}

/* The way to FTS5's functions that its documentation names. */
static fts5_api *api_of(sqlite3 *db)
{
    fts5_api *api = NULL;
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &st, NULL) ==
        SQLITE_OK) {
        sqlite3_bind_pointer(st, 1, (void *)&api, "fts5_api_ptr", NULL);
        sqlite3_step(st);
    }
    sqlite3_finalize(st);
    return api;
}

static bool open_tokenizer(struct er_words *w)
{
    static const char *const args[] = {
        "unicode61", "remove_diacritics", "2"};
    void *data = NULL;
    if (sqlite3_open_v2(":memory:", &w->db,
            SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return false;
    fts5_api *api = api_of(w->db);
    return api && api->xFindTokenizer(
               api, "porter", &data, &w->methods) == SQLITE_OK &&
           w->methods.xCreate(data, (const char **)args, 3, &w->tokenizer) ==
               SQLITE_OK;
}

struct er_words *er_words_new(struct errand_error *err)
{
    struct er_words *w = calloc(1, sizeof *w);
    if (!w) {
        er_nomem(err);
        return NULL;
    }
    er_arena_init(&w->arena);
    if (!open_tokenizer(w)) {
        er_fail(err, ERRAND_UNSUPPORTED,
            "SQLite %s has no full-text search (FTS5); install one with it",
            sqlite3_libversion());
    } else if (!read_stop_words(w)) {
        er_nomem(err);
    } else {
        return w;
    }
    er_words_free(w);
    return NULL;
}

void er_words_free(struct er_words *w)
{
    if (!w)
        return;
    if (w->tokenizer)
        w->methods.xDelete(w->tokenizer);
    sqlite3_close_v2(w->db);
    forget(w);
    er_arena_release(&w->arena);
    free(w->by_number);
    free(w);
}
