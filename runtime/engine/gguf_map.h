/* A file mapped for reading.
 *
 * A mapping whose file is cut shorter by somebody raises SIGBUS at the next
 * touch. The library may not catch signals, so it looks before it reads:
 * er_map_check compares size, time and identity with those at opening, and
 * the engine calls it before each batch. What is cut in the middle of a
 * batch still raises the signal; the command line says so and ends.
 */
#ifndef ERRAND_ENGINE_GGUF_MAP_H
#define ERRAND_ENGINE_GGUF_MAP_H

#include "base/error.h"

#include <sys/types.h>
#include <time.h>

struct er_map {
    const unsigned char *data;
    size_t size; /* bytes */
    int fd;
    dev_t dev;
    ino_t ino;
    struct timespec changed;
    char *path;
};

/* Map a whole regular file. On failure the map is empty and may be closed.
 * Errors  NOT_FOUND, IO, SYNTAX (empty), NOMEM */
int er_map_open(struct er_map *m, const char *path, struct errand_error *err);

/* Harmless on a closed map, or one whose opening failed. */
void er_map_close(struct er_map *m);

/* Is the file still what was mapped? [any]
 * Errors  STATE */
int er_map_check(const struct er_map *m, struct errand_error *err);

#endif
