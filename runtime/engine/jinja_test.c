/* What "is" can ask. */
#include "engine/jinja_node.h"

#include <string.h>

enum what {
    BOOLEAN, CALLABLE, DEFINED, DIVISIBLE, EQ, ESCAPED, EVEN, FALSE_, FILTER,
    FLOAT, GE, GT, IN, INTEGER, ITERABLE, LE, LOWER, LT, MAPPING, NE, NONE,
    NUMBER, ODD, SAMEAS, SEQUENCE, STRING, TEST, TRUE_, UNDEFINED, UPPER,
};

static const struct {
    const char *name;
    enum what what;
} tests[] = {{"boolean", BOOLEAN}, {"callable", CALLABLE},
    {"defined", DEFINED}, {"divisibleby", DIVISIBLE}, {"eq", EQ},
    {"equalto", EQ}, {"escaped", ESCAPED}, {"even", EVEN},
    {"false", FALSE_}, {"filter", FILTER}, {"float", FLOAT}, {"ge", GE},
    {"gt", GT}, {"greaterthan", GT}, {"in", IN}, {"integer", INTEGER},
    {"iterable", ITERABLE}, {"le", LE}, {"lower", LOWER}, {"lt", LT},
    {"lessthan", LT}, {"mapping", MAPPING}, {"ne", NE}, {"none", NONE},
    {"number", NUMBER}, {"odd", ODD}, {"sameas", SAMEAS},
    {"sequence", SEQUENCE}, {"string", STRING}, {"test", TEST},
    {"true", TRUE_}, {"undefined", UNDEFINED}, {"upper", UPPER}};

static int named(const char *name)
{
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        if (strcmp(tests[i].name, name) == 0)
            return (int)tests[i].what;
    return -1;
}

bool er_jinja_has_test(const char *name)
{
    return named(name) >= 0;
}

static bool divides(struct er_jrun *r, struct er_jv v, struct er_jv by)
{
    struct er_jv rest = er_jrun_binary(r, ER_JO_MOD, v, by);
    return !r->failed && !er_jv_truth(rest);
}

static bool is_cased(struct er_jrun *r, struct er_jv v, const char *how)
{
    struct er_jargs none = {0};
    struct er_jv s = er_jv_string(r, v);
    return !r->failed &&
           er_jv_truth(er_jinja_method(r, s, how, &none));
}

static bool is_walkable(struct er_jv v)
{
    return v.kind == ER_J_UNDEFINED || v.kind == ER_J_STR ||
           v.kind == ER_J_DICT || er_jv_is_seq(v);
}

static bool is_known(
    struct er_jrun *r, struct er_jv v, bool (*has)(const char *name))
{
    if (v.kind != ER_J_STR)
        return false;
    char *name = er_jv_alloc(r, v.u.s->n + 1, 1);
    if (!name)
        return false;
    memcpy(name, v.u.s->s, v.u.s->n);
    return has(name);
}

static bool same(struct er_jrun *r, struct er_jv a, struct er_jv b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind <= ER_J_STR)
        return er_jv_equal(r, a, b);
    return a.u.l == b.u.l;
}

static bool is_kind(enum what what, struct er_jv v)
{
    switch (what) {
    case BOOLEAN:
        return v.kind == ER_J_BOOL;
    case CALLABLE:
        return v.kind >= ER_J_LOOP;
    case DEFINED:
        return v.kind != ER_J_UNDEFINED;
    case UNDEFINED:
        return v.kind == ER_J_UNDEFINED;
    case ESCAPED:
        return v.kind == ER_J_STR && v.u.s->safe;
    case TRUE_:
        return v.kind == ER_J_BOOL && v.u.b;
    case FALSE_:
        return v.kind == ER_J_BOOL && !v.u.b;
    case FLOAT:
        return v.kind == ER_J_FLOAT;
    case INTEGER:
        return v.kind == ER_J_INT;
    case NUMBER:
        return er_jv_is_number(v);
    case NONE:
        return v.kind == ER_J_NONE;
    case STRING:
        return v.kind == ER_J_STR;
    case MAPPING:
        return v.kind == ER_J_DICT || v.kind == ER_J_SPACE;
    default:
        return is_walkable(v);
    }
}

bool er_jinja_test(struct er_jrun *r, const char *name, struct er_jv v,
    const struct er_jargs *a)
{
    enum what what = (enum what)named(name);
    struct er_jv x = er_jargs_get(a, 0, NULL, er_jv_undefined("argument"));
    switch (what) {
    case DIVISIBLE:
        return divides(r, v, x);
    case EVEN:
        return divides(r, v, er_jv_int(2));
    case ODD:
        return !divides(r, v, er_jv_int(2));
    case EQ:
        return er_jrun_compare(r, ER_JO_EQ, v, x);
    case NE:
        return er_jrun_compare(r, ER_JO_NE, v, x);
    case GE:
        return er_jrun_compare(r, ER_JO_GE, v, x);
    case GT:
        return er_jrun_compare(r, ER_JO_GT, v, x);
    case LE:
        return er_jrun_compare(r, ER_JO_LE, v, x);
    case LT:
        return er_jrun_compare(r, ER_JO_LT, v, x);
    case IN:
        return er_jrun_compare(r, ER_JO_IN, v, x);
    case SAMEAS:
        return same(r, v, x);
    case LOWER:
        return is_cased(r, v, "islower");
    case UPPER:
        return is_cased(r, v, "isupper");
    case FILTER:
        return is_known(r, v, er_jinja_has_filter);
    case TEST:
        return is_known(r, v, er_jinja_has_test);
    default:
        return is_kind(what, v);
    }
}
