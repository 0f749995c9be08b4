/* Where test material from outside lies: $ERRAND_SUITES, else
 * ../shared/suites beside the repository. A test that does not find it
 * skips and says so. */
#ifndef TESTS_SUITES_H
#define TESTS_SUITES_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A JSON file of the suites; NULL if it is not there. */
static inline json_t *suite_load(const char *path)
{
    const char *folder = getenv("ERRAND_SUITES");
    char full[512];
    snprintf(full, sizeof full, "%s/%s",
        folder && *folder ? folder : "../shared/suites", path);
    json_t *doc = json_load_file(full, JSON_ALLOW_NUL, NULL);
    if (!doc)
        printf("# skip: %s is not there; set ERRAND_SUITES\n", full);
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
