/* Matching stop strings in a stream. */
#include "engine/stop.h"

#include <string.h>

void er_stop_init(struct er_stop *s, const char *const *strings)
{
    *s = (struct er_stop){.strings = strings};
    er_buf_init(&s->held, (size_t)1 << 30);
}

void er_stop_release(struct er_stop *s)
{
    er_buf_release(&s->held);
}

/* What begins at byte at: 0 nothing, 1 maybe a stop string, 2 one. */
static int begins(const struct er_stop *s, size_t at)
{
    size_t left = s->held.len - at;
    int what = 0;
    for (const char *const *p = s->strings; p && *p; p++) {
        size_t n = strlen(*p);
        if (n == 0 || memcmp(s->held.data + at, *p, n < left ? n : left))
            continue;
        if (n <= left)
            return 2;
        what = 1;
    }
    return what;
}

bool er_stop_add(
    struct er_stop *s, const char *text, size_t len, struct er_buf *out)
{
    size_t at = 0;
    int what = 0;
    if (s->stopped)
        return true;
    if (!er_buf_add(&s->held, text, len))
        return false;
    while (at < s->held.len && (what = begins(s, at)) == 0)
        at++;
    s->stopped = what == 2;
    bool ok = at == 0 || er_buf_add(out, s->held.data, at);
    er_buf_drop(&s->held, at);
    return ok;
}

/* Behind what may have become one stop string another may stand whole. */
bool er_stop_end(struct er_stop *s, struct er_buf *out)
{
    size_t at = 0;
    while (at < s->held.len && begins(s, at) != 2)
        at++;
    bool ok = s->stopped || at == 0 || er_buf_add(out, s->held.data, at);
    s->stopped = s->stopped || at < s->held.len;
    er_buf_reset(&s->held);
    return ok;
}
