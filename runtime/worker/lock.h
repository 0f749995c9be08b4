/* The op "lock", and what it leaves behind. */
#ifndef ERRAND_WORKER_LOCK_H
#define ERRAND_WORKER_LOCK_H

#include "cage.h"

#include "base/json.h"

/* Lock this process into what the request grants, and append the members of
 * the answer. The roots stay open in cage. False: it cannot be done, the
 * answer says why, and the worker must end. */
bool er_op_lock(
    const json_t *request, struct er_cage *cage, struct er_buf *out);

void er_cage_release(struct er_cage *cage);

#endif
