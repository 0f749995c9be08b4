/* What "$schema" says: which draft, and which of its vocabularies.
 *
 * Drafts 4 and 6 are read as draft 7, which understands what they have in
 * common; where it does not, compiling says so. A meta-schema of the user's
 * own counts by its $vocabulary.
 */
#include "tool/schema_compile.h"

#include "tool/schema_uri.h"

#include <string.h>

enum { MAX_META_CHAIN = 8 };

static const struct {
    const char *uri;
    unsigned draft;
} drafts[] = {
    {"json-schema.org/draft/2020-12/schema", ER_D2020},
    {"json-schema.org/draft/2019-09/schema", ER_D2019},
    {"json-schema.org/draft-07/schema", ER_D7},
    {"json-schema.org/draft-06/schema", ER_D7},
    {"json-schema.org/draft-04/schema", ER_D7},
};

static const struct {
    const char *name;
    unsigned vocab;
} vocabs[] = {
    {"core", ER_V_CORE}, {"applicator", ER_V_APPLICATOR},
    {"unevaluated", ER_V_UNEVALUATED}, {"validation", ER_V_VALIDATION},
    {"format-assertion", ER_V_FORMAT_ASSERTION},
    {"format-annotation", ER_V_OTHER}, {"meta-data", ER_V_OTHER},
    {"content", ER_V_OTHER}, {"format", ER_V_OTHER},
};

/* 0 if the URI is none of the known drafts. */
static unsigned draft_of(const char *uri)
{
    const char *s = uri;
    if (strncmp(s, "https://", 8) == 0)
        s += 8;
    else if (strncmp(s, "http://", 7) == 0)
        s += 7;
    size_t len = strcspn(s, "#");
    if (s[len] == '#' && s[len + 1])
        return 0;
    for (size_t i = 0; i < sizeof drafts / sizeof drafts[0]; i++)
        if (strlen(drafts[i].uri) == len &&
            memcmp(drafts[i].uri, s, len) == 0)
            return drafts[i].draft;
    return 0;
}

/* 0 if the vocabulary is unknown. */
static unsigned vocab_of(const char *uri)
{
    static const char *const prefixes[] = {
        "https://json-schema.org/draft/2020-12/vocab/",
        "https://json-schema.org/draft/2019-09/vocab/"};
    for (size_t p = 0; p < 2; p++) {
        size_t n = strlen(prefixes[p]);
        if (strncmp(uri, prefixes[p], n) != 0)
            continue;
        for (size_t i = 0; i < sizeof vocabs / sizeof vocabs[0]; i++)
            if (strcmp(uri + n, vocabs[i].name) == 0)
                return vocabs[i].vocab;
    }
    return 0;
}

static bool vocabularies(struct er_compile *c, const char *where,
    const json_t *list, unsigned *vocab)
{
    const char *uri;
    json_t *needed;
    *vocab = ER_V_CORE;
    json_object_foreach((json_t *)list, uri, needed) {
        unsigned known = vocab_of(uri);
        if (!known && json_is_true(needed))
            return er_schema_bad(c, where, "$schema",
                "needs the vocabulary %.100s, which is unknown here", uri);
        *vocab |= known;
    }
    return true;
}

bool er_schema_dialect(struct er_compile *c, const char *where,
    const char *uri, unsigned *draft, unsigned *vocab)
{
    const json_t *list = NULL;
    const char *at = uri;
    *vocab = ER_V_USUAL;
    for (int i = 0; i < MAX_META_CHAIN; i++) {
        unsigned known = draft_of(at);
        if (known) {
            *draft = known;
            return list ? vocabularies(c, where, list, vocab) : true;
        }
        char *plain = er_uri_resolve(&c->s->arena, "", at, NULL);
        if (!plain)
            return er_schema_nomem(c);
        const json_t *meta = er_schema_find(c, plain);
        const char *next = er_json_str(meta, "$schema");
        if (c->failed)
            return false;
        if (!next)
            break;
        if (!list)
            list = json_object_get(meta, "$vocabulary");
        at = next;
    }
    return er_schema_bad(c, where, "$schema",
        "%.100s is not known; use https://json-schema.org/draft/2020-12/"
        "schema or http://json-schema.org/draft-07/schema#", uri);
}
