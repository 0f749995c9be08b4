/* What the tests of plugins share, on top of tool_kit.h. */
#ifndef ERRAND_TESTS_SUPPORT_PLUGIN_KIT_H
#define ERRAND_TESTS_SUPPORT_PLUGIN_KIT_H

#include "tool_kit.h"

/* Path of a plugin among the tests' ("answers"), or of one that is shipped
 * ("plugins/hash_file"); a few at a time. */
static inline const char *plugin_path(const char *name)
{
    static char paths[4][4096];
    static int next;
    const char *build = getenv("ERRAND_BUILD");
    char *p = paths[next++ % 4];
    snprintf(p, sizeof paths[0], "%s/%s%s.so", build ? build : "build",
        strchr(name, '/') ? "" : "tests/plugins/", name);
    return p;
}

/* config is JSON text or NULL. */
static inline int plugin_try(struct kit *k, const char *path,
    const char *config, bool inproc, struct errand_error *err)
{
    json_t *value = config ? er_json_parse(config, strlen(config),
                                 ER_JSON_STRICT, NULL)
                           : NULL;
    struct er_plugin_wish wish = {
        .path = path, .config = value, .inproc = inproc};
    int rc = er_tools_load_plugin(k->tools, &wish, err);
    json_decref(value);
    return rc;
}

static inline void plugin_load(
    struct kit *k, const char *name, const char *config, bool inproc)
{
    struct errand_error err = {0};
    if (plugin_try(k, plugin_path(name), config, inproc, &err) != ERRAND_OK)
        fail_msg("%s: %s", name, err.msg);
}

/* Loading must fail with this code and words. */
static inline void plugin_refused(struct kit *k, const char *path,
    const char *config, bool inproc, int code, const char *words)
{
    struct errand_error err = {0};
    int rc = plugin_try(k, path, config, inproc, &err);
    if (rc != code || !strstr(err.msg, words))
        print_message("%s: code %d, %s\n", path, rc, err.msg);
    assert_int_equal(rc, code);
    assert_non_null(strstr(err.msg, words));
}

#endif
