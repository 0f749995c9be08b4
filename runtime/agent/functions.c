/* Reading, finding and offering them. */
#include "agent/functions.h"

#include <stdlib.h>
#include <string.h>

enum { FUNCTIONS_MOST = 128 };

static const struct er_tool *find(const errand_run *run, const char *name)
{
    for (size_t i = 0; i < run->n_functions; i++)
        if (strcmp(run->functions[i]->name, name) == 0)
            return run->functions[i];
    return NULL;
}

static int add(errand_run *run, const json_t *function,
    struct errand_error *err)
{
    const struct er_tool *tool =
        er_tools_function(run->rt->tools, function, err);
    if (!tool)
        return err->code;
    if (find(run, tool->name)) {
        er_fail(err, ERRAND_EXISTS, "two functions are named %s, rename one",
            tool->name);
        er_tools_function_free(tool);
        return ERRAND_EXISTS;
    }
    run->functions[run->n_functions++] = tool;
    return ERRAND_OK;
}

int er_functions_read(
    errand_run *run, const json_t *list, struct errand_error *err)
{
    struct errand_error mine = {0};
    size_t n = json_array_size(list);
    err = err ? err : &mine;
    if (!list)
        return ERRAND_OK;
    if (!json_is_array(list) || n > FUNCTIONS_MOST)
        return er_fail(err, ERRAND_USAGE,
            "functions must be an array of at most %d objects "
            "{\"name\",\"code\"}", FUNCTIONS_MOST);
    run->functions = calloc(n ? n : 1, sizeof *run->functions);
    if (!run->functions)
        return er_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (add(run, json_array_get(list, i), err) != ERRAND_OK)
            return er_while(err, "functions[%zu]", i);
    return ERRAND_OK;
}

void er_functions_free(errand_run *run)
{
    for (size_t i = 0; i < run->n_functions; i++)
        er_tools_function_free(run->functions[i]);
    free(run->functions);
    run->functions = NULL;
    run->n_functions = 0;
}

const struct er_tool *er_functions_find(
    const errand_run *run, const char *name)
{
    const struct er_tool *tool = find(run, name);
    return tool ? tool : er_tools_find(run->rt->tools, name);
}

/* Its place among run->tools; SIZE_MAX: the name is taken. */
static size_t place_of(const errand_run *run, const char *name)
{
    size_t i;
    json_t *t;
    json_array_foreach(run->tools, i, t)
    {
        int order = strcmp(name, er_json_str(t, "name"));
        if (order == 0)
            return SIZE_MAX;
        if (order < 0)
            return i;
    }
    return json_array_size(run->tools);
}

int er_functions_offer(errand_run *run, struct errand_error *err)
{
    for (size_t i = 0; i < run->n_functions; i++) {
        const struct er_tool *t = run->functions[i];
        size_t at = place_of(run, t->name);
        if (at == SIZE_MAX)
            return er_fail(err, ERRAND_EXISTS,
                "the function %s has the name of a tool; rename it, or leave "
                "the tool out", t->name);
        json_t *v = json_pack("{s:s, s:s, s:O}", "name", t->name,
            "description", t->description, "parameters", t->parameters);
        if (!v || json_array_insert_new(run->tools, at, v) != 0)
            return er_nomem(err);
    }
    return ERRAND_OK;
}
