/* Which arrow of the diagram in store.h exists; for backends. */
#ifndef ERRAND_STORE_STATES_H
#define ERRAND_STORE_STATES_H

#include "store/store.h"

/* State of a stored name, -1 if there is none such. [any] */
int er_run_state_of(const char *name);
int er_call_state_of(const char *name);

/* ready or tools: it goes on without a person. [any] */
bool er_run_is_live(int state);

/* done, failed or denied: it has its tool message. [any] */
bool er_call_is_closed(int state);

/* May the executor move a call so (T3)? [any] */
bool er_call_may_finish(int from, int to, int effect);

/* May a person? [any] */
bool er_call_may_resolve(int from, int to);

#endif
