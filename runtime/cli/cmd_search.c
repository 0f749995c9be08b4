/* errand search: documents that fit a query, with what fits marked. */
#include "base/buf.h"
#include "base/text.h"
#include "cited.h"
#include "cli.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WINDOW = 220,
    QUERY_MAX = 65536,
    PASSAGES = 5 /* that a model answers from */
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = er_json_str(object, key);
    return text ? text : "";
}

const char *er_path_from_here(const char *path)
{
    char here[4096];
    size_t n = getcwd(here, sizeof here) ? strlen(here) : 0;
    if (n > 1 && strncmp(path, here, n) == 0 && path[n] == '/')
        return path + n + 1;
    return path;
}

static size_t end_of(const json_t *match, int which)
{
    return (size_t)json_integer_value(
        json_array_get(match, (size_t)which));
}

/* Where the part to show begins: the one with most matches in it. */
static size_t choose(const json_t *matches, const char *text, size_t len)
{
    size_t n = json_array_size(matches), best = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        size_t from = end_of(json_array_get(matches, i), 0), count = 0;
        for (size_t k = i; k < n; k++)
            count += end_of(json_array_get(matches, k), 1) <= from + WINDOW;
        if (count > most) {
            most = count;
            best = from;
        }
    }
    size_t back = best > 40 ? best - 40 : 0;
    while (back > 0 && back < best && text[back - 1] != ' ' &&
           text[back - 1] != '\n')
        back++;
    return er_utf8_cut(text, len, back);
}

/* The chosen part on one line, matches marked. */
static void add_part(struct er_buf *out, const json_t *hit)
{
    const json_t *matches = json_object_get(hit, "matches");
    const char *text = text_of(hit, "text");
    size_t len = strlen(text), from = choose(matches, text, len);
    size_t to = from + er_utf8_cut(text + from, len - from, WINDOW), m = 0;
    while (from < to && (text[from] == '\n' || text[from] == ' '))
        from++;
    er_buf_adds(out, from > 0 ? "…" : "");
    for (size_t i = from; i < to; i++) {
        const json_t *at = json_array_get(matches, m);
        while (at && end_of(at, 1) <= i)
            at = json_array_get(matches, ++m);
        if (at && end_of(at, 0) == i)
            er_buf_adds(out, "*");
        bool space = text[i] == '\n' || text[i] == '\t' || text[i] == '\r';
        if (!space || (i > from && text[i - 1] != '\n'))
            er_buf_addc(out, space ? ' ' : text[i]);
        if (at && end_of(at, 1) == i + 1)
            er_buf_adds(out, "*");
    }
    if (m < json_array_size(matches) &&
        end_of(json_array_get(matches, m), 0) < to &&
        end_of(json_array_get(matches, m), 1) > to)
        er_buf_adds(out, "*");
    er_buf_adds(out, to < len ? "…" : "");
}

static void show(struct er_cli *cli, const json_t *hit)
{
    struct er_buf line;
    const json_t *at = json_object_get(hit, "line");
    er_buf_init(&line, 65536);
    er_buf_adds(&line, er_path_from_here(text_of(hit, "path")));
    if (json_is_integer(at))
        er_buf_addf(&line, ":%lld", (long long)json_integer_value(at));
    if (*text_of(hit, "heading"))
        er_buf_addf(&line, "  %s", text_of(hit, "heading"));
    er_buf_addf(&line, "  [%s]\n    ", text_of(hit, "id"));
    add_part(&line, hit);
    er_buf_addc(&line, '\n');
    er_term_out(&cli->term, er_buf_str(&line), line.len);
    er_buf_release(&line);
}

static char *options_of(const struct er_args *a)
{
    json_t *o = json_object();
    bool ok = o != NULL;
    if (a->collection)
        ok = ok && er_json_put(o, "collection", a->collection);
    if (a->path)
        ok = ok && er_json_put(o, "path", a->path);
    if (a->kind)
        ok = ok && er_json_put(o, "kind", a->kind);
    if (a->limit || a->answer)
        ok = ok && json_object_set_new(o, "limit", json_integer(
                       a->limit ? a->limit : PASSAGES)) == 0;
    if (a->per_document)
        ok = ok && json_object_set_new(o, "per_document",
                       json_integer(a->per_document)) == 0;
    char *text = ok ? er_json_text(o) : NULL;
    json_decref(o);
    return text;
}

static int search(struct er_cli *cli, const char *query)
{
    struct errand_error err = {0};
    char *text = NULL, *options = options_of(&cli->args);
    size_t i;
    json_t *hit;
    int code = options
        ? errand_search(cli->rt, query, options, &text, &err)
        : er_nomem(&err);
    free(options);
    if (code)
        return er_cli_fail(cli, &err);
    if (cli->args.answer)
        return er_cited_answer(cli, query, text);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *hits = er_cli_answer(cli, text);
    if (!hits)
        return ER_EXIT_FAILED;
    json_array_foreach(hits, i, hit)
        show(cli, hit);
    if (json_array_size(hits) == 0)
        er_term_note(&cli->term, ER_PLAIN, "nothing found; `errand index "
            "--list` shows what is indexed");
    json_decref(hits);
    return ER_EXIT_DONE;
}

int er_cmd_search(struct er_cli *cli)
{
    struct er_buf query;
    int status = er_cli_open(cli);
    if (status)
        return status;
    er_buf_init(&query, QUERY_MAX);
    for (int i = 0; i < cli->n_words; i++)
        er_buf_addf(&query, "%s%s", i ? " " : "", cli->words[i]);
    if (query.failed)
        status = er_cli_usage(cli, "the query is too long");
    else
        status = search(cli, er_buf_str(&query));
    er_buf_release(&query);
    return status;
}
