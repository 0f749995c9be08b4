/* Lines of recordings and settings of endpoints: both are written by people,
 * and what passes the check must be safe to use without another look. */
#include "base/buf.h"
#include "model/endpoint.h"
#include "model/replay_check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* What replay_play.c takes for granted. */
static void use_events(const json_t *events)
{
    size_t n = json_array_size(events);
    check(n > 0);
    for (size_t i = 0; i < n; i++) {
        const json_t *ev = json_array_get(events, i);
        const char *type = er_json_str(ev, "type");
        bool end = strcmp(type, "done") == 0 || strcmp(type, "error") == 0;
        check(end == (i == n - 1));
        if (strcmp(type, "call") == 0)
            check(er_json_str(ev, "name") && er_json_str(ev, "arguments"));
        if (strcmp(type, "done") == 0)
            check(er_replay_finish(er_json_str(ev, "finish")) >= 0);
        if (strcmp(type, "error") == 0)
            check(er_replay_code(er_json_str(ev, "code")) > 0 &&
                  er_json_str(ev, "message"));
    }
}

static void try_line(const char *text, size_t len)
{
    struct errand_error err = {0};
    struct er_shot shot = {0};
    json_t *print = NULL;
    if (er_replay_check(text, len, &shot, &print, &err) == ERRAND_OK) {
        check(shot.turn >= 0 && shot.delay_ms >= 0);
        check(!print || json_string_length(print) == 64);
        use_events(shot.events);
    } else {
        check(err.code == ERRAND_SYNTAX && err.msg[0]);
    }
    json_decref(shot.events);
    json_decref(print);
}

static void try_settings(const char *text, size_t len)
{
    struct errand_error err = {0};
    json_t *settings = er_json_parse(text, len, ER_JSON_STRICT, NULL);
    if (!settings)
        return;
    struct er_endpoint *ep = er_endpoint_new("x", settings, &err);
    json_decref(settings);
    if (!ep) {
        check(err.code == ERRAND_CONFIG && err.msg[0]);
        return;
    }
    check(ep->timeouts.total_ms > 0 && ep->max_bytes > 0);
    free(ep->key_file); /* reads no file here */
    ep->key_file = NULL;
    struct er_buf url;
    er_buf_init(&url, 1 << 20);
    if (er_endpoint_ready(ep, "@cf/a b", &err) == ERRAND_OK) {
        check(er_endpoint_url(ep, "@cf/a b", &url));
        check(er_endpoint_headers(ep) != NULL);
    }
    er_buf_release(&url);
    er_endpoint_free(ep);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_line((const char *)data, size);
    try_settings((const char *)data, size);
    return 0;
}
