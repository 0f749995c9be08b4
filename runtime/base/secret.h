/* Values that nobody may see: keys, passwords, secret headers.
 *
 * They are kept together so that whatever leaves for a person's eyes or for
 * a file (errors, log, recordings) can be cleaned of all of them: endpoints
 * do echo keys in their error messages.
 */
#ifndef ERRAND_BASE_SECRET_H
#define ERRAND_BASE_SECRET_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct er_secrets {
    char **values;
    size_t count;
};

/* Shorter values are words such as "none" that local servers are given for
 * a key: they are hidden in errors, where that costs nothing, and left in
 * recordings, where it would damage text. */
enum { ER_SECRET_IN_ERRORS = 4, ER_SECRET_IN_TEXT = 8 };

void er_secrets_release(struct er_secrets *s);

/* Keep a copy; one that is there already or shorter than
 * ER_SECRET_IN_ERRORS is left out. False: no memory. */
bool er_secrets_add(struct er_secrets *s, const char *value, size_t len);

/* Replace every secret of at least shortest bytes in text[0..len) by "***",
 * in place; returns the new length. text[len] is writable and becomes NUL.
 * s may be NULL. */
size_t er_secrets_hide(
    const struct er_secrets *s, size_t shortest, char *text, size_t len);

/* The same for an error's message, where the last secret may have been cut
 * by the end of the message. */
void er_secrets_hide_error(
    const struct er_secrets *s, struct errand_error *err);

#endif
