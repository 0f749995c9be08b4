/* Clocks and ids. */
#include "clock.h"

#include "text.h"

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

int64_t er_mono_ns(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

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
    unsigned char b[16];
    random_bytes(b + 8, 8);
    for (int i = 0; i < 6; i++)
        b[i] = (unsigned char)(ms >> (40 - 8 * i));
    b[6] = (unsigned char)(0x70 | sub >> 8);
    b[7] = (unsigned char)sub;
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++) {
        er_hex(&b[i], 1, out);
        out += 2;
        if (i == 3 || i == 5 || i == 7 || i == 9)
            *out++ = '-';
    }
    *out = '\0';
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
