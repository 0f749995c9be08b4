/* errand/tool.h: write a tool in C or C++.
 *
 * This header is all that a plugin needs and the authority on what holds
 * between it and errand. A plugin includes it, links to nothing of errand's,
 * and exports one function, errand_plugin_main, which returns a constant
 * description of the plugin and its tools:
 *
 *     static void hello(void *self, struct errand_tool_call *call)
 *     {
 *         (void)self;
 *         call->host->reply(call, "hello", 5);
 *     }
 *     static const struct errand_tool tool = {
 *         .size = sizeof tool,
 *         .effect = ERRAND_TOOL_PURE,
 *         .name = "hello",
 *         .description = "Say hello",
 *         .run = hello,
 *     };
 *     static const struct errand_tool *const tools[] = {&tool, NULL};
 *     static const struct errand_plugin plugin = {
 *         .size = sizeof plugin,
 *         .abi = ERRAND_TOOL_ABI,
 *         .name = "hello",
 *         .version = "1.0",
 *         .tools = tools,
 *     };
 *     const struct errand_plugin *errand_plugin_main(void)
 *     {
 *         return &plugin;
 *     }
 *
 *     cc -shared -fPIC -fvisibility=hidden -o hello.so hello.c
 *     errand tools call hello --plugin ./hello.so
 *
 * plugins/template.c is this in full, to be copied; docs/plugins.md explains.
 *
 * Where it runs
 *   In a worker process of its own, locked in before the file is loaded: no
 *   network, no files but those granted, no programs but those granted, an
 *   empty environment, nothing on standard input and output. Standard error
 *   goes to errand's log, line by line. The worker is kept for the next call
 *   and may be killed at any instant: at a call's deadline, when a call is
 *   cancelled, when the plugin crashes. Then the call's outcome is unknown,
 *   its effect says what happens next, and another worker takes the next
 *   call. So nothing that must last may live in the plugin's memory alone.
 *   A plugin that the user trusts may be loaded into errand's own process
 *   instead (inproc); then nothing above protects from it.
 *
 * Conventions
 *   Text      UTF-8. Where a length stands beside a pointer, the length
 *             counts and any byte may stand in the text; elsewhere it ends
 *             with a NUL.
 *   JSON      UTF-8 text, RFC 8259.
 *   Lengths   in bytes. Times in milliseconds, as their names say.
 *   Memory    Each side frees what it allocated. What errand gives is
 *             borrowed until run (or init, probe, fini) returns; what a
 *             plugin gives is copied before the function returns. The
 *             description and all it points to stay as long as the plugin
 *             is loaded and never change. A plugin is never unloaded.
 *   Threads   [worker] errand calls it on a thread of its choice, not always
 *             the same, one call at a time for the whole plugin. A tool with
 *             ERRAND_TOOL_REENTRANT may be called while calls of reentrant
 *             tools are under way.
 *             [call] may be called from every thread, by one at a time for
 *             the same call, until run (init, probe) returns.
 *             [any] may be called from every thread at any time.
 *   Forbidden to end the process, to change signal handlers, the locale, the
 *             working folder or the file mode mask, to close descriptors that
 *             the plugin has not opened, to throw C++ exceptions out of a
 *             function of the plugin.
 *
 * Growth
 *   Every struct begins with its size; it has no padding, and fields are
 *   only ever added at its end. Whoever reads a struct of the other side
 *   looks at size first and reads a field only if size covers it:
 *   ERRAND_TOOL_HAS. A field that is missing counts as 0 or NULL. Pointers
 *   may be NULL where that is said, and nowhere else.
 *   abi is the major version times 65536, plus the minor one. The minor
 *   version grows with the fields; every plugin works with every errand of
 *   the same major version, older or newer. The major version changes when
 *   something breaks, and errand refuses a plugin of another one.
 *
 * Into the program
 *   The same source can be linked into a program that embeds errand: compile
 *   it with -Derrand_plugin_main=NAME and give NAME to errand_add_plugin.
 */
#ifndef ERRAND_TOOL_H
#define ERRAND_TOOL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ERRAND_TOOL_EXPORT __attribute__((visibility("default")))
#else
#define ERRAND_TOOL_EXPORT
#endif

/* The version of this header: 1.1. What came with 1.1 says so. */
#define ERRAND_TOOL_ABI_MAJOR 1
#define ERRAND_TOOL_ABI_MINOR 1
#define ERRAND_TOOL_ABI \
    (ERRAND_TOOL_ABI_MAJOR * UINT32_C(65536) + ERRAND_TOOL_ABI_MINOR)

/* Does *object, a struct of the other side, have the field type.field? */
#define ERRAND_TOOL_HAS(object, type, field)        \
    ((object)->size >= offsetof(type, field) +      \
                           sizeof((object)->field))

struct errand_tool_host; /* what errand offers, below */

/* What running a call twice would do. It decides what happens after a call
 * whose outcome is unknown: all but UNSAFE may be run again. */
enum errand_tool_effect {
    ERRAND_TOOL_UNSAFE = 0,     /* has side effects: never run again */
    ERRAND_TOOL_PURE = 1,       /* depends on its arguments alone */
    ERRAND_TOOL_READ = 2,       /* reads, changes nothing */
    ERRAND_TOOL_IDEMPOTENT = 3, /* running it twice is as once */
    ERRAND_TOOL_KEYED = 4,      /* honours the call's key */
};

/* Flags of a tool; unknown ones are ignored. */
enum errand_tool_flag {
    ERRAND_TOOL_REENTRANT = 1,  /* run is safe on several threads at once */
    ERRAND_TOOL_SEQUENTIAL = 2, /* never beside other calls of one reply of
                                   the model */
    ERRAND_TOOL_POLLS = 4,      /* the same result twice is expected: guards
                                   against loops look away */
    ERRAND_TOOL_EXTERNAL = 8,   /* 1.1: what it returns comes from outside,
                                   from whom nobody vouches for: from then on
                                   the conversation is treated with care.
                                   With a permission net that is known */
    ERRAND_TOOL_EGRESS = 16,    /* 1.1: it sends data out. With a permission
                                   net or run that is known */
};

/* How much a line of the log matters. */
enum errand_tool_level {
    ERRAND_TOOL_LOG_ERROR = 0,
    ERRAND_TOOL_LOG_WARN = 1,
    ERRAND_TOOL_LOG_INFO = 2,
    ERRAND_TOOL_LOG_DEBUG = 3,
};

/* What stands at a place of a JSON value. */
enum errand_tool_kind {
    ERRAND_TOOL_MISSING = 0, /* nothing: the place does not exist */
    ERRAND_TOOL_NULL = 1,
    ERRAND_TOOL_BOOLEAN = 2,
    ERRAND_TOOL_INTEGER = 3, /* a number without fraction, in 64 bits */
    ERRAND_TOOL_NUMBER = 4,  /* any other number */
    ERRAND_TOOL_TEXT = 5,
    ERRAND_TOOL_ARRAY = 6,
    ERRAND_TOOL_OBJECT = 7,
};

/* What probe found out. */
enum errand_tool_probe {
    ERRAND_TOOL_PROBE_UNKNOWN = 0,  /* it cannot be told */
    ERRAND_TOOL_PROBE_DONE = 1,     /* the call took effect */
    ERRAND_TOOL_PROBE_NOT_DONE = 2, /* it did not, and will not any more */
};

/* One call under way. Made by errand, borrowed until the function that it
 * was given to returns. Read only. */
struct errand_tool_call {
    uint32_t size;          /* bytes of this struct, as errand made it */
    uint32_t attempt;       /* 1 at first; more if it was cut off before */
    uint32_t timeout_ms;    /* the whole time of this call */
    uint32_t arguments_len; /* bytes, at most 16 MiB */
    const struct errand_tool_host *host; /* what errand offers */
    const char *arguments;  /* JSON, an object that fits the tool's
                               parameters; ended by a NUL as well */
    const char *key;        /* idempotency key: 32 hexadecimal digits, the
                               same over all attempts at this call */
    void *context;          /* errand's own: leave it alone */
};

/* One tool of a plugin. Constant. */
struct errand_tool {
    uint32_t size;       /* sizeof(struct errand_tool) */
    uint32_t effect;     /* an errand_tool_effect */
    uint32_t flags;      /* errand_tool_flag, added up */
    uint32_t timeout_ms; /* a call's deadline; 0: 30,000; at most 3,600,000 */

    /* What models call it: 1 to 64 of A-Z a-z 0-9 _ -. */
    const char *name;

    /* What it does and when to use it, for the model. Not empty. */
    const char *description;

    /* JSON Schema (2020-12) of the arguments, with "type": "object". NULL:
     * there are none. Arguments that do not fit never reach run. */
    const char *parameters;

    /* JSON object: what it must reach; NULL: nothing.
     *     {"read": ["docs"], "write": ["out"], "run": ["git"],
     *      "net": ["api.example.com"], "secrets": ["weather"], "kv": true}
     * Paths are relative to the working folder. The user is asked to grant
     * it. {"read": {"config": "files"}} is the list that stands in the
     * plugin's configuration under "files". */
    const char *permissions;

    /* Run one call: answer it with host->reply or host->fail, exactly once,
     * then return. Without an answer the call fails. self is what init
     * made. [worker] */
    void (*run)(void *self, struct errand_tool_call *call);

    /* May be NULL. Did the call with this key and these arguments take
     * effect, in another process perhaps, which died then? Asked once, in a
     * new worker, after a call of a tool that is UNSAFE was cut off, before
     * its outcome is left to a person; not where the plugin runs inproc.
     * Returns an errand_tool_probe; with DONE, host->reply may give the
     * result. [worker] */
    int32_t (*probe)(void *self, struct errand_tool_call *call);
};

/* A plugin. Constant. */
struct errand_plugin {
    uint32_t size; /* sizeof(struct errand_plugin) */
    uint32_t abi;  /* ERRAND_TOOL_ABI */

    /* For people and messages: 1 to 64 of A-Z a-z 0-9 _ -. By custom that
     * of its file without ".so", which is what --plugin and the
     * configuration name. */
    const char *name;

    /* Its own version, for people. */
    const char *version;

    /* The tools, ended by NULL: at least one, at most 256. */
    const struct errand_tool *const *tools;

    /* May be NULL. JSON Schema of the plugin's configuration, an object;
     * NULL: it takes none. A configuration that does not fit is an error
     * when the plugin is loaded, and never reaches init. */
    const char *configuration;

    /* May be NULL. Called once in every process that runs the plugin, before
     * the first run or probe there; call->arguments is the configuration,
     * {} if there is none. Leaves in *self what run is to be given (NULL
     * before). Returns 0; anything else refuses, and host->fail says why:
     * then no tool of the plugin is run in this process. [worker] */
    int32_t (*init)(void **self, struct errand_tool_call *call);

    /* May be NULL. Called after the last call where a process ends in good
     * order, which nobody promises; only after an init that returned 0, or
     * if there is no init. [worker] */
    void (*fini)(void *self);
};

/* What errand offers. Every function wants the call that it is for.
 *
 * A place in the arguments is a JSON pointer (RFC 6901): "" is the whole,
 * "/path" the member path, "/args/0" the first element of the member args;
 * "~1" stands for "/" and "~0" for "~" in a member's name. */
struct errand_tool_host {
    uint32_t size; /* bytes of this struct, as errand made it */
    uint32_t abi;  /* of this errand */

    /* Answer with a result: UTF-8, at most 16 MiB, which reaches the model
     * as it is: a text, or JSON. What was added before stands in front of
     * it. bytes may be NULL if len is 0. In init it does nothing. A second
     * answer is ignored, and the log says so. [call] */
    void (*reply)(
        struct errand_tool_call *call, const char *bytes, size_t len);

    /* Answer that it failed, and why: the model reads this, so say what is
     * wrong and what to try instead. At most 4,000 bytes are kept. [call] */
    void (*fail)(
        struct errand_tool_call *call, const char *message, size_t len);

    /* Add to the result, piece by piece; reply ends it. add_text adds a JSON
     * string with its quotes; bytes that are not UTF-8 become U+FFFD.
     * [call] */
    void (*add)(struct errand_tool_call *call, const char *bytes, size_t len);
    void (*add_text)(
        struct errand_tool_call *call, const char *bytes, size_t len);

    /* What stands at a place of the arguments: an errand_tool_kind. [call] */
    int32_t (*kind)(struct errand_tool_call *call, const char *place);

    /* The text there, ended by a NUL, and its length in *len (may be NULL).
     * NULL if there is none. [call] */
    const char *(*text)(
        struct errand_tool_call *call, const char *place, size_t *len);

    /* The integer, the number (integers too) or the boolean (as 1 and 0)
     * there; fallback if there is none. [call] */
    int64_t (*integer)(
        struct errand_tool_call *call, const char *place, int64_t fallback);
    double (*number)(
        struct errand_tool_call *call, const char *place, double fallback);
    int32_t (*boolean)(
        struct errand_tool_call *call, const char *place, int32_t fallback);

    /* Elements of the array or members of the object there; 0 if there is
     * neither. [call] */
    uint32_t (*count)(struct errand_tool_call *call, const char *place);

    /* Milliseconds until the deadline, at least 0. [any] */
    int64_t (*remaining_ms)(struct errand_tool_call *call);

    /* 1 once nobody waits for the answer any more: the deadline has passed,
     * or the call was cancelled. A call that has asked this once has two
     * seconds from then on to end by itself, and what it answers meanwhile
     * counts; then its worker is killed, as that of a call that never asks
     * is at once. Asking costs about a microsecond. Before 1.1, and where
     * the plugin runs inproc, it has no time more: an answer then comes too
     * late. [any] */
    int32_t (*cancelled)(struct errand_tool_call *call);

    /* A line for the log; level is an errand_tool_level. At most 200 lines
     * of 900 bytes a call. [call] */
    void (*log)(struct errand_tool_call *call, int32_t level,
        const char *text, size_t len);

    /* What else this errand offers, by an id with a version, as
     * "errand.kv/1": a struct that begins with its size; below are those
     * that this header knows. NULL: not there. Static. [any] */
    const void *(*extension)(struct errand_tool_call *call, const char *id);
};

/* --- Extensions: what errand does for a tool that its cage does not let it
 * do itself. All came with 1.1.
 *
 *     const struct errand_tool_kv *kv = (const struct errand_tool_kv *)
 *         call->host->extension(call, ERRAND_TOOL_KV);
 *
 * Each needs its permission, which stands with its id. The functions ask
 * errand and wait, no longer than the call has; they are for run and probe,
 * not for init and fini. What they give is borrowed until the next question
 * of the same call, or until run returns. Where why is not NULL, *why becomes
 * NULL, or says what went wrong, in words that are fit for the model. An id
 * with another number is another struct; errand goes on offering the old one
 * beside it. [call] */

/* Requests, by errand's own hands: permissions "net". Where they may go and
 * what is refused whatever was granted: docs/tools.md, "Requests". */
#define ERRAND_TOOL_HTTP "errand.http/1"

/* Flags of a request; unknown ones are ignored. */
enum errand_tool_http_flag {
    ERRAND_TOOL_HTTP_STAY = 1, /* a redirect is the answer: do not follow */
};

struct errand_tool_http_request {
    uint32_t size;       /* sizeof(struct errand_tool_http_request) */
    uint32_t flags;      /* errand_tool_http_flag, added up */
    uint32_t timeout_ms; /* 0: 30,000; never longer than the call has */
    uint32_t max_bytes;  /* of the answer's body; 0: 1 MiB; at most 8 MiB */
    uint32_t body_len;   /* at most 4 MiB */
    uint32_t zero;       /* leave it 0 */
    const char *url;     /* http or https */
    const char *method;  /* NULL: GET, or POST with a body */
    const char *const *headers; /* name, value, name, value, NULL; or NULL */
    const char *body;    /* any bytes; may be NULL if body_len is 0 */
};

/* Any status is an answer; what went wrong on the way is why. */
struct errand_tool_http_answer {
    uint32_t size;
    uint32_t status;
    uint32_t body_len;
    uint32_t zero;
    const char *url; /* that answered, after redirects */
    const char *const *headers; /* name in lower case, value, ..., NULL */
    const char *body; /* ended by a NUL that does not count */
};

struct errand_tool_http {
    uint32_t size;
    uint32_t abi; /* of this errand */

    /* Send a request and wait for the whole answer; NULL: there is none. */
    const struct errand_tool_http_answer *(*send)(
        struct errand_tool_call *call,
        const struct errand_tool_http_request *request, const char **why);
};

/* Values that outlive the call, of this tool alone or, by name, of several:
 * permissions "kv". Keys are texts of 1 to 256 bytes; a value is JSON of at
 * most 64 KiB; there are at most 10,000. */
#define ERRAND_TOOL_KV "errand.kv/1"

struct errand_tool_kv {
    uint32_t size;
    uint32_t abi; /* of this errand */

    /* The value of key as JSON in *json: 1; there is none: 0; -1: why. */
    int32_t (*get)(struct errand_tool_call *call, const char *key,
        const char **json, const char **why);

    /* Keep a value; when 0 is returned it is on the disk. -1: why. */
    int32_t (*set)(struct errand_tool_call *call, const char *key,
        const char *json, const char **why);

    /* Forget it. 1: it was there; 0: it was not; -1: why. */
    int32_t (*remove)(
        struct errand_tool_call *call, const char *key, const char **why);

    /* At most 1,000 keys that begin with prefix and come behind after (each
     * may be NULL), in order, in *keys, ended by NULL. How many; -1: why. */
    int32_t (*list)(struct errand_tool_call *call, const char *prefix,
        const char *after, const char *const **keys, const char **why);
};

/* Secrets of the configuration: permissions "secrets". */
#define ERRAND_TOOL_SECRET "errand.secret/1"

struct errand_tool_secret {
    uint32_t size;
    uint32_t abi; /* of this errand */

    /* A text that stands for the secret: in a request of this call to the
     * host that the secret is bound to, in url, header or body, errand puts
     * the value in its place. The value itself nobody gets. NULL: why. */
    const char *(*get)(
        struct errand_tool_call *call, const char *name, const char **why);
};

/* The one function that a plugin exports. Returns the same pointer whenever
 * it is called; does nothing else. [any] */
ERRAND_TOOL_EXPORT const struct errand_plugin *errand_plugin_main(void);

#ifdef __cplusplus
}
#endif
#endif
