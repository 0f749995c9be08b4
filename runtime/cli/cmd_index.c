/* errand index: files become documents that can be searched. */
#include "base/buf.h"
#include "cli.h"
#include "signals.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = er_json_str(object, key);
    return text ? text : "";
}

static long long number(const json_t *object, const char *key)
{
    return (long long)er_json_int(object, key, 0);
}

/* --------------------------------------------------------------- indexing */

static void draw(struct er_term *t, const json_t *p)
{
    enum { WIDTH = 24 };
    char bar[WIDTH + 1];
    long long done = number(p, "files"), total = number(p, "total");
    long long full = total > 0 ? done * WIDTH / total : 0;
    for (long long i = 0; i < WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    bar[WIDTH] = '\0';
    er_term_progress(t, "[%s] %lld of %lld files, %lld chunks, %.1f MB", bar,
        done, total, number(p, "chunks"), (double)number(p, "bytes") / 1e6);
}

static int on_progress(void *user, const char *text)
{
    struct er_cli *cli = user;
    json_t *p = er_json_parse(text, strlen(text), ER_JSON_LENIENT, NULL);
    if (p && json_object_get(p, "problem"))
        er_term_note(&cli->term, ER_PLAIN, "%s: %s; left out",
            text_of(p, "path"), text_of(p, "problem"));
    else if (p)
        draw(&cli->term, p);
    json_decref(p);
    return er_signals_came();
}

static int index_paths(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *text = NULL;
    json_t *o = json_object();
    bool ok = o != NULL;
    if (cli->args.collection)
        ok = ok && er_json_put(o, "collection", cli->args.collection);
    if (cli->args.jobs)
        ok = ok && json_object_set_new(
                       o, "jobs", json_integer(cli->args.jobs)) == 0;
    if (cli->args.again)
        ok = ok && json_object_set_new(o, "again", json_true()) == 0;
    if (cli->args.hidden)
        ok = ok && json_object_set_new(o, "hidden", json_true()) == 0;
    char *options = ok ? er_json_text(o) : NULL;
    json_decref(o);
    er_signals_watch(ER_SIGNAL_NOTE, NULL);
    int code = options ? errand_index(cli->rt,
                             (const char *const *)cli->words,
                             (size_t)cli->n_words, options, on_progress, cli,
                             &text, &err)
                       : er_nomem(&err);
    er_signals_unwatch();
    free(options);
    er_term_clear(&cli->term);
    if (code)
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *p = er_cli_answer(cli, text);
    if (!p)
        return ER_EXIT_FAILED;
    er_term_outf(&cli->term, "%lld added, %lld changed, %lld unchanged, %lld "
        "removed, %lld skipped; %lld chunks written\n", number(p, "added"),
        number(p, "changed"), number(p, "unchanged"), number(p, "removed"),
        number(p, "skipped"), number(p, "chunks"));
    if (number(p, "added") + number(p, "changed") + number(p, "unchanged") ==
        0)
        er_term_note(&cli->term, ER_PLAIN,
            "there is nothing to index: no file with text in it");
    json_decref(p);
    return ER_EXIT_DONE;
}

/* ------------------------------------------------------------ list, remove */

static char *where(struct er_cli *cli, struct errand_error *err)
{
    json_t *o = json_object();
    bool ok = o != NULL;
    if (cli->args.collection)
        ok = ok && er_json_put(o, "collection", cli->args.collection);
    if (cli->n_words > 0)
        ok = ok && er_json_put(o, "path", cli->words[0]);
    if (cli->args.limit)
        ok = ok && json_object_set_new(
                       o, "limit", json_integer(cli->args.limit)) == 0;
    char *text = ok ? er_json_text(o) : NULL;
    json_decref(o);
    if (!text)
        er_nomem(err);
    return text;
}

static void show_list(struct er_cli *cli, const json_t *all)
{
    struct er_term *t = &cli->term;
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(all, "documents"), i, v)
        er_term_outf(t, "%6lld  %-8s %5lld  %s\n", number(v, "id"),
            text_of(v, "kind"), number(v, "chunks"), text_of(v, "path"));
    json_array_foreach(json_object_get(all, "collections"), i, v)
        er_term_note(t, ER_PLAIN, "%s: %lld documents, %lld chunks, %.1f MB",
            text_of(v, "name"), number(v, "documents"), number(v, "chunks"),
            (double)number(v, "bytes") / 1e6);
    if (json_array_size(json_object_get(all, "collections")) == 0)
        er_term_note(t, ER_PLAIN,
            "nothing is indexed yet; `errand index PATH` does it");
}

static int list(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *text = NULL, *options = where(cli, &err);
    int code = options
        ? errand_documents(cli->rt, options, &text, &err) : err.code;
    free(options);
    if (code)
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *all = er_cli_answer(cli, text);
    if (!all)
        return ER_EXIT_FAILED;
    show_list(cli, all);
    json_decref(all);
    return ER_EXIT_DONE;
}

static int take_out(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *text = NULL, *options = where(cli, &err);
    int code = options
        ? errand_documents_remove(cli->rt, options, &text, &err) : err.code;
    free(options);
    if (code)
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *o = er_cli_answer(cli, text);
    if (!o)
        return ER_EXIT_FAILED;
    er_term_outf(&cli->term, "%lld removed\n", number(o, "removed"));
    json_decref(o);
    return ER_EXIT_DONE;
}

int er_cmd_index(struct er_cli *cli)
{
    const struct er_args *a = &cli->args;
    if (a->list && a->remove)
        return er_cli_usage(cli, "--list and --remove exclude each other");
    if ((a->list || a->remove) && cli->n_words > 1)
        return er_cli_usage(cli, "one PATH at most with --list and --remove");
    if (a->remove && cli->n_words == 0 && !a->collection)
        return er_cli_usage(
            cli, "say what to remove: a PATH, or --collection NAME");
    if (!a->list && !a->remove && cli->n_words == 0)
        return er_cli_usage(cli, "give a PATH to index, or --list");
    int status = er_cli_open(cli);
    if (status)
        return status;
    return a->list ? list(cli) : a->remove ? take_out(cli) : index_paths(cli);
}
