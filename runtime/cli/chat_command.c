/* What /commands do. One table: the help is made from it. */
#include "chat.h"

#include "base/text.h"
#include "request.h"
#include "similar.h"
#include "transcript.h"
#include "write.h"

#include <string.h>

static const size_t MAX_TEXT = (size_t)1 << 30;

struct command {
    const char *name, *words, *help;
    void (*run)(struct er_chat *chat, const char *rest);
};

static const struct command *table(size_t *n);

static void do_help(struct er_chat *chat, const char *rest)
{
    size_t n;
    const struct command *rows = table(&n);
    struct er_term *t = &chat->cli->term;
    (void)rest;
    for (size_t i = 0; i < n; i++)
        er_term_note(t, ER_PLAIN, "/%-6s %-10s %s", rows[i].name,
            rows[i].words, rows[i].help);
    er_term_note(t, ER_PLAIN, "A line that ends in \\ goes on in the next; "
        "\"\"\" begins and ends several lines.");
    er_term_note(t, ER_PLAIN, "Ctrl-C stops the turn or drops the line, "
        "Ctrl-D ends the chat.");
}

static void do_new(struct er_chat *chat, const char *rest)
{
    (void)rest;
    chat->conversation[0] = '\0';
    er_term_note(&chat->cli->term, ER_DIM, "a new conversation");
}

static void do_model(struct er_chat *chat, const char *rest)
{
    if (*rest)
        chat->request.model = er_arena_str(&chat->arena, rest);
    er_term_note(&chat->cli->term, ER_DIM, "model: %s",
        chat->request.model ? chat->request.model : "as configured");
}

static void list_tools(struct er_chat *chat)
{
    struct errand_error err = {0};
    struct er_term *t = &chat->cli->term;
    char *text = NULL;
    if (errand_tools_list(chat->cli->rt, &text, &err)) {
        er_cli_fail(chat->cli, &err);
        return;
    }
    json_t *tools = er_cli_answer(chat->cli, text), *tool;
    size_t i;
    json_array_foreach(tools, i, tool) {
        const char *name = er_json_str(tool, "name");
        const char *about = er_json_str(tool, "description");
        er_term_note(t, ER_PLAIN, "%-20s %.*s", name ? name : "",
            (int)strcspn(about ? about : "", "\r\n"), about ? about : "");
    }
    json_decref(tools);
}

static void do_tools(struct er_chat *chat, const char *rest)
{
    struct errand_error err = {0};
    struct er_list list = {.n = 0};
    const char *const *names = NULL;
    if (!*rest) {
        list_tools(chat);
        return;
    }
    list.v[list.n++] = er_arena_str(&chat->arena, rest);
    if (!list.v[0] || er_request_tools(&list, &chat->arena, &names, &err)) {
        er_cli_fail(chat->cli, &err);
        return;
    }
    chat->request.tools = names;
    er_term_note(&chat->cli->term, ER_DIM, "tools: %s", rest);
}

/* The conversation as JSON, or NULL after saying why. */
static json_t *conversation_of(struct er_chat *chat)
{
    struct errand_error err = {0};
    char *text = NULL;
    if (!chat->conversation[0]) {
        er_term_error(&chat->cli->term, "nothing was said yet");
        return NULL;
    }
    if (errand_log_show(chat->cli->rt, chat->conversation, &text, &err)) {
        er_cli_fail(chat->cli, &err);
        return NULL;
    }
    return er_cli_answer(chat->cli, text);
}

static void do_save(struct er_chat *chat, const char *rest)
{
    struct errand_error err = {0};
    struct er_buf out;
    if (!*rest) {
        er_term_error(&chat->cli->term, "/save needs a file: /save notes.md");
        return;
    }
    json_t *doc = conversation_of(chat);
    if (!doc)
        return;
    er_buf_init(&out, MAX_TEXT);
    er_transcript_markdown(doc, &out);
    if (er_write_file(rest, er_buf_str(&out), out.len, &err))
        er_cli_fail(chat->cli, &err);
    else
        er_term_note(&chat->cli->term, ER_DIM, "saved to %s", rest);
    er_buf_release(&out);
    json_decref(doc);
}

/* Seq of the last message of the user and of the one before it; -1: none. */
static void last_user(const json_t *doc, int64_t *seq, int64_t *before)
{
    const json_t *m;
    size_t i;
    int64_t previous = -1;
    *seq = *before = -1;
    json_array_foreach(json_object_get(doc, "messages"), i, m) {
        const char *role = er_json_str(m, "role");
        if (role && strcmp(role, "user") == 0) {
            *seq = er_json_int(m, "seq", -1);
            *before = previous;
        }
        previous = er_json_int(m, "seq", -1);
    }
}

/* Go on in a copy that ends before the last message of the user. */
static void do_undo(struct er_chat *chat, const char *rest)
{
    struct errand_error err = {0};
    int64_t seq, before;
    char *text = NULL;
    json_t *doc = conversation_of(chat);
    (void)rest;
    if (!doc)
        return;
    last_user(doc, &seq, &before);
    json_decref(doc);
    if (seq < 0 || before < 0) {
        do_new(chat, "");
        return;
    }
    if (errand_log_fork(
            chat->cli->rt, chat->conversation, before, &text, &err)) {
        er_cli_fail(chat->cli, &err);
        return;
    }
    json_t *answer = er_cli_answer(chat->cli, text);
    const char *id = er_json_str(answer, "conversation");
    if (id && strlen(id) < sizeof chat->conversation)
        memcpy(chat->conversation, id, strlen(id) + 1);
    json_decref(answer);
    er_term_note(&chat->cli->term, ER_DIM, "the last question is taken back "
        "(what tools did stays done)");
}

static void do_quit(struct er_chat *chat, const char *rest)
{
    (void)rest;
    chat->quit = true;
}

static const struct command commands[] = {
    {"help", "", "this list", do_help},
    {"new", "", "begin a new conversation", do_new},
    {"model", "[MODEL]", "show or change who answers", do_model},
    {"tools", "[TOOL,...]", "list the tools, or say which it may call",
        do_tools},
    {"save", "FILE", "write the conversation as Markdown", do_save},
    {"undo", "", "take the last question back", do_undo},
    {"quit", "", "end the chat", do_quit},
};

static const struct command *table(size_t *n)
{
    *n = sizeof commands / sizeof commands[0];
    return commands;
}

void er_chat_command(struct er_chat *chat, const char *line)
{
    size_t len = strcspn(line + 1, " \t\r\n");
    const char *rest = line + 1 + len;
    struct er_similar near;
    char name[40] = "", argument[1024];
    memcpy(name, line + 1, len < sizeof name ? len : sizeof name - 1);
    rest += strspn(rest, " \t\r\n");
    size_t n = strlen(rest);
    while (n > 0 && strchr(" \t\r\n", rest[n - 1]))
        n--;
    if (n >= sizeof argument)
        n = er_utf8_cut(rest, n, sizeof argument - 1);
    memcpy(argument, rest, n);
    argument[n] = '\0';
    er_similar_init(&near, name);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            commands[i].run(chat, argument);
            return;
        }
        er_similar_offer(&near, commands[i].name);
    }
    const char *best = er_similar_best(&near);
    er_term_error(&chat->cli->term, "there is no /%s; %s%s%s", name,
        best ? "did you mean /" : "/help lists what there is",
        best ? best : "", best ? "?" : "");
}
