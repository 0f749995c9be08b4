/* Documents, for programs: JSON in, JSON out. Indexing works on the caller's
 * thread with a connection of its own, so that nothing waits for it; the rest
 * takes milliseconds and is done on the loop's thread. */
#include "agent/doc_tools.h"
#include "agent/runtime.h"
#include "base/text.h"
#include "search/cite.h"

#include <stdlib.h>
#include <string.h>

er_docs *er_runtime_docs(errand *rt, struct errand_error *err)
{
    if (!rt->docs)
        rt->docs = er_docs_open(rt->store_path, &rt->log, err);
    return rt->docs;
}

static int answer(json_t *v, char **json, struct errand_error *err)
{
    if (!v)
        return err->code ? err->code : er_nomem(err);
    *json = er_json_text(v);
    json_decref(v);
    return *json ? ERRAND_OK : er_nomem(err);
}

struct option {
    const char *name;
    json_type type; /* JSON_TRUE stands for either */
};

static bool fits(const json_t *v, json_type type)
{
    return type == JSON_TRUE ? json_is_boolean(v) : json_typeof(v) == type;
}

/* Options as an object (new reference); what is unknown or of another type
 * is an error. */
static json_t *read_options(const char *text, const struct option *known,
    struct errand_error *err)
{
    const char *key;
    json_t *v;
    json_t *o = text
        ? er_json_parse(text, strlen(text), ER_JSON_STRICT, err)
        : json_object();
    if (!o && !text)
        er_nomem(err);
    if (o && !json_is_object(o))
        er_fail(err, ERRAND_USAGE, "options must be a JSON object");
    json_object_foreach(o, key, v)
    {
        size_t i = 0;
        while (known[i].name && strcmp(known[i].name, key) != 0)
            i++;
        if (!known[i].name)
            er_fail(err, ERRAND_USAGE, "unknown option \"%.40s\"", key);
        else if (!fits(v, known[i].type))
            er_fail(err, ERRAND_USAGE, "the option \"%.40s\" must be %s", key,
                known[i].type == JSON_STRING    ? "a text"
                : known[i].type == JSON_INTEGER ? "a whole number"
                                                : "true or false");
    }
    if (o && err->code == ERRAND_OK)
        return o;
    json_decref(o);
    return NULL;
}

/* --------------------------------------------------------------- indexing */

struct telling {
    errand_index_fn fn;
    void *user;
};

static json_t *counts(const struct er_index_progress *p)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "added",
        (json_int_t)p->added, "changed", (json_int_t)p->changed, "unchanged",
        (json_int_t)p->unchanged, "removed", (json_int_t)p->removed,
        "skipped", (json_int_t)p->skipped, "chunks", (json_int_t)p->chunks);
}

static json_t *progress_json(const struct er_index_progress *p)
{
    json_t *o = p->problem ? json_object() : counts(p);
    bool ok = o != NULL;
    if (ok && p->problem)
        ok = er_json_put(o, "problem", p->problem) &&
             er_json_put(o, "path", p->path);
    else if (ok)
        ok = json_object_set_new(o, "files",
                 json_integer((json_int_t)p->files)) == 0 &&
             json_object_set_new(o, "total",
                 json_integer((json_int_t)p->total)) == 0 &&
             json_object_set_new(o, "bytes", json_integer(p->bytes)) == 0;
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}

static bool on_progress(void *ctx, const struct er_index_progress *p)
{
    const struct telling *t = ctx;
    json_t *o = progress_json(p);
    char *text = o ? er_json_text(o) : NULL;
    bool go_on = !text || t->fn(t->user, text) == 0;
    free(text);
    json_decref(o);
    return go_on;
}

struct adding {
    errand *rt;
    struct errand_error *err;
};

static int add_tools(void *arg)
{
    struct adding *a = arg;
    return er_doc_tools_add(a->rt, a->err);
}

int errand_index(errand *rt, const char *const *paths, size_t n,
    const char *options, errand_index_fn fn, void *user, char **json,
    struct errand_error *err)
{
    static const struct option known[] = {{"collection", JSON_STRING},
        {"jobs", JSON_INTEGER}, {"again", JSON_TRUE}, {"hidden", JSON_TRUE},
        {NULL, JSON_NULL}};
    struct errand_error mine = {0};
    struct er_index_progress done = {.files = 0};
    struct telling telling = {.fn = fn, .user = user};
    err = err ? err : &mine;
    json_t *o = read_options(options, known, err);
    if (!o)
        return err->code;
    er_docs *docs = er_docs_open(rt->store_path, &rt->log, err);
    struct er_index_request req = {.paths = paths, .n = n,
        .collection = er_json_str(o, "collection"),
        .jobs = (int)er_json_int(o, "jobs", 0),
        .again = json_is_true(json_object_get(o, "again")),
        .hidden = json_is_true(json_object_get(o, "hidden")),
        .progress = fn ? on_progress : NULL, .ctx = &telling};
    int rc = docs ? er_docs_index(docs, &req, &done, err) : err->code;
    er_docs_close(docs);
    json_decref(o);
    struct adding adding = {.rt = rt, .err = err};
    if (rc == ERRAND_OK)
        rc = er_runtime_call(rt, add_tools, &adding);
    return rc == ERRAND_OK ? answer(counts(&done), json, err) : rc;
}

/* ---------------------------------------------------------- on the loop */

struct request {
    errand *rt;
    const char *query, *options;
    char **json;
    struct errand_error *err;
};

static int search(void *arg)
{
    static const struct option known[] = {{"limit", JSON_INTEGER},
        {"collection", JSON_STRING}, {"path", JSON_STRING},
        {"kind", JSON_STRING}, {"per_document", JSON_INTEGER},
        {NULL, JSON_NULL}};
    struct request *r = arg;
    json_t *o = read_options(r->options, known, r->err);
    er_docs *docs = o ? er_runtime_docs(r->rt, r->err) : NULL;
    struct er_docs_query query = {.text = r->query,
        .limit = er_json_int(o, "limit", 0),
        .collection = er_json_str(o, "collection"),
        .path = er_json_str(o, "path"), .kind = er_json_str(o, "kind"),
        .per_document = er_json_int(o, "per_document", 0)};
    int rc = docs ? answer(er_docs_search(docs, &query, r->err), r->json,
                        r->err)
                  : r->err->code;
    json_decref(o);
    return rc;
}

int errand_search(errand *rt, const char *query, const char *options,
    char **json, struct errand_error *err)
{
    struct errand_error mine = {0};
    struct request r = {.rt = rt, .query = query, .options = options,
        .json = json, .err = err ? err : &mine};
    return er_runtime_call(rt, search, &r);
}

static int list(void *arg)
{
    static const struct option known[] = {{"limit", JSON_INTEGER},
        {"collection", JSON_STRING}, {"path", JSON_STRING},
        {NULL, JSON_NULL}};
    struct request *r = arg;
    json_t *o = read_options(r->options, known, r->err);
    er_docs *docs = o ? er_runtime_docs(r->rt, r->err) : NULL;
    int rc = docs ? answer(er_docs_list(docs, er_json_str(o, "collection"),
                               er_json_str(o, "path"),
                               er_json_int(o, "limit", 1000), r->err),
                        r->json, r->err)
                  : r->err->code;
    json_decref(o);
    return rc;
}

int errand_documents(errand *rt, const char *options, char **json,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    struct request r = {.rt = rt, .options = options, .json = json,
        .err = err ? err : &mine};
    return er_runtime_call(rt, list, &r);
}

static int take_out(void *arg)
{
    static const struct option known[] = {{"collection", JSON_STRING},
        {"path", JSON_STRING}, {NULL, JSON_NULL}};
    struct request *r = arg;
    size_t removed = 0;
    json_t *o = read_options(r->options, known, r->err);
    if (o && json_object_size(o) == 0)
        er_fail(r->err, ERRAND_USAGE,
            "say what to remove: a path, a collection");
    bool ok = o && r->err->code == ERRAND_OK;
    er_docs *docs = ok ? er_runtime_docs(r->rt, r->err) : NULL;
    int rc = docs ? er_docs_remove(docs, er_json_str(o, "path"),
                        er_json_str(o, "collection"), &removed, r->err)
                  : r->err->code;
    json_decref(o);
    return rc == ERRAND_OK
        ? answer(json_pack("{s:I}", "removed", (json_int_t)removed), r->json,
              r->err)
        : rc;
}

int errand_documents_remove(errand *rt, const char *options, char **json,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    struct request r = {.rt = rt, .options = options, .json = json,
        .err = err ? err : &mine};
    return er_runtime_call(rt, take_out, &r);
}

/* ---------------------------------------------------------------- sources */

static json_t *read_json(
    const char *text, const char *what, struct errand_error *err)
{
    json_t *v = er_json_parse(text, strlen(text), ER_JSON_LENIENT, err);
    if (!v)
        er_while(err, "reading the %s", what);
    return v;
}

int errand_cite_ask(const char *question, const char *hits, char **json,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *h = read_json(hits, "passages", err);
    if (!h)
        return err->code;
    char *prompt = er_cite_prompt(question, h);
    json_t *schema = er_cite_schema(h);
    json_t *o = prompt && schema
        ? json_pack("{s:s,s:O}", "prompt", prompt, "schema", schema) : NULL;
    free(prompt);
    json_decref(schema);
    json_decref(h);
    return answer(o, json, err);
}

int errand_cite_check(const char *text, const char *hits, char **json,
    struct errand_error *err)
{
    struct errand_error mine = {0};
    err = err ? err : &mine;
    json_t *h = read_json(hits, "passages", err);
    json_t *a = h ? read_json(text, "answer", err) : NULL;
    json_t *o = a ? er_cite_check(a, h, err) : NULL;
    json_decref(a);
    json_decref(h);
    return answer(o, json, err);
}
