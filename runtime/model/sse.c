/* Event-stream framing.
 *
 * Lines are looked for with memchr in the bytes as they are fed; an event
 * of one data line that lies whole in them is handed on in place. Only what
 * a cut leaves over is copied. The next \n and the next \r are remembered
 * over the lines of one feed, so that the work is linear in its length
 * whichever of the three line ends a stream uses.
 */
#include "model/sse.h"

#include <string.h>

void er_sse_init(
    struct er_sse *s, size_t max_bytes, er_sse_fn on_event, void *ctx)
{
    *s = (struct er_sse){.max_bytes = max_bytes, .retry_ms = -1,
        .on_event = on_event, .ctx = ctx};
    er_buf_init(&s->line, max_bytes);
    er_buf_init(&s->data, max_bytes);
    er_buf_init(&s->event, max_bytes);
    er_buf_init(&s->id, max_bytes);
}

void er_sse_release(struct er_sse *s)
{
    er_buf_release(&s->line);
    er_buf_release(&s->data);
    er_buf_release(&s->event);
    er_buf_release(&s->id);
}

static bool alive(const struct er_sse *s)
{
    return !s->stopped && !s->too_large && !s->no_memory;
}

static void keep(
    struct er_sse *s, struct er_buf *b, const char *bytes, size_t len)
{
    if (len > b->max - b->len)
        s->too_large = true;
    else if (!er_buf_add(b, bytes, len))
        s->no_memory = true;
}

static void keep_lone(struct er_sse *s)
{
    if (s->lone)
        keep(s, &s->data, s->lone, s->lone_len);
    s->lone = NULL;
}

static void add_data(
    struct er_sse *s, const char *value, size_t len, bool in_place)
{
    if (!s->has_data && in_place) {
        s->lone = value;
        s->lone_len = len;
    } else if (!s->has_data) {
        keep(s, &s->data, value, len);
    } else {
        keep_lone(s);
        keep(s, &s->data, "\n", 1);
        if (alive(s))
            keep(s, &s->data, value, len);
    }
    s->has_data = true;
}

static void dispatch(struct er_sse *s)
{
    if (s->has_data) {
        const char *data = s->lone ? s->lone : er_buf_str(&s->data);
        size_t len = s->lone ? s->lone_len : s->data.len;
        const char *event = s->event.len ? s->event.data : "message";
        if (!s->on_event(s->ctx, event, data, len, er_buf_str(&s->id)))
            s->stopped = true;
        s->lone = NULL;
        s->has_data = false;
        er_buf_reset(&s->data);
    }
    er_buf_reset(&s->event);
}

static void set_retry(struct er_sse *s, const char *value, size_t len)
{
    int64_t ms = 0;
    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9')
            return;
        ms = ms > (INT64_MAX - 9) / 10 ? INT64_MAX / 10
                                       : ms * 10 + (value[i] - '0');
    }
    if (len > 0)
        s->retry_ms = ms;
}

static bool is(const char *name, size_t len, const char *want)
{
    return strlen(want) == len && memcmp(name, want, len) == 0;
}

static void take_field(struct er_sse *s, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len);
    size_t name_len = colon ? (size_t)(colon - line) : len;
    const char *value = colon ? colon + 1 : line + len;
    size_t n = (size_t)(line + len - value);
    if (n > 0 && value[0] == ' ') {
        value++;
        n--;
    }
    if (is(line, name_len, "event")) {
        er_buf_reset(&s->event);
        keep(s, &s->event, value, n);
    } else if (is(line, name_len, "id")) {
        if (memchr(value, '\0', n))
            return;
        er_buf_reset(&s->id);
        keep(s, &s->id, value, n);
    } else if (is(line, name_len, "retry")) {
        set_retry(s, value, n);
    } else if (line[0] == '{' && s->on_stray &&
               !s->on_stray(s->ctx, line, len)) {
        s->stopped = true;
    }
}

/* One line without its end. in_place: it lies in the bytes being fed. */
static void take_line(
    struct er_sse *s, const char *line, size_t len, bool in_place)
{
    if (len == 0) {
        dispatch(s);
    } else if (line[0] == ':') {
        return;
    } else if (len > s->max_bytes) {
        s->too_large = true;
    } else if (len >= 5 && memcmp(line, "data:", 5) == 0) {
        size_t skip = len > 5 && line[5] == ' ' ? 6 : 5;
        add_data(s, line + skip, len - skip, in_place);
    } else if (is(line, len, "data")) {
        add_data(s, line + len, 0, in_place);
    } else {
        take_field(s, line, len);
    }
}

/* The end of a line whose beginning may have come earlier. */
static void end_line(struct er_sse *s, const char *bytes, size_t len)
{
    if (s->in_comment) {
        s->in_comment = false;
    } else if (s->line.len == 0) {
        take_line(s, bytes, len, true);
    } else {
        keep(s, &s->line, bytes, len);
        if (alive(s))
            take_line(s, s->line.data, s->line.len, false);
        er_buf_reset(&s->line);
    }
}

/* What is left of a feed after its last line end. */
static void keep_rest(struct er_sse *s, const char *bytes, size_t len)
{
    if (s->line.len == 0 && bytes[0] == ':')
        s->in_comment = true;
    if (!s->in_comment)
        keep(s, &s->line, bytes, len);
}

/* Take a byte order mark off the beginning; it may come in pieces. */
static const char *skip_bom(struct er_sse *s, const char *p, const char *end)
{
    static const char bom[] = "\xEF\xBB\xBF";
    while (!s->began && p < end) {
        if (*p == bom[s->bom]) {
            p++;
            s->began = ++s->bom == 3;
        } else {
            s->began = true;
            keep(s, &s->line, bom, s->bom);
        }
    }
    return p;
}

static const char *find(const char *from, char c, const char *end)
{
    const char *at = memchr(from, c, (size_t)(end - from));
    return at ? at : end;
}

bool er_sse_feed(struct er_sse *s, const char *bytes, size_t len)
{
    if (!alive(s) || len == 0)
        return alive(s);
    const char *p = bytes, *end = bytes + len;
    if (s->saw_cr && *p == '\n')
        p++;
    s->saw_cr = false;
    if (!s->began)
        p = skip_bom(s, p, end);
    const char *nl = find(p, '\n', end), *cr = find(p, '\r', end);
    while (p < end && alive(s)) {
        if (nl < p)
            nl = find(p, '\n', end);
        if (cr < p)
            cr = find(p, '\r', end);
        const char *eol = nl < cr ? nl : cr;
        if (eol == end) {
            keep_rest(s, p, (size_t)(end - p));
            break;
        }
        end_line(s, p, (size_t)(eol - p));
        p = eol + 1;
        if (*eol == '\r' && p == end)
            s->saw_cr = true;
        else if (*eol == '\r' && *p == '\n')
            p++;
    }
    if (alive(s))
        keep_lone(s);
    s->lone = NULL;
    return alive(s);
}

bool er_sse_end(struct er_sse *s, bool lenient)
{
    if (alive(s) && lenient) {
        if (s->line.len > 0)
            take_line(s, s->line.data, s->line.len, false);
        if (alive(s))
            dispatch(s);
    }
    er_buf_reset(&s->line);
    return alive(s);
}
