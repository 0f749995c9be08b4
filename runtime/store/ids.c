/* The idempotency key of a call. */
#include "base/sha256.h"
#include "base/text.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Each part is ended by a NUL, so that no two lists of parts hash the same
 * bytes. The arguments are left out: two equal calls may both be meant. So is
 * the provider's id of the call: small models repeat theirs. */
void er_idem_key(const char *conv_id, int64_t asst_seq, int idx,
    const char *tool, char out[33])
{
    char place[48];
    int n = snprintf(place, sizeof place, "%" PRId64 "%c%d", asst_seq, '\0',
        idx);
    struct er_sha256 hash;
    unsigned char digest[32];
    char hex[65];
    er_sha256_init(&hash);
    er_sha256_add(&hash, conv_id, strlen(conv_id) + 1);
    er_sha256_add(&hash, place, (size_t)n + 1);
    er_sha256_add(&hash, tool, strlen(tool) + 1);
    er_sha256_end(&hash, digest);
    er_hex(digest, sizeof digest, hex);
    memcpy(out, hex, 32);
    out[32] = '\0';
}
