/* A plugin from before init, probe, keys and most of the host's functions;
 * built with -Itests/plugins/older. */
#include <errand/tool.h>

static void run(void *self, struct errand_tool_call *call)
{
    (void)self;
    call->host->reply(call, "old and well", 12);
}

static const struct errand_tool tool = {.size = sizeof tool,
    .effect = 1,
    .name = "older",
    .description = "a test",
    .run = run};
static const struct errand_tool *const tools[] = {&tool, NULL};
static const struct errand_plugin plugin = {.size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "older",
    .version = "0.1",
    .tools = tools};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
