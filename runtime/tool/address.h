/* Which addresses are nobody's business: the guard before every socket that
 * is opened for a tool.
 *
 * A pure function over the address that is really connected to. Names,
 * spellings and redirects do not matter to it: by then they are numbers.
 */
#ifndef ERRAND_TOOL_ADDRESS_H
#define ERRAND_TOOL_ADDRESS_H

#include <sys/socket.h>

/* What an address is, if it is not one of the public internet: "loopback",
 * "private", "link-local" ... NULL: it is public. Static text. [any] */
const char *er_address_why(const struct sockaddr *to);

/* The same for a host as text, with or without the brackets of IPv6; NULL
 * also if it is no address. [any] */
const char *er_address_why_text(const char *host);

#endif
