/* The vault: secrets that tools may use and never see.
 *
 * The configuration names them: secrets = { weather = { env = "WEATHER_KEY",
 * host = "api.example.com" } }. A tool gets a placeholder, which is random,
 * good for its own call alone and of no use to anybody else; the runtime
 * puts the value in its place when a request leaves for the host that the
 * secret is bound to. What comes back, results and log lines are cleaned of
 * every value, also of its base64 and URL-encoded forms.
 */
#ifndef ERRAND_TOOL_VAULT_H
#define ERRAND_TOOL_VAULT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "base/net_pattern.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct er_vault er_vault;

enum {
    ER_VAULT_SHORTEST = 8,        /* shorter ones cannot be hidden */
    ER_VAULT_LONGEST = 16 * 1024, /* bytes of a value */
    ER_VAULT_TOKEN = 64,          /* bytes of a placeholder and its NUL */
};

/* config: the "secrets" of the configuration, already held against its
 * schema, or NULL. Values are read now; one that is not there is an error of
 * whoever asks for it. Errors CONFIG (host is no pattern), NOMEM. */
er_vault *er_vault_new(const json_t *config, struct errand_error *err);
void er_vault_free(er_vault *v);

/* Who asks: a tool and the number of its call. */
struct er_holder {
    const char *tool;
    int64_t call;
};

/* The placeholder of a secret, into out. Errors NOT_FOUND (there is none of
 * that name, or it has no value; says what to do), RANGE (too short). */
int er_vault_token(const er_vault *v, const struct er_holder *who,
    const char *name, char out[ER_VAULT_TOKEN], struct errand_error *err);

/* Append text with the values in place of who's placeholders, made for a
 * request to origin; in_url: %-encoded. Errors DENIED (bound to another
 * host, both named), NOMEM, TOO_LARGE. v may be NULL. */
int er_vault_fill(const er_vault *v, const struct er_holder *who,
    const struct er_origin *origin, bool in_url, const char *text,
    size_t len, struct er_buf *out, struct errand_error *err);

/* Is there anything to hide? */
bool er_vault_hides(const er_vault *v);

/* Replace every value in text[0..len) by "***", in place; the new length.
 * text[len] is writable and becomes NUL. v may be NULL. */
size_t er_vault_hide(const er_vault *v, char *text, size_t len);

/* The same for every text in a value, keys too. False: no memory. */
bool er_vault_hide_json(const er_vault *v, json_t **value);

#endif
