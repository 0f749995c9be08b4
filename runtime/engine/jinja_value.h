/* What a template computes with: values, the running template, its memory.
 *
 * Values are immutable but for namespaces, and live in the run's arena,
 * which dies with the run. A text carries beside each byte whether it is
 * trusted; every operation on bytes takes both along. Failure is a flag in
 * the run: the first error stays, and every function returns quickly and
 * harmlessly from then on.
 */
#ifndef ERRAND_ENGINE_JINJA_VALUE_H
#define ERRAND_ENGINE_JINJA_VALUE_H

#include "base/arena.h"
#include "engine/jinja.h"

enum er_jkind {
    ER_J_UNDEFINED = 0,
    ER_J_NONE = 1,
    ER_J_BOOL = 2,
    ER_J_INT = 3,
    ER_J_FLOAT = 4,
    ER_J_STR = 5,
    ER_J_LIST = 6,
    ER_J_TUPLE = 7,
    ER_J_DICT = 8,
    ER_J_SPACE = 9,   /* namespace(): a dict that can change */
    ER_J_LOOP = 10,   /* the loop variable */
    ER_J_MACRO = 11,
    ER_J_NATIVE = 12, /* a global function */
    ER_J_METHOD = 13, /* a method with its object */
};

struct er_jstr;
struct er_jlist;
struct er_jdict;
struct er_jloop;
struct er_jmacro;
struct er_jmethod;

struct er_jv {
    enum er_jkind kind;
    union {
        bool b;
        int64_t i;
        double f;
        const char *name; /* UNDEFINED: what was asked for, may be NULL */
        const struct er_jstr *s;
        const struct er_jlist *l; /* LIST and TUPLE */
        struct er_jdict *d;       /* DICT and SPACE */
        struct er_jloop *loop;
        const struct er_jmacro *macro;
        const struct er_jmethod *method;
        int native;
    } u;
};

struct er_jstr {
    const char *s;          /* UTF-8, no NUL at its end */
    const unsigned char *t; /* for each byte: 1 trusted, 0 not */
    size_t n;
    bool safe; /* went through the filter "safe"; only a test can tell */
};

struct er_jlist {
    struct er_jv *v;
    size_t n, cap;
};

struct er_jpair {
    struct er_jv key, value;
};

struct er_jdict {
    struct er_jpair *p; /* in order of arrival; keys differ */
    size_t n, cap;
};

struct er_jmethod {
    struct er_jv self;
    const char *name;
};

/* A text that is being built. */
struct er_jbuild {
    char *s;
    unsigned char *t;
    size_t n, cap;
};

struct er_jframe;

struct er_jrun {
    struct er_arena arena;
    size_t memory, steps;
    unsigned depth, line;
    int64_t now_s;
    struct errand_error *err;
    bool failed;
    int flow; /* enum er_jflow: break and continue on their way out */
    struct er_jbuild *out;
    struct er_jframe *top;
    struct er_jframe *frame;
    struct er_jv captured; /* what a filter without a value works on */
};

/* Say what went wrong, with the line; the first one stays. Undefined. */
struct er_jv er_jv_fail(struct er_jrun *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct er_jv er_jv_nomem(struct er_jrun *r);

/* Memory of the run, zeroed; NULL after failure. */
void *er_jv_alloc(struct er_jrun *r, size_t count, size_t size);

/* Count work done; false once it is too much. */
bool er_jv_step(struct er_jrun *r, size_t n);

/* One level deeper, and back; false when too deep (leave all the same). */
bool er_jv_enter(struct er_jrun *r);
void er_jv_leave(struct er_jrun *r);

struct er_jv er_jv_undefined(const char *name);
struct er_jv er_jv_none(void);
struct er_jv er_jv_bool(bool b);
struct er_jv er_jv_int(int64_t i);
struct er_jv er_jv_float(double f);
struct er_jv er_jv_str(
    struct er_jrun *r, const char *s, size_t n, bool trusted);
/* A NUL-terminated text of the program's own: trusted. */
struct er_jv er_jv_text(struct er_jrun *r, const char *s);
/* Bytes from..to of a text, shared. */
struct er_jv er_jv_part(
    struct er_jrun *r, const struct er_jstr *s, size_t from, size_t to);
struct er_jv er_jv_json(struct er_jrun *r, const json_t *v, bool trusted);

/* Lists and dicts under construction. */
struct er_jv er_jv_list(struct er_jrun *r, enum er_jkind kind);
bool er_jv_push(struct er_jrun *r, struct er_jv list, struct er_jv v);
struct er_jv er_jv_dict(struct er_jrun *r, enum er_jkind kind);
bool er_jv_put(struct er_jrun *r, struct er_jv dict, struct er_jv key,
    struct er_jv value);
/* NULL if it has no such key. */
const struct er_jv *er_jv_find(
    struct er_jrun *r, const struct er_jdict *d, struct er_jv key);
const struct er_jv *er_jv_find_name(
    const struct er_jdict *d, const char *name);

bool er_jv_is(struct er_jv v, const char *text);
bool er_jv_is_seq(struct er_jv v); /* LIST or TUPLE */
bool er_jv_is_number(struct er_jv v); /* booleans too, as in Python */
double er_jv_double(struct er_jv v);
bool er_jv_truth(struct er_jv v);
bool er_jv_equal(struct er_jrun *r, struct er_jv a, struct er_jv b);
/* -1, 0, 1; fails when they have no order. */
int er_jv_compare(struct er_jrun *r, struct er_jv a, struct er_jv b);
/* Python's name of the kind. */
const char *er_jv_type(struct er_jv v);
/* What a for loop would see: the list itself, a dict's keys, a text's
 * characters, nothing of undefined. Fails for what cannot be walked. */
const struct er_jlist *er_jv_items(struct er_jrun *r, struct er_jv v);

/* Building texts. */
bool er_jb_add(struct er_jrun *r, struct er_jbuild *b, const char *s,
    size_t n, bool trusted);
bool er_jb_str(
    struct er_jrun *r, struct er_jbuild *b, const struct er_jstr *s);
bool er_jb_part(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jstr *s, size_t from, size_t to);
bool er_jb_text(struct er_jrun *r, struct er_jbuild *b, const char *s);
struct er_jv er_jb_done(struct er_jrun *r, const struct er_jbuild *b);

/* As Python's str() and repr(). */
bool er_jb_show(struct er_jrun *r, struct er_jbuild *b, struct er_jv v);
bool er_jb_repr(struct er_jrun *r, struct er_jbuild *b, struct er_jv v);
struct er_jv er_jv_string(struct er_jrun *r, struct er_jv v);
/* A float as repr() writes it. */
void er_jv_float_text(double f, char out[40]);

struct er_jjson {
    bool ascii, sorted;
    const struct er_jstr *indent; /* NULL: on one line */
    const struct er_jstr *item, *key; /* separators */
};
/* As json.dumps does. */
bool er_jb_json(struct er_jrun *r, struct er_jbuild *b,
    const struct er_jjson *how, struct er_jv v, unsigned level);

/* UTF-8: length of the character at s[at], characters in n bytes, the byte
 * where character number k begins (or n). */
size_t er_ju_len(const char *s, size_t n, size_t at);
size_t er_ju_count(const char *s, size_t n);
size_t er_ju_at(const char *s, size_t n, size_t k);
uint32_t er_ju_code(const char *s, size_t len);

#endif
