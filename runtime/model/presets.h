/* Endpoints that errand knows by name, and the names of the quirks. */
#ifndef ERRAND_MODEL_PRESETS_H
#define ERRAND_MODEL_PRESETS_H

#include "base/error.h"
#include "model/wire.h"

struct er_preset {
    const char *name;
    enum er_dialect dialect;
    const char *base_url;
    const char *url_env; /* environment variable that replaces it, or NULL */
    const char *key_env; /* where its key is looked for; NULL: needs none */
    const char *key_from; /* where a person gets a key, or NULL */
    const char *quirks;   /* names with a space between, or NULL */
    const char *own_quirks; /* further ones that hold at base_url alone: a
                               server put in its place may differ */
};

/* NULL if there is none of that name. Static storage. [any] */
const struct er_preset *er_preset_find(const char *name);

/* The i-th preset, NULL behind the last. */
const struct er_preset *er_preset_at(size_t i);

/* Switch the quirk of that name on; name need not end in NUL. Errors CONFIG
 * names the known ones. [any] */
int er_quirks_set(struct er_quirks *q, const char *name, size_t len,
    struct errand_error *err);

/* Switch on what a list with spaces names. */
int er_quirks_set_all(
    struct er_quirks *q, const char *names, struct errand_error *err);

#endif
