/* Schema, prompt, check; see cite.h. Quotations are compared character by
 * character on two readers that both skip what does not count. */
#include "search/cite.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { PROMPT_MOST = 4 << 20, QUOTE_LEAST = 3 };

/* --------------------------------------------------------------- compare */

struct reader {
    const char *s;
    size_t len, at;
};

static bool is_space(const struct reader *r)
{
    unsigned char c = (unsigned char)r->s[r->at];
    return c <= ' ' || (c == 0xc2 && r->at + 1 < r->len &&
                           (unsigned char)r->s[r->at + 1] == 0xa0);
}

/* The next character that counts, as a number; 0: the end. A run of spaces is
 * one, at the beginning none. */
static unsigned next_char(struct reader *r)
{
    static const struct {
        const char *bytes;
        unsigned means;
    } same[] = {{"\u2018", '\''}, {"\u2019", '\''}, {"\u201c", '"'},
        {"\u201d", '"'}, {"\u2013", '-'}, {"\u2014", '-'}, {"\u2010", '-'}};
    bool space = false;
    while (r->at < r->len && is_space(r)) {
        r->at += (unsigned char)r->s[r->at] == 0xc2 ? 2 : 1;
        space = true;
    }
    if (r->at >= r->len)
        return 0;
    if (space)
        return ' ';
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        if (r->len - r->at >= 3 &&
            memcmp(r->s + r->at, same[i].bytes, 3) == 0) {
            r->at += 3;
            return same[i].means;
        }
    unsigned char c = (unsigned char)r->s[r->at++];
    return c >= 'A' && c <= 'Z' ? (unsigned)c | 0x20 : c;
}

static void skip_space(struct reader *r)
{
    while (r->at < r->len && is_space(r))
        r->at += (unsigned char)r->s[r->at] == 0xc2 ? 2 : 1;
}

/* Does the quotation begin at text's at? Its end then. */
static bool begins(struct reader text, struct reader quote, size_t *end)
{
    skip_space(&quote);
    for (;;) {
        struct reader before = quote;
        unsigned q = next_char(&quote);
        if (q == 0) {
            *end = text.at;
            return before.at <= before.len;
        }
        size_t was = text.at;
        if (next_char(&text) != q) {
            *end = was;
            return false;
        }
    }
}

bool er_cite_find(const char *text, size_t len, const char *quote,
    size_t quote_len, size_t *start, size_t *end)
{
    struct reader q = {.s = quote, .len = quote_len};
    skip_space(&q);
    if (quote_len - q.at < QUOTE_LEAST)
        return false;
    for (size_t at = 0; at < len; at++) {
        struct reader t = {.s = text, .len = len, .at = at};
        if (((unsigned char)text[at] & 0xc0) == 0x80 || is_space(&t) ||
            !begins(t, q, end))
            continue;
        *start = at;
        return true;
    }
    return false;
}

/* ------------------------------------------------------- schema, prompt */

json_t *er_cite_schema(const json_t *hits)
{
    size_t i;
    json_t *hit, *ids = json_array();
    json_array_foreach(hits, i, hit)
        json_array_append(ids, json_object_get(hit, "id"));
    bool any = json_array_size(ids) > 0;
    json_t *id = any ? json_pack("{s:o}", "enum", ids)
                     : json_pack("{s:s}", "type", "string");
    if (!any)
        json_decref(ids);
    return json_pack("{s:s,s:[s,s],s:b,s:{s:{s:s},s:{s:s,s:i,s:{s:s,s:[s,s],"
                     "s:b,s:{s:o,s:{s:s}}}}}}",
        "type", "object", "required", "answer", "citations",
        "additionalProperties", 0, "properties", "answer", "type", "string",
        "citations", "type", "array", "maxItems", any ? 16 : 0, "items",
        "type", "object", "required", "id", "quote", "additionalProperties",
        0, "properties", "id", id, "quote", "type", "string");
}

char *er_cite_prompt(const char *question, const json_t *hits)
{
    struct er_buf b;
    size_t i;
    json_t *hit;
    er_buf_init(&b, PROMPT_MOST);
    er_buf_adds(&b, "Answer the question from the passages alone. Cite what "
        "you rely on: the id of the passage and a few words of it, copied "
        "exactly. If the passages do not answer it, say so and cite "
        "nothing.\n");
    json_array_foreach(hits, i, hit)
    {
        const char *path = er_json_str(hit, "path");
        const char *slash = path ? strrchr(path, '/') : NULL;
        const char *heading = er_json_str(hit, "heading");
        const char *text = er_json_str(hit, "text");
        const char *id = er_json_str(hit, "id");
        er_buf_addf(&b, "\n[%s] %s%s%s\n%s\n", id ? id : "",
            slash ? slash + 1 : "", heading && *heading ? ", " : "",
            heading ? heading : "", text ? text : "");
    }
    er_buf_addf(&b, "\nQuestion: %s\n", question);
    return er_buf_take(&b, NULL);
}

/* ------------------------------------------------------------------ check */

static const json_t *find_hit(const json_t *hits, const char *id)
{
    size_t i;
    json_t *hit;
    json_array_foreach(hits, i, hit)
    {
        const char *have = er_json_str(hit, "id");
        if (have && id && strcmp(have, id) == 0)
            return hit;
    }
    return NULL;
}

/* The line that byte at of the passage stands on, where that is known. */
static json_t *line_of(const json_t *hit, const char *text, size_t at)
{
    const json_t *line = json_object_get(hit, "line");
    const char *kind = er_json_str(hit, "kind");
    json_int_t n = json_integer_value(line);
    if (!json_is_integer(line))
        return json_null();
    if (kind && strcmp(kind, "jsonl") == 0)
        return json_integer(n); /* a record's text is not its bytes */
    size_t from = 0;
    while (text[from] == '\n')
        from++; /* line is that of the first that is not empty */
    for (size_t i = from; i < at; i++)
        n += text[i] == '\n';
    return json_integer(n);
}

static bool judge(json_t *c, const json_t *hit)
{
    const char *quote = er_json_str(c, "quote");
    const char *text = hit ? er_json_str(hit, "text") : NULL;
    size_t start = 0, end = 0;
    bool found = text && quote && er_cite_find(text, strlen(text), quote,
                                      strlen(quote), &start, &end);
    bool ok = json_object_set_new(c, "ok", json_boolean(found)) == 0;
    if (!hit)
        return ok && er_json_put(c, "problem", "no such passage was given");
    if (!found)
        ok = ok && er_json_put(c, "problem",
                       "the passage does not hold these words");
    ok = ok &&
         json_object_set(c, "path", json_object_get(hit, "path")) == 0 &&
         json_object_set(c, "heading", json_object_get(hit, "heading")) ==
             0 &&
         json_object_set_new(c, "line", line_of(hit, text, start)) == 0;
    if (found)
        ok = ok &&
             json_object_set_new(c, "start",
                 json_integer((json_int_t)start)) == 0 &&
             json_object_set_new(
                 c, "end", json_integer((json_int_t)end)) == 0;
    return ok;
}

json_t *er_cite_check(
    const json_t *answer, const json_t *hits, struct errand_error *err)
{
    size_t i;
    json_t *c;
    if (!er_json_str(answer, "answer") ||
        !json_is_array(json_object_get(answer, "citations"))) {
        er_fail(err, ERRAND_USAGE,
            "an answer with sources is {\"answer\", \"citations\"}");
        return NULL;
    }
    json_t *copy = json_deep_copy(answer);
    bool ok = copy != NULL;
    json_array_foreach(json_object_get(copy, "citations"), i, c)
        ok = ok && json_is_object(c) &&
             judge(c, find_hit(hits, er_json_str(c, "id")));
    if (ok)
        return copy;
    json_decref(copy);
    er_nomem(err);
    return NULL;
}
