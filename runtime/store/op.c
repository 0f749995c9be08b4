/* The life of one operation. */
#include "store/store.h"

#include <stdlib.h>

struct er_op *er_op_new(enum er_op_kind kind)
{
    struct er_op *op = calloc(1, sizeof *op);
    if (!op)
        return NULL;
    op->kind = kind;
    op->level = kind == ER_OP_EVENTS || kind == ER_OP_EXTEND ||
                        kind == ER_OP_READ || kind == ER_OP_TIDY ||
                        kind == ER_OP_KV_GET || kind == ER_OP_KV_LIST
                    ? ER_COMMITTED
                    : ER_DURABLE;
    op->patient = kind == ER_OP_EVENTS || kind == ER_OP_EXTEND;
    er_arena_init(&op->arena);
    return op;
}

void er_op_free(struct er_op *op)
{
    if (!op)
        return;
    er_arena_release(&op->arena);
    free(op);
}
