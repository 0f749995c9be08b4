/* A plugin that was not linked with what it needs. */
#include <errand/tool.h>

extern int nobody_has_this(void);

const struct errand_plugin *errand_plugin_main(void)
{
    return nobody_has_this() ? NULL : NULL;
}
