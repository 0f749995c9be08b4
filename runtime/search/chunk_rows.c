/* Data in rows. A table of CSV keeps its bytes; its columns' names are the
 * heading of every chunk. A line of JSON is a record: its members become
 * lines "name: value", so that what is found can be read. */
#include "search/cutter.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD_MOST = 4 * 1024 * 1024, /* bytes of a record's text */
    DEPTH = 6,
    SMALL = 40, /* tokens of a record that shares its chunk */
};

/* -------------------------------------------------------------------- CSV */

/* Behind the row that begins at at; line breaks within quotes are its own. A
 * quote that is never closed is taken for a character. */
static size_t row_end(const char *s, size_t len, size_t at)
{
    bool quoted = false;
    size_t i = at;
    for (; i < len && i - at < RECORD_MOST; i++) {
        if (s[i] == '"')
            quoted = !quoted;
        else if (s[i] == '\n' && !quoted)
            return i + 1;
    }
    return quoted ? er_line_end(s, len, at) : i;
}

static void name_columns(struct er_cutter *c, size_t end)
{
    struct er_buf names;
    er_buf_init(&names, ER_CHUNK_HEADING * 4);
    for (size_t i = 0; i < end && names.len < ER_CHUNK_HEADING; i++) {
        char ch = c->text[i];
        if (ch == ',' || ch == ';' || ch == '\t')
            er_buf_adds(&names, ", ");
        else if (ch != '"' && ch != '\r' && ch != '\n')
            er_buf_addc(&names, ch);
    }
    size_t n =
        er_utf8_cut(er_buf_str(&names), names.len, ER_CHUNK_HEADING);
    c->heading = er_arena_strn(&c->out->arena, er_buf_str(&names), n);
    if (!c->heading || names.failed)
        c->code = er_nomem(c->err);
    er_buf_release(&names);
}

void er_cut_csv(struct er_cutter *c)
{
    size_t at = 0;
    if (c->len > 0)
        name_columns(c, row_end(c->text, c->len, 0));
    while (at < c->len && c->code == ERRAND_OK) {
        size_t end = row_end(c->text, c->len, at);
        er_cutter_piece(c, at, end);
        at = end;
    }
}

/* ------------------------------------------------------------- JSON lines */

static void add_value(struct er_buf *out, const json_t *v, struct er_buf *name,
    int depth);

static void add_scalar(struct er_buf *out, const json_t *v)
{
    if (!json_is_string(v)) {
        er_json_add(out, v);
        return;
    }
    const char *s = json_string_value(v);
    for (size_t i = 0, n = json_string_length(v); i < n; i++)
        er_buf_addc(out, s[i] ? s[i] : ' ');
}

static void add_member(struct er_buf *out, const json_t *v,
    struct er_buf *name, const char *key, int depth)
{
    size_t before = name->len;
    er_buf_addf(name, "%s%.100s", before ? "." : "", key);
    add_value(out, v, name, depth + 1);
    if (!name->failed)
        name->len = before;
}

static void add_value(struct er_buf *out, const json_t *v, struct er_buf *name,
    int depth)
{
    const char *key;
    json_t *member;
    size_t i;
    if (json_is_object(v) && depth < DEPTH) {
        json_object_foreach((json_t *)(uintptr_t)v, key, member)
            add_member(out, member, name, key, depth);
        return;
    }
    if (name->len)
        er_buf_addf(out, "%.*s: ", (int)name->len, name->data);
    if (json_is_array(v)) {
        json_array_foreach(v, i, member)
        {
            er_buf_adds(out, i ? ", " : "");
            add_scalar(out, member);
        }
    } else {
        add_scalar(out, v);
    }
    er_buf_addc(out, '\n');
}

/* What a record is called by. */
static const char *called(const json_t *record)
{
    static const char *const keys[] = {
        "title", "name", "subject", "heading", NULL};
    for (size_t i = 0; keys[i]; i++) {
        const char *s = er_json_str(record, keys[i]);
        if (s && *s)
            return s;
    }
    return "";
}

/* A record's text as chunks that all stand on its line. */
static void add_record(struct er_cutter *c, size_t at, size_t end,
    const char *text, size_t len, const char *heading)
{
    struct er_chunks parts;
    er_chunks_init(&parts);
    int code = er_chunk_text(&parts, ER_KIND_TEXT, text, len, c->err);
    if (code != ERRAND_OK && c->code == ERRAND_OK)
        c->code = code;
    for (size_t i = 0; i < parts.n && c->code == ERRAND_OK; i++) {
        struct er_chunk chunk = {.start = i ? end : at, .end = end,
            .line = c->line, .heading = heading, .len = parts.v[i].len,
            .text = er_arena_strn(
                &c->out->arena, parts.v[i].text, parts.v[i].len)};
        if (chunk.text)
            er_cutter_add(c, &chunk);
        else
            c->code = er_nomem(c->err);
    }
    er_chunks_release(&parts);
}

struct records {
    struct er_cutter *c;
    struct er_buf text; /* of records that share a chunk */
    size_t from;
    int64_t line;
};

static void flush(struct records *r, size_t end)
{
    int64_t line = r->c->line;
    r->c->line = r->line;
    if (r->text.len)
        add_record(r->c, r->from, end, r->text.data, r->text.len, "");
    r->c->line = line;
    r->from = end;
    er_buf_reset(&r->text);
}

/* The record of a line as text, and its name; the line itself if it is no
 * JSON. */
static const char *show(struct records *r, size_t at, size_t len,
    struct er_buf *text)
{
    struct er_buf name;
    const char *line = r->c->text + at, *heading = "";
    json_t *record = len <= RECORD_MOST
        ? er_json_parse(line, len, ER_JSON_LENIENT, NULL) : NULL;
    er_buf_init(&name, 4096);
    if (record && !json_is_string(record)) {
        const char *s = called(record);
        add_value(text, record, &name, 0);
        heading = er_arena_strn(&r->c->out->arena, s,
            er_utf8_cut(s, strlen(s), ER_CHUNK_HEADING));
    }
    if (text->failed || text->len == 0) {
        er_buf_reset(text);
        while (len > 0 && (unsigned char)line[len - 1] <= ' ')
            len--;
        er_buf_add(text, line, len);
        er_buf_addc(text, '\n');
    }
    if (text->failed || !heading)
        r->c->code = er_nomem(r->c->err);
    er_buf_release(&name);
    json_decref(record);
    return heading ? heading : "";
}

static void read_record(struct records *r, size_t at, size_t end)
{
    struct er_cutter *c = r->c;
    struct er_buf text;
    er_buf_init(&text, c->len + RECORD_MOST);
    const char *heading = show(r, at, end - at, &text);
    if (c->code != ERRAND_OK) {
        er_buf_release(&text);
        return;
    }
    size_t tokens = er_tokens_guess(er_buf_str(&text), text.len);
    size_t held = er_tokens_guess(er_buf_str(&r->text), r->text.len);
    if (tokens >= SMALL || *heading || held + tokens > ER_CHUNK_TOKENS / 2)
        flush(r, at);
    if (tokens >= SMALL || *heading) {
        add_record(c, at, end, er_buf_str(&text), text.len, heading);
        r->from = end;
        r->line = c->line + 1;
    } else {
        if (r->text.len == 0)
            r->line = c->line;
        er_buf_add(&r->text, er_buf_str(&text), text.len);
        if (r->text.failed)
            c->code = er_nomem(c->err);
    }
    er_buf_release(&text);
}

void er_cut_jsonl(struct er_cutter *c)
{
    struct records r = {.c = c, .line = 1};
    size_t at = 0;
    er_buf_init(&r.text, RECORD_MOST * 2);
    while (at < c->len && c->code == ERRAND_OK) {
        size_t end = er_line_end(c->text, c->len, at);
        if (!er_is_blank(c->text + at, end - at))
            read_record(&r, at, end);
        c->line++;
        at = end;
    }
    if (c->code == ERRAND_OK)
        flush(&r, c->len);
    er_buf_release(&r.text);
    c->start = c->len; /* everything is in chunks */
}
