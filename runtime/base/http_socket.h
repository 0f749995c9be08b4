/* libcurl's sockets and its timer on the loop; a part of http.c. */
#ifndef ERRAND_BASE_HTTP_SOCKET_H
#define ERRAND_BASE_HTTP_SOCKET_H

#include "base/loop.h"

#include <curl/curl.h>
#include <event2/event_struct.h>

struct er_http_socket;

struct er_http_sockets {
    struct event_base *base;
    CURLM *multi;
    struct event timer;
    bool adding; /* inside er_http_sockets_add */
    struct er_http_socket **by_fd; /* NULL: not known */
    size_t fd_count;
    /* Called instead of curl_multi_socket_action: flags as it takes them */
    void (*act)(void *ctx, curl_socket_t fd, int flags);
    void *ctx;
};

/* Hang a multi handle on the loop. Fields act and ctx are set. [owner] */
void er_http_sockets_init(
    struct er_http_sockets *s, struct er_loop *loop, CURLM *multi);

/* After curl_multi_cleanup. */
void er_http_sockets_release(struct er_http_sockets *s);

/* Add an easy handle to the multi handle, to begin as soon as the callback
 * that runs now has returned. */
CURLMcode er_http_sockets_add(struct er_http_sockets *s, CURL *easy);

/* Let an easy handle open and close its sockets here. */
void er_http_sockets_use(struct er_http_sockets *s, CURL *easy);

/* Open one, as libcurl's CURLOPT_OPENSOCKETFUNCTION does: for one that
 * looks at the address first. */
curl_socket_t er_http_sockets_open(
    struct er_http_sockets *s, const struct curl_sockaddr *addr);

#endif
