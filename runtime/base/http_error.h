/* What a failed transfer means. */
#ifndef ERRAND_BASE_HTTP_ERROR_H
#define ERRAND_BASE_HTTP_ERROR_H

#include "base/error.h"

#include <curl/curl.h>
#include <stdbool.h>

/* Say in err why a transfer failed and what to do about it; text is
 * libcurl's own account ("" if none). *retriable: another attempt may heal
 * it. Returns the code. [any] */
int er_http_explain(CURLcode result, long os_errno, const char *text,
    bool *retriable, struct errand_error *err);

#endif
