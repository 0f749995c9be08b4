/* Completions for shells, written from the same tables as the help. The
 * files in completions/ are this output; a test compares them. */
#include "help.h"

#include <string.h>

/* What is being written: one command after the other. */
struct out {
    struct er_term *t;
    const struct er_command *cmd;
    int n; /* options written */
};

static bool takes_file(const struct er_opt *o)
{
    return o->kind == ER_OPT_FILE || o->kind == ER_OPT_FILES;
}

/* Text between single quotes; in fish a backslash escapes there, in other
 * shells nothing does. colon: zsh's separator is escaped too. */
static void quoted(struct er_term *t, const char *text, bool fish, bool colon)
{
    for (; *text; text++) {
        if (*text == '\'')
            er_term_outs(t, fish ? "\\'" : "'\\''");
        else if (colon && strchr(":[]", *text))
            er_term_outf(t, "\\%c", *text);
        else
            er_term_out(t, text, 1);
    }
}

/* "a|b|c" as "a b c". */
static void words_of(struct er_term *t, const char *choices)
{
    for (; *choices; choices++)
        er_term_out(t, *choices == '|' ? " " : choices, 1);
}

/* Call fn for each family: "tools", "log", "debug". */
static void each_family(struct er_term *t,
    void (*fn)(struct er_term *t, const char *family, size_t len))
{
    size_t n, len = 0;
    const struct er_command *all = er_commands(&n);
    const char *before = "";
    for (size_t i = 0; i < n; i++) {
        const char *space = strchr(all[i].name, ' ');
        size_t now = space ? (size_t)(space - all[i].name) : 0;
        if (space && (now != len || strncmp(before, all[i].name, now) != 0))
            fn(t, all[i].name, now);
        before = all[i].name;
        len = now;
    }
}

/* The second words of a family, or with NULL all first words. */
static void names_of(struct er_term *t, const char *family, size_t len)
{
    size_t n;
    const struct er_command *all = er_commands(&n);
    const char *gap = "";
    for (size_t i = 0; i < n; i++) {
        size_t first = strcspn(all[i].name, " ");
        bool again = i > 0 && first == strcspn(all[i - 1].name, " ") &&
                     strncmp(all[i].name, all[i - 1].name, first) == 0;
        bool in = family && first == len &&
                  strncmp(all[i].name, family, len) == 0;
        if (family ? !in : again)
            continue;
        er_term_outf(t, "%s%.*s", gap,
            family ? (int)strlen(all[i].name) : (int)first,
            family ? all[i].name + len + 1 : all[i].name);
        gap = " ";
    }
}

/* ------------------------------------------------------------------ bash */

static void bash_family(struct er_term *t, const char *family, size_t len)
{
    er_term_outf(t, "    %.*s)\n        if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
        "            COMPREPLY=($(compgen -W '", (int)len, family);
    names_of(t, family, len);
    er_term_outf(t, "' -- \"$cur\"))\n            return\n        fi\n"
        "        cmd=\"%.*s ${COMP_WORDS[2]}\" ;;\n", (int)len, family);
}

static bool bash_value(void *ctx, const struct er_opt *o)
{
    struct out *out = ctx;
    if (o->kind == ER_OPT_FLAG)
        return true;
    er_term_outf(out->t, "    '%s --%s'", out->cmd->name, o->name);
    if (o->letter)
        er_term_outf(out->t, "|'%s -%c'", out->cmd->name, o->letter);
    if (o->kind == ER_OPT_CHOICE) {
        er_term_outs(out->t, ")\n        COMPREPLY=($(compgen -W '");
        words_of(out->t, o->arg);
        er_term_outs(out->t, "' -- \"$cur\"))\n        return ;;\n");
    } else if (takes_file(o)) {
        er_term_outs(out->t, ")\n        COMPREPLY=($(compgen -f -- "
            "\"$cur\"))\n        return ;;\n");
    } else {
        er_term_outs(out->t, ") return ;;\n");
    }
    return true;
}

static bool bash_option(void *ctx, const struct er_opt *o)
{
    struct out *out = ctx;
    er_term_outf(out->t, "%s--%s", out->n++ ? " " : "", o->name);
    if (o->letter)
        er_term_outf(out->t, " -%c", o->letter);
    return true;
}

static void bash(struct er_term *t)
{
    size_t n;
    const struct er_command *all = er_commands(&n);
    er_term_outs(t, "# bash completion for errand(1), made by: errand help "
        "--completion bash\n_errand() {\n"
        "    local cur=${COMP_WORDS[COMP_CWORD]} cmd=${COMP_WORDS[1]}\n"
        "    local prev=${COMP_WORDS[COMP_CWORD-1]} options=\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
        "        COMPREPLY=($(compgen -W '");
    names_of(t, NULL, 0);
    er_term_outs(t, " --help --version' -- \"$cur\"))\n        return\n"
        "    fi\n    case $cmd in\n");
    each_family(t, bash_family);
    er_term_outs(t, "    esac\n    case \"$cmd $prev\" in\n");
    for (size_t i = 0; i < n; i++)
        er_options_each(&all[i], bash_value, &(struct out){t, &all[i], 0});
    er_term_outs(t, "    esac\n    case $cmd in\n");
    for (size_t i = 0; i < n; i++) {
        struct out out = {t, &all[i], 0};
        er_term_outf(t, "    '%s') options='", all[i].name);
        er_options_each(&all[i], bash_option, &out);
        er_term_outs(t, "' ;;\n");
    }
    er_term_outs(t, "    esac\n    case $cur in\n"
        "    -*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
        "    *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n    esac\n}\n"
        "complete -o filenames -F _errand errand\n");
}

/* ------------------------------------------------------------------- zsh */

static bool zsh_option(void *ctx, const struct er_opt *o)
{
    struct out *out = ctx;
    bool again = o->kind == ER_OPT_LIST || o->kind == ER_OPT_FILES;
    er_term_outs(out->t, " \\\n            ");
    if (again)
        er_term_outs(out->t, "'*'");
    else if (o->letter)
        er_term_outf(out->t, "'(-%c --%s)'", o->letter, o->name);
    bool value = o->kind != ER_OPT_FLAG; /* --name=VALUE and -nVALUE too */
    if (o->letter)
        er_term_outf(out->t, value ? "{-%c+,--%s=}'[" : "{-%c,--%s}'[",
            o->letter, o->name);
    else
        er_term_outf(out->t, value ? "'--%s=[" : "'--%s[", o->name);
    quoted(out->t, o->help, false, true);
    er_term_outs(out->t, "]");
    if (value) {
        er_term_outs(out->t, ":");
        quoted(out->t, o->kind == ER_OPT_CHOICE ? o->name : o->arg, false,
            true);
        er_term_outs(out->t, ":");
    }
    if (o->kind == ER_OPT_CHOICE) {
        er_term_outs(out->t, "(");
        words_of(out->t, o->arg);
        er_term_outs(out->t, ")");
    } else if (takes_file(o)) {
        er_term_outs(out->t, "_files");
    }
    er_term_outs(out->t, "'");
    return true;
}

static void zsh_family(struct er_term *t, const char *family, size_t len)
{
    er_term_outf(t, "    %.*s)\n        if (( CURRENT == 3 )); then\n"
        "            compadd ", (int)len, family);
    names_of(t, family, len);
    er_term_outs(t, "\n            return\n        fi\n"
        "        cmd=\"$words[2] $words[3]\"\n        skip=2 ;;\n");
}

static void zsh(struct er_term *t)
{
    size_t n;
    const struct er_command *all = er_commands(&n);
    er_term_outs(t, "#compdef errand\n# zsh completion for errand(1), made "
        "by: errand help --completion zsh\n_errand() {\n"
        "    local cmd=$words[2]\n    local -i skip=1\n"
        "    if (( CURRENT == 2 )); then\n        compadd -- ");
    names_of(t, NULL, 0);
    er_term_outs(t, " --help --version\n        return\n    fi\n"
        "    case $cmd in\n");
    each_family(t, zsh_family);
    er_term_outs(t, "    esac\n    shift $skip words\n"
        "    (( CURRENT -= skip ))\n    case $cmd in\n");
    for (size_t i = 0; i < n; i++) {
        er_term_outf(t, "    '%s')\n        _arguments -S", all[i].name);
        er_options_each(&all[i], zsh_option, &(struct out){t, &all[i], 0});
        er_term_outs(t, " \\\n            '*:word:_files' ;;\n");
    }
    er_term_outs(t, "    esac\n}\n_errand \"$@\"\n");
}

/* ------------------------------------------------------------------ fish */

static void fish_family(struct er_term *t, const char *family, size_t len)
{
    size_t n;
    const struct er_command *all = er_commands(&n);
    er_term_outf(t, "complete -c errand -n __fish_use_subcommand -f -a "
        "%.*s\n", (int)len, family);
    for (size_t i = 0; i < n; i++) {
        const char *name = all[i].name;
        if (strncmp(name, family, len) != 0 || name[len] != ' ')
            continue;
        er_term_outf(t, "complete -c errand -n '__fish_seen_subcommand_from "
            "%.*s; and not __fish_seen_subcommand_from ", (int)len, family);
        names_of(t, family, len);
        er_term_outf(t, "' -f -a %s -d '", name + len + 1);
        quoted(t, all[i].summary, true, false);
        er_term_outs(t, "'\n");
    }
}

static bool fish_option(void *ctx, const struct er_opt *o)
{
    struct out *out = ctx;
    const char *name = out->cmd->name, *space = strchr(name, ' ');
    er_term_outf(out->t, "complete -c errand -n '__fish_seen_subcommand_from "
        "%.*s", (int)strcspn(name, " "), name);
    if (space)
        er_term_outf(
            out->t, "; and __fish_seen_subcommand_from %s", space + 1);
    er_term_outf(out->t, "' -l %s", o->name);
    if (o->letter)
        er_term_outf(out->t, " -s %c", o->letter);
    if (o->kind == ER_OPT_CHOICE) {
        er_term_outs(out->t, " -x -a '");
        words_of(out->t, o->arg);
        er_term_outs(out->t, "'");
    } else if (takes_file(o)) {
        er_term_outs(out->t, " -r -F");
    } else if (o->kind != ER_OPT_FLAG) {
        er_term_outs(out->t, " -x");
    }
    er_term_outs(out->t, " -d '");
    quoted(out->t, o->help, true, false);
    er_term_outs(out->t, "'\n");
    return true;
}

static void fish(struct er_term *t)
{
    size_t n;
    const struct er_command *all = er_commands(&n);
    er_term_outs(t, "# fish completion for errand(1), made by: errand help "
        "--completion fish\n");
    for (size_t i = 0; i < n; i++) {
        if (strchr(all[i].name, ' '))
            continue;
        er_term_outf(t, "complete -c errand -n __fish_use_subcommand -f -a "
            "%s -d '", all[i].name);
        quoted(t, all[i].summary, true, false);
        er_term_outs(t, "'\n");
    }
    each_family(t, fish_family);
    for (size_t i = 0; i < n; i++)
        er_options_each(
            &all[i], fish_option, &(struct out){t, &all[i], 0});
}

void er_complete(struct er_cli *cli, const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        bash(&cli->term);
    else if (strcmp(shell, "zsh") == 0)
        zsh(&cli->term);
    else
        fish(&cli->term);
}
