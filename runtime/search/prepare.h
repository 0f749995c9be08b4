/* One document made ready to be written: read, cut, its words and names
 * gathered. All that costs time and needs no database; many threads do it. */
#ifndef ERRAND_SEARCH_PREPARE_H
#define ERRAND_SEARCH_PREPARE_H

#include "search/chunk.h"
#include "search/docs_db.h"
#include "search/extract.h"
#include "search/walk.h"

enum er_prepared_state {
    ER_PREPARED = 0,
    ER_PREPARED_SAME = 1,    /* its hash is the known one */
    ER_PREPARED_PROBLEM = 2, /* why stands in err */
};

struct er_prepared {
    enum er_prepared_state state;
    struct errand_error err;
    const struct er_file *file; /* borrowed */
    struct er_document doc;     /* texts borrowed from below and file */
    struct er_extract extract;
    struct er_chunks chunks;
    struct er_buf words, names; /* of all chunks, one behind the other */
    size_t *ends;               /* [2 * n]: where a chunk's words and names
                                   end in them */
    size_t n_words;
};

/* Read a file; known_hash (32 bytes or NULL) of what is indexed. Never
 * fails: what is wrong is a state. Release in any case. */
void er_prepare(struct er_prepared *p, const struct er_file *file,
    const unsigned char *known_hash, struct er_words *words);
void er_prepared_release(struct er_prepared *p);

#endif
