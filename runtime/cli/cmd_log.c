/* errand log: the store, for people and for jq. */
#include "base/clock.h"
#include "base/text.h"
#include "cli.h"
#include "input.h"
#include "transcript.h"
#include "tree.h"
#include "write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t MAX_TEXT = (size_t)1 << 30;
enum { ID_SHOWN = 18, LIST_LIMIT = 20 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = er_json_str(object, key);
    return text ? text : "";
}

/* ------------------------------------------------------------------ list */

/* One line of at most width columns. */
static void show_run(struct er_cli *cli, const json_t *run, int64_t now)
{
    const char *prompt = text_of(run, "prompt");
    const char *reason = text_of(run, "reason");
    char ago[24], state[40];
    int used = 0;
    er_ago(er_json_int(run, "updated_ms", 0), now, ago);
    snprintf(state, sizeof state, "%.10s%s%.20s", text_of(run, "state"),
        *reason ? ":" : "", reason);
    char line[200];
    used = snprintf(line, sizeof line, "%.*s  %-18s %-11s ", ID_SHOWN,
        text_of(run, "id"), state, ago);
    size_t len = strcspn(prompt, "\r\n"), room = len;
    if (cli->term.out_tty && used > 0 && cli->term.width > used)
        room = (size_t)(cli->term.width - used - 1);
    er_term_outf(&cli->term, "%s%.*s\n", line,
        (int)er_utf8_cut(prompt, len, room < len ? room : len), prompt);
}

static int list_options(
    const struct er_args *a, char **options, struct errand_error *err)
{
    json_t *o = json_pack("{s:I}", "limit",
        (json_int_t)(a->limit ? a->limit : LIST_LIMIT));
    if (o && a->state)
        json_object_set_new(o, "state", json_string(a->state));
    if (o && a->conversation)
        json_object_set_new(o, "conversation", json_string(a->conversation));
    *options = o ? er_json_text(o) : NULL;
    json_decref(o);
    return *options ? ERRAND_OK : er_nomem(err);
}

int er_cmd_log_list(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *options = NULL, *text = NULL;
    int status = er_cli_open(cli);
    if (status)
        return status;
    int code = list_options(&cli->args, &options, &err);
    if (!code)
        code = errand_log_list(cli->rt, options, &text, &err);
    free(options);
    if (code)
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *runs = er_cli_answer(cli, text), *run;
    size_t i;
    if (!runs)
        return ER_EXIT_FAILED;
    json_array_foreach(runs, i, run)
        show_run(cli, run, er_now_ms());
    if (json_array_size(runs) == 0)
        er_term_note(&cli->term, ER_PLAIN, "no runs%s; errand run makes one",
            cli->args.state ? " in this state" : " yet");
    json_decref(runs);
    return ER_EXIT_DONE;
}

/* ---------------------------------------------------------- show, export */

typedef void (*write_fn)(const json_t *conversation, struct er_buf *out);

/* Get a conversation and write it with fn (NULL: as it is, JSON) to path
 * (NULL: standard output). */
static int show(struct er_cli *cli, write_fn fn, const char *path)
{
    struct errand_error err = {0};
    struct er_buf out;
    char *text = NULL;
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (errand_log_show(cli->rt, cli->words[0], &text, &err))
        return er_cli_fail(cli, &err);
    er_buf_init(&out, MAX_TEXT);
    json_t *doc = fn ? er_cli_answer(cli, text) : NULL;
    if (fn && !doc)
        return ER_EXIT_FAILED;
    if (fn) {
        fn(doc, &out);
    } else {
        er_buf_addf(&out, "%s\n", text);
        errand_free(text);
    }
    if (!path)
        er_term_out(&cli->term, er_buf_str(&out), out.len);
    else if (er_write_file(path, er_buf_str(&out), out.len, &err))
        status = er_cli_fail(cli, &err);
    json_decref(doc);
    er_buf_release(&out);
    return status;
}

/* The conversation as a tree: text, or a page to path. */
static int draw(struct er_cli *cli, bool html, const char *path)
{
    struct errand_error err = {0};
    struct er_buf out;
    char *text = NULL;
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (errand_log_show(cli->rt, cli->words[0], &text, &err))
        return er_cli_fail(cli, &err);
    json_t *doc = er_cli_answer(cli, text);
    json_t *nodes = doc ? er_tree_make(cli, doc) : NULL;
    if (!nodes) {
        json_decref(doc);
        return ER_EXIT_FAILED;
    }
    er_buf_init(&out, MAX_TEXT);
    if (html)
        er_tree_html(nodes, text_of(doc, "title"), &out);
    else
        er_tree_text(nodes, &out);
    if (!path)
        er_term_out(&cli->term, er_buf_str(&out), out.len);
    else if (er_write_file(path, er_buf_str(&out), out.len, &err))
        status = er_cli_fail(cli, &err);
    json_decref(nodes);
    json_decref(doc);
    er_buf_release(&out);
    return status;
}

int er_cmd_log_show(struct er_cli *cli)
{
    if (cli->args.tree)
        return draw(cli, false, NULL);
    return show(cli, cli->args.json ? NULL : er_transcript_text, NULL);
}

int er_cmd_log_export(struct er_cli *cli)
{
    bool json = cli->args.format && strcmp(cli->args.format, "json") == 0;
    if (cli->args.html || (cli->args.format &&
                              strcmp(cli->args.format, "html") == 0))
        return draw(cli, true, cli->args.output);
    return show(cli, json ? NULL : er_transcript_markdown, cli->args.output);
}

/* ---------------------------------------------------------------- search */

/* Matches stand between U+0002 and U+0003: bold on a terminal. */
static void show_hit(struct er_cli *cli, const json_t *hit)
{
    const char *snippet = text_of(hit, "snippet");
    struct er_buf line;
    er_buf_init(&line, MAX_TEXT);
    er_buf_addf(&line, "%s  %lld  %s  ", text_of(hit, "conversation"),
        (long long)er_json_int(hit, "seq", 0), text_of(hit, "role"));
    for (const char *p = snippet; *p; p++) {
        if (*p == 2 || *p == 3)
            er_buf_addc(&line, '*');
        else
            er_buf_addc(&line, *p == '\n' || *p == '\r' ? ' ' : *p);
    }
    er_buf_addc(&line, '\n');
    er_term_out(&cli->term, er_buf_str(&line), line.len);
    er_buf_release(&line);
}

static void join(const struct er_cli *cli, struct er_buf *out)
{
    for (int i = 0; i < cli->n_words; i++)
        er_buf_addf(out, "%s%s", i ? " " : "", cli->words[i]);
}

static int search(struct er_cli *cli, const char *query)
{
    struct errand_error err = {0};
    char options[64], *text = NULL;
    snprintf(options, sizeof options, "{\"limit\":%lld}",
        (long long)(cli->args.limit ? cli->args.limit : LIST_LIMIT));
    if (errand_log_search(cli->rt, query, options, &text, &err))
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *hits = er_cli_answer(cli, text), *hit;
    size_t i;
    if (!hits)
        return ER_EXIT_FAILED;
    json_array_foreach(hits, i, hit)
        show_hit(cli, hit);
    if (json_array_size(hits) == 0)
        er_term_note(&cli->term, ER_PLAIN, "nothing holds %s", query);
    json_decref(hits);
    return ER_EXIT_DONE;
}

int er_cmd_log_search(struct er_cli *cli)
{
    struct er_buf query;
    int status = er_cli_open(cli);
    if (status)
        return status;
    er_buf_init(&query, MAX_TEXT);
    join(cli, &query);
    status = search(cli, er_buf_str(&query));
    er_buf_release(&query);
    return status;
}

/* ----------------------------------------------------------- fork, resolve */

int er_cmd_log_fork(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *text = NULL;
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (errand_log_fork(
            cli->rt, cli->words[0], cli->args.at, &text, &err))
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *answer = er_cli_answer(cli, text);
    if (!answer)
        return ER_EXIT_FAILED;
    const char *id = text_of(answer, "conversation");
    er_term_outf(&cli->term, "%s\n", id);
    er_term_note(&cli->term, ER_DIM, "go on there: errand run -c %s \"...\"",
        id);
    json_decref(answer);
    return ER_EXIT_DONE;
}

int er_cmd_log_resolve(struct er_cli *cli)
{
    struct errand_error err = {0};
    const struct er_args *a = &cli->args;
    const char *text = cli->n_words > 1 ? cli->words[1] : NULL;
    const char *outcome = a->done ? "done" : a->not_done ? "not-done"
        : a->accept ? "approve" : "refuse";
    if (a->done + a->not_done + a->accept + a->refuse != 1)
        return er_cli_usage(cli, "say what became of the call: errand log "
            "resolve %.40s --done [RESULT] if it took effect, --not-done if "
            "it did not; --approve or --refuse [WHY] if it waits for "
            "approval", cli->words[0]);
    if (text && (a->not_done || a->accept))
        return er_cli_usage(cli, "with --%s there is nothing more to say; "
            "leave \"%.60s\" out", outcome, text);
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (errand_log_resolve(cli->rt, cli->words[0], outcome, text, &err))
        return er_cli_fail(cli, &err);
    er_term_note(&cli->term, ER_DIM, "settled: %s; errand resume goes on "
        "with its run", outcome);
    return ER_EXIT_DONE;
}

/* -------------------------------------------------------------------- rm */

/* Ask on the terminal; true for yes. */
static bool confirm(struct er_cli *cli)
{
    char answer[16] = "";
    er_term_aside(&cli->term, ER_BOLD, "Remove ", 7);
    er_term_aside(&cli->term, ER_PLAIN, cli->words[0],
        strlen(cli->words[0]));
    er_term_aside(&cli->term, ER_BOLD, " and all it owns? [y/N] ", 24);
    if (!fgets(answer, sizeof answer, stdin))
        return false;
    return answer[0] == 'y' || answer[0] == 'Y';
}

int er_cmd_log_rm(struct er_cli *cli)
{
    struct errand_error err = {0};
    if (!cli->args.yes && !cli->term.err_tty)
        return er_cli_usage(cli, "log rm asks before it removes, and here is "
            "nobody to ask; errand log rm %.60s --yes removes", cli->words[0]);
    if (!cli->args.yes && er_input_is_piped())
        return er_cli_usage(cli, "log rm asks before it removes, and standard "
            "input is no terminal; errand log rm %.60s --yes removes",
            cli->words[0]);
    int status = er_cli_open(cli);
    if (status)
        return status;
    if (!cli->args.yes && !confirm(cli)) {
        er_term_note(&cli->term, ER_PLAIN, "nothing was removed");
        return ER_EXIT_FAILED;
    }
    if (errand_log_remove(cli->rt, cli->words[0], &err))
        return er_cli_fail(cli, &err);
    er_term_note(&cli->term, ER_DIM, "removed");
    return ER_EXIT_DONE;
}
