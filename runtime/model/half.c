/* Halves at the borders of a string, looked at as it stands in its document;
 * what lies between them is read as before. */
#include "model/half.h"

#include "base/text.h"

struct piece {
    const char *at, *end; /* inside the quotes */
};

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* How many bytes a character has that begins with c; 0: none does. */
static size_t length_of(char c)
{
    unsigned char u = (unsigned char)c;
    if (u >= 0xC2 && u <= 0xDF)
        return 2;
    if (u >= 0xE0 && u <= 0xEF)
        return 3;
    return u >= 0xF0 && u <= 0xF4 ? 4 : 0;
}

/* The unit of \uXXXX at p, or -1. */
static int32_t unit_at(const char *p, const char *end)
{
    int32_t value = 0;
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *d = p[i] ? strchr(digits, p[i]) : NULL;
        if (!d)
            return -1;
        value = value * 16 + (int32_t)((d - digits) % 16);
    }
    return value;
}

bool er_half_end(struct er_half *h, struct er_buf *out)
{
    bool any = h->high || h->count;
    *h = (struct er_half){0};
    return !any || er_buf_adds(out, "\xEF\xBF\xBD");
}

static bool complete_pair(
    struct er_half *h, struct piece *p, struct er_buf *out)
{
    int32_t low = unit_at(p->at, p->end);
    if (low < 0xDC00 || low > 0xDFFF)
        return er_half_end(h, out);
    uint32_t c = 0x10000u + ((uint32_t)(h->high - 0xD800) << 10) +
                 (uint32_t)(low - 0xDC00);
    const char utf8[] = {(char)(0xF0 | c >> 18),
        (char)(0x80 | (c >> 12 & 0x3F)), (char)(0x80 | (c >> 6 & 0x3F)),
        (char)(0x80 | (c & 0x3F))};
    h->high = 0;
    p->at += 6;
    return er_buf_add(out, utf8, sizeof utf8);
}

static bool complete_bytes(
    struct er_half *h, struct piece *p, struct er_buf *out)
{
    size_t want = length_of(h->bytes[0]);
    while (h->count < want && p->at < p->end && is_continuation(*p->at))
        h->bytes[h->count++] = *p->at++;
    if (h->count < want && p->at == p->end)
        return true; /* not yet */
    if (h->count < want ||
        er_utf8_valid_prefix(h->bytes, want) != want)
        return er_half_end(h, out);
    h->count = 0;
    return er_buf_add(out, h->bytes, want);
}

/* Take a half from the piece's end. */
static void keep_back(struct er_half *h, struct piece *p)
{
    size_t left = (size_t)(p->end - p->at);
    int32_t unit = left >= 6 ? unit_at(p->end - 6, p->end) : -1;
    if (unit >= 0xD800 && unit <= 0xDBFF) {
        h->high = (uint16_t)unit;
        p->end -= 6;
        return;
    }
    for (size_t n = 1; n <= 3 && n <= left; n++) {
        const char *first = p->end - n;
        if (is_continuation(*first))
            continue;
        if (length_of(*first) > n) {
            memcpy(h->bytes, first, n);
            h->count = (unsigned char)n;
            p->end = first;
        }
        return;
    }
}

/* What lies between the borders, as the lenient reader reads it. */
static bool add_middle(const struct piece *p, struct er_buf *out)
{
    struct er_buf quoted;
    size_t len = (size_t)(p->end - p->at);
    er_buf_init(&quoted, len + 3);
    bool ok = er_buf_addc(&quoted, '"') && er_buf_add(&quoted, p->at, len) &&
              er_buf_addc(&quoted, '"');
    struct er_json_cursor c = {
        .text = quoted.data, .len = quoted.len, .mode = ER_JSON_LENIENT};
    ok = ok && er_json_string_read(&c, out);
    er_buf_release(&quoted);
    return ok;
}

bool er_half_goes_on(const struct er_half *h, const struct er_node *s)
{
    const char *at = s->raw + 1, *end = s->raw + s->raw_len - 1;
    int32_t low = h->high ? unit_at(at, end) : -1;
    return at == end || (low >= 0xDC00 && low <= 0xDFFF) ||
           (h->count && is_continuation(*at));
}

bool er_half_join(
    struct er_half *h, const struct er_node *s, struct er_buf *out)
{
    struct piece p = {s->raw + 1, s->raw + s->raw_len - 1};
    if (p.at == p.end) /* an empty piece between two halves */
        return true;
    bool ok = h->high ? complete_pair(h, &p, out)
              : h->count ? complete_bytes(h, &p, out) : true;
    if (h->count)
        return ok;
    keep_back(h, &p);
    return ok && add_middle(&p, out);
}
