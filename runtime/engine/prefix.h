/* Kept pages of the cache: one file for 64 tokens and what they depend on.
 *
 * A page's key is a chain: SHA-256 over the key of the page before it and
 * its own 64 tokens; the first link hashes everything else that the numbers
 * depend on. So the longest known beginning of a prompt is found page by
 * page, and conversations that begin alike share files.
 *
 * A file is written beside its place and renamed. It is not flushed: its
 * checksum tells whether it is whole, and one that is not is removed.
 */
#ifndef ERRAND_ENGINE_PREFIX_H
#define ERRAND_ENGINE_PREFIX_H

#include "engine/engine_parts.h"

struct er_prefix_key {
    unsigned char bytes[32];
};

/* The first link, for this session's model and adapters. */
void er_prefix_begin(const er_session *s, struct er_prefix_key *key);
/* The key of the page with these 64 tokens behind key. */
void er_prefix_next(struct er_prefix_key *key, const int32_t *ids);

/* The key of a page that holds but these n tokens, fewer than 64. */
void er_prefix_part(struct er_prefix_key *key, const int32_t *ids, uint32_t n);

/* Write one page; one that is there already is only marked as used.
 * Errors IO, NOMEM. */
int er_prefix_write(const char *folder, const struct er_prefix_key *key,
    const int32_t *ids, const void *data, size_t bytes,
    struct errand_error *err);

/* Read one page into data [bytes]. False: it is not there, or was damaged
 * and has been removed. */
bool er_prefix_read(const char *folder, const struct er_prefix_key *key,
    const int32_t *ids, void *data, size_t bytes);

/* Is there a file for the page? Nothing is read. */
bool er_prefix_there(const char *folder, const struct er_prefix_key *key);

/* Remove a page's file, there or not. */
void er_prefix_remove(const char *folder, const struct er_prefix_key *key);

/* Mark as used at a time, in nanoseconds since 1970. */
void er_prefix_touch(
    const char *folder, const struct er_prefix_key *key, int64_t when_ns);

/* Remove what was not used for longest until at most max_bytes are left. */
void er_prefix_trim(const char *folder, uint64_t max_bytes);

/* 64 bits over n bytes, at memory speed; not against an adversary. */
uint64_t er_checksum(const void *bytes, size_t n, uint64_t seed);

#endif
