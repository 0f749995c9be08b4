/* errand/tool.h as one before it may have been: shorter structs. */
#ifndef ERRAND_TOOL_H
#define ERRAND_TOOL_H
#include <stddef.h>
#include <stdint.h>

#define ERRAND_TOOL_ABI 65536u

struct errand_tool_call;
struct errand_tool_host {
    uint32_t size, abi;
    void (*reply)(
        struct errand_tool_call *call, const char *bytes, size_t len);
    void (*fail)(
        struct errand_tool_call *call, const char *message, size_t len);
};

struct errand_tool_call {
    uint32_t size, attempt, timeout_ms, arguments_len;
    const struct errand_tool_host *host;
    const char *arguments;
};

struct errand_tool {
    uint32_t size, effect, flags, timeout_ms;
    const char *name, *description, *parameters, *permissions;
    void (*run)(void *self, struct errand_tool_call *call);
};

struct errand_plugin {
    uint32_t size, abi;
    const char *name, *version;
    const struct errand_tool *const *tools;
};

__attribute__((visibility("default")))
const struct errand_plugin *errand_plugin_main(void);
#endif
