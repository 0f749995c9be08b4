/* Documents cut into chunks: what is found, read and cited.
 *
 * Chunks stand in the order of the text and leave nothing out: one begins
 * where the one before ends. They are about ER_CHUNK_TOKENS tokens of a usual
 * model (guessed from the bytes: the index must not depend on a model) and
 * are cut where a reader would: at headings, between paragraphs, between
 * sentences, and in a word only if there is nothing else.
 */
#ifndef ERRAND_SEARCH_CHUNK_H
#define ERRAND_SEARCH_CHUNK_H

#include "base/arena.h"
#include "base/error.h"
#include "search/kind.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ER_CHUNK_TOKENS = 250,  /* aimed at */
    ER_CHUNK_MOST = 320,    /* tokens; more only in one unbroken word */
    ER_CHUNK_HEADING = 240, /* bytes of a heading path */
    ER_CHUNKS_MOST = 65535, /* of one document */
};

struct er_chunk {
    size_t start, end;   /* bytes of the document's text */
    int64_t line;        /* of start, from 1 */
    const char *heading; /* "Title > Section"; "" if there is none */
    const char *text;    /* valid UTF-8: the bytes themselves, or what a
                            record of data says, made readable */
    size_t len;
};

struct er_chunks {
    size_t n, room;
    struct er_chunk *v;
    const char *title; /* the first heading; or NULL */
    struct er_arena arena;
};

void er_chunks_init(struct er_chunks *c);
void er_chunks_release(struct er_chunks *c);

/* Cut a text, which must be valid UTF-8 and stay as long as the chunks: they
 * borrow from it. Text without a character that is seen gives no chunks.
 * Errors NOMEM, TOO_LARGE (more than ER_CHUNKS_MOST). [any] */
int er_chunk_text(struct er_chunks *out, enum er_kind kind, const char *text,
    size_t len, struct errand_error *err);

/* Tokens that a usual model needs for a text, give or take a fifth. [any] */
size_t er_tokens_guess(const char *text, size_t len);

#endif
