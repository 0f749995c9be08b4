/* A plugin of another major version; built with -Itests/plugins/other. */
#include <errand/tool.h>

static const struct errand_plugin plugin = {.size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .all_is_different = 1};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
