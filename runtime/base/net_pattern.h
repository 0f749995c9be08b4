/* Patterns of where a tool may connect to: permissions.net and what a
 * secret is bound to.
 *
 *   api.example.com         https, port 443
 *   api.example.com:8443    https, that port
 *   http://api.example.com  http, port 80; with a scheme exactly that one
 *   *.example.com           every name below it, not example.com itself
 *   [2001:db8::1]:8443      an address, IPv6 in brackets
 *   *                       every host, http and https, on their own ports
 *                           and on those from 1024 up
 * Without a scheme a pattern means https: what travels in the open must be
 * asked for by name. Case does not count in hosts, nor a trailing dot.
 */
#ifndef ERRAND_BASE_NET_PATTERN_H
#define ERRAND_BASE_NET_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

enum { ER_HOST_SIZE = 256 };

/* Where a URL leads. */
struct er_origin {
    bool tls;                /* https */
    char host[ER_HOST_SIZE]; /* lower case; IPv6 in its brackets */
    int port;
};

/* Is it a pattern? [any] */
bool er_net_pattern_ok(const char *pattern);

/* Does the pattern let a request to origin through? False too if it is no
 * pattern. [any] */
bool er_net_pattern_fits(
    const char *pattern, const struct er_origin *origin);

/* Is entry exactly "host:port" of origin? [any] */
bool er_net_names(const char *entry, const struct er_origin *origin);

bool er_origin_same(const struct er_origin *a, const struct er_origin *b);

/* "https://host", with the port if it is not the scheme's own, for people
 * and for patterns; into out[size]. */
void er_origin_show(const struct er_origin *o, char *out, size_t size);

#endif
