/* The connection that answers questions: it cannot write, it never
 * checkpoints, and it is opened when the first question comes. */
#include "store/queue.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int er_store_reader_init(
    struct er_store *s, const char *path, struct errand_error *err)
{
    if (!path)
        return ERRAND_OK;
    s->path = er_strdup(path);
    s->reader.path = s->path;
    return s->path ? ERRAND_OK : er_nomem(err);
}

void er_store_reader_close(struct er_store *s)
{
    er_sql_close(&s->reader);
    free(s->path);
    s->path = NULL;
}
