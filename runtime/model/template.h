/* The form of an event, for the short cut through streams (shortcut.c).
 *
 * Event after event of a stream is the same JSON but for a few leaves: the
 * piece of text, padding, counted tokens. A template is an event with holes
 * in these places. A hole takes one string literal's contents or the digits
 * of one integer, so whatever fills it changes that one leaf of the document
 * and nothing else: that is what makes a proof about one event hold for all
 * events of its form.
 */
#ifndef ERRAND_MODEL_TEMPLATE_H
#define ERRAND_MODEL_TEMPLATE_H

#include "base/buf.h"

#include <stdint.h>

enum {
    ER_TEMPLATE_HOLES = 8,
    ER_TEMPLATE_MAX = 8192, /* longer events are not worth a short cut */
};

enum er_hole {
    ER_HOLE_TEXT = 0,    /* exactly one: the piece */
    ER_HOLE_PADDING = 1, /* a string that endpoints fill at random against
                            eavesdroppers: plain ASCII */
    ER_HOLE_NUMBER = 2,  /* 1 to 15 digits, the first no 0 */
};

struct er_template {
    struct er_buf fixed; /* the fixed pieces, one behind the other */
    size_t piece[ER_TEMPLATE_HOLES + 1]; /* their lengths */
    enum er_hole hole[ER_TEMPLATE_HOLES];
    size_t holes;
    unsigned seen; /* events of this form in a row, by er_template_learn */
};

/* What fills a template. */
struct er_filling {
    const char *text; /* decoded; borrowed from the event or scratch */
    size_t text_len;
    int64_t number[ER_TEMPLATE_HOLES]; /* by hole; 0 in the others */
};

void er_template_init(struct er_template *t);
void er_template_release(struct er_template *t);

/* Is this event of the template's form? False too for strings that are not
 * plain: lone surrogates, \u0000, bytes that are no UTF-8. */
bool er_template_match(const struct er_template *t, const char *data,
    size_t len, struct er_buf *scratch, struct er_filling *filling);

/* Count an event of the template's form, or make the template of this one.
 * Which leaves become holes is a guess by their names. */
void er_template_learn(
    struct er_template *t, const char *data, size_t len);

/* The event with this text (as it stands in a literal), padding, and in
 * each number's hole base plus the hole's place: appended to out. */
bool er_template_fill(const struct er_template *t, const char *text,
    const char *padding, unsigned base, struct er_buf *out);

#endif
