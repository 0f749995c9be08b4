/* A tree of nodes held against the values that er_json_parse makes of the
 * same text: for the unit test and the fuzz target. */
#ifndef ERRAND_TESTS_TREE_KIT_H
#define ERRAND_TESTS_TREE_KIT_H

#include "base/json_tree.h"

static inline json_t *tree_value(const struct er_node *n);

static inline json_t *tree_members(const struct er_node *n, bool object)
{
    json_t *all = object ? json_object() : json_array();
    for (const struct er_node *m = n->first; m; m = m->next) {
        char key[4096];
        if (!object) {
            json_array_append_new(all, tree_value(m));
            continue;
        }
        if (m->key_len >= sizeof key)
            continue;
        memcpy(key, m->key, m->key_len);
        key[m->key_len] = '\0';
        json_object_set_new_nocheck(all, key, tree_value(m));
    }
    return all;
}

/* The nodes as values, made from what the nodes hold. */
static inline json_t *tree_value(const struct er_node *n)
{
    switch (n->type) {
    case ER_NODE_NULL: return json_null();
    case ER_NODE_FALSE: return json_false();
    case ER_NODE_TRUE: return json_true();
    case ER_NODE_INTEGER: return json_integer(n->number);
    case ER_NODE_REAL: return er_node_json(n);
    case ER_NODE_STRING: return json_stringn_nocheck(n->text, n->len);
    case ER_NODE_ARRAY: return tree_members(n, false);
    case ER_NODE_OBJECT: return tree_members(n, true);
    }
    return NULL;
}

/* Do both take the text, and mean the same by it? */
static inline bool tree_agrees(const char *text, size_t len)
{
    struct er_tree t = {0};
    const struct er_node *n = er_tree_parse(&t, text, len);
    json_t *want = er_json_parse(text, len, ER_JSON_LENIENT, NULL);
    json_t *have = n ? tree_value(n) : NULL, *raw = n ? er_node_json(n) : NULL;
    bool same = want ? have && raw && json_equal(have, want) &&
                           json_equal(raw, want)
                     : !n;
    json_decref(want);
    json_decref(have);
    json_decref(raw);
    er_tree_release(&t);
    return same;
}

#endif
