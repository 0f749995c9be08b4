/* Building requests. */
#include "request.h"

#include "base/text.h"
#include "input.h"

#include <stdlib.h>
#include <string.h>

/* Move an object's text into the arena and drop the object. */
static int keep(json_t *object, struct er_arena *arena, const char **json,
    struct errand_error *err)
{
    char *text = object ? er_json_text(object) : NULL;
    json_decref(object);
    *json = er_arena_str(arena, text);
    free(text);
    return *json ? ERRAND_OK : er_nomem(err);
}

/* ---------------------------------------------------------- parameters */

static json_t *param_value(const char *text)
{
    json_t *value = er_json_parse(text, strlen(text), ER_JSON_STRICT, NULL);
    return value ? value : json_string(text);
}

int er_request_params(const struct er_list *pairs, struct er_arena *arena,
    const char **json, struct errand_error *err)
{
    *json = NULL;
    if (pairs->n == 0)
        return ERRAND_OK;
    json_t *object = json_object();
    for (size_t i = 0; i < pairs->n; i++) {
        const char *pair = pairs->v[i], *eq = strchr(pair, '=');
        if (!eq || eq == pair) {
            json_decref(object);
            return er_fail(err, ERRAND_USAGE,
                "--param needs KEY=VALUE, as temperature=0.2, not \"%.60s\"",
                pair);
        }
        char *key = er_strndup(pair, (size_t)(eq - pair));
        json_t *value = param_value(eq + 1);
        int failed =
            !key || !value || json_object_set_new(object, key, value) != 0;
        free(key);
        if (failed) {
            json_decref(object);
            return er_fail(err, ERRAND_USAGE,
                "--param %.60s is no UTF-8 text", pair);
        }
    }
    return keep(object, arena, json, err);
}

/* --------------------------------------------------------------- tools */

static size_t count_names(const struct er_list *lists)
{
    size_t n = 0;
    for (size_t i = 0; i < lists->n; i++) {
        n++;
        for (const char *p = lists->v[i]; *p; p++)
            n += *p == ',';
    }
    return n;
}

/* "all" and "none" stand alone. */
static int check_alone(const char *name, size_t n, struct errand_error *err)
{
    if (n == 1 || (strcmp(name, "all") != 0 && strcmp(name, "none") != 0))
        return ERRAND_OK;
    return er_fail(err, ERRAND_USAGE,
        "--tools %s cannot stand beside other tools; give it alone", name);
}

int er_request_tools(const struct er_list *lists, struct er_arena *arena,
    const char *const **names, struct errand_error *err)
{
    size_t n = 0, most = count_names(lists);
    const char **v = er_arena_alloc(arena, (most + 2) * sizeof *v);
    *names = v;
    if (!v)
        return er_nomem(err);
    for (size_t i = 0; i < lists->n; i++) {
        char *rest = er_arena_str(arena, lists->v[i]);
        if (!rest)
            return er_nomem(err);
        for (char *name; (name = strsep(&rest, ","));)
            if (*name)
                v[n++] = name;
    }
    if (n == 0 && lists->n > 0)
        return er_fail(err, ERRAND_USAGE,
            "--tools needs names, as calculate,now; or all, or none");
    for (size_t i = 0; i < n; i++)
        if (check_alone(v[i], n, err))
            return ERRAND_USAGE;
    if (n == 0 || strcmp(v[0], "all") == 0) {
        v[0] = "*";
        v[1] = NULL;
    } else if (strcmp(v[0], "none") == 0) {
        *names = NULL;
    }
    return ERRAND_OK;
}

/* -------------------------------------------------------------- budgets */

static json_t *budgets_of(const struct er_args *a)
{
    const struct {
        const char *key;
        int64_t value;
    } rows[] = {
        {"max_turns", a->max_turns},
        {"max_calls", a->max_calls},
        {"max_tokens", a->max_tokens_total},
        {"max_seconds", a->max_seconds},
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].value > 0)
            json_object_set_new(
                object, rows[i].key, json_integer(rows[i].value));
    if (a->max_cost > 0)
        json_object_set_new(object, "max_cost", json_real(a->max_cost));
    return object;
}

int er_request_budgets(const struct er_args *args, struct er_arena *arena,
    const char **json, struct errand_error *err)
{
    json_t *object = budgets_of(args);
    *json = NULL;
    if (object && json_object_size(object) == 0) {
        json_decref(object);
        return ERRAND_OK;
    }
    return keep(object, arena, json, err);
}

static void put_rules(
    json_t *policy, const char *key, const struct er_list *rules)
{
    if (rules->n == 0)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < rules->n; i++)
        json_array_append_new(list, json_string(rules->v[i]));
    json_object_set_new(policy, key, list);
}

json_t *er_request_policy(const struct er_args *args)
{
    json_t *policy = json_object();
    put_rules(policy, "deny", &args->deny);
    put_rules(policy, "ask", &args->ask);
    put_rules(policy, "allow", &args->approve);
    return policy;
}

int er_request_resume(const struct er_args *args, struct er_arena *arena,
    const char **json, struct errand_error *err)
{
    json_t *budgets = budgets_of(args), *object = json_object();
    *json = NULL;
    if (budgets && json_object_size(budgets) > 0)
        json_object_set(object, "budgets", budgets);
    if (args->on_unknown)
        json_object_set_new(
            object, "on_unknown", json_string(args->on_unknown));
    json_decref(budgets);
    json_t *policy = er_request_policy(args);
    if (json_object_size(policy) > 0)
        json_object_set(object, "policy", policy);
    json_decref(policy);
    if (args->wait_approval)
        json_object_set_new(object, "on_ask", json_string("wait"));
    if (object && json_object_size(object) == 0) {
        json_decref(object);
        return ERRAND_OK;
    }
    return keep(object, arena, json, err);
}

/* -------------------------------------------------------------- the whole */

/* A file that is checked to be JSON so that the error names its line. */
static int read_json(const char *path, const char *option,
    struct er_arena *arena, const char **out, struct errand_error *err)
{
    struct er_buf text;
    er_buf_init(&text, ER_INPUT_MAX + 1);
    int code = er_input_file(path, &text, err);
    if (!code) {
        json_t *value = er_json_parse(
            er_buf_str(&text), text.len, ER_JSON_STRICT, err);
        code = value ? ERRAND_OK : ERRAND_SYNTAX;
        json_decref(value);
    }
    if (code) {
        er_while(err, "reading --%s %.80s", option, path);
    } else {
        *out = er_arena_strn(arena, er_buf_str(&text), text.len);
        code = *out ? ERRAND_OK : er_nomem(err);
    }
    er_buf_release(&text);
    return code;
}

/* --param's, and one for all of --lora. */
static int all_params(const struct er_args *a, struct er_arena *arena,
    struct er_list *out, struct errand_error *err)
{
    struct er_buf lora;
    *out = a->params;
    if (a->loras.n == 0)
        return ERRAND_OK;
    if (out->n == ER_LIST_MAX)
        return er_fail(err, ERRAND_USAGE,
            "--param was given too often for --lora beside it");
    er_buf_init(&lora, 4096);
    for (size_t i = 0; i < a->loras.n; i++)
        er_buf_addf(&lora, "%s%s", i ? "," : "lora=\"", a->loras.v[i]);
    er_buf_addc(&lora, '"');
    out->v[out->n] = lora.failed ? NULL : er_arena_str(arena, lora.data);
    er_buf_release(&lora);
    if (!out->v[out->n])
        return er_nomem(err);
    out->v[++out->n] = NULL;
    return ERRAND_OK;
}

int er_request_build(const struct er_cli *cli, struct er_arena *arena,
    struct errand_request *req, struct errand_error *err)
{
    const struct er_args *a = &cli->args;
    *req = (struct errand_request){
        .size = sizeof *req,
        .flags = (a->no_stream ? (uint32_t)ERRAND_REQ_NO_STREAM : 0u) |
                 (a->prompt_form ? (uint32_t)ERRAND_REQ_PROMPT : 0u),
        .conversation = a->conversation,
        .model = a->model,
        .system = a->system,
        .tool_choice = a->tool_choice,
        .client_key = a->key,
        .on_unknown = a->on_unknown,
        .allow = a->approve.n ? a->approve.v : NULL,
        .ask = a->ask.n ? a->ask.v : NULL,
        .deny = a->deny.n ? a->deny.v : NULL,
        .on_ask = a->wait_approval ? "wait" : NULL,
        .agent = a->agent,
    };
    struct er_list params;
    static const char *const none[] = {NULL};
    int code = ERRAND_OK;
    if (!a->agent || a->tools.n > 0) /* else the agent's */
        code = er_request_tools(&a->tools, arena, &req->tools, err);
    if (a->agent && a->tools.n > 0 && !req->tools)
        req->tools = none;
    if (!code)
        code = all_params(a, arena, &params, err);
    if (!code)
        code = er_request_params(&params, arena, &req->params, err);
    if (!code)
        code = er_request_budgets(a, arena, &req->budgets, err);
    if (!code && a->schema)
        code = read_json(a->schema, "schema", arena, &req->schema, err);
    if (!code && a->functions)
        code = read_json(
            a->functions, "functions", arena, &req->functions, err);
    return code;
}

int er_request_last(
    struct er_cli *cli, char out[ER_ID_SIZE], struct errand_error *err)
{
    char *text = NULL;
    int code = errand_log_list(cli->rt, "{\"limit\":1}", &text, err);
    if (code)
        return code;
    json_t *runs = er_json_parse(text, strlen(text), ER_JSON_LENIENT, err);
    errand_free(text);
    const char *id = er_json_str(json_array_get(runs, 0), "conversation");
    size_t len = id ? strlen(id) : 0;
    if (id && len < ER_ID_SIZE)
        memcpy(out, id, len + 1);
    json_decref(runs);
    if (id)
        return ERRAND_OK;
    return er_fail(err, ERRAND_NOT_FOUND,
        "there is no conversation yet to go on with; leave --last out");
}
