/* errand/tool.h as one after it may be: version 1.9, longer structs. */
#ifndef ERRAND_TOOL_H
#define ERRAND_TOOL_H
#include <stddef.h>
#include <stdint.h>

#define ERRAND_TOOL_ABI (65536u + 9)

struct errand_tool_call;
struct errand_tool_host {
    uint32_t size, abi;
    void (*reply)(
        struct errand_tool_call *call, const char *bytes, size_t len);
    void (*others[13])(void);
    void (*progress)(struct errand_tool_call *call, uint32_t percent);
};

struct errand_tool_call {
    uint32_t size, attempt, timeout_ms, arguments_len;
    const struct errand_tool_host *host;
    const char *arguments, *key;
    void *context;
    const char *conversation;
};

struct errand_tool {
    uint32_t size, effect, flags, timeout_ms;
    const char *name, *description, *parameters, *permissions;
    void (*run)(void *self, struct errand_tool_call *call);
    int32_t (*probe)(void *self, struct errand_tool_call *call);
    const char *title;
    uint32_t cost, more_flags;
};

struct errand_plugin {
    uint32_t size, abi;
    const char *name, *version;
    const struct errand_tool *const *tools;
    const char *configuration;
    int32_t (*init)(void **self, struct errand_tool_call *call);
    void (*fini)(void *self);
    void (*idle)(void *self);
};

__attribute__((visibility("default")))
const struct errand_plugin *errand_plugin_main(void);
#endif
