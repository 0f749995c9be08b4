/* The retry policy: see retry.h for its rules. Numbers are read by hand
 * because strtod follows the locale of the embedding program. */
#include "model/retry.h"

#include <ctype.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

enum {
    LONGEST_WAIT_MS = 60 * 1000, /* a longer wish is ignored */
    FIRST_WAIT_MS = 500,
    LAST_WAIT_MS = 8 * 1000,
};

bool er_retry_wanted(const struct er_retry_headers *h, bool otherwise)
{
    if (h->should_retry && strcasecmp(h->should_retry, "true") == 0)
        return true;
    if (h->should_retry && strcasecmp(h->should_retry, "false") == 0)
        return false;
    return otherwise;
}

bool er_retry_status(long status)
{
    return status == 408 || status == 409 || status == 429 || status >= 500;
}

/* Digits with an optional fraction, times scale; -1 if it is no such number
 * or above LONGEST_WAIT_MS. */
static int64_t read_ms(const char *s, int64_t scale)
{
    int64_t ms = 0;
    if (!isdigit((unsigned char)*s))
        return -1;
    for (; isdigit((unsigned char)*s); s++) {
        ms = ms * 10 + (*s - '0') * scale;
        if (ms > LONGEST_WAIT_MS)
            return -1;
    }
    if (*s == '.') {
        for (s++; isdigit((unsigned char)*s); s++) {
            scale /= 10;
            ms += (*s - '0') * scale;
        }
    }
    while (*s == ' ' || *s == '\t')
        s++;
    return *s == '\0' && ms <= LONGEST_WAIT_MS ? ms : -1;
}

/* An HTTP date begins with a weekday; curl_getdate alone would also take
 * lone numbers for dates. */
static int64_t read_date_ms(const char *s, int64_t now_s)
{
    if (!isalpha((unsigned char)*s))
        return -1;
    time_t at = curl_getdate(s, NULL);
    if (at == (time_t)-1)
        return -1;
    int64_t wait_s = (int64_t)at - now_s;
    if (wait_s < 0 || wait_s > LONGEST_WAIT_MS / 1000)
        return -1;
    return wait_s * 1000;
}

static int64_t asked_for_ms(const struct er_retry_headers *h, int64_t now_s)
{
    int64_t ms = -1;
    if (h->retry_after_ms)
        ms = read_ms(h->retry_after_ms, 1);
    if (ms < 0 && h->retry_after)
        ms = read_ms(h->retry_after, 1000);
    if (ms < 0 && h->retry_after)
        ms = read_date_ms(h->retry_after, now_s);
    return ms;
}

int64_t er_retry_delay_ms(const struct er_retry_headers *h, int next,
    int64_t now_s, uint32_t random)
{
    int64_t ms = asked_for_ms(h, now_s);
    if (ms >= 0)
        return ms;
    ms = FIRST_WAIT_MS;
    for (int i = 1; i < next && ms < LAST_WAIT_MS; i++)
        ms *= 2;
    if (ms > LAST_WAIT_MS)
        ms = LAST_WAIT_MS;
    return ms - (int64_t)((uint64_t)ms * random / UINT32_MAX / 4);
}
