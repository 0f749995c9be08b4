/* The short cut through streams whose events differ in a few leaves only.
 *
 * Events that follow each other in the same form (template.h) are read the
 * long way a few times; then the form is proven: its event is read again,
 * apart from the stream, with other strings and numbers in the holes, and
 * what comes of it must be one piece of text, reasoning or arguments, the
 * very string, perhaps a usage of the very numbers, and nothing else. From
 * then on an event of that form needs no parsing. Whatever does not fit is
 * read the long way.
 */
#ifndef ERRAND_MODEL_SHORTCUT_H
#define ERRAND_MODEL_SHORTCUT_H

#include "model/calls.h"
#include "model/template.h"
#include "model/wire.h"

enum er_shortcut_state {
    ER_SHORTCUT_LEARNING = 0,
    ER_SHORTCUT_PROVEN = 1,
    ER_SHORTCUT_REFUTED = 2, /* until the form changes */
};

enum er_shortcut_kind {
    ER_SHORTCUT_TEXT = 0,
    ER_SHORTCUT_REASONING = 1,
    ER_SHORTCUT_ARGUMENTS = 2, /* of the call that owner names */
};

enum { ER_SHORTCUT_FIELDS = 4 }; /* of struct er_usage */

struct er_shortcut {
    unsigned read; /* events so far, up to the first that is looked at */
    struct er_template form;
    struct er_buf scratch;
    enum er_shortcut_state state;
    enum er_shortcut_kind kind;
    struct er_call_owner owner;
    bool has_usage;
    struct er_usage usage; /* of every event of the form, but */
    int field[ER_SHORTCUT_FIELDS]; /* for these: by field the number's hole,
                                      -1 if usage has it */
};

struct er_reader;

void er_shortcut_init(struct er_shortcut *s, size_t max_bytes);
void er_shortcut_release(struct er_shortcut *s);

/* Take the event by the short cut; false if it has to be read. */
bool er_shortcut_take(struct er_reader *r, const char *data, size_t len);

/* An event was read the long way, and said something. */
void er_shortcut_learn(struct er_reader *r, const char *data, size_t len);

#endif
