/* libcurl's results as errors that say what to do. */
#include "base/http_error.h"

#include <stddef.h>
#include <string.h>

struct row {
    CURLcode result;
    int code;
    bool retriable;
    const char *hint; /* NULL: nothing to add */
    const char *text; /* in place of libcurl's; NULL: its own */
};

static const struct row rows[] = {
    {CURLE_COULDNT_CONNECT, ERRAND_NETWORK, true,
        "is the server running?", NULL},
    {CURLE_COULDNT_RESOLVE_HOST, ERRAND_NETWORK, true,
        "is the host's name right, is there a network?", NULL},
    {CURLE_COULDNT_RESOLVE_PROXY, ERRAND_NETWORK, true,
        "is the proxy in http_proxy or https_proxy right?", NULL},
    {CURLE_PROXY, ERRAND_NETWORK, true, "is the proxy right?", NULL},
    {CURLE_OPERATION_TIMEDOUT, ERRAND_TIMEOUT, true,
        "is the server reachable from here?", NULL},
    {CURLE_SEND_ERROR, ERRAND_NETWORK, true, NULL, NULL},
    {CURLE_RECV_ERROR, ERRAND_NETWORK, true, NULL, NULL},
    {CURLE_GOT_NOTHING, ERRAND_NETWORK, true,
        "is it overloaded, or just starting?",
        "the server closed the connection without an answer"},
    {CURLE_PARTIAL_FILE, ERRAND_NETWORK, true, NULL,
        "the connection was closed in the middle of the answer"},
    {CURLE_SSL_CONNECT_ERROR, ERRAND_NETWORK, true,
        "does the server speak https?", NULL},
    {CURLE_PEER_FAILED_VERIFICATION, ERRAND_NETWORK, false,
        "SSL_CERT_FILE can name certificates to trust", NULL},
    {CURLE_UNSUPPORTED_PROTOCOL, ERRAND_PROTOCOL, false,
        "does it speak HTTP/1.1?", NULL},
    {CURLE_WEIRD_SERVER_REPLY, ERRAND_PROTOCOL, false,
        "does it speak HTTP/1.1?", NULL},
    {CURLE_BAD_CONTENT_ENCODING, ERRAND_PROTOCOL, false, NULL, NULL},
    {CURLE_URL_MALFORMAT, ERRAND_CONFIG, false, "look at base_url", NULL},
    {CURLE_OUT_OF_MEMORY, ERRAND_NOMEM, false, NULL, NULL},
};

int er_http_explain(CURLcode result, long os_errno, const char *text,
    bool *retriable, struct errand_error *err)
{
    struct row row = {.result = result, .code = ERRAND_NETWORK};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].result == result)
            row = rows[i];
    }
    *retriable = row.retriable;
    char os[80] = "";
    if (result == CURLE_COULDNT_CONNECT && os_errno != 0 &&
        strerror_r((int)os_errno, os, sizeof os) == 0)
        text = os;
    if (row.text)
        text = row.text;
    if (!text || !*text)
        text = curl_easy_strerror(result);
    int len = (int)strcspn(text, "\r\n");
    er_fail(err, row.code, "%s%.*s%s%s",
        result == CURLE_COULDNT_CONNECT ? "cannot connect: " : "",
        len < 140 ? len : 140, text, row.hint ? "; " : "",
        row.hint ? row.hint : "");
    if (err && os_errno > 0 && result == CURLE_COULDNT_CONNECT)
        err->detail = (int32_t)os_errno;
    return row.code;
}
