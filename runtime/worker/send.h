/* Writing whole frames to the runtime. */
#ifndef ERRAND_WORKER_SEND_H
#define ERRAND_WORKER_SEND_H

#include "base/buf.h"

/* Write all of it, waiting as long as it takes. False: the runtime is
 * gone. */
bool er_send(int sock, const struct er_buf *bytes);

#endif
