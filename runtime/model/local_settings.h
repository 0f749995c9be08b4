/* Settings of local models: "engine" in the configuration. */
#ifndef ERRAND_MODEL_LOCAL_SETTINGS_H
#define ERRAND_MODEL_LOCAL_SETTINGS_H

#include "base/json.h"
#include "engine/engine.h"

enum { ER_PARALLEL_MAX = 256 };

struct er_local_settings {
    uint32_t context;     /* tokens; 0: the model's, at most 8192 */
    uint32_t threads;     /* 0: as many as there are cores */
    uint32_t parallel;    /* answers at once */
    enum er_cache_type cache;
    uint64_t prefix_bytes; /* kept on disk; 0: nothing */
    char *prefix_folder;   /* NULL: there is no place */
};

/* Defaults, then what the object says (may be NULL).
 * Errors CONFIG, NOMEM. [any] */
int er_local_settings_read(struct er_local_settings *s, const json_t *object,
    struct errand_error *err);
void er_local_settings_release(struct er_local_settings *s);

#endif
