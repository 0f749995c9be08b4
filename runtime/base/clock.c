/* Clocks and ids. */
#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

static int64_t clock_ms(clockid_t id)
{
    struct timespec t = {0};
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t er_now_ms(void) { return clock_ms(CLOCK_REALTIME); }
int64_t er_mono_ms(void) { return clock_ms(CLOCK_MONOTONIC); }

static void random_bytes(unsigned char *out, size_t len)
{
    while (getentropy(out, len) != 0 && errno == EINTR)
        ;
}

void er_id_new(char out[ER_ID_SIZE])
{
    struct timespec t = {0};
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t ms = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
    /* twelve bits below the millisecond keep one process's ids in order */
    unsigned sub = (unsigned)((t.tv_nsec % 1000000) * 4096 / 1000000);
    unsigned char r[8];
    random_bytes(r, sizeof r);
    snprintf(out, ER_ID_SIZE,
        "%08x-%04x-7%03x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        (unsigned)(ms >> 16 & 0xffffffff), (unsigned)(ms & 0xffff), sub,
        (r[0] & 0x3fu) | 0x80u, r[1], r[2], r[3], r[4], r[5], r[6], r[7]);
}

void er_time_iso(int64_t ms, char out[21])
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm = {0};
    gmtime_r(&s, &tm);
    if (strftime(out, 21, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        out[0] = '\0';
}

void er_time_date(int64_t ms, char out[12])
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May",
        "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t s = (time_t)(ms / 1000);
    struct tm tm = {0};
    gmtime_r(&s, &tm);
    char text[64];
    snprintf(text, sizeof text, "%02d %s %04d", tm.tm_mday,
        months[tm.tm_mon % 12], tm.tm_year + 1900);
    snprintf(out, 12, "%.11s", text);
}
