/* One log line, formatted on the stack. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

void er_log(const struct er_log *log, int level, const char *fmt, ...)
{
    if (!log || !log->write)
        return;
    char line[1000];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    log->write(log->user, level, line);
}
