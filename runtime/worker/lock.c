/* The op "lock": the first request of every worker. It says what the process
 * may touch, and there is no second one. */
#include "ops.h"

#include "base/text.h"

#include <string.h>

static bool refuse(struct er_buf *out, const char *why)
{
    er_buf_adds(out, ",\"ok\":false,\"message\":");
    er_json_add_string(out, why, strlen(why));
    return false;
}

bool er_op_lock(const json_t *request, struct er_buf *out)
{
    const char *kind = er_json_str(request, "kind");
    if (!kind || (strcmp(kind, "lua") != 0 && strcmp(kind, "plugin") != 0))
        return refuse(out, "the kind of worker is not known");
    er_buf_adds(out, ",\"ok\":true,\"enforced\":{},\"missing\":[]");
    return true;
}
