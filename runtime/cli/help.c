/* What --help prints, within 80 columns. */
#include "help.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, INDENT = 28 };

/* Print text from column at on, wrapped; further lines begin at indent. */
static void wrap(struct er_term *t, size_t at, size_t indent, const char *text)
{
    while (*text) {
        size_t word = strcspn(text, " ");
        if (at + word > WIDTH - 1 && at > indent) {
            er_term_outf(t, "\n%*s", (int)indent, "");
            at = indent;
        }
        er_term_out(t, text, word);
        at += word;
        text += word;
        if (*text == ' ') {
            text++;
            if (*text && at + 1 + strcspn(text, " ") <= WIDTH - 1) {
                er_term_outs(t, " ");
                at++;
            } else {
                at = WIDTH;
            }
        }
    }
    er_term_outs(t, "\n");
}

/* ------------------------------------------------------------ one command */

static bool show_option(void *ctx, const struct er_opt *o)
{
    struct er_term *t = ctx;
    char left[160], letter[8] = "    ";
    bool inline_choice = o->kind == ER_OPT_CHOICE && strlen(o->arg) > 18;
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    int n = snprintf(left, sizeof left, "  %s--%s%s%s", letter, o->name,
        o->arg ? " " : "", o->arg ? (inline_choice ? "NAME" : o->arg) : "");
    size_t at = n > 0 ? (size_t)n : 0;
    er_term_outs(t, left);
    if (at + 2 > INDENT) {
        er_term_outs(t, "\n");
        at = 0;
    }
    er_term_outf(t, "%*s", (int)(INDENT - at), "");
    wrap(t, INDENT, INDENT, o->help);
    if (inline_choice) {
        char names[160];
        snprintf(names, sizeof names, "%s", o->arg);
        for (char *p = names; *p; p++)
            if (*p == '|')
                *p = ' ';
        er_term_outf(t, "%*s", INDENT, "");
        wrap(t, INDENT, INDENT, names);
    }
    return true;
}

static void show_examples(struct er_term *t, const char *examples)
{
    er_term_outs(t, "\nExamples\n");
    while (*examples) {
        size_t len = strcspn(examples, "\n");
        er_term_outf(t, "  %.*s\n", (int)len, examples);
        examples += len + 1;
    }
}

void er_help_command(struct er_cli *cli, const struct er_command *cmd)
{
    struct er_term *t = &cli->term;
    er_term_outf(t, "Usage: errand %s [options]%s%s\n\n", cmd->name,
        *cmd->words ? " " : "", cmd->words);
    char first = cmd->summary[0];
    er_term_outf(t, "%c%s.\n",
        first >= 'a' && first <= 'z' ? first - 'a' + 'A' : first,
        cmd->summary + 1);
    if (cmd->detail) {
        er_term_outs(t, "\n");
        wrap(t, 0, 0, cmd->detail);
    }
    for (size_t g = 0; g < ER_COMMAND_GROUPS && cmd->groups[g]; g++) {
        er_term_outf(t, "\n%s\n", cmd->groups[g]->title);
        for (const struct er_opt *o = cmd->groups[g]->options; o->name; o++)
            show_option(t, o);
    }
    if (cmd->examples)
        show_examples(t, cmd->examples);
}

/* --------------------------------------------------------------- overview */

void er_help_overview(struct er_cli *cli, const char *family)
{
    struct er_term *t = &cli->term;
    size_t n, len = family ? strlen(family) : 0;
    const struct er_command *all = er_commands(&n);
    er_term_outf(t, "Usage: errand %s [options] ...\n\n",
        family ? family : "COMMAND");
    if (!family)
        er_term_outs(t, "errand runs errands: it asks a model, runs the tools "
            "the model calls, and\nkeeps every step, so that nothing is lost "
            "and nothing happens twice.\n\n"
            "  errand run \"What is 19 % of 240?\"\n\n");
    for (size_t i = 0; i < n; i++) {
        if (family && (strncmp(all[i].name, family, len) != 0 ||
                          all[i].name[len] != ' '))
            continue;
        int at = 0;
        char left[64];
        at = snprintf(left, sizeof left, "  %s %s", all[i].name,
            all[i].words);
        er_term_outf(t, "%-*s", INDENT, left);
        if (at + 1 > INDENT)
            er_term_outf(t, "\n%*s", INDENT, "");
        wrap(t, INDENT, INDENT, all[i].summary);
    }
    er_term_outs(t, "\n\"errand help COMMAND\" tells more. The answer goes to "
        "standard output,\neverything else to standard error.\n"
        "Exit status: 0 done, 1 failed, 2 wrong usage, 3 paused, 130 "
        "interrupted.\n");
}

/* ------------------------------------------------------------------ table */

struct table {
    struct er_term *term;
    const struct er_command *cmd;
};

static bool table_option(void *ctx, const struct er_opt *o)
{
    struct table *table = ctx;
    char letter[3] = "-";
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c", o->letter);
    er_term_outf(table->term, "option\t%s\t--%s\t%s\t%s\t%s\n",
        table->cmd->name, o->name, letter, o->arg ? o->arg : "-", o->help);
    return true;
}

void er_help_table(struct er_cli *cli)
{
    size_t n;
    const struct er_command *all = er_commands(&n);
    for (size_t i = 0; i < n; i++) {
        struct table table = {&cli->term, &all[i]};
        er_term_outf(&cli->term, "command\t%s\t%s\t%s\n", all[i].name,
            *all[i].words ? all[i].words : "-", all[i].summary);
        er_options_each(&all[i], table_option, &table);
    }
}

/* ------------------------------------------------------------- not found */

int er_help_unknown(struct er_cli *cli, int argc, char *const *argv)
{
    const char *name = argv[0];
    if (er_command_is_family(name)) {
        if (argc < 2)
            return er_cli_usage(cli, "%s needs to know what; errand help %s "
                "lists what it can do", name, name);
        const char *near = er_command_similar(name, argv[1]);
        if (near)
            return er_cli_usage(cli, "there is no \"errand %s %.60s\"; did "
                "you mean errand %s %s?", name, argv[1], name, near);
        return er_cli_usage(cli, "there is no \"errand %s %.60s\"; errand "
            "help %s lists what there is", name, argv[1], name);
    }
    if (name[0] == '-')
        return er_cli_usage(cli, "the command comes first, then its options: "
            "errand run %.60s ...; errand help lists the commands", name);
    const char *near = er_command_within(name);
    if (!near)
        near = er_command_similar(NULL, name);
    if (near && argc > 1 && !strchr(name, ' '))
        return er_cli_usage(cli, "there is no command \"%.60s\"; did you mean "
            "errand %s? To ask a model: errand run \"%.60s ...\"", name,
            near, name);
    if (near)
        return er_cli_usage(cli, "there is no command \"%.60s\"; did you mean "
            "errand %s?", name, near);
    return er_cli_usage(cli, "there is no command \"%.60s%s\"; to ask a model, "
        "write errand run \"%.60s%s\"; errand help lists the commands", name,
        argc > 1 ? " ..." : "", name, argc > 1 ? " ..." : "");
}
