/* errand run: one request to its answer. */
#include "base/text.h"
#include "cli.h"
#include "granter.h"
#include "input.h"
#include "print.h"
#include "request.h"

#include <string.h>

static const size_t MAX_PROMPT = (size_t)64 << 20;

/* The words, joined; *dash is set if one of them was "-". */
static void join_words(
    const struct er_cli *cli, struct er_buf *out, bool *dash)
{
    for (int i = 0; i < cli->n_words; i++) {
        if (strcmp(cli->words[i], "-") == 0) {
            *dash = true;
            continue;
        }
        if (out->len > 0)
            er_buf_addc(out, ' ');
        er_buf_adds(out, cli->words[i]);
    }
}

static int add_files(struct er_cli *cli, struct er_buf *out, bool *stdin_used,
    struct errand_error *err)
{
    const struct er_list *files = &cli->args.files;
    for (size_t i = 0; i < files->n; i++) {
        const char *name = files->v[i];
        bool dash = strcmp(name, "-") == 0;
        er_buf_addf(out, "%s<file name=\"%s\">\n", out->len ? "\n\n" : "",
            dash ? "standard input" : name);
        int code = dash ? er_input_stdin(cli, out, err)
                        : er_input_file(name, out, err);
        if (code)
            return code;
        *stdin_used = *stdin_used || dash;
        if (out->len > 0 && out->data[out->len - 1] != '\n')
            er_buf_addc(out, '\n');
        er_buf_adds(out, "</file>");
    }
    return ERRAND_OK;
}

static int add_stdin(
    struct er_cli *cli, struct er_buf *out, struct errand_error *err)
{
    struct er_buf text;
    er_buf_init(&text, ER_INPUT_MAX + 1);
    int code = er_input_stdin(cli, &text, err);
    while (text.len > 0 && text.data[text.len - 1] == '\n')
        text.data[--text.len] = '\0';
    if (!code && text.len > 0) {
        if (out->len > 0)
            er_buf_adds(out, "\n\n");
        er_buf_add(out, text.data, text.len);
    }
    er_buf_release(&text);
    return code;
}

/* The whole prompt: words, files, standard input. */
static int build_prompt(
    struct er_cli *cli, struct er_buf *out, struct errand_error *err)
{
    bool dash = false, stdin_used = false;
    join_words(cli, out, &dash);
    int code = add_files(cli, out, &stdin_used, err);
    if (code)
        return code;
    if (!stdin_used && (dash || er_input_is_piped())) {
        code = add_stdin(cli, out, err);
        if (code)
            return code;
    }
    if (out->failed)
        return er_fail(err, ERRAND_TOO_LARGE,
            "the prompt is larger than 64 MiB; give parts of it");
    if (er_utf8_valid_prefix(er_buf_str(out), out->len) != out->len)
        return er_fail(err, ERRAND_USAGE,
            "the prompt is no UTF-8 text; set a UTF-8 locale and try again");
    if (!cli->args.agent && er_input_is_blank(er_buf_str(out), out->len))
        return er_fail(err, ERRAND_USAGE,
            "there is nothing to ask: give a prompt, as in errand run \"What "
            "time is it?\", or text on standard input");
    return ERRAND_OK;
}

static int check_options(const struct er_args *a, struct errand_error *err)
{
    if (a->json && a->events)
        return er_fail(err, ERRAND_USAGE,
            "--json and --events both want standard output; give one");
    if (a->last && a->conversation)
        return er_fail(err, ERRAND_USAGE,
            "--last and --conversation contradict each other; give one");
    return ERRAND_OK;
}

/* Start the request and see it through. */
static int ask(struct er_cli *cli, struct errand_request *req)
{
    struct errand_error err = {0};
    struct er_printer printer;
    char last[ER_ID_SIZE];
    er_printer_init(&printer, cli);
    req->on_event = er_printer_event;
    req->user = &printer;
    int code = ERRAND_OK, status;
    if (cli->args.last) {
        code = er_request_last(cli, last, &err);
        req->conversation = last;
    }
    if (!code)
        code = errand_start(cli->rt, req, NULL, &err);
    status = code ? er_printer_refused(&printer, &err)
                  : er_printer_drive(&printer);
    er_printer_release(&printer);
    return status;
}

int er_cmd_run(struct er_cli *cli)
{
    struct errand_error err = {0};
    struct errand_request req;
    struct er_arena arena;
    struct er_buf prompt;
    er_arena_init(&arena);
    er_buf_init(&prompt, MAX_PROMPT);
    int code = check_options(&cli->args, &err), status;
    if (!code)
        code = er_request_build(cli, &arena, &req, &err);
    if (!code)
        code = build_prompt(cli, &prompt, &err);
    if (code) {
        status = er_cli_fail(cli, &err);
    } else {
        req.prompt = er_buf_str(&prompt);
        req.prompt_len = prompt.len;
        status = er_cli_open(cli);
        if (!status)
            status = er_granter_run(cli, req.tools, true);
        if (!status)
            status = ask(cli, &req);
    }
    er_buf_release(&prompt);
    er_arena_release(&arena);
    return status;
}
