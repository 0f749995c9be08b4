/* errand models pull: the catalogue, the bar, what came. */
#include "cli.h"
#include "signals.h"

#include "base/clock.h"

#include <stdio.h>

struct pulling {
    struct er_cli *cli;
    int64_t since_ms, at_first; /* of the file that comes */
    const char *file;
};

static void draw(struct pulling *p, const struct errand_progress *at)
{
    enum { BAR = 20 };
    char bar[BAR + 1] = "";
    double mib = 1024.0 * 1024.0, done = (double)at->done;
    double total = (double)(at->total > at->done ? at->total : at->done);
    double seconds = (double)(er_mono_ms() - p->since_ms) / 1000.0;
    double rate = seconds > 0.5
                      ? (done - (double)p->at_first) / mib / seconds : 0;
    int full = total > 0 ? (int)(done * BAR / total) : 0;
    for (int i = 0; i < BAR; i++)
        bar[i] = i < full ? '#' : '.';
    if (at->total >= 0)
        er_term_progress(&p->cli->term, "[%s] %.0f/%.0f MiB, %.1f MiB/s, %s%s",
            bar, done / mib, (double)at->total / mib, rate,
            at->phase == ERRAND_PULL_CHECK ? "checking " : "", at->file);
    else
        er_term_progress(&p->cli->term, "%.0f MiB, %.1f MiB/s, %s",
            done / mib, rate, at->file);
}

static int on_progress(void *user, const struct errand_progress *at)
{
    struct pulling *p = user;
    if (p->file != at->file || at->phase == ERRAND_PULL_CHECK) {
        p->file = at->file;
        p->since_ms = er_mono_ms();
        p->at_first = at->done;
    }
    draw(p, at);
    return er_signals_came();
}

static int show_known(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *text = NULL;
    size_t i;
    if (errand_models_known(&text, &err))
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *list = er_cli_answer(cli, text), *m;
    json_array_foreach(list, i, m)
        er_term_outf(&cli->term, "%-26s %-8s %-14s %s\n",
            er_json_str(m, "name"), er_json_str(m, "file"),
            er_json_str(m, "license"), er_json_str(m, "repo"));
    json_decref(list);
    return ER_EXIT_DONE;
}

static void show(struct er_cli *cli, const json_t *answer)
{
    const char *license = er_json_str(answer, "license");
    const json_t *f;
    size_t i;
    json_array_foreach(json_object_get(answer, "files"), i, f)
    {
        bool already = json_is_true(json_object_get(f, "already"));
        bool verified = json_is_true(json_object_get(f, "verified"));
        er_term_note(&cli->term, ER_PLAIN, "%s%lld bytes, SHA-256 %s (%s)",
            already ? "was there: " : "",
            (long long)er_json_int(f, "bytes", 0), er_json_str(f, "sha256"),
            verified ? "as it should be" : "nobody says what it should be");
        er_term_outf(&cli->term, "%s\n", er_json_str(f, "path"));
    }
    er_term_note(&cli->term, ER_PLAIN, "licence: %s",
        license ? license : "unknown; look at the model's page");
}

static int pull(struct er_cli *cli)
{
    struct errand_error err = {0};
    struct pulling p = {.cli = cli};
    char *text = NULL;
    struct errand_pull opt = {.size = sizeof opt, .dir = cli->args.dir,
        .sha256 = cli->args.sha256, .on_progress = on_progress, .user = &p};
    er_signals_watch(ER_SIGNAL_NOTE, NULL);
    int rc = errand_models_pull(cli->rt, cli->words[0], &opt, &text, &err);
    er_signals_unwatch();
    er_term_clear(&cli->term);
    if (rc != ERRAND_OK)
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *answer = er_cli_answer(cli, text);
    if (!answer)
        return ER_EXIT_FAILED;
    show(cli, answer);
    json_decref(answer);
    return ER_EXIT_DONE;
}

int er_cmd_models_pull(struct er_cli *cli)
{
    if (cli->n_words == 0)
        return show_known(cli);
    int status = er_cli_open(cli);
    if (status == ER_EXIT_DONE)
        status = pull(cli);
    er_cli_close(cli);
    return status;
}
