/* Where log lines go: a function the embedder gave, or nowhere.
 *
 * Lines are for people who look for a fault. They hold no secret, no
 * argument and no message text below ERRAND_LOG_DEBUG.
 */
#ifndef ERRAND_BASE_LOG_H
#define ERRAND_BASE_LOG_H

#include <errand/errand.h>

struct er_log {
    void (*write)(void *user, int level, const char *text);
    void *user;
};

/* log may be NULL. One line, cut at 1,000 bytes. [owner] */
void er_log(const struct er_log *log, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
