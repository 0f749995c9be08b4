/* Words of a text as the index knows them: FTS5's own tokens.
 *
 * SQLite's tokenizer "porter unicode61 remove_diacritics 2" decides what a
 * word is and what it comes down to, so that the index can be read by any
 * SQLite. It is asked once per different word: answers are kept, and looking
 * a word up costs a tenth of stemming it. So many threads can prepare what
 * one connection then only writes, and the words of a found text can be
 * counted again when it is ranked.
 *
 * A reader belongs to one thread. What it keeps is bounded; er_words_tidy
 * forgets it all.
 */
#ifndef ERRAND_SEARCH_TOKEN_H
#define ERRAND_SEARCH_TOKEN_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct er_words;

/* Errors NOMEM, STORE (SQLite without FTS5). Free with er_words_free. */
struct er_words *er_words_new(struct errand_error *err);
void er_words_free(struct er_words *w);

/* One token: a number that stands for its text as long as this reader is not
 * tidied. Numbers begin at 1. */
typedef uint32_t er_word;

struct er_token {
    er_word word;
    size_t start, end; /* bytes of the text it was read from */
};

/* Called for each token in the order of the text; false stops. */
typedef bool (*er_token_fn)(void *ctx, const struct er_token *token);

/* Read a text, which is valid UTF-8. False: no memory, or fn said stop. */
bool er_words_read(struct er_words *w, const char *text, size_t len,
    er_token_fn fn, void *ctx);

/* The text of a word; borrowed until the reader is tidied. */
const char *er_words_text(const struct er_words *w, er_word word);

/* How many words there are; their numbers are 1 to this. */
size_t er_words_count(const struct er_words *w);

/* Too small a word to look for: "the", "of". English only: in another
 * language a frequent word weighs little by its frequency. */
bool er_words_is_stop(const struct er_words *w, er_word word);

/* Forget everything if there is much: between two texts, never while numbers
 * are held. */
void er_words_tidy(struct er_words *w);

#endif
