/* A runtime for tests: a store in a folder of its own, the test endpoint as
 * its model, and a record of what a run told. */
#ifndef ERRAND_TESTS_RUN_KIT_H
#define ERRAND_TESTS_RUN_KIT_H

#include "endpoint/spawn.h"

#include <errand/errand.h>
#include <jansson.h>

enum { KIT_EVENTS = 4096 };

/* What one run told, in order. */
struct told {
    struct kit *kit;
    int n, code, started;
    _Atomic int end; /* set on the loop's thread */
    int types[KIT_EVENTS];
    char *details[KIT_EVENTS]; /* JSON or text; NULL if none */
    char *text;                /* all TEXT pieces since the last DISCARD */
    char *answer, *error, *run_id, *conv_id;
};

struct kit {
    struct endpoint ep;
    errand *rt;
    char dir[64], db[96], log[96], script[96];
    uint32_t sync;   /* an errand_sync, from the next reopening on */
    char config[96]; /* errand.lua, if a test writes one and reopens */
};

/* Folder, endpoint (script: JSON lines or NULL), runtime. Asserts. */
void kit_open(struct kit *k, const char *script);

/* Close and open the runtime alone, as a new process would. */
void kit_reopen(struct kit *k);

/* Close all; asserts that the endpoint refused nothing. */
void kit_close(struct kit *k);

/* Start a run and drive it to its end. req gets size, on_event and user; a
 * model without provider gets "openai:". */
void kit_run(struct kit *k, struct told *t, struct errand_request req);
void kit_start(struct kit *k, struct told *t, struct errand_request req);
void kit_resume(struct kit *k, struct told *t, const char *run,
    const char *options);
void told_free(struct told *t);

/* How many events of a type; the i-th one's details (0-based) or NULL. */
int told_count(const struct told *t, int type);
const char *told_at(const struct told *t, int type, int i);

/* errand_log_show of a conversation; caller drops. */
json_t *kit_show(struct kit *k, const char *id);

/* The bodies that the endpoint got, as an array; caller drops. */
json_t *kit_requests(struct kit *k);

#endif
