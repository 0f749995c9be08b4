/* Reading into nodes; see json_tree.h. The grammar is json_parse.c's, and a
 * test holds the two against each other. */
#include "base/json_tree.h"

#include "base/text.h"

#include <math.h>
#include <stdint.h>

static struct er_node *read_value(struct er_tree *t);

void er_tree_release(struct er_tree *t)
{
    er_arena_release(&t->arena);
    er_buf_release(&t->scratch);
}

enum { NODES = 16 }; /* that are allocated at once */

static struct er_node *new_node(struct er_tree *t, enum er_node_type type)
{
    if (t->spare_count == 0) {
        t->spare = er_arena_alloc(&t->arena, NODES * sizeof *t->spare);
        if (!t->spare)
            return NULL;
        t->spare_count = NODES;
    }
    struct er_node *n = t->spare++;
    t->spare_count--;
    n->type = type;
    n->raw = t->c.text + t->c.at;
    return n;
}

static bool take(struct er_tree *t, char want)
{
    if (er_json_peek(&t->c) != want)
        return false;
    t->c.at++;
    return true;
}

/* The string at the cursor, copied into the arena; NULL if it is none. */
static const char *read_string(struct er_tree *t, size_t *len)
{
    size_t n = er_json_plain_string(&t->c);
    if (n != SIZE_MAX) {
        const char *s = t->c.text + t->c.at + 1;
        t->c.at += n + 2;
        *len = n;
        return er_arena_strn(&t->arena, s, n);
    }
    er_buf_reset(&t->scratch);
    if (!er_json_string_read(&t->c, &t->scratch))
        return NULL;
    *len = t->scratch.len;
    return er_arena_strn(&t->arena, er_buf_str(&t->scratch), *len);
}

/* The key at the cursor, in place if it stands there as it means. */
static const char *read_key(struct er_tree *t, size_t *len)
{
    size_t n = er_json_plain_string(&t->c);
    if (n != SIZE_MAX) {
        const char *s = t->c.text + t->c.at + 1;
        t->c.at += n + 2;
        *len = n;
        return s;
    }
    const char *key = read_string(t, len);
    return key && strlen(key) == *len ? key : NULL; /* no \u0000 in keys */
}

static struct er_node *read_text(struct er_tree *t)
{
    struct er_node *n = new_node(t, ER_NODE_STRING);
    if (n)
        n->text = read_string(t, &n->len);
    return n && n->text ? n : NULL;
}

static struct er_node *read_word(
    struct er_tree *t, const char *word, enum er_node_type type)
{
    size_t len = strlen(word);
    struct er_node *n = new_node(t, type);
    if (!n || t->c.len - t->c.at < len || memcmp(n->raw, word, len) != 0)
        return NULL;
    t->c.at += len;
    return n;
}

static struct er_node *read_number(struct er_tree *t)
{
    bool whole = false;
    struct er_node *n = new_node(t, ER_NODE_REAL);
    size_t from = t->c.at, end = er_json_number_end(&t->c, &whole);
    if (!n || end == 0)
        return NULL;
    t->c.at = end;
    json_t *v = er_json_parse(n->raw, end - from, ER_JSON_LENIENT, NULL);
    if (!v)
        return NULL;
    if (json_is_integer(v)) {
        n->type = ER_NODE_INTEGER;
        n->number = json_integer_value(v);
    }
    json_decref(v);
    return n;
}

/* A whole number of up to 18 digits, which nearly all are. */
static struct er_node *read_digits(struct er_tree *t)
{
    const char *s = t->c.text + t->c.at;
    size_t left = t->c.len - t->c.at, n = 0;
    json_int_t value = 0;
    while (n < left && n < 18 && s[n] >= '0' && s[n] <= '9')
        value = value * 10 + (s[n++] - '0');
    if (n == 0 || (s[0] == '0' && n > 1) ||
        (n < left && s[n] && strchr(".eE0123456789", s[n])))
        return read_number(t);
    struct er_node *node = new_node(t, ER_NODE_INTEGER);
    if (node)
        node->number = value;
    t->c.at += n;
    return node;
}

static struct er_node *read_member(struct er_tree *t)
{
    size_t len;
    if (er_json_peek(&t->c) != '"')
        return NULL;
    const char *key = read_key(t, &len);
    if (!key || !take(t, ':'))
        return NULL;
    struct er_node *n = read_value(t);
    if (n) {
        n->key = key;
        n->key_len = len;
    }
    return n;
}

static struct er_node *read_container(struct er_tree *t, bool object)
{
    char close = object ? '}' : ']';
    struct er_node *all =
        new_node(t, object ? ER_NODE_OBJECT : ER_NODE_ARRAY);
    const struct er_node **end = all ? &all->first : NULL;
    t->c.at++;
    if (!all || take(t, close))
        return all;
    do {
        struct er_node *n = object ? read_member(t) : read_value(t);
        if (!n)
            return NULL;
        *end = n;
        end = &n->next;
        all->len++;
    } while (take(t, ','));
    return take(t, close) ? all : NULL;
}

static struct er_node *read_deeper(struct er_tree *t, bool object)
{
    if (t->depth == ER_JSON_DEPTH)
        return NULL;
    t->depth++;
    struct er_node *n = read_container(t, object);
    t->depth--;
    return n;
}

static struct er_node *read_value(struct er_tree *t)
{
    struct er_node *n;
    switch (er_json_peek(&t->c)) {
    case '{': n = read_deeper(t, true); break;
    case '[': n = read_deeper(t, false); break;
    case '"': n = read_text(t); break;
    case 't': n = read_word(t, "true", ER_NODE_TRUE); break;
    case 'f': n = read_word(t, "false", ER_NODE_FALSE); break;
    case 'n': n = read_word(t, "null", ER_NODE_NULL); break;
    case '-': n = read_number(t); break;
    default: n = t->c.at < t->c.len ? read_digits(t) : NULL;
    }
    if (n)
        n->raw_len = (size_t)(t->c.text + t->c.at - n->raw);
    return n;
}

const struct er_node *er_tree_parse(
    struct er_tree *t, const char *text, size_t len)
{
    er_arena_reset(&t->arena);
    if (t->scratch.max == 0)
        er_buf_init(&t->scratch, SIZE_MAX / 4);
    t->depth = t->spare_count = 0;
    t->c = (struct er_json_cursor){
        .text = text, .len = len, .mode = ER_JSON_LENIENT};
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        t->c.at = 3;
    const struct er_node *n = read_value(t);
    er_json_peek(&t->c);
    return t->c.at == len ? n : NULL;
}

json_t *er_node_json(const struct er_node *n)
{
    return er_json_parse(n->raw, n->raw_len, ER_JSON_LENIENT, NULL);
}

json_int_t er_node_int(const struct er_node *object, const char *key)
{
    const struct er_node *n = er_node_get(object, key);
    if (er_node_is(n, ER_NODE_INTEGER))
        return n->number;
    if (!er_node_is(n, ER_NODE_REAL))
        return 0;
    json_t *v = er_node_json(n), *o = json_object();
    json_object_set_new(o, "n", v);
    json_int_t i = er_json_int(o, "n", 0);
    json_decref(o);
    return i;
}
