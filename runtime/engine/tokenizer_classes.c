/* Letters, numbers, white space: a byte per code point of the basic plane,
 * and a search in the table of changes for the rest. */
#include "engine/tokenizer_parts.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

bool er_classes_build(struct er_tokenizer *t)
{
    t->classes = calloc(1, 65536);
    if (!t->classes)
        return false;
    for (size_t i = 0; i < er_n_class_changes; i++) {
        uint32_t from = er_class_changes[i] >> 2, to = 65536;
        if (from >= 65536)
            break;
        if (i + 1 < er_n_class_changes && er_class_changes[i + 1] >> 2 < to)
            to = er_class_changes[i + 1] >> 2;
        memset(t->classes + from, (int)(er_class_changes[i] & 3), to - from);
    }
    return true;
}

static enum er_class search(uint32_t c)
{
    size_t low = 0, high = er_n_class_changes; /* the last one <= c */
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (er_class_changes[mid] >> 2 <= c)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? (enum er_class)(er_class_changes[low - 1] & 3) : ER_OTHER;
}

/* Two to four bytes of a character that begins with lead; 0: not valid. */
static uint32_t decode(const unsigned char *s, size_t len, size_t *n)
{
    size_t want = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    *n = 1;
    if (s[0] < 0xC2 || s[0] > 0xF4 || len < want ||
        er_utf8_valid_prefix((const char *)s, want) != want)
        return 0;
    *n = want;
    if (want == 2)
        return (s[0] & 31u) << 6 | (s[1] & 63u);
    if (want == 3)
        return (s[0] & 15u) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u);
    return (s[0] & 7u) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 |
           (s[3] & 63u);
}

enum er_class er_class_at(
    const struct er_tokenizer *t, const char *s, size_t len, size_t *n)
{
    unsigned char lead = (unsigned char)*s;
    *n = 1;
    if (lead < 0x80)
        return (enum er_class)t->classes[lead];
    uint32_t c = decode((const unsigned char *)s, len, n);
    return c < 65536 ? (enum er_class)t->classes[c] : search(c);
}
