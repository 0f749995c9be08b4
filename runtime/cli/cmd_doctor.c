/* errand doctor: what is here, what is wrong, what to do about it. */
#include "cli.h"

#include <string.h>

static void show_check(struct er_cli *cli, const json_t *check)
{
    struct er_term *t = &cli->term;
    const char *name = er_json_str(check, "name");
    const char *hint = er_json_str(check, "hint");
    const json_t *value = json_object_get(check, "value");
    bool ok = json_is_true(json_object_get(check, "ok"));
    char *text = NULL;
    if (value && !json_is_string(value))
        text = er_json_text(value);
    er_term_outf(t, "%-5s %-24s %s\n", ok ? "ok" : "WRONG",
        name ? name : "?",
        text ? text : value ? json_string_value(value) : "");
    if (hint && *hint)
        er_term_outf(t, "      %s\n", hint);
    errand_free(text);
}

/* The report where not even the runtime opens: that is its one finding. */
static int report_closed(struct er_cli *cli, const struct errand_error *err)
{
    if (!cli->args.json) {
        er_term_outf(&cli->term, "ok    %-24s %s\n", "errand",
            errand_version());
        er_term_outf(&cli->term, "WRONG %-24s %s\n", "runtime",
            "cannot be opened");
        return er_cli_fail(cli, err);
    }
    json_t *report = json_pack("{s:b, s:[{s:s, s:b, s:s, s:s}]}", "ok", 0,
        "checks", "name", "runtime", "ok", 0, "value",
        errand_code_text(err->code), "hint", err->msg);
    char *text = report ? er_json_text(report) : NULL;
    json_decref(report);
    if (text)
        er_cli_print_json(cli, text);
    return errand_code_exit(err->code);
}

int er_cmd_doctor(struct er_cli *cli)
{
    struct errand_error err = {0};
    char *text = NULL;
    if (er_cli_try_open(cli, &err))
        return report_closed(cli, &err);
    if (errand_doctor(cli->rt, &text, &err))
        return er_cli_fail(cli, &err);
    struct errand_error bad = {0};
    json_t *report = er_json_parse(text, strlen(text), ER_JSON_LENIENT, &bad);
    bool ok = json_is_true(json_object_get(report, "ok"));
    if (cli->args.json) {
        er_cli_print_json(cli, text);
    } else {
        size_t i;
        json_t *check;
        errand_free(text);
        json_array_foreach(json_object_get(report, "checks"), i, check)
            show_check(cli, check);
        if (ok)
            er_term_note(&cli->term, ER_DIM, "all is well");
    }
    json_decref(report);
    return ok ? ER_EXIT_DONE : ER_EXIT_FAILED;
}
