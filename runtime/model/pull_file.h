/* One file on its way: the part that is there, the rest, the checksum. */
#ifndef ERRAND_MODEL_PULL_FILE_H
#define ERRAND_MODEL_PULL_FILE_H

#include "model/hub.h"
#include "model/pull.h"

struct er_pulled {
    int64_t bytes, resumed; /* resumed: those that were there before */
    char sha256[65];        /* of the content */
    bool verified;          /* it is what somebody said it should be */
    bool already;           /* nothing had to be fetched */
};

/* Fetch f to path. Errors as er_pull. [owner] */
int er_pull_file(const struct er_pull *p, struct er_download *d,
    const struct er_hub_file *f, const char *path, struct er_pulled *out,
    struct errand_error *err);

#endif
