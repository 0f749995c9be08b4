/* The options: their rows, in groups that commands share. To add one: a
 * field in struct er_args and a row here; parsing, help and completions
 * follow, and a test asks for it in the manual page. */
#include "groups.h"

#include <stddef.h>

#define AT(field) offsetof(struct er_args, field)
#define END_ROW {.name = NULL}
#define JSON_ROW(what)                                                    \
    {.name = "json", .kind = ER_OPT_FLAG, .offset = AT(json), .help = what}
#define HELP_ROW                                                          \
    {.name = "help", .letter = 'h', .kind = ER_OPT_FLAG,                  \
        .offset = AT(help), .help = "show this help"}
#define TALK_ROWS                                                         \
    {.name = "quiet", .letter = 'q', .kind = ER_OPT_FLAG,                 \
        .offset = AT(quiet), .help = "nothing but the answer and errors"},\
    {.name = "verbose", .letter = 'v', .kind = ER_OPT_FLAG,               \
        .offset = AT(verbose),                                            \
        .help = "say more: tokens, reasoning, what the runtime logs"}
#define OUTPUT_ROW(what)                                                  \
    {.name = "output", .letter = 'o', .kind = ER_OPT_FILE,                \
        .offset = AT(output), .arg = "FILE", .help = what}

/* ------------------------------------------------------ groups of options */

static const struct er_opt conversation_rows[] = {
    {.name = "conversation", .letter = 'c', .kind = ER_OPT_TEXT,
        .offset = AT(conversation), .arg = "ID",
        .help = "go on with this conversation"},
    {.name = "last", .kind = ER_OPT_FLAG, .offset = AT(last),
        .help = "go on with the newest conversation"},
    END_ROW,
};
const struct er_opt_group er_opts_conv = {
    .title = "Conversation", .options = conversation_rows};

static const struct er_opt run_rows[] = {
    {.name = "agent", .letter = 'a', .kind = ER_OPT_FILE,
        .offset = AT(agent), .arg = "AGENT",
        .help = "what this agent (a name or a file) makes of it"},
    {.name = "file", .letter = 'f', .kind = ER_OPT_FILES,
        .offset = AT(files), .arg = "FILE",
        .help = "add this file's text to the prompt; may be repeated"},
    {.name = "key", .kind = ER_OPT_TEXT, .offset = AT(key), .arg = "KEY",
        .help = "the same key again answers with the run that has it"},
    END_ROW,
};
const struct er_opt_group er_opts_run = {
    .title = "Prompt", .options = run_rows};

static const struct er_opt request_rows[] = {
    {.name = "model", .letter = 'm', .kind = ER_OPT_TEXT,
        .offset = AT(model), .arg = "MODEL",
        .help = "who answers, as provider:name"},
    {.name = "tools", .letter = 't', .kind = ER_OPT_LIST,
        .offset = AT(tools), .arg = "TOOL,...",
        .help = "tools it may call; all (if not given) or none"},
    {.name = "system", .letter = 's', .kind = ER_OPT_TEXT,
        .offset = AT(system), .arg = "TEXT",
        .help = "system text of a new conversation"},
    {.name = "param", .letter = 'p', .kind = ER_OPT_LIST,
        .offset = AT(params), .arg = "KEY=VALUE",
        .help = "parameter of the agent, or of sampling, as "
                "temperature=0.2; may be repeated"},
    {.name = "schema", .kind = ER_OPT_FILE, .offset = AT(schema),
        .arg = "FILE", .help = "JSON Schema that the answer must fit"},
    {.name = "functions", .kind = ER_OPT_FILE, .offset = AT(functions),
        .arg = "FILE", .help = "functions in Lua it may call, as JSON: "
                               "[{\"name\",\"code\"}]"},
    {.name = "tool-choice", .kind = ER_OPT_TEXT, .offset = AT(tool_choice),
        .arg = "CHOICE", .help = "auto, none, required, or a tool's name"},
    {.name = "no-stream", .kind = ER_OPT_FLAG, .offset = AT(no_stream),
        .help = "ask for whole replies instead of a stream"},
    {.name = "prompt-form", .kind = ER_OPT_FLAG, .offset = AT(prompt_form),
        .help = "send the endpoint's prompt form (workers-ai)"},
    {.name = "record", .kind = ER_OPT_FILE, .offset = AT(record),
        .arg = "FILE", .help = "record every exchange with the model"},
    {.name = "replay", .kind = ER_OPT_FILE, .offset = AT(replay),
        .arg = "FILE", .help = "a recording answers instead of the model"},
    END_ROW,
};
const struct er_opt_group er_opts_request = {
    .title = "Request", .options = request_rows};

static const struct er_opt replay_rows[] = {
    {.name = "all", .kind = ER_OPT_FLAG, .offset = AT(all),
        .help = "without RUN: those that paused or failed as well"},
    {.name = "record", .kind = ER_OPT_FILE, .offset = AT(record),
        .arg = "FILE", .help = "record every exchange with the model"},
    {.name = "replay", .kind = ER_OPT_FILE, .offset = AT(replay),
        .arg = "FILE", .help = "a recording answers instead of the model"},
    END_ROW,
};
const struct er_opt_group er_opts_resume = {
    .title = "Runs", .options = replay_rows};

static const struct er_opt budget_rows[] = {
    {.name = "max-turns", .kind = ER_OPT_INT, .offset = AT(max_turns),
        .arg = "N", .help = "pause after N turns of the model",
        .min = 1, .max = 1000000},
    {.name = "max-calls", .kind = ER_OPT_INT, .offset = AT(max_calls),
        .arg = "N", .help = "pause after N calls of tools",
        .min = 1, .max = 1000000},
    {.name = "max-tokens-total", .kind = ER_OPT_INT,
        .offset = AT(max_tokens_total), .arg = "N",
        .help = "pause after N tokens, prompts included",
        .min = 1, .max = 1000000000000},
    {.name = "max-seconds", .kind = ER_OPT_INT, .offset = AT(max_seconds),
        .arg = "N", .help = "pause after N seconds",
        .min = 1, .max = 31536000},
    {.name = "max-cost", .kind = ER_OPT_REAL, .offset = AT(max_cost),
        .arg = "X", .help = "pause when it cost more than X"},
    {.name = "on-unknown", .kind = ER_OPT_CHOICE, .offset = AT(on_unknown),
        .arg = "ask|fail|retry",
        .help = "a call that was cut off and may have taken effect"},
    END_ROW,
};
const struct er_opt_group er_opts_budgets = {
    .title = "Limits", .options = budget_rows};

#define RULE_ROWS                                                         \
    {.name = "approve", .kind = ER_OPT_LIST, .offset = AT(approve),       \
        .arg = "RULE",                                                    \
        .help = "run these calls without asking; may be repeated"},       \
    {.name = "ask", .kind = ER_OPT_LIST, .offset = AT(ask),               \
        .arg = "RULE", .help = "ask about these calls; may be repeated"}, \
    {.name = "deny", .kind = ER_OPT_LIST, .offset = AT(deny),             \
        .arg = "RULE", .help = "never run these calls; may be repeated"}

#define GRANT_ROW                                                         \
    {.name = "grant", .kind = ER_OPT_LIST, .offset = AT(grant),           \
        .arg = "TOOL,...",                                                \
        .help = "grant what these tools ask for, for once; '*': all"}

static const struct er_opt call_rows[] = {GRANT_ROW,
    {.name = "trace", .kind = ER_OPT_FLAG, .offset = AT(trace),
        .help = "show each step: arguments, grant, worker, questions, log"},
    END_ROW};
const struct er_opt_group er_opts_call = {
    .title = "Call", .options = call_rows};

static const struct er_opt policy_rows[] = {
    RULE_ROWS,
    {.name = "wait-approval", .kind = ER_OPT_FLAG,
        .offset = AT(wait_approval),
        .help = "without a terminal: pause instead of refusing"},
    GRANT_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_policy = {
    .title = "Policy", .options = policy_rows};

static const struct er_opt rules_rows[] = {
    RULE_ROWS,
    {.name = "tainted", .kind = ER_OPT_FLAG, .offset = AT(tainted),
        .help = "as if text from outside were in the conversation"},
    END_ROW,
};
const struct er_opt_group er_opts_rules = {
    .title = "Policy", .options = rules_rows};

#define ENGINE_ROWS                                                       \
    {.name = "context", .kind = ER_OPT_INT, .offset = AT(context),        \
        .arg = "N", .min = 64, .max = 1 << 24,                            \
        .help = "tokens that prompt and answer may have together"},       \
    {.name = "threads", .kind = ER_OPT_INT, .offset = AT(threads),        \
        .arg = "N", .min = 1, .max = 256,                                 \
        .help = "compute threads; as many as cores if not given"},        \
    {.name = "kv", .kind = ER_OPT_CHOICE, .offset = AT(kv),               \
        .arg = "f16|q8", .help = "numbers of the cache; q8 takes half"},  \
    {.name = "prefix-bytes", .kind = ER_OPT_INT,                          \
        .offset = AT(prefix_bytes), .arg = "N", .min = 0,                 \
        .max = (int64_t)1 << 50,                                          \
        .help = "bytes of prompts' beginnings kept on disk; 0: none"}

static const struct er_opt local_rows[] = {
    ENGINE_ROWS,
    {.name = "lora", .kind = ER_OPT_FILES, .offset = AT(loras),
        .arg = "NAME=SCALE",
        .help = "an adapter, and how strongly; may be repeated"},
    END_ROW,
};
const struct er_opt_group er_opts_local = {
    .title = "Local models", .options = local_rows};

static const struct er_opt engine_rows[] = {ENGINE_ROWS, END_ROW};
const struct er_opt_group er_opts_engine = {
    .title = "Local models", .options = engine_rows};

static const struct er_opt runtime_rows[] = {
    {.name = "store", .kind = ER_OPT_FILE, .offset = AT(store),
        .arg = "FILE", .help = "the database; else $ERRAND_STORE"},
    {.name = "config", .kind = ER_OPT_FILE, .offset = AT(config),
        .arg = "FILE", .help = "this configuration and no other"},
    {.name = "no-config", .kind = ER_OPT_FLAG, .offset = AT(no_config),
        .help = "no configuration at all"},
    {.name = "tools-dir", .kind = ER_OPT_FILES, .offset = AT(tools_dirs),
        .arg = "DIR", .help = "a further folder of tools; may be repeated"},
    {.name = "plugin", .kind = ER_OPT_FILES, .offset = AT(plugins),
        .arg = "NAME|FILE", .help = "load this plugin; may be repeated"},
    {.name = "plugins-dir", .kind = ER_OPT_FILES,
        .offset = AT(plugins_dirs), .arg = "DIR",
        .help = "a further folder of plugins; may be repeated"},
    {.name = "sync", .kind = ER_OPT_CHOICE, .offset = AT(sync),
        .arg = "full|normal",
        .help = "full (if not given) survives power loss, normal a kill"},
    END_ROW,
};
const struct er_opt_group er_opts_runtime = {
    .title = "Runtime", .options = runtime_rows};

static const struct er_opt events_rows[] = {
    JSON_ROW("one JSON object instead of the answer's text"),
    {.name = "events", .kind = ER_OPT_FLAG, .offset = AT(events),
        .help = "a line of JSON per event"},
    TALK_ROWS,
    HELP_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_events = {
    .title = "Output", .options = events_rows};

static const struct er_opt json_rows[] = {
    JSON_ROW("JSON instead of text"), TALK_ROWS, HELP_ROW, END_ROW};
const struct er_opt_group er_opts_json = {
    .title = "Output", .options = json_rows};

static const struct er_opt talk_rows[] = {TALK_ROWS, HELP_ROW, END_ROW};
const struct er_opt_group er_opts_talk = {
    .title = "Output", .options = talk_rows};

static const struct er_opt help_rows[] = {HELP_ROW, END_ROW};
const struct er_opt_group er_opts_help = {
    .title = "Output", .options = help_rows};

static const struct er_opt batch_rows[] = {
    {.name = "jobs", .kind = ER_OPT_INT, .offset = AT(jobs), .arg = "N",
        .help = "requests under way at once (8 if not given)", .min = 1,
        .max = 10000},
    OUTPUT_ROW("write the results there, whole or not at all"),
    {.name = "key", .kind = ER_OPT_TEXT, .offset = AT(key), .arg = "TEXT",
        .help = "another text asks everything anew"},
    END_ROW,
};
const struct er_opt_group er_opts_batch = {
    .title = "Batch", .options = batch_rows};

static const struct er_opt new_rows[] = {
    {.name = "dir", .kind = ER_OPT_FILE, .offset = AT(dir), .arg = "DIR",
        .help = "folder to write it to (tools, or plugins with --c)"},
    {.name = "c", .kind = ER_OPT_FLAG, .offset = AT(c_source),
        .help = "write NAME.c, a plugin in C"},
    HELP_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_new = {
    .title = "Options", .options = new_rows};

static const struct er_opt new_agent_rows[] = {
    {.name = "dir", .kind = ER_OPT_FILE, .offset = AT(dir), .arg = "DIR",
        .help = "folder for the file (agents if not given)"},
    HELP_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_new_agent = {
    .title = "Options", .options = new_agent_rows};

static const struct er_opt list_rows[] = {
    {.name = "state", .kind = ER_OPT_CHOICE, .offset = AT(state),
        .arg = "ready|tools|paused|done|failed",
        .help = "only runs in this state"},
    {.name = "conversation", .letter = 'c', .kind = ER_OPT_TEXT,
        .offset = AT(conversation), .arg = "ID",
        .help = "only runs of this conversation"},
    {.name = "limit", .letter = 'n', .kind = ER_OPT_INT,
        .offset = AT(limit), .arg = "N",
        .help = "at most N (20 if not given)", .min = 1, .max = 1000000},
    END_ROW,
};
const struct er_opt_group er_opts_list = {
    .title = "Choice", .options = list_rows};

static const struct er_opt search_rows[] = {
    {.name = "limit", .letter = 'n', .kind = ER_OPT_INT,
        .offset = AT(limit), .arg = "N",
        .help = "at most N (20 if not given)", .min = 1, .max = 1000000},
    END_ROW,
};
const struct er_opt_group er_opts_search = {
    .title = "Choice", .options = search_rows};

#define COLLECTION_ROW(what)                                              \
    {.name = "collection", .kind = ER_OPT_TEXT,                           \
        .offset = AT(collection), .arg = "NAME", .help = what}

static const struct er_opt index_rows[] = {
    COLLECTION_ROW("the documents belong to it (default if not given)"),
    {.name = "list", .kind = ER_OPT_FLAG, .offset = AT(list),
        .help = "show what is indexed, at PATH if given"},
    {.name = "remove", .kind = ER_OPT_FLAG, .offset = AT(remove),
        .help = "forget what is indexed at PATH, or a collection"},
    {.name = "again", .kind = ER_OPT_FLAG, .offset = AT(again),
        .help = "read unchanged files too"},
    {.name = "hidden", .kind = ER_OPT_FLAG, .offset = AT(hidden),
        .help = "also names that begin with a dot"},
    {.name = "jobs", .kind = ER_OPT_INT, .offset = AT(jobs), .arg = "N",
        .help = "threads that read (one per processor if not given)",
        .min = 1, .max = 64},
    {.name = "limit", .letter = 'n', .kind = ER_OPT_INT,
        .offset = AT(limit), .arg = "N",
        .help = "list at most N (1000 if not given)", .min = 1,
        .max = 1000000},
    END_ROW,
};
const struct er_opt_group er_opts_index = {
    .title = "Index", .options = index_rows};

static const struct er_opt find_rows[] = {
    COLLECTION_ROW("only in this collection"),
    {.name = "path", .kind = ER_OPT_FILE, .offset = AT(path), .arg = "PATH",
        .help = "only in this file, this folder, or what a pattern fits"},
    {.name = "kind", .kind = ER_OPT_CHOICE, .offset = AT(kind),
        .arg = "text|markdown|html|code|jsonl|csv|pdf|office",
        .help = "only documents of this kind"},
    {.name = "limit", .letter = 'n', .kind = ER_OPT_INT,
        .offset = AT(limit), .arg = "N",
        .help = "at most N (10 if not given)", .min = 1, .max = 1000},
    {.name = "per-document", .kind = ER_OPT_INT,
        .offset = AT(per_document), .arg = "N",
        .help = "at most N of one document", .min = 1, .max = 1000},
    END_ROW,
};
const struct er_opt_group er_opts_find = {
    .title = "Search", .options = find_rows};

static const struct er_opt answer_rows[] = {
    {.name = "answer", .kind = ER_OPT_FLAG, .offset = AT(answer),
        .help = "a model answers from what is found, and cites it"},
    {.name = "model", .letter = 'm', .kind = ER_OPT_TEXT,
        .offset = AT(model), .arg = "MODEL",
        .help = "who answers, as provider:name"},
    {.name = "record", .kind = ER_OPT_FILE, .offset = AT(record),
        .arg = "FILE", .help = "record every exchange with the model"},
    {.name = "replay", .kind = ER_OPT_FILE, .offset = AT(replay),
        .arg = "FILE", .help = "a recording answers instead of the model"},
    END_ROW,
};
const struct er_opt_group er_opts_answer = {
    .title = "Answer", .options = answer_rows};

static const struct er_opt export_rows[] = {
    {.name = "format", .kind = ER_OPT_CHOICE, .offset = AT(format),
        .arg = "md|json|html",
        .help = "Markdown (if not given), JSON, or a page with a timeline"},
    {.name = "html", .kind = ER_OPT_FLAG, .offset = AT(html),
        .help = "the same as --format html"},
    OUTPUT_ROW("write it there instead of to standard output"),
    END_ROW,
};
const struct er_opt_group er_opts_export = {
    .title = "Export", .options = export_rows};

static const struct er_opt show_rows[] = {
    {.name = "tree", .kind = ER_OPT_FLAG, .offset = AT(tree),
        .help = "draw it: steps, turns, calls, times, tokens, cost"},
    END_ROW,
};
const struct er_opt_group er_opts_show = {
    .title = "Show", .options = show_rows};

static const struct er_opt fork_rows[] = {
    {.name = "at", .kind = ER_OPT_INT, .offset = AT(at), .arg = "SEQ",
        .help = "last message to copy (all if not given)", .min = 0,
        .max = 1000000000},
    END_ROW,
};
const struct er_opt_group er_opts_fork = {
    .title = "Fork", .options = fork_rows};

static const struct er_opt resolve_rows[] = {
    {.name = "done", .kind = ER_OPT_FLAG, .offset = AT(done),
        .help = "it took effect; TEXT is its result"},
    {.name = "not-done", .kind = ER_OPT_FLAG, .offset = AT(not_done),
        .help = "it did not take effect; it may run again"},
    {.name = "approve", .kind = ER_OPT_FLAG, .offset = AT(accept),
        .help = "it waits for approval, and may run"},
    {.name = "refuse", .kind = ER_OPT_FLAG, .offset = AT(refuse),
        .help = "it waits for approval, and may not; TEXT says why"},
    END_ROW,
};
const struct er_opt_group er_opts_resolve = {
    .title = "Outcome", .options = resolve_rows};

static const struct er_opt rm_rows[] = {
    {.name = "yes", .letter = 'y', .kind = ER_OPT_FLAG, .offset = AT(yes),
        .help = "do not ask"},
    END_ROW,
};
const struct er_opt_group er_opts_rm = {
    .title = "Options", .options = rm_rows};

#define FORMATS                                                           \
    "llama3|hermes|mistral|openai|openai-sse|workers-ai|workers-ai-sse"
#define JSONL_ROW                                                         \
    {.name = "jsonl", .kind = ER_OPT_FLAG, .offset = AT(jsonl),           \
        .help = "a case per line of standard input, an answer per line"}

static const struct er_opt parse_rows[] = {
    {.name = "format", .kind = ER_OPT_CHOICE, .offset = AT(format),
        .arg = FORMATS, .help = "how the answer was written; required"},
    JSONL_ROW,
    HELP_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_parse = {
    .title = "Options", .options = parse_rows};

static const struct er_opt schema_rows[] = {
    {.name = "draft", .kind = ER_OPT_CHOICE, .offset = AT(draft),
        .arg = "2020-12|7",
        .help = "draft where the schema names none (2020-12)"},
    {.name = "formats", .kind = ER_OPT_FLAG, .offset = AT(formats),
        .help = "\"format\" must hold; else it is an annotation"},
    JSONL_ROW,
    HELP_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_schema = {
    .title = "Options", .options = schema_rows};

#define MODEL_FILE_ROW                                                    \
    {.name = "model", .letter = 'm', .kind = ER_OPT_FILE,                 \
        .offset = AT(model), .arg = "FILE",                               \
        .help = "a GGUF file, or the name of one; required"}

static const struct er_opt cases_rows[] = {
    JSONL_ROW,
    HELP_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_cases = {
    .title = "Options", .options = cases_rows};

static const struct er_opt render_rows[] = {
    MODEL_FILE_ROW,
    JSONL_ROW,
    HELP_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_render = {
    .title = "Options", .options = render_rows};

static const struct er_opt tokenize_rows[] = {
    MODEL_FILE_ROW,
    {.name = "special", .kind = ER_OPT_FLAG, .offset = AT(special),
        .help = "control tokens in the text count; else they are text"},
    JSONL_ROW,
    HELP_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_tokenize = {
    .title = "Options", .options = tokenize_rows};

static const struct er_opt logits_rows[] = {
    MODEL_FILE_ROW,
    {.name = "lora", .kind = ER_OPT_FILES, .offset = AT(loras),
        .arg = "FILE=SCALE",
        .help = "a LoRA adapter, and how strongly; may be repeated"},
    {.name = "exact", .kind = ER_OPT_FLAG, .offset = AT(exact),
        .help = "compute in f32 throughout: slow, for checks"},
    JSONL_ROW,
    HELP_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_logits = {
    .title = "Options", .options = logits_rows};

static const struct er_opt info_rows[] = {
    {.name = "context", .kind = ER_OPT_INT, .offset = AT(context),
        .arg = "N", .min = 1, .max = 1 << 30,
        .help = "count memory for so many tokens; else what would be used"},
    END_ROW,
};
const struct er_opt_group er_opts_info = {
    .title = "Options", .options = info_rows};

static const struct er_opt bench_rows[] = {
    {.name = "prompt", .kind = ER_OPT_INT, .offset = AT(prompt_tokens),
        .arg = "N", .min = 1, .max = 1 << 20,
        .help = "tokens of the prompt; 512 if not given"},
    {.name = "answer", .kind = ER_OPT_INT, .offset = AT(answer_tokens),
        .arg = "N", .min = 1, .max = 1 << 20,
        .help = "tokens of the answer; 64 if not given"},
    {.name = "rounds", .kind = ER_OPT_INT, .offset = AT(rounds),
        .arg = "N", .min = 1, .max = 1000,
        .help = "how often; 3 if not given"},
    {.name = "threads", .kind = ER_OPT_INT, .offset = AT(threads),
        .arg = "N", .min = 1, .max = 1024,
        .help = "threads that compute; else one per core"},
    END_ROW,
};
const struct er_opt_group er_opts_bench = {
    .title = "Options", .options = bench_rows};

static const struct er_opt pull_rows[] = {
    {.name = "dir", .kind = ER_OPT_FILE, .offset = AT(dir), .arg = "FOLDER",
        .help = "where to put it; else the user's folder of models"},
    {.name = "checksum", .kind = ER_OPT_TEXT, .offset = AT(sha256),
        .arg = "SUM", .help = "the SHA-256 that the file must have"},
    END_ROW,
};
const struct er_opt_group er_opts_pull = {
    .title = "Options", .options = pull_rows};

static const struct er_opt help_only_rows[] = {
    {.name = "completion", .kind = ER_OPT_CHOICE, .offset = AT(completion),
        .arg = "bash|zsh|fish", .help = "print this shell's completions"},
    {.name = "table", .kind = ER_OPT_FLAG, .offset = AT(table),
        .help = "print commands and options as lines with tabs"},
    HELP_ROW,
    END_ROW,
};
const struct er_opt_group er_opts_help_command = {
    .title = "Options", .options = help_only_rows};
