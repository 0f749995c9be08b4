/* errand/tool.h after a break: version 3.7. */
#ifndef ERRAND_TOOL_H
#define ERRAND_TOOL_H
#include <stddef.h>
#include <stdint.h>

#define ERRAND_TOOL_ABI (3 * 65536u + 7)

struct errand_plugin {
    uint32_t size, abi;
    uint64_t all_is_different;
};

__attribute__((visibility("default")))
const struct errand_plugin *errand_plugin_main(void);
#endif
