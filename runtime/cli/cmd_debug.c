/* errand debug: one case from the arguments, or a line of JSON per case.
 *
 * With --jsonl a bad case is answered with {"error"} on its own line and
 * the rest goes on; answers are let out before waiting for further input,
 * so that a program may ask one by one.
 */
#include "cli.h"
#include "input.h"

#include <string.h>
#include <unistd.h>

typedef int (*case_fn)(const struct er_cli *cli, const char *input,
    char **answer, struct errand_error *err);

static int parse_case(const struct er_cli *cli, const char *input,
    char **answer, struct errand_error *err)
{
    return errand_debug_parse(cli->args.format, input, answer, err);
}

static int schema_case(const struct er_cli *cli, const char *input,
    char **answer, struct errand_error *err)
{
    return errand_debug_schema(input, cli->args.draft,
        cli->args.formats ? 1u : 0u, answer, err);
}

static int grammar_case(const struct er_cli *cli, const char *input,
    char **answer, struct errand_error *err)
{
    (void)cli;
    return errand_debug_grammar(input, answer, err);
}

static int render_case(const struct er_cli *cli, const char *input,
    char **answer, struct errand_error *err)
{
    return errand_debug_render(cli->model, input, answer, err);
}

static int tokenize_case(const struct er_cli *cli, const char *input,
    char **answer, struct errand_error *err)
{
    return errand_debug_tokenize(
        cli->model, input, cli->args.special ? 1u : 0u, answer, err);
}

static int logits_case(const struct er_cli *cli, const char *input,
    char **answer, struct errand_error *err)
{
    return errand_debug_logits(cli->model, input, answer, err);
}

static void print_error(struct er_cli *cli, const struct errand_error *err)
{
    struct er_buf line;
    er_buf_init(&line, 4096);
    er_buf_addf(&line, "{\"error\":{\"code\":\"%s\",\"message\":",
        errand_code_name(err->code));
    er_json_add_string(&line, err->msg, strlen(err->msg));
    er_buf_adds(&line, "}}\n");
    er_term_out(&cli->term, er_buf_str(&line), line.len);
    er_buf_release(&line);
}

static void answer_line(
    struct er_cli *cli, case_fn fn, const char *line, size_t len)
{
    struct errand_error err = {0};
    char *answer = NULL;
    int code = ERRAND_OK;
    if (memchr(line, '\0', len))
        code = er_fail(&err, ERRAND_SYNTAX,
            "not valid JSON: the line holds a NUL byte");
    if (!code)
        code = fn(cli, line, &answer, &err);
    if (code)
        print_error(cli, &err);
    else
        er_cli_print_json(cli, answer);
}

static int answer_lines(struct er_cli *cli, case_fn fn)
{
    struct er_lines lines;
    int got = 1;
    er_lines_init(&lines, STDIN_FILENO);
    while (got != 0 && !cli->term.failed) {
        struct errand_error err = {0};
        const char *line = NULL;
        size_t len = 0;
        if (!er_lines_ready(&lines))
            er_term_flush(&cli->term);
        got = er_lines_next(&lines, &line, &len, &err);
        if (got < 0)
            print_error(cli, &err);
        else if (got > 0 && !er_input_is_blank(line, len))
            answer_line(cli, fn, line, len);
    }
    er_lines_release(&lines);
    return ER_EXIT_DONE;
}

static int answer_one(struct er_cli *cli, case_fn fn)
{
    struct errand_error err = {0};
    struct er_buf input;
    char *answer = NULL;
    int code = ERRAND_OK;
    er_buf_init(&input, ER_INPUT_MAX + 1);
    if (cli->n_words > 0 && strcmp(cli->words[0], "-") != 0)
        er_buf_adds(&input, cli->words[0]);
    else
        code = er_input_stdin(cli, &input, &err);
    if (!code)
        code = fn(cli, er_buf_str(&input), &answer, &err);
    er_buf_release(&input);
    return code ? er_cli_fail(cli, &err) : er_cli_print_json(cli, answer);
}

static int answer(struct er_cli *cli, case_fn fn)
{
    if (!cli->args.jsonl)
        return answer_one(cli, fn);
    if (cli->n_words > 0)
        return er_cli_usage(cli, "%s --jsonl reads its cases from standard "
            "input; leave \"%.60s\" out", cli->command->name, cli->words[0]);
    return answer_lines(cli, fn);
}

int er_cmd_debug_parse(struct er_cli *cli)
{
    if (!cli->args.format)
        return er_cli_usage(cli, "debug parse needs --format NAME, as in "
            "errand debug parse --format llama3 '{\"text\": \"...\"}'; "
            "errand help debug parse lists the names");
    return answer(cli, parse_case);
}

int er_cmd_debug_schema(struct er_cli *cli)
{
    return answer(cli, schema_case);
}

/* Open the file that -m names, answer the cases, close it. */
static int answer_with_model(struct er_cli *cli, case_fn fn, unsigned flags)
{
    struct errand_error err = {0};
    if (!cli->args.model)
        return er_cli_usage(cli, "%s needs -m FILE, a model file or the name "
            "of one; errand models list shows names", cli->command->name);
    if (errand_debug_model_open(cli->args.model, cli->args.loras.v, flags,
            &cli->model, &err))
        return er_cli_fail(cli, &err);
    int status = answer(cli, fn);
    errand_debug_model_close(cli->model);
    cli->model = NULL;
    return status;
}

int er_cmd_debug_tokenize(struct er_cli *cli)
{
    return answer_with_model(cli, tokenize_case, 1);
}

int er_cmd_debug_logits(struct er_cli *cli)
{
    return answer_with_model(cli, logits_case, cli->args.exact ? 2 : 0);
}

int er_cmd_debug_render(struct er_cli *cli)
{
    return answer_with_model(cli, render_case, 4);
}

int er_cmd_debug_grammar(struct er_cli *cli)
{
    return answer(cli, grammar_case);
}
