/* Text: UTF-8 checks and cuts, safe copies for people's eyes. */
#ifndef ERRAND_BASE_TEXT_H
#define ERRAND_BASE_TEXT_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Length of the longest valid UTF-8 beginning of s[0..len). Overlong forms,
 * surrogates and values over U+10FFFF are not valid. [any] */
size_t er_utf8_valid_prefix(const char *s, size_t len);

/* Largest n <= want at which s[0..len) can be cut without splitting a
 * character. */
size_t er_utf8_cut(const char *s, size_t len, size_t want);

/* Cut a NUL-terminated text that was filled to the brim back to whole
 * characters. */
void er_text_trim_utf8(char *s);

/* Append s to out with each invalid byte sequence replaced by U+FFFD. */
bool er_text_scrub(struct er_buf *out, const char *s, size_t len);

/* Append s to out without what could move a terminal: C0 (but \n and \t),
 * DEL, C1, and ANSI sequences. Invalid UTF-8 becomes U+FFFD. */
bool er_text_plain(struct er_buf *out, const char *s, size_t len);

/* A copy, NULL if out of memory or s is NULL. Caller frees with free(). */
char *er_strdup(const char *s);
char *er_strndup(const char *s, size_t len);

bool er_starts_with(const char *s, const char *prefix);

/* Lower-case hexadecimal of len bytes into out[2 * len + 1]. */
void er_hex(const unsigned char *bytes, size_t len, char *out);

#endif
