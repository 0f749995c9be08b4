/* Gathering the nodes of a run, and writing them down. */
#include "tree.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 24, LABEL = 100 };

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = er_json_str(o, key);
    return s ? s : "";
}

/* --------------------------------------------------------------- gathering */

static json_t *node(const char *label, const json_t *from)
{
    char line[LABEL * 4];
    size_t n = er_utf8_cut(label, strlen(label), LABEL);
    snprintf(line, sizeof line, "%.*s", (int)n, label);
    for (char *p = line; *p; p++)
        if (*p == '\n' || *p == '\r' || *p == '\t')
            *p = ' ';
    json_t *v = json_object();
    json_t *begun = json_object_get(from, "begun_ms");
    if (!json_is_integer(begun))
        begun = json_object_get(from, "started_ms");
    er_json_put(v, "label", line);
    er_json_put(v, "state", text_of(from, "state"));
    json_object_set(v, "begun_ms", begun);
    json_object_set(v, "ended_ms", json_object_get(from, "ended_ms"));
    json_object_set_new(v, "tokens",
        json_integer(er_json_int(from, "prompt_tokens", 0) +
                     er_json_int(from, "completion_tokens", 0)));
    json_object_set_new(v, "cost_micros",
        json_integer(er_json_int(from, "cost_micros", 0)));
    json_object_set_new(v, "children", json_array());
    return v;
}

static void add(json_t *parent, json_t *child)
{
    json_array_append_new(json_object_get(parent, "children"), child);
}

static void add_run(
    struct er_cli *cli, json_t *parent, const json_t *run, int depth);

/* What the step's own run did. */
static void add_child_run(
    struct er_cli *cli, json_t *parent, const char *id, int depth)
{
    struct errand_error err = {0};
    char *text = NULL;
    size_t i;
    json_t *run;
    if (depth > DEEPEST || errand_log_show(cli->rt, id, &text, &err))
        return;
    json_t *doc = er_json_parse(text, strlen(text), ER_JSON_LENIENT, NULL);
    errand_free(text);
    json_array_foreach(json_object_get(doc, "runs"), i, run)
        add_run(cli, parent, run, depth + 1);
    json_decref(doc);
}

/* "2.7.1" lies in "2": without its item and its number. */
static json_t *parent_of(json_t *by_path, json_t *top, const char *path)
{
    char up[256];
    snprintf(up, sizeof up, "%s", path);
    for (int i = 0; i < 2; i++) {
        char *dot = strrchr(up, '.');
        if (!dot)
            return top;
        *dot = '\0';
    }
    json_t *found = json_object_get(by_path, up);
    return found ? found : top;
}

static void add_steps(
    struct er_cli *cli, json_t *parent, const json_t *steps, int depth)
{
    json_t *by_path = json_object(), *step;
    size_t i;
    json_array_foreach(steps, i, step)
    {
        const char *path = text_of(step, "step");
        const char *run = er_json_str(step, "run");
        struct er_buf label;
        er_buf_init(&label, 4096);
        er_buf_addf(&label, "%s %s %s", path, text_of(step, "kind"),
            text_of(step, "about"));
        json_t *v = node(er_buf_str(&label), step);
        er_buf_release(&label);
        add(parent_of(by_path, parent, path), v);
        json_object_set(by_path, path, v);
        if (run)
            add_child_run(cli, v, run, depth);
    }
    json_decref(by_path);
}

static void add_run(
    struct er_cli *cli, json_t *parent, const json_t *run, int depth)
{
    const json_t *steps = json_object_get(run, "steps");
    bool is_single = !*text_of(run, "model");
    json_t *v;
    size_t i;
    if (json_array_size(steps) > 0) {
        add_steps(cli, parent, steps, depth);
        return;
    }
    json_array_foreach(json_object_get(run, "attempts"), i, v)
    {
        struct er_buf label;
        if (is_single)
            continue;
        er_buf_init(&label, 1024);
        er_buf_addf(&label, "turn of %s", text_of(v, "model"));
        if (*text_of(v, "error"))
            er_buf_addf(&label, ": %s", text_of(v, "error"));
        add(parent, node(er_buf_str(&label), v));
        er_buf_release(&label);
    }
    json_array_foreach(json_object_get(run, "calls"), i, v)
    {
        char *args = er_json_text(json_object_get(v, "arguments"));
        struct er_buf label;
        er_buf_init(&label, 1 << 20);
        er_buf_addf(&label, "call of %s %.300s", text_of(v, "tool"),
            args ? args : "");
        if (!is_single)
            add(parent, node(er_buf_str(&label), v));
        er_buf_release(&label);
        free(args);
    }
}

/* Tokens and cost of a node are those of all below it as well. */
static void add_up(json_t *v)
{
    int64_t tokens = er_json_int(v, "tokens", 0);
    int64_t cost = er_json_int(v, "cost_micros", 0);
    size_t i;
    json_t *child;
    json_array_foreach(json_object_get(v, "children"), i, child)
    {
        add_up(child);
        tokens += er_json_int(child, "tokens", 0);
        cost += er_json_int(child, "cost_micros", 0);
    }
    json_object_set_new(v, "tokens", json_integer(tokens));
    json_object_set_new(v, "cost_micros", json_integer(cost));
}

json_t *er_tree_make(struct er_cli *cli, const json_t *conversation)
{
    json_t *nodes = json_array(), *run;
    size_t i;
    json_array_foreach(json_object_get(conversation, "runs"), i, run)
    {
        struct er_buf label;
        er_buf_init(&label, 1 << 20);
        er_buf_addf(&label, "run %.13s %s %.300s", text_of(run, "id"),
            text_of(run, "model"), text_of(run, "prompt"));
        json_t *v = node(er_buf_str(&label), run);
        er_buf_release(&label);
        json_object_set(v, "begun_ms", json_object_get(run, "created_ms"));
        json_object_set(v, "ended_ms", json_object_get(run, "updated_ms"));
        json_object_set_new(v, "tokens", json_integer(0));
        json_object_set_new(v, "cost_micros", json_integer(0));
        add_run(cli, v, run, 0);
        add_up(v);
        json_array_append_new(nodes, v);
    }
    return nodes;
}

/* -------------------------------------------------------------------- text */

/* "done, 1.2 s, 340 tokens, 0.0012" */
static void facts(struct er_buf *out, const json_t *v)
{
    const char *state = text_of(v, "state");
    int64_t begun = er_json_int(v, "begun_ms", 0);
    int64_t ended = er_json_int(v, "ended_ms", 0);
    int64_t tokens = er_json_int(v, "tokens", 0);
    int64_t cost = er_json_int(v, "cost_micros", 0);
    const char *comma = "";
    if (*state) {
        er_buf_adds(out, state);
        comma = ", ";
    }
    if (begun > 0 && ended >= begun) {
        er_buf_addf(out, "%s%.3f s", comma, (double)(ended - begun) / 1000);
        comma = ", ";
    }
    if (tokens > 0) {
        er_buf_addf(out, "%s%lld tokens", comma, (long long)tokens);
        comma = ", ";
    }
    if (cost > 0)
        er_buf_addf(out, "%s%.6f", comma, (double)cost / 1e6);
}

static void write_nodes(
    const json_t *nodes, const char *indent, int depth, struct er_buf *out)
{
    size_t i, n = json_array_size(nodes);
    json_t *v;
    json_array_foreach(nodes, i, v)
    {
        bool last = i + 1 == n;
        char below[DEEPEST * 8 + 64];
        er_buf_addf(out, "%s%s%s  [", indent,
            depth == 0 ? "" : last ? "└─ " : "├─ ", text_of(v, "label"));
        facts(out, v);
        er_buf_adds(out, "]\n");
        snprintf(below, sizeof below, "%s%s", indent,
            depth == 0 ? "" : last ? "   " : "│  ");
        if (depth < DEEPEST)
            write_nodes(json_object_get(v, "children"), below, depth + 1,
                out);
    }
}

void er_tree_text(const json_t *nodes, struct er_buf *out)
{
    write_nodes(nodes, "", 0, out);
}

/* -------------------------------------------------------------------- HTML */

static void escaped(struct er_buf *out, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '&': er_buf_adds(out, "&amp;"); break;
        case '<': er_buf_adds(out, "&lt;"); break;
        case '>': er_buf_adds(out, "&gt;"); break;
        case '"': er_buf_adds(out, "&quot;"); break;
        case '\'': er_buf_adds(out, "&#39;"); break;
        default: er_buf_addc(out, *s);
        }
}

static void span(const json_t *nodes, int64_t *from, int64_t *to)
{
    size_t i;
    json_t *v;
    json_array_foreach(nodes, i, v)
    {
        int64_t begun = er_json_int(v, "begun_ms", 0);
        int64_t ended = er_json_int(v, "ended_ms", 0);
        if (begun > 0 && (*from == 0 || begun < *from))
            *from = begun;
        if (ended > *to)
            *to = ended;
        span(json_object_get(v, "children"), from, to);
    }
}

static void write_rows(const json_t *nodes, int depth, int64_t from,
    int64_t to, struct er_buf *out)
{
    size_t i;
    json_t *v;
    json_array_foreach(nodes, i, v)
    {
        int64_t begun = er_json_int(v, "begun_ms", from);
        int64_t ended = er_json_int(v, "ended_ms", to);
        double all = to > from ? (double)(to - from) : 1;
        double left = (double)(begun > from ? begun - from : 0) * 100 / all;
        double width =
            (double)(ended > begun ? ended - begun : 0) * 100 / all;
        er_buf_addf(out, "<tr class=\"%s\"><td style=\"padding-left:%dem\">",
            strcmp(text_of(v, "state"), "failed") == 0 ? "bad" : "ok",
            depth + 1);
        escaped(out, text_of(v, "label"));
        er_buf_adds(out, "</td><td>");
        struct er_buf line;
        er_buf_init(&line, 1000);
        facts(&line, v);
        escaped(out, er_buf_str(&line));
        er_buf_release(&line);
        er_buf_addf(out, "</td><td class=\"time\"><i style=\"margin-left:"
            "%.2f%%;width:%.2f%%\"></i></td></tr>\n", left,
            width > 100 - left ? 100 - left : width);
        if (depth < DEEPEST)
            write_rows(json_object_get(v, "children"), depth + 1, from, to,
                out);
    }
}

void er_tree_html(const json_t *nodes, const char *title, struct er_buf *out)
{
    static const char head[] =
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
        "'none'; style-src 'unsafe-inline'\">\n<style>\n"
        "body{font:14px/1.5 sans-serif;margin:2em;color:#222;"
        "background:#fff}\ntable{border-collapse:collapse;width:100%}\n"
        "td{padding:.15em .5em;border-top:1px solid #ddd;"
        "vertical-align:top;overflow-wrap:anywhere}\n"
        "td.time{width:45%}\n"
        "td i{display:block;height:.8em;margin-top:.3em;min-width:2px;"
        "background:#47a}\ntr.bad i{background:#c33}\n"
        "tr.bad td{color:#a00}\n</style>\n<title>";
    int64_t from = 0, to = 0;
    span(nodes, &from, &to);
    er_buf_adds(out, head);
    escaped(out, title);
    er_buf_adds(out, "</title></head><body>\n<h1>");
    escaped(out, title);
    er_buf_adds(out, "</h1>\n<table>\n");
    write_rows(nodes, 0, from, to, out);
    er_buf_adds(out, "</table>\n</body></html>\n");
}
