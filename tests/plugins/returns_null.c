/* A plugin without a description. */
#include <errand/tool.h>

const struct errand_plugin *errand_plugin_main(void)
{
    return NULL;
}
