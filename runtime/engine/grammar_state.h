/* Places in a running grammar: floor-private to grammar_state.c and
 * grammar_mask.c. */
#ifndef ERRAND_ENGINE_GRAMMAR_STATE_H
#define ERRAND_ENGINE_GRAMMAR_STATE_H

#include "engine/grammar_program.h"

/* One way the text so far can be read. */
struct er_gplace {
    uint32_t node;  /* TEXT, RAW or STRING; or RETURN at the very end */
    uint32_t frame; /* top of its stack, 0: empty */
    uint32_t at;    /* TEXT: bytes done; RAW, STRING: the automaton's state */
    uint32_t count; /* STRING: characters so far */
    uint32_t escape; /* STRING: inside of \uXXXX; 0 outside */
};

/* Where to go on when a rule returns. Frames are shared and never change. */
struct er_gframe {
    uint32_t node;  /* what follows the call; or a REPEAT */
    uint32_t count; /* REPEAT: times it has run */
    uint32_t below;
};

struct er_gset {
    struct er_gplace *p;
    size_t n, cap;
};

struct er_gstate {
    const er_grammar *g;
    struct er_gset now, next;
    struct er_gframe *frame; /* [0] is unused */
    size_t n_frames, cap_frames;
    struct er_gplace *work;  /* of a closure */
    size_t n_work, cap_work;
    bool failed; /* no memory, or too many places at once */
    struct er_gcache *cache; /* of masks; NULL until there are any */
};

enum { ER_G_MAX_PLACES = 20000 };

/* From the places in `from` over one byte to those in `to`; frames are added
 * at the end. False if none is left. */
bool er_gstate_step(er_gstate *s, const struct er_gset *from,
    struct er_gset *to, uint8_t byte);

#endif
