/* SHA-256 (FIPS 180-4), for keys and recordings' fingerprints. */
#ifndef ERRAND_BASE_SHA256_H
#define ERRAND_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct er_sha256 {
    uint32_t h[8];
    uint64_t total; /* bytes given so far */
    unsigned char block[64];
};

void er_sha256_init(struct er_sha256 *s);
void er_sha256_add(struct er_sha256 *s, const void *bytes, size_t len);
void er_sha256_end(struct er_sha256 *s, unsigned char out[32]);

/* Lower-case hexadecimal digest of one piece. */
void er_sha256_hex(const void *bytes, size_t len, char out[65]);

#endif
