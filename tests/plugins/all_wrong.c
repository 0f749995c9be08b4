/* A plugin in which everything is wrong that can be said of one. */
#include <errand/tool.h>

static void run(void *self, struct errand_tool_call *call)
{
    (void)self;
    (void)call;
}

static const struct errand_tool small = {.size = 16, .name = "small"};
static const struct errand_tool nameless = {
    .size = sizeof nameless, .description = "a test", .run = run};
static const struct errand_tool bad = {.size = sizeof bad,
    .effect = 9,
    .timeout_ms = 3600001,
    .name = "a name",
    .parameters = "{\"type\": \"object\"",
    .permissions = "[]"};
static const struct errand_tool schema = {.size = sizeof schema,
    .name = "schema",
    .description = "a test",
    .parameters = "{\"type\": \"object\", \"required\": 5}",
    .permissions = "{\"reads\": [\".\"], \"run\": [\"a/b\"], \"kv\": 1}",
    .run = run};
static const struct errand_tool again = {.size = sizeof again,
    .name = "schema",
    .description = "a test",
    .run = run};
static const struct errand_tool *const tools[] = {
    &small, &nameless, &bad, &schema, &again, NULL};
static const struct errand_plugin plugin = {.size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "",
    .version = NULL,
    .tools = tools,
    .configuration = "5"};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
