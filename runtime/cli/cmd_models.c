/* errand models: which model files there are, what one is, how fast. */
#include "cli.h"
#include "signals.h"

#include <stdio.h>

static const char *or_none(const char *text) { return text ? text : "-"; }

/* "1.4 GiB" */
static void show_bytes(char out[24], json_int_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double n = (double)bytes;
    size_t unit = 0;
    while (n >= 1024 && unit < 4) {
        n /= 1024;
        unit++;
    }
    snprintf(out, 24, unit && n < 10 ? "%.1f %s" : "%.0f %s", n,
        units[unit]);
}

int er_cmd_models_list(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *text = NULL, size[24];
    size_t i;
    if (errand_models_list(&text, &err))
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *list = er_cli_answer(cli, text), *m;
    if (!list)
        return ER_EXIT_FAILED;
    json_array_foreach(list, i, m)
    {
        show_bytes(size, er_json_int(m, "bytes", 0));
        er_term_outf(&cli->term, "%-36s %9s  %-9s  %s\n",
            or_none(er_json_str(m, "name")), size,
            or_none(er_json_str(m, "source")),
            or_none(er_json_str(m, "path")));
    }
    if (json_array_size(list) == 0)
        er_term_note(&cli->term, ER_PLAIN, "there are no model files; put "
            "GGUF files into ./models, or name their folder with "
            "ERRAND_MODELS");
    json_decref(list);
    return ER_EXIT_DONE;
}

static void show_number(
    struct er_cli *cli, const json_t *info, const char *key, const char *name)
{
    er_term_outf(&cli->term, "%-16s %lld\n", name,
        (long long)er_json_int(info, key, 0));
}

static void show_size(
    struct er_cli *cli, const json_t *info, const char *key, const char *name)
{
    char size[24];
    show_bytes(size, er_json_int(info, key, 0));
    er_term_outf(&cli->term, "%-16s %s\n", name, size);
}

static void show_info(struct er_cli *cli, const json_t *info)
{
    const char *chat = er_json_str(info, "chat_template");
    er_term_outf(&cli->term, "%-16s %s\n", "name",
        or_none(er_json_str(info, "name")));
    er_term_outf(&cli->term, "%-16s %s\n", "architecture",
        or_none(er_json_str(info, "architecture")));
    er_term_outf(&cli->term, "%-16s %s\n", "licence",
        or_none(er_json_str(info, "license")));
    er_term_outf(&cli->term, "%-16s %s\n", "quantization",
        or_none(er_json_str(info, "quantization")));
    show_number(cli, info, "parameters", "parameters");
    show_number(cli, info, "layers", "layers");
    show_number(cli, info, "embedding", "embedding");
    show_number(cli, info, "feed_forward", "feed-forward");
    show_number(cli, info, "heads", "heads");
    show_number(cli, info, "kv_heads", "kv heads");
    show_number(cli, info, "head_size", "head size");
    show_number(cli, info, "vocabulary", "vocabulary");
    show_number(cli, info, "context_trained", "trained context");
    show_number(cli, info, "context", "context");
    show_size(cli, info, "file_bytes", "file");
    show_size(cli, info, "cache_bytes", "cache");
    show_size(cli, info, "work_bytes", "buffers");
    show_size(cli, info, "memory_bytes", "memory in all");
    er_term_outf(&cli->term, "%-16s %s\n", "chat template",
        chat ? "yes; --json shows it" : "none");
}

int er_cmd_models_info(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *text = NULL;
    if (errand_models_info(cli->words[0], (uint32_t)cli->args.context, &text,
            &err))
        return er_cli_fail(cli, &err);
    if (cli->args.json)
        return er_cli_print_json(cli, text);
    json_t *info = er_cli_answer(cli, text);
    if (!info)
        return ER_EXIT_FAILED;
    show_info(cli, info);
    json_decref(info);
    return ER_EXIT_DONE;
}

/* ------------------------------------------------------------- bench */

static int on_bench(void *user, double done)
{
    struct er_cli *cli = user;
    er_term_progress(&cli->term, "measuring, %.0f %%", done * 100);
    return er_signals_came();
}

static void show_speed(
    struct er_cli *cli, const json_t *answer, const char *key)
{
    const json_t *speed = json_object_get(answer, key), *round;
    double per_second = 0, least = 0, most = 0;
    size_t i;
    per_second = json_number_value(json_object_get(speed, "per_second"));
    json_array_foreach(json_object_get(speed, "rounds"), i, round)
    {
        double n = json_number_value(round);
        least = i == 0 || n < least ? n : least;
        most = n > most ? n : most;
    }
    er_term_outf(&cli->term,
        "%-16s %.1f tokens/s (%lld tokens; %.1f to %.1f in %zu rounds)\n",
        key, per_second, (long long)er_json_int(speed, "tokens", 0), least,
        most, json_array_size(json_object_get(speed, "rounds")));
}

static void show_bench(struct er_cli *cli, const json_t *a)
{
    er_term_outf(&cli->term, "%-16s %s\n", "path",
        or_none(er_json_str(a, "path")));
    er_term_outf(&cli->term, "%-16s %s, %s\n", "model",
        or_none(er_json_str(a, "name")),
        or_none(er_json_str(a, "quantization")));
    er_term_outf(&cli->term, "%-16s %s, %lld threads\n", "kernels",
        or_none(er_json_str(a, "kernels")),
        (long long)er_json_int(a, "threads", 0));
    er_term_outf(&cli->term, "%-16s %.0f ms\n", "load",
        json_number_value(json_object_get(a, "load_ms")));
    show_speed(cli, a, "prompt");
    show_speed(cli, a, "answer");
    show_size(cli, a, "file_bytes", "file");
    show_size(cli, a, "cache_bytes", "cache");
    show_size(cli, a, "work_bytes", "buffers");
    show_size(cli, a, "peak_bytes", "peak memory");
}

int er_cmd_models_bench(struct er_cli *cli)
{
    const struct er_args *args = &cli->args;
    struct errand_error err = {0};
    char *text = NULL;
    struct errand_bench opt = {.size = sizeof opt,
        .threads = (uint32_t)args->threads,
        .prompt = (uint32_t)args->prompt_tokens,
        .answer = (uint32_t)args->answer_tokens,
        .rounds = (uint32_t)args->rounds, .on_progress = on_bench,
        .user = cli};
    er_signals_watch(ER_SIGNAL_NOTE, NULL);
    int rc = errand_models_bench(cli->words[0], &opt, &text, &err);
    er_signals_unwatch();
    er_term_clear(&cli->term);
    if (rc != ERRAND_OK)
        return er_cli_fail(cli, &err);
    if (args->json)
        return er_cli_print_json(cli, text);
    json_t *answer = er_cli_answer(cli, text);
    if (!answer)
        return ER_EXIT_FAILED;
    show_bench(cli, answer);
    json_decref(answer);
    return ER_EXIT_DONE;
}
