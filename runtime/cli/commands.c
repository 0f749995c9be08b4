/* The table of commands. To add one: a row here and its function, declared
 * in commands.h. */
#include "commands.h"

#include "groups.h"
#include "similar.h"

#include <string.h>

/* --------------------------------------------------------------- commands */

static const struct er_command commands[] = {
    {.name = "run",
        .words = "PROMPT...",
        .summary = "ask, run the tools it calls, print the answer",
        .detail =
            "Words are joined by spaces. Standard input is added when "
            "it is not a terminal; \"-\" waits for it in any case.",
        .examples =
            "errand run \"What time is it in Lisbon?\"\n"
            "errand run -f notes.md \"Which questions are open?\"\n"
            "git diff | errand run -t none \"Write the commit message\"\n",
        .max_words = -1,
        .groups = {&er_opts_conv, &er_opts_run, &er_opts_request,
            &er_opts_local, &er_opts_budgets, &er_opts_policy,
            &er_opts_runtime, &er_opts_events},
        .run = er_cmd_run},
    {.name = "chat",
        .words = "",
        .summary = "talk in a terminal; Ctrl-C stops the turn",
        .detail =
            "Type /help there for what it understands.",
        .groups = {&er_opts_conv, &er_opts_request, &er_opts_local,
            &er_opts_budgets, &er_opts_policy, &er_opts_runtime,
            &er_opts_talk},
        .run = er_cmd_chat},
    {.name = "resume",
        .words = "[RUN]",
        .summary = "go on with paused or interrupted runs",
        .detail =
            "Without RUN: every run that a crash or Ctrl-C interrupted.",
        .max_words = 1,
        .groups = {&er_opts_resume, &er_opts_engine, &er_opts_budgets,
            &er_opts_policy, &er_opts_runtime, &er_opts_events},
        .run = er_cmd_resume},
    {.name = "batch",
        .words = "FILE.jsonl",
        .summary = "many requests at once; safe to repeat",
        .detail =
            "Each line is an object: {\"prompt\", \"model\", "
            "\"system\", \"tools\", \"params\", \"schema\", "
            "\"functions\", \"key\", \"id\"}; all but the prompt may be "
            "missing. The results come as lines of JSON in the order of "
            "the requests. Repeated, finished requests answer from the "
            "store. \"-\" reads standard input.",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_batch, &er_opts_request, &er_opts_local,
            &er_opts_budgets, &er_opts_policy, &er_opts_runtime,
            &er_opts_talk},
        .run = er_cmd_batch},
    {.name = "index",
        .words = "[PATH...]",
        .summary = "read files and folders, to search and to ask about",
        .detail =
            "New and changed files are read, those that are gone are "
            "forgotten. Text, Markdown, HTML, source code, JSON lines and "
            "CSV are read as they are; PDF with pdftotext, office files with "
            "pandoc, where they are installed. Safe to stop and to repeat.",
        .examples =
            "errand index docs notes.md\n"
            "errand index --list\n"
            "errand index --remove docs\n",
        .max_words = -1,
        .groups = {&er_opts_index, &er_opts_runtime, &er_opts_json},
        .run = er_cmd_index},
    {.name = "search",
        .words = "QUERY...",
        .summary = "find passages in what is indexed",
        .detail =
            "Several words need not all occur; more is better. \"Words in "
            "quotes\" must occur so, and -words must not (behind --, or "
            "they are taken for options).",
        .examples =
            "errand search how long are leases\n"
            "errand search '\"exit status\" budget' --path docs\n"
            "errand search --answer how long are leases\n",
        .min_words = 1,
        .max_words = -1,
        .groups = {&er_opts_find, &er_opts_answer, &er_opts_runtime,
            &er_opts_json},
        .run = er_cmd_search},
    {.name = "tools list",
        .words = "",
        .summary = "the tools there are",
        .groups = {&er_opts_runtime, &er_opts_json},
        .run = er_cmd_tools_list},
    {.name = "tools show",
        .words = "NAME",
        .summary = "one tool: what it does, its arguments",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_runtime, &er_opts_json},
        .run = er_cmd_tools_show},
    {.name = "tools check",
        .words = "FILE",
        .summary = "everything that is wrong with a tool's file",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_runtime, &er_opts_json},
        .run = er_cmd_tools_check},
    {.name = "tools call",
        .words = "NAME [JSON]",
        .summary = "call a tool by hand; nothing is stored",
        .detail =
            "JSON holds the arguments, an object; \"-\" reads them from "
            "standard input.",
        .examples =
            "errand tools call calculate '{\"expression\": \"2^10\"}'\n",
        .min_words = 1,
        .max_words = 2,
        .groups = {&er_opts_call, &er_opts_runtime, &er_opts_json},
        .run = er_cmd_tools_call},
    {.name = "tools grant",
        .words = "TOOL...",
        .summary = "grant tools what they ask for",
        .detail =
            "Until the file changes. A word of \"*\" is every tool that "
            "lacks something; errand tools list shows which.",
        .min_words = 1,
        .max_words = -1,
        .groups = {&er_opts_runtime, &er_opts_talk},
        .run = er_cmd_tools_grant},
    {.name = "tools revoke",
        .words = "TOOL...",
        .summary = "take grants back",
        .min_words = 1,
        .max_words = -1,
        .groups = {&er_opts_runtime, &er_opts_talk},
        .run = er_cmd_tools_revoke},
    {.name = "tools new",
        .words = "NAME",
        .summary = "write NAME.lua or NAME.c, a tool to start from",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_new},
        .run = er_cmd_tools_new},
    {.name = "agents list",
        .words = "",
        .summary = "the agents there are",
        .groups = {&er_opts_runtime, &er_opts_json},
        .run = er_cmd_agents_list},
    {.name = "agents show",
        .words = "AGENT",
        .summary = "one agent: what it does, its parameters",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_runtime, &er_opts_json},
        .run = er_cmd_agents_show},
    {.name = "agents check",
        .words = "AGENT",
        .summary = "everything that is wrong with an agent's file",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_runtime, &er_opts_json},
        .run = er_cmd_agents_check},
    {.name = "agents new",
        .words = "NAME",
        .summary = "write NAME.lua, an agent to start from",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_new_agent},
        .run = er_cmd_agents_new},
    {.name = "log list",
        .words = "",
        .summary = "runs, newest first",
        .groups = {&er_opts_list, &er_opts_runtime, &er_opts_json},
        .run = er_cmd_log_list},
    {.name = "log show",
        .words = "ID",
        .summary = "a run or a conversation with all its messages",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_show, &er_opts_runtime, &er_opts_json},
        .run = er_cmd_log_show},
    {.name = "log search",
        .words = "QUERY...",
        .summary = "find words in all messages",
        .min_words = 1,
        .max_words = -1,
        .groups = {&er_opts_search, &er_opts_runtime, &er_opts_json},
        .run = er_cmd_log_search},
    {.name = "log export",
        .words = "ID",
        .summary = "a conversation as Markdown, JSON or a page",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_export, &er_opts_runtime, &er_opts_talk},
        .run = er_cmd_log_export},
    {.name = "log fork",
        .words = "ID",
        .summary = "copy a conversation into a new one",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_fork, &er_opts_runtime, &er_opts_json},
        .run = er_cmd_log_fork},
    {.name = "log resolve",
        .words = "CALL [TEXT]",
        .summary = "settle a call: unknown outcome, or approval",
        .examples =
            "errand log resolve 0193 --done \"mail sent\"\n"
            "errand log resolve 0193 --refuse \"ask Ann first\"\n",
        .min_words = 1,
        .max_words = 2,
        .groups = {&er_opts_resolve, &er_opts_runtime, &er_opts_talk},
        .run = er_cmd_log_resolve},
    {.name = "log rm",
        .words = "ID",
        .summary = "remove a conversation and all it owns",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_rm, &er_opts_runtime, &er_opts_talk},
        .run = er_cmd_log_rm},
    {.name = "models list",
        .words = "",
        .summary = "model files on this machine",
        .groups = {&er_opts_json},
        .run = er_cmd_models_list},
    {.name = "models info",
        .words = "FILE|NAME",
        .summary = "shapes, quantization, template, memory, licence",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_info, &er_opts_json},
        .run = er_cmd_models_info},
    {.name = "models bench",
        .words = "FILE|NAME",
        .summary = "how fast a model is on this machine",
        .detail =
            "Reads a prompt and writes an answer, in several rounds; shown "
            "are medians. Other work on the machine makes them worse.",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_bench, &er_opts_json},
        .run = er_cmd_models_bench},
    {.name = "models pull",
        .words = "[NAME|OWNER/REPO|URL]",
        .summary = "fetch a model file; goes on where it stopped",
        .detail =
            "NAME is one of the catalogue, which is shown when nothing is "
            "named. OWNER/REPO[:QUANT] and OWNER/REPO/FILE.gguf are at the "
            "hub; an address may be any. Checksums are checked, and a file "
            "comes into its place only when it is whole.",
        .examples =
            "errand models pull llama-3.2-3b-instruct\n"
            "errand models pull Qwen/Qwen3-4B-GGUF:Q4_K_M\n"
            "errand models pull https://example.com/a.gguf --checksum SUM\n",
        .max_words = 1,
        .groups = {&er_opts_pull, &er_opts_runtime, &er_opts_json},
        .run = er_cmd_models_pull},
    {.name = "policy list",
        .words = "",
        .summary = "the rules about calls, and where they come from",
        .groups = {&er_opts_runtime, &er_opts_json},
        .run = er_cmd_policy_list},
    {.name = "policy check",
        .words = "TOOL [JSON]",
        .summary = "what would become of a call, and why",
        .detail =
            "JSON holds the arguments, an object. Nothing is run.",
        .examples =
            "errand policy check read_file '{\"path\": \"README.md\"}'\n",
        .min_words = 1,
        .max_words = 2,
        .groups = {&er_opts_rules, &er_opts_runtime, &er_opts_json},
        .run = er_cmd_policy_check},
    {.name = "policy forget",
        .words = "RULE",
        .summary = "take back an answer that was given for always",
        .min_words = 1,
        .max_words = 1,
        .groups = {&er_opts_runtime, &er_opts_talk},
        .run = er_cmd_policy_forget},
    {.name = "doctor",
        .words = "",
        .summary = "versions, limits, paths, integrity of the store",
        .groups = {&er_opts_runtime, &er_opts_json},
        .run = er_cmd_doctor},
    {.name = "debug parse",
        .words = "[JSON]",
        .summary = "what is read out of a model's answer",
        .detail =
            "A case is {\"text\" or \"stream\", \"tools\"}; without "
            "JSON it is read from standard input.",
        .max_words = 1,
        .groups = {&er_opts_parse},
        .run = er_cmd_debug_parse},
    {.name = "debug schema",
        .words = "[JSON]",
        .summary = "hold an instance against a JSON Schema",
        .detail =
            "A case is {\"schema\", \"instance\"}; without JSON it is "
            "read from standard input.",
        .max_words = 1,
        .groups = {&er_opts_schema},
        .run = er_cmd_debug_schema},
    {.name = "debug grammar",
        .words = "[JSON]",
        .summary = "hold a text against what a grammar allows",
        .detail =
            "A case is {\"schema\", \"text\"}, or {\"gbnf\", \"text\"}; "
            "without JSON it is read from standard input. The answer says "
            "whether the text is a beginning of an allowed one, whether it "
            "is whole, and at which byte it is refused.",
        .max_words = 1,
        .groups = {&er_opts_cases},
        .run = er_cmd_debug_grammar},
    {.name = "debug render",
        .words = "[JSON]",
        .summary = "the prompt that a model's template makes of messages",
        .detail =
            "A case is {\"messages\", \"tools\", "
            "\"add_generation_prompt\"}; without JSON it is read from "
            "standard input. FILE may also be a template alone. \"now\", in "
            "seconds since 1970, stands for the clock.",
        .max_words = 1,
        .groups = {&er_opts_render},
        .run = er_cmd_debug_render},
    {.name = "debug tokenize",
        .words = "[JSON]",
        .summary = "the tokens that a model reads a text as",
        .detail =
            "A case is {\"text\"}; without JSON it is read from standard "
            "input. No token is put in front.",
        .max_words = 1,
        .groups = {&er_opts_tokenize},
        .run = er_cmd_debug_tokenize},
    {.name = "debug logits",
        .words = "[JSON]",
        .summary = "a model's numbers for what comes next",
        .detail =
            "A case is {\"tokens\", \"positions\"}; the answer has a row "
            "of numbers, one per token of the vocabulary, for each position. "
            "Without JSON the case is read from standard input.",
        .max_words = 1,
        .groups = {&er_opts_logits},
        .run = er_cmd_debug_logits},
    {.name = "version",
        .words = "",
        .summary = "versions of the program and the library",
        .groups = {&er_opts_help},
        .run = er_cmd_version},
    {.name = "help",
        .words = "[COMMAND]",
        .summary = "help on a command",
        .max_words = 2,
        .groups = {&er_opts_help_command},
        .run = er_cmd_help},
};

const struct er_command *er_commands(size_t *n)
{
    *n = sizeof commands / sizeof commands[0];
    return commands;
}

const struct er_command *er_command_find(
    int argc, char *const *argv, int *used)
{
    size_t n = sizeof commands / sizeof commands[0];
    for (size_t i = 0; i < n && argc > 0; i++) {
        const char *space = strchr(commands[i].name, ' ');
        size_t len = strcspn(commands[i].name, " ");
        if (strlen(argv[0]) != len ||
            memcmp(argv[0], commands[i].name, len) != 0)
            continue;
        if (space && (argc < 2 || strcmp(argv[1], space + 1) != 0))
            continue;
        *used = space ? 2 : 1;
        return &commands[i];
    }
    return NULL;
}

bool er_command_is_family(const char *name)
{
    size_t n = sizeof commands / sizeof commands[0], len = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (strncmp(commands[i].name, name, len) == 0 &&
            commands[i].name[len] == ' ')
            return true;
    return false;
}

const char *er_command_within(const char *word)
{
    size_t n = sizeof commands / sizeof commands[0];
    for (size_t i = 0; i < n; i++) {
        const char *space = strchr(commands[i].name, ' ');
        if (space && strcmp(space + 1, word) == 0)
            return commands[i].name;
    }
    return NULL;
}

const char *er_command_similar(const char *family, const char *wrong)
{
    size_t n = sizeof commands / sizeof commands[0];
    size_t len = family ? strlen(family) : 0;
    struct er_similar s;
    er_similar_init(&s, wrong);
    for (size_t i = 0; i < n; i++) {
        const char *name = commands[i].name;
        if (!family)
            er_similar_offer(&s, name);
        else if (strncmp(name, family, len) == 0 && name[len] == ' ')
            er_similar_offer(&s, name + len + 1);
    }
    return er_similar_best(&s);
}
