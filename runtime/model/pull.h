/* errand models pull: model files from the hub, or from any address, into a
 * folder of models.
 *
 * A file is written beside its place, as NAME.ID.part, where ID says which
 * content it is the beginning of; when it is whole, right by its checksum
 * and flushed, it is renamed. Whoever breaks off in between, or is broken
 * off, goes on where it stopped. Two at once do not write the same file.
 */
#ifndef ERRAND_MODEL_PULL_H
#define ERRAND_MODEL_PULL_H

#include "base/error.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

struct er_pull {
    const char *what;   /* as hub.h says */
    const char *dir;    /* where to; it is made */
    const char *hub;    /* base address */
    const char *token;  /* for it alone; NULL: none */
    const char *sha256; /* what an address of its own must give; or NULL */
    /* Called several times a second; false ends the whole, CANCELLED. done
     * and total (-1: unknown) in bytes. */
    bool (*on_progress)(void *ctx, const struct errand_progress *p);
    void *ctx;
};

/* Answer: {"name","repo","license","bytes","files":[{"path","url","bytes",
 * "sha256","verified","resumed","already"}]}.
 * Errors  as er_hub_find; IO (what the disk says), TOO_LARGE (no room),
 *         EXISTS (another file of that name), BUSY (pulled by another
 *         process), PROTOCOL (checksum, no GGUF file) [owner] */
int er_pull(
    const struct er_pull *p, json_t **answer, struct errand_error *err);

/* The folder that is meant where none is named: the first of ERRAND_MODELS,
 * else the user's. Caller frees with free(); NULL: no memory or no home. */
char *er_pull_dir(void);

#endif
