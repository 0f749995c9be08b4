/* See store_suite.h. Included by the suite's programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support/store_suite.h"

#include "support/store_kit.c"

static int sqlite_open(
    struct world *w, struct er_backend *out, struct errand_error *err)
{
    return er_sqlite_open(w->path, NULL, NULL, out, err);
}

static char *sqlite_dump(struct world *w, const char *conv)
{
    struct errand_error err = {0};
    json_t *v = er_store_show(w->s, conv, &err);
    if (!v)
        print_error("%s\n", err.msg);
    assert_non_null(v);
    char *text = er_json_text(v);
    json_decref(v);
    return text;
}

const struct backend_kind suite_backends[SUITE_BACKENDS] = {
    {"sqlite", sqlite_open, sqlite_dump},
};

int suite_set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct errand_error err = {0};
    struct er_backend b;
    w->kind = *state ? *state : &suite_backends[0];
    kit_folder_make(w->folder);
    snprintf(w->path, sizeof w->path, "%s/e.db", w->folder);
    w->loop = er_loop_new(&err);
    if (w->kind->open(w, &b, &err) != ERRAND_OK) {
        print_error("%s\n", err.msg);
        return -1;
    }
    struct er_store_options opt = {.path = w->path};
    w->s = er_store_over(w->loop, b, &opt, &err);
    *state = w;
    return w->s ? 0 : -1;
}

int suite_tear_down(void **state)
{
    struct world *w = *state;
    er_store_close(w->s);
    er_loop_free(w->loop);
    kit_folder_remove(w->folder);
    *state = (void *)w->kind;
    free(w);
    return 0;
}

void suite_dead_owner(char out[128])
{
    er_owner_self(out);
    char *slash = strrchr(out, '/');
    snprintf(slash, 8, "/1"); /* the same process, begun at another time */
}

bool suite_is_closed(int s)
{
    return s == ER_CALL_DONE || s == ER_CALL_FAILED || s == ER_CALL_DENIED;
}

struct er_op *suite_append_op(const struct kit_run *r, const char *text)
{
    struct er_op *op = er_op_new(ER_OP_APPEND);
    struct er_new_message *m = er_arena_alloc(&op->arena, 2 * sizeof *m);
    m[0] = (struct er_new_message){"user", kit_message(op, "user", text), text};
    m[1] = m[0];
    op->in.append.claim = r->claim;
    op->in.append.n = 2;
    op->in.append.messages = m;
    return op;
}

struct er_op *suite_claimed_op(const struct kit_run *r, int kind)
{
    struct er_op *op;
    static const char *const event[] = {"{}"};
    switch (kind) {
    case 0:
        return kit_step_op(r, "z", 1, ERRAND_PURE);
    case 1:
        return kit_finish_op(r, "c0", ER_CALL_DONE, "zombie");
    case 2:
        op = er_op_new(ER_OP_BEGIN);
        op->in.call.claim = r->claim;
        op->in.call.call_id = "c0";
        return op;
    case 3:
        return suite_append_op(r, "zombie");
    case 4:
        op = er_op_new(ER_OP_STOP);
        op->in.stop.claim = r->claim;
        op->in.stop.state = ER_RUN_PAUSED;
        return op;
    case 5:
        op = er_op_new(ER_OP_EXTEND);
        op->in.extend.claim = r->claim;
        op->in.extend.lease_ms = 1000000;
        return op;
    case 6:
        op = er_op_new(ER_OP_EVENTS);
        op->in.events.claim = r->claim;
        op->in.events.n = 1;
        op->in.events.events = event;
        return op;
    default:
        op = er_op_new(ER_OP_ATTEMPT);
        op->in.attempt.claim = r->claim;
        op->in.attempt.attempt.model = "m";
        return op;
    }
}

