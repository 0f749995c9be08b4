/* What reading a streamed answer costs: nanoseconds per event, for the form
 * most endpoints send, with escapes, with padding, with a usage that counts
 * in every chunk (which the short cut cannot take), and for calls.
 *
 *     bench_reader [EVENTS]      20000 events of each form, best of 5
 */
#include "model/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FEED = 16384, ROUNDS = 5 };

struct form {
    const char *name;
    const char *event; /* %1$s: the piece, %2$zu: the number */
    enum er_dialect dialect;
    const char *const *pieces;
};

static const char *const words[] = {"The", " quick", " brown", " fox",
    " jumps", " over", " the", " lazy", " dog", "."};
static const char *const escaped[] = {"\\n\\n", "\\\"so\\\"", " \\u00e9t",
    "a\\tb", "\\\\", " x\\n", "\\u20ac", "\\ud83e\\udd99", "\\/", " y\\\""};
static const char *const pieces_of_json[] = {"{\\\"", "city", "\\\":",
    "\\\"", "Os", "lo", "\\\",", "\\\"x", "\\\":1", "}"};

#define CHUNK(delta, more)                                                \
    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\","      \
    "\"created\":1,\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":"      \
    "{" delta "},\"finish_reason\":null}]" more "}\n\n"
#define CONTENT "\"content\":\"%1$s\""
#define CALL                                                              \
    "\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"%1$s\"}}]"

static const struct form forms[] = {
    {"text", CHUNK(CONTENT, ""), ER_OPENAI, words},
    {"text, escapes", CHUNK(CONTENT, ""), ER_OPENAI, escaped},
    {"text, padding", CHUNK(CONTENT, ",\"obfuscation\":\"x%2$zu\""),
        ER_OPENAI, words},
    {"text, native", "data: {\"response\":\"%1$s\",\"p\":\"a%2$zu\"}\n\n",
        ER_WORKERS_AI, words},
    {"text, counting usage",
        CHUNK(CONTENT, ",\"usage\":{\"prompt_tokens\":9,"
                       "\"completion_tokens\":%2$zu}"),
        ER_OPENAI, words},
    {"reasoning", CHUNK("\"reasoning_content\":\"%1$s\"", ""), ER_OPENAI,
        words},
    {"arguments", CHUNK(CALL, ""), ER_OPENAI, pieces_of_json},
};

static char *stream_of(const struct form *f, size_t events, size_t *len)
{
    struct er_buf out;
    er_buf_init(&out, (size_t)1 << 30);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (size_t i = 0; i < events; i++)
        er_buf_addf(&out, f->event, f->pieces[i % 10], i);
#pragma GCC diagnostic pop
    er_buf_adds(&out, "data: [DONE]\n\n");
    return er_buf_take(&out, len);
}

struct tally {
    size_t pieces, bytes;
};

static void on_event(void *ctx, const struct er_model_event *ev)
{
    struct tally *t = ctx;
    t->pieces++;
    t->bytes += ev->len;
}

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* One reading, fed as a socket feeds it. */
static double read_once(const struct form *f, const char *bytes, size_t len)
{
    struct tally t = {0};
    double from = now_ns();
    er_reader *r = er_reader_new(
        f->dialect, ER_SSE, (size_t)16 << 20, on_event, &t);
    for (size_t at = 0; r && at < len; at += FEED)
        er_reader_feed(r, bytes + at, len - at < FEED ? len - at : FEED);
    er_reader_free(r);
    double ns = now_ns() - from;
    if (t.pieces == 0)
        exit(1);
    return ns;
}

int main(int argc, char **argv)
{
    size_t events = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t len;
        char *bytes = stream_of(&forms[i], events, &len);
        double best = 0;
        for (int k = 0; bytes && k < ROUNDS; k++) {
            double ns = read_once(&forms[i], bytes, len);
            best = k == 0 || ns < best ? ns : best;
        }
        printf("%-22s %7.0f ns/event  %6.2f ms for %zu events\n",
            forms[i].name, best / (double)events, best / 1e6, events);
        free(bytes);
    }
    return 0;
}
