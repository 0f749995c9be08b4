/* The short cut for streams of text.
 *
 * Event after event of such a stream is the same JSON but for one string:
 * the piece of text. Once that was proven for an event (by reading it again
 * with other strings in that place and seeing that the text changes and
 * nothing else does), an event with the same bytes around the string needs
 * no parsing: the string is decoded and given. JSON makes this exact: a
 * string literal put in the place of another changes that one leaf of the
 * document and nothing else. A second string may differ from event to event
 * if the proof shows that nobody reads it: the padding ("p", "obfuscation")
 * that endpoints send against eavesdroppers.
 */
#ifndef ERRAND_MODEL_TEMPLATE_H
#define ERRAND_MODEL_TEMPLATE_H

#include "base/buf.h"

enum { ER_TEMPLATE_HOLES = 2 };

struct er_template {
    struct er_buf fixed; /* the fixed pieces, one behind the other */
    size_t piece[ER_TEMPLATE_HOLES + 1]; /* their lengths */
    size_t holes;
    size_t text_hole; /* which hole is the text; the other is padding */
    bool proven, refuted;
    bool reasoning; /* the text is reasoning */
};

/* Shorter events than this are the only ones worth a short cut. */
enum { ER_TEMPLATE_MAX = 8192 };

void er_template_init(struct er_template *t);
void er_template_release(struct er_template *t);

/* Is this event of the template's form? Then its text is given, borrowed
 * from data or scratch. False too for every string that is not plain:
 * lone surrogates, \u0000, bytes that are no UTF-8. */
bool er_template_match(const struct er_template *t, const char *data,
    size_t len, struct er_buf *scratch, const char **text, size_t *text_len);

/* Lay the template out after an event that gave one piece of text. True if
 * it has this form for the second time in a row and wants its proof. */
bool er_template_learn(
    struct er_template *t, const char *data, size_t len, bool reasoning);

/* The event with the given literals' contents in its holes, for the proof:
 * appended to out. */
bool er_template_fill(const struct er_template *t, const char *text,
    const char *padding, struct er_buf *out);

#endif
