/* Ids of calls as endpoints accept them. The same id always becomes the
 * same, so that a call and its result go on fitting together. */
#include "model/body.h"

#include "base/sha256.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { MISTRAL_LEN = 9, MAX_LEN = ER_WIRE_ID_SIZE - 1 };

static const char alnum[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static bool fits(const char *id, size_t len, bool mistral)
{
    if (mistral)
        return len == MISTRAL_LEN && strspn(id, alnum) == len;
    return len > 0 && len <= MAX_LEN;
}

void er_wire_id(
    const char *id, bool mistral, size_t salt, char out[ER_WIRE_ID_SIZE])
{
    size_t len = strlen(id);
    if (salt == 0 && fits(id, len, mistral)) {
        memcpy(out, id, len + 1);
        return;
    }
    struct er_sha256 s;
    unsigned char digest[32];
    uint64_t n = salt;
    er_sha256_init(&s);
    er_sha256_add(&s, id, len);
    if (salt > 0)
        er_sha256_add(&s, &n, sizeof n);
    er_sha256_end(&s, digest);
    if (mistral) {
        for (size_t i = 0; i < MISTRAL_LEN; i++)
            out[i] = alnum[digest[i] % 62];
        out[MISTRAL_LEN] = '\0';
        return;
    }
    char hex[65];
    er_hex(digest, sizeof digest, hex);
    snprintf(out, ER_WIRE_ID_SIZE, "tc_%.32s", hex);
}
