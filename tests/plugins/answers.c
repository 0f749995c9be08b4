/* Tools that use all that errand/tool.h offers, and each way to answer. */
#include <errand/tool.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void reply(struct errand_tool_call *call, const char *text)
{
    call->host->reply(call, text, strlen(text));
}

static void echo(void *self, struct errand_tool_call *call)
{
    (void)self;
    call->host->reply(call, call->arguments, call->arguments_len);
}

/* What every accessor says of the place in "at". */
static void look(void *self, struct errand_tool_call *call)
{
    const struct errand_tool_host *host = call->host;
    char piece[200];
    size_t len = 0;
    (void)self;
    const char *at = host->text(call, "/at", NULL);
    const char *text = host->text(call, at, &len);
    snprintf(piece, sizeof piece,
        "{\"kind\":%d,\"integer\":%lld,\"number\":%g,\"boolean\":%d,"
        "\"count\":%u,\"text\":",
        (int)host->kind(call, at), (long long)host->integer(call, at, -1),
        host->number(call, at, -1.5), (int)host->boolean(call, at, -1),
        (unsigned)host->count(call, at));
    host->add(call, piece, strlen(piece));
    if (text)
        host->add_text(call, text, len);
    else
        host->add(call, "null", 4);
    reply(call, "}");
}

static void facts(void *self, struct errand_tool_call *call)
{
    const struct errand_tool_host *host = call->host;
    char text[300];
    snprintf(text, sizeof text,
        "size %d key %s attempt %u timeout %u left %d cancelled %d abi %u "
        "extension %d self %s",
        call->size == sizeof *call && host->size == sizeof *host, call->key,
        (unsigned)call->attempt, (unsigned)call->timeout_ms,
        host->remaining_ms(call) > 0 &&
            host->remaining_ms(call) <= call->timeout_ms,
        (int)host->cancelled(call), (unsigned)host->abi,
        host->extension(call, "errand.nothing/1") != NULL,
        self ? (const char *)self : "none");
    reply(call, text);
}

static void refuse(void *self, struct errand_tool_call *call)
{
    (void)self;
    call->host->fail(call, "try a smaller one", 17);
}

static void silent(void *self, struct errand_tool_call *call)
{
    (void)self;
    (void)call;
}

static void twice(void *self, struct errand_tool_call *call)
{
    (void)self;
    reply(call, "first");
    reply(call, "second");
    call->host->fail(call, "third", 5);
}

static void large(void *self, struct errand_tool_call *call)
{
    static const char piece[65536] = {'x'};
    (void)self;
    for (int i = 0; i < 257; i++)
        call->host->add(call, piece, sizeof piece);
    reply(call, "");
}

static void broken_text(void *self, struct errand_tool_call *call)
{
    (void)self;
    call->host->reply(call, "a\377b\0c", 5);
}

static void chatty(void *self, struct errand_tool_call *call)
{
    (void)self;
    for (int i = 0; i < 300; i++)
        call->host->log(call, ERRAND_TOOL_LOG_WARN, "a line", 6);
    fputs("a word on standard error\n", stderr);
    reply(call, "said");
}

static void *answer_there(void *call)
{
    reply(call, "from a thread");
    return NULL;
}

static void threaded(void *self, struct errand_tool_call *call)
{
    pthread_t id;
    (void)self;
    if (pthread_create(&id, NULL, answer_there, call) != 0) {
        call->host->fail(call, "no thread", 9);
        return;
    }
    pthread_join(id, NULL);
}

static int32_t probe(void *self, struct errand_tool_call *call)
{
    const char *key = call->key;
    (void)self;
    if (strncmp(key, "done", 4) == 0) {
        reply(call, "it was done");
        return ERRAND_TOOL_PROBE_DONE;
    }
    return strncmp(key, "not", 3) == 0 ? ERRAND_TOOL_PROBE_NOT_DONE
                                       : ERRAND_TOOL_PROBE_UNKNOWN;
}

#define TOOL(which, what, more)                                      \
    static const struct errand_tool which##_tool = {                 \
        .size = sizeof which##_tool, .effect = what, .name = #which, \
        .description = "a test", .run = which, more}

#define ANY "{\"type\": \"object\"}"
TOOL(echo, ERRAND_TOOL_PURE, .parameters = ANY);
TOOL(look, ERRAND_TOOL_PURE, .parameters = ANY);
TOOL(facts, ERRAND_TOOL_READ, .timeout_ms = 5000);
TOOL(refuse, ERRAND_TOOL_PURE, .flags = ERRAND_TOOL_SEQUENTIAL);
TOOL(silent, ERRAND_TOOL_PURE, .flags = ERRAND_TOOL_POLLS);
TOOL(twice, ERRAND_TOOL_PURE, .flags = 0);
TOOL(large, ERRAND_TOOL_PURE, .flags = 0);
TOOL(broken_text, ERRAND_TOOL_PURE, .flags = 0);
TOOL(chatty, ERRAND_TOOL_PURE, .flags = 0);
TOOL(threaded, ERRAND_TOOL_UNSAFE, .probe = probe);

static const struct errand_tool *const tools[] = {&echo_tool, &look_tool,
    &facts_tool, &refuse_tool, &silent_tool, &twice_tool, &large_tool,
    &broken_text_tool, &chatty_tool, &threaded_tool, NULL};

/* {"greeting": text}; "no" refuses. */
static int32_t init(void **self, struct errand_tool_call *call)
{
    const char *text = call->host->text(call, "/greeting", NULL);
    if (text && strcmp(text, "no") == 0) {
        call->host->fail(call, "not in the mood", 15);
        return 1;
    }
    *self = text ? strdup(text) : NULL;
    return 0;
}

static void fini(void *self)
{
    free(self);
}

static const struct errand_plugin plugin = {
    .size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "answers",
    .version = "2.5",
    .tools = tools,
    .configuration = "{\"type\": \"object\", \"properties\": {\"greeting\": "
                     "{\"type\": \"string\"}}, "
                     "\"additionalProperties\": false}",
    .init = init,
    .fini = fini,
};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
