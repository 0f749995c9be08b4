/* What the files behind fetch.h share. */
#ifndef ERRAND_TOOL_FETCH_PARTS_H
#define ERRAND_TOOL_FETCH_PARTS_H

#include "tool/fetch.h"

struct er_fetch {
    struct er_loop *loop;
    struct er_fetch_settings settings;
    er_http *http; /* NULL: not needed so far */
};

/* What a tool wants, read and checked; placeholders still stand in it. */
struct er_fetch_wish {
    const char *url, *method;
    const json_t *headers; /* name to text; or NULL */
    const char *type;      /* content-type that the body implies, or NULL */
    struct er_buf body;
    int64_t timeout_ms, max_bytes;
    int redirects;
};

/* --- fetch_wish.c */

/* Read a question's params; texts are borrowed from them. Errors USAGE
 * (member and value), TOO_LARGE, NOMEM. Releases nothing on failure. */
int er_fetch_read_wish(struct er_fetch_wish *w, const json_t *params,
    struct errand_error *err);

/* --- fetch_url.c */

/* Where a URL leads, and the URL as it will be sent. Errors USAGE: not a
 * URL, not http or https, user and password, no host. *normal is freed with
 * curl_free. */
int er_fetch_read_url(const char *url, struct er_origin *origin,
    char **normal, struct errand_error *err);

/* Where a redirect leads to, from base; caller frees with curl_free. NULL:
 * nowhere that can be understood. */
char *er_fetch_redirect(const char *base, const char *location);

/* May tool send a request there? Errors DENIED (what to declare, or what
 * the user can do). */
int er_fetch_permit(const struct er_fetch *f, const struct er_tool *tool,
    const struct er_origin *origin, struct errand_error *err);

/* Has the user opened this host and port, whatever its address is? */
bool er_fetch_is_opened(
    const struct er_fetch *f, const struct er_origin *origin);

/* --- fetch_answer.c */

/* The value for the tool: {"status","url","headers","body" or "body64"},
 * without secrets. body is changed in place. NULL: no memory. */
json_t *er_fetch_answer(const er_vault *vault, const er_http_call *call,
    const char *url, struct er_buf *body);

#endif
