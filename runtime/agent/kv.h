/* The service "kv": what tools keep, in the store. */
#ifndef ERRAND_AGENT_KV_H
#define ERRAND_AGENT_KV_H

#include "agent/runtime.h"

/* Offer it to rt's tools. Errors as er_services_add. [owner] */
int er_kv_serve(errand *rt, struct errand_error *err);

#endif
