/* The error table and how an errand_error is filled in. */
#include "error.h"

#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct code_row {
    const char *name, *text;
    int http, exit;
};

static const struct code_row rows[] = {
#define ROW(name, num, text, http, exit) [num] = {#name, text, http, exit},
    ERRAND_CODES(ROW)
#undef ROW
};

static const struct code_row *row_of(int code)
{
    size_t n = sizeof rows / sizeof rows[0];
    if (code < 0 || (size_t)code >= n)
        code = ERRAND_BUG;
    return &rows[code];
}

const char *errand_code_name(int code) { return row_of(code)->name; }
const char *errand_code_text(int code) { return row_of(code)->text; }
int errand_code_http(int code) { return row_of(code)->http; }
int errand_code_exit(int code) { return row_of(code)->exit; }
const char *errand_version(void) { return ERRAND_VERSION; }
void errand_free(void *p) { free(p); }

/* Add text to the message as far as it fits. */
static void append(struct errand_error *err, const char *text)
{
    size_t used = strlen(err->msg), room = sizeof err->msg - 1 - used;
    size_t len = strlen(text);
    if (len > room)
        len = room;
    memcpy(err->msg + used, text, len);
    err->msg[used + len] = '\0';
    er_text_trim_utf8(err->msg);
}

int er_vfail(struct errand_error *err, int code, const char *fmt, va_list ap)
{
    if (!err)
        return code;
    err->code = code;
    err->detail = 0;
    err->at = -1;
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    if (n < 0)
        err->msg[0] = '\0';
    if ((size_t)n >= sizeof err->msg)
        er_text_trim_utf8(err->msg);
    return code;
}

int er_fail(struct errand_error *err, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    er_vfail(err, code, fmt, ap);
    va_end(ap);
    return code;
}

int er_fail_errno(struct errand_error *err, int code, const char *fmt, ...)
{
    int saved = errno;
    if (!err)
        return code;
    va_list ap;
    va_start(ap, fmt);
    er_vfail(err, code, fmt, ap);
    va_end(ap);
    err->detail = saved;
    char text[96] = "";
    if (strerror_r(saved, text, sizeof text) != 0)
        snprintf(text, sizeof text, "errno %d", saved);
    append(err, ": ");
    append(err, text);
    return code;
}

int er_while(struct errand_error *err, const char *fmt, ...)
{
    if (!err)
        return ERRAND_BUG;
    char old[sizeof err->msg];
    memcpy(old, err->msg, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    if (n < 0)
        err->msg[0] = '\0';
    append(err, ": ");
    append(err, old);
    return err->code;
}

int er_nomem(struct errand_error *err)
{
    return er_fail(err, ERRAND_NOMEM, "out of memory");
}
