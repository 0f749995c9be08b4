/* Where every field of errand/tool.h lies, for ever.
 *
 * But for the version, a line here never changes and never goes; a field that
 * is added gets a line behind the others of its struct, and the total moves to
 * the end of it. `make check-abi` compiles this for pointers of 64 bits and,
 * where the compiler can, of 32 bits.
 */
#include <errand/tool.h>

#define P sizeof(void *)
#define AT(type, field, words, pointers)                             \
    _Static_assert(offsetof(struct type, field) ==                   \
                       4 * (words) + P * (pointers),                 \
        "struct " #type ": " #field " has moved")
#define SIZE(type, words, pointers)                                  \
    _Static_assert(sizeof(struct type) == 4 * (words) + P * (pointers), \
        "struct " #type " has another size")
#define IS(name, value)                                              \
    _Static_assert((name) == (value), #name " has another value")

IS(ERRAND_TOOL_ABI_MAJOR, 1);
IS(ERRAND_TOOL_ABI_MINOR, 1);
IS(ERRAND_TOOL_ABI, 65537);

AT(errand_tool_call, size, 0, 0);
AT(errand_tool_call, attempt, 1, 0);
AT(errand_tool_call, timeout_ms, 2, 0);
AT(errand_tool_call, arguments_len, 3, 0);
AT(errand_tool_call, host, 4, 0);
AT(errand_tool_call, arguments, 4, 1);
AT(errand_tool_call, key, 4, 2);
AT(errand_tool_call, context, 4, 3);
SIZE(errand_tool_call, 4, 4);

AT(errand_tool, size, 0, 0);
AT(errand_tool, effect, 1, 0);
AT(errand_tool, flags, 2, 0);
AT(errand_tool, timeout_ms, 3, 0);
AT(errand_tool, name, 4, 0);
AT(errand_tool, description, 4, 1);
AT(errand_tool, parameters, 4, 2);
AT(errand_tool, permissions, 4, 3);
AT(errand_tool, run, 4, 4);
AT(errand_tool, probe, 4, 5);
SIZE(errand_tool, 4, 6);

AT(errand_plugin, size, 0, 0);
AT(errand_plugin, abi, 1, 0);
AT(errand_plugin, name, 2, 0);
AT(errand_plugin, version, 2, 1);
AT(errand_plugin, tools, 2, 2);
AT(errand_plugin, configuration, 2, 3);
AT(errand_plugin, init, 2, 4);
AT(errand_plugin, fini, 2, 5);
SIZE(errand_plugin, 2, 6);

AT(errand_tool_host, size, 0, 0);
AT(errand_tool_host, abi, 1, 0);
AT(errand_tool_host, reply, 2, 0);
AT(errand_tool_host, fail, 2, 1);
AT(errand_tool_host, add, 2, 2);
AT(errand_tool_host, add_text, 2, 3);
AT(errand_tool_host, kind, 2, 4);
AT(errand_tool_host, text, 2, 5);
AT(errand_tool_host, integer, 2, 6);
AT(errand_tool_host, number, 2, 7);
AT(errand_tool_host, boolean, 2, 8);
AT(errand_tool_host, count, 2, 9);
AT(errand_tool_host, remaining_ms, 2, 10);
AT(errand_tool_host, cancelled, 2, 11);
AT(errand_tool_host, log, 2, 12);
AT(errand_tool_host, extension, 2, 13);
SIZE(errand_tool_host, 2, 14);

AT(errand_tool_http_request, size, 0, 0);
AT(errand_tool_http_request, flags, 1, 0);
AT(errand_tool_http_request, timeout_ms, 2, 0);
AT(errand_tool_http_request, max_bytes, 3, 0);
AT(errand_tool_http_request, body_len, 4, 0);
AT(errand_tool_http_request, zero, 5, 0);
AT(errand_tool_http_request, url, 6, 0);
AT(errand_tool_http_request, method, 6, 1);
AT(errand_tool_http_request, headers, 6, 2);
AT(errand_tool_http_request, body, 6, 3);
SIZE(errand_tool_http_request, 6, 4);

AT(errand_tool_http_answer, size, 0, 0);
AT(errand_tool_http_answer, status, 1, 0);
AT(errand_tool_http_answer, body_len, 2, 0);
AT(errand_tool_http_answer, zero, 3, 0);
AT(errand_tool_http_answer, url, 4, 0);
AT(errand_tool_http_answer, headers, 4, 1);
AT(errand_tool_http_answer, body, 4, 2);
SIZE(errand_tool_http_answer, 4, 3);

AT(errand_tool_http, size, 0, 0);
AT(errand_tool_http, abi, 1, 0);
AT(errand_tool_http, send, 2, 0);
SIZE(errand_tool_http, 2, 1);

AT(errand_tool_kv, size, 0, 0);
AT(errand_tool_kv, abi, 1, 0);
AT(errand_tool_kv, get, 2, 0);
AT(errand_tool_kv, set, 2, 1);
AT(errand_tool_kv, remove, 2, 2);
AT(errand_tool_kv, list, 2, 3);
SIZE(errand_tool_kv, 2, 4);

AT(errand_tool_secret, size, 0, 0);
AT(errand_tool_secret, abi, 1, 0);
AT(errand_tool_secret, get, 2, 0);
SIZE(errand_tool_secret, 2, 1);

IS(ERRAND_TOOL_UNSAFE, 0);
IS(ERRAND_TOOL_PURE, 1);
IS(ERRAND_TOOL_READ, 2);
IS(ERRAND_TOOL_IDEMPOTENT, 3);
IS(ERRAND_TOOL_KEYED, 4);
IS(ERRAND_TOOL_REENTRANT, 1);
IS(ERRAND_TOOL_SEQUENTIAL, 2);
IS(ERRAND_TOOL_POLLS, 4);
IS(ERRAND_TOOL_EXTERNAL, 8);
IS(ERRAND_TOOL_EGRESS, 16);
IS(ERRAND_TOOL_HTTP_STAY, 1);
IS(ERRAND_TOOL_LOG_ERROR, 0);
IS(ERRAND_TOOL_LOG_WARN, 1);
IS(ERRAND_TOOL_LOG_INFO, 2);
IS(ERRAND_TOOL_LOG_DEBUG, 3);
IS(ERRAND_TOOL_MISSING, 0);
IS(ERRAND_TOOL_NULL, 1);
IS(ERRAND_TOOL_BOOLEAN, 2);
IS(ERRAND_TOOL_INTEGER, 3);
IS(ERRAND_TOOL_NUMBER, 4);
IS(ERRAND_TOOL_TEXT, 5);
IS(ERRAND_TOOL_ARRAY, 6);
IS(ERRAND_TOOL_OBJECT, 7);
IS(ERRAND_TOOL_PROBE_UNKNOWN, 0);
IS(ERRAND_TOOL_PROBE_DONE, 1);
IS(ERRAND_TOOL_PROBE_NOT_DONE, 2);
