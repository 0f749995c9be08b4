/* Tools that go wrong in every way but an answer. */
#include <errand/tool.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKET = 3 };

static void good(void *self, struct errand_tool_call *call)
{
    (void)self;
    call->host->reply(call, "good", 4);
}

static void segv(void *self, struct errand_tool_call *call)
{
    volatile int *nowhere = NULL;
    (void)self;
    (void)call;
    *nowhere = 1;
}

static void aborts(void *self, struct errand_tool_call *call)
{
    (void)self;
    (void)call;
    fputs("about to abort\n", stderr);
    abort();
}

static void exits(void *self, struct errand_tool_call *call)
{
    (void)self;
    (void)call;
    exit(0);
}

static void hangs(void *self, struct errand_tool_call *call)
{
    (void)self;
    (void)call;
    for (;;)
        pause();
}

/* No signal reaches it but those that nobody can block. */
static void deaf(void *self, struct errand_tool_call *call)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    hangs(self, call);
}

static void spins(void *self, struct errand_tool_call *call)
{
    (void)self;
    (void)call;
    for (volatile uint64_t i = 0;; i++)
        ;
}

/* Standard error, without end. */
static void floods(void *self, struct errand_tool_call *call)
{
    char line[1000];
    (void)self;
    (void)call;
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (;;)
        if (write(STDERR_FILENO, line, sizeof line) < 0)
            pause();
}

static void write_all(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(SOCKET, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

static void frame(const char *json)
{
    uint32_t len = (uint32_t)strlen(json);
    unsigned char head[4] = {(unsigned char)len, (unsigned char)(len >> 8),
        (unsigned char)(len >> 16), (unsigned char)(len >> 24)};
    write_all((const char *)head, 4);
    write_all(json, len);
}

/* What stands in the argument "frame" goes out as one. */
static void says(void *self, struct errand_tool_call *call)
{
    (void)self;
    frame(call->host->text(call, "/frame", NULL));
    call->host->reply(call, "said", 4);
}

static void too_long(void *self, struct errand_tool_call *call)
{
    (void)self;
    write_all("\377\377\377\377rest", 8);
    call->host->reply(call, "sent", 4);
}

static void cut_short(void *self, struct errand_tool_call *call)
{
    (void)self;
    (void)call;
    write_all("\100\0\0\0{\"id\":", 10);
    _exit(0);
}

static void closes(void *self, struct errand_tool_call *call)
{
    (void)self;
    close(SOCKET);
    call->host->reply(call, "nobody hears", 12);
}

static void closes_and_hangs(void *self, struct errand_tool_call *call)
{
    close(SOCKET);
    hangs(self, call);
}

/* Without end: the runtime must not drown. */
static void log_storm(void *self, struct errand_tool_call *call)
{
    (void)self;
    (void)call;
    for (;;)
        frame("{\"id\":0,\"log\":\"storm\",\"level\":2}");
}

/* Dies after its work was done; its probe finds the work. */
static void keeps(void *self, struct errand_tool_call *call)
{
    segv(self, call);
}

static int32_t probe_keeps(void *self, struct errand_tool_call *call)
{
    (void)self;
    call->host->reply(call, "kept", 4);
    return ERRAND_TOOL_PROBE_DONE;
}

/* Dies before its work was done, the first time. */
static void loses(void *self, struct errand_tool_call *call)
{
    if (call->attempt == 1)
        segv(self, call);
    call->host->reply(call, "the second time", 15);
}

static int32_t probe_loses(void *self, struct errand_tool_call *call)
{
    (void)self;
    (void)call;
    return ERRAND_TOOL_PROBE_NOT_DONE;
}

static int32_t probe_doubts(void *self, struct errand_tool_call *call)
{
    (void)self;
    (void)call;
    return ERRAND_TOOL_PROBE_UNKNOWN;
}

#define TOOL(which, what)                                            \
    static const struct errand_tool which##_tool = {                 \
        .size = sizeof which##_tool, .effect = what, .name = #which, \
        .description = "a test", .timeout_ms = 1000,                 \
        .parameters = "{\"type\": \"object\"}", .run = which}

TOOL(good, ERRAND_TOOL_PURE);
TOOL(segv, ERRAND_TOOL_UNSAFE);
TOOL(aborts, ERRAND_TOOL_READ);
TOOL(exits, ERRAND_TOOL_UNSAFE);
TOOL(hangs, ERRAND_TOOL_UNSAFE);
TOOL(deaf, ERRAND_TOOL_UNSAFE);
TOOL(spins, ERRAND_TOOL_READ);
TOOL(floods, ERRAND_TOOL_UNSAFE);
TOOL(says, ERRAND_TOOL_UNSAFE);
TOOL(too_long, ERRAND_TOOL_UNSAFE);
TOOL(cut_short, ERRAND_TOOL_UNSAFE);
TOOL(closes, ERRAND_TOOL_UNSAFE);
TOOL(closes_and_hangs, ERRAND_TOOL_UNSAFE);
TOOL(log_storm, ERRAND_TOOL_UNSAFE);

#define PROBED(which, how, look)                                     \
    static const struct errand_tool which##_tool = {                 \
        .size = sizeof which##_tool, .name = #which,                 \
        .description = "a test", .run = how, .probe = look}

PROBED(keeps, keeps, probe_keeps);
PROBED(loses, loses, probe_loses);
PROBED(doubts, keeps, probe_doubts);

static const struct errand_tool *const tools[] = {
    &keeps_tool, &loses_tool, &doubts_tool, &good_tool, &segv_tool,
    &aborts_tool, &exits_tool, &hangs_tool, &deaf_tool,
    &spins_tool, &floods_tool,
    &says_tool, &too_long_tool, &cut_short_tool, &closes_tool,
    &closes_and_hangs_tool, &log_storm_tool, NULL};

static const struct errand_plugin plugin = {
    .size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "rogue",
    .version = "1",
    .tools = tools,
};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
