/* LoRA adapters of a loaded model, opened when a request first names them.
 *
 * A request's lora is NAME or NAME=SCALE, several with commas. A name is a
 * path, or a file's in the folders of models.
 */
#ifndef ERRAND_MODEL_LOCAL_ADAPTERS_H
#define ERRAND_MODEL_LOCAL_ADAPTERS_H

#include "model/local_warm.h"

enum { ER_ADAPTERS_MOST = 8 }; /* in one request */

struct er_adapters { /* zeroed is none */
    struct er_adapters_file *files;
    er_adapter *list[ER_ADAPTERS_MOST]; /* of the last request */
    float scales[ER_ADAPTERS_MOST];
};

/* What a request's text asks for, "" for nothing; borrowed until the next
 * call. Errors NOT_FOUND, USAGE, and those of er_adapter_open. */
int er_adapters_find(struct er_adapters *a, const er_local *m,
    const char *text, struct er_warm_adapters *out,
    struct errand_error *err);
void er_adapters_release(struct er_adapters *a); /* before the model */

#endif
