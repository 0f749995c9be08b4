/* A plugin from after fields that this errand does not have; built with
 * -Itests/plugins/newer. It looks before it uses them. */
#include <errand/tool.h>

#define HAS(object, type, field) \
    ((object)->size >= offsetof(type, field) + sizeof((object)->field))

static void run(void *self, struct errand_tool_call *call)
{
    (void)self;
    if (HAS(call->host, struct errand_tool_host, progress))
        call->host->progress(call, 50);
    if (HAS(call, struct errand_tool_call, conversation))
        call->host->reply(call, call->conversation, 1);
    else
        call->host->reply(call, "new and well", 12);
}

static void idle(void *self)
{
    (void)self;
}

static const struct errand_tool tool = {.size = sizeof tool,
    .effect = 1,
    .flags = 0x80000000u,
    .name = "newer",
    .description = "a test",
    .run = run,
    .title = "Newer",
    .cost = 3};
static const struct errand_tool *const tools[] = {&tool, NULL};
static const struct errand_plugin plugin = {.size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "newer",
    .version = "9",
    .tools = tools,
    .idle = idle};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
