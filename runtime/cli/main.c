/* errand, the command line: finds the command, gives back its status.
 *
 * The only place that ends the program; what a command leaves open is
 * closed here, whatever became of it.
 */
#include "cli.h"
#include "help.h"
#include "signals.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* A program started with a standard descriptor closed would open its
 * database there, and then print into it. Reading a closed standard input
 * gives nothing; writing to a closed standard output fails. */
static void guard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == 1 ? O_RDONLY : O_RDWR);
}

/* As many open files as the system lets us have: a thousand runs at once want
 * more than the usual 1024. For the library that is its program's affair. */
static void raise_file_limit(void)
{
    static const rlim_t ENOUGH = 1 << 20;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= ENOUGH)
        return;
    files.rlim_cur = files.rlim_max < ENOUGH ? files.rlim_max : ENOUGH;
    setrlimit(RLIMIT_NOFILE, &files);
}

static int check_words(struct er_cli *cli)
{
    const struct er_command *cmd = cli->command;
    if (cli->n_words < cmd->min_words)
        return er_cli_usage(cli, "%s needs to know what: errand %s %s",
            cmd->name, cmd->name, cmd->words);
    if (cmd->max_words >= 0 && cli->n_words > cmd->max_words)
        return er_cli_usage(cli, "%s does not know what to do with \"%.60s\"; "
            "its form is: errand %s%s%s", cmd->name,
            cli->words[cmd->max_words], cmd->name, *cmd->words ? " " : "",
            cmd->words);
    return ER_EXIT_DONE;
}

static int run_command(struct er_cli *cli, int argc, char **argv)
{
    struct errand_error err = {0};
    int used = 0;
    cli->command = er_command_find(argc, argv, &used);
    if (!cli->command)
        return er_help_unknown(cli, argc, argv);
    if (er_options_parse(cli->command, argc - used, argv + used, &cli->args,
            &cli->n_words, &err)) {
        er_cli_fail(cli, &err);
        return ER_EXIT_USAGE;
    }
    cli->words = argv + used;
    if (cli->args.help) {
        er_help_command(cli, cli->command);
        return ER_EXIT_DONE;
    }
    cli->term.quiet = cli->args.quiet && !cli->args.verbose;
    int status = check_words(cli);
    return status ? status : cli->command->run(cli);
}

/* errand, errand --help, errand tools --help: no command was named. */
static bool is_help(int argc, char *const *argv)
{
    if (argc == 0)
        return true;
    const char *last = argv[argc - 1];
    bool asks = strcmp(last, "--help") == 0 || strcmp(last, "-h") == 0;
    return asks && (argc == 1 || (argc == 2 && er_command_is_family(argv[0])));
}

int main(int argc, char **argv)
{
    struct er_cli cli = {.rt = NULL};
    int status = ER_EXIT_DONE;
    guard_descriptors();
    raise_file_limit();
    er_signals_init();
    er_args_init(&cli.args);
    er_term_init(&cli.term);
    if (argc == 2 && (strcmp(argv[1], "--version") == 0 ||
                         strcmp(argv[1], "-V") == 0))
        status = er_cmd_version(&cli);
    else if (is_help(argc - 1, argv + 1))
        er_help_overview(&cli, argc == 3 ? argv[1] : NULL);
    else
        status = run_command(&cli, argc - 1, argv + 1);
    er_term_flush(&cli.term);
    er_cli_close(&cli);
    if (!er_term_finish(&cli.term) && status == ER_EXIT_DONE)
        status = ER_EXIT_FAILED;
    er_term_release(&cli.term);
    return status;
}
