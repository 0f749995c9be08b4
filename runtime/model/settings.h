/* Reading an endpoint's settings out of the configuration. */
#ifndef ERRAND_MODEL_SETTINGS_H
#define ERRAND_MODEL_SETTINGS_H

#include "model/endpoint.h"

/* Read the object over *ep. Unknown keys, wrong types and values out of
 * range are errors that name the key and what is allowed.
 * Errors CONFIG, NOMEM. [owner] */
int er_settings_read(struct er_endpoint *ep, const json_t *settings,
    struct errand_error *err);

#endif
