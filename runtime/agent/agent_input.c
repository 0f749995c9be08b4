/* From an agent's table and what was given with -p to the settings of a run. */
#include "agent/agent_file.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 16 * 1024 * 1024 };

/* ----------------------------------------------------------------- input */

static const json_t *own(const struct er_agent *a)
{
    return json_object_get(
        json_object_get(a->table, "parameters"), "properties");
}

static int set_defaults(
    const struct er_agent *a, json_t *input, struct errand_error *err)
{
    const char *key;
    json_t *property;
    json_object_foreach((json_t *)own(a), key, property)
    {
        json_t *value = json_object_get(property, "default");
        if (value && !json_object_get(input, key) &&
            json_object_set(input, key, value) != 0)
            return er_nomem(err);
    }
    return ERRAND_OK;
}

static void say_known(const struct er_agent *a, struct er_buf *out)
{
    const char *key;
    json_t *v;
    bool first = true;
    json_object_foreach((json_t *)own(a), key, v)
    {
        er_buf_addf(out, "%s%s", first ? "it takes " : ", ", key);
        first = false;
    }
    if (first)
        er_buf_adds(out, "it takes no parameters");
}

static int misfit(const struct er_agent *a, const char *what,
    struct errand_error *err)
{
    struct er_buf known;
    er_buf_init(&known, 400);
    say_known(a, &known);
    int rc = er_fail(err, ERRAND_USAGE, "agent %.40s: %.100s; %.70s (-p "
        "NAME=VALUE)", a->name, what, er_buf_str(&known));
    er_buf_release(&known);
    return rc;
}

static int check(
    const struct er_agent *a, json_t **input, struct errand_error *err)
{
    json_t *errors = json_array();
    int rc = ERRAND_OK;
    er_schema_coerce(a->parameters, input);
    if (!er_schema_check(a->parameters, *input, errors, 1)) {
        const json_t *e = json_array_get(errors, 0);
        const char *at = er_json_str(e, "path");
        const char *what = er_json_str(e, "message");
        struct er_buf b;
        er_buf_init(&b, 1000);
        er_buf_addf(&b, "%.60s%s%.200s", at && at[0] ? at + 1 : "",
            at && at[0] ? ": " : "", what ? what : "does not fit");
        rc = misfit(a, er_buf_str(&b), err);
        er_buf_release(&b);
    }
    json_decref(errors);
    return rc;
}

static int split(const struct er_agent *a, const struct er_agent_wish *wish,
    json_t *input, json_t *params, struct errand_error *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)wish->given, key, value)
    {
        bool is_own = json_object_get(own(a), key) != NULL;
        struct er_buf b;
        if (wish->strict && strcmp(key, "prompt") == 0)
            continue;
        if (wish->strict && !is_own) {
            er_buf_init(&b, 200);
            er_buf_addf(&b, "there is no parameter \"%.60s\"", key);
            int rc = misfit(a, er_buf_str(&b), err);
            er_buf_release(&b);
            return rc;
        }
        if (json_object_set(is_own ? input : params, key, value) != 0)
            return er_nomem(err);
    }
    return ERRAND_OK;
}

/* A parameter that is neither the agent's nor a sampling parameter. */
static int check_sampling(const struct er_agent *a, const json_t *params,
    struct errand_error *err)
{
    struct er_sampling s;
    struct errand_error why = {0};
    er_sampling_defaults(&s);
    if (er_sampling_parse(params, &s, &why) == ERRAND_OK)
        return ERRAND_OK;
    if (why.code == ERRAND_RANGE) {
        *err = why;
        return why.code;
    }
    return misfit(a, why.msg, err);
}

int er_agent_input(const struct er_agent *a,
    const struct er_agent_wish *wish, json_t **input, json_t **params,
    struct errand_error *err)
{
    *input = json_object();
    *params = json_object();
    int rc = *input && *params ? ERRAND_OK : er_nomem(err);
    if (rc == ERRAND_OK)
        rc = split(a, wish, *input, *params, err);
    if (rc == ERRAND_OK)
        rc = set_defaults(a, *input, err);
    if (rc == ERRAND_OK && a->parameters)
        rc = check(a, input, err);
    if (rc == ERRAND_OK && json_object_size(*params) > 0)
        rc = check_sampling(a, *params, err);
    if (rc == ERRAND_OK && !er_json_putn(*input, "prompt",
                               wish->prompt ? wish->prompt : "",
                               wish->prompt ? wish->prompt_len : 0))
        rc = er_fail(err, ERRAND_USAGE, "the prompt is not UTF-8");
    if (rc == ERRAND_OK && json_object_size(*params) == 0) {
        json_decref(*params);
        *params = NULL;
    }
    if (rc != ERRAND_OK) {
        json_decref(*input);
        json_decref(*params);
        *input = *params = NULL;
    }
    return rc;
}

/* -------------------------------------------------------------- settings */

/* Members of the agent's object under those of the run's. */
static int lay_under(
    json_t *settings, const char *key, const json_t *agents)
{
    json_t *mine = json_object_get(settings, key);
    if (!agents)
        return 0;
    if (!mine)
        return json_object_set_new(
            settings, key, json_deep_copy(agents));
    return json_object_update_missing(mine, (json_t *)agents);
}

/* Its rules join those of the run. */
static int add_rules(json_t *settings, const json_t *rules)
{
    const char *key;
    json_t *list, *policy = json_object_get(settings, "policy");
    if (!rules)
        return 0;
    if (!policy && json_object_set_new(
                       settings, "policy", (policy = json_object())) != 0)
        return -1;
    json_object_foreach((json_t *)rules, key, list)
    {
        json_t *old = json_object_get(policy, key);
        if (!json_is_array(list))
            continue;
        if ((old ? json_array_extend(old, list)
                 : json_object_set_new(policy, key, json_copy(list))) != 0)
            return -1;
    }
    return 0;
}

int er_agent_settle(const struct er_agent *a, json_t *settings,
    const json_t *input, struct errand_error *err)
{
    static const char *const texts[] = {
        "model", "tool_choice", "on_unknown", "schema", "tools"};
    int rc = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *v = json_object_get(a->table, texts[i]);
        if (v && !json_object_get(settings, texts[i]))
            rc |= json_object_set(settings, texts[i], v);
    }
    rc |= lay_under(settings, "params", json_object_get(a->table, "params"));
    rc |=
        lay_under(settings, "budgets", json_object_get(a->table, "budgets"));
    rc |= add_rules(settings, json_object_get(a->table, "policy"));
    rc |= json_object_set_new(settings, "agent",
        json_pack("{s:s, s:s, s:s, s:b}", "name", a->name, "path", a->path,
            "sha256", er_script_sha256(a->file), "script", a->is_script));
    rc |= json_object_set(settings, "input", (json_t *)input);
    return rc == 0 ? ERRAND_OK : er_nomem(err);
}

/* ------------------------------------------------------------------ texts */

/* A value as a text reads it. */
static void add_value(struct er_buf *out, const json_t *value)
{
    if (json_is_string(value))
        er_buf_add(out, json_string_value(value), json_string_length(value));
    else if (value)
        er_json_add(out, value);
}

char *er_agent_text(
    const struct er_agent *a, const char *key, const json_t *input)
{
    const char *s = er_json_str(a->table, key);
    struct er_buf out;
    if (!s)
        return NULL;
    er_buf_init(&out, TEXT_MOST);
    while (*s) {
        const char *open = strstr(s, "{{"), *close = NULL;
        if (open)
            close = strstr(open, "}}");
        size_t n = close ? (size_t)(close - open) - 2 : 0;
        char *name = close ? er_strndup(open + 2, n) : NULL;
        const json_t *value = name ? json_object_get(input, name) : NULL;
        if (!close) {
            er_buf_adds(&out, s);
            s += strlen(s);
        } else {
            er_buf_add(&out, s, (size_t)(open - s));
            if (value)
                add_value(&out, value);
            else if (!json_object_get(own(a), name ? name : ""))
                er_buf_add(&out, open, n + 4); /* is no parameter of it */
            s = close + 2;
        }
        free(name);
    }
    return er_buf_take(&out, NULL);
}
