/* errand chat: a message, its answer, and again. */
#include "chat.h"
#include "editor.h"
#include "granter.h"
#include "input.h"
#include "print.h"
#include "request.h"
#include "signals.h"

#include <stdio.h>
#include <string.h>

static const size_t MAX_MESSAGE = (size_t)16 << 20;

/* A store whose disk failed takes nothing until it is opened anew, which
 * checks it. The turn goes on if it came as far as the store. */
static int open_again(struct er_cli *cli, const char *run)
{
    struct errand_error err = {0};
    struct er_printer printer;
    int status = ER_EXIT_FAILED;
    er_cli_close(cli);
    if (er_cli_try_open(cli, &err) != ERRAND_OK)
        return er_cli_fail(cli, &err);
    er_printer_init(&printer, cli);
    printer.chat = true;
    if (*run && errand_resume(cli->rt, run, NULL, er_printer_event, &printer,
                    NULL, &err) == ERRAND_OK) {
        er_term_note(&cli->term, ER_PLAIN, "the store was opened again and "
            "goes on");
        status = er_printer_drive(&printer);
    } else {
        er_term_note(&cli->term, ER_PLAIN, "the store was opened again; ask "
            "once more");
    }
    er_printer_release(&printer);
    return status;
}

/* One turn. Ctrl-C ends it, not the chat; a failed turn neither. */
static int turn(struct er_chat *chat, const struct er_buf *text)
{
    struct errand_error err = {0};
    struct er_printer printer;
    struct errand_request req = chat->request;
    int status;
    er_printer_init(&printer, chat->cli);
    printer.chat = true;
    bool old = chat->conversation[0] != '\0';
    req.conversation = old ? chat->conversation : NULL;
    req.system = old ? NULL : chat->system;
    req.prompt = er_buf_str(text);
    req.prompt_len = text->len;
    req.on_event = er_printer_event;
    req.user = &printer;
    if (errand_start(chat->cli->rt, &req, NULL, &err)) {
        status = er_cli_fail(chat->cli, &err);
    } else {
        status = er_printer_drive(&printer);
        err.code = printer.outcome.code;
    }
    if (printer.outcome.conversation[0])
        memcpy(chat->conversation, printer.outcome.conversation,
            sizeof chat->conversation);
    if (err.code == ERRAND_IO)
        status = open_again(chat->cli, printer.outcome.run);
    er_printer_release(&printer);
    return status;
}

static void greet(const struct er_chat *chat)
{
    struct er_term *t = &chat->cli->term;
    const char *model = chat->request.model;
    er_term_note(t, ER_DIM, "errand %s%s%s; /help tells what there is, "
        "Ctrl-D ends", errand_version(), model ? ", " : "",
        model ? model : "");
}

static int talk(struct er_chat *chat, er_editor *editor)
{
    struct er_buf text;
    int status = ER_EXIT_DONE, worst = ER_EXIT_DONE;
    er_buf_init(&text, MAX_MESSAGE);
    while (!chat->quit && chat->cli->rt) {
        enum er_editor_result got = er_editor_read(editor, &text);
        if (got == ER_EDITOR_END)
            break;
        if (text.failed)
            er_term_error(&chat->cli->term, "the message is larger than 16 "
                "MiB; give a part of it");
        if (got != ER_EDITOR_MESSAGE || text.failed ||
            er_input_is_blank(er_buf_str(&text), text.len))
            continue;
        if (text.data[0] == '/') {
            er_chat_command(chat, text.data);
            continue;
        }
        status = turn(chat, &text);
        er_term_flush(&chat->cli->term);
        if (status != ER_EXIT_DONE)
            worst = status;
    }
    er_buf_release(&text);
    return worst;
}

/* What is typed at a terminal is seen to fail; a script wants to know. */
static int chat_status(bool editing, int worst)
{
    return editing ? ER_EXIT_DONE : worst;
}

static int start(struct er_chat *chat)
{
    struct er_cli *cli = chat->cli;
    struct errand_error err = {0};
    bool editing = !er_input_is_piped() && cli->term.err_tty;
    if (cli->args.last && er_request_last(cli, chat->conversation, &err))
        return er_cli_fail(cli, &err);
    if (cli->args.conversation)
        snprintf(chat->conversation, sizeof chat->conversation, "%s",
            cli->args.conversation);
    er_editor *editor = er_editor_new(editing);
    if (!editor) {
        er_nomem(&err);
        return er_cli_fail(cli, &err);
    }
    if (editing) {
        er_signals_rest(ER_SIGNAL_NOTE); /* Ctrl-C never ends the chat */
        greet(chat);
    }
    int worst = talk(chat, editor);
    er_editor_free(editor);
    if (editing && chat->conversation[0] && cli->rt)
        er_term_note(&cli->term, ER_DIM, "go on later: errand chat -c %s",
            chat->conversation);
    return chat_status(editing, worst);
}

int er_cmd_chat(struct er_cli *cli)
{
    struct errand_error err = {0};
    struct er_chat chat = {.cli = cli};
    if (cli->args.last && cli->args.conversation)
        return er_cli_usage(cli, "--last and --conversation contradict each "
            "other; give one");
    er_arena_init(&chat.arena);
    int code = er_request_build(cli, &chat.arena, &chat.request, &err);
    chat.system = chat.request.system;
    int status = code ? er_cli_fail(cli, &err) : er_cli_open(cli);
    if (!status)
        status = er_granter_run(cli, chat.request.tools, true);
    if (!status)
        status = start(&chat);
    er_arena_release(&chat.arena);
    return status;
}
