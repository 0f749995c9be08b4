/* The stage of the suite that every backend of the store must pass: the
 * scenarios in tests/unit/test_store_backend.c and test_store_whole.c know
 * nothing of SQL. A backend takes part with a row in suite_backends. */
#ifndef ERRAND_TESTS_SUPPORT_STORE_SUITE_H
#define ERRAND_TESTS_SUPPORT_STORE_SUITE_H

#include "support/store_kit.h"

struct world;

struct backend_kind {
    const char *name;
    int (*open)(struct world *w, struct er_backend *out,
        struct errand_error *err);
    /* All about a conversation as text; the caller frees. */
    char *(*dump)(struct world *w, const char *conv);
};

struct world {
    const struct backend_kind *kind;
    char folder[64], path[80];
    struct er_loop *loop;
    er_store *s;
};

enum { SUITE_BACKENDS = 1 };
extern const struct backend_kind suite_backends[SUITE_BACKENDS];

/* For cmocka; the prestate is a row of suite_backends. */
int suite_set_up(void **state);
int suite_tear_down(void **state);

/* An owner on another machine, of which nothing is known. */
#define ELSEWHERE "other-host/00000000-boot/77/1"

/* An owner on this machine that is surely gone. */
void suite_dead_owner(char out[128]);

bool suite_is_closed(int call_state);

/* Two further messages for a run. */
struct er_op *suite_append_op(const struct kit_run *r, const char *text);

/* One of each kind of op that a claim must allow, 0 to 7; those about a call
 * name c0. */
struct er_op *suite_claimed_op(const struct kit_run *r, int kind);

#endif
