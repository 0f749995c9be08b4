/* Opening the runtime, driving it, and saying what went wrong. */
#include "cli.h"

#include "base/buf.h"
#include "signals.h"

#include <string.h>

enum { TICK_MS = 25 };

static void on_log(void *user, int level, const char *text)
{
    struct er_cli *cli = user;
    if (level <= ERRAND_LOG_WARN || cli->args.verbose)
        er_term_note(&cli->term, ER_DIM, "%s", text);
}

/* What was said of local models, as JSON; "" if nothing was. */
static void engine_json(const struct er_args *a, struct er_buf *out)
{
    const struct {
        const char *key;
        int64_t value;
    } rows[] = {{"context", a->context > 0 ? a->context : -1},
        {"threads", a->threads > 0 ? a->threads : -1},
        {"prefix_bytes", a->prefix_bytes}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].value >= 0)
            er_buf_addf(out, "%c\"%s\":%lld", out->len ? ',' : '{',
                rows[i].key, (long long)rows[i].value);
    if (a->kv)
        er_buf_addf(out, "%c\"cache\":\"%s\"", out->len ? ',' : '{', a->kv);
    if (out->len)
        er_buf_addc(out, '}');
}

int er_cli_try_open(struct er_cli *cli, struct errand_error *err)
{
    const struct er_args *a = &cli->args;
    if (a->no_config && a->config)
        return er_fail(err, ERRAND_USAGE,
            "--config and --no-config contradict each other; give one");
    struct er_buf engine;
    er_buf_init(&engine, 400);
    engine_json(a, &engine);
    struct errand_options opt = {
        .size = sizeof opt,
        .sync = a->sync && strcmp(a->sync, "normal") == 0
                    ? ERRAND_SYNC_NORMAL
                    : ERRAND_SYNC_FULL,
        .store_path = a->store,
        .config_path = a->no_config ? "" : a->config,
        .tools_dirs = a->tools_dirs.n > 0 ? a->tools_dirs.v : NULL,
        .plugins = a->plugins.n > 0 ? a->plugins.v : NULL,
        .plugins_dirs = a->plugins_dirs.n > 0 ? a->plugins_dirs.v : NULL,
        .replay_path = a->replay,
        .record_path = a->record,
        .log = on_log,
        .log_user = cli,
        .engine = engine.len ? engine.data : NULL,
    };
    int code = errand_open(&opt, &cli->rt, err);
    er_buf_release(&engine);
    return code;
}

int er_cli_open(struct er_cli *cli)
{
    struct errand_error err = {0};
    if (er_cli_try_open(cli, &err) != ERRAND_OK)
        return er_cli_fail(cli, &err);
    return ER_EXIT_DONE;
}

void er_cli_close(struct er_cli *cli)
{
    er_signals_watch(ER_SIGNAL_EXIT, NULL);
    errand_close(cli->rt);
    cli->rt = NULL;
}

int er_cli_fail(struct er_cli *cli, const struct errand_error *err)
{
    int status = errand_code_exit(err->code);
    er_term_error(&cli->term, "%s",
        err->msg[0] ? err->msg : errand_code_text(err->code));
    return status ? status : ER_EXIT_FAILED;
}

int er_cli_usage(struct er_cli *cli, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    er_term_verror(&cli->term, fmt, ap);
    va_end(ap);
    return ER_EXIT_USAGE;
}

/* Milliseconds to drive at once: short where a person or a program waits
 * for each piece. */
static int64_t slice(const struct er_cli *cli, bool ticks)
{
    bool watched = cli->term.out_tty || cli->args.events || ticks;
    return watched ? TICK_MS : -1;
}

int er_cli_drive(struct er_cli *cli, const bool *ended,
    void (*on_tick)(void *ctx), void *ctx)
{
    while (!*ended) {
        struct errand_error err = {0};
        int code = errand_drive(cli->rt, slice(cli, on_tick != NULL), &err);
        er_term_tick(&cli->term);
        if (on_tick)
            on_tick(ctx);
        if (code == ERRAND_OK)
            break; /* no run is active, or somebody stopped the loop */
        if (code != ERRAND_TIMEOUT)
            return er_cli_fail(cli, &err);
    }
    return ER_EXIT_DONE;
}

json_t *er_cli_answer(struct er_cli *cli, char *text)
{
    struct errand_error err = {0};
    json_t *value =
        er_json_parse(text, strlen(text), ER_JSON_LENIENT, &err);
    errand_free(text);
    if (!value)
        er_cli_fail(cli, &err);
    return value;
}

int er_cli_print_json(struct er_cli *cli, char *text)
{
    er_term_outs(&cli->term, text);
    er_term_outs(&cli->term, "\n");
    errand_free(text);
    return ER_EXIT_DONE;
}
