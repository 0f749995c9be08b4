/* Cutting on whole characters, and where it helps on whole lines. */
#include "cap.h"

#include "base/text.h"

#include <string.h>

enum { LEAST = 1024, MOST = 32 * 1024, NOTE_ROOM = 256 };

size_t er_cap_bytes(int64_t window_tokens, double share)
{
    double bytes = (double)window_tokens * share * 3.0;
    if (!(bytes > LEAST))
        return LEAST;
    return bytes > MOST ? MOST : (size_t)bytes;
}

/* End of the head: at most want, at a line's end if one is near. */
static size_t head_end(const char *s, size_t len, size_t want)
{
    size_t end = er_utf8_cut(s, len, want);
    for (size_t i = end; i > 0 && end - i < 200; i--)
        if (s[i - 1] == '\n')
            return i;
    return end;
}

static size_t tail_start(const char *s, size_t len, size_t want)
{
    size_t start = len - want;
    while (start < len && ((unsigned char)s[start] & 0xC0) == 0x80)
        start++;
    for (size_t i = start; i < len && i - start < 200; i++)
        if (s[i] == '\n')
            return i + 1;
    return start;
}

bool er_cap_add(struct er_buf *out, const char *text, size_t len, size_t max,
    const char *handle)
{
    if (len <= max) {
        er_text_scrub(out, text, len);
        return false;
    }
    size_t room = max > 2 * NOTE_ROOM ? max - NOTE_ROOM : max / 2;
    size_t head = head_end(text, len, room / 3 * 2);
    size_t tail = tail_start(text, len, room / 3);
    er_text_scrub(out, text, head);
    er_buf_addf(out,
        "\n[bytes %zu to %zu of %zu are left out; read on with read_more "
        "{\"handle\":\"%s\",\"offset\":%zu}]\n",
        head, tail, len, handle, head);
    er_text_scrub(out, text + tail, len - tail);
    return !out->failed;
}
