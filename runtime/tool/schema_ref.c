/* From the text of a reference to the schema it names. */
#include "tool/schema_compile.h"

#include "tool/schema_uri.h"

#include <string.h>

/* The first token of a JSON pointer, unescaped into token (as long as the
 * pointer at least). Returns what follows it. */
static const char *take_token(const char *pointer, char *token)
{
    const char *s = pointer + 1;
    for (; *s && *s != '/'; s++) {
        *token = *s;
        if (*s == '~' && (s[1] == '0' || s[1] == '1'))
            *token = *++s == '0' ? '~' : '/';
        token++;
    }
    *token = '\0';
    return s;
}

/* An array index as JSON pointers write them; SIZE_MAX if it is none. */
static size_t index_of(const char *s)
{
    size_t n = 0, len = strlen(s);
    if (len == 0 || len > 9 || (len > 1 && s[0] == '0'))
        return SIZE_MAX;
    for (; *s; s++) {
        if (*s < '0' || *s > '9')
            return SIZE_MAX;
        n = n * 10 + (size_t)(*s - '0');
    }
    return n;
}

/* Walk down a decoded pointer. A resource that begins on the way is the one
 * the target lies in. False if there is nothing at its end. */
static bool follow(struct er_compile *c, const char *pointer,
    struct er_target *t, char *token)
{
    while (*pointer == '/') {
        pointer = take_token(pointer, token);
        t->value = json_is_array(t->value)
                       ? json_array_get(t->value, index_of(token))
                       : json_object_get(t->value, token);
        if (!t->value)
            return false;
        struct er_resource *res = er_map_get(&c->roots, t->value, NULL);
        if (res)
            t->res = res;
    }
    return *pointer == '\0';
}

static const char *joined(
    struct er_compile *c, const char *a, const char *sep, const char *b)
{
    size_t n = strlen(a), k = strlen(sep), m = strlen(b);
    char *s = er_schema_take(c, n + k + m + 1, 1);
    if (!s)
        return NULL;
    memcpy(s, a, n);
    memcpy(s + n, sep, k);
    memcpy(s + n + k, b, m);
    return s;
}

static bool to_pointer(struct er_compile *c, const struct er_node *from,
    const char *key, const char *ref, const char *pointer,
    struct er_target *out)
{
    char *token = er_schema_take(c, strlen(pointer) + 1, 1);
    const char *where = joined(c, out->where, "", pointer);
    if (!token || !where)
        return false;
    if (!follow(c, pointer, out, token))
        return er_schema_bad(c, from->where, key,
            "nothing stands at \"%.120s\"", ref);
    out->where = where;
    out->dynamic = NULL;
    return true;
}

static bool to_anchor(struct er_compile *c, const struct er_node *from,
    const char *key, const char *ref, const char *name,
    struct er_target *out)
{
    const char *uri = joined(c, out->res->uri, "#", name);
    if (!uri)
        return false;
    const struct er_target *t = er_schema_known(c, uri);
    if (!t)
        return er_schema_bad(c, from->where, key,
            "no schema has the anchor that \"%.120s\" names", ref);
    *out = *t;
    return true;
}

/* The document a URI names, taken in if this is its first time. */
static bool load(struct er_compile *c, const struct er_node *from,
    const char *key, const char *uri, struct er_target *out)
{
    const struct er_target *t = er_schema_known(c, uri);
    if (!t) {
        const json_t *doc = er_schema_find(c, uri);
        if (c->failed || (doc && !er_schema_document(c, doc, uri, c->draft)))
            return false;
        t = er_schema_known(c, uri);
    }
    if (!t)
        return er_schema_bad(c, from->where, key,
            "the schema \"%.120s\" is not known, and nothing is fetched; "
            "put it under \"$defs\"", uri);
    *out = *t;
    return true;
}

bool er_schema_ref(struct er_compile *c, const struct er_node *from,
    const char *key, const char *ref, struct er_target *out)
{
    const char *fragment;
    char *uri =
        er_uri_resolve(&c->s->arena, from->res->uri, ref, &fragment);
    char *plain = er_uri_decode(&c->s->arena, uri && fragment ? fragment : "");
    if (!uri || !plain)
        return er_schema_nomem(c);
    if (*ref == '#')
        *out = (struct er_target){
            from->res->root, from->res, from->res->where, NULL};
    else if (!load(c, from, key, uri, out))
        return false;
    if (*plain == '/')
        return to_pointer(c, from, key, ref, plain, out);
    if (*plain)
        return to_anchor(c, from, key, ref, plain, out);
    out->dynamic = NULL;
    return true;
}
