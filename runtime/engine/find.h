/* Where model files lie: the folders that errand and others keep them in.
 *
 * In this order: $ERRAND_MODELS (several, with ':'), ./models, the user's
 * data folder (errand/models), llama.cpp's, LM Studio's, Ollama's. A model's
 * name is its file's without .gguf and without the number of its part; of
 * Ollama's it is NAME:TAG.
 */
#ifndef ERRAND_ENGINE_FIND_H
#define ERRAND_ENGINE_FIND_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

struct er_found {
    const char *name, *path;
    const char *source; /* "errand", "llama.cpp", "LM Studio", "Ollama" */
    uint64_t bytes;     /* of the file, or of its first part */
};

/* Call fn for each model file, folder by folder, until it returns false.
 * Texts are borrowed for the call. Folders that cannot be read are passed
 * over. [any] */
void er_find_each(
    bool (*fn)(void *ctx, const struct er_found *found), void *ctx);

/* The file that a name means: a path (with a '/', or a file that is there),
 * else a name in the folders, upper and lower case alike. *path: caller
 * frees with free().
 * Errors  NOT_FOUND (with the nearest name), NOMEM. [any] */
int er_find_model(const char *name, char **path, struct errand_error *err);

#endif
