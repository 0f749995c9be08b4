/* Templates as trees: tokens, nodes, and the calls between the parts. */
#ifndef ERRAND_ENGINE_JINJA_NODE_H
#define ERRAND_ENGINE_JINJA_NODE_H

#include "engine/jinja_value.h"

enum er_jtok_kind {
    ER_JT_END = 0,
    ER_JT_DATA = 1,
    ER_JT_VAR = 2,       /* {{ */
    ER_JT_VAR_END = 3,   /* }} */
    ER_JT_BLOCK = 4,     /* {% */
    ER_JT_BLOCK_END = 5, /* %} */
    ER_JT_NAME = 6,
    ER_JT_STRING = 7,
    ER_JT_INT = 8,
    ER_JT_FLOAT = 9,
    ER_JT_OP = 10,
};

struct er_jtok {
    enum er_jtok_kind kind;
    unsigned line;
    const char *s; /* DATA and STRING: the text; NAME and OP: NUL-ended */
    size_t n;
    int64_t i;
    double f;
};

enum er_jnode_kind {
    ER_JN_DATA = 0,   /* value */
    ER_JN_OUTPUT = 1, /* a */
    ER_JN_IF = 2,     /* a: condition; list: then; more: else */
    ER_JN_FOR = 3,    /* a: target, b: iterable, c: filter; list, more */
    ER_JN_SET = 4,    /* a: target, b: value; or list: a body, more: filters */
    ER_JN_MACRO = 5,  /* name; more: parameters; list: body */
    ER_JN_CALL_BLOCK = 6, /* a: call; b: the caller, a MACRO */
    ER_JN_FILTER_BLOCK = 7, /* list: body; more: filters */
    ER_JN_BREAK = 8,
    ER_JN_CONTINUE = 9,
    ER_JN_BODY = 10,  /* list */
    ER_JN_WITH = 11,  /* more: SETs; list: body */

    ER_JN_CONST = 20, /* value */
    ER_JN_NAME = 21,
    ER_JN_LIST = 22,
    ER_JN_TUPLE = 23,
    ER_JN_DICT = 24,  /* list: keys, more: values */
    ER_JN_ATTR = 25,  /* a.name */
    ER_JN_ITEM = 26,  /* a[b] */
    ER_JN_SLICE = 27, /* a[b:c:list[0]]; each may be NULL */
    ER_JN_CALL = 28,  /* a(list, more) ; more: KEYWORD, STAR, STARSTAR */
    ER_JN_FILTER = 29, /* a|name(list, more) */
    ER_JN_TEST = 30,   /* a is name(list, more) */
    ER_JN_NOT = 31,
    ER_JN_AND = 32,
    ER_JN_OR = 33,
    ER_JN_NEG = 34,
    ER_JN_POS = 35,
    ER_JN_BINARY = 36,  /* a op b */
    ER_JN_COMPARE = 37, /* a, then more: COMPARE_ITEMs */
    ER_JN_COMPARE_ITEM = 38, /* op a */
    ER_JN_COND = 39,    /* a if b else c */
    ER_JN_KEYWORD = 40, /* name = a; also a parameter with its default */
    ER_JN_STAR = 41,
    ER_JN_STARSTAR = 42,
    ER_JN_CONCAT = 43, /* list */
};

enum er_jop {
    ER_JO_NONE = 0,
    ER_JO_ADD, ER_JO_SUB, ER_JO_MUL, ER_JO_DIV, ER_JO_FLOOR, ER_JO_MOD,
    ER_JO_POW, ER_JO_EQ, ER_JO_NE, ER_JO_LT, ER_JO_LE, ER_JO_GT, ER_JO_GE,
    ER_JO_IN, ER_JO_NOT_IN,
};

struct er_jnode {
    enum er_jnode_kind kind;
    enum er_jop op;
    unsigned line;
    bool recursive; /* FOR */
    const char *name;
    struct er_jv value;
    struct er_jnode *a, *b, *c;
    struct er_jnode **list, **more;
    size_t n, n_more;
};

struct er_jinja {
    struct er_jrun keep; /* owns the tree; a run only for its memory */
    struct er_jnode *body;
};

/* Reading. */
struct er_jparse {
    struct er_jrun *r; /* memory, depth and errors */
    struct er_jtok *tok;
    size_t n, at;
};

/* Cut a template into tokens: array in the run's arena, END at its end. */
struct er_jtok *er_jinja_lex(
    struct er_jrun *r, const char *text, size_t len, size_t *n);

struct er_jnode *er_jparse_node(
    struct er_jparse *p, enum er_jnode_kind kind);
bool er_jparse_push(struct er_jparse *p, struct er_jnode ***list, size_t *n,
    struct er_jnode *node);
const struct er_jtok *er_jparse_peek(const struct er_jparse *p);
bool er_jparse_op(struct er_jparse *p, const char *op);     /* take it? */
bool er_jparse_name(struct er_jparse *p, const char *name); /* take it? */
bool er_jparse_sees_op(const struct er_jparse *p, const char *op);
bool er_jparse_sees_name(const struct er_jparse *p, const char *name);
void *er_jparse_want(struct er_jparse *p, const char *what); /* NULL */
bool er_jparse_need_op(struct er_jparse *p, const char *op);
struct er_jnode *er_jparse_expr(struct er_jparse *p, bool with_condition);
/* a, b, c as one tuple; ends at what cannot go on. */
struct er_jnode *er_jparse_tuple(struct er_jparse *p, bool with_condition);
/* Where a value goes: names, a tuple of them, or ns.attribute. */
struct er_jnode *er_jparse_target(struct er_jparse *p, bool attributes);
/* |filter(…)|filter … behind a value, which may be NULL. */
struct er_jnode *er_jparse_filters(
    struct er_jparse *p, struct er_jnode *value);
bool er_jparse_args(struct er_jparse *p, struct er_jnode *call);
struct er_jnode *er_jparse_template(struct er_jparse *p);

/* Running. */
enum er_jflow { ER_JF_ON = 0, ER_JF_BREAK = 1, ER_JF_CONTINUE = 2 };

struct er_jframe {
    struct er_jframe *outer;
    struct er_jdict *vars; /* keys are texts */
};

struct er_jloop {
    const struct er_jlist *items;
    size_t at, depth;
    const struct er_jnode *node; /* for loop(…) */
    struct er_jframe *frame;
    struct er_jv last; /* of changed() */
    bool has_last;
};

struct er_jmacro {
    const struct er_jnode *node;
    struct er_jframe *frame; /* where it was defined */
};

struct er_jargs {
    struct er_jv *v; /* positional */
    size_t n;
    struct er_jdict *named; /* NULL: none */
};

/* The argument number i or by name, else fallback. */
struct er_jv er_jargs_get(const struct er_jargs *a, size_t i,
    const char *name, struct er_jv fallback);

struct er_jframe *er_jrun_push(struct er_jrun *r, struct er_jframe *outer);
void er_jrun_set(struct er_jrun *r, struct er_jframe *f, const char *name,
    struct er_jv v);
struct er_jv er_jrun_get(struct er_jrun *r, const char *name);

struct er_jv er_jrun_eval(struct er_jrun *r, const struct er_jnode *n);
struct er_jv er_jrun_binary(struct er_jrun *r, enum er_jop op,
    struct er_jv a, struct er_jv b);
bool er_jrun_compare(struct er_jrun *r, enum er_jop op, struct er_jv a,
    struct er_jv b);
void er_jrun_body(
    struct er_jrun *r, struct er_jnode *const *list, size_t n);
struct er_jv er_jrun_loop(struct er_jrun *r, struct er_jloop *outer,
    struct er_jv items); /* loop(…) */
void er_jrun_bind(
    struct er_jrun *r, const struct er_jnode *target, struct er_jv v);
/* Run what f writes into a text. */
struct er_jv er_jrun_capture(
    struct er_jrun *r, struct er_jnode *const *list, size_t n);
struct er_jv er_jrun_attr(
    struct er_jrun *r, struct er_jv v, const char *name);
struct er_jv er_jrun_item(
    struct er_jrun *r, struct er_jv v, struct er_jv key);
struct er_jv er_jrun_slice(struct er_jrun *r, struct er_jv v,
    const struct er_jv part[3]);
struct er_jv er_jrun_call(
    struct er_jrun *r, struct er_jv fn, const struct er_jargs *a);
struct er_jv er_jrun_call_node(struct er_jrun *r, const struct er_jnode *n,
    const struct er_jmacro *caller);
bool er_jrun_args(
    struct er_jrun *r, const struct er_jnode *n, struct er_jargs *a);

struct er_jv er_jinja_filter(struct er_jrun *r, const char *name,
    struct er_jv v, const struct er_jargs *a);
bool er_jinja_test(struct er_jrun *r, const char *name, struct er_jv v,
    const struct er_jargs *a);
bool er_jinja_has_filter(const char *name);
bool er_jinja_has_test(const char *name);
struct er_jv er_jinja_native(
    struct er_jrun *r, int which, const struct er_jargs *a);
int er_jinja_native_named(const char *name); /* -1: none */

/* Methods; has_method says whether a value has one of that name. */
bool er_jinja_has_method(struct er_jv v, const char *name);
struct er_jv er_jinja_method(struct er_jrun *r, struct er_jv self,
    const char *name, const struct er_jargs *a);

/* Texts: shared by filters and methods. */
enum er_jcase {
    ER_JC_UPPER = 0, ER_JC_LOWER, ER_JC_TITLE, ER_JC_CAPITALIZE, ER_JC_SWAP,
};
struct er_jv er_jtext_case(
    struct er_jrun *r, const struct er_jstr *s, enum er_jcase how);
/* side: 1 left, 2 right, 3 both; chars NULL: white space. */
struct er_jv er_jtext_strip(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jstr *chars, int side);
/* limit < 0: all. */
struct er_jv er_jtext_replace(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jstr *from, const struct er_jstr *to, int64_t limit);
/* sep NULL: runs of white space. */
struct er_jv er_jtext_split(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jstr *sep, int64_t limit, bool from_right);
struct er_jv er_jtext_lines(
    struct er_jrun *r, const struct er_jstr *s, bool keep_ends);
/* '{}'.format(…) and '%s' % … */
struct er_jv er_jtext_format(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jargs *a);
struct er_jv er_jtext_percent(struct er_jrun *r, const struct er_jstr *s,
    const struct er_jargs *a);
/* The byte where needle begins at or behind from; SIZE_MAX: nowhere. */
size_t er_jtext_find(const struct er_jstr *s, const struct er_jstr *needle,
    size_t from);
bool er_jtext_space(const char *s, size_t n, size_t at, size_t *len);

/* Filters over lists. */
struct er_jv er_jlist_filter(struct er_jrun *r, int which, struct er_jv v,
    const struct er_jargs *a);

#endif
