/* Reading what a person types, a message at a time.
 *
 * In a terminal with line editing and a history that is kept (libedit);
 * elsewhere line by line. A line that ends in a backslash goes on in the
 * next; three quotes (""") begin and end a message of several lines.
 */
#ifndef ERRAND_CLI_EDITOR_H
#define ERRAND_CLI_EDITOR_H

#include "base/buf.h"

#include <stdbool.h>

typedef struct er_editor er_editor;

enum er_editor_result {
    ER_EDITOR_END = 0,         /* Ctrl-D, or the end of standard input */
    ER_EDITOR_MESSAGE = 1,
    ER_EDITOR_INTERRUPTED = 2, /* Ctrl-C: what was typed is dropped */
};

/* editing: use the terminal. NULL: no memory. */
er_editor *er_editor_new(bool editing);

/* Saves the history. NULL is harmless. */
void er_editor_free(er_editor *e);

/* Read one message into out (which is reset first). */
enum er_editor_result er_editor_read(er_editor *e, struct er_buf *out);

/* Where the history is kept; "" if there is no place for it. */
const char *er_editor_history_path(const er_editor *e);

#endif
