/* JSON that is read once and thrown away.
 *
 * An endpoint sends a document for every few letters of an answer. Making
 * jansson's values of each costs an allocation per key and per leaf; here all
 * nodes of a document lie in one arena and point into its text. The answers
 * decided in json.h hold, lenient ones: the last of two keys wins, a lone
 * surrogate is U+FFFD. What is to be kept is taken out with er_node_json.
 */
#ifndef ERRAND_BASE_JSON_TREE_H
#define ERRAND_BASE_JSON_TREE_H

#include "base/arena.h"
#include "base/json_string.h"

#include <string.h>

enum er_node_type {
    ER_NODE_NULL = 0,
    ER_NODE_FALSE = 1,
    ER_NODE_TRUE = 2,
    ER_NODE_INTEGER = 3,
    ER_NODE_REAL = 4,
    ER_NODE_STRING = 5,
    ER_NODE_ARRAY = 6,
    ER_NODE_OBJECT = 7,
};

struct er_node {
    enum er_node_type type;
    const char *key; /* of a member; no NUL behind it */
    size_t key_len;
    const char *raw; /* as it stands in the document */
    size_t raw_len;
    const char *text;  /* a string's, with a NUL behind it */
    size_t len;        /* of text; of a container: how many nodes */
    json_int_t number; /* an integer's */
    const struct er_node *first, *next; /* in a container; beside */
};

struct er_tree {
    struct er_arena arena;
    struct er_buf scratch;
    struct er_json_cursor c;
    struct er_node *spare; /* zeroed, the next to be used */
    int depth, spare_count;
};

/* A zeroed tree is an empty one. [any] */
void er_tree_release(struct er_tree *t);

/* Read a document; the one before is gone. The text must stay as long as the
 * nodes are used. NULL if it is no JSON or there is no memory: er_json_parse
 * says which. */
const struct er_node *er_tree_parse(
    struct er_tree *t, const char *text, size_t len);

/* A node as a value of jansson's (new reference). NULL: no memory. */
json_t *er_node_json(const struct er_node *n);

/* Member of an object; NULL if it is none or has none. */
static inline const struct er_node *er_node_get(
    const struct er_node *object, const char *key)
{
    const struct er_node *found = NULL;
    size_t len = strlen(key);
    if (!object || object->type != ER_NODE_OBJECT)
        return NULL;
    for (const struct er_node *n = object->first; n; n = n->next)
        if (n->key_len == len && memcmp(n->key, key, len) == 0)
            found = n;
    return found;
}

static inline bool er_node_is(
    const struct er_node *n, enum er_node_type type)
{
    return n && n->type == type;
}

/* How many nodes an array has; 0 if it is none. */
static inline size_t er_node_count(const struct er_node *array)
{
    return er_node_is(array, ER_NODE_ARRAY) ? array->len : 0;
}

/* The first of an array's nodes, NULL if it is none or empty; ->next leads
 * on. */
static inline const struct er_node *er_node_first(const struct er_node *array)
{
    return er_node_is(array, ER_NODE_ARRAY) ? array->first : NULL;
}

/* Member as a text: "" kept, NULL if missing or no string. */
static inline const char *er_node_str(
    const struct er_node *object, const char *key)
{
    const struct er_node *n = er_node_get(object, key);
    return er_node_is(n, ER_NODE_STRING) ? n->text : NULL;
}

/* Member as an integer, or 0 if missing or no number. Reals with an integral
 * value count. */
json_int_t er_node_int(const struct er_node *object, const char *key);

#endif
