/* A conversation at the terminal: its state, and what /commands do to it. */
#ifndef ERRAND_CLI_CHAT_H
#define ERRAND_CLI_CHAT_H

#include "base/arena.h"
#include "base/clock.h"
#include "cli.h"

struct er_chat {
    struct er_cli *cli;
    struct er_arena arena; /* settings typed here live as long as the chat */
    struct errand_request request; /* model, tools ... of the next turn */
    char conversation[ER_ID_SIZE]; /* "" before the first answer */
    const char *system;            /* of a new conversation, or NULL */
    bool quit;
};

/* Do what a line that begins with "/" says; errors are said. */
void er_chat_command(struct er_chat *chat, const char *line);

#endif
