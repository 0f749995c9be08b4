/* A grammar as a program: nodes, rules, and how they are put together.
 *
 * Nodes are built backwards: who builds one knows what follows it. Node 0
 * returns from a rule.
 */
#ifndef ERRAND_ENGINE_GRAMMAR_PROGRAM_H
#define ERRAND_ENGINE_GRAMMAR_PROGRAM_H

#include "engine/grammar.h"
#include "engine/grammar_dfa.h"

enum er_gop {
    ER_G_RETURN = 0,
    ER_G_FAIL = 1,
    ER_G_TEXT = 2,   /* these bytes, then next */
    ER_G_RAW = 3,    /* bytes that an automaton accepts, then next */
    ER_G_STRING = 4, /* the inside of a JSON string whose text an automaton
                        accepts, of min..max characters, and its quote */
    ER_G_SPLIT = 5,  /* next or other */
    ER_G_CALL = 6,   /* a rule, then next */
    ER_G_REPEAT = 7, /* body other once, then body more, min..max times in
                        all, then next; bodies end with RETURN */
};

struct er_gnode {
    uint8_t op;
    uint32_t next, other, more;
    uint32_t min, max; /* UINT32_MAX: no bound */
    uint32_t n;        /* TEXT: bytes */
    const char *text;
    const struct er_dfa *dfa;
};

struct er_grammar {
    struct er_arena keep;
    struct er_gnode *node;
    size_t n, cap;
    uint32_t *rule; /* entry node of each */
    size_t n_rules, cap_rules;
    uint32_t root; /* rule */
    const char **unenforced;
    size_t n_unenforced;
    bool nomem, too_large;
};

enum { ER_G_MAX_NODES = 400000, ER_G_NONE = 1 /* a FAIL node */ };

er_grammar *er_gprogram_new(void);
uint32_t er_gprogram_text(
    er_grammar *g, const char *s, size_t n, uint32_t next);
uint32_t er_gprogram_raw(
    er_grammar *g, const struct er_dfa *d, uint32_t next);
uint32_t er_gprogram_string(er_grammar *g, const struct er_dfa *d,
    uint32_t min, uint32_t max, uint32_t next);
uint32_t er_gprogram_split(er_grammar *g, uint32_t a, uint32_t b);
uint32_t er_gprogram_call(er_grammar *g, uint32_t rule, uint32_t next);
uint32_t er_gprogram_repeat(er_grammar *g, uint32_t first, uint32_t more,
    uint32_t min, uint32_t max, uint32_t next);
uint32_t er_gprogram_rule(er_grammar *g); /* a new one, its entry FAIL */
void er_gprogram_unenforced(er_grammar *g, const char *keyword);

/* Take out what cannot end; false if nothing is left. */
bool er_gprogram_finish(er_grammar *g);

/* Can a rule begin with itself? The rule's number, or -1. */
long er_gprogram_left_recursion(const er_grammar *g);

#endif
