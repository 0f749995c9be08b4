/* The shapes of a call: what may begin here, and what it says.
 *
 * Every question is asked of bytes that may not be all there yet, and is
 * answered so that more bytes never change the answer: MORE until it is
 * certain, then NO or YES for good. That is what makes the events the same
 * for every cut of the input.
 */
#ifndef ERRAND_ENGINE_CHAT_SHAPE_H
#define ERRAND_ENGINE_CHAT_SHAPE_H

#include "base/arena.h"
#include "engine/chat_literal.h"
#include "engine/chat_parse.h"

/* What stands in front of a call's value (tags, spaces, first key) must fit
 * into this many bytes; it is read again with each piece. */
enum { ER_CHAT_HEAD_MAX = 4096 };

enum er_chat_answer { ER_CHAT_MORE = 0, ER_CHAT_NO = 1, ER_CHAT_YES = 2 };

struct er_chat_names {
    const char *const *list; /* ended by NULL; NULL: all well-formed ones */
};

/* What the recogniser is asked about. Heads are only looked for in the first
 * n bytes; values end where they end. */
struct er_chat_view {
    const char *s; /* bytes held back */
    size_t n;      /* at most ER_CHAT_HEAD_MAX of them */
    size_t total;  /* all of them */
    size_t at;     /* where to look; moves as it reads */
    bool ended;    /* no more bytes will come */
    bool full;     /* no more bytes are held back: what is not decided now
                      is text */
    const struct er_chat_names *names;
    struct er_chat_scan *scan; /* of the value that begins at scan_from */
    size_t *scan_from;
};

/* A call or several, and what is open behind them. */
struct er_chat_match {
    struct er_arena arena; /* owns everything here */
    struct er_chat_call *calls;
    size_t n_calls, cap;
    size_t len;           /* bytes of the view that are used up */
    const char *close[2]; /* tags that may close, innermost first */
    bool items;           /* further mistral items may follow untagged */
    bool nomem;           /* the answer NO only means that */
};

void er_chat_match_init(struct er_chat_match *m);
void er_chat_match_release(struct er_chat_match *m);

/* Does a literal begin at the view's place? Moves behind it on YES. */
enum er_chat_answer er_chat_literal_at(
    struct er_chat_view *v, const char *literal);

/* Does the reply's beginning hold a call in one of the family's shapes? */
enum er_chat_answer er_chat_opening(enum er_chat_family family,
    struct er_chat_view v, struct er_chat_match *m);

/* Does a tag that may stand anywhere (hermes, mistral) hold a call? */
enum er_chat_answer er_chat_tagged(enum er_chat_family family,
    struct er_chat_view v, struct er_chat_match *m);

/* Is there one more value inside of open tags? */
enum er_chat_answer er_chat_inside(
    bool items, struct er_chat_view v, struct er_chat_match *m);

/* The tag of er_chat_tagged, or NULL if the family has none. */
const char *er_chat_tag(enum er_chat_family family);

/* What marks the end of a message in the family's texts; ended by NULL. */
const char *const *er_chat_end_marks(enum er_chat_family family);

#endif
