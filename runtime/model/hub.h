/* From what a person types to the files that it means.
 *
 *   llama-3.2-3b-instruct      a name of the catalogue
 *   OWNER/NAME[:QUANT]         a repository: the file of that quantization,
 *                              else Q4_K_M, Q8_0, Q4_0, or the only one
 *   OWNER/NAME/FILE.gguf       one file of a repository
 *   https://HOST/FILE.gguf     any address
 *
 * Repositories are asked about at the hub, a Hugging Face style endpoint:
 * one request tells commit, files, sizes, checksums and licence. Files of
 * one model in several parts come together.
 */
#ifndef ERRAND_MODEL_HUB_H
#define ERRAND_MODEL_HUB_H

#include "base/arena.h"
#include "model/download.h"

struct er_hub_file {
    struct er_hub_file *next;
    const char *url;
    const char *name;   /* of the file to be; no '/' in it */
    const char *sha256; /* lower case, NULL: unknown */
    int64_t bytes;      /* -1: unknown */
};

struct er_hub_model {
    struct er_arena arena;     /* holds everything here */
    struct er_hub_file *files; /* the first part first */
    const char *repo;          /* NULL: an address of its own */
    const char *license;       /* NULL: nobody says */
};

/* Errors  USAGE, NOT_FOUND (names what there is), and those of
 *         er_download_get. [owner]; release in every case */
int er_hub_find(struct er_download *d, const char *what,
    struct er_hub_model *out, struct errand_error *err);
void er_hub_release(struct er_hub_model *m);

#endif
