/* What the two indexes are given of a chunk: made when it is written and,
 * letter for letter the same, when it is taken out again. */
#ifndef ERRAND_SEARCH_INDEX_TEXT_H
#define ERRAND_SEARCH_INDEX_TEXT_H

#include "search/kind.h"
#include "search/token.h"

/* What stands over a chunk: the file's name, the document's title, the
 * heading path, each once. */
bool er_index_head(struct er_buf *out, const char *path, const char *title,
    const char *heading);

/* The words of head and text with spaces between them; *n says how many. */
bool er_index_words(struct er_words *w, const char *head, size_t head_len,
    const char *text, size_t len, struct er_buf *out, size_t *n);

/* The names in a text, each once, on lines: what has a capital, a mark, a
 * letter outside of ASCII, or digits among letters ("er_docs_open", "x86-64",
 * "RFC", "naïve"), and in code every word. Lower case. */
bool er_index_names(enum er_kind kind, const char *text, size_t len,
    struct er_buf *out);

/* True if a word of a query is to be looked for as a name: letters with
 * digits, marks or capitals within. "high-speed" is not: its words are. */
bool er_index_is_name(const char *word, size_t len);

#endif
