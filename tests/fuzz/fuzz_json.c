/* JSON in and out, held against jansson's own parser: both take the same
 * texts and mean the same by them, and what is written reads back. The nodes
 * of json_tree.h are held against ours. */
#include "base/buf.h"
#include "base/json.h"
#include "support/tree_kit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* Texts on which the two may differ: jansson's depth is another, and it
 * overlooks a NUL behind a number. */
static bool may_differ(const char *text, size_t len)
{
    size_t open = 0;
    for (size_t i = 0; i < len; i++)
        open += text[i] == '[' || text[i] == '{';
    return open > ER_JSON_DEPTH || (len && memchr(text, '\0', len));
}

static void read_back(const json_t *value)
{
    struct errand_error err = {0};
    char *text = er_json_text(value);
    check(text);
    json_t *again = er_json_parse(text, strlen(text), ER_JSON_STRICT, &err);
    check(again && json_equal(again, value));
    json_decref(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct errand_error err = {0};
    json_error_t je;
    json_t *ours = er_json_parse(text, size, ER_JSON_STRICT, &err);
    check(ours || (err.code == ERRAND_SYNTAX && err.msg[0] && err.at >= 0 &&
                      (size_t)err.at <= size));
    if (!may_differ(text, size)) {
        json_t *theirs = json_loadb(text, size,
            JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &je);
        check(!ours == !theirs && (!ours || json_equal(ours, theirs)));
        json_decref(theirs);
    }
    if (ours)
        read_back(ours);
    json_t *lenient = er_json_parse(text, size, ER_JSON_LENIENT, &err);
    check(!ours || (lenient && json_equal(ours, lenient)));
    if (lenient)
        read_back(lenient);
    check(size >= 4096 || tree_agrees(text, size));
    json_decref(lenient);
    json_decref(ours);
    return 0;
}
