/* The memory of one request's JSON: taken in a row, given back as a whole.
 *
 * A history of 18 messages is some 700 values; with malloc and free they
 * cost more than everything else the endpoint does, and a benchmark would
 * measure that. Between ep_pool_begin and ep_pool_end jansson takes memory
 * from here; what outlives the request (a conversation's place in a script)
 * is made between ep_pool_pause and ep_pool_resume.
 */
#include "endpoint.h"

#include <stdlib.h>

enum { POOL_SIZE = 4 << 20 };

static _Alignas(16) unsigned char pool[POOL_SIZE];
static size_t used;
static bool on;

/* Too large for what is left: malloc takes it, and free gives it back. */
static void *take(size_t size)
{
    size_t need = (size + 15) & ~(size_t)15;
    if (!on || need < size || need > POOL_SIZE - used)
        return malloc(size);
    void *p = pool + used;
    used += need;
    return p;
}

static void give(void *p)
{
    uintptr_t at = (uintptr_t)p, from = (uintptr_t)pool;
    if (at < from || at >= from + POOL_SIZE)
        free(p);
}

void ep_pool_install(void) { json_set_alloc_funcs(take, give); }

void ep_pool_begin(void)
{
    used = 0;
    on = true;
}

void ep_pool_end(void) { on = false; }

void ep_pool_pause(void) { on = false; }

void ep_pool_resume(void) { on = true; }
