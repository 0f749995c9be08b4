/* word_count: how often each length of word stands in a text.
 *
 * A plugin to copy. Five steps make it yours:
 *   1. Copy it to NAME.c, and say here what it is for and why so.
 *   2. Write run: arguments come by their place, an answer goes out with
 *      reply or fail, once.
 *   3. Describe it: name, description (the model decides by it alone),
 *      parameters (what does not fit them never reaches run), effect (what
 *      running it twice would do) and permissions (what it must reach).
 *   4. Build:  cc -shared -fPIC -fvisibility=hidden -o NAME.so NAME.c
 *   5. Try:    errand tools check ./NAME.so
 *              errand tools call word_count --plugin ./NAME.so \
 *                  '{"text": "one two three"}'
 * errand/tool.h says all that holds between a plugin and errand.
 */
#include <errand/tool.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 20 };

/* Count the words of each length; words that are longer count as LONGEST. */
static unsigned count_words(
    const char *text, size_t len, unsigned of_length[LONGEST + 1])
{
    unsigned words = 0;
    size_t letters = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && !strchr(" \t\r\n", text[i])) {
            letters++;
            continue;
        }
        if (letters > 0) {
            of_length[letters < LONGEST ? letters : LONGEST]++;
            words++;
        }
        letters = 0;
    }
    return words;
}

static void run(void *self, struct errand_tool_call *call)
{
    const struct errand_tool_host *host = call->host;
    unsigned of_length[LONGEST + 1] = {0};
    char piece[64];
    size_t len = 0;
    (void)self;
    const char *text = host->text(call, "/text", &len);
    unsigned words = text ? count_words(text, len, of_length) : 0;
    if (words == 0) {
        static const char none[] = "there is no word in the text";
        host->fail(call, none, sizeof none - 1);
        return;
    }
    int n = snprintf(piece, sizeof piece, "{\"words\":%u", words);
    host->add(call, piece, (size_t)n);
    for (int i = 1; i <= LONGEST; i++) {
        if (of_length[i] == 0)
            continue;
        n = snprintf(piece, sizeof piece, ",\"of_%d\":%u", i, of_length[i]);
        host->add(call, piece, (size_t)n);
    }
    host->reply(call, "}", 1);
}

static const struct errand_tool tool = {
    .size = sizeof tool,
    .effect = ERRAND_TOOL_PURE,
    .name = "word_count",
    .description = "Count the words of a text, and how many have each "
                   "length. Use it instead of counting yourself.",
    .parameters = "{\"type\": \"object\","
                  " \"properties\": {"
                  "  \"text\": {\"type\": \"string\","
                  "   \"description\": \"the text to count in\"}},"
                  " \"required\": [\"text\"]}",
    .run = run,
};

static const struct errand_tool *const tools[] = {&tool, NULL};

static const struct errand_plugin plugin = {
    .size = sizeof plugin,
    .abi = ERRAND_TOOL_ABI,
    .name = "template",
    .version = "1.0",
    .tools = tools,
};

const struct errand_plugin *errand_plugin_main(void)
{
    return &plugin;
}
