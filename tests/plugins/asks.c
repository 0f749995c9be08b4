/* Tools that ask errand: requests, values that are kept, secrets; and one
 * that looks whether anybody still waits. */
#include <errand/tool.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void say(struct errand_tool_call *call, const char *text)
{
    call->host->add(call, text, strlen(text));
}

static void end(struct errand_tool_call *call, const char *why)
{
    if (why)
        call->host->fail(call, why, strlen(why));
    else
        call->host->reply(call, NULL, 0);
}

static const void *extension(struct errand_tool_call *call, const char *id)
{
    return call->host->extension(call, id);
}

/* ------------------------------------------------------------------ fetch */

static void fetch(void *self, struct errand_tool_call *call)
{
    const struct errand_tool_host *host = call->host;
    const struct errand_tool_http *http = extension(call, ERRAND_TOOL_HTTP);
    const struct errand_tool_secret *secret =
        extension(call, ERRAND_TOOL_SECRET);
    const char *why = NULL, *token = NULL;
    char value[200], piece[64];
    const char *headers[] = {"X-Token", value, NULL};
    size_t body_len = 0;
    (void)self;
    if (host->text(call, "/secret", NULL))
        token = secret->get(call, host->text(call, "/secret", NULL), &why);
    if (why) {
        end(call, why);
        return;
    }
    snprintf(value, sizeof value, "%s", token ? token : "none");
    const char *body = host->text(call, "/body", &body_len);
    struct errand_tool_http_request request = {
        .size = (uint32_t)host->integer(call, "/size", sizeof request),
        .flags = (uint32_t)host->integer(call, "/flags", 0),
        .max_bytes = (uint32_t)host->integer(call, "/max_bytes", 0),
        .timeout_ms = (uint32_t)host->integer(call, "/timeout_ms", 0),
        .url = host->text(call, "/url", NULL),
        .method = host->text(call, "/method", NULL),
        .headers = headers,
        .body = body,
        .body_len = (uint32_t)body_len};
    const struct errand_tool_http_answer *a =
        http->send(call, &request, &why);
    if (!a) {
        end(call, why);
        return;
    }
    snprintf(piece, sizeof piece, "%u %u ", a->status, a->body_len);
    say(call, piece);
    for (size_t i = 0; a->headers[i]; i += 2) {
        if (strcmp(a->headers[i], "x-echo") == 0)
            say(call, a->headers[i + 1]);
    }
    say(call, " ");
    call->host->add(call, a->body, a->body_len);
    end(call, a->body[a->body_len] ? "the body has no end" : NULL);
}

/* --------------------------------------------------------------------- kv */

/* A step per element of "steps": "get a", "set a JSON", "remove a",
 * "list PREFIX AFTER"; the answers with | between. */
static void step(struct errand_tool_call *call,
    const struct errand_tool_kv *kv, const char *text)
{
    char op[16] = "", key[64] = "", rest[64] = "", piece[100];
    const char *why = NULL, *json = NULL, *const *keys = NULL;
    int32_t rc = -1;
    sscanf(text, "%15s %63s %63s", op, key, rest);
    if (strcmp(op, "get") == 0)
        rc = kv->get(call, key, &json, &why);
    else if (strcmp(op, "set") == 0)
        rc = kv->set(call, key, rest, &why);
    else if (strcmp(op, "remove") == 0)
        rc = kv->remove(call, key, &why);
    else
        rc = kv->list(call, strcmp(key, "*") ? key : NULL,
            *rest ? rest : NULL, &keys, &why);
    snprintf(piece, sizeof piece, "|%d", (int)rc);
    say(call, piece);
    if ((rc == -1) != (why != NULL))
        say(call, " WHY");
    if (why || json) {
        say(call, " ");
        say(call, why ? why : json);
    }
    for (; keys && *keys; keys++) {
        say(call, " ");
        say(call, *keys);
    }
}

static void keep(void *self, struct errand_tool_call *call)
{
    const struct errand_tool_kv *kv = extension(call, ERRAND_TOOL_KV);
    char place[32];
    (void)self;
    for (unsigned i = 0; i < call->host->count(call, "/steps"); i++) {
        snprintf(place, sizeof place, "/steps/%u", i);
        step(call, kv, call->host->text(call, place, NULL));
    }
    end(call, NULL);
}

/* One that was granted nothing. */
static void bare(void *self, struct errand_tool_call *call)
{
    const struct errand_tool_kv *kv = extension(call, ERRAND_TOOL_KV);
    const char *json = "", *why = NULL;
    (void)self;
    if (extension(call, "errand.kv/2") || extension(call, "errand.none/1") ||
        extension(call, "") || !kv || kv->size != sizeof *kv ||
        kv->abi != call->host->abi)
        end(call, "the extensions are not what they should be");
    else if (kv->get(call, "a", &json, NULL) != -1 || json)
        end(call, "it was answered");
    else
        end(call, kv->get(call, "a", &json, &why) == -1 ? why : "no why");
}

/* ------------------------------------------------------------- cancelling */

static void nap(void)
{
    const struct timespec t = {.tv_nsec = 1000000};
    nanosleep(&t, NULL);
}

/* Works until nobody waits any more, then tidies up and answers. */
static void patient(void *self, struct errand_tool_call *call)
{
    (void)self;
    call->host->cancelled(call);
    call->host->log(call, ERRAND_TOOL_LOG_INFO, "at work", 7);
    while (!call->host->cancelled(call))
        nap();
    call->host->reply(call, "tidied up", 9);
}

/* Looks once, and then goes on for ever. */
static void stubborn(void *self, struct errand_tool_call *call)
{
    (void)self;
    call->host->cancelled(call);
    call->host->log(call, ERRAND_TOOL_LOG_INFO, "at work", 7);
    for (;;)
        nap();
}

struct both {
    struct errand_tool_call *call;
    int32_t seen;
};

static void *look(void *arg)
{
    struct both *b = arg;
    while (!b->call->host->cancelled(b->call))
        nap();
    b->seen = 1;
    return NULL;
}

/* One thread waits for an answer that does not come, another looks. */
static void asking(void *self, struct errand_tool_call *call)
{
    const struct errand_tool_kv *kv = extension(call, ERRAND_TOOL_KV);
    struct both b = {.call = call};
    const char *json, *why = NULL;
    pthread_t id;
    (void)self;
    call->host->cancelled(call);
    if (pthread_create(&id, NULL, look, &b) != 0) {
        end(call, "no thread");
        return;
    }
    int32_t rc = kv->get(call, "never", &json, &why);
    pthread_join(id, NULL);
    say(call, rc == -1 && b.seen ? why : "it went on");
    end(call, NULL);
}

/* ------------------------------------------------------------ description */

#define ANY "{\"type\": \"object\"}"
#define TOOL(which, more)                                        \
    static const struct errand_tool which##_tool = {             \
        .size = sizeof which##_tool, .effect = ERRAND_TOOL_READ, \
        .name = #which, .description = "a test", .run = which,   \
        .parameters = ANY, more}
#define KV "{\"kv\": true}"

TOOL(fetch, .permissions = "{\"net\": {\"config\": \"net\"}, "
                           "\"secrets\": [\"mine\"]}");
TOOL(keep, .permissions = KV);
TOOL(bare, .flags = ERRAND_TOOL_EXTERNAL | ERRAND_TOOL_EGRESS);
TOOL(patient, .flags = 0);
TOOL(stubborn, .flags = 0);
TOOL(asking, .permissions = KV);

static const struct errand_tool *const tools[] = {&fetch_tool, &keep_tool,
    &bare_tool, &patient_tool, &stubborn_tool, &asking_tool, NULL};

static int32_t init(void **self, struct errand_tool_call *call)
{
    const struct errand_tool_kv *kv = extension(call, ERRAND_TOOL_KV);
    const char *json, *why = NULL;
    (void)self; /* there is nobody to ask yet */
    return kv->get(call, "a", &json, &why) == -1 && why ? 0 : 1;
}

static const struct errand_plugin plugin = {.size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "asks",
    .version = "1",
    .tools = tools,
    .configuration = ANY,
    .init = init};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
