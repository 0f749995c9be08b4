/* The chat reader: whatever a model writes, however it is cut, is read as
 * the same content, reasoning and calls; nothing that was shown is ever
 * taken back; no call has a name that is not known.
 *
 * The first byte chooses family and options, the second how the rest is cut.
 */
#include "support/chat_kit.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"get_weather", "get", "python", "tick",
    "math.sqrt", "special_function", NULL};

static void check(bool ok)
{
    if (!ok)
        __builtin_trap();
}

static er_chat_parser *parser(unsigned choice, struct chat_log *log)
{
    struct er_chat_options opt = {.tools = choice & 4 ? NULL : names,
        .thinking_open = choice & 8, .keep_thinking = choice & 16};
    er_chat_parser *p = er_chat_parser_new(
        (enum er_chat_family)(choice & 3 ? (choice & 3) - 1 : 0), &opt,
        &chat_log_events, log);
    check(p != NULL);
    return p;
}

static void run(unsigned choice, const char *s, size_t n, unsigned cut,
    const struct chat_log *whole, struct chat_log *log)
{
    er_chat_parser *p = parser(choice, log);
    unsigned seed = cut;
    for (size_t at = 0; at < n;) {
        seed = seed * 1103515245u + 12345u;
        size_t piece = cut == 0 ? n : cut == 1 ? 1 : 1 + (seed >> 16) % cut;
        piece = piece > n - at ? n - at : piece;
        check(er_chat_parser_feed(p, s + at, piece) == ERRAND_OK);
        at += piece;
        if (whole)
            check(chat_log_begins(log, whole));
    }
    check(er_chat_parser_end(p) == ERRAND_OK);
    er_chat_parser_free(p);
}

/* The first call's name; behind it arguments may hold newlines. */
static void check_name(const struct chat_log *log, unsigned choice)
{
    const char *line = er_buf_str(&log->calls);
    size_t len = strcspn(line, " "), k = 0;
    if (choice & 4 || log->n_calls == 0)
        return;
    while (names[k] &&
           (strlen(names[k]) != len || memcmp(names[k], line, len) != 0))
        k++;
    check(names[k] != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *s = (const char *)data + 2;
    unsigned cuts[] = {1, 2u + data[1]};
    struct chat_log whole, log;
    chat_log_init(&whole);
    run(data[0], s, size - 2, 0, NULL, &whole);
    check(!whole.empty_text);
    check_name(&whole, data[0]);
    for (size_t i = 0; i < 2; i++) {
        chat_log_init(&log);
        run(data[0], s, size - 2, cuts[i], &whole, &log);
        check(chat_log_same(&log, &whole));
        chat_log_release(&log);
    }
    chat_log_release(&whole);
    return 0;
}
