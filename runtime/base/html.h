/* A web page as text that a person, or a model, can read.
 *
 * What is not for reading goes (scripts, styles, navigation, forms' parts),
 * headings become "# ...", lists "- ...", tables "a | b", links get a number
 * and stand at the end. It is no browser: it takes any bytes, looks at each
 * once, and never fails but for memory.
 */
#ifndef ERRAND_BASE_HTML_H
#define ERRAND_BASE_HTML_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    ER_HTML_TITLE = 300, /* bytes */
    ER_HTML_LINKS = 500, /* that get a number */
    ER_HTML_LINK = 2000, /* bytes of one */
};

struct er_html {
    const char *base; /* the page's own URL, for links; or NULL */
    bool links;       /* number them and list them at the end */
    char title[ER_HTML_TITLE + 1];
    bool cut; /* there was more than fits into the text */
};

/* Append the text of html, which is UTF-8, to out: most bytes of it, and the
 * links. False if out failed. */
bool er_html_text(struct er_html *page, const char *html, size_t len,
    size_t most, struct er_buf *out);

/* Append bytes in a charset to out as UTF-8: utf-8, utf-16le and -be,
 * iso-8859-1 and -15, windows-1252, us-ascii; others as if they were UTF-8.
 * type is a content-type header's value or NULL; a byte order mark and, in
 * HTML, a <meta> count too. False if out failed. */
bool er_charset_read(
    struct er_buf *out, const char *bytes, size_t len, const char *type);

/* --- html_entity.c */

/* The character reference at s, which begins with '&': its bytes into out,
 * how many in *n; how many of s it took, 0 if it is none. */
size_t er_html_entity(const char *s, size_t len, char out[8], size_t *n);

/* What a page means by a number: windows-1252 from 128 to 159. */
unsigned long er_html_meant(unsigned long code);

/* Write a code point as UTF-8; the number of bytes. One that is none becomes
 * U+FFFD. */
size_t er_html_utf8(unsigned long code, char out[4]);

/* --- html_link.c */

/* href as seen from base, whole, into out; false: it leads nowhere that can
 * be fetched (mailto:, javascript:, within the page). */
bool er_html_link(const char *base, const char *href, size_t len,
    char out[ER_HTML_LINK + 1]);

#endif
