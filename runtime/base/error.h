/* Filling in errand_error: set it, add what one was doing, never overwrite.
 *
 * The first error wins: a caller that fails because a callee failed adds
 * "while doing X" in front and passes the code on.
 */
#ifndef ERRAND_BASE_ERROR_H
#define ERRAND_BASE_ERROR_H

#include <errand/errand.h>
#include <stdarg.h>

/* Set err (may be NULL) and return code. The text says what failed, the
 * value that caused it and what to do next; it is cut to fit on a UTF-8
 * border. No trailing period, no "error:". [any] */
int er_fail(struct errand_error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int er_vfail(struct errand_error *err, int code, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* As er_fail, with errno's text at the end and errno in detail. */
int er_fail_errno(struct errand_error *err, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "fmt: " in front of a set message and return its code. */
int er_while(struct errand_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Out of memory, said without allocating. */
int er_nomem(struct errand_error *err);

#endif
