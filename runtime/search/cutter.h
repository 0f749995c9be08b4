/* The inside of chunking: pieces are gathered until a chunk is full. What a
 * piece is (a paragraph, a function, a row) is for the readers of each kind
 * to say: chunk_mark.c, chunk_code.c, chunk_rows.c. */
#ifndef ERRAND_SEARCH_CUTTER_H
#define ERRAND_SEARCH_CUTTER_H

#include "search/chunk.h"

struct er_cutter {
    struct er_chunks *out;
    const char *text;
    size_t len;
    size_t start, tokens; /* of the chunk that is being filled */
    int64_t line;         /* of start */
    const char *heading;  /* of it; in the arena */
    bool body;            /* it holds more than headings */
    struct errand_error *err;
    int code; /* the first failure; then nothing is done any more */
};

/* End the chunk that is being filled, at byte end. */
void er_cutter_end(struct er_cutter *c, size_t end);

/* The next piece ends at byte end: into the chunk, or a new one if it would
 * be too full; cut up if it is too large for any. */
void er_cutter_piece(struct er_cutter *c, size_t from, size_t end);

/* A chunk of its own, with a text that is not the bytes. */
void er_cutter_add(struct er_cutter *c, const struct er_chunk *chunk);

/* Where the line that begins at at ends: behind its line break. */
size_t er_line_end(const char *text, size_t len, size_t at);

/* True if there is nothing but spaces. */
bool er_is_blank(const char *text, size_t len);

/* The readers of the kinds. */
void er_cut_marked(struct er_cutter *c);
void er_cut_plain(struct er_cutter *c);
void er_cut_code(struct er_cutter *c);
void er_cut_csv(struct er_cutter *c);
void er_cut_jsonl(struct er_cutter *c);

#endif
