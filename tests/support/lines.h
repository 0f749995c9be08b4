/* Files of the suites with a JSON value per line. */
#ifndef TESTS_LINES_H
#define TESTS_LINES_H

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

/* All lines as an array; NULL, said aloud, if the file is not there. */
static inline json_t *suite_lines(const char *path)
{
    const char *folder = getenv("ERRAND_SUITES");
    char full[512], *line = NULL;
    size_t cap = 0;
    ssize_t n;
    snprintf(full, sizeof full, "%s/%s",
        folder && *folder ? folder : "../shared/suites", path);
    FILE *f = fopen(full, "rb");
    if (!f) {
        printf("# skip: %s is not there; set ERRAND_SUITES\n", full);
        return NULL;
    }
    json_t *all = json_array();
    while ((n = getline(&line, &cap, f)) > 0)
        json_array_append_new(all,
            er_json_parse(line, (size_t)n, ER_JSON_LENIENT, NULL));
    free(line);
    fclose(f);
    return all;
}

#endif
