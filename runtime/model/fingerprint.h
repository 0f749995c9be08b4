/* What makes two requests the same question. */
#ifndef ERRAND_MODEL_FINGERPRINT_H
#define ERRAND_MODEL_FINGERPRINT_H

#include "model/model.h"

struct er_fingerprint {
    char hex[65]; /* SHA-256 over messages and tools; see fingerprint.c */
    int64_t turn; /* assistant messages in the request */
};

/* False: no memory. [any] */
bool er_fingerprint(
    const struct er_model_request *req, struct er_fingerprint *out);

#endif
