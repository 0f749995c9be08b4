/* Where test material from outside lies: $ERRAND_SUITES, else
 * ../shared/suites beside the repository. A test that does not find it
 * skips and says so. */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include "base/buf.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a file of the suites would lie. */
static inline void suite_path(const char *path, char full[512])
{
    const char *folder = getenv("ERRAND_SUITES");
    snprintf(full, 512, "%.300s/%.200s",
        folder && *folder ? folder : "../shared/suites", path);
}

/* False, said aloud, if the file is not there. */
static inline bool suite_has(const char *path)
{
    char full[512];
    suite_path(path, full);
    FILE *f = fopen(full, "rb");
    if (!f) {
        printf("# skip: %s is not there; set ERRAND_SUITES\n", full);
        return false;
    }
    fclose(f);
    return true;
}

/* Unpack a .gz file of the suites into the file out; false as above. */
static inline bool suite_gunzip(const char *path, const char *out)
{
    char full[512], command[1200];
    if (!suite_has(path))
        return false;
    suite_path(path, full);
    snprintf(command, sizeof command, "gzip -dc '%s' > '%s'", full, out);
    if (system(command) != 0)
        abort();
    return true;
}

/* A JSON file of the suites; NULL if it is not there. */
static inline json_t *suite_load(const char *path)
{
    char full[512];
    struct er_buf text;
    struct errand_error err = {0};
    suite_path(path, full);
    FILE *f = fopen(full, "rb");
    if (!f) {
        printf("# skip: %s is not there; set ERRAND_SUITES\n", full);
        return NULL;
    }
    er_buf_init(&text, (size_t)1 << 30);
    while (er_buf_reserve(&text, 65536)) {
        size_t n = fread(text.data + text.len, 1, 65536, f);
        if (n == 0)
            break;
        text.len += n;
    }
    fclose(f);
    json_t *doc = er_json_parse(
        er_buf_str(&text), text.len, ER_JSON_LENIENT, &err);
    er_buf_release(&text);
    if (!doc) {
        printf("# %s: %s\n", full, err.msg);
        abort();
    }
    return doc;
}

/* Bytes of a base64 text; the caller frees. */
static inline char *suite_base64(const char *text, size_t *len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = malloc(strlen(text) + 1);
    unsigned held = 0;
    int bits = 0;
    *len = 0;
    for (; out && *text && *text != '='; text++) {
        const char *at = strchr(digits, *text);
        if (!at)
            continue;
        held = held << 6 | (unsigned)(at - digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[(*len)++] = (char)(held >> bits & 0xFF);
        }
    }
    return out;
}

#endif
