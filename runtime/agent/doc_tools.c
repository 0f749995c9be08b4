/* Both answer within milliseconds, so they work on the loop's thread. What
 * they return comes from documents, which anybody may have written: it counts
 * as text from outside. */
#include "agent/doc_tools.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PASSAGES = 5,
    PASSAGES_MOST = 20,
    PASSAGE_BYTES = 2000,
    READ_BYTES = 8000
};

static const char SEARCH[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"query\":{\"type\":\"string\",\"description\":"
    "\"words to look for; more that fit is better\"},"
    "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":20,"
    "\"description\":\"how many passages, 5 if left out\"},"
    "\"path\":{\"type\":\"string\",\"description\":"
    "\"only in this file or folder, or what a pattern like *.md fits\"},"
    "\"collection\":{\"type\":\"string\",\"description\":"
    "\"only in this collection\"}},"
    "\"required\":[\"query\"],\"additionalProperties\":false}";

static const char READ[] =
    "{\"type\":\"object\",\"properties\":{"
    "\"document\":{\"type\":\"string\",\"description\":"
    "\"a passage's id (12.3), a document's number or its path\"},"
    "\"from\":{\"type\":\"integer\",\"minimum\":0,\"description\":"
    "\"number of the passage to begin with; 12.3 begins with its own\"}},"
    "\"required\":[\"document\"],\"additionalProperties\":false}";

static void reply(errand_call *call, json_t *v, struct errand_error *err)
{
    char *text = v ? er_json_text(v) : NULL;
    if (text)
        errand_call_reply(call, text, strlen(text));
    else
        errand_call_fail(call, err->code ? err->msg : "out of memory");
    free(text);
    json_decref(v);
}

/* A hit without what only programs need, its text cut. */
static json_t *passage_of(json_t *hit)
{
    static const char *const drop[] = {
        "collection", "kind", "start", "end", "score", "matches"};
    for (size_t i = 0; i < sizeof drop / sizeof drop[0]; i++)
        json_object_del(hit, drop[i]);
    const char *text = er_json_str(hit, "text");
    size_t len = text ? strlen(text) : 0;
    if (len > PASSAGE_BYTES) {
        struct er_buf b;
        er_buf_init(&b, PASSAGE_BYTES + 16);
        er_buf_add(&b, text, er_utf8_cut(text, len, PASSAGE_BYTES));
        er_buf_adds(&b, " ...");
        er_json_put(hit, "text", er_buf_str(&b));
        er_buf_release(&b);
    }
    return hit;
}

static void run_search(
    void *user, errand_call *call, const char *args, size_t len)
{
    errand *rt = user;
    struct errand_error err = {0};
    size_t i;
    json_t *hit, *out = NULL;
    json_t *o = er_json_parse(args, len, ER_JSON_STRICT, &err);
    er_docs *docs = o ? er_runtime_docs(rt, &err) : NULL;
    const char *text = er_json_str(o, "query");
    json_int_t limit = er_json_int(o, "limit", PASSAGES);
    struct er_docs_query q = {.text = text ? text : "",
        .limit = limit > PASSAGES_MOST ? PASSAGES_MOST : limit,
        .path = er_json_str(o, "path"),
        .collection = er_json_str(o, "collection")};
    json_t *hits = docs ? er_docs_search(docs, &q, &err) : NULL;
    json_array_foreach(hits, i, hit)
        passage_of(hit);
    if (hits && json_array_size(hits) > 0)
        out = json_pack("{s:O}", "passages", hits);
    else if (hits)
        out = json_pack("{s:[],s:s}", "passages", "note",
            "nothing found; try other words");
    reply(call, out, &err);
    json_decref(hits);
    json_decref(o);
}

static void run_read(
    void *user, errand_call *call, const char *args, size_t len)
{
    errand *rt = user;
    struct errand_error err = {0};
    json_t *o = er_json_parse(args, len, ER_JSON_STRICT, &err), *out = NULL;
    er_docs *docs = o ? er_runtime_docs(rt, &err) : NULL;
    const char *name = er_json_str(o, "document");
    if (docs)
        out = er_docs_read(docs, name ? name : "",
            er_json_int(o, "from", -1), READ_BYTES, &err);
    reply(call, out, &err);
    json_decref(o);
}

static bool has_documents(const errand *rt)
{
    struct er_buf path;
    er_buf_init(&path, 65536);
    er_buf_addf(&path, "%s.docs", rt->store_path);
    bool there = access(er_buf_str(&path), F_OK) == 0;
    er_buf_release(&path);
    return there;
}

int er_doc_tools_add(errand *rt, struct errand_error *err)
{
    const struct errand_tool_def defs[] = {
        {.size = sizeof defs[0],
            .effect = ERRAND_READ,
            .name = "search_documents",
            .description =
                "Find passages in the user's indexed documents, best first; "
                "each has an id to cite it by",
            .parameters = SEARCH,
            .flags = ERRAND_DEF_EXTERNAL,
            .run = run_search,
            .user = rt},
        {.size = sizeof defs[0],
            .effect = ERRAND_READ,
            .name = "read_document",
            .description = "Read an indexed document, or read on from a "
                           "passage that was found",
            .parameters = READ,
            .flags = ERRAND_DEF_EXTERNAL,
            .run = run_read,
            .user = rt},
    };
    int rc = ERRAND_OK;
    if (!has_documents(rt) || er_tools_find(rt->tools, defs[0].name))
        return ERRAND_OK;
    for (size_t i = 0; i < 2 && rc == ERRAND_OK; i++)
        rc = er_tools_add(rt->tools, &defs[i], "errand", err);
    return rc;
}
