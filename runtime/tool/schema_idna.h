/* Internationalised host names: RFC 5890 to 5893. */
#ifndef ERRAND_TOOL_SCHEMA_IDNA_H
#define ERRAND_TOOL_SCHEMA_IDNA_H

#include <stdbool.h>
#include <stddef.h>

/* The compiled patterns that know Unicode's tables. Read-only once made. */
struct er_idna;
struct er_idna *er_idna_new(void);
void er_idna_free(struct er_idna *idna);

/* A host name of letters, digits and hyphens whose "xn--" labels stand for
 * proper names. unicode: labels may also be written as themselves, and the
 * ideographic full stops separate too. [any] */
bool er_idna_is_host(
    const struct er_idna *idna, const char *s, size_t len, bool unicode);

#endif
